/* Records that are too large. */
#include "sink/kafka/oversize.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "change/format_sluice.h"
#include "sink/kafka/dead_letters.h"
#include "sink/kafka/kept_topic.h"

#define BATCH_BYTES  61 /* the head of a batch */
#define RECORD_BYTES 36 /* lengths, attributes and deltas of a record */
#define HEADER_BYTES 10 /* the two lengths of a header */
#define LOG_EVERY_US 10000000

int kafka_oversize_open(struct kafka_oversize *oversize, struct kafka_producer *producer, const char *sink,
                        unsigned lanes, struct err *e)
{
    const struct kafka_options *opt = producer->link.opt;
    *oversize = (struct kafka_oversize){.producer = producer, .sink = sink, .told_us = -LOG_EVERY_US};
    buf_init(&oversize->body, 0);
    kafka_scratch_init(&oversize->scratch);
    if (opt->oversize != KAFKA_OVERSIZE_DEAD_LETTER)
        return 0;
    const struct kafka_kept_topic dead = {opt->dead_letter_topic, "dead_letter_topic", lanes};
    int rc = kafka_kept_topic(producer, &dead, &oversize->dead_partitions, e);
    if (rc == 0)
        rc = kafka_topic_limit(producer, opt->dead_letter_topic, &oversize->dead_limit, e);
    if (rc == 0 && !(oversize->dead = rd_kafka_topic_new(producer->link.handle, opt->dead_letter_topic, NULL)))
        rc = kafka_refused(&producer->link, rd_kafka_last_error(), opt->dead_letter_topic, e);
    return rc;
}

void kafka_oversize_release(struct kafka_oversize *oversize)
{
    if (!oversize->producer)
        return;
    if (oversize->dead)
        rd_kafka_topic_destroy(oversize->dead);
    oversize->dead = NULL;
    buf_release(&oversize->body);
    kafka_scratch_release(&oversize->scratch);
}

