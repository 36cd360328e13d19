/* Records become items, acknowledged items become committed offsets. */
#include "pipeline/applier.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "change/json_in.h"
#include "pipeline/applier_headers.h"
#include "pipeline/applier_input.h"
#include "pipeline/consumer.h"
#include "pipeline/dead_records.h"
#include "pipeline/offsets.h"
#include "pipeline/readers.h"

#define POLL_MS             100
#define FULL_WAIT_MS        200  /* for room, between two looks at the clock */
#define PAUSE_AFTER_MS      1000 /* the lanes are full so long: the group is served without records */
#define DRAIN_TICK_MS       5
#define OPEN_BACKOFF_MS     200
#define OPEN_BACKOFF_MAX_MS 5000
#define DEAD_WAIT_MS        200 /* for a dead letter, likewise */
#define CUT_COMMIT_MS       500
#define SHAPE_MASKS         64

struct applier {
    struct applier_options opt;
    struct feeder_stats stats;
    struct wakeup wake;
    atomic_bool stopping, cut;
    struct consumer *consumer;
    struct offsets offsets;
    struct readers readers;
    struct topic_lag lag;
    struct lag_watch *watch;         /* while records are read */
    struct applier_input *input;     /* NULL: records of our own */
    struct dead_records *dead;       /* NULL: what cannot be read stops */
    struct applier_headers *headers; /* NULL: bodies are parsed */
    struct shape_cache *shapes;
    struct arena arena;
    uint64_t *masks; /* by shape id: 1 + the sinks; 0: not known yet */
    size_t masks_size;
    int64_t commit_us; /* when offsets are committed next */
};

/* ---------------------------------------------------------------- offsets */

/* Everything up to here is done for all sinks. */
static uint64_t lane_acked(const struct applier *a, unsigned lane)
{
    uint64_t least = UINT64_MAX;
    for (unsigned sink = 0; sink < a->opt.sink_count; sink++) {
        uint64_t acked = ledger_acked(lanes_ledger(a->opt.lanes), lane, sink);
        least = acked < least ? acked : least;
    }
    return least;
}

/* With the number of the reader, for whoever reads on from there. */
static void add_due(struct applier *a, rd_kafka_topic_partition_list_t *due, unsigned lane, int64_t offset)
{
    rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(due, a->opt.bus->topic, (int32_t)lane);
    char text[READERS_TEXT_MAX];
    part->offset = offset;
    readers_print(&a->readers, lane, offset, text);
    part->metadata = *text ? strdup(text) : NULL;
    part->metadata_size = part->metadata ? strlen(text) : 0;
}

/* The offsets that are due; with `only` those of these partitions. The caller's; NULL: none are. */
static rd_kafka_topic_partition_list_t *take_due(struct applier *a, const rd_kafka_topic_partition_list_t *only)
{
    rd_kafka_topic_partition_list_t *due = NULL;
    for (unsigned lane = 0; lane < a->offsets.count; lane++) {
        if (!offsets_owned(&a->offsets, lane) ||
            (only && !rd_kafka_topic_partition_list_find(only, a->opt.bus->topic, (int32_t)lane)))
            continue;
        int64_t offset = offsets_due(&a->offsets, lane, lane_acked(a, lane));
        metric_set(&a->lag.lanes[lane].oldest_ms, offsets_oldest_ms(&a->offsets, lane));
        if (offset == OFFSETS_NONE)
            continue;
        if (!due)
            due = rd_kafka_topic_partition_list_new((int)a->offsets.count);
        add_due(a, due, lane, offset);
        offsets_committed(&a->offsets, lane, offset);
        metric_set(&a->lag.lanes[lane].committed, (uint64_t)offset);
    }
    return due;
}

static void commit_on_clock(struct applier *a)
{
    int64_t now_us = env_mono_us(a->opt.env);
    if (now_us < a->commit_us || consumer_commits(a->consumer))
        return;
    a->commit_us = now_us + (int64_t)a->opt.commit_ms * 1000;
    rd_kafka_topic_partition_list_t *due = take_due(a, NULL);
    if (!due)
        return;
    consumer_commit(a->consumer, due);
    rd_kafka_topic_partition_list_destroy(due);
}

