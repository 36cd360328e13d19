/* Texts, bytes and labels as Maxwell writes them. */
#include "change/maxwell/value.h"
#include "value/charset.h"
#include "value/write.h"

#define REPLACEMENT "\xef\xbf\xbd"

bool maxwell_write_utf8_text(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    return len <= cell->max_bytes && maxwell_put_text(out, (const char *)p, len);
}

bool maxwell_put_base64(struct maxwell_out *out, const uint8_t *p, size_t len)
{
    if (!maxwell_room(out, (len + 2) / 3 * 4 + 2))
        return false;
    *out->o = '"';
    out->o = write_base64(out->o + 1, p, len);
    *out->o++ = '"';
    return true;
}

bool maxwell_write_bytes(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    return len <= cell->max_bytes && maxwell_put_base64(out, p, len);
}

/* latin1 and ascii are Windows-1252 to Java, which leaves five of its codes out. */
static bool put_windows_1252(struct maxwell_out *out, const uint8_t *p, size_t len)
{
    static const uint8_t none[] = {0x81, 0x8d, 0x8f, 0x90, 0x9d};
    size_t start = 0;
    for (size_t i = 0; i + 1 < len; i++) {
        if (p[i] != 0xc2 || !memchr(none, p[i + 1], sizeof none))
            continue;
        if (!maxwell_put_escaped(out, p + start, i - start) || !MAXWELL_PUT(out, REPLACEMENT))
            return false;
        start = ++i + 1;
    }
    return maxwell_put_escaped(out, p + start, len - start);
}

bool maxwell_write_converted(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    const uint8_t *from = p, *end = p + len;
    enum charset charset = (enum charset)cell->charset;
    bool ok = len <= cell->max_bytes && MAXWELL_PUT(out, "\"");
    while (ok && from < end) {
        uint8_t piece[256];
        size_t made = (size_t)(charset_write(charset, piece, sizeof piece, &from, end) - piece);
        if (made == 0) {
            from += charset_code_len(charset, from, (size_t)(end - from));
            ok = MAXWELL_PUT(out, REPLACEMENT);
        } else {
            ok = charset == CHARSET_LATIN1 ? put_windows_1252(out, piece, made) : maxwell_put_escaped(out, piece, made);
        }
    }
    return ok && MAXWELL_PUT(out, "\"");
}

/* The text as it is stored, in the line itself, where blanks of lines become spaces; what is no JSON is a string. */
bool maxwell_write_stored_json(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    if (len > cell->max_bytes)
        return false;
    if (!maxwell_is_json(p, len))
        return maxwell_put_text(out, (const char *)p, len);
    if (!maxwell_put(out, (const char *)p, len))
        return false;
    for (uint8_t *o = out->o - len; o < out->o; o++)
        if (*o == '\n' || *o == '\r')
            *o = ' ';
    return true;
}

/* ---------------------------------------------------------------- labels */

bool maxwell_write_label(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t index = plan_le(p, len);
    if (index == 0)
        return maxwell_put_null(out);
    return index <= cell->type->label_count && maxwell_put_piece(out, &cell->labels[index - 1]);
}

bool maxwell_write_labels(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t bits = plan_le(p, len);
    if ((cell->type->label_count < 64 && bits >> cell->type->label_count) || !MAXWELL_PUT(out, "["))
        return false;
    for (bool first = true; bits; bits &= bits - 1, first = false)
        if ((!first && !MAXWELL_PUT(out, ",")) || !maxwell_put_piece(out, &cell->labels[__builtin_ctzll(bits)]))
            return false;
    return MAXWELL_PUT(out, "]");
}
