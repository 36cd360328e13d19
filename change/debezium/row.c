/* Rows as Debezium's messages: images, keys, and what an update of the key becomes. */
#include <stdlib.h>

#include "change/debezium/debezium.h"
#include "change/statement.h"
#include "value/json_styles.h"
#include "value/write.h"

/* A row that is being written. */
struct row {
    struct debezium *to;
    const struct debezium_bind *b;
    const struct change *chg;
    struct found *found[2]; /* NULL: there is no such image */
    size_t room[2];
    enum debezium_connector connector;
};

static int make_room(struct debezium *to, unsigned columns, struct err *e)
{
    if (columns <= to->columns)
        return 0;
    struct found *grown = realloc(to->found, 2 * columns * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, 2 * columns * sizeof *grown);
    to->found = grown;
    to->columns = columns;
    return 0;
}

static int in_column(const struct change *chg, unsigned i, int rc, struct err *e)
{
    err_wrap(e, "column %u (%s)", i + 1, chg->shape->tbl->columns[i].name);
    return rc;
}

/* The server's text of a document without the blanks between its parts. */
static size_t take_blanks(char *text, size_t len)
{
    bool quoted = false;
    char *to = text;
    for (size_t i = 0; i < len; i++) {
        if (!quoted && text[i] == ' ')
            continue;
        if (quoted && text[i] == '\\' && i + 1 < len)
            *to++ = text[i++];
        else if (text[i] == '"')
            quoted = !quoted;
        *to++ = text[i];
    }
    return (size_t)(to - text);
}

/* The document that a partial update makes; one whose base no image has is absent. */
static int apply_diffs(struct row *r, unsigned i, struct found *f, struct err *e)
{
    uint16_t index = (uint16_t)i;
    struct value v;
    int rc = change_image_values(r->chg, SIDE_AFTER, &(struct colset){&index, 1}, &v, &r->to->arena, e);
    if (rc != 0)
        return rc;
    *f = (struct found){.len = SIZE_MAX};
    if (v.kind != VALUE_JSON)
        return 0;
    char *text = arena_copy(&r->to->arena, v.s.p, v.s.len);
    if (!text)
        return err_set(e, NO_MEMORY, v.s.len);
    *f = (struct found){.bytes = (const uint8_t *)text, .len = take_blanks(text, v.s.len)};
    return 0;
}

static int make_document(struct row *r, unsigned i, struct found *f, struct err *e)
{
    unsigned skip = r->b->cells[i].walk;
    const uint8_t *doc = f->bytes + skip;
    if (f->len == skip) {
        *f = (struct found){.bytes = (const uint8_t *)"{}", .len = 2};
        return 0;
    }
    size_t len = jsonb_styled_len(&jsonb_style_connector, doc, f->len - skip);
    uint8_t *text = len == SIZE_MAX ? NULL : arena_alloc(&r->to->arena, len);
    if (len != SIZE_MAX && !text)
        return err_set(e, NO_MEMORY, len);
    if (!text || !jsonb_write_styled(&jsonb_style_connector, text, doc, f->len - skip))
        return in_column(r->chg, i, err_set(e, CORRUPT, "JSON: not a document"), e);
    *f = (struct found){.bytes = text, .len = len};
    return 0;
}

static int read_value(struct row *r, unsigned i, struct found *f, struct err *e)
{
    struct value v;
    int rc = value_read(&r->chg->shape->tbl->columns[i].type, f->bytes, f->len, &v, &r->to->arena, e);
    if (rc != 0)
        return in_column(r->chg, i, rc, e);
    *f = (struct found){.bytes = (const uint8_t *)(v.s.p ? v.s.p : ""), .len = v.s.len};
    return 0;
}

/* Puts what a cell writes in place of the stored bytes. */
static int prepare(struct row *r, enum side side, unsigned i, struct found *f, struct err *e)
{
    if (r->b->cells[i].need == NEED_VALUE)
        return read_value(r, i, f, e);
    if (side == SIDE_AFTER && r->chg->after.partial && shape_is_partial(r->chg->shape, &r->chg->after, i))
        return apply_diffs(r, i, f, e);
    return make_document(r, i, f, e);
}

