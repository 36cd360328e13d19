/* A line of our own JSON into a change: jansson checks it and gives the small fields, the images stay text. */
#include "change/json_in.h"

#include <stdlib.h>
#include <string.h>

#include "change/json_scan.h"
#include "change/json_table.h"
#include "change/shape_parts.h"

/* What is being read, and where it goes. */
struct reader {
    const json_t *line;
    struct json_span text;
    struct arena *arena;
    struct err *e;
};

static int wrong(const struct reader *in, const char *field, const char *what)
{
    err_set(in->e, CORRUPT, what);
    err_wrap(in->e, "field %s", field);
    return -(int)ERR_CORRUPT;
}

static const char *get_text(const struct reader *in, const char *field, size_t *len)
{
    const json_t *v = json_object_get(in->line, field);
    *len = json_string_length(v);
    return json_string_value(v);
}

/* A number, or a string of digits beyond 2^53 - 1. */
static int get_integer(const struct reader *in, const char *field, int64_t *out)
{
    const json_t *v = json_object_get(in->line, field);
    if (json_is_integer(v)) {
        *out = json_integer_value(v);
        return 0;
    }
    const char *text = json_string_value(v);
    char *end = NULL;
    if (!text || !*text)
        return wrong(in, field, "missing, or not a whole number");
    *out = text[0] == '-' ? strtoll(text, &end, 10) : (int64_t)strtoull(text, &end, 10);
    return *end ? wrong(in, field, "not a whole number") : 0;
}

/* The text of a top-level member, as it stands in the line. */
static bool find_member(const struct reader *in, const char *field, struct json_span *out)
{
    struct json_scan scan;
    struct json_span name;
    if (!json_scan_open(&scan, in->text.p, in->text.len))
        return false;
    while (json_scan_next(&scan, &name, out))
        if (name.len == strlen(field) && memcmp(name.p, field, name.len) == 0)
            return true;
    return false;
}

static int read_op(const struct reader *in, struct change *chg)
{
    size_t len;
    const char *text = get_text(in, "op", &len);
    for (int op = CHANGE_INSERT; text && op <= CHANGE_TRUNCATE; op++)
        if (strcmp(text, change_op_name((enum change_op)op)) == 0) {
            chg->op = (enum change_op)op;
            return 0;
        }
    return wrong(in, "op", "missing, or not an operation");
}

/* A string, or bytes; its text in the line is `text`. */
static int get_bytes(const struct reader *in, const char *field, struct json_span text, struct value *out)
{
    char *copy = arena_copy(in->arena, text.p, text.len);
    if (!copy)
        return err_set(in->e, NO_MEMORY, text.len);
    text.p = copy;
    int rc = json_scan_value(&text, out, in->arena, in->e);
    if (rc == 0 && out->kind != VALUE_TEXT && out->kind != VALUE_BYTES)
        return wrong(in, field, "not a string");
    return rc;
}

static int read_key(const struct reader *in, struct change *chg)
{
    struct json_span text;
    struct value v;
    if (!find_member(in, "key", &text))
        return wrong(in, "key", "missing");
    int rc = get_bytes(in, "key", text, &v);
    if (rc == 0) {
        chg->key = v.s.p;
        chg->key_len = v.s.len;
    }
    return rc;
}

static int read_query(const struct reader *in, struct change *chg)
{
    struct json_span text;
    struct value v;
    if (!find_member(in, "query", &text))
        return 0;
    struct row_query *query = arena_alloc(in->arena, sizeof *query);
    if (!query)
        return err_set(in->e, NO_MEMORY, sizeof *query);
    int rc = get_bytes(in, "query", text, &v);
    if (rc != 0)
        return rc;
    int64_t whole = (int64_t)v.s.len;
    if (json_object_get(in->line, "query_bytes") && (rc = get_integer(in, "query_bytes", &whole)) != 0)
        return rc;
    if (v.s.len == 0 || whole < (int64_t)v.s.len)
        return wrong(in, "query", "empty, or longer than query_bytes");
    *query = (struct row_query){.text = v.s.p, .len = v.s.len, .whole_bytes = (uint64_t)whole};
    chg->query = query;
    return 0;
}