/* Waits until the sinks have what is in flight of these partitions (NULL: of all), and commits behind it. */
static void drain(struct applier *a, const rd_kafka_topic_partition_list_t *only)
{
    int64_t until_us = env_mono_us(a->opt.env) + (int64_t)a->opt.shutdown_ms * 1000;
    lanes_publish(a->opt.lanes);
    for (unsigned lane = 0; lane < a->offsets.count; lane++) {
        if (!offsets_owned(&a->offsets, lane) ||
            (only && !rd_kafka_topic_partition_list_find(only, a->opt.bus->topic, (int32_t)lane)))
            continue;
        while (!offsets_idle(&a->offsets, lane, lane_acked(a, lane)) && !atomic_load(&a->cut) &&
               env_mono_us(a->opt.env) < until_us) {
            wakeup_ring(a->opt.keeper);
            wakeup_wait(&a->wake, DRAIN_TICK_MS);
        }
    }
    rd_kafka_topic_partition_list_t *due = take_due(a, only);
    if (!due)
        return;
    int limit_ms = atomic_load(&a->cut) || !consumer_is_up(a->consumer) ? CUT_COMMIT_MS : (int)a->opt.shutdown_ms;
    (void)consumer_commit_wait(a->consumer, due, limit_ms);
    rd_kafka_topic_partition_list_destroy(due);
}

/* ---------------------------------------------------------------- what the consumer calls */

/* These partitions are read from now on, or no longer. */
static void own(struct applier *a, const rd_kafka_topic_partition_list_t *parts, bool mine)
{
    uint64_t count = 0;
    for (int i = 0; i < parts->cnt; i++)
        offsets_own(&a->offsets, (unsigned)parts->elems[i].partition, mine);
    for (unsigned lane = 0; lane < a->offsets.count; lane++)
        count += offsets_owned(&a->offsets, lane);
    metric_set(&a->stats.partitions, count);
    if (parts->cnt > 0)
        metric_add(&a->stats.rebalances_total, 1);
}

static void on_gained(void *ctx, const rd_kafka_topic_partition_list_t *parts)
{
    struct applier *a = ctx;
    int64_t now_ms = env_now_us(a->opt.env) / 1000;
    own(a, parts, true);
    for (int i = 0; i < parts->cnt; i++) {
        const rd_kafka_topic_partition_t *part = &parts->elems[i];
        readers_gain(&a->readers, (unsigned)part->partition, part->metadata, part->metadata_size);
        topic_lag_own(&a->lag, (unsigned)part->partition, true, part->offset, now_ms);
    }
    lag_watch_look(a->watch);
}

static void on_leaving(void *ctx, const rd_kafka_topic_partition_list_t *parts, bool lost)
{
    struct applier *a = ctx;
    if (!lost)
        drain(a, parts);
    own(a, parts, false);
    for (int i = 0; i < parts->cnt; i++)
        topic_lag_own(&a->lag, (unsigned)parts->elems[i].partition, false, -1, 0);
}

static void on_not_committed(void *ctx, int32_t partition)
{
    struct applier *a = ctx;
    offsets_committed(&a->offsets, (unsigned)partition, OFFSETS_NONE);
    metric_set(&a->lag.lanes[partition].committed, TOPIC_LAG_UNKNOWN);
}

static bool ends(void *ctx)
{
    return atomic_load(&((struct applier *)ctx)->stopping);
}

/* ---------------------------------------------------------------- room */

/* By the brokers' clock or the writer's; 0: it has no time. */
static uint64_t written_ms(const rd_kafka_message_t *record)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(record, &type);
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 ? 0 : (uint64_t)ms;
}

/* Everything below `next` is read. The oldest of it is told before, and again whenever offsets are looked at. */
static void note_read(struct applier *a, int32_t partition, int64_t next)
{
    struct topic_lane *at = &a->lag.lanes[partition];
    if (!offsets_owned(&a->offsets, (unsigned)partition))
        return;
    if (metric_get(&at->oldest_ms) == 0)
        metric_set(&at->oldest_ms, offsets_oldest_ms(&a->offsets, (unsigned)partition));
    metric_set(&at->next, (uint64_t)next);
}

static int poll_consumer(struct applier *a, int timeout_ms, rd_kafka_message_t **out, struct err *e)
{
    int rc = consumer_poll(a->consumer, timeout_ms, out, e);
    metric_set(&a->stats.up, consumer_is_up(a->consumer));
    if (rc > 0)
        metric_set(&a->stats.heard_us, (uint64_t)env_mono_us(a->opt.env));
    if (rc != CONSUMER_END)
        return rc;
    unsigned lane = (unsigned)(*out)->partition;
    rc = offsets_owned(&a->offsets, lane) ? offsets_pass(&a->offsets, lane, (*out)->offset, e) : 0;
    note_read(a, (*out)->partition, (*out)->offset);
    rd_kafka_message_destroy(*out);
    return rc == 0 ? CONSUMER_NOTHING : rc;
}

