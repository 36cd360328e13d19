/* Random tables and rows. */
#include "tools/random_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/random_json.h"

/* splitmix64 */
uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t rng_below(struct rng *rng, uint32_t below)
{
    return (uint32_t)(rng_next(rng) % below);
}

struct made_type {
    uint8_t wire;
    uint8_t metadata[2];
};

/* A wire type with metadata in range. */
static struct made_type random_type(struct rng *rng)
{
    static const uint8_t wires[] = {WIRE_TINY,  WIRE_SHORT,     WIRE_INT24,      WIRE_LONG,   WIRE_LONGLONG,
                                    WIRE_FLOAT, WIRE_DOUBLE,    WIRE_YEAR,       WIRE_BIT,    WIRE_DATE_OLD,
                                    WIRE_TIME2, WIRE_DATETIME2, WIRE_TIMESTAMP2, WIRE_STRING, WIRE_VARCHAR,
                                    WIRE_BLOB,  WIRE_ENUM,      WIRE_NEWDECIMAL, WIRE_SET,    WIRE_JSON};
    static const uint8_t rare[] = {WIRE_TIME,   WIRE_DATETIME, WIRE_TIMESTAMP, WIRE_GEOMETRY,
                                   WIRE_VECTOR, WIRE_STRING,   WIRE_STRING,    WIRE_VARCHAR_COMPRESSED};
    struct made_type type = {.wire = wires[rng_below(rng, sizeof wires)]};
    if (rng_below(rng, 5) == 0)
        type.wire = rare[rng_below(rng, sizeof rare)];
    unsigned a, b;
    switch (type.wire) {
    case WIRE_FLOAT:
    case WIRE_DOUBLE:
        type.metadata[0] = type.wire == WIRE_FLOAT ? 4 : 8;
        break;
    case WIRE_BIT:
        a = 1 + rng_below(rng, 64);
        type.metadata[0] = a % 8;
        type.metadata[1] = (uint8_t)(a / 8);
        break;
    case WIRE_TIME2:
    case WIRE_DATETIME2:
    case WIRE_TIMESTAMP2:
        type.metadata[0] = (uint8_t)rng_below(rng, 7);
        break;
    case WIRE_NEWDECIMAL:
        a = 1 + rng_below(rng, 65);
        b = rng_below(rng, (a < 30 ? a : 30) + 1);
        type.metadata[0] = (uint8_t)a;
        type.metadata[1] = (uint8_t)b;
        break;
    case WIRE_STRING: /* up to 1020 bytes, the high bits of the length hidden in the real type */
        a = 1 + rng_below(rng, rng_below(rng, 2) ? 1020 : 40);
        if (rng_below(rng, 4) == 0)
            a = rng_below(rng, 2) ? 4 : 16;
        type.metadata[0] = (uint8_t)(WIRE_STRING ^ (a >> 8 & 3) << 4);
        type.metadata[1] = (uint8_t)a;
        break;
    case WIRE_VARCHAR:
    case WIRE_VARCHAR_COMPRESSED:
        a = 1 + rng_below(rng, rng_below(rng, 2) ? 2000 : 60);
        type.metadata[0] = (uint8_t)a;
        type.metadata[1] = (uint8_t)(a >> 8);
        break;
    case WIRE_BLOB:
    case WIRE_GEOMETRY:
    case WIRE_VECTOR:
        type.metadata[0] = (uint8_t)(1 + rng_below(rng, 4));
        break;
    case WIRE_JSON:
        type.metadata[0] = 4;
        break;
    case WIRE_ENUM:
    case WIRE_SET:
        type.metadata[0] = type.wire;
        type.metadata[1] = (uint8_t)(type.wire == WIRE_ENUM ? 1 + rng_below(rng, 2) : 1 + rng_below(rng, 4));
        type.wire = WIRE_STRING;
        break;
    default:
        break;
    }
    return type;
}

static void random_labels(struct rng *rng, struct coltype *type, struct arena *arena)
{
    static const struct label words[] = {
        {"a", 1},      {"b\"x", 3}, {"\xc3\xa9", 2}, {"long label with more than 32 bytes", 34},
        {"new\nl", 5}, {"\xff", 1}, {"", 0},         {"z", 1}};
    uint32_t count = type->family == FAMILY_ENUM ? 1 + rng_below(rng, 30) : 8u * type->fixed - rng_below(rng, 8);
    struct label *labels = arena_alloc(arena, sizeof *labels * count);
    if (!labels)
        abort();
    for (uint32_t i = 0; i < count; i++)
        labels[i] = words[rng_below(rng, i % 7 == 6 ? 8 : 5)];
    type->labels = labels;
    type->label_count = count;
}

