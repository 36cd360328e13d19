/* The prepared writer: one pass over the columns, one check of room per row. */
#include "change/format_row.h"

#include "change/plan.h"
#include "value/charset.h"
#include "value/json_binary.h"
#include "value/write.h"

/* Bytes of another character set: converted and escaped piece by piece. */
static uint8_t *write_converted(uint8_t *o, enum charset charset, const uint8_t *p, size_t len)
{
    uint8_t piece[256];
    uint8_t *start = o;
    if (charset_has_ascii(charset) && (o = write_json_ascii(start, p, len)) != NULL)
        return o;
    const uint8_t *from = p, *end = p + len;
    o = start;
    *o++ = '"';
    while (from < end) {
        uint8_t *to = charset_write(charset, piece, sizeof piece, &from, end);
        if (to == piece)
            return write_json_base64(start, p, len);
        o = write_json_escaped(o, piece, (size_t)(to - piece));
    }
    *o++ = '"';
    return o;
}

static uint8_t *write_binary(uint8_t *o, const struct plan_writer *writer, const uint8_t *p, size_t len)
{
    uint8_t padded[1024];
    memcpy(padded, p, len);
    memset(padded + len, 0, writer->max_bytes - len);
    return write_json_base64(o, padded, writer->max_bytes);
}

static uint8_t *write_string(uint8_t *o, const struct plan_writer *writer, const uint8_t *p, size_t len)
{
    if (len > writer->max_bytes)
        return NULL;
    if (writer->op == PLAN_CHAR)
        while (len > 0 && p[len - 1] == ' ')
            len--;
    switch (writer->op) {
    case PLAN_TEXT:
    case PLAN_CHAR:
        return write_json_text(o, p, len);
    case PLAN_BYTES:
        return write_json_base64(o, p, len);
    case PLAN_BINARY:
        return write_binary(o, writer, p, len);
    case PLAN_CONVERTED_CHAR:
        len = charset_trim((enum charset)writer->charset, p, len);
        return write_converted(o, (enum charset)writer->charset, p, len);
    default:
        return write_converted(o, (enum charset)writer->charset, p, len);
    }
}

/* The text is written behind the most that the string made of it may have, then escaped to where it belongs. */
static uint8_t *write_document(uint8_t *o, const uint8_t *p, size_t len)
{
    uint8_t *text = o + 2 * JSONB_TEXT_MAX(len) + 16, *end = jsonb_write(text, p, len);
    return end ? write_json_text(o, text, (size_t)(end - text)) : NULL;
}

static uint8_t *write_geometry_or_bytes(uint8_t *o, const uint8_t *p, size_t len)
{
    return len < GEOMETRY_SRID_BYTES ? write_json_base64(o, p, len) : write_geometry(o, p, len);
}

static uint8_t *write_vector_or_bytes(uint8_t *o, const uint8_t *p, size_t len)
{
    if (len % 4)
        return NULL;
    return vector_is_finite(p, len) ? write_vector(o, p, len) : write_json_base64(o, p, len);
}

static uint8_t *write_set(uint8_t *o, const struct plan_writer *writer, uint64_t bits)
{
    if (writer->label_count < 64 && bits >> writer->label_count)
        return NULL;
    uint8_t *start = o++;
    *start = '"';
    for (; bits; bits &= bits - 1) {
        if (o != start + 1)
            *o++ = ',';
        o = piece_copy(o, &writer->labels[__builtin_ctzll(bits)]);
    }
    *o++ = '"';
    return o;
}

static inline uint8_t *write_temporal(uint8_t *o, const struct plan_writer *writer, const uint8_t *p)
{
    struct value v;
    switch (writer->op) {
    case PLAN_DATE:
        return read_date(p, &v) ? plan_quoted(o, write_date(o + 1, v.t.year, v.t.month, v.t.day)) : NULL;
    case PLAN_TIME:
        return read_time(p, writer->scale, &v) ? plan_quoted(o, write_time(o + 1, &v)) : NULL;
    case PLAN_DATETIME:
        return read_datetime(p, writer->scale, &v) ? plan_quoted(o, write_datetime(o + 1, &v)) : NULL;
    case PLAN_TIME_OLD:
        return read_time_old(p, writer->scale, &v) ? plan_quoted(o, write_time(o + 1, &v)) : NULL;
    case PLAN_DATETIME_OLD:
        return read_datetime_old(p, writer->scale, &v) ? plan_quoted(o, write_datetime(o + 1, &v)) : NULL;
    default:
        if (writer->op == PLAN_TIMESTAMP ? !read_timestamp(p, writer->scale, &v)
                                         : !read_timestamp_old(p, writer->scale, &v))
            return NULL;
        return plan_quoted(o, write_timestamp(o + 1, (uint32_t)v.ts.seconds, v.ts.us, v.scale));
    }
}