/* Offsets and the group, while no record can be taken since `since_us`. */
static int serve_group(struct applier *a, int64_t since_us, bool *paused, struct err *e)
{
    rd_kafka_message_t *message = NULL;
    commit_on_clock(a);
    if (env_mono_us(a->opt.env) - since_us < PAUSE_AFTER_MS * 1000)
        return 0;
    if (!*paused)
        consumer_pause(a->consumer, *paused = true);
    int rc = poll_consumer(a, 0, &message, e);
    if (rc != CONSUMER_RECORD)
        return rc;
    rd_kafka_message_destroy(message);
    return err_set(e, BUG, "a record of a partition that is paused");
}

/* The lanes or the ring are full since `since_us`. */
static int wait_for_room(struct applier *a, int64_t since_us, bool *paused, struct err *e)
{
    if (atomic_load(&a->cut))
        return err_set(e, INTERRUPTED);
    wakeup_ring(a->opt.keeper);
    wakeup_wait(&a->wake, FULL_WAIT_MS);
    return serve_group(a, since_us, paused, e);
}

/* ---------------------------------------------------------------- records */

/* The sinks that the table's routes lead to. */
static int find_mask(struct applier *a, const struct shape *shape, uint32_t *mask, struct err *e)
{
    if (shape->id >= a->masks_size) {
        size_t size = a->masks_size ? a->masks_size : SHAPE_MASKS;
        while (size <= shape->id)
            size *= 2;
        uint64_t *grown = realloc(a->masks, size * sizeof *grown);
        if (!grown)
            return err_set(e, NO_MEMORY, size * sizeof *grown);
        memset(grown + a->masks_size, 0, (size - a->masks_size) * sizeof *grown);
        a->masks = grown;
        a->masks_size = size;
    }
    if (a->masks[shape->id] == 0) {
        const struct route *list;
        unsigned count = routes_list(a->opt.routes, &list);
        uint32_t found = 0;
        for (unsigned i = 0; i < count; i++)
            if (route_matches(&list[i], shape->tbl->db, shape->tbl->name))
                found |= list[i].sink_mask;
        a->masks[shape->id] = UINT64_C(1) + found;
    }
    *mask = (uint32_t)(a->masks[shape->id] - 1);
    return 0;
}

/* The sinks whose keys of the table are swept. Where a route says so, it stops. */
static int truncate_mask(const struct applier *a, const struct change *chg, uint32_t *mask, struct err *e)
{
    const struct route *list;
    unsigned count = routes_list(a->opt.routes, &list);
    *mask = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!route_matches(&list[i], chg->db, chg->table) || list[i].on_truncate == ON_TRUNCATE_IGNORE)
            continue;
        if (list[i].on_truncate == ON_TRUNCATE_STOP)
            return err_set(e, TRUNCATE_STOP, chg->db, chg->table, "its rows were discarded");
        *mask |= list[i].sink_mask;
    }
    return 0;
}

/* What a record becomes: a row, or a TRUNCATE. */
struct new_item {
    const struct lane_row *row;
    const struct lane_truncate *truncate;
};

static int append(struct applier *a, unsigned lane, const struct new_item *item, uint64_t *ordinal, struct err *e)
{
    return item->row ? lanes_add(a->opt.lanes, lane, item->row, ordinal, e)
                     : lanes_truncate_lane(a->opt.lanes, lane, item->truncate, ordinal, e);
}

/* Appends the item with its boundary. 1: done, 0: the partition went away meanwhile; or an error. */
static int add_item(struct applier *a, unsigned lane, const struct new_item *item, const struct tx *tx,
                    uint64_t *ordinal, struct err *e)
{
    struct boundary at = {.commit_us = tx->commit_us};
    int64_t since_us = env_mono_us(a->opt.env);
    bool paused = false;
    lanes_begin(a->opt.lanes, tx);
    int rc = append(a, lane, item, ordinal, e);
    while (rc == LANES_FULL) {
        bool room = lanes_make_room(a->opt.lanes);
        if (!room && (rc = wait_for_room(a, since_us, &paused, e)) != 0)
            break;
        rc = offsets_owned(&a->offsets, lane) ? append(a, lane, item, ordinal, e) : 0;
    }
    while (rc == 0 && offsets_owned(&a->offsets, lane) && (rc = lanes_end(a->opt.lanes, &at)) == LANES_FULL) {
        lanes_publish(a->opt.lanes);
        rc = wait_for_room(a, since_us, &paused, e);
    }
    bool owned = offsets_owned(&a->offsets, lane);
    if (rc != 0 || !owned)
        (void)lanes_rollback(a->opt.lanes);
    if (paused)
        consumer_pause(a->consumer, false);
    return rc != 0 ? rc : owned;
}