static int read_gtid(const struct reader *in, struct tx *tx)
{
    size_t len;
    const char *text = get_text(in, "gtid", &len);
    if (!text)
        return 0;
    if (gtid_parse(&tx->gtid, strchr(text, ':') ? FLAVOR_MYSQL : FLAVOR_MARIADB, text, len, NULL) != 0)
        return wrong(in, "gtid", "not a GTID");
    return 0;
}

static int read_place(const struct reader *in, struct change *chg, struct tx *tx)
{
    size_t len, version_len;
    int64_t pos = 0;
    int rc = get_integer(in, "ts_us", &tx->commit_us);
    if (rc == 0)
        rc = get_integer(in, "pos", &pos);
    if (rc == 0)
        rc = read_gtid(in, tx);
    if (rc != 0)
        return rc;
    chg->pos = (uint64_t)pos;
    const char *precision = get_text(in, "commit_precision", &len);
    if (!precision || (strcmp(precision, "s") != 0 && strcmp(precision, "us") != 0))
        return wrong(in, "commit_precision", "missing, or not s or us");
    tx->commit_in_us = precision[0] == 'u';
    const char *version = get_text(in, "version", &version_len);
    if (!version || version_parse(&chg->version, version, version_len, NULL) != 0)
        return wrong(in, "version", "missing or malformed");
    tx->epoch = chg->version.epoch;
    tx->sequence = chg->version.sequence;
    const char *file = get_text(in, "file", &len);
    if (!file)
        return wrong(in, "file", "missing");
    tx->file = arena_copy(in->arena, file, len);
    return tx->file ? 0 : err_set(in->e, NO_MEMORY, len);
}

static int read_half(const struct reader *in, struct change *chg)
{
    size_t len;
    const char *half = get_text(in, "half", &len);
    if (!half)
        return 0;
    if (strcmp(half, "from") != 0 && strcmp(half, "to") != 0)
        return wrong(in, "half", "not from or to");
    chg->flags = half[0] == 'f' ? CHANGE_FROM : CHANGE_TO;
    return 0;
}

static int read_image(const struct reader *in, const char *field, const struct table *tbl, struct image *out)
{
    const json_t *object = json_object_get(in->line, field);
    struct json_span text;
    if (!object)
        return 0;
    if (!json_is_object(object) || !find_member(in, field, &text))
        return wrong(in, field, "not an object");
    size_t bitmap = (tbl->column_count + 7u) / 8;
    uint8_t *present = arena_alloc(in->arena, bitmap);
    char *copy = arena_copy(in->arena, text.p, text.len);
    if (!present || !copy)
        return err_set(in->e, NO_MEMORY, bitmap + text.len);
    memset(present, 0, bitmap);
    for (unsigned i = 0; i < tbl->column_count; i++)
        if (json_object_get(object, tbl->columns[i].name))
            present[i / 8] = (uint8_t)(present[i / 8] | 1u << (i % 8));
    bool all = json_object_size(object) == tbl->column_count;
    *out = (struct image){.present = all ? NULL : present, .bytes = (const uint8_t *)copy, .len = text.len};
    return 0;
}

/* "diff_after", behind a bitmap of the columns that it names. */
static int read_diffs(const struct reader *in, const struct table *tbl, struct image *out)
{
    const json_t *object = json_object_get(in->line, "diff_after");
    struct json_span text;
    if (!object)
        return 0;
    if (!out->bytes || !json_is_object(object) || !find_member(in, "diff_after", &text))
        return wrong(in, "diff_after", "not an object beside after");
    size_t bitmap = (tbl->column_count + 7u) / 8, named = 0;
    uint8_t *partial = arena_alloc(in->arena, bitmap + text.len);
    if (!partial)
        return err_set(in->e, NO_MEMORY, bitmap + text.len);
    memset(partial, 0, bitmap);
    for (unsigned i = 0; i < tbl->column_count; i++) {
        const json_t *diffs = json_object_get(object, tbl->columns[i].name);
        bool held = !out->present || (out->present[i / 8] >> (i % 8) & 1);
        if (!diffs)
            continue;
        if (held || !json_is_array(diffs))
            return wrong(in, "diff_after", "diffs that are no list, or of a column that after holds");
        partial[i / 8] = (uint8_t)(partial[i / 8] | 1u << (i % 8));
        named++;
    }
    if (named != json_object_size(object))
        return wrong(in, "diff_after", "a column that absent_after does not name");
    memcpy(partial + bitmap, text.p, text.len);
    out->partial = partial;
    out->partial_len = bitmap + text.len;
    return 0;
}

