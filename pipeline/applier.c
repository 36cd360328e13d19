/* Records become items, acknowledged items become committed offsets: the loop, and its life. */
#include "base/backoff.h"
#include "pipeline/applier_private.h"

#define POLL_MS             100
#define OPEN_BACKOFF_MS     200
#define OPEN_BACKOFF_MAX_MS 5000

static int read_records(struct applier *a, struct err *e)
{
    int rc = 0;
    bool waits = false;
    while (rc == 0 && !atomic_load_explicit(&a->stopping, memory_order_relaxed)) {
        rd_kafka_message_t *message = NULL;
        rc = applier_poll(a, waits ? POLL_MS : 0, &message, e);
        waits = rc == CONSUMER_NOTHING;
        if (rc == CONSUMER_RECORD) {
            metric_set(&a->lag.lanes[message->partition].read_ms, applier_written_ms(message));
            rc = a->input ? applier_take_foreign(a, message, e) : applier_take(a, message, e);
            if (rc == 0)
                applier_note_read(a, message->partition, message->offset + 1);
            rd_kafka_message_destroy(message);
        }
        if (rc == 0 && (waits || lanes_should_publish(a->opt.lanes)))
            lanes_publish(a->opt.lanes);
        applier_commit_on_clock(a);
    }
    return rc;
}

/* ---------------------------------------------------------------- life */

static bool ends(void *ctx)
{
    return atomic_load(&((struct applier *)ctx)->stopping);
}

int applier_new(struct applier **out, const struct applier_options *opt, struct err *e)
{
    struct applier *a = calloc(1, sizeof *a);
    if (!a)
        return err_set(e, NO_MEMORY, sizeof *a);
    a->opt = *opt;
    a->wake.fd = -1;
    arena_init(&a->arena, 65536, 0, 0);
    struct consumer_options consumer = {.env = opt->env,
                                        .brokers = opt->bus->brokers,
                                        .properties = opt->bus->properties,
                                        .sasl_password = opt->bus->sasl_password,
                                        .topic = opt->bus->topic,
                                        .group = opt->bus->group,
                                        .instance_id = opt->bus->instance_id,
                                        .from = opt->bus->from_latest ? FROM_LATEST : FROM_EARLIEST,
                                        .lanes = lanes_count(opt->lanes),
                                        .missing_ms = opt->bus->missing_ms,
                                        .state = opt->bus->state,
                                        .gained = applier_gained,
                                        .leaving = applier_leaving,
                                        .not_committed = applier_not_committed,
                                        .ends = ends,
                                        .ctx = a};
    int rc = wakeup_init(&a->wake, e);
    if (rc == 0)
        rc = offsets_init(&a->offsets, consumer.lanes, e);
    if (rc == 0)
        rc = readers_init(&a->readers, consumer.lanes, e);
    if (rc == 0)
        rc = topic_lag_init(&a->lag, consumer.lanes, e);
    if (rc == 0 && !(a->shapes = shape_cache_new()))
        rc = err_set(e, NO_MEMORY, sizeof *a);
    if (rc == 0 && opt->bus->input)
        rc = applier_input_new(&a->input, opt->bus->input, opt->routes, opt->bus->epoch, e);
    if (rc == 0 && !opt->bus->input && opt->bus->keyed_by_business)
        rc = applier_headers_new(&a->headers, opt->routes, opt->sinks, opt->sink_count, a->shapes, e);
    if (rc == 0 && opt->bus->dead_letters)
        rc = dead_records_new(&a->dead, opt->bus, consumer.lanes, opt->env, e);
    if (rc == 0)
        rc = consumer_new(&a->consumer, &consumer, e);
    if (rc != 0) {
        applier_free(a);
        return rc;
    }
    *out = a;
    return 0;
}

void applier_free(struct applier *a)
{
    if (!a)
        return;
    consumer_close(a->consumer);
    offsets_release(&a->offsets);
    readers_release(&a->readers);
    topic_lag_release(&a->lag);
    applier_input_free(a->input);
    dead_records_free(a->dead);
    applier_headers_free(a->headers);
    shape_cache_free(a->shapes);
    arena_release(&a->arena);
    wakeup_release(&a->wake);
    free(a->masks);
    free(a);
}

/* Before anything is read there is a place for what cannot be read. */
static int open_dead(struct applier *a, struct err *e)
{
    struct backoff backoff;
    backoff_init(&backoff, OPEN_BACKOFF_MS, OPEN_BACKOFF_MAX_MS);
    while (dead_records_open(a->dead, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY)
            return err_result(e);
        if (backoff.tries == 0)
            log_error(a->opt.env->log, "the dead letter topic cannot be reached, trying again", e);
        err_clear(e);
        if (!atomic_load(&a->stopping))
            wakeup_wait(&a->wake, (int)backoff_next(&backoff, a->opt.env));
        if (atomic_load(&a->stopping))
            return err_set(e, INTERRUPTED);
    }
    return 0;
}

int applier_run(struct applier *a, struct err *e)
{
    metric_set(&a->stats.heard_us, (uint64_t)env_mono_us(a->opt.env));
    int rc = a->dead ? open_dead(a, e) : 0;
    if (rc == 0)
        rc = consumer_join(a->consumer, e);
    if (rc == 0) {
        log_event(a->opt.env->log, LOG_INFO, "reading", LOG_STR("topic", a->opt.bus->topic),
                  LOG_STR("group", a->opt.bus->group), LOG_STR("source", "kafka"));
        rc = lag_watch_start(&a->watch, &a->lag, consumer_handle(a->consumer), a->opt.bus->topic, a->opt.env, e);
        if (rc == 0)
            rc = read_records(a, e);
    }
    applier_drain(a, NULL);
    lag_watch_stop(a->watch);
    a->watch = NULL;
    consumer_close(a->consumer);
    a->consumer = NULL;
    metric_set(&a->stats.up, 0);
    if (rc != 0 && e->code == ERR_INTERRUPTED && atomic_load(&a->stopping)) {
        err_clear(e);
        rc = 0;
    }
    return rc;
}

void applier_stop(struct applier *a, bool cut)
{
    if (cut)
        atomic_store(&a->cut, true);
    atomic_store(&a->stopping, true);
    wakeup_ring(&a->wake);
}

void applier_wake(struct applier *a)
{
    wakeup_ring(&a->wake);
}

const struct topic_lag *applier_lag(const struct applier *a)
{
    return &a->lag;
}

const struct feeder_stats *applier_figures(const struct applier *a)
{
    return &a->stats;
}
