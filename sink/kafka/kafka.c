/* The Kafka sink: batches. */
#include "sink/kafka/kafka.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sink/kafka/kafka_private.h"

#define RECORDS_MAX  ((size_t)8 << 30)  /* a row of the largest event with every byte escaped */
#define RECORDS_KEPT ((size_t)16 << 20) /* of the buffer, from batch to batch */
#define POLL_MS      100
#define REPORT_MS    500 /* behind the failure of its transaction */

#define ROW(field, unit_, help_)                                                                                       \
    {                                                                                                                  \
#field, unit_, METRIC_COUNTER, offsetof(struct kafka_stats, field), help_                                      \
    }
static const struct metric_row kafka_metrics[] = {
    ROW(messages_total, "messages", "messages delivered"),
    ROW(bytes_total, "bytes", "keys and values of messages delivered"),
    ROW(oversize_total, "messages", "messages that were too large and went out as `oversize` says"),
    ROW(full_total, "times", "times that the queue of messages was full"),
    ROW(transactions_total, "transactions", "transactions of Kafka that were committed"),
    ROW(aborts_total, "transactions", "transactions of Kafka that were aborted and written again"),
    METRIC_END,
};

static int kafka_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    const struct kafka_options *options = opt;
    char name[KAFKA_TOPIC_MAX + 1];
    bool tableless = formatted_needs(route_opt) & (FORMAT_NEEDS_STATEMENTS | FORMAT_NEEDS_TRANSACTIONS);
    if (tableless && kafka_topic_varies(options))
        return err_set(e, KAFKA_TOPIC_NAME, options->topic,
                       "statements and transactions of the route's format belong to no table");
    int rc = tbl ? kafka_topic_name(options, tbl->db, tbl->name, name, e) : 0;
    if (tbl && rc == 0 && options->dead_letter_topic && strcmp(name, options->dead_letter_topic) == 0)
        return err_set(e, KAFKA_TOPIC_NAME, name, KAFKA_DEAD_OWN);
    if (tbl && rc == 0 && options->transaction_topic && strcmp(name, options->transaction_topic) == 0)
        return err_set(e, KAFKA_TOPIC_NAME, name, KAFKA_BOUNDS_OWN);
    return rc == 0 ? formatted_bind(out, opt, route_opt, tbl, e) : rc;
}

static void kafka_close(struct sink *snk)
{
    struct kafka_sink *to = (struct kafka_sink *)snk;
    if (!to)
        return;
    kafka_exactly_close(to);
    kafka_bounds_release(&to->bounds);
    kafka_oversize_release(&to->oversize);
    kafka_topics_release(&to->topics);
    kafka_producer_close(&to->producer);
    formatted_release(&to->formatted);
    kafka_scratch_release(&to->scratch);
    free(to);
}

/* Connects, and finds the topics that are known now. */
static int connect_all(struct kafka_sink *to, const struct sink_place *place, struct err *e)
{
    rd_kafka_topic_t *topic = NULL;
    char *id = NULL;
    bool exactly = kafka_is_exactly_once(to->opt);
    int rc = exactly ? kafka_marks_id(to->opt, place->name, &id, e) : 0;
    if (rc == 0)
        rc = kafka_producer_open(&to->producer, to->opt, id, place->env, e);
    free(id);
    if (rc == 0)
        rc = kafka_topics_reach(&to->topics, e);
    if (rc == 0 && !kafka_topic_varies(to->opt))
        rc = kafka_topics_find(&to->topics, "", "", &topic, e);
    if (rc == 0)
        rc = kafka_oversize_open(&to->oversize, &to->producer, place->name, place->lanes, e);
    if (rc == 0 && to->opt->transaction_topic)
        rc = kafka_bounds_open(&to->bounds, &to->producer, e);
    if (rc == 0 && exactly)
        rc = kafka_exactly_open(to, e);
    if (rc == 0 && kafka_topic_varies(to->opt))
        log_event(place->env->log, LOG_INFO, "a topic per table: order holds within each topic only",
                  LOG_STR("sink", place->name), LOG_STR("topic", to->opt->topic));
    return rc;
}

