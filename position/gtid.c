/* One GTID: text, equality. */
#include "position/gtid.h"

#include <stdio.h>

#include "position/gtid_set_impl.h"

void gtid_uuid_print(const uint8_t uuid[16], char out[UUID_TEXT_LEN])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        out[n++] = hex[uuid[i] >> 4];
        out[n++] = hex[uuid[i] & 15];
    }
}

bool gtid_scan_uuid(struct scan *s, uint8_t uuid[16])
{
    if (s->end - s->p < UUID_TEXT_LEN)
        return false;
    const char *p = s->p;
    for (size_t i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
            return false;
        int high = scan_hex_value(p[0]), low = scan_hex_value(p[1]);
        if (high < 0 || low < 0)
            return false;
        uuid[i] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    s->p = p;
    return true;
}

static bool is_tag_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool gtid_scan_tag(struct scan *s, char tag[GTID_TAG_MAX + 1])
{
    const char *p = s->p;
    size_t n = 0;
    while (p < s->end && (is_tag_start(*p) || (n && scan_is_digit(*p)))) {
        if (n == GTID_TAG_MAX)
            return false;
        char c = *p++;
        tag[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (n == 0)
        return false;
    memset(tag + n, 0, GTID_TAG_MAX + 1 - n);
    s->p = p;
    return true;
}

bool gtid_scan_mariadb(struct scan *s, struct gtid *out)
{
    struct scan at = *s;
    uint64_t domain, server, number;
    if (!scan_u64(&at, UINT32_MAX, &domain) || !scan_char(&at, '-') || !scan_u64(&at, UINT32_MAX, &server) ||
        !scan_char(&at, '-') || !scan_u64(&at, UINT64_MAX, &number) || number == 0)
        return false;
    *out = (struct gtid){
        .flavor = FLAVOR_MARIADB, .domain = (uint32_t)domain, .server = (uint32_t)server, .number = number};
    *s = at;
    return true;
}

size_t gtid_print(const struct gtid *gtid, char out[GTID_TEXT_MAX])
{
    out[0] = '\0';
    if (!gtid_is_set(gtid))
        return 0;
    int n;
    if (gtid->flavor == FLAVOR_MARIADB) {
        n = snprintf(out, GTID_TEXT_MAX, "%u-%u-%llu", gtid->domain, gtid->server, (unsigned long long)gtid->number);
    } else {
        char uuid[UUID_TEXT_LEN];
        gtid_uuid_print(gtid->uuid, uuid);
        n = snprintf(out, GTID_TEXT_MAX, "%.*s%s%s:%llu", UUID_TEXT_LEN, uuid, gtid->tag[0] ? ":" : "", gtid->tag,
                     (unsigned long long)gtid->number);
    }
    return n > 0 ? (size_t)n : 0;
}

static bool scan_mysql(struct scan *s, struct gtid *out)
{
    struct gtid gtid = {.flavor = FLAVOR_MYSQL};
    if (!gtid_scan_uuid(s, gtid.uuid) || !scan_char(s, ':'))
        return false;
    if (gtid_scan_tag(s, gtid.tag) && !scan_char(s, ':'))
        return false;
    if (!scan_u64(s, GTID_NUMBER_MAX, &gtid.number) || gtid.number == 0)
        return false;
    *out = gtid;
    return true;
}

int gtid_parse(struct gtid *out, enum flavor flavor, const char *text, size_t len, struct err *e)
{
    struct scan s = scan_over(text, len);
    struct gtid gtid;
    bool ok = flavor == FLAVOR_MARIADB ? gtid_scan_mariadb(&s, &gtid) : scan_mysql(&s, &gtid);
    if (!ok || !scan_at_end(&s))
        return scan_error(e, text, len,
                          flavor == FLAVOR_MARIADB ? "a GTID is domain-server-sequence"
                                                   : "a GTID is uuid[:tag]:number");
    *out = gtid;
    return 0;
}

bool gtid_equal(const struct gtid *a, const struct gtid *b)
{
    return a->number == b->number && gtid_same_writer(a, b) && (a->flavor == FLAVOR_MYSQL || a->server == b->server);
}

bool gtid_same_writer(const struct gtid *a, const struct gtid *b)
{
    if (a->flavor != b->flavor)
        return false;
    if (a->flavor == FLAVOR_MARIADB)
        return a->domain == b->domain;
    return memcmp(a->uuid, b->uuid, sizeof a->uuid) == 0 && strcmp(a->tag, b->tag) == 0;
}
