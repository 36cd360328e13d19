/* A row as Maxwell's JSON. A table version's cells write from the bytes that the walk of an image finds; a row that is
 * not from the log, or holds a partial document, is written from values. */
#include "change/maxwell/parts.h"
#include "value/write.h"

enum own_name { NAME_TYPE, NAME_SERVER, NAME_THREAD, NAME_SCHEMA, NAME_PUSH, NAME_KEY, NAME_KEY_COLUMNS, NAME_COUNT };

/* The record's own names that camel case changes. */
static const char *const own_names[2][NAME_COUNT] = {
    [MAXWELL_NAMES_PLAIN] = {",\"type\":", ",\"server_id\":", ",\"thread_id\":", ",\"schema_id\":", ",\"push_ts\":",
                             ",\"primary_key\":[", ",\"primary_key_columns\":"},
    [MAXWELL_NAMES_CAMELCASE] = {",\"type\":", ",\"serverId\":", ",\"threadId\":", ",\"schemaId\":", ",\"pushTs\":",
                                 ",\"primaryKey\":[", ",\"primaryKeyColumns\":"},
};

/* ---------------------------------------------------------------- a row */

/* One image: where the bytes of its columns are, or their values. */
struct view {
    const struct found *found; /* NULL: by values, or there is no image */
    const struct value *values;
};

struct row {
    struct maxwell_out out;
    const struct maxwell_bind *bind;
    const struct change *chg;
    struct view before, after;
    int64_t now_us;
};

enum state { STATE_ABSENT, STATE_NULL, STATE_THERE };

static enum state state_of(const struct view *side, unsigned i)
{
    if (side->values) {
        uint8_t kind = side->values[i].kind;
        return kind == VALUE_ABSENT || kind == VALUE_JSON_DIFF ? STATE_ABSENT
               : kind == VALUE_NULL                            ? STATE_NULL
                                                               : STATE_THERE;
    }
    if (!side->found || side->found[i].len == SIZE_MAX)
        return STATE_ABSENT;
    return side->found[i].bytes ? STATE_THERE : STATE_NULL;
}

static bool put_null(struct maxwell_out *out)
{
    return MAXWELL_PUT(out, "null");
}

/* A column's value; *null: it is shown as a NULL. */
static bool put_column(struct row *row, const struct view *side, unsigned i, bool *null)
{
    const struct maxwell_cell *cell = &row->bind->cells[i];
    struct maxwell_out *out = &row->out;
    size_t start = (size_t)(out->o - out->buf->p);
    *null = state_of(side, i) != STATE_THERE;
    if (*null)
        return put_null(out);
    bool ok = side->values ? maxwell_put_value(out, cell, &side->values[i])
                           : cell->write(out, cell, side->found[i].bytes + cell->walk, side->found[i].len - cell->walk);
    if (!ok)
        return false;
    const uint8_t *text = out->buf->p + start;
    *null = cell->may_be_null && out->o - text == 4 && text[0] == 'n';
    return true;
}

/* "name":value, with a comma behind; nothing of a NULL that is left out. */
static bool put_member(struct row *row, const struct view *side, unsigned i, struct maxwell_shown *shown)
{
    struct maxwell_out *out = &row->out;
    size_t start = (size_t)(out->o - out->buf->p);
    shown->there = true;
    if (!maxwell_put_piece(out, &row->bind->cells[i].name))
        return false;
    shown->at = (size_t)(out->o - out->buf->p);
    if (!put_column(row, side, i, &shown->null))
        return false;
    shown->len = (size_t)(out->o - out->buf->p) - shown->at;
    if (shown->null && !row->bind->opt->nulls)
        out->o = out->buf->p + start;
    else if (!MAXWELL_PUT(out, ","))
        return false;
    return true;
}

static bool close_object(struct maxwell_out *out)
{
    if (out->o[-1] == ',')
        out->o--;
    return MAXWELL_PUT(out, "}");
}

/* What `data` shows: of an update the new values, behind them those that are in the before image only. */
static const struct view *data_side(const struct row *row)
{
    return row->chg->op == CHANGE_DELETE ? &row->before : &row->after;
}

