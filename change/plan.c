/* The steps of a shape, compiled from its table: how each column is skipped, and how its bytes become JSON. */
#include "change/plan.h"

#include "value/charset.h"
#include "value/write.h"

struct builder {
    struct arena *arena;
    struct err *e;
};

static void *get(struct builder *in, size_t count, size_t size)
{
    void *p = arena_alloc(in->arena, count * size);
    if (!p)
        err_set(in->e, NO_MEMORY, count * size);
    return p;
}

/* An arena copy of `len` bytes with the slack behind it; false without memory. */
static bool make_piece(struct builder *in, struct piece *out, const struct buf *bytes)
{
    uint8_t *p = NULL;
    if (bytes->failed)
        err_set(in->e, NO_MEMORY, bytes->size);
    else
        p = get(in, bytes->len + PIECE_SLACK, 1);
    if (!p)
        return false;
    if (bytes->len)
        memcpy(p, bytes->p, bytes->len);
    memset(p + bytes->len, 0, PIECE_SLACK);
    *out = (struct piece){p, bytes->len};
    return true;
}

static uint8_t integer_op(const struct coltype *type)
{
    if (!type->sign_known)
        return PLAN_BY_VALUE;
    return type->is_unsigned ? PLAN_UNSIGNED : PLAN_SIGNED;
}

static uint8_t string_op(const struct coltype *type)
{
    bool fixed_length = type->wire == WIRE_STRING;
    if (type->charset == CHARSET_UTF8)
        return fixed_length ? PLAN_CHAR : PLAN_TEXT;
    if (type->charset == CHARSET_BINARY)
        return fixed_length ? PLAN_BINARY : PLAN_BYTES;
    if (!charset_is_converted((enum charset)type->charset))
        return PLAN_BY_VALUE;
    return fixed_length ? PLAN_CONVERTED_CHAR : PLAN_CONVERTED;
}

static uint8_t plan_op(const struct coltype *type)
{
    static const uint8_t of_family[FAMILY_COUNT] = {
        [FAMILY_DECIMAL] = PLAN_DECIMAL,     [FAMILY_BIT] = PLAN_BIT,       [FAMILY_YEAR] = PLAN_YEAR,
        [FAMILY_DATE] = PLAN_DATE,           [FAMILY_TIME] = PLAN_TIME,     [FAMILY_DATETIME] = PLAN_DATETIME,
        [FAMILY_TIMESTAMP] = PLAN_TIMESTAMP, [FAMILY_ENUM] = PLAN_ENUM,     [FAMILY_SET] = PLAN_SET,
        [FAMILY_JSON] = PLAN_JSON,           [FAMILY_UUID] = PLAN_UUID,     [FAMILY_INET] = PLAN_INET,
        [FAMILY_GEOMETRY] = PLAN_GEOMETRY,   [FAMILY_VECTOR] = PLAN_VECTOR,
    };
    static const uint8_t of_old[FAMILY_COUNT] = {
        [FAMILY_TIME_OLD] = PLAN_TIME_OLD,
        [FAMILY_DATETIME_OLD] = PLAN_DATETIME_OLD,
        [FAMILY_TIMESTAMP_OLD] = PLAN_TIMESTAMP_OLD,
    };
    switch (type->family) {
    case FAMILY_INTEGER:
        return integer_op(type);
    case FAMILY_FLOAT:
        return type->wire == WIRE_FLOAT ? PLAN_FLOAT : PLAN_DOUBLE;
    case FAMILY_STRING:
        return string_op(type);
    case FAMILY_TIME_OLD:
    case FAMILY_DATETIME_OLD:
    case FAMILY_TIMESTAMP_OLD:
        return coltype_needs_scale(type) ? PLAN_BY_VALUE : of_old[type->family];
    case FAMILY_ENUM:
    case FAMILY_SET:
        return type->labels ? of_family[type->family] : PLAN_BY_VALUE;
    default:
        return of_family[type->family];
    }
}

/* A label as JSON: of an ENUM with its quotes, of a SET without, as they are joined. */
static bool build_label(struct builder *in, struct piece *out, const struct label *label, bool quotes)
{
    struct buf text;
    buf_init(&text, 0);
    value_json_string(label->text, label->len, &text);
    if (!quotes && !text.failed) {
        text.len -= 2;
        memmove(text.p, text.p + 1, text.len);
    }
    bool ok = make_piece(in, out, &text);
    buf_release(&text);
    return ok;
}

static bool build_labels(struct builder *in, struct plan_writer *writer, const struct coltype *type)
{
    static const struct label invalid = {"", 0};
    unsigned shift = type->family == FAMILY_ENUM;
    struct piece *labels = get(in, (size_t)type->label_count + shift, sizeof *labels);
    if (!labels)
        return false;
    for (uint32_t i = 0; i < type->label_count + shift; i++) {
        const struct label *label = shift && i == 0 ? &invalid : &type->labels[i - shift];
        if (!value_is_utf8(label->text, label->len)) {
            writer->op = PLAN_BY_VALUE;
            return true;
        }
        if (!build_label(in, &labels[i], label, shift))
            return false;
        writer->max_bytes += (uint32_t)labels[i].len + 1;
    }
    writer->labels = labels;
    writer->label_count = type->label_count;
    return true;
}