static uint8_t *write_real(uint8_t *o, const uint8_t *p, size_t len)
{
    uint64_t bits = plan_le(p, len);
    if (len == 4) {
        uint32_t half = (uint32_t)bits;
        float f;
        memcpy(&f, &half, sizeof f);
        return (half >> 23 & 0xff) == 0xff ? NULL : write_float(o, f);
    }
    double d;
    memcpy(&d, &bits, sizeof d);
    return (bits >> 52 & 0x7ff) == 0x7ff ? NULL : write_double(o, d);
}

static uint8_t *write_bit(uint8_t *o, const struct plan_writer *writer, const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    unsigned bits = writer->precision;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return bits < 64 && v >> bits ? NULL : write_json_uint(o, v);
}

/* One value that is present and not NULL; NULL: out of range, or not prepared. */
static inline uint8_t *write_column(uint8_t *o, const struct plan_writer *writer, const struct plan_column *column,
                                    const uint8_t *p, size_t len)
{
    uint64_t u;
    unsigned unused;
    switch (writer->op) {
    case PLAN_UNSIGNED:
        return write_json_uint(o, plan_le(p, len));
    case PLAN_SIGNED:
        unused = 64 - 8 * (unsigned)len;
        return write_json_int(o, (int64_t)(plan_le(p, len) << unused) >> unused);
    case PLAN_DECIMAL:
        *o = '"';
        o = write_decimal(o + 1, p, writer->precision, writer->scale);
        if (o)
            *o++ = '"';
        return o;
    case PLAN_FLOAT:
    case PLAN_DOUBLE:
        return write_real(o, p, len);
    case PLAN_BIT:
        return write_bit(o, writer, p, len);
    case PLAN_YEAR:
        return write_uint(o, p[0] ? 1900u + p[0] : 0);
    case PLAN_DATE:
    case PLAN_TIME:
    case PLAN_DATETIME:
    case PLAN_TIMESTAMP:
    case PLAN_TIME_OLD:
    case PLAN_DATETIME_OLD:
    case PLAN_TIMESTAMP_OLD:
        return write_temporal(o, writer, p);
    case PLAN_UUID:
    case PLAN_INET:
        return write_address(o, writer->op == PLAN_UUID, writer->max_bytes, p + column->walk, len - column->walk);
    case PLAN_GEOMETRY:
        return write_geometry_or_bytes(o, p + column->walk, len - column->walk);
    case PLAN_VECTOR:
        return write_vector_or_bytes(o, p + column->walk, len - column->walk);
    case PLAN_ENUM:
        u = plan_le(p, len);
        return u <= writer->label_count ? piece_copy(o, &writer->labels[u]) : NULL;
    case PLAN_SET:
        return write_set(o, writer, plan_le(p, len));
    case PLAN_JSON:
        return write_document(o, p + column->walk, len - column->walk);
    case PLAN_BY_VALUE:
        return NULL;
    default:
        return write_string(o, writer, p + column->walk, len - column->walk);
    }
}

/* {"a":1,"b":null}: the columns that the image holds. */
static uint8_t *write_image(uint8_t *o, const struct shape_plan *plan, const struct image *image)
{
    const uint8_t *nulls = image->bytes, *end = image->bytes + image->len;
    size_t bitmap = image->present ? (plan_present(plan, image->present) + 7u) / 8 : plan->bitmap_bytes;
    if (bitmap > image->len)
        return NULL;
    const uint8_t *p = nulls + bitmap;
    uint8_t *start = o++;
    for (unsigned i = 0, bit = 0; i < plan->column_count; i++) {
        if (image->present && !plan_bit(image->present, i))
            continue;
        o = piece_copy(o, &plan->writers[i].name);
        if (plan_bit(nulls, bit++)) {
            memcpy(o, "null,", 5);
            o += 5;
            continue;
        }
        size_t size = plan_size(&plan->columns[i], p, end);
        if (size == SIZE_MAX)
            return NULL;
        o = write_column(o, &plan->writers[i], &plan->columns[i], p, size);
        if (!o)
            return NULL;
        p += size;
        *o++ = ',';
    }
    *start = '{';
    o -= o - start > 1;
    *o++ = '}';
    return o;
}