static bool put_data(struct row *row)
{
    const struct view *first = data_side(row), *second = row->chg->op == CHANGE_UPDATE ? &row->before : NULL;
    struct maxwell_shown *shown = row->bind->shown;
    if (!MAXWELL_PUT(&row->out, ",\"data\":{"))
        return false;
    for (unsigned i = 0; i < row->bind->count; i++) {
        shown[i].there = false;
        if (!row->bind->cells[i].excluded && state_of(first, i) != STATE_ABSENT &&
            !put_member(row, first, i, &shown[i]))
            return false;
    }
    for (unsigned i = 0; second && i < row->bind->count; i++) {
        struct maxwell_shown unused;
        if (!row->bind->cells[i].excluded && state_of(first, i) == STATE_ABSENT &&
            state_of(second, i) != STATE_ABSENT && !put_member(row, second, i, &unused))
            return false;
    }
    return close_object(&row->out);
}

static bool same_bytes(const struct row *row, unsigned i)
{
    if (!row->before.found || !row->after.found)
        return false;
    const struct found *a = &row->before.found[i], *b = &row->after.found[i];
    return a->len == b->len && (a->len == 0 || (a->bytes && b->bytes && memcmp(a->bytes, b->bytes, a->len) == 0));
}

/* The former value of a column unless its text is that of data. */
static bool put_old_member(struct row *row, unsigned i, bool *any)
{
    struct maxwell_out *out = &row->out;
    const struct maxwell_shown *now = &row->bind->shown[i];
    struct maxwell_shown former;
    size_t start = (size_t)(out->o - out->buf->p);
    if (!put_member(row, &row->before, i, &former))
        return false;
    const uint8_t *text = out->buf->p;
    bool same = former.null == now->null &&
                (former.null || (former.len == now->len && memcmp(text + former.at, text + now->at, now->len) == 0));
    if (same)
        out->o = out->buf->p + start;
    *any |= !same;
    return true;
}

static bool put_old(struct row *row)
{
    struct maxwell_out *out = &row->out;
    bool any = false;
    size_t start = (size_t)(out->o - out->buf->p);
    if (row->chg->op != CHANGE_UPDATE)
        return true;
    if (!MAXWELL_PUT(out, ",\"old\":{"))
        return false;
    for (unsigned i = 0; i < row->bind->count; i++)
        if (row->bind->shown[i].there && state_of(&row->before, i) != STATE_ABSENT && !same_bytes(row, i) &&
            !put_old_member(row, i, &any))
            return false;
    if (any)
        return close_object(out);
    out->o = out->buf->p + start;
    return true;
}

/* ---------------------------------------------------------------- in front of the data */

/* Where `units` UTF-16 units end in UTF-8; a character of two units stays whole. */
static size_t cut_units(const char *text, size_t len, uint64_t units)
{
    size_t i = 0;
    while (i < len) {
        uint8_t c = (uint8_t)text[i];
        size_t bytes = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, taken = bytes == 4 ? 2 : 1;
        if (taken > units || bytes > len - i)
            break;
        units -= taken;
        i += bytes;
    }
    return i;
}

static bool put_query(struct row *row)
{
    const struct row_query *query = row->chg->query;
    const struct maxwell_options *opt = row->bind->opt;
    if (!opt->row_query || !query)
        return true;
    size_t len = query->len;
    if (opt->row_query_max_length)
        len = cut_units(query->text, len, opt->row_query_max_length);
    return MAXWELL_PUT(&row->out, ",\"query\":") && maxwell_put_text(&row->out, query->text, len);
}

static bool put_type(struct row *row)
{
    static const char *const types[] = {
        [CHANGE_INSERT] = ",\"type\":\"insert\",\"ts\":",
        [CHANGE_UPDATE] = ",\"type\":\"update\",\"ts\":",
        [CHANGE_DELETE] = ",\"type\":\"delete\",\"ts\":",
        [CHANGE_READ] = ",\"type\":\"bootstrap-insert\",\"ts\":",
    };
    const char *type = types[row->chg->op];
    return maxwell_put(&row->out, type, strlen(type)) && maxwell_put_uint(&row->out, row->chg->event_time);
}

