/* GTID sets on the wire: COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS_LOG_EVENT. Integers little-endian.
 *
 *   untagged (MySQL 5.6 …)                      tagged (MySQL >= 8.3, when a tag is in the set)
 *   8  number of sources (top byte 0)           1  format = 1
 *                                               6  number of sources
 *                                               1  format = 1
 *   per source:                                 per source:
 *   16 UUID                                     16 UUID
 *                                               1  length of the tag · 2 (variable-length integer, <= 32)
 *                                               n  tag
 *   8  number of intervals                      8  number of intervals
 *   per interval: 8 first, 8 last + 1           the same
 *
 * Source: Gtid_set::encode and add_gtid_encoding in sql/rpl_gtid_set.cc, Tag::encode_tag in libs/mysql/gtid/tag.cpp. */
#include "base/cursor.h"
#include "position/gtid_set_impl.h"

#define FORMAT_TAGGED 1

static void put_u64(struct buf *out, uint64_t v)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    buf_add(out, bytes, sizeof bytes);
}

int gtid_set_encode(const struct gtid_set *set, bool tagged, struct buf *out, struct err *e)
{
    if (set->flavor != FLAVOR_MYSQL)
        return err_set(e, BUG, "MariaDB's GTID position has no wire form");
    for (size_t i = 0; i < set->n; i++)
        if (set->runs[i].source.tag[0] && !tagged)
            return err_set(e, BUG, "a tagged GTID is to be written in the form without tags");
    put_u64(out, tagged ? (uint64_t)FORMAT_TAGGED << 56 | (uint64_t)set->n << 8 | FORMAT_TAGGED : set->n);
    for (size_t i = 0; i < set->n; i++) {
        const struct gtid_run *run = &set->runs[i];
        buf_add(out, run->source.uuid, sizeof run->source.uuid);
        if (tagged) {
            size_t len = strlen(run->source.tag);
            buf_byte(out, (uint8_t)(len << 1));
            buf_add(out, run->source.tag, len);
        }
        put_u64(out, run->n);
        for (size_t k = 0; k < run->n; k++) {
            put_u64(out, run->iv[k].first);
            put_u64(out, run->iv[k].last + 1);
        }
    }
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}

static int corrupt(struct err *e, const char *what)
{
    return err_set(e, CORRUPT, what);
}

static int decode_source(struct cursor *cur, bool tagged, struct gtid_source *out, struct err *e)
{
    *out = (struct gtid_source){{0}, {0}};
    const uint8_t *uuid = cursor_take(cur, sizeof out->uuid);
    if (!uuid)
        return corrupt(e, "GTID set: cut inside a UUID");
    memcpy(out->uuid, uuid, sizeof out->uuid);
    if (!tagged)
        return 0;
    uint8_t len = cursor_u8(cur);
    if (len & 1 || len >> 1 > GTID_TAG_MAX)
        return corrupt(e, "GTID set: length of a tag");
    const uint8_t *text = cursor_take(cur, len >> 1);
    if (!text)
        return corrupt(e, "GTID set: cut inside a tag");
    struct scan s = scan_over((const char *)text, len >> 1);
    if (len && (!gtid_scan_tag(&s, out->tag) || !scan_at_end(&s)))
        return corrupt(e, "GTID set: characters of a tag");
    return 0;
}

static int decode_intervals(struct gtid_set *set, struct cursor *cur, const struct gtid_source *source, struct err *e)
{
    uint64_t n = cursor_u64(cur), before = 0;
    if (n > cursor_left(cur) / 16)
        return corrupt(e, "GTID set: more intervals than bytes");
    for (uint64_t i = 0; i < n; i++) {
        uint64_t first = cursor_u64(cur), behind = cursor_u64(cur);
        if (first <= before || behind <= first || behind > GTID_NUMBER_MAX + 1)
            return corrupt(e, "GTID set: intervals are not rising");
        before = behind;
        int rc = gtid_set_append_interval(set, source, (struct gtid_interval){first, behind - 1}, e);
        if (rc)
            return rc;
    }
    return 0;
}

static int decode_into(struct gtid_set *set, struct cursor *cur, struct err *e)
{
    uint64_t head = cursor_u64(cur);
    bool tagged = head >> 56 == FORMAT_TAGGED;
    if (head >> 56 > FORMAT_TAGGED || (tagged && (head & 0xff) != FORMAT_TAGGED))
        return corrupt(e, "GTID set: unknown format");
    uint64_t n = tagged ? (head & 0x00ffffffffffff00) >> 8 : head;
    if (n > cursor_left(cur) / 24)
        return corrupt(e, "GTID set: more sources than bytes");
    int rc = 0;
    for (uint64_t i = 0; i < n && rc == 0; i++) {
        struct gtid_source source;
        rc = decode_source(cur, tagged, &source, e);
        if (rc == 0)
            rc = decode_intervals(set, cur, &source, e);
    }
    if (rc == 0 && cursor_finish(cur) != 0)
        return corrupt(e, "GTID set: cut, or bytes left over");
    return rc ? rc : gtid_set_settle(set, e);
}

int gtid_set_decode(struct gtid_set **out, const uint8_t *bytes, size_t len, struct err *e)
{
    struct gtid_set *set = gtid_set_new(FLAVOR_MYSQL);
    if (!set)
        return err_set(e, NO_MEMORY, sizeof *set);
    struct cursor cur = cursor_over(bytes, len);
    int rc = decode_into(set, &cur, e);
    if (rc) {
        gtid_set_free(set);
        return rc;
    }
    *out = set;
    return 0;
}
