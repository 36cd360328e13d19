/* sluice's own JSON, written from values: the reference that the prepared writer (format_row.c) must equal. */
#include "change/format_sluice.h"

#include <stdlib.h>

#include "change/format_row.h"
#include "change/plan.h"
#include "value/write.h"

static void member(struct buf *out, const char *name)
{
    buf_byte(out, ',');
    buf_byte(out, '"');
    buf_text(out, name);
    buf_add(out, "\":", 2);
}

static void text_member(struct buf *out, const char *name, const char *p, size_t len)
{
    member(out, name);
    if (value_is_utf8(p, len))
        value_json_string(p, len, out);
    else
        value_json_base64(p, len, out);
}

static void uint_member(struct buf *out, const char *name, uint64_t v)
{
    uint8_t *o = NULL;
    member(out, name);
    o = buf_room(out, WRITE_UINT_MAX + 2);
    if (o)
        out->len += (size_t)(write_json_uint(o, v) - o);
}

static void int_member(struct buf *out, const char *name, int64_t v)
{
    uint8_t *o = NULL;
    member(out, name);
    o = buf_room(out, WRITE_UINT_MAX + 3);
    if (o)
        out->len += (size_t)(write_json_int(o, v) - o);
}

/* Of a partial update whose document no image has there are the diffs alone, in "diff_after". */
static bool is_absent(const struct value *v)
{
    return v->kind == VALUE_ABSENT || v->kind == VALUE_JSON_DIFF;
}

struct writer {
    struct buf *out;
    const struct format_options *options;
};

static void one_value(struct writer *to, const struct value *v)
{
    if (!to->options->geojson || !value_geojson(v, to->out))
        value_json(v, to->out);
}

/* {"a":1,"b":"x"}: the columns that are not absent. */
static void object(struct writer *to, const struct table *tbl, const struct value *values)
{
    struct buf *out = to->out;
    bool first = true;
    buf_byte(out, '{');
    for (unsigned i = 0; i < tbl->column_count; i++) {
        if (is_absent(&values[i]))
            continue;
        if (!first)
            buf_byte(out, ',');
        first = false;
        value_json_string(tbl->columns[i].name, tbl->columns[i].name_len, out);
        buf_byte(out, ':');
        one_value(to, &values[i]);
    }
    buf_byte(out, '}');
}

static void absent_member(struct buf *out, const char *name, const struct table *tbl, const struct value *values)
{
    bool first = true;
    for (unsigned i = 0; i < tbl->column_count; i++) {
        if (!is_absent(&values[i]))
            continue;
        if (first) {
            member(out, name);
            buf_byte(out, '[');
        } else {
            buf_byte(out, ',');
        }
        first = false;
        value_json_string(tbl->columns[i].name, tbl->columns[i].name_len, out);
    }
    if (!first)
        buf_byte(out, ']');
}

/* ,"diff_after":{"doc":[…]} */
static void diff_member(struct buf *out, const struct table *tbl, const struct value *values)
{
    bool first = true;
    for (unsigned i = 0; i < tbl->column_count; i++) {
        if (values[i].kind != VALUE_JSON_DIFF)
            continue;
        if (first)
            member(out, "diff_after");
        buf_byte(out, first ? '{' : ',');
        first = false;
        value_json_string(tbl->columns[i].name, tbl->columns[i].name_len, out);
        buf_byte(out, ':');
        value_json(&values[i], out);
    }
    if (!first)
        buf_byte(out, '}');
}

/* The primary key's column: an update's unchanged one may be in the before image only. */
static const struct value *pk_value(const struct change *chg, unsigned column, const struct value *before,
                                    const struct value *after)
{
    if (!after)
        return &before[column];
    if (is_absent(&after[column]) && chg->op == CHANGE_UPDATE && before)
        return &before[column];
    return &after[column];
}