static int take_shape(const struct reader *in, struct shape_cache *cache, const struct shape **out)
{
    struct arena *arena = malloc(sizeof *arena);
    const struct table *tbl = NULL;
    if (!arena)
        return err_set(in->e, NO_MEMORY, sizeof *arena);
    arena_init(arena, 1024, 0, 0);
    int rc = json_table(&tbl, in->line, arena, in->e);
    if (rc == 0)
        rc = shape_cache_take_codec(cache, arena, tbl, &json_codec, out, in->e);
    if (rc != 0) {
        arena_release(arena);
        free(arena);
    }
    return rc;
}

/* A TRUNCATE names its table and has no rows. */
static int read_truncate(const struct reader *in, struct change *chg)
{
    size_t db_len, table_len;
    const char *db = get_text(in, "db", &db_len), *table = get_text(in, "table", &table_len);
    if (!db || !table || strlen(db) != db_len || strlen(table) != table_len)
        return wrong(in, db ? "table" : "db", "missing, or not a name");
    if (json_object_get(in->line, "before") || json_object_get(in->line, "after"))
        return wrong(in, "op", "a truncate with a row");
    chg->db = arena_copy(in->arena, db, db_len);
    chg->table = arena_copy(in->arena, table, table_len);
    return chg->db && chg->table ? 0 : err_set(in->e, NO_MEMORY, db_len + table_len);
}

static int read_rows(const struct reader *in, struct shape_cache *cache, struct change *chg)
{
    int rc = take_shape(in, cache, &chg->shape);
    if (rc != 0)
        return rc;
    chg->db = chg->shape->tbl->db;
    chg->table = chg->shape->tbl->name;
    rc = read_image(in, "before", chg->shape->tbl, &chg->before);
    if (rc == 0)
        rc = read_image(in, "after", chg->shape->tbl, &chg->after);
    if (rc == 0)
        rc = read_diffs(in, chg->shape->tbl, &chg->after);
    if (rc != 0)
        return rc;
    bool needs_before = chg->op == CHANGE_UPDATE || chg->op == CHANGE_DELETE;
    bool needs_after = chg->op != CHANGE_DELETE;
    if (needs_before && !chg->before.bytes)
        return wrong(in, "before", "missing");
    return needs_after && !chg->after.bytes ? wrong(in, "after", "missing") : 0;
}

static int read_change(const struct reader *in, struct shape_cache *cache, struct change *chg, struct tx *tx)
{
    int rc = read_op(in, chg);
    if (rc == 0)
        rc = read_key(in, chg);
    if (rc == 0)
        rc = read_place(in, chg, tx);
    if (rc == 0)
        rc = read_half(in, chg);
    if (rc == 0)
        rc = read_query(in, chg);
    if (rc != 0)
        return rc;
    return chg->op == CHANGE_TRUNCATE ? read_truncate(in, chg) : read_rows(in, cache, chg);
}

int json_in_change(const char *line, size_t len, struct shape_cache *cache, struct change *out, struct tx *tx,
                   struct arena *arena, struct err *e)
{
    json_error_t error;
    struct tx new_tx = {.commit_us = 0};
    struct change chg = {.flags = 0};
    json_t *parsed = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    struct reader in = {parsed, {line, len}, arena, e};
    if (!parsed) {
        err_set(e, CORRUPT, error.text);
        err_wrap(e, "line is not JSON, byte %d", error.position);
        return -(int)ERR_CORRUPT;
    }
    int rc = json_is_object(parsed) ? read_change(&in, cache, &chg, &new_tx) : wrong(&in, "op", "line is no object");
    json_decref(parsed);
    if (rc != 0)
        return rc;
    *tx = new_tx;
    *out = chg;
    out->tx = tx;
    return 0;
}
