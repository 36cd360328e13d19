/* Well-known binary as the WKT of JTS 1.13: a blank behind the name, ", " between points, "EMPTY" for what has none.
 *
 * Source: com.vividsolutions.jts.io.WKTWriter: numbers by DecimalFormat "0.################", which takes the shortest
 * digits of the double, at most sixteen of them behind the point, without E. The layout of the bytes: value/wkb.h.
 */
#include <math.h>
#include <string.h>

#include "change/maxwell/parts.h"
#include "value/wkb.h"
#include "value/write.h"

#define DECIMALS_MAX 16
#define NUMBER_MAX   340 /* -1.7976931348623157E308 has 309 digits */

static const char *const names[WKB_KIND_COUNT] = {
    NULL,          "POINT ",           "LINESTRING ",   "POLYGON ",
    "MULTIPOINT ", "MULTILINESTRING ", "MULTIPOLYGON ", "GEOMETRYCOLLECTION ",
};

struct writing {
    struct wkb wkb;
    struct maxwell_out *out;
};

/* Significant digits, and where the point stands: 0.digits · 10^point. */
struct digits {
    char text[32];
    int count, point;
};

/* From our own shortest text: plain, or with e. */
static struct digits digits_of(const uint8_t *p, const uint8_t *end)
{
    struct digits d = {.count = 0};
    bool behind = false;
    for (; p < end && *p != 'e'; p++) {
        if (*p == '.') {
            behind = true;
            continue;
        }
        if (d.count > 0 || *p != '0')
            d.text[d.count++] = (char)*p;
        if (!behind && d.count > 0)
            d.point++;
        if (behind && d.count == 0)
            d.point--;
    }
    if (p < end) {
        bool negative = *++p == '-';
        int exponent = 0;
        for (p += negative || *p == '+'; p < end; p++)
            exponent = exponent * 10 + (*p - '0');
        d.point += negative ? -exponent : exponent;
    }
    return d;
}

/* At most DECIMALS_MAX digits behind the point, half to even. */
static void round_digits(struct digits *d)
{
    int keep = d->point + DECIMALS_MAX;
    if (d->count <= keep)
        return;
    bool up = false;
    if (keep >= 0) {
        char next = d->text[keep];
        bool tie = next == '5' && keep + 1 == d->count;
        up = tie ? keep > 0 && (d->text[keep - 1] - '0') % 2 : next >= '5';
    }
    d->count = keep > 0 ? keep : 0;
    int i = d->count;
    while (up && i > 0 && d->text[i - 1] == '9')
        d->text[--i] = '0';
    if (up && i > 0) {
        d->text[i - 1]++;
    } else if (up) {
        memmove(d->text + 1, d->text, (size_t)d->count);
        d->text[0] = '1';
        d->count++;
        d->point++;
    }
}

static uint8_t *write_plain(uint8_t *o, const struct digits *d)
{
    int count = d->count;
    while (count > 0 && d->text[count - 1] == '0')
        count--;
    if (count == 0 || d->point <= 0)
        *o++ = '0';
    for (int i = 0; count > 0 && i < d->point; i++)
        *o++ = (uint8_t)(i < count ? d->text[i] : '0');
    if (count <= d->point || count == 0)
        return o;
    *o++ = '.';
    for (int i = d->point; i < count; i++)
        *o++ = (uint8_t)(i < 0 ? '0' : d->text[i]);
    return o;
}

static bool coordinate(struct writing *in)
{
    uint8_t text[WRITE_DOUBLE_MAX], *p = text;
    double d;
    if (!wkb_coordinate(&in->wkb, &d) || !maxwell_room(in->out, NUMBER_MAX))
        return false;
    uint8_t *end = write_double(text, d);
    if (*p == '-')
        p++;
    struct digits digits = digits_of(p, end);
    round_digits(&digits);
    if (signbit(d))
        *in->out->o++ = '-';
    in->out->o = write_plain(in->out->o, &digits);
    return true;
}

static bool coordinates(struct writing *in)
{
    return coordinate(in) && MAXWELL_PUT(in->out, " ") && coordinate(in);
}

/* ( … , … ), or EMPTY of nothing. */
static bool list_of(struct writing *in, uint32_t count, bool (*one)(struct writing *))
{
    if (count == 0)
        return MAXWELL_PUT(in->out, "EMPTY");
    for (uint32_t i = 0; i < count; i++)
        if (!(i ? MAXWELL_PUT(in->out, ", ") : MAXWELL_PUT(in->out, "(")) || !one(in))
            return false;
    return MAXWELL_PUT(in->out, ")");
}

static bool points(struct writing *in)
{
    uint32_t count;
    return wkb_count(&in->wkb, WKB_POINT_BYTES, &count) && list_of(in, count, coordinates);
}

static bool rings(struct writing *in)
{
    uint32_t count;
    return wkb_count(&in->wkb, WKB_RING_BYTES, &count) && list_of(in, count, points);
}

static bool point(struct writing *in)
{
    return MAXWELL_PUT(in->out, "(") && coordinates(in) && MAXWELL_PUT(in->out, ")");
}

/* A member of a MULTI… without its name. */
static bool member(struct writing *in)
{
    enum wkb_kind kind = wkb_head(&in->wkb);
    return kind == WKB_POINT ? point(in) : kind == WKB_LINE_STRING ? points(in) : kind == WKB_POLYGON && rings(in);
}

static bool geometry(struct writing *in, unsigned depth);

static bool collection(struct writing *in, unsigned depth)
{
    uint32_t count;
    if (!wkb_count(&in->wkb, WKB_GEOMETRY_BYTES, &count))
        return false;
    if (count == 0)
        return MAXWELL_PUT(in->out, "EMPTY");
    for (uint32_t i = 0; i < count; i++)
        if (!(i ? MAXWELL_PUT(in->out, ", ") : MAXWELL_PUT(in->out, "(")) || !geometry(in, depth + 1))
            return false;
    return MAXWELL_PUT(in->out, ")");
}

static bool geometry(struct writing *in, unsigned depth)
{
    enum wkb_kind kind = wkb_head(&in->wkb);
    uint32_t count;
    if (depth > WKB_DEPTH_MAX || kind == WKB_KIND_COUNT || !maxwell_put(in->out, names[kind], strlen(names[kind])))
        return false;
    switch (kind) {
    case WKB_POINT:
        return point(in);
    case WKB_LINE_STRING:
        return points(in);
    case WKB_POLYGON:
        return rings(in);
    case WKB_COLLECTION:
        return collection(in, depth);
    default:
        return wkb_count(&in->wkb, WKB_GEOMETRY_BYTES, &count) && list_of(in, count, member);
    }
}

bool maxwell_put_wkt(struct maxwell_out *out, const uint8_t *wkb, size_t len)
{
    struct writing in = {.wkb.cur = cursor_over(wkb, len), .out = out};
    size_t start = (size_t)(out->o - out->buf->p);
    if (MAXWELL_PUT(out, "\"") && geometry(&in, 0) && !in.wkb.cur.bad && cursor_left(&in.wkb.cur) == 0 &&
        MAXWELL_PUT(out, "\""))
        return true;
    out->o = out->buf->p + start;
    return false;
}