static int bad_record(const struct applier *a, const rd_kafka_message_t *record, const struct err *why, struct err *e)
{
    if (why->code == ERR_NO_MEMORY || why->code == ERR_TRUNCATE_STOP) {
        *e = *why;
        return err_wrap(e, "topic %s, partition %d, offset %" PRId64, a->opt.bus->topic, record->partition,
                        record->offset);
    }
    return err_set(e, KAFKA_RECORD, a->opt.bus->topic, record->partition, record->offset, why->text);
}

/* Waits until the record is a dead letter for good: 0. The group is served, and nothing is passed, when the partition
 * goes meanwhile. */
static int put_aside(struct applier *a, const rd_kafka_message_t *record, const struct err *why, struct err *e)
{
    unsigned lane = (unsigned)record->partition, turn = offsets_turn(&a->offsets, lane);
    int64_t since_us = env_mono_us(a->opt.env);
    bool paused = false;
    int rc = 0, written = KAFKA_DEAD_WAITS;
    lanes_publish(a->opt.lanes);
    while (rc == 0 && written == KAFKA_DEAD_WAITS && offsets_turn(&a->offsets, lane) == turn) {
        written = dead_records_put(a->dead, record, why, DEAD_WAIT_MS, e);
        if (written < 0)
            rc = written;
        else if (written == KAFKA_DEAD_WAITS && atomic_load(&a->stopping))
            rc = err_set(e, INTERRUPTED);
        else if (written == KAFKA_DEAD_WAITS)
            rc = serve_group(a, since_us, &paused, e);
    }
    if (paused)
        consumer_pause(a->consumer, false);
    if (rc != 0 || written != KAFKA_DEAD_DURABLE)
        return rc;
    metric_add(&a->stats.dead_letters_total, 1);
    return offsets_pass(&a->offsets, lane, record->offset + 1, e);
}

/* What is wrong with this record alone becomes a dead letter where there is a topic for them. All else stops: the
 * configuration, the server's settings, or rows of other records are the matter. */
static int cannot_read(struct applier *a, const rd_kafka_message_t *record, const struct err *why, struct err *e)
{
    if (!a->dead || why->code != ERR_CORRUPT)
        return bad_record(a, record, why, e);
    return offsets_owned(&a->offsets, (unsigned)record->partition) ? put_aside(a, record, why, e) : 0;
}

/* True when the record's reader was followed by another, which had begun in the partition. */
static bool is_superseded(struct applier *a, const rd_kafka_message_t *record)
{
    rd_kafka_headers_t *headers;
    const void *value = NULL;
    size_t len = 0;
    bool first;
    if (rd_kafka_message_headers(record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, "reader", &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        readers_take(&a->readers, (unsigned)record->partition, readers_parse(value, len), record->offset, &first))
        return false;
    metric_add(&a->stats.superseded_total, 1);
    if (first)
        log_event(a->opt.env->log, LOG_WARN, "records of a reader that was followed by another are dropped",
                  LOG_STR("topic", a->opt.bus->topic), LOG_INT("partition", record->partition),
                  LOG_INT("offset", record->offset));
    return true;
}

/* A record that another program wrote: no row, or several. */
static int take_foreign(struct applier *a, const rd_kafka_message_t *record, struct err *e)
{
    const struct input_record in = {record->key, record->key_len, record->payload, record->len};
    struct applier_rows rows;
    struct err why = ERR_INIT;
    uint64_t ordinal = 0;
    unsigned lane = (unsigned)record->partition;
    if (applier_input_take(a->input, &in, record->offset, &rows, &why) != 0)
        return cannot_read(a, record, &why, e);
    rows.tx.offset = record->offset;
    if (!offsets_owned(&a->offsets, lane))
        return 0;
    if (rows.count == 0)
        return offsets_pass(&a->offsets, lane, record->offset + 1, e);
    for (unsigned i = 0; i < rows.count; i++) {
        const struct new_item item = {.row = &rows.list[i]};
        int rc = add_item(a, lane, &item, &rows.tx, &ordinal, e);
        if (rc != 1)
            return rc;
    }
    metric_add(&a->stats.rows_total, rows.count);
    metric_set(&a->stats.read_commit_us, (uint64_t)rows.tx.commit_us);
    return offsets_note(&a->offsets, lane, ordinal, record->offset + 1, written_ms(record), e);
}

/* What a reader wrote, by its headers where they are enough. */
static int read_record(struct applier *a, const rd_kafka_message_t *record, struct change *chg, struct tx *tx,
                       struct err *e)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    const struct applier_head head = {headers, record->key, record->key_len};
    int rc = a->headers && record->payload ? applier_headers_take(a->headers, &head, chg, tx, &a->arena, e) : 0;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    metric_add(&a->stats.bodies_parsed_total, 1);
    if (!record->payload)
        return err_set(e, CORRUPT, "it has no value");
    rc = json_in_change(record->payload, record->len, a->shapes, chg, tx, &a->arena, e);
    return rc == 0 && chg->op > CHANGE_TRUNCATE ? err_set(e, CORRUPT, "it is no change of a row") : rc;
}

