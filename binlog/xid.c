/* X'…',X'…',n and back. */
#include "binlog/xid.h"

#include <stdio.h>

#include "base/cursor.h"

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    uint8_t low = c | 0x20;
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static void take_char(struct cursor *cur, char wanted)
{
    cur->bad |= (cursor_u8(cur) | 0x20) != (wanted | 0x20);
}

/* X'…' behind the bytes that are there already; its length. */
static uint8_t take_part(struct cursor *cur, struct xid *xid, size_t at)
{
    uint8_t len = 0;
    take_char(cur, 'X');
    take_char(cur, '\'');
    while (!cur->bad && cursor_left(cur) > 0 && *cur->p != '\'') {
        int high = hex_digit(cursor_u8(cur)), low = hex_digit(cursor_u8(cur));
        if (high < 0 || low < 0 || len == XID_PART_MAX) {
            cur->bad = true;
            break;
        }
        xid->bytes[at + len++] = (uint8_t)(high << 4 | low);
    }
    take_char(cur, '\'');
    return len;
}

int xid_parse(struct xid *out, const char *text, size_t len, struct err *e)
{
    struct xid xid = {0};
    struct cursor cur = cursor_over(text, len);
    xid.gtrid_len = take_part(&cur, &xid, 0);
    take_char(&cur, ',');
    xid.bqual_len = take_part(&cur, &xid, xid.gtrid_len);
    take_char(&cur, ',');
    cur.bad |= cursor_left(&cur) == 0;
    uint64_t format = 0;
    while (cursor_left(&cur) > 0 && !cur.bad) {
        uint8_t c = cursor_u8(&cur);
        format = format * 10 + (uint64_t)(c - '0');
        cur.bad |= c < '0' || c > '9' || format > UINT32_MAX;
    }
    if (cursor_finish(&cur) != 0)
        return err_set(e, CORRUPT, "a statement of an XA transaction does not name it by X'...',X'...',n");
    xid.format = (uint32_t)format;
    *out = xid;
    return 0;
}

static size_t print_part(const uint8_t *bytes, uint8_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    out[n++] = 'X';
    out[n++] = '\'';
    for (unsigned i = 0; i < len; i++) {
        out[n++] = digits[bytes[i] >> 4];
        out[n++] = digits[bytes[i] & 15];
    }
    out[n++] = '\'';
    out[n++] = ',';
    return n;
}

size_t xid_print(const struct xid *xid, char out[XID_TEXT_MAX])
{
    size_t n = print_part(xid->bytes, xid->gtrid_len, out);
    n += print_part(xid->bytes + xid->gtrid_len, xid->bqual_len, out + n);
    return n + (size_t)snprintf(out + n, XID_TEXT_MAX - n, "%u", (unsigned)xid->format);
}