static void pk_member(struct writer *to, const struct change *chg, const struct value *before,
                      const struct value *after)
{
    struct buf *out = to->out;
    const struct table *tbl = chg->shape->tbl;
    if (!tbl->pk || tbl->pk_count == 0)
        return;
    for (unsigned i = 0; i < tbl->pk_count; i++)
        if (is_absent(pk_value(chg, tbl->pk[i], before, after)))
            return;
    member(out, "pk");
    buf_byte(out, '{');
    for (unsigned i = 0; i < tbl->pk_count; i++) {
        const struct column *column = &tbl->columns[tbl->pk[i]];
        if (i)
            buf_byte(out, ',');
        value_json_string(column->name, column->name_len, out);
        buf_byte(out, ':');
        one_value(to, pk_value(chg, tbl->pk[i], before, after));
    }
    buf_byte(out, '}');
}

/* All columns of one image; *values NULL when there is no such image. */
static int image_values(const struct change *chg, enum side side, const struct colset *only, struct value **values,
                        struct arena *arena, struct err *e)
{
    if (!(side == SIDE_BEFORE ? &chg->before : &chg->after)->bytes)
        return 0;
    unsigned count = chg->shape->tbl->column_count;
    size_t bytes = sizeof **values * count;
    struct value *v = arena_alloc(arena, bytes);
    if (!v)
        return err_set(e, NO_MEMORY, bytes);
    *values = v;
    int rc = change_image_values(chg, side, only, v, arena, e);
    if (rc != 0 || !only)
        return rc;
    for (unsigned i = count, left = only->count; i-- > 0;) {
        bool is_wanted = left > 0 && only->index[left - 1] == i;
        v[i] = is_wanted ? v[--left] : (struct value){.kind = VALUE_ABSENT};
    }
    return 0;
}

static void row_members(struct writer *to, const struct change *chg, const struct value *before,
                        const struct value *after)
{
    struct buf *out = to->out;
    const struct table *tbl = chg->shape->tbl;
    if (before || after)
        pk_member(to, chg, before, after);
    if (before) {
        member(out, "before");
        object(to, tbl, before);
    }
    if (after) {
        member(out, "after");
        object(to, tbl, after);
    }
    if (before)
        absent_member(out, "absent_before", tbl, before);
    if (after) {
        absent_member(out, "absent_after", tbl, after);
        diff_member(out, tbl, after);
    }
}

static void place_members(struct buf *out, const struct change *chg)
{
    const struct tx *tx = chg->tx;
    char text[GTID_TEXT_MAX], version[VERSION_TEXT_LEN];
    int_member(out, "ts_us", tx->commit_us);
    buf_text(out, tx->commit_in_us ? ",\"commit_precision\":\"us\"" : ",\"commit_precision\":\"s\"");
    if (gtid_is_set(&tx->gtid))
        text_member(out, "gtid", text, gtid_print(&tx->gtid, text));
    text_member(out, "file", tx->file, strlen(tx->file));
    uint_member(out, "pos", chg->pos);
    version_print(&chg->version, version);
    text_member(out, "version", version, sizeof version);
    if (chg->flags & (CHANGE_FROM | CHANGE_TO))
        buf_text(out, chg->flags & CHANGE_FROM ? ",\"half\":\"from\"" : ",\"half\":\"to\"");
    if (!chg->query)
        return;
    text_member(out, "query", chg->query->text, chg->query->len);
    if (chg->query->whole_bytes > chg->query->len)
        uint_member(out, "query_bytes", chg->query->whole_bytes);
}

