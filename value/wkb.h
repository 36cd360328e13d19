/* Well-known binary, as the servers store it behind the SRID: its parts, each checked against the bytes that are left.
 * Core; inline.
 *
 *   geometry   byte order (1): 0 big, 1 little; kind (4); then
 *   POINT      two coordinates (8 each)
 *   LINESTRING count (4), points; POLYGON count, rings as line strings
 *   MULTI…     count, geometries of the kind without MULTI; COLLECTION count, geometries
 *
 * Source: OGC 06-103r4, 8.2. */
#ifndef SLUICE_VALUE_WKB_H
#define SLUICE_VALUE_WKB_H

#include <string.h>

#include "base/cursor.h"

#define WKB_DEPTH_MAX      64 /* of collections in one another */
#define WKB_POINT_BYTES    16
#define WKB_RING_BYTES     4 /* at least */
#define WKB_GEOMETRY_BYTES 9 /* at least */

enum wkb_kind {
    WKB_POINT = 1,
    WKB_LINE_STRING,
    WKB_POLYGON,
    WKB_MULTI_POINT,
    WKB_MULTI_LINE_STRING,
    WKB_MULTI_POLYGON,
    WKB_COLLECTION,
    WKB_KIND_COUNT
};

struct wkb {
    struct cursor cur;
    bool big_endian; /* of the geometry being read */
};

static inline uint64_t wkb_uint(struct wkb *in, unsigned bytes)
{
    return in->big_endian ? cursor_be(&in->cur, bytes) : cursor_le(&in->cur, bytes);
}

/* A count of things that take at least `least` bytes each. */
static inline bool wkb_count(struct wkb *in, size_t least, uint32_t *out)
{
    *out = (uint32_t)wkb_uint(in, 4);
    return !in->cur.bad && *out <= cursor_left(&in->cur) / least;
}

/* One coordinate; false when it is not finite. */
static inline bool wkb_coordinate(struct wkb *in, double *out)
{
    uint64_t bits = wkb_uint(in, 8);
    memcpy(out, &bits, sizeof *out);
    return !in->cur.bad && (bits >> 52 & 0x7ff) != 0x7ff;
}

/* Byte order and kind; WKB_KIND_COUNT when there is none. */
static inline enum wkb_kind wkb_head(struct wkb *in)
{
    uint8_t order = cursor_u8(&in->cur);
    in->big_endian = order == 0;
    uint64_t kind = wkb_uint(in, 4);
    bool known = !in->cur.bad && order <= 1 && kind >= WKB_POINT && kind < WKB_KIND_COUNT;
    return known ? (enum wkb_kind)kind : WKB_KIND_COUNT;
}

#endif