static bool put_commit(struct row *row)
{
    const struct maxwell_options *opt = row->bind->opt;
    const struct tx *tx = row->chg->tx;
    bool last = row->chg->flags & CHANGE_LAST_OF_TX;
    if (!opt->commit_info || row->chg->op == CHANGE_READ)
        return true;
    if (tx->has_xid && !(MAXWELL_PUT(&row->out, ",\"xid\":") && maxwell_put_uint(&row->out, tx->xid)))
        return false;
    if (last)
        return MAXWELL_PUT(&row->out, ",\"commit\":true");
    return !opt->xoffset ||
           (MAXWELL_PUT(&row->out, ",\"xoffset\":") && maxwell_put_uint(&row->out, row->chg->row_of_tx));
}

/* A BigDecimal of whole seconds and a double of the rest: its digits without zeros behind, at least one, and where the
 * double has an exponent at least two. */
static bool put_push_time(struct row *row)
{
    uint64_t us = (uint64_t)row->now_us % 1000000;
    uint8_t digits[8];
    unsigned count = 6;
    if (!maxwell_put_uint(&row->out, (uint64_t)row->now_us / 1000000) || !MAXWELL_PUT(&row->out, "."))
        return false;
    write_padded(digits, (uint32_t)us, count);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    while (us > 0 && us % 10 == 0)
        us /= 10;
    if (us > 0 && us < 10 && count > 3)
        digits[count++] = '0';
    return maxwell_put(&row->out, (const char *)digits, count);
}

static bool put_own(struct row *row, enum own_name name)
{
    const char *text = own_names[row->bind->opt->naming][name];
    return maxwell_put(&row->out, text, strlen(text));
}

/* The values of the key as in data. */
static bool put_key_value(struct row *row, unsigned column)
{
    bool unused;
    const struct view *side = data_side(row);
    if (state_of(side, column) == STATE_ABSENT && row->chg->op == CHANGE_UPDATE)
        side = &row->before;
    return put_column(row, side, column, &unused);
}

static bool put_primary_key(struct row *row)
{
    const struct maxwell_bind *bind = row->bind;
    const struct table *tbl = bind->tbl;
    unsigned count = tbl->pk ? tbl->pk_count : 0;
    if (bind->opt->primary_keys) {
        if (!put_own(row, NAME_KEY))
            return false;
        for (unsigned i = 0; i < count; i++)
            if ((i && !MAXWELL_PUT(&row->out, ",")) || !put_key_value(row, tbl->pk[i]))
                return false;
        if (!MAXWELL_PUT(&row->out, "]"))
            return false;
    }
    return !bind->opt->primary_key_columns ||
           (put_own(row, NAME_KEY_COLUMNS) && maxwell_put_piece(&row->out, &bind->pk_names));
}

static bool put_options(struct row *row)
{
    const struct maxwell_options *opt = row->bind->opt;
    const struct tx *tx = row->chg->tx;
    struct maxwell_out *out = &row->out;
    if (opt->binlog_position && !maxwell_put_position(out, ",\"position\":", row->chg))
        return false;
    if (opt->gtid_position && !maxwell_put_gtid(out, row->chg))
        return false;
    if (opt->server_id && !(put_own(row, NAME_SERVER) && maxwell_put_uint(out, tx->server_id)))
        return false;
    if (opt->thread_id && tx->thread_id && !(put_own(row, NAME_THREAD) && maxwell_put_uint(out, tx->thread_id)))
        return false;
    if (opt->schema_id && !(put_own(row, NAME_SCHEMA) && put_null(out)))
        return false;
    return (!opt->push_timestamp || (put_own(row, NAME_PUSH) && put_push_time(row))) && put_primary_key(row);
}