static int kafka_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    struct kafka_sink *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_kafka;
    to->opt = opt;
    to->env = place->env;
    formatted_init(&to->formatted, RECORDS_MAX);
    to->formatted.records.wants_keys = true;
    kafka_scratch_init(&to->scratch);
    to->scratch.reader = kafka_is_exactly_once(opt) ? 0 : place->reader;
    kafka_topics_init(&to->topics, &to->producer, place->lanes);
    to->marks.sink = place->name;
    int rc = connect_all(to, place, e);
    if (rc != 0) {
        kafka_close(&to->base);
        return rc;
    }
    *out = &to->base;
    return 0;
}

/* ---------------------------------------------------------------- batches */

static struct batch_end end_of(const struct item *item)
{
    return (struct batch_end){item->chg->version, item->chg->op, item->chg->lane};
}

static bool same_end(const struct batch_end *end, const struct item *item)
{
    const struct change *chg = item->chg;
    return version_compare(&end->version, &chg->version) == 0 && end->op == chg->op && end->lane == chg->lane;
}

static bool is_same(const struct batch_id *batch, const struct item *items, size_t count)
{
    return batch->count == count && same_end(&batch->first, &items[0]) && same_end(&batch->last, &items[count - 1]);
}

/* Sends what is not sent yet, if any, and waits for all reports. RETRY: nothing was heard for too long. */
static int deliver(struct kafka_sink *to, const struct item *items, size_t end, struct err *e)
{
    struct kafka_producer *producer = &to->producer;
    int64_t heard = env_mono_us(to->env);
    int rc = 0;
    for (uint64_t reports = producer->reports; to->next < end || producer->on_the_way;) {
        bool full = false;
        while (to->next < end && !full) {
            rc = kafka_send_next(to, items, e);
            if (rc < 0)
                return rc;
            full = rc == KAFKA_FULL;
            to->next += !full;
        }
        if (!producer->on_the_way && !full)
            break; /* nothing but tombstones */
        rc = kafka_poll(producer, POLL_MS, e);
        if (rc != 0)
            return rc;
        if (items && producer->refused.code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return kafka_tell_refused(to, items, e);
        int64_t now = env_mono_us(to->env);
        if (reports == producer->reports && now - heard > (int64_t)to->opt->timeout_ms * 1000)
            return kafka_down(&producer->link, e);
        heard = reports == producer->reports ? heard : now;
        reports = producer->reports;
    }
    return 0;
}

/* The batch at work counts for nothing: its messages are awaited, then the formats go back. */
static int drop_batch(struct kafka_sink *to, struct err *e)
{
    int rc = deliver(to, NULL, to->next, e);
    if (rc != 0)
        return rc;
    formatted_restore(&to->formatted);
    to->producer.refused = (struct kafka_refusal){.code = RD_KAFKA_RESP_ERR_NO_ERROR};
    to->is_open = false;
    return 0;
}

static bool is_bound(const struct change *chg)
{
    return chg->op == CHANGE_BEGIN || chg->op == CHANGE_END;
}

static int add_record(struct kafka_sink *to, const struct item *item, size_t number, struct err *e)
{
    if (!is_bound(item->chg) || !to->bounds.topic)
        return formatted_add(&to->formatted, item, number, e);
    int rc = kafka_bounds_add(&to->formatted.records, item->chg, number, e);
    return rc == 0 ? 0 : sink_wrap(e, item);
}

static int begin_batch(struct kafka_sink *to, const struct item *items, size_t count, struct err *e)
{
    struct buf *text = &to->formatted.records.text;
    if (text->size > RECORDS_KEPT)
        buf_release(text);
    int rc = 0;
    if (to->has_batches)
        formatted_go_on(&to->formatted, env_now_us(to->env));
    else
        rc = formatted_begin(&to->formatted, env_now_us(to->env), e);
    if (rc != 0)
        return rc;
    to->has_batches = to->in_tx;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_record(to, &items[i], i, e);
    if (rc == 0)
        rc = formatted_flush(&to->formatted, e);
    if (rc != 0) {
        formatted_restore(&to->formatted);
        return rc;
    }
    to->batch = (struct batch_id){count, end_of(&items[0]), end_of(&items[count - 1])};
    to->is_open = true;
    to->next = 0;
    to->next_partition = 0;
    return 0;
}

/* A transaction may be known to have failed before the report of the message for which it did: the report says why, and
 * may say that a person must act. */
static int tell_why(struct kafka_sink *to, const struct item *items, int rc, struct err *e)
{
    struct kafka_producer *producer = &to->producer;
    for (int ms = 0; ms < REPORT_MS && producer->on_the_way && !producer->refused.code; ms += REPORT_MS / 10)
        (void)rd_kafka_poll(producer->link.handle, REPORT_MS / 10);
    if (producer->refused.code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return rc;
    err_clear(e);
    return kafka_tell_refused(to, items, e);
}

static int apply(struct kafka_sink *to, struct item *items, size_t count, struct err *e)
{
    int rc = 0;
    bool refused = to->producer.refused.code != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (to->is_open && (refused || !is_same(&to->batch, items, count)))
        rc = drop_batch(to, e);
    if (rc == 0 && !to->is_open)
        rc = begin_batch(to, items, count, e);
    if (rc == 0)
        rc = deliver(to, items, to->formatted.records.count, e);
    if (rc == -(int)ERR_SINK_ABORTED && to->in_tx && to->is_open)
        rc = tell_why(to, items, rc, e);
    if (rc != 0)
        return rc;
    to->is_open = false;
    for (size_t i = 0; i < count; i++)
        items[i].verdict = V_DONE;
    return 0;
}

static int kafka_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct kafka_sink *to = (struct kafka_sink *)snk;
    if (count == 0)
        return 0;
    if (!kafka_is_exactly_once(to->opt))
        return apply(to, items, count, e);
    int rc = kafka_exactly_join(to, e);
    if (rc == 0)
        rc = apply(to, items, count, e);
    to->must_abort = to->in_tx && rc != 0;
    return kafka_exactly_outcome(to, rc, e);
}

static unsigned kafka_flags(const void *opt)
{
    const struct kafka_options *options = opt;
    unsigned flags = kafka_is_exactly_once(options) ? SINK_KEEPS_POSITION : 0;
    return flags | (options->transaction_topic ? SINK_TELLS_BOUNDS : 0);
}

static unsigned kafka_commit_ms(const void *opt)
{
    return (unsigned)((const struct kafka_options *)opt)->transaction_ms;
}

static const void *kafka_sink_stats(const struct sink *snk)
{
    return &((const struct kafka_sink *)snk)->producer.stats;
}

const struct sink_ops sink_kafka = {
    .kind = "kafka",
    .flags = SINK_ONE_WORKER | SINK_CAN_SWEEP | SINK_IN_ORDER | SINK_STAYS_OPEN | SINK_IGNORES_TICKETS,
    .flags_of = kafka_flags,
    .options_size = sizeof(struct kafka_options),
    .route_options_size = sizeof(struct format_choice),
    .options = kafka_option_table,
    .route_options = formatted_route_options,
    .metrics = kafka_metrics,
    .check = kafka_check,
    .check_beside = kafka_check_beside,
    .check_routes = kafka_check_routes,
    .ready = formatted_ready,
    .same = formatted_same,
    .needs = formatted_needs,
    .bind = kafka_bind,
    .unbind = formatted_unbind,
    .open = kafka_open,
    .apply = kafka_apply,
    .load = kafka_exactly_load,
    .commit = kafka_exactly_commit,
    .commit_ms = kafka_commit_ms,
    .stats = kafka_sink_stats,
    .close = kafka_close,
};