static uint8_t *write_absent(uint8_t *o, const char *name, const struct shape_plan *plan, const struct image *image)
{
    if (!image->bytes || !image->present)
        return o;
    uint8_t *start = o;
    for (unsigned i = 0; i < plan->column_count; i++) {
        if (plan_bit(image->present, i))
            continue;
        if (o == start)
            o = (uint8_t *)memcpy(o, name, strlen(name)) + strlen(name);
        o = piece_copy(o, &plan->writers[i].name);
        o[-1] = ','; /* for the colon */
    }
    if (o != start)
        o[-1] = ']';
    return o;
}

/* The primary key's columns in one image; false when one is absent. */
static bool find_pk(const struct change *chg, const struct image *image, struct found *found)
{
    const uint8_t *end = image->bytes + image->len;
    if (!image->bytes ||
        shape_walk(chg->shape, image->present, image->bytes, end, &chg->shape->plan->pk, found) > image->len)
        return false;
    for (unsigned i = 0; i < chg->shape->plan->pk.count; i++)
        if (found[i].len == SIZE_MAX)
            return false;
    return true;
}

#define PK_MAX 16 /* the server's limit of columns in a key; more are written from values */

/* An update's after image that lacks a column of the key goes by values, which fill it in. */
static uint8_t *write_pk(uint8_t *o, const struct change *chg)
{
    const struct shape_plan *plan = chg->shape->plan;
    struct found found[PK_MAX];
    if (plan->pk.count == 0)
        return o;
    if (plan->pk.count > PK_MAX || !find_pk(chg, chg->after.bytes ? &chg->after : &chg->before, found))
        return NULL;
    memcpy(o, ",\"pk\":{", 7);
    o += 7;
    for (unsigned i = 0; i < plan->pk.count; i++) {
        unsigned slot = plan->slot[i], column = plan->pk.index[slot];
        o = piece_copy(o, &plan->writers[column].name);
        if (found[slot].bytes) {
            o = write_column(o, &plan->writers[column], &plan->columns[column], found[slot].bytes, found[slot].len);
            if (!o)
                return NULL;
        } else {
            memcpy(o, "null", 4);
            o += 4;
        }
        *o++ = ',';
    }
    o[-1] = '}';
    return o;
}

/* Eight hex digits at once: one nibble per byte, most significant first, then 0 … 9 and a … f by a carry. */
static inline uint8_t *write_hex8(uint8_t *o, uint32_t v)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t x = v;
    x = (x | x << 16) & 0x0000ffff0000ffffu;
    x = (x | x << 8) & 0x00ff00ff00ff00ffu;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
    uint64_t letters = (x + ones * 6) >> 4 & ones;
    x += ones * '0' + letters * ('a' - '0' - 10);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(o, &x, 8);
    return o + 8;
}

static inline uint8_t *write_hex16(uint8_t *o, uint64_t v)
{
    return write_hex8(write_hex8(o, (uint32_t)(v >> 32)), (uint32_t)v);
}

static uint8_t *write_gtid_uuid(uint8_t *o, const uint8_t uuid[16])
{
    uint8_t hex[32];
    for (unsigned i = 0; i < 4; i++)
        write_hex8(hex + 8 * i, (uint32_t)uuid[4 * i] << 24 | (uint32_t)uuid[4 * i + 1] << 16 |
                                    (uint32_t)uuid[4 * i + 2] << 8 | uuid[4 * i + 3]);
    memcpy(o, hex, 8);
    memcpy(o + 9, hex + 8, 4);
    memcpy(o + 14, hex + 12, 4);
    memcpy(o + 19, hex + 16, 4);
    memcpy(o + 24, hex + 20, 12);
    o[8] = o[13] = o[18] = o[23] = '-';
    return o + 36;
}

static uint8_t *write_gtid(uint8_t *o, const struct gtid *gtid)
{
    if (gtid->flavor == FLAVOR_MARIADB) {
        o = write_uint(o, gtid->domain);
        *o++ = '-';
        o = write_uint(o, gtid->server);
        *o++ = '-';
        return write_uint(o, gtid->number);
    }
    o = write_gtid_uuid(o, gtid->uuid);
    *o++ = ':';
    if (gtid->tag[0]) {
        o = plan_literal(o, gtid->tag, strlen(gtid->tag));
        *o++ = ':';
    }
    return write_uint(o, gtid->number);
}

