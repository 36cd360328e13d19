/* Key text. */
#include "partition/key.h"

#include <string.h>

#include "value/json_diff.h"

#define INTEGER_TEXT_MAX 21 /* sign and 20 digits */

static bool ignores_case(const struct coltype *type)
{
    return type->family == FAMILY_STRING && type->charset != CHARSET_BINARY && type->charset != CHARSET_UNKNOWN &&
           type->collation != 0 && !charset_tells_case(type->collation);
}

/* Puts a column behind the key's last one, keeping `columns` sorted and `order` right; a repeated one changes nothing.
 */
static void plan_add(struct key_plan *plan, uint16_t column)
{
    unsigned count = plan->wanted.count, at = 0;
    while (at < count && plan->columns[at] < column)
        at++;
    if (at < count && plan->columns[at] == column)
        return;
    memmove(&plan->columns[at + 1], &plan->columns[at], (count - at) * sizeof plan->columns[0]);
    plan->columns[at] = column;
    for (unsigned i = 0; i < count; i++)
        if (plan->order[i] >= at)
            plan->order[i]++;
    plan->order[count] = (uint8_t)at;
    plan->wanted.count = count + 1;
}

int key_plan_init(struct key_plan *out, const struct table *tbl, const char *const *names, unsigned count,
                  unsigned line, struct err *e)
{
    struct key_plan plan = {0};
    unsigned columns = names ? count : tbl->pk_count;
    if (columns == 0 || (!names && !tbl->pk))
        return err_set(e, ROUTE_NO_KEY, line, tbl->name);
    if (columns > KEY_COLUMNS_MAX)
        return err_set(e, LIMIT, "columns of a key", (size_t)columns, (size_t)KEY_COLUMNS_MAX);
    for (unsigned i = 0; i < columns; i++) {
        int column = names ? table_find_column(tbl, names[i], strlen(names[i])) : tbl->pk[i];
        if (column < 0)
            return err_set(e, ROUTE_COLUMN, line, tbl->name, names[i]);
        plan_add(&plan, (uint16_t)column);
        plan.case_insensitive |= ignores_case(&tbl->columns[column].type);
    }
    *out = plan;
    out->wanted.index = out->columns;
    return 0;
}

static void add_unsigned(struct buf *out, uint64_t v, bool negative)
{
    char text[INTEGER_TEXT_MAX];
    char *end = text + sizeof text, *p = end;
    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    if (negative)
        *--p = '-';
    buf_add(out, p, (size_t)(end - p));
}

/* An integer from its little-endian bytes, without a value between. */
static void add_integer(const struct coltype *type, const struct found *found, struct buf *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < found->len; i++)
        v |= (uint64_t)found->bytes[i] << (8 * i);
    bool negative = !type->is_unsigned && found->len > 0 && found->bytes[found->len - 1] & 0x80;
    if (negative) {
        if (found->len < sizeof v)
            v |= UINT64_MAX << (8 * found->len);
        v = 0 - v;
    }
    add_unsigned(out, v, negative);
}

static void add_hex(const char *p, size_t len, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = buf_room(out, 2 * len);
    if (!to)
        return;
    for (size_t i = 0; i < len; i++) {
        to[2 * i] = (uint8_t)digits[(uint8_t)p[i] >> 4];
        to[2 * i + 1] = (uint8_t)digits[(uint8_t)p[i] & 15];
    }
    out->len += 2 * len;
}

/* Puts a backslash before each ':' and '\' of what was appended since `begin`. */
static void escape(struct buf *out, size_t begin)
{
    size_t more = 0;
    for (size_t i = begin; i < out->len; i++)
        more += out->p[i] == ':' || out->p[i] == '\\';
    if (more == 0 || !buf_room(out, more))
        return;
    size_t from = out->len, to = out->len + more;
    out->len = to;
    while (from < to) {
        uint8_t byte = out->p[--from];
        out->p[--to] = byte;
        if (byte == ':' || byte == '\\')
            out->p[--to] = '\\';
    }
}