static bool put_value(struct row *row)
{
    return maxwell_put_piece(&row->out, &row->bind->head) && put_query(row) && put_type(row) && put_commit(row) &&
           put_options(row) && put_data(row) && put_old(row) && MAXWELL_PUT(&row->out, "}");
}

static bool put_key(struct row *row)
{
    const struct maxwell_bind *bind = row->bind;
    const struct table *tbl = bind->tbl;
    unsigned count = tbl->pk ? tbl->pk_count : 0;
    bool array = bind->opt->key_format == MAXWELL_KEY_ARRAY;
    if (!maxwell_put_piece(&row->out, &bind->key_head))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!maxwell_put_piece(&row->out, &bind->pk[i]) || !put_key_value(row, tbl->pk[i]))
            return false;
    if (array)
        return count ? MAXWELL_PUT(&row->out, "}]]") : MAXWELL_PUT(&row->out, "]]");
    if (count)
        return MAXWELL_PUT(&row->out, "}");
    char uuid[MAXWELL_UUID_LEN];
    maxwell_uuid(&row->chg->version, 0, uuid);
    return MAXWELL_PUT(&row->out, ",\"_uuid\":\"") && maxwell_put(&row->out, uuid, sizeof uuid) &&
           MAXWELL_PUT(&row->out, "\"}");
}

/* ---------------------------------------------------------------- images */

static bool walk(const struct row *row, const struct image *image, struct found *found, struct view *side)
{
    if (!image->bytes)
        return true;
    if (shape_walk(row->chg->shape, image->present, image->bytes, image->bytes + image->len, &row->bind->all, found) >
        image->len)
        return false;
    side->found = found;
    return true;
}

/* All values of a side; the error is as change_image_values gives it. */
static int read_side(const struct row *row, enum side which, struct view *side, struct err *e)
{
    size_t bytes = sizeof(struct value) * row->bind->count;
    if (!(which == SIDE_BEFORE ? &row->chg->before : &row->chg->after)->bytes)
        return 0;
    struct value *values = arena_alloc(row->out.arena, bytes);
    if (!values)
        return err_set(e, NO_MEMORY, bytes);
    int rc = change_image_values(row->chg, which, NULL, values, row->out.arena, e);
    if (rc == 0)
        *side = (struct view){.values = values};
    return rc;
}

static int find_sides(struct row *row, struct err *e)
{
    const struct change *chg = row->chg;
    row->before = row->after = (struct view){.found = NULL};
    if (!chg->shape->plan || chg->after.partial) {
        int rc = read_side(row, SIDE_BEFORE, &row->before, e);
        return rc == 0 ? read_side(row, SIDE_AFTER, &row->after, e) : rc;
    }
    bool ok = walk(row, &chg->before, row->bind->before, &row->before) &&
              walk(row, &chg->after, row->bind->after, &row->after);
    return ok ? 0 : -ERR_CORRUPT;
}

/* Why a row could not be written: the error that reading its values gives. */
static int why_not(struct row *row, struct err *e)
{
    struct view unused;
    if (row->out.buf->failed)
        return maxwell_no_room(row->out.buf, e);
    int rc = read_side(row, SIDE_BEFORE, &unused, e);
    if (rc == 0)
        rc = read_side(row, SIDE_AFTER, &unused, e);
    return rc != 0 ? rc : err_set(e, CORRUPT, "a value cannot be written");
}

int maxwell_row(struct arena *arena, const struct change *chg, const struct maxwell_bind *bind,
                struct record_list *records, struct err *e)
{
    struct row row = {.bind = bind, .chg = chg, .now_us = records->now_us};
    if (!maxwell_out_open(&row.out, &records->text, arena))
        return maxwell_no_room(&records->text, e);
    if (find_sides(&row, e) != 0)
        return why_not(&row, e);
    if (records->wants_keys) {
        if (!put_key(&row))
            return why_not(&row, e);
        maxwell_out_close(&row.out);
        records_key(records);
    }
    if (!put_value(&row))
        return why_not(&row, e);
    maxwell_out_close(&row.out);
    records_value(records);
    return records->text.failed ? maxwell_no_room(&records->text, e) : 0;
}
