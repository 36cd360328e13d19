/* Records become items, or dead letters. */
#include "pipeline/applier_private.h"

#include "change/json_in.h"

#define DEAD_WAIT_MS 200 /* for a dead letter, between two looks at the group */
#define SHAPE_MASKS  64

/* ---------------------------------------------------------------- the sinks of a table */

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

/* ---------------------------------------------------------------- what cannot be read */

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
            rc = applier_serve_group(a, since_us, &paused, e);
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

/* ---------------------------------------------------------------- what can */

uint64_t applier_written_ms(const rd_kafka_message_t *record)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(record, &type);
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 ? 0 : (uint64_t)ms;
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
int applier_take_foreign(struct applier *a, const rd_kafka_message_t *record, struct err *e)
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
        const struct applier_item item = {.row = &rows.list[i]};
        int rc = applier_add(a, lane, &item, &rows.tx, &ordinal, e);
        if (rc != 1)
            return rc;
    }
    metric_add(&a->stats.rows_total, rows.count);
    metric_set(&a->stats.read_commit_us, (uint64_t)rows.tx.commit_us);
    return offsets_note(&a->offsets, lane, ordinal, record->offset + 1, applier_written_ms(record), e);
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

int applier_take(struct applier *a, const rd_kafka_message_t *record, struct err *e)
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
    const struct applier_item item = {is_row ? &row : NULL, is_row ? NULL : &truncate};
    int rc = applier_add(a, lane, &item, &tx, &ordinal, e);
    if (rc != 1)
        return rc;
    metric_add(&a->stats.rows_total, is_row);
    metric_set(&a->stats.read_commit_us, (uint64_t)tx.commit_us);
    return offsets_note(&a->offsets, lane, ordinal, record->offset + 1, applier_written_ms(record), e);
}