size_t kafka_message_bytes(const struct kafka_message *message)
{
    size_t bytes = BATCH_BYTES + RECORD_BYTES + message->key_len + message->value_len;
    const char *name;
    const void *value;
    size_t len;
    for (size_t i = 0; message->headers &&
                       rd_kafka_header_get_all(message->headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        bytes += HEADER_BYTES + strlen(name) + len;
    return bytes;
}

/* ---------------------------------------------------------------- the columns that are read */

/* A set of columns of one table; wanted by number. */
struct wanted {
    const struct table *tbl;
    uint8_t *columns; /* 1: wanted */
};

static void want(struct wanted *wanted, const char *name)
{
    int column = table_find_column(wanted->tbl, name, strlen(name));
    if (column >= 0)
        wanted->columns[column] = 1;
}

/* Those of the primary key, of the routes' keys, and what their sinks read; false when one reads the whole row. */
static bool want_of_routes(struct wanted *wanted, const struct kafka_options *opt, const struct change *chg)
{
    for (unsigned i = 0; i < wanted->tbl->pk_count; i++)
        wanted->columns[wanted->tbl->pk[i]] = 1;
    for (unsigned i = 0; i < opt->route_count; i++) {
        const struct route *route = &opt->routes[i];
        if (!(route->sink_mask >> opt->sink & 1) || !route_matches(route, chg->db, chg->table))
            continue;
        for (unsigned k = 0; route->key && k < route->key_count; k++)
            want(wanted, route->key[k]);
        if (opt->reads && opt->reads[i].whole)
            return false;
        for (unsigned n = 0; opt->reads && n < opt->reads[i].count; n++)
            want(wanted, opt->reads[i].columns[n]);
    }
    return true;
}

static int too_large(const struct kafka_message *message, const char *why, struct err *e)
{
    return err_set(e, KAFKA_TOO_LARGE, rd_kafka_topic_name(message->topic), kafka_message_bytes(message), why);
}

/* The value again, in sluice's own JSON, with the columns that are read; all others count as absent. */
static int without_columns(struct kafka_oversize *oversize, struct kafka_message *message, const struct item *item,
                           struct err *e)
{
    const struct change *chg = item->chg;
    const struct format_choice *choice = formatted_choice(item->bind);
    struct arena *arena = &oversize->scratch.arena;
    arena_reset(arena);
    if (choice->ops != &format_sluice_ops || !chg->shape)
        return too_large(message, "its format cannot leave out columns", e);
    const struct table *tbl = chg->shape->tbl;
    struct wanted wanted = {tbl, arena_alloc(arena, tbl->column_count + 1u)};
    uint16_t *ids = arena_alloc(arena, sizeof *ids * (tbl->column_count + 1u));
    if (!wanted.columns || !ids)
        return err_set(e, NO_MEMORY, (size_t)tbl->column_count);
    memset(wanted.columns, 0, tbl->column_count);
    if (!want_of_routes(&wanted, oversize->producer->link.opt, chg) && !oversize->dead)
        return too_large(message, "a sink of the table's routes reads whole rows", e);
    struct colset only = {ids, 0};
    for (unsigned i = 0; i < tbl->column_count; i++)
        if (wanted.columns[i])
            ids[only.count++] = (uint16_t)i;
    const struct format_options form = {.only = &only};
    buf_clear(&oversize->body);
    int rc = format_sluice_as(chg, &form, &oversize->body, arena, e);
    if (rc != 0)
        return rc;
    message->value = oversize->body.p;
    message->value_len = oversize->body.len - 1; /* without its line end */
    message->is_copied = true;
    bool named = rd_kafka_header_add(message->headers, "oversize", -1, "keys_only", -1) == RD_KAFKA_RESP_ERR_NO_ERROR;
    return named ? 0 : err_set(e, NO_MEMORY, (size_t)64);
}

/* ---------------------------------------------------------------- dead letters */

static int to_dead_letters(struct kafka_oversize *oversize, struct kafka_message *message, const struct item *item,
                           struct err *e)
{
    struct err why = ERR_INIT;
    (void)too_large(message, "more than its max.message.bytes", &why);
    const struct kafka_dead_origin origin = {.reason = why.code,
                                             .text = why.text,
                                             .topic = rd_kafka_topic_name(message->topic),
                                             .partition = message->partition,
                                             .offset = -1,
                                             .sink = oversize->sink};
    if (!message->headers && !(message->headers = rd_kafka_headers_new(8)))
        return err_set(e, NO_MEMORY, (size_t)64);
    int rc = kafka_dead_headers(message->headers, &origin, e);
    message->topic = oversize->dead;
    message->partition %= oversize->dead_partitions;
    message->is_copied = true;
    if (rc == 0 && kafka_message_bytes(message) > oversize->dead_limit)
        rc = without_columns(oversize, message, item, e);
    if (rc == 0 && kafka_message_bytes(message) > oversize->dead_limit)
        rc = too_large(message, "more than its max.message.bytes", e);
    return rc;
}

static void tell(struct kafka_oversize *oversize, const struct item *item, size_t bytes, size_t limit)
{
    const struct env *env = oversize->producer->env;
    int64_t now_us = env_mono_us(env);
    if (now_us - oversize->told_us < LOG_EVERY_US)
        return;
    oversize->told_us = now_us;
    log_event(env->log, LOG_WARN,
              oversize->dead ? "a record is too large for its topic: a dead letter"
                             : "a record is too large for its topic: written without the columns that nobody reads",
              LOG_STR("sink", oversize->sink), LOG_STR("db", item->chg->db), LOG_STR("table", item->chg->table),
              LOG_INT("bytes", (int64_t)bytes), LOG_INT("limit", (int64_t)limit));
}

int kafka_oversize_fit(struct kafka_oversize *oversize, struct kafka_message *message, const struct item *item,
                       size_t limit, struct err *e)
{
    size_t bytes = kafka_message_bytes(message);
    if (bytes <= limit)
        return 0;
    int rc = oversize->dead ? to_dead_letters(oversize, message, item, e) : without_columns(oversize, message, item, e);
    if (rc == 0 && !oversize->dead && kafka_message_bytes(message) > limit)
        rc = too_large(message, "its keys alone are more than max.message.bytes", e);
    if (rc != 0)
        return rc;
    tell(oversize, item, bytes, limit);
    return 1;
}
