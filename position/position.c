/* Positions: ownership, and the durable form. One "key=value" line each, in this order, all present, "-" = not known:
 *
 *   position=1                  the format's version
 *   file=binlog.000042
 *   pos=1337
 *   server=3e11fa47-71ca-11e1-9e33-c80aa9429562
 *   commit_us=1763800000000000
 *   gtids=mysql 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5        (or: mariadb 0-1-100) */
#include "position/position.h"

#include "position/scan.h"

#define FORMAT_VERSION "1"

void position_init(struct position *pos)
{
    *pos = (struct position){.gtids = NULL};
}

void position_release(struct position *pos)
{
    gtid_set_free(pos->gtids);
    position_init(pos);
}

int position_copy(struct position *to, const struct position *from, struct err *e)
{
    struct gtid_set *gtids = NULL;
    if (from->gtids) {
        gtids = gtid_set_copy(from->gtids);
        if (!gtids)
            return err_set(e, NO_MEMORY, sizeof(void *));
    }
    gtid_set_free(to->gtids);
    *to = *from;
    to->gtids = gtids;
    return 0;
}

/* Line breaks would make another line of it. */
static bool is_one_line(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

int position_encode(const struct position *pos, struct buf *out, struct err *e)
{
    if (!is_one_line(pos->at.file) || !is_one_line(pos->server_uuid))
        return err_set(e, BUG, "a position with a line break in its file or server");
    buf_printf(out, "position=" FORMAT_VERSION "\nfile=%s\npos=%llu\nserver=%s\ncommit_us=%lld\ngtids=",
               pos->at.file[0] ? pos->at.file : "-", (unsigned long long)pos->at.pos,
               pos->server_uuid[0] ? pos->server_uuid : "-", (long long)pos->commit_us);
    if (pos->gtids) {
        buf_text(out, gtid_set_flavor(pos->gtids) == FLAVOR_MYSQL ? "mysql " : "mariadb ");
        gtid_set_print(pos->gtids, out);
    } else {
        buf_byte(out, '-');
    }
    buf_byte(out, '\n');
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}

static int corrupt(struct err *e, const char *what)
{
    return err_set(e, STATE_CORRUPT, "position", what);
}

/* Takes the line "key=value\n". */
static bool take_line(struct scan *s, const char *key, struct scan *value)
{
    return scan_word(s, key) && scan_char(s, '=') && scan_until(s, '\n', value);
}

static bool is_unknown(const struct scan *value)
{
    return value->end - value->p == 1 && *value->p == '-';
}

/* Copies a value into a NUL-terminated array; "-" becomes "". */
static bool take_text(const struct scan *value, char *out, size_t size)
{
    size_t len = (size_t)(value->end - value->p);
    if (len == 0 || len >= size || memchr(value->p, '\0', len))
        return false;
    memcpy(out, value->p, len);
    out[is_unknown(value) ? 0 : len] = '\0';
    return true;
}

static bool take_number(struct scan value, uint64_t max, uint64_t *out)
{
    return scan_u64(&value, max, out) && scan_at_end(&value);
}

static bool take_signed(struct scan value, int64_t *out)
{
    uint64_t v;
    bool negative = scan_char(&value, '-');
    if (!take_number(value, INT64_MAX, &v))
        return false;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static int take_gtids(struct gtid_set **out, struct scan value, struct err *e)
{
    if (is_unknown(&value))
        return 0;
    bool mysql = scan_word(&value, "mysql ");
    if (!mysql && !scan_word(&value, "mariadb "))
        return corrupt(e, "gtids: unknown flavour");
    struct err why = ERR_INIT;
    size_t len = (size_t)(value.end - value.p);
    int rc = gtid_set_parse(out, mysql ? FLAVOR_MYSQL : FLAVOR_MARIADB, value.p, len, &why);
    return rc ? corrupt(e, why.text) : 0;
}

int position_decode(struct position *out, const uint8_t *bytes, size_t len, struct err *e)
{
    struct scan s = scan_over((const char *)bytes, len), value;
    struct position pos;
    position_init(&pos);
    if (!take_line(&s, "position", &value) || !scan_word(&value, FORMAT_VERSION) || !scan_at_end(&value))
        return corrupt(e, "not a position, or of an unknown format");
    if (!take_line(&s, "file", &value) || !take_text(&value, pos.at.file, sizeof pos.at.file))
        return corrupt(e, "file");
    if (!take_line(&s, "pos", &value) || !take_number(value, UINT64_MAX, &pos.at.pos))
        return corrupt(e, "pos");
    if (!take_line(&s, "server", &value) || !take_text(&value, pos.server_uuid, sizeof pos.server_uuid))
        return corrupt(e, "server");
    if (!take_line(&s, "commit_us", &value) || !take_signed(value, &pos.commit_us))
        return corrupt(e, "commit_us");
    if (!take_line(&s, "gtids", &value) || !scan_at_end(&s))
        return corrupt(e, "gtids");
    int rc = take_gtids(&pos.gtids, value, e);
    if (rc == 0)
        *out = pos;
    return rc;
}