int format_values(const struct change *chg, const struct format_options *options, struct buf *out, struct arena *arena,
                  struct err *e)
{
    struct writer to = {out, options};
    struct value *before = NULL, *after = NULL;
    size_t start = out->len;
    int rc = image_values(chg, SIDE_BEFORE, options->only, &before, arena, e);
    if (rc == 0)
        rc = image_values(chg, SIDE_AFTER, options->only, &after, arena, e);
    if (rc != 0) {
        err_wrap(e, "%s.%s", chg->db, chg->table);
        return rc;
    }
    buf_text(out, "{\"op\":\"");
    buf_text(out, change_op_name(chg->op));
    buf_byte(out, '"');
    text_member(out, "db", chg->db, strlen(chg->db));
    text_member(out, "table", chg->table, strlen(chg->table));
    text_member(out, "key", chg->key, chg->key_len);
    if (chg->shape)
        row_members(&to, chg, before, after);
    place_members(out, chg);
    if (options->only)
        buf_text(out, ",\"oversize\":\"keys_only\"");
    buf_add(out, "}\n", 2);
    if (!out->failed)
        return 0;
    out->failed = false;
    out->len = start;
    return out->cap ? err_set(e, LIMIT, "a rendered change", out->cap + 1, out->cap) : err_set(e, NO_MEMORY, out->size);
}

int format_sluice_as(const struct change *chg, const struct format_options *options, struct buf *out,
                     struct arena *arena, struct err *e)
{
    bool same = !options->geojson || !chg->shape || !chg->shape->plan || !chg->shape->plan->has_geometry;
    bool prepared = same && !options->only;
    return prepared && format_row(chg, out) ? 0 : format_values(chg, options, out, arena, e);
}

int format_sluice(const struct change *chg, struct buf *out, struct arena *arena, struct err *e)
{
    static const struct format_options own = {.geojson = false};
    return format_sluice_as(chg, &own, out, arena, e);
}

/* ---------------------------------------------------------------- as a format among others */

enum geometry_form { GEOMETRY_WKB, GEOMETRY_GEOJSON };

struct sluice_options {
    int geometry;
};

static const struct option_name geometry_names[] = {{"wkb", GEOMETRY_WKB}, {"geojson", GEOMETRY_GEOJSON}, {NULL, 0}};

static const struct option sluice_options[] = {
    {.name = "geometry",
     .type = OPTION_ENUM,
     .offset = offsetof(struct sluice_options, geometry),
     .text = "wkb",
     .names = geometry_names,
     .help = "GEOMETRY as well-known binary in base64 beside its SRID, or as a GeoJSON object."},
    {.name = NULL},
};

struct sluice_format {
    struct format base;
    struct format_options options;
    struct arena arena;
};

#define ARENA_KEPT ((size_t)256 * 1024)

static int sluice_open(struct format **out, const void *opt, struct err *e)
{
    const struct sluice_options *options = opt;
    struct sluice_format *own = calloc(1, sizeof *own);
    if (!own)
        return err_set(e, NO_MEMORY, sizeof *own);
    own->base.ops = &format_sluice_ops;
    own->options.geojson = options->geometry == GEOMETRY_GEOJSON;
    arena_init(&own->arena, 0, ARENA_KEPT, 0);
    *out = &own->base;
    return 0;
}

static void sluice_close(struct format *format)
{
    struct sluice_format *own = (struct sluice_format *)format;
    if (!own)
        return;
    arena_release(&own->arena);
    free(own);
}

static int sluice_add(struct format *format, const struct change *chg, const void *bind, size_t item,
                      struct record_list *out, struct err *e)
{
    struct sluice_format *own = (struct sluice_format *)format;
    (void)bind;
    if (!records_begin(out, RECORD_ROW, item))
        return err_set(e, NO_MEMORY, out->size * sizeof *out->list);
    int rc = format_sluice_as(chg, &own->options, &out->text, &own->arena, e);
    arena_reset(&own->arena);
    if (rc != 0) {
        records_drop(out);
        return rc;
    }
    out->text.len--; /* its line end */
    records_value(out);
    return 0;
}

const struct format_ops format_sluice_ops = {
    .name = "sluice",
    .help = "sluice's own JSON, one object for each row.",
    .options_size = sizeof(struct sluice_options),
    .options = sluice_options,
    .open = sluice_open,
    .close = sluice_close,
    .add = sluice_add,
};
