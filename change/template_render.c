/* Rendering: literals and filtered column texts, appended to one buffer; filters work on its tail in place. */
#include <string.h>

#include "change/template_parts.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(struct buf *out, size_t start)
{
    size_t from = start;
    while (out->len > start && is_space(out->p[out->len - 1]))
        out->len--;
    while (from < out->len && is_space(out->p[from]))
        from++;
    if (from > start) {
        memmove(out->p + start, out->p + from, out->len - from);
        out->len -= from - start;
    }
}

static void change_case(struct buf *out, size_t start, char first, char last)
{
    for (size_t i = start; i < out->len; i++)
        if (out->p[i] >= first && out->p[i] <= last)
            out->p[i] ^= 0x20;
}

/* From the last byte back, so that none is overwritten before it is read. */
static void to_hex(struct buf *out, size_t start)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = out->len - start;
    if (len == 0 || !buf_room(out, len))
        return;
    uint8_t *p = out->p + start;
    for (size_t i = len; i-- > 0;) {
        uint8_t c = p[i];
        p[2 * i + 1] = (uint8_t)digits[c & 15];
        p[2 * i] = (uint8_t)digits[c >> 4];
    }
    out->len += len;
}

static void apply(const struct template_step *step, struct buf *out, size_t start)
{
    if (out->failed)
        return;
    switch (step->filter) {
    case TEMPLATE_LOWER:
        change_case(out, start, 'A', 'Z');
        break;
    case TEMPLATE_UPPER:
        change_case(out, start, 'a', 'z');
        break;
    case TEMPLATE_TRIM:
        trim(out, start);
        break;
    case TEMPLATE_HEX:
        to_hex(out, start);
        break;
    case TEMPLATE_DEFAULT:
        break;
    }
}

/* False: NULL without a default. */
static bool render_column(const struct template_piece *piece, const struct value *v, struct buf *out)
{
    size_t start = out->len;
    unsigned i = 0;
    if (v->kind == VALUE_NULL) {
        while (i < piece->step_count && piece->steps[i].filter != TEMPLATE_DEFAULT)
            i++;
        if (i == piece->step_count)
            return false;
        buf_add(out, piece->steps[i].text, piece->steps[i].len);
    } else {
        value_text(v, out);
    }
    for (; i < piece->step_count; i++)
        apply(&piece->steps[i], out, start);
    return true;
}

/* Takes back what was appended. */
static int give_up(struct buf *out, size_t start, struct err *e)
{
    size_t len = out->len - start;
    out->len = start;
    if (!out->failed)
        return err_set(e, LIMIT, "a rendered template", len, (size_t)TEMPLATE_RENDERED_MAX);
    out->failed = false;
    return out->cap ? err_set(e, LIMIT, "the buffer of rendered templates", out->cap + 1, out->cap)
                    : err_set(e, NO_MEMORY, len);
}

int template_render_with(const struct bound_template *bound, const struct value *values, const struct value *element,
                         struct buf *out, struct err *e)
{
    const struct template *tpl = bound->tpl;
    size_t start = out->len;
    for (unsigned i = 0; i < tpl->piece_count; i++) {
        const struct template_piece *piece = &tpl->pieces[i];
        if (!piece->is_column) {
            buf_add(out, piece->text, piece->len);
            continue;
        }
        const struct value *v = &values[bound->slot[piece->column]];
        if (v->kind == VALUE_ABSENT) {
            out->len = start;
            return err_set(e, ROW_IMAGE, tpl->columns[piece->column], "row");
        }
        if (!render_column(piece, piece->is_list ? element : v, out)) {
            out->len = start;
            return 0;
        }
        if (out->failed || out->len - start > TEMPLATE_RENDERED_MAX)
            return give_up(out, start, e);
    }
    return out->failed ? give_up(out, start, e) : 1;
}

int template_render(const struct bound_template *bound, const struct value *values, struct buf *out, struct err *e)
{
    return template_render_with(bound, values, NULL, out, e);
}
