/* Headers and record keys. */
#include "sink/kafka/headers.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "value/write.h"

#define PK_COLUMNS_MAX 64 /* MySQL and MariaDB: 16 and 32 */

void kafka_scratch_init(struct kafka_scratch *scratch)
{
    arena_init(&scratch->arena, 4096, 65536, 0);
    buf_init(&scratch->text, 0);
}

void kafka_scratch_release(struct kafka_scratch *scratch)
{
    arena_release(&scratch->arena);
    buf_release(&scratch->text);
}

static int by_number(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* {"a":1,"b":"x"}, in the order of the key; nothing where a column is not in the image. */
static int add_pk_of(const struct change *chg, enum side side, struct kafka_scratch *scratch, struct err *e)
{
    const struct table *tbl = chg->shape ? chg->shape->tbl : NULL;
    uint16_t sorted[PK_COLUMNS_MAX];
    struct value values[PK_COLUMNS_MAX];
    struct buf *out = &scratch->text;
    unsigned count = tbl ? tbl->pk_count : 0;
    if (count == 0 || count > PK_COLUMNS_MAX || !(side == SIDE_AFTER ? &chg->after : &chg->before)->bytes)
        return 0;
    memcpy(sorted, tbl->pk, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_number);
    const struct colset wanted = {sorted, count};
    arena_reset(&scratch->arena);
    int rc = change_values(chg, side, &wanted, values, &scratch->arena, e);
    for (unsigned i = 0; i < count; i++)
        if (rc != 0 || values[i].kind == VALUE_ABSENT)
            return rc;
    for (unsigned i = 0; i < count; i++) {
        const struct column *column = &tbl->columns[tbl->pk[i]];
        const uint16_t *at = bsearch(&tbl->pk[i], sorted, count, sizeof *sorted, by_number);
        buf_byte(out, i ? ',' : '{');
        value_json_string(column->name, column->name_len, out);
        buf_byte(out, ':');
        value_json(&values[at - sorted], out);
    }
    buf_byte(out, '}');
    return out->failed ? err_set(e, NO_MEMORY, out->size) : 0;
}

static int add_pk(const struct change *chg, struct kafka_scratch *scratch, struct err *e)
{
    return add_pk_of(chg, chg->after.bytes ? SIDE_AFTER : SIDE_BEFORE, scratch, e);
}

int kafka_key_primary(const struct change *chg, struct kafka_scratch *scratch, struct err *e)
{
    struct buf *out = &scratch->text;
    buf_clear(out);
    buf_text(out, "{\"table\":");
    buf_byte(out, '"');
    size_t name = out->len;
    buf_text(out, chg->db);
    buf_byte(out, '.');
    buf_text(out, chg->table);
    if (out->failed)
        return err_set(e, NO_MEMORY, out->size);
    char *copy = arena_copy(&scratch->arena, (const char *)out->p + name, out->len - name);
    if (!copy)
        return err_set(e, NO_MEMORY, out->len);
    size_t len = out->len - name;
    out->len = name - 1;
    value_json_string(copy, len, out);
    buf_text(out, ",\"pk\":");
    size_t before = out->len;
    int rc = add_pk(chg, scratch, e);
    if (rc != 0 || out->len == before) {
        buf_clear(out);
        return rc;
    }
    buf_byte(out, '}');
    return out->failed ? err_set(e, NO_MEMORY, out->size) : 0;
}

/* ---------------------------------------------------------------- headers */

struct writer {
    rd_kafka_headers_t *to;
    bool failed;
};

static void add(struct writer *w, const char *name, const void *value, size_t len)
{
    if (rd_kafka_header_add(w->to, name, -1, value, (ssize_t)len) != RD_KAFKA_RESP_ERR_NO_ERROR)
        w->failed = true;
}

static void add_text(struct writer *w, const char *name, const char *value)
{
    add(w, name, value, strlen(value));
}

/* Headers are made for every message: printf shows. */
static void put_number(struct buf *text, uint64_t number)
{
    uint8_t *p = buf_room(text, WRITE_UINT_MAX);
    if (p)
        text->len += (size_t)(write_uint(p, number) - p);
}

static void add_built(struct writer *w, const char *name, const struct buf *text)
{
    w->failed = w->failed || text->failed;
    add(w, name, text->p, text->len);
}

static void add_place(struct writer *w, const struct change *chg, struct buf *text)
{
    const struct tx *tx = chg->tx;
    char gtid[GTID_TEXT_MAX];
    if (!tx)
        return;
    buf_clear(text);
    if (tx->commit_us < 0)
        buf_byte(text, '-');
    put_number(text, tx->commit_us < 0 ? 0 - (uint64_t)tx->commit_us : (uint64_t)tx->commit_us);
    add_built(w, "commit", text);
    if (gtid_is_set(&tx->gtid))
        add(w, "gtid", gtid, gtid_print(&tx->gtid, gtid));
    buf_clear(text);
    buf_text(text, tx->file);
    buf_byte(text, ':');
    put_number(text, chg->pos);
    add_built(w, "pos", text);
}

static int finish(struct writer *w, rd_kafka_headers_t **out, const struct buf *text, int rc, struct err *e)
{
    if (rc == 0 && (w->failed || (text && text->failed)))
        rc = err_set(e, NO_MEMORY, (size_t)4096);
    if (rc == 0)
        *out = w->to;
    else
        rd_kafka_headers_destroy(w->to);
    return rc;
}

/* `pk`, and `pk_before` where the image before had another one, or lacks a column of it: {} then. */
static int add_keys(struct writer *w, const struct change *chg, struct kafka_scratch *scratch, struct err *e)
{
    struct buf *text = &scratch->text;
    buf_clear(text);
    int rc = add_pk(chg, scratch, e);
    size_t len = text->len;
    if (rc != 0 || len == 0)
        return rc;
    add(w, "pk", text->p, len);
    if (!chg->before.bytes || !chg->after.bytes)
        return 0;
    rc = add_pk_of(chg, SIDE_BEFORE, scratch, e);
    if (text->len == len)
        buf_text(text, "{}");
    if (rc == 0 && !text->failed && (text->len != 2 * len || memcmp(text->p, text->p + len, len) != 0))
        add(w, "pk_before", text->p + len, text->len - len);
    return rc;
}

int kafka_headers_own(rd_kafka_headers_t **out, const struct change *chg, struct kafka_scratch *scratch, struct err *e)
{
    struct buf *text = &scratch->text;
    struct writer w = {.to = rd_kafka_headers_new(11)};
    char version[VERSION_TEXT_LEN];
    add_text(&w, "op", change_op_name(chg->op));
    buf_clear(text);
    buf_text(text, chg->db);
    buf_byte(text, '.');
    buf_text(text, chg->table);
    add_built(&w, "table", text);
    version_print(&chg->version, version);
    add(&w, "version", version, sizeof version);
    add_text(&w, "format", "sluice");
    add_place(&w, chg, text);
    if (chg->flags & (CHANGE_FROM | CHANGE_TO))
        add_text(&w, "half", chg->flags & CHANGE_FROM ? "from" : "to");
    if (scratch->reader) {
        buf_clear(text);
        buf_printf(text, "%" PRIu64, scratch->reader);
        add(&w, "reader", text->p, text->len);
    }
    int rc = add_keys(&w, chg, scratch, e);
    return finish(&w, out, text, rc, e);
}

int kafka_headers_peer(rd_kafka_headers_t **out, const uint8_t *json, size_t len, struct err *e)
{
    json_t *root = json_loadb((const char *)json, len, 0, NULL), *value;
    const char *name;
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(e, BUG, "headers of a record are no JSON object");
    }
    struct writer w = {.to = rd_kafka_headers_new(json_object_size(root))};
    json_object_foreach(root, name, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (json_is_string(value))
            add(&w, name, json_string_value(value), json_string_length(value));
        else if (text)
            add_text(&w, name, text);
        w.failed |= !text && !json_is_string(value);
        free(text);
    }
    json_decref(root);
    return finish(&w, out, NULL, 0, e);
}