/* What the log does not tell of a type. */
static void declare(struct rng *rng, struct coltype *type)
{
    static const char *const words[] = {"uuid", "inet6", "inet4"};
    if (coltype_needs_scale(type) && !coltype_declare(type, "", rng_below(rng, 7)))
        abort();
    if (type->wire == WIRE_STRING)
        (void)coltype_declare(type, words[rng_below(rng, 3)], 0);
}

static void random_column(struct rng *rng, struct column *column, unsigned number, struct arena *arena)
{
    static const uint16_t collations[] = {45, 33, 8, 63, 11, 255, 8, 45, 10, 28, 12, 248, 13, 35, 54, 56, 60, 51};
    static const char *const odd[] = {"c", "na\"me", "caf\xc3\xa9", "a column with a name of forty bytes "};
    struct made_type made = random_type(rng);
    struct cursor cur = cursor_over(made.metadata, 2);
    char name[64];
    int len = snprintf(name, sizeof name, "%s%u", odd[rng_below(rng, 4)], number);
    *column = (struct column){.nullable = true, .name_len = (uint32_t)len};
    column->name = arena_copy(arena, name, (size_t)len);
    if (!column->name || coltype_init(&column->type, made.wire, &cur, NULL) != 0)
        abort();
    struct coltype *type = &column->type;
    type->sign_known = true;
    type->is_unsigned = rng_below(rng, 2);
    declare(rng, type);
    if (type->family == FAMILY_STRING || type->family == FAMILY_COMPRESSED) {
        type->collation = collations[rng_below(rng, sizeof collations / sizeof collations[0])];
        type->charset = (uint8_t)charset_of_collation(type->collation, NULL);
    }
    if (type->family == FAMILY_ENUM || type->family == FAMILY_SET)
        random_labels(rng, type, arena);
}

const struct shape *random_shape(struct rng *rng, struct shape_cache *cache)
{
    struct arena *arena = malloc(sizeof *arena);
    unsigned count = 1 + rng_below(rng, 20);
    if (!arena)
        abort();
    arena_init(arena, 8192, 0, 0);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    struct column *columns = arena_alloc(arena, sizeof *columns * count);
    uint16_t *pk = arena_alloc(arena, sizeof *pk * 3);
    if (!tbl || !columns || !pk)
        abort();
    for (unsigned i = 0; i < count; i++)
        random_column(rng, &columns[i], i, arena);
    *tbl = (struct table){.db = "shop", .name = "t\"able", .columns = columns, .column_count = count, .pk_known = true};
    tbl->pk_count = rng_below(rng, count < 3 ? count + 1 : 4);
    uint16_t first = (uint16_t)rng_below(rng, count);
    for (unsigned i = 0; i < tbl->pk_count; i++)
        pk[i] = (uint16_t)((first + count - i) % count);
    tbl->pk = tbl->pk_count ? pk : NULL;
    const struct shape *shape = NULL;
    if (shape_cache_take(cache, arena, tbl, &shape, NULL) != 0)
        abort();
    return shape;
}

static uint8_t *put_be(uint8_t *o, uint64_t v, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        *o++ = (uint8_t)(v >> (8 * i));
    return o;
}

static uint8_t *put_le(uint8_t *o, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *o++ = (uint8_t)(v >> (8 * i));
    return o;
}

static uint64_t random_fraction(struct rng *rng, unsigned scale)
{
    static const uint32_t limits[4] = {1, 100, 10000, 1000000};
    return rng_below(rng, limits[(scale + 1) / 2]);
}