static void trim_zeros(struct buf *out, size_t begin)
{
    if (out->failed || !memchr(out->p + begin, '.', out->len - begin))
        return;
    while (out->p[out->len - 1] == '0')
        out->len--;
    if (out->p[out->len - 1] == '.')
        out->len--;
}

static void add_text(const struct value *v, bool is_decimal, struct buf *out)
{
    size_t begin = out->len;
    if (v->kind == VALUE_BYTES || v->kind == VALUE_GEOMETRY)
        add_hex(v->s.p, v->s.len, out);
    else
        value_text(v, out);
    if (is_decimal)
        trim_zeros(out, begin);
    else
        escape(out, begin);
}

/* `old`: the column in the before image, for a partial update. */
static int add_value(const struct coltype *type, const struct found *found, const struct found *old, struct buf *out,
                     struct arena *arena, struct err *e)
{
    struct value v;
    struct bytes bytes = {found->bytes, found->len};
    int rc = found->partial ? jsonb_diff_apply(type, (struct bytes){old->bytes, old->len}, bytes, &v, arena, e)
                            : value_read(type, bytes.p, bytes.len, &v, arena, e);
    if (rc == 0)
        add_text(&v, v.kind == VALUE_DECIMAL, out);
    return rc;
}

static int add_column(const struct column *col, const struct found *found, const struct found *old,
                      const char *image_name, struct buf *out, struct arena *arena, struct err *e)
{
    if (found->partial && (!old || !old->bytes))
        return err_set(e, ROW_IMAGE, col->name, "before");
    if (found->len == SIZE_MAX)
        return err_set(e, ROW_IMAGE, col->name, image_name);
    if (!found->bytes) {
        buf_add(out, "\\N", 2);
        return 0;
    }
    if (col->type.family == FAMILY_INTEGER && (col->type.is_unsigned || col->type.sign_known)) {
        add_integer(&col->type, found, out);
        return 0;
    }
    int rc = add_value(&col->type, found, old, out, arena, e);
    return rc == 0 ? 0 : err_wrap(e, "column %s", col->name);
}

/* Never empty, but of a table without a key. */
static int finish(const struct key_plan *plan, size_t begin, struct buf *out, struct err *e)
{
    if (out->len == begin && plan->wanted.count > 0)
        buf_add(out, "\\E", 2);
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}

int key_text(const struct key_plan *plan, const struct shape *shape, const struct found *found,
             const struct found *fallback, const char *image_name, struct buf *out, struct arena *arena, struct err *e)
{
    size_t begin = out->len;
    for (unsigned i = 0; i < plan->wanted.count; i++) {
        unsigned at = plan->order[i];
        const struct found *col = &found[at];
        if (col->len == SIZE_MAX && fallback)
            col = &fallback[at];
        if (i > 0)
            buf_byte(out, ':');
        int rc = add_column(&shape->tbl->columns[plan->columns[at]], col, fallback ? &fallback[at] : NULL, image_name,
                            out, arena, e);
        if (rc != 0) {
            out->len = begin;
            return rc;
        }
    }
    return finish(plan, begin, out, e);
}

int key_text_values(const struct key_plan *plan, const struct table *tbl, const struct value *values,
                    const uint8_t *decimals, const char *image_name, struct buf *out, struct err *e)
{
    size_t begin = out->len;
    for (unsigned i = 0; i < plan->wanted.count; i++) {
        unsigned at = plan->order[i], column = plan->columns[at];
        if (values[at].kind == VALUE_ABSENT) {
            out->len = begin;
            return err_set(e, ROW_IMAGE, tbl->columns[column].name, image_name);
        }
        if (i > 0)
            buf_byte(out, ':');
        if (values[at].kind == VALUE_NULL)
            buf_add(out, "\\N", 2);
        else
            add_text(&values[at], decimals[column / 8] >> (column % 8) & 1, out);
    }
    return finish(plan, begin, out, e);
}