/* The bytes of all columns of one image, and the room that they take. */
static int take_image(struct row *r, enum side side, struct err *e)
{
    const struct image *image = side == SIDE_BEFORE ? &r->chg->before : &r->chg->after;
    const struct debezium_bind *b = r->b;
    struct found *found = r->to->found + (side == SIDE_AFTER ? r->to->columns : 0);
    size_t room = b->max;
    if (!image->bytes)
        return 0;
    if (shape_walk(r->chg->shape, image->present, image->bytes, image->bytes + image->len, &b->all, found) > image->len)
        return err_set(e, CORRUPT, "row image ends inside a value");
    for (unsigned i = 0; i < b->all.count; i++) {
        if (found[i].len == SIZE_MAX && side == SIDE_AFTER && r->found[SIDE_BEFORE])
            found[i] = r->found[SIDE_BEFORE][i];
        else if (found[i].bytes && b->cells[i].need) {
            int rc = prepare(r, side, i, &found[i], e);
            if (rc != 0)
                return rc;
        }
        if (found[i].bytes)
            room += b->cells[i].each * found[i].len;
    }
    r->found[side] = found;
    r->room[side] = room;
    return 0;
}

static inline uint8_t *write_cell(uint8_t *o, const struct debezium_cell *cell, const struct found *f)
{
    if (f->bytes)
        return cell->write(o, cell, f->bytes, f->len);
    if (f->len == 0)
        return piece_copy(o, &cell->null);
    memcpy(o, "null", 4);
    return o + 4;
}

/* {"a":1,"b":null}; NULL with to->bad set when a column's bytes are out of range. */
static uint8_t *write_image(uint8_t *o, const struct row *r, enum side side)
{
    const struct found *found = r->found[side];
    uint8_t *start = o++;
    for (unsigned i = 0; i < r->b->all.count; i++) {
        o = write_cell(piece_copy(o, &r->b->cells[i].name), &r->b->cells[i], &found[i]);
        if (!o) {
            r->to->bad = i;
            return NULL;
        }
        *o++ = ',';
    }
    *start = '{';
    o -= o - start > 1;
    *o++ = '}';
    return o;
}

/* Why a column could not be written: value_read tells. */
static int refused(const struct row *r, enum side side, struct err *e)
{
    unsigned i = r->to->bad;
    const struct found *f = &r->found[side][i];
    struct value v;
    int rc = value_read(&r->chg->shape->tbl->columns[i].type, f->bytes, f->len, &v, &r->to->arena, e);
    return in_column(r->chg, i, rc != 0 ? rc : err_set(e, CORRUPT, "a value is out of its type's range"), e);
}

/* ---------------------------------------------------------------- keys */

static int write_key(struct row *r, enum side side, struct err *e)
{
    struct buf *key = &r->to->keys[side];
    buf_clear(key);
    for (unsigned i = 0; i < r->b->key_count; i++) {
        unsigned column = r->b->key[i];
        const struct debezium_cell *cell = &r->b->cells[column];
        const struct found *f = &r->found[side][column];
        if (f->len == SIZE_MAX)
            return err_set(e, ROW_IMAGE, r->chg->shape->tbl->columns[column].name,
                           side == SIDE_BEFORE ? "before" : "after");
        uint8_t *o = buf_room(key, cell->max + 2 + (f->bytes ? cell->each * f->len : 0)), *start = o;
        if (!o)
            return err_set(e, NO_MEMORY, key->size);
        *o++ = i ? ',' : '{';
        o = write_cell(piece_copy(o, &cell->name), cell, f);
        if (!o) {
            r->to->bad = column;
            return refused(r, side, e);
        }
        key->len += (size_t)(o - start);
    }
    buf_byte(key, '}');
    return key->failed ? err_set(e, NO_MEMORY, key->size) : 0;
}

static bool same_bytes(const struct row *r)
{
    for (unsigned i = 0; i < r->b->key_count; i++) {
        const struct found *before = &r->found[SIDE_BEFORE][r->b->key[i]];
        const struct found *after = &r->found[SIDE_AFTER][r->b->key[i]];
        if (!before->bytes || !after->bytes || before->len != after->len ||
            (before->bytes != after->bytes && memcmp(before->bytes, after->bytes, before->len) != 0))
            return false;
    }
    return true;
}