static uint8_t *put_decimal(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    static const uint32_t limits[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    static const uint8_t bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    unsigned scale = type->meta >> 8, integer = (type->meta & 255u) - scale, zero = rng_below(rng, 4);
    uint8_t *start = o;
    o = put_be(o, rng_below(rng, limits[integer % 9]) * (zero > 0), bytes[integer % 9]);
    for (unsigned i = 0; i < integer / 9; i++)
        o = put_be(o, rng_below(rng, limits[9]) * (zero > 1), 4);
    for (unsigned i = 0; i < scale / 9; i++)
        o = put_be(o, rng_below(rng, limits[9]), 4);
    o = put_be(o, rng_below(rng, limits[scale % 9]), bytes[scale % 9]);
    start[0] ^= 0x80;
    if (rng_below(rng, 2))
        for (uint8_t *p = start; p < o; p++)
            *p = (uint8_t) ~*p;
    return o;
}

static uint8_t *put_time(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    unsigned fraction_bytes = (type->meta + 1u) / 2, shift = 8 * fraction_bytes;
    uint64_t clock = (uint64_t)rng_below(rng, 839) << 12 | rng_below(rng, 60) << 6 | rng_below(rng, 60);
    uint64_t n = clock << shift | random_fraction(rng, type->meta), zero = (uint64_t)0x800000 << shift;
    return put_be(o, rng_below(rng, 2) ? zero + n : zero - n, 3 + fraction_bytes);
}

static uint8_t *put_datetime(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    uint64_t months = rng_below(rng, 10000) * 13u + rng_below(rng, 13), clock = rng_below(rng, 24);
    clock = clock << 12 | rng_below(rng, 60) << 6 | rng_below(rng, 60);
    o = put_be(o, (uint64_t)1 << 39 | months << 22 | (uint64_t)rng_below(rng, 32) << 17 | clock, 5);
    return put_be(o, random_fraction(rng, type->meta), (type->meta + 1u) / 2);
}

/* The digits of the plain forms are bytes in the order of the log; the others are products. */
static uint8_t *put_old_temporal(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    static const uint64_t units[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t unit = units[type->meta], clock = rng_below(rng, 60) * 100u + rng_below(rng, 60), n;
    switch (type->family) {
    case FAMILY_TIME_OLD:
        n = rng_below(rng, 839) * 10000u + clock;
        if (type->meta == 0)
            return put_le(o, rng_below(rng, 2) ? n : 0 - n, 3);
        return put_be(o, rng_next(rng) % (2 * 3020400 * unit - 1) + 1, type->fixed);
    case FAMILY_DATETIME_OLD:
        n = (rng_below(rng, 10000) * 10000ull + rng_below(rng, 13) * 100u + rng_below(rng, 32)) * 1000000;
        if (type->meta == 0)
            return put_le(o, n + rng_below(rng, 24) * 10000u + clock, 8);
        return put_be(o, rng_next(rng) % (10000ull * 13 * 32 * 86400 * unit), type->fixed);
    default:
        if (type->meta == 0)
            return put_le(o, rng_below(rng, 8) ? rng_next(rng) : 0, 4);
        o = put_be(o, rng_below(rng, 8) ? rng_next(rng) : 0, 4);
        return put_be(o, rng_next(rng) % unit, type->fixed - 4u);
    }
}

/* Bytes of any kind behind their length; of a VECTOR finite numbers but for one in eight. */
static uint8_t *put_bytes(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    bool address = type->family == FAMILY_UUID || type->family == FAMILY_INET;
    uint32_t len = rng_below(rng, address ? type->fixed + 1u : 60), start = type->walk;
    if (type->family == FAMILY_VECTOR)
        len -= len % 4;
    put_le(o, len, type->walk);
    for (uint32_t i = 0; i < len; i++)
        o[start + i] = (uint8_t)(rng_below(rng, 3) ? rng_next(rng) : 0);
    for (uint32_t i = 3; type->family == FAMILY_VECTOR && rng_below(rng, 8) && i < len; i += 4)
        o[start + i] &= 0xbf;
    return o + start + len;
}

/* Not compressed, as the server leaves short ones. */
static uint8_t *put_compressed(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    uint32_t max = coltype_max_bytes(type), len = rng_below(rng, max < 60 ? max + 1 : 60);
    put_le(o, len ? len + 1 : 0, type->walk);
    o[type->walk] = 0;
    for (uint32_t i = 0; i < len; i++)
        o[type->walk + 1 + i] = (uint8_t)('!' + rng_below(rng, 100));
    return o + type->walk + (len ? len + 1 : 0);
}

static uint8_t *put_string(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    static const char *const pieces[] = {"a",
                                         "Z9",
                                         " ",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\xc3\xa9",
                                         "\xe4\xbd\xa0",
                                         "\xf0\x9f\x98\x80",
                                         "plain text of some length ",
                                         "\x7f",
                                         "/",
                                         "\xff",
                                         "\xc3",
                                         "\xed\xa0\x80"};
    uint32_t max = coltype_max_bytes(type), len = 0, target = rng_below(rng, max < 90 ? max + 1 : 90);
    unsigned kinds = rng_below(rng, 3) ? 13 : 16, zero_ends = rng_below(rng, 4);
    uint8_t *start = o;
    if (rng_below(rng, 20) == 0)
        target = max < 1500 ? max : 1500;
    o += type->walk;
    while (len < target) {
        const char *piece = pieces[rng_below(rng, kinds)];
        size_t n = strlen(piece);
        if (n > target - len)
            n = target - len;
        memcpy(o + len, piece, n);
        len += (uint32_t)n;
    }
    if (len && zero_ends == 0)
        o[len - 1] = 0;
    for (unsigned i = 0; i < type->walk; i++)
        start[i] = (uint8_t)(len >> (8 * i));
    return o + len;
}

static uint8_t *put_random(struct rng *rng, uint8_t *o, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *o++ = (uint8_t)rng_next(rng);
    return o;
}

static uint8_t *put_real(struct rng *rng, uint8_t *o, unsigned bytes)
{
    static const double nice[] = {0, -0.0, 1, -1.5, 0.1, 1e15, 1e-7, 123456.789, 1e21, 5e-5};
    double d = nice[rng_below(rng, 10)];
    float f = (float)d;
    if (rng_below(rng, 2)) {
        put_random(rng, o, bytes);
        o[bytes - 1] = (uint8_t)(o[bytes - 1] & 0xbf); /* finite */
    } else if (bytes == 4) {
        memcpy(o, &f, 4);
    } else {
        memcpy(o, &d, 8);
    }
    return o + bytes;
}

static uint8_t *put_document(struct rng *rng, uint8_t *o)
{
    uint8_t doc[RANDOM_JSON_MAX];
    size_t len = random_json(rng, rng_below(rng, 5), doc);
    o = put_le(o, len, 4);
    memcpy(o, doc, len);
    return o + len;
}

/* One value in range. */
static uint8_t *put_value(struct rng *rng, const struct coltype *type, uint8_t *o)
{
    unsigned bits;
    switch (type->family) {
    case FAMILY_DECIMAL:
        return put_decimal(rng, type, o);
    case FAMILY_FLOAT:
        return put_real(rng, o, type->fixed);
    case FAMILY_BIT:
        bits = (type->meta >> 8) * 8u + (type->meta & 255u);
        return put_be(o, rng_next(rng) >> (64 - bits), type->fixed);
    case FAMILY_DATE:
        return put_le(o, (uint64_t)rng_below(rng, 10000) << 9 | rng_below(rng, 13) << 5 | rng_below(rng, 32), 3);
    case FAMILY_TIME:
        return put_time(rng, type, o);
    case FAMILY_DATETIME:
        return put_datetime(rng, type, o);
    case FAMILY_TIMESTAMP:
        o = put_be(o, rng_below(rng, 8) ? rng_next(rng) : 0, 4);
        return put_be(o, random_fraction(rng, type->meta), (type->meta + 1u) / 2);
    case FAMILY_TIME_OLD:
    case FAMILY_DATETIME_OLD:
    case FAMILY_TIMESTAMP_OLD:
        return put_old_temporal(rng, type, o);
    case FAMILY_UUID:
    case FAMILY_INET:
    case FAMILY_GEOMETRY:
    case FAMILY_VECTOR:
        return put_bytes(rng, type, o);
    case FAMILY_COMPRESSED:
        return put_compressed(rng, type, o);
    case FAMILY_STRING:
        return put_string(rng, type, o);
    case FAMILY_JSON:
        return put_document(rng, o);
    case FAMILY_ENUM:
        return put_le(o, rng_below(rng, type->label_count + 1), type->fixed);
    case FAMILY_SET:
        return put_le(o, rng_next(rng) >> (64 - type->label_count), type->fixed);
    default:
        return put_random(rng, o, type->fixed);
    }
}

/* The bytes of a column in an image; of none when there is no image. */
static struct found column_of(const struct shape *shape, const struct image *image, unsigned column)
{
    struct found found = {.len = SIZE_MAX};
    uint16_t index = (uint16_t)column;
    struct colset one = {&index, 1};
    if (image->bytes &&
        shape_walk(shape, image->present, image->bytes, image->bytes + image->len, &one, &found) == SIZE_MAX)
        abort();
    return found;
}

/* A name that no random document has. */
#define NEW_NAME "$.\"a new \\\"name\\\"\""

static uint8_t *put_diff(struct rng *rng, uint8_t *o, uint8_t op, const char *path)
{
    uint8_t doc[RANDOM_JSON_MAX];
    size_t len = strlen(path);
    *o++ = op;
    *o++ = (uint8_t)len;
    memcpy(o, path, len);
    o += len;
    if (op == 2)
        return o;
    len = random_json(rng, rng_below(rng, 3), doc);
    *o++ = 0xfc;
    o = put_le(o, len, 2);
    memcpy(o, doc, len);
    return o + len;
}

/* Diffs that fit the document (its bytes, or NULL: any): what they insert they change and remove again. */
static uint8_t *put_diffs(struct rng *rng, const uint8_t *doc, size_t doc_len, uint8_t *o)
{
    uint8_t *start = o;
    unsigned root = doc && doc_len ? doc[0] : doc ? 4 : rng_below(rng, 4), steps = rng_below(rng, 4);
    const char *path = root < 2 ? NEW_NAME : rng_below(rng, 2) ? "$[0]" : "$[last]";
    o += 4;
    if (root < 4 && steps > 0)
        o = put_diff(rng, o, 1, path);
    if (root < 4 && steps > 1)
        o = put_diff(rng, o, 0, path);
    if (root < 4 && steps > 2)
        o = put_diff(rng, o, 2, path);
    put_le(start, (uint64_t)(o - start) - 4, 4);
    return o;
}

/* The images of random_image and of partial updates: a JSON column of `partial` (a bitmap by JSON column, NULL: none)
 * has diffs that fit what `before` (NULL: nothing) has of it. */
static struct image write_image(struct rng *rng, const struct shape *shape, const uint8_t *present,
                                const uint8_t *partial, const struct image *before, uint8_t *out, unsigned garbage)
{
    const struct table *tbl = shape->tbl;
    unsigned held = 0, bit = 0, document = 0;
    for (unsigned i = 0; i < tbl->column_count; i++)
        held += !present || (present[i / 8] >> (i % 8) & 1);
    uint8_t *o = out + (held + 7) / 8;
    unsigned bad = garbage && held ? rng_below(rng, held) : held;
    memset(out, 0, (held + 7) / 8);
    for (unsigned i = 0; i < tbl->column_count; i++) {
        const struct coltype *type = &tbl->columns[i].type;
        bool is_document = type->family == FAMILY_JSON, is_partial = false;
        if (is_document) {
            is_partial = partial && partial[document / 8] >> (document % 8) & 1;
            document++;
        }
        if (present && !(present[i / 8] >> (i % 8) & 1))
            continue;
        if (is_partial) {
            struct found doc = column_of(shape, before, i);
            o = put_diffs(rng, doc.len == SIZE_MAX ? NULL : doc.bytes + 4, doc.len - 4, o);
        } else if (rng_below(rng, 6) == 0) {
            out[bit / 8] = (uint8_t)(out[bit / 8] | 1u << (bit % 8));
        } else if (bit == bad && type->walk == WALK_FIXED) {
            o = put_random(rng, o, type->fixed);
        } else {
            o = put_value(rng, type, o);
        }
        bit++;
    }
    return (struct image){.present = present, .bytes = out, .len = (size_t)(o - out)};
}

struct image random_image(struct rng *rng, const struct shape *shape, const uint8_t *present, uint8_t *out,
                          unsigned garbage)
{
    return write_image(rng, shape, present, NULL, NULL, out, garbage);
}

void random_present(struct rng *rng, const struct shape *shape, uint8_t *out)
{
    unsigned bytes = (shape->tbl->column_count + 7) / 8;
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(rng_next(rng) | rng_next(rng));
}

static const uint8_t *maybe_present(struct rng *rng, const struct shape *shape, uint8_t *bitmap)
{
    if (rng_below(rng, 2))
        return NULL;
    random_present(rng, shape, bitmap);
    return bitmap;
}

/* Some of the documents of an update that were not NULL, or that nothing is known of. */
static void random_partial(struct rng *rng, struct random_change *out)
{
    const struct shape *shape = out->chg.shape;
    unsigned document = 0;
    memset(out->after_partial, 0, sizeof out->after_partial);
    for (unsigned i = 0; i < shape->tbl->column_count; i++) {
        if (shape->tbl->columns[i].type.family != FAMILY_JSON)
            continue;
        struct found doc = column_of(shape, &out->chg.before, i);
        if ((doc.len == SIZE_MAX || doc.bytes) && rng_below(rng, 3))
            out->after_partial[document / 8] = (uint8_t)(out->after_partial[document / 8] | 1u << (document % 8));
        document++;
    }
}

/* The after image: of one update in three a partial one. */
static void random_after(struct rng *rng, struct random_change *out, unsigned garbage)
{
    struct change *chg = &out->chg;
    const uint8_t *present = maybe_present(rng, chg->shape, out->after_present);
    size_t partial_len = shape_json_bitmap(chg->shape);
    bool is_partial = chg->op == CHANGE_UPDATE && partial_len && rng_below(rng, 3) == 0;
    if (is_partial)
        random_partial(rng, out);
    chg->after = write_image(rng, chg->shape, present, is_partial ? out->after_partial : NULL, &chg->before,
                             out->after_bytes, garbage);
    chg->after.partial = is_partial ? out->after_partial : NULL;
    chg->after.partial_len = is_partial ? partial_len : 0;
}

void random_change(struct rng *rng, const struct shape *shape, struct random_change *out, unsigned garbage)
{
    static const char *const files[] = {"bin.000001", "mysql\"bin.1000000"};
    struct change *chg = &out->chg;
    *chg = (struct change){.op = (enum change_op)rng_below(rng, 4), .shape = shape, .tx = &out->tx};
    chg->pos = rng_next(rng) >> rng_below(rng, 64);
    chg->version = (struct version){(uint32_t)rng_next(rng), rng_next(rng), rng_next(rng)};
    chg->db = shape->tbl->db;
    chg->table = shape->tbl->name;
    chg->key = out->key;
    chg->key_len =
        (size_t)snprintf(out->key, sizeof out->key, "%s%u", rng_below(rng, 8) ? "k" : "k\xff", rng_below(rng, 1000));
    static const unsigned flags[] = {0, 0, CHANGE_FROM, CHANGE_TO};
    chg->flags = flags[rng_below(rng, 4)];
    out->tx = (struct tx){.file = files[rng_below(rng, 2)], .commit_in_us = rng_below(rng, 2)};
    out->tx.commit_us = (int64_t)(rng_next(rng) >> 12) - (rng_below(rng, 9) == 0 ? (int64_t)1 << 52 : 0);
    if (rng_below(rng, 3)) {
        out->tx.gtid = (struct gtid){.flavor = rng_below(rng, 2) ? FLAVOR_MARIADB : FLAVOR_MYSQL};
        out->tx.gtid.number = 1 + (rng_next(rng) >> (2 + rng_below(rng, 50)));
        out->tx.gtid.domain = out->tx.gtid.flavor == FLAVOR_MARIADB ? rng_below(rng, 100) : 0;
        out->tx.gtid.server = out->tx.gtid.flavor == FLAVOR_MARIADB ? (uint32_t)rng_next(rng) : 0;
        if (out->tx.gtid.flavor == FLAVOR_MYSQL) {
            for (unsigned i = 0; i < 16; i++)
                out->tx.gtid.uuid[i] = (uint8_t)rng_next(rng);
            if (rng_below(rng, 3) == 0)
                memcpy(out->tx.gtid.tag, "tag_1", 6);
        }
    }
    if (chg->op == CHANGE_UPDATE || chg->op == CHANGE_DELETE)
        chg->before =
            random_image(rng, shape, maybe_present(rng, shape, out->before_present), out->before_bytes, garbage);
    if (chg->op != CHANGE_DELETE)
        random_after(rng, out, garbage);
    static const char *const queries[] = {"INSERT INTO t\n\tVALUES (\"caf\xc3\xa9\")", "UPDATE t SET a = '\xff'",
                                          "DELETE"};
    uint64_t which = chg->version.row % 6;
    if (which < 3) {
        out->query = (struct row_query){.text = queries[which], .len = strlen(queries[which])};
        out->query.whole_bytes = out->query.len + (chg->version.sequence % 2 ? 0 : chg->version.sequence >> 12);
        chg->query = &out->query;
    }
}
