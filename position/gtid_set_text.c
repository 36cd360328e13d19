/* GTID sets as text, both flavours. MySQL's grammar: UUID, then any number of ":tag" and ":first[-last]" where a tag
 * holds for the intervals behind it until the next UUID; commas between UUIDs, empty ones allowed. */
#include "position/gtid_set_impl.h"

/* Takes `first[-last]`; an interval that ends before it begins is empty, as the server has it. */
static bool scan_interval(struct scan *s, struct gtid_interval *out)
{
    if (!scan_u64(s, GTID_NUMBER_MAX, &out->first) || out->first == 0)
        return false;
    scan_space(s);
    out->last = out->first;
    if (!scan_char(s, '-'))
        return true;
    scan_space(s);
    if (!scan_u64(s, GTID_NUMBER_MAX, &out->last))
        return false;
    scan_space(s);
    return true;
}

/* One UUID with its tags and intervals; *why names what is wrong when the result is not 0. */
static int parse_source(struct gtid_set *set, struct scan *s, const char **why, struct err *e)
{
    struct gtid_source source = {{0}, {0}};
    if (!gtid_scan_uuid(s, source.uuid)) {
        *why = "a UUID is expected";
        return -1;
    }
    scan_space(s);
    while (scan_char(s, ':')) {
        struct gtid_interval iv;
        scan_space(s);
        if (gtid_scan_tag(s, source.tag)) {
            scan_space(s);
            continue;
        }
        if (!scan_interval(s, &iv)) {
            *why = "a number from 1, an interval or a tag is expected behind the colon";
            return -1;
        }
        if (iv.last < iv.first)
            continue;
        int rc = gtid_set_append_interval(set, &source, iv, e);
        if (rc)
            return rc;
    }
    return 0;
}

static int parse_domain(struct gtid_set *set, struct scan *s, const char **why, struct err *e)
{
    struct gtid gtid;
    if (!gtid_scan_mariadb(s, &gtid)) {
        *why = "domain-server-sequence is expected";
        return -1;
    }
    scan_space(s);
    return gtid_set_append(set, &gtid, e);
}

int gtid_set_parse(struct gtid_set **out, enum flavor flavor, const char *text, size_t len, struct err *e)
{
    struct gtid_set *set = gtid_set_new(flavor);
    if (!set)
        return err_set(e, NO_MEMORY, sizeof *set);
    struct scan s = scan_over(text, len);
    const char *why = NULL;
    int rc = 0;
    scan_space(&s);
    while (rc == 0 && !scan_at_end(&s)) {
        if (scan_char(&s, ',')) {
            scan_space(&s);
            continue;
        }
        rc = flavor == FLAVOR_MARIADB ? parse_domain(set, &s, &why, e) : parse_source(set, &s, &why, e);
        if (rc == 0 && !scan_at_end(&s) && *s.p != ',') {
            why = "a comma is expected";
            rc = -1;
        }
    }
    size_t named = set->n_domains;
    if (rc == 0)
        rc = gtid_set_settle(set, e);
    if (rc == 0 && set->n_domains != named) {
        why = "a domain is named twice";
        rc = -1;
    }
    if (rc) {
        gtid_set_free(set);
        return why ? scan_error(e, text, len, why) : rc;
    }
    *out = set;
    return 0;
}

static void print_intervals(const struct gtid_run *run, struct buf *out)
{
    for (size_t i = 0; i < run->n; i++) {
        buf_printf(out, ":%llu", (unsigned long long)run->iv[i].first);
        if (run->iv[i].last != run->iv[i].first)
            buf_printf(out, "-%llu", (unsigned long long)run->iv[i].last);
    }
}

void gtid_set_print(const struct gtid_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->n_domains; i++) {
        char text[GTID_TEXT_MAX];
        size_t len = gtid_print(&set->domains[i], text);
        if (i)
            buf_byte(out, ',');
        buf_add(out, text, len);
    }
    for (size_t i = 0; i < set->n; i++) {
        const struct gtid_source *source = &set->runs[i].source;
        if (i == 0 || memcmp(source->uuid, set->runs[i - 1].source.uuid, sizeof source->uuid) != 0) {
            char uuid[UUID_TEXT_LEN];
            gtid_uuid_print(source->uuid, uuid);
            if (i)
                buf_byte(out, ',');
            buf_add(out, uuid, sizeof uuid);
        }
        if (source->tag[0])
            buf_printf(out, ":%s", source->tag);
        print_intervals(&set->runs[i], out);
    }
}