/* Whether an update moves the row to another record key; keys are compared as they are written. */
static int is_moved(struct row *r, bool *moved, struct err *e)
{
    const struct buf *keys = r->to->keys;
    *moved = false;
    if (r->b->key_count == 0 || same_bytes(r))
        return 0;
    int rc = write_key(r, SIDE_BEFORE, e);
    if (rc == 0)
        rc = write_key(r, SIDE_AFTER, e);
    *moved = rc == 0 && (keys[0].len != keys[1].len || memcmp(keys[0].p, keys[1].p, keys[0].len) != 0);
    return rc;
}

/* ---------------------------------------------------------------- messages */

/* A record of a row: of `op` with its images and the key of one of them; the other key is told in its headers when the
 * row moved. */
struct message {
    char op; /* 0: a tombstone */
    bool before, after;
    enum side key;
    bool moved;
};

static int write_front(const struct row *r, const struct message *msg, struct record_list *out, struct err *e)
{
    struct buf *text = &out->text;
    if (!out->wants_keys)
        return 0;
    if (r->b && r->b->key_count && msg->op != 't') {
        if (!msg->moved) {
            int rc = write_key((struct row *)r, msg->key, e);
            if (rc != 0)
                return rc;
        }
        buf_add(text, r->to->keys[msg->key].p, r->to->keys[msg->key].len);
        records_key(out);
    }
    buf_byte(text, '{');
    if (msg->moved) {
        const struct buf *other = &r->to->keys[msg->key == SIDE_BEFORE ? SIDE_AFTER : SIDE_BEFORE];
        buf_text(text, msg->key == SIDE_BEFORE ? "\"__debezium.newkey\":" : "\"__debezium.oldkey\":");
        buf_add(text, other->p, other->len);
        buf_byte(text, ',');
    }
    buf_add(text, r->to->context[r->connector].p, r->to->context[r->connector].len);
    records_headers(out);
    return 0;
}

static uint8_t *write_transaction(uint8_t *o, const struct debezium *to, const struct debezium_table *table)
{
    o = LITERAL(o, ",\"transaction\":");
    if (!table)
        return LITERAL(o, "null");
    o = plan_literal(LITERAL(o, "{\"id\":"), (const char *)to->tx.id.p, to->tx.id.len);
    o = write_uint(LITERAL(o, ",\"total_order\":"), to->tx.rows);
    o = write_uint(LITERAL(o, ",\"data_collection_order\":"), table->rows);
    *o++ = '}';
    return o;
}

/* The images, and what stands between and in front of them; *bad the one that could not be written. */
static uint8_t *write_images(uint8_t *o, const struct row *r, const struct message *msg, enum side *bad)
{
    o = LITERAL(o, "{\"before\":");
    *bad = SIDE_BEFORE;
    o = msg->before ? write_image(o, r, SIDE_BEFORE) : LITERAL(o, "null");
    if (!o)
        return NULL;
    o = LITERAL(o, ",\"after\":");
    *bad = SIDE_AFTER;
    o = msg->after ? write_image(o, r, SIDE_AFTER) : LITERAL(o, "null");
    if (o)
        *o++ = ',';
    return o;
}

/* What stands in front of a row's own: query and thread where they are to be told. */
static struct debezium_place place_of(const struct row *r)
{
    struct debezium_place place = {.connector = r->connector, .row = change_row_of_event(r->chg)};
    if (r->chg->op == CHANGE_STATEMENT)
        return place;
    place.thread = r->connector == CONNECTOR_MARIADB ? 0 : r->chg->tx->thread_id;
    place.query = r->to->options->query ? r->chg->query : NULL;
    return place;
}

static int write_value(const struct row *r, const struct debezium_source *source, const struct message *msg,
                       struct record_list *out, struct err *e)
{
    const struct debezium_table *table = NULL;
    struct debezium_place place = place_of(r);
    enum side bad;
    int rc = msg->op == 't' ? 0 : debezium_count(r->to, r->chg, &table, e);
    if (rc != 0)
        return rc;
    size_t room = DEBEZIUM_PLACE_MAX + debezium_pieces_len(source, r->connector) + 6 * strlen(r->chg->tx->file) +
                  r->to->tx.id.len + (place.query ? 6 * place.query->len : 0);
    room += msg->before ? r->room[SIDE_BEFORE] : 0;
    room += msg->after ? r->room[SIDE_AFTER] : 0;
    uint8_t *start = buf_room(&out->text, room);
    if (!start)
        return debezium_no_room(&out->text, e);
    uint8_t *o = write_images(start, r, msg, &bad);
    if (!o)
        return refused(r, bad, e);
    o = write_transaction(debezium_write_source(o, r->to, source, r->chg, &place), r->to, table);
    o = LITERAL(o, ",\"op\":\"");
    *o++ = (uint8_t)msg->op;
    o = debezium_write_times(LITERAL(o, "\","), out->now_us);
    *o++ = '}';
    out->text.len += (size_t)(o - start);
    r->to->last_row = place.row;
    return 0;
}

