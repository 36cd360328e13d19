/* Well-known binary as GeoJSON (RFC 7946), as ST_AsGeoJSON gives it:
 *
 *   1 byte    0 = numbers big-endian, 1 = little-endian
 *   4 bytes   kind
 *   Point               x, y (doubles)
 *   LineString          count (4 bytes), points
 *   Polygon             count, rings; a ring: count, points
 *   MultiPoint, MultiLineString, MultiPolygon   count, then whole geometries of the one kind, with byte order and kind
 *   GeometryCollection  count, then whole geometries
 *
 * Source: OGC 06-103r4, 8.2. Coordinates are written as they are stored, longitude first where the SRID is geographic;
 * the SRID itself has no place in GeoJSON. */
#include "value/family.h"
#include "value/write.h"

#define DEPTH_MAX   64
#define POINT_BYTES 16

enum kind { POINT = 1, LINE_STRING, POLYGON, MULTI_POINT, MULTI_LINE_STRING, MULTI_POLYGON, COLLECTION, KIND_COUNT };

static const char *const names[KIND_COUNT] = {NULL,         "Point",           "LineString",   "Polygon",
                                              "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"};

struct wkb {
    struct cursor cur;
    bool big_endian; /* of the geometry being read */
    struct buf *out;
};

static uint64_t number(struct wkb *in, unsigned bytes)
{
    return in->big_endian ? cursor_be(&in->cur, bytes) : cursor_le(&in->cur, bytes);
}

/* A count of things that take at least `least` bytes each. */
static bool count_of(struct wkb *in, size_t least, uint32_t *out)
{
    *out = (uint32_t)number(in, 4);
    return !in->cur.bad && *out <= cursor_left(&in->cur) / least;
}

static bool coordinate(struct wkb *in)
{
    uint64_t bits = number(in, 8);
    double d;
    uint8_t *o = buf_room(in->out, WRITE_DOUBLE_MAX);
    if (in->cur.bad || !o || (bits >> 52 & 0x7ff) == 0x7ff)
        return false;
    memcpy(&d, &bits, sizeof d);
    in->out->len += (size_t)(write_double(o, d) - o);
    return true;
}

static bool point(struct wkb *in)
{
    buf_byte(in->out, '[');
    if (!coordinate(in))
        return false;
    buf_byte(in->out, ',');
    bool ok = coordinate(in);
    buf_byte(in->out, ']');
    return ok;
}

static bool points(struct wkb *in)
{
    uint32_t count;
    if (!count_of(in, POINT_BYTES, &count))
        return false;
    buf_byte(in->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_byte(in->out, ',');
        if (!point(in))
            return false;
    }
    buf_byte(in->out, ']');
    return true;
}

static bool rings(struct wkb *in)
{
    uint32_t count;
    if (!count_of(in, 4, &count))
        return false;
    buf_byte(in->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_byte(in->out, ',');
        if (!points(in))
            return false;
    }
    buf_byte(in->out, ']');
    return true;
}

/* Byte order and kind; KIND_COUNT when there is none. */
static enum kind head(struct wkb *in)
{
    uint8_t order = cursor_u8(&in->cur);
    in->big_endian = order == 0;
    uint64_t kind = number(in, 4);
    return in->cur.bad || order > 1 || kind < POINT || kind >= KIND_COUNT ? KIND_COUNT : (enum kind)kind;
}

static bool coordinates(struct wkb *in, enum kind kind);

/* The parts of a MULTI kind: kinds without MULTI in the same order, three before. */
static bool parts(struct wkb *in, enum kind kind)
{
    uint32_t count;
    if (!count_of(in, 9, &count))
        return false;
    buf_byte(in->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_byte(in->out, ',');
        if (head(in) != kind || !coordinates(in, kind))
            return false;
    }
    buf_byte(in->out, ']');
    return true;
}

static bool coordinates(struct wkb *in, enum kind kind)
{
    switch (kind) {
    case POINT:
        return point(in);
    case LINE_STRING:
        return points(in);
    case POLYGON:
        return rings(in);
    case MULTI_POINT:
        return parts(in, POINT);
    case MULTI_LINE_STRING:
        return parts(in, LINE_STRING);
    default:
        return parts(in, POLYGON);
    }
}

static bool geometry(struct wkb *in, unsigned depth)
{
    enum kind kind = head(in);
    uint32_t count;
    if (kind == KIND_COUNT || depth == DEPTH_MAX)
        return false;
    buf_text(in->out, "{\"type\":\"");
    buf_text(in->out, names[kind]);
    if (kind != COLLECTION) {
        buf_text(in->out, "\",\"coordinates\":");
        bool ok = coordinates(in, kind);
        buf_byte(in->out, '}');
        return ok;
    }
    buf_text(in->out, "\",\"geometries\":[");
    if (!count_of(in, 9, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_byte(in->out, ',');
        if (!geometry(in, depth + 1))
            return false;
    }
    buf_add(in->out, "]}", 2);
    return true;
}

bool value_geojson(const struct value *v, struct buf *out)
{
    size_t start = out->len;
    if (v->kind != VALUE_GEOMETRY)
        return false;
    struct wkb in = {.cur = cursor_over(v->s.p + GEOMETRY_SRID_BYTES, v->s.len - GEOMETRY_SRID_BYTES), .out = out};
    if (geometry(&in, 0) && cursor_finish(&in.cur) == 0 && !out->failed)
        return true;
    out->len = start;
    return false;
}
