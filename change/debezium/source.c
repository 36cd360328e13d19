/* "source": where a message comes from, and the times of a message. */
#include "change/debezium/debezium.h"
#include "value/write.h"

#define VERSION "3.3.2.Final"

static const char *const connector_names[CONNECTOR_COUNT] = {
    [CONNECTOR_AUTO] = "mysql", [CONNECTOR_MYSQL] = "mysql", [CONNECTOR_MARIADB] = "mariadb"};

static bool take(struct piece *out, struct buf *text, struct arena *arena)
{
    bool ok = !text->failed && debezium_piece(out, text->p, text->len, arena);
    buf_clear(text);
    return ok;
}

static bool build(struct debezium_source *out, const struct debezium_options *opt, const char *db, const char *table,
                  struct arena *arena, struct buf *text)
{
    for (int i = CONNECTOR_AUTO; i < CONNECTOR_COUNT; i++) {
        buf_text(text, "\"source\":{\"version\":\"" VERSION "\",\"connector\":\"");
        buf_text(text, connector_names[i]);
        buf_text(text, "\",\"name\":");
        debezium_add_text(text, opt->prefix);
        buf_text(text, ",\"ts_ms\":");
        if (!take(&out->head[i], text, arena))
            return false;
    }
    buf_text(text, opt->defaults ? ",\"snapshot\":\"false\",\"db\":" : ",\"snapshot\":null,\"db\":");
    debezium_add_text(text, db);
    buf_text(text, ",\"sequence\":null,\"ts_us\":");
    if (!take(&out->middle, text, arena))
        return false;
    buf_text(text, ",\"table\":");
    debezium_add_text(text, table);
    buf_text(text, ",\"server_id\":");
    return take(&out->table, text, arena);
}

int debezium_source(struct debezium_source *out, const struct debezium_options *opt, const char *db, const char *table,
                    struct arena *arena, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    bool ok = build(out, opt, db, table, arena, &text);
    buf_release(&text);
    return ok ? 0 : err_set(e, NO_MEMORY, strlen(db));
}

int debezium_context(struct debezium *to, struct err *e)
{
    struct buf text;
    bool ok = true;
    buf_init(&text, 0);
    for (int i = CONNECTOR_AUTO; i < CONNECTOR_COUNT && ok; i++) {
        buf_text(&text, "\"__debezium.context.connectorLogicalName\":");
        debezium_add_text(&text, to->options->prefix);
        buf_text(&text, ",\"__debezium.context.taskId\":\"0\",\"__debezium.context.connectorName\":\"");
        buf_text(&text, connector_names[i]);
        buf_text(&text, "\"}");
        ok = take(&to->context[i], &text, &to->own);
    }
    buf_release(&text);
    return ok ? 0 : err_set(e, NO_MEMORY, strlen(to->options->prefix));
}

/* Every transaction of MariaDB has a GTID of its flavour. */
enum debezium_connector debezium_connector(const struct debezium *to, const struct change *chg)
{
    if (to->options->connector != CONNECTOR_AUTO)
        return (enum debezium_connector)to->options->connector;
    return chg->tx->gtid.flavor == FLAVOR_MARIADB ? CONNECTOR_MARIADB : CONNECTOR_MYSQL;
}

int64_t debezium_event_us(const struct change *chg)
{
    const struct tx *tx = chg->tx;
    if (tx->origin_us)
        return chg->op == CHANGE_STATEMENT ? tx->origin_us / 1000 * 1000 : tx->origin_us;
    return (chg->event_time ? (int64_t)chg->event_time : tx->commit_us / 1000000) * 1000000;
}

size_t debezium_pieces_len(const struct debezium_source *source, enum debezium_connector connector)
{
    return source->head[connector].len + source->middle.len + source->table.len + 3 * (size_t)PIECE_SLACK;
}

/* Printed once for all rows of a transaction. */
static const struct debezium_gtid *print_gtid(struct debezium_gtid *last, const struct gtid *gtid)
{
    if (last->len == 0 || last->of.flavor != gtid->flavor || !gtid_equal(&last->of, gtid)) {
        last->of = *gtid;
        last->len = gtid_print(gtid, last->text);
    }
    return last;
}

static uint8_t *write_gtid(uint8_t *o, struct debezium *to, const struct gtid *gtid)
{
    if (!gtid_is_set(gtid))
        return LITERAL(o, "null");
    const struct debezium_gtid *printed = print_gtid(&to->gtid, gtid);
    *o++ = '"';
    o = plan_literal(o, printed->text, printed->len);
    *o++ = '"';
    return o;
}

static uint8_t *write_place(uint8_t *o, struct debezium *to, const struct change *chg,
                            const struct debezium_place *place)
{
    const struct tx *tx = chg->tx;
    o = write_uint(o, tx->server_id);
    o = write_gtid(LITERAL(o, ",\"gtid\":"), to, &tx->gtid);
    o = debezium_write_text(LITERAL(o, ",\"file\":"), (const uint8_t *)tx->file, strlen(tx->file));
    o = write_uint(LITERAL(o, ",\"pos\":"), chg->pos);
    o = write_uint(LITERAL(o, ",\"row\":"), place->row);
    o = LITERAL(o, ",\"thread\":");
    o = place->thread ? write_uint(o, place->thread) : LITERAL(o, "null");
    o = LITERAL(o, ",\"query\":");
    if (place->query)
        o = debezium_write_text(o, (const uint8_t *)place->query->text, place->query->len);
    else
        o = LITERAL(o, "null");
    *o++ = '}';
    return o;
}

/* A time as milli-, micro- and nanoseconds: the same digits, three less, and three more, which are 0. */
struct times {
    uint8_t digits[WRITE_UINT_MAX + 4];
    size_t ms, us; /* how many */
};

static void print_times(struct times *out, int64_t us)
{
    out->us = (size_t)(write_int(out->digits, us) - out->digits);
    memcpy(out->digits + out->us, "000", 3);
    out->ms = us >= 1000 ? out->us - 3 : 0;
}

static uint8_t *write_ms(uint8_t *o, const struct times *times, int64_t us)
{
    return times->ms ? plan_literal(o, (const char *)times->digits, times->ms) : write_int(o, us / 1000);
}

static uint8_t *write_us(uint8_t *o, const struct times *times)
{
    return plan_literal(o, (const char *)times->digits, times->us);
}

static uint8_t *write_ns(uint8_t *o, const struct times *times)
{
    return plan_literal(o, (const char *)times->digits, times->us + (times->us > 1 || times->digits[0] != '0' ? 3 : 0));
}

uint8_t *debezium_write_source(uint8_t *o, struct debezium *to, const struct debezium_source *source,
                               const struct change *chg, const struct debezium_place *place)
{
    int64_t us = debezium_event_us(chg);
    struct times times;
    print_times(&times, us);
    o = write_ms(piece_copy(o, &source->head[place->connector]), &times, us);
    o = write_us(piece_copy(o, &source->middle), &times);
    o = write_ns(LITERAL(o, ",\"ts_ns\":"), &times);
    return write_place(piece_copy(o, &source->table), to, chg, place);
}

uint8_t *debezium_write_times(uint8_t *o, int64_t us)
{
    struct times times;
    print_times(&times, us);
    o = write_ms(LITERAL(o, "\"ts_ms\":"), &times, us);
    o = write_us(LITERAL(o, ",\"ts_us\":"), &times);
    return write_ns(LITERAL(o, ",\"ts_ns\":"), &times);
}