static bool build_writer(struct builder *in, struct plan_writer *writer, const struct column *column)
{
    const struct coltype *type = &column->type;
    struct buf text;
    buf_init(&text, 0);
    value_json_string(column->name, column->name_len, &text);
    buf_byte(&text, ':');
    *writer = (struct plan_writer){.op = plan_op(type), .max_bytes = coltype_max_bytes(type)};
    if (type->family == FAMILY_UUID || type->family == FAMILY_INET)
        writer->max_bytes = type->fixed;
    writer->precision = (uint8_t)type->meta;
    writer->charset = type->charset;
    if (type->family == FAMILY_BIT)
        writer->precision = (uint8_t)((type->meta >> 8) * 8 + (type->meta & 255));
    writer->scale = (uint8_t)(type->family == FAMILY_DECIMAL ? type->meta >> 8 : type->meta);
    bool ok = make_piece(in, &writer->name, &text);
    buf_release(&text);
    if (ok && (writer->op == PLAN_ENUM || writer->op == PLAN_SET))
        ok = build_labels(in, writer, type);
    return ok;
}

#define PLAN_EACH      6  /* a control character is \u00xx */
#define PLAN_JSON_EACH 24 /* the document's text, 8, and in front of it the string made of that, which escapes all */

/* Most bytes of a column's JSON beyond those for each of its bytes in the image. */
static size_t column_max(const struct plan_writer *writer)
{
    size_t max = writer->name.len + WRITE_DECIMAL_MAX + 4;
    if (writer->op == PLAN_BINARY)
        max += WRITE_BASE64_MAX((size_t)writer->max_bytes);
    if (writer->op == PLAN_ENUM || writer->op == PLAN_SET)
        max += writer->max_bytes;
    return max;
}

static bool build_head(struct builder *in, struct piece *head, const struct table *tbl)
{
    struct buf text;
    size_t db_len = strlen(tbl->db), name_len = strlen(tbl->name);
    buf_init(&text, 0);
    uint8_t *o = buf_room(&text, 64 + 6 * (db_len + name_len));
    if (o) {
        uint8_t *start = o;
        memcpy(o, ",\"db\":", 6);
        o = write_json_text(o + 6, (const uint8_t *)tbl->db, db_len);
        memcpy(o, ",\"table\":", 9);
        o = write_json_text(o + 9, (const uint8_t *)tbl->name, name_len);
        memcpy(o, ",\"key\":", 7);
        text.len = (size_t)(o + 7 - start);
    }
    bool ok = make_piece(in, head, &text);
    buf_release(&text);
    return ok;
}

static bool build_pk(struct builder *in, struct shape_plan *plan, const struct table *tbl)
{
    unsigned count = tbl->pk ? tbl->pk_count : 0;
    uint16_t *index = get(in, count, sizeof *index), *slot = get(in, count, sizeof *slot);
    if (!index || !slot)
        return false;
    for (unsigned i = 0; i < count; i++) {
        unsigned k = i;
        for (; k > 0 && index[k - 1] > tbl->pk[i]; k--)
            index[k] = index[k - 1];
        index[k] = tbl->pk[i];
    }
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < count; k++)
            if (index[k] == tbl->pk[i])
                slot[i] = (uint16_t)k;
    plan->pk = (struct colset){index, count};
    plan->slot = slot;
    return true;
}

int plan_build(const struct shape_plan **out, struct arena *arena, const struct table *tbl, struct err *e)
{
    struct err local = ERR_INIT;
    struct builder in = {arena, e ? e : &local};
    struct shape_plan *plan = get(&in, 1, sizeof *plan);
    struct plan_column *columns = get(&in, tbl->column_count, sizeof *columns);
    struct plan_writer *writers = get(&in, tbl->column_count, sizeof *writers);
    if (!plan || !columns || !writers)
        return err_result(in.e);
    *plan = (struct shape_plan){.columns = columns,
                                .writers = writers,
                                .column_count = tbl->column_count,
                                .rendered_each = PLAN_EACH,
                                .bitmap_bytes = (tbl->column_count + 7u) / 8};
    for (unsigned i = 0; i < tbl->column_count; i++) {
        const struct coltype *type = &tbl->columns[i].type;
        columns[i] = (struct plan_column){.fixed = type->fixed, .walk = type->walk};
        plan->has_geometry |= type->family == FAMILY_GEOMETRY;
        if (type->walk == WALK_FIXED)
            plan->fixed_bytes += type->fixed;
        if (!build_writer(&in, &writers[i], &tbl->columns[i]))
            return err_result(in.e);
        plan->rendered_max += column_max(&writers[i]);
        if (writers[i].op == PLAN_JSON)
            plan->rendered_each = PLAN_JSON_EACH;
        plan->names_max += writers[i].name.len;
    }
    if (!build_head(&in, &plan->head, tbl) || !build_pk(&in, plan, tbl))
        return err_result(in.e);
    *out = plan;
    return 0;
}