#define PLACE_MAX 512 /* without the file's name */

static uint8_t *write_place(uint8_t *o, const struct change *chg, size_t file_len)
{
    const struct tx *tx = chg->tx;
    o = write_json_int(LITERAL(o, ",\"ts_us\":"), tx->commit_us);
    o = tx->commit_in_us ? LITERAL(o, ",\"commit_precision\":\"us\"") : LITERAL(o, ",\"commit_precision\":\"s\"");
    if (gtid_is_set(&tx->gtid)) {
        o = write_gtid(LITERAL(o, ",\"gtid\":\""), &tx->gtid);
        *o++ = '"';
    }
    o = write_json_text(LITERAL(o, ",\"file\":"), (const uint8_t *)tx->file, file_len);
    o = write_json_uint(LITERAL(o, ",\"pos\":"), chg->pos);
    o = write_hex8(LITERAL(o, ",\"version\":\""), chg->version.epoch);
    *o++ = '.';
    o = write_hex16(o, chg->version.sequence);
    *o++ = '.';
    o = write_hex16(o, chg->version.row);
    *o++ = '"';
    if (chg->flags & CHANGE_FROM)
        return LITERAL(o, ",\"half\":\"from\"");
    return chg->flags & CHANGE_TO ? LITERAL(o, ",\"half\":\"to\"") : o;
}

static uint8_t *write_query(uint8_t *o, const struct row_query *query)
{
    o = write_json_text(LITERAL(o, ",\"query\":"), (const uint8_t *)query->text, query->len);
    if (query->whole_bytes > query->len)
        o = write_json_uint(LITERAL(o, ",\"query_bytes\":"), query->whole_bytes);
    return o;
}

static uint8_t *write_line(uint8_t *o, const struct change *chg, size_t file_len)
{
    static const struct {
        const char *text;
        size_t len;
    } ops[] = {
        [CHANGE_INSERT] = {"{\"op\":\"insert\"", 14},     [CHANGE_UPDATE] = {"{\"op\":\"update\"", 14},
        [CHANGE_DELETE] = {"{\"op\":\"delete\"", 14},     [CHANGE_READ] = {"{\"op\":\"read\"", 12},
        [CHANGE_TRUNCATE] = {"{\"op\":\"truncate\"", 16},
    };
    const struct shape_plan *plan = chg->shape->plan;
    o = piece_copy(plan_literal(o, ops[chg->op].text, ops[chg->op].len), &plan->head);
    o = write_pk(write_json_text(o, (const uint8_t *)chg->key, chg->key_len), chg);
    if (o && chg->before.bytes)
        o = write_image(LITERAL(o, ",\"before\":"), plan, &chg->before);
    if (o && chg->after.bytes)
        o = write_image(LITERAL(o, ",\"after\":"), plan, &chg->after);
    if (!o)
        return NULL;
    o = write_absent(o, ",\"absent_before\":[", plan, &chg->before);
    o = write_absent(o, ",\"absent_after\":[", plan, &chg->after);
    o = write_place(o, chg, file_len);
    if (chg->query)
        o = write_query(o, chg->query);
    return LITERAL(o, "}\n");
}

bool format_row(const struct change *chg, struct buf *out)
{
    const struct shape *shape = chg->shape;
    if (!shape || !shape->plan || out->failed || chg->after.partial || (!chg->before.bytes && !chg->after.bytes))
        return false;
    size_t bytes = chg->before.len + chg->after.len + chg->key_len, file_len = strlen(chg->tx->file);
    size_t query_len = chg->query ? chg->query->len : 0;
    if (chg->before.len > FORMAT_ROW_BYTES_MAX || chg->after.len > FORMAT_ROW_BYTES_MAX ||
        chg->key_len > FORMAT_ROW_BYTES_MAX || query_len > FORMAT_ROW_BYTES_MAX)
        return false;
    const struct shape_plan *plan = shape->plan;
    size_t room = 3 * plan->rendered_max + 2 * plan->names_max + plan->head.len + PLACE_MAX +
                  2 * plan->rendered_each * bytes + 6 * (file_len + query_len) + 4 * PIECE_SLACK;
    uint8_t *o = buf_room(out, room);
    if (!o) {
        out->failed = false;
        return false;
    }
    uint8_t *end = write_line(o, chg, file_len);
    if (!end)
        return false;
    out->len += (size_t)(end - o);
    return true;
}