static int add_message(const struct row *r, const struct debezium_source *source, const struct message *msg,
                       size_t item, struct record_list *out, struct err *e)
{
    if (!records_begin(out, RECORD_ROW, item))
        return err_set(e, NO_MEMORY, sizeof(struct record));
    int rc = write_front(r, msg, out, e);
    if (rc == 0 && msg->op)
        rc = write_value(r, source, msg, out, e);
    if (rc == 0 && msg->op)
        records_value(out);
    if (rc == 0 && out->text.failed)
        rc = debezium_no_room(&out->text, e);
    if (rc != 0)
        records_drop(out);
    return rc;
}

/* A delete and its tombstone. */
static int add_delete(const struct row *r, bool moved, size_t item, struct record_list *out, struct err *e)
{
    struct message msg = {.op = 'd', .before = true, .key = SIDE_BEFORE, .moved = moved};
    int rc = add_message(r, &r->b->source, &msg, item, out, e);
    if (rc != 0 || !r->to->options->tombstones)
        return rc;
    msg.op = 0;
    return add_message(r, &r->b->source, &msg, item, out, e);
}

/* One of both images. Of a key move each half comes to its lane: what is taken from the old record key with the first
 * one, the rest with the second. */
static int add_update(struct row *r, size_t item, struct record_list *out, struct err *e)
{
    struct message msg = {.op = 'u', .before = true, .after = true, .key = SIDE_AFTER};
    bool first = !(r->chg->flags & CHANGE_TO), second = !(r->chg->flags & CHANGE_FROM);
    int rc = is_moved(r, &msg.moved, e);
    if (rc == 0 && msg.moved && first)
        rc = add_delete(r, true, item, out, e);
    if (rc != 0 || !second)
        return rc;
    if (msg.moved) {
        msg.op = 'c';
        msg.before = false;
    }
    return add_message(r, &r->b->source, &msg, item, out, e);
}

int debezium_add_row(struct debezium *to, const struct change *chg, const struct debezium_bind *b, size_t item,
                     struct record_list *out, struct err *e)
{
    struct row r = {.to = to, .b = b, .chg = chg, .connector = debezium_connector(to, chg)};
    struct message msg = {.op = chg->op == CHANGE_READ ? 'r' : 'c', .after = true, .key = SIDE_AFTER};
    int rc = make_room(to, b->all.count, e);
    arena_reset(&to->arena);
    if (rc == 0)
        rc = take_image(&r, SIDE_BEFORE, e);
    if (rc == 0)
        rc = take_image(&r, SIDE_AFTER, e);
    if (rc == 0 && !r.found[chg->op == CHANGE_DELETE ? SIDE_BEFORE : SIDE_AFTER])
        rc = err_set(e, CORRUPT, "the change has no image");
    if (rc == 0 && chg->op == CHANGE_DELETE)
        rc = add_delete(&r, false, item, out, e);
    else if (rc == 0 && chg->op == CHANGE_UPDATE && r.found[SIDE_BEFORE])
        rc = add_update(&r, item, out, e);
    else if (rc == 0)
        rc = add_message(&r, &b->source, &msg, item, out, e);
    if (rc != 0)
        err_wrap(e, "%s.%s", chg->db, chg->table);
    return rc;
}

int debezium_add_truncate(struct debezium *to, const struct change *chg, size_t item, struct record_list *out,
                          struct err *e)
{
    struct row r = {.to = to, .chg = chg, .connector = debezium_connector(to, chg)};
    const struct statement_table *name = chg->statement->tables;
    struct message msg = {.op = 't'};
    struct debezium_source source;
    arena_reset(&to->arena);
    int rc = debezium_source(&source, to->options, name->db, name->name, &to->arena, e);
    return rc == 0 ? add_message(&r, &source, &msg, item, out, e) : rc;
}