static int take_record(struct applier *a, const rd_kafka_message_t *record, struct err *e)
{
    struct change chg;
    struct tx tx;
    struct err why = ERR_INIT;
    uint32_t mask = 0;
    uint64_t ordinal = 0;
    unsigned lane = (unsigned)record->partition;
    arena_reset(&a->arena);
    if (read_record(a, record, &chg, &tx, &why) != 0)
        return cannot_read(a, record, &why, e);
    tx.offset = record->offset;
    if (!offsets_owned(&a->offsets, lane))
        return 0;
    if (is_superseded(a, record))
        return offsets_pass(&a->offsets, lane, record->offset + 1, e);
    if (chg.op == CHANGE_TRUNCATE ? truncate_mask(a, &chg, &mask, &why) : find_mask(a, chg.shape, &mask, &why))
        return bad_record(a, record, &why, e);
    if (!mask)
        return offsets_pass(&a->offsets, lane, record->offset + 1, e);
    const struct lane_truncate truncate = {
        .db = chg.db, .table = chg.table, .sink_mask = mask, .version_row = chg.version.row, .event_pos = chg.pos};
    const struct lane_row row = {.op = chg.op,
                                 .flags = chg.flags,
                                 .sink_mask = mask,
                                 .version_row = chg.version.row,
                                 .event_pos = chg.pos,
                                 .shape = chg.shape,
                                 .key = chg.key,
                                 .key_len = chg.key_len,
                                 .before = chg.before,
                                 .after = chg.after};
    const bool is_row = chg.op != CHANGE_TRUNCATE;
    const struct new_item item = {is_row ? &row : NULL, is_row ? NULL : &truncate};
    int rc = add_item(a, lane, &item, &tx, &ordinal, e);
    if (rc != 1)
        return rc;
    metric_add(&a->stats.rows_total, is_row);
    metric_set(&a->stats.read_commit_us, (uint64_t)tx.commit_us);
    return offsets_note(&a->offsets, lane, ordinal, record->offset + 1, written_ms(record), e);
}

static int read_records(struct applier *a, struct err *e)
{
    int rc = 0;
    bool waits = false;
    while (rc == 0 && !atomic_load_explicit(&a->stopping, memory_order_relaxed)) {
        rd_kafka_message_t *message = NULL;
        rc = poll_consumer(a, waits ? POLL_MS : 0, &message, e);
        waits = rc == CONSUMER_NOTHING;
        if (rc == CONSUMER_RECORD) {
            metric_set(&a->lag.lanes[message->partition].read_ms, written_ms(message));
            rc = a->input ? take_foreign(a, message, e) : take_record(a, message, e);
            if (rc == 0)
                note_read(a, message->partition, message->offset + 1);
            rd_kafka_message_destroy(message);
        }
        if (rc == 0 && (waits || lanes_should_publish(a->opt.lanes)))
            lanes_publish(a->opt.lanes);
        commit_on_clock(a);
    }
    return rc;
}

/* ---------------------------------------------------------------- life */

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
                                        .gained = on_gained,
                                        .leaving = on_leaving,
                                        .not_committed = on_not_committed,
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
    drain(a, NULL);
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
