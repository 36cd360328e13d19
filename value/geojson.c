/* Well-known binary (value/wkb.h) as GeoJSON (RFC 7946), as ST_AsGeoJSON gives it. Coordinates are written as they are
 * stored, longitude first where the SRID is geographic; the SRID itself has no place in GeoJSON. */
#include "value/family.h"
#include "value/wkb.h"
#include "value/write.h"

static const char *const names[WKB_KIND_COUNT] = {
    NULL, "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"};

struct writing {
    struct wkb wkb;
    struct buf *out;
};

static bool coordinate(struct writing *in)
{
    double d;
    uint8_t *o = buf_room(in->out, WRITE_DOUBLE_MAX);
    if (!wkb_coordinate(&in->wkb, &d) || !o)
        return false;
    in->out->len += (size_t)(write_double(o, d) - o);
    return true;
}

static bool point(struct writing *in)
{
    buf_byte(in->out, '[');
    if (!coordinate(in))
        return false;
    buf_byte(in->out, ',');
    bool ok = coordinate(in);
    buf_byte(in->out, ']');
    return ok;
}

static bool points(struct writing *in)
{
    uint32_t count;
    if (!wkb_count(&in->wkb, WKB_POINT_BYTES, &count))
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

static bool rings(struct writing *in)
{
    uint32_t count;
    if (!wkb_count(&in->wkb, WKB_RING_BYTES, &count))
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

static bool coordinates(struct writing *in, enum wkb_kind kind);

/* The parts of a MULTI kind: kinds without MULTI in the same order, three before. */
static bool parts(struct writing *in, enum wkb_kind kind)
{
    uint32_t count;
    if (!wkb_count(&in->wkb, WKB_GEOMETRY_BYTES, &count))
        return false;
    buf_byte(in->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_byte(in->out, ',');
        if (wkb_head(&in->wkb) != kind || !coordinates(in, kind))
            return false;
    }
    buf_byte(in->out, ']');
    return true;
}

static bool coordinates(struct writing *in, enum wkb_kind kind)
{
    switch (kind) {
    case WKB_POINT:
        return point(in);
    case WKB_LINE_STRING:
        return points(in);
    case WKB_POLYGON:
        return rings(in);
    case WKB_MULTI_POINT:
        return parts(in, WKB_POINT);
    case WKB_MULTI_LINE_STRING:
        return parts(in, WKB_LINE_STRING);
    default:
        return parts(in, WKB_POLYGON);
    }
}

static bool geometry(struct writing *in, unsigned depth)
{
    enum wkb_kind kind = wkb_head(&in->wkb);
    uint32_t count;
    if (kind == WKB_KIND_COUNT || depth == WKB_DEPTH_MAX)
        return false;
    buf_text(in->out, "{\"type\":\"");
    buf_text(in->out, names[kind]);
    if (kind != WKB_COLLECTION) {
        buf_text(in->out, "\",\"coordinates\":");
        bool ok = coordinates(in, kind);
        buf_byte(in->out, '}');
        return ok;
    }
    buf_text(in->out, "\",\"geometries\":[");
    if (!wkb_count(&in->wkb, WKB_GEOMETRY_BYTES, &count))
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
    struct writing in = {.wkb.cur = cursor_over(v->s.p + GEOMETRY_SRID_BYTES, v->s.len - GEOMETRY_SRID_BYTES),
                         .out = out};
    if (geometry(&in, 0) && cursor_finish(&in.wkb.cur) == 0 && !out->failed)
        return true;
    out->len = start;
    return false;
}
