/* The log `schema` of a state: what was put, cut and forgotten, in this order. Reading it carries out the same again.
 *
 * An item, little-endian; names and texts have their length in front (a name is 2 + n bytes, a text 4 + n); a place is
 * named by its number (4), 0 is none:
 *     0  1  format version (1)
 *     1  1  what it is; then what that has:
 *    'P'    a place: number (4; from 1, rising one by one), file position (8), server uuid (name), file (name)
 *           flavour of its GTIDs (1; 0 MySQL, 1 MariaDB, 2 none), GTID (name), has a set (1), the set (text)
 *    'V'    a version: kind (1), origin (1), flags (1; 1 candidate, 2 created), place, window
 *           behind: the place of the version that it was put behind
 *           seen: its own place with the set before it; only in the log of a replay beside a service, whose history
 *           may be longer when the replay's is read again
 *           database (name), table (name), text (text)
 *    'C'    a cut: place
 *    'F'    forgotten: what (1; 0 everything, 1 a database, 2 a table), database (name), table (name)
 *    'T'    what held before was forgotten in part, and is not in the log: place
 *    'M'    the case rule: lower_case_table_names (1; 255 not known)
 *
 * A place stands in the log once, in front of its first use. What one put tells is one entry of the log, so that all of
 * it is there after a crash, or nothing. */
#include <stdlib.h>
#include <string.h>

#include "schema/history_private.h"

/* The items of one entry, one behind the other, and the points that get their number by it. */
struct writing {
    struct history *h;
    struct buf bytes;
    size_t *ends;
    size_t count, size;
    struct history_point **points;
    size_t n_points, points_size;
    uint32_t ids; /* in the log when all is written */
    bool anew;    /* the whole log is written */
    bool failed;
};

static void add_le(struct writing *w, uint64_t v, unsigned bytes)
{
    uint8_t out[8];
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(v >> (8 * i));
    buf_add(&w->bytes, out, bytes);
}

static void add_name(struct writing *w, const char *name)
{
    add_le(w, strlen(name), 2);
    buf_text(&w->bytes, name);
}

static void begin_item(struct writing *w, char what)
{
    add_le(w, HISTORY_FORMAT, 1);
    add_le(w, (uint8_t)what, 1);
}

static void end_item(struct writing *w)
{
    if (w->count == w->size) {
        size_t size = w->size ? 2 * w->size : 16;
        size_t *ends = realloc(w->ends, size * sizeof *ends);
        if (!ends) {
            w->failed = true;
            return;
        }
        w->ends = ends;
        w->size = size;
    }
    w->ends[w->count++] = w->bytes.len;
}

static void add_set(struct writing *w, const struct gtid_set *set)
{
    size_t begin = w->bytes.len;
    add_le(w, set != NULL, 1);
    add_le(w, 0, 4);
    if (!set)
        return;
    gtid_set_print(set, &w->bytes);
    if (w->bytes.failed)
        return;
    size_t len = w->bytes.len - begin - 5;
    for (unsigned i = 0; i < 4; i++)
        w->bytes.p[begin + 1 + i] = (uint8_t)(len >> (8 * i));
}

static void add_point(struct writing *w, const struct history_point *point)
{
    char gtid[GTID_TEXT_MAX];
    bool has_gtid = gtid_is_set(&point->pub.gtid);
    unsigned flavor = has_gtid           ? (unsigned)point->pub.gtid.flavor
                      : point->pub.gtids ? (unsigned)gtid_set_flavor(point->pub.gtids)
                                         : HISTORY_NO_FLAVOR;
    begin_item(w, 'P');
    add_le(w, w->ids, 4);
    add_le(w, point->pub.pos, 8);
    add_name(w, point->pub.server_uuid);
    add_name(w, point->pub.file);
    add_le(w, flavor, 1);
    gtid_print(&point->pub.gtid, gtid);
    add_name(w, gtid);
    add_set(w, point->pub.gtids);
    end_item(w);
}

/* The number of a place in the log, which is written in front when it is not there yet. */
static uint32_t point_id(struct writing *w, const struct history_point *asked)
{
    if (!asked)
        return 0;
    uint32_t known = w->anew ? asked->next_id : asked->log_id;
    if (known)
        return known;
    if (w->n_points == w->points_size) {
        size_t size = w->points_size ? 2 * w->points_size : 16;
        struct history_point **points = realloc(w->points, size * sizeof(struct history_point *));
        if (!points) {
            w->failed = true;
            return 0;
        }
        w->points = points;
        w->points_size = size;
    }
    struct history_point *point = history_point_own(w->h, asked);
    w->points[w->n_points++] = point;
    point->next_id = ++w->ids;
    if (!w->anew)
        point->log_id = w->ids;
    add_point(w, point);
    return w->ids;
}

static void add_version(struct writing *w, const struct history_entry *entry, const struct history_version *v,
                        unsigned flags, const struct history_point *after, const struct history_point *seen)
{
    uint32_t place = point_id(w, history_point_of(v->place));
    uint32_t window = point_id(w, v->window ? history_point_of(v->window) : NULL);
    uint32_t behind = point_id(w, after), full = point_id(w, seen);
    begin_item(w, 'V');
    add_le(w, v->kind, 1);
    add_le(w, v->origin, 1);
    add_le(w, flags, 1);
    add_le(w, place, 4);
    add_le(w, window, 4);
    add_le(w, behind, 4);
    add_le(w, full, 4);
    add_name(w, entry->names);
    add_name(w, history_entry_table(entry));
    add_le(w, v->len, 4);
    buf_add(&w->bytes, v->text, v->len);
    end_item(w);
}

static struct writing begin_writing(struct history *h, bool anew)
{
    struct writing w = {.h = h, .ids = anew ? 0 : h->log_ids, .anew = anew};
    buf_init(&w.bytes, 0);
    return w;
}

static int store(struct writing *w, struct err *e)
{
    struct state_item *items = calloc(w->count + 1, sizeof *items);
    int rc = 0;
    if (!items)
        return err_set(e, NO_MEMORY, w->count * sizeof *items);
    for (size_t i = 0, start = 0; i < w->count; start = w->ends[i++])
        items[i] = (struct state_item){w->bytes.p + start, w->ends[i] - start};
    if (w->anew)
        rc = state_replace(w->h->own, HISTORY_LOG_NAME, items, w->count, e);
    else if (w->count)
        rc = state_append_all(w->h->own, HISTORY_LOG_NAME, items, w->count, e);
    free(items);
    return rc;
}

static void release(struct writing *w)
{
    free(w->ends);
    free(w->points);
    buf_release(&w->bytes);
}

/* Numbers of places that the new log does not have must not be used again. */
static void forget_ids(struct history *h)
{
    for (size_t i = 0; i < h->n_point_buckets; i++)
        for (struct history_point *point = h->points[i]; point; point = point->next)
            point->log_id = 0;
}

/* Stores the items behind the log or instead of it. Without success the points have the numbers that they had. */
static int end_writing(struct writing *w, struct err *e)
{
    struct history *h = w->h;
    int rc = w->failed || w->bytes.failed ? err_set(e, NO_MEMORY, w->bytes.len) : store(w, e);
    if (rc == 0) {
        if (w->anew)
            forget_ids(h);
        h->log_ids = w->ids;
        h->log_bytes = (w->anew ? 0 : h->log_bytes) + w->bytes.len;
    }
    for (size_t i = 0; i < w->n_points; i++) {
        if (rc == 0)
            w->points[i]->log_id = w->points[i]->next_id;
        else if (!w->anew)
            w->points[i]->log_id = 0;
        w->points[i]->next_id = 0;
    }
    release(w);
    return rc;
}

int history_log_put(struct history *h, const struct history_slot *slots, size_t count, const struct history_point *seen,
                    struct err *e)
{
    if (!h->own)
        return 0;
    struct writing w = begin_writing(h, false);
    for (size_t i = 0; i < count; i++) {
        unsigned flags = (slots[i].candidate ? HISTORY_CANDIDATE : 0u) | (slots[i].created ? HISTORY_CREATED : 0u);
        if (slots[i].item)
            add_version(&w, slots[i].entry, &slots[i].item->pub, flags, slots[i].after, seen);
    }
    return end_writing(&w, e);
}

int history_log_cut(struct history *h, const struct history_point *kept, struct err *e)
{
    if (!h->own)
        return 0;
    struct writing w = begin_writing(h, false);
    uint32_t place = point_id(&w, kept);
    begin_item(&w, 'C');
    add_le(&w, place, 4);
    end_item(&w);
    return end_writing(&w, e);
}

int history_log_forget(struct history *h, const char *db, const char *table, struct err *e)
{
    if (!h->own)
        return 0;
    struct writing w = begin_writing(h, false);
    begin_item(&w, 'F');
    add_le(&w, table ? HISTORY_TABLE : db ? HISTORY_DATABASE : HISTORY_ALL, 1);
    add_name(&w, db ? db : "");
    add_name(&w, table ? table : "");
    end_item(&w);
    return end_writing(&w, e);
}

static void add_case(struct writing *w, int lower_case)
{
    begin_item(w, 'M');
    add_le(w, (uint8_t)lower_case, 1);
    end_item(w);
}

int history_log_case(struct history *h, int lower_case, struct err *e)
{
    if (!h->own)
        return 0;
    struct writing w = begin_writing(h, false);
    add_case(&w, lower_case);
    return end_writing(&w, e);
}

static void add_entry(struct writing *w, const struct history_entry *entry)
{
    for (size_t i = 0; i < entry->n; i++)
        add_version(w, entry, &entry->list[i]->pub, (entry->candidate ? HISTORY_CANDIDATE : 0) | HISTORY_CREATED,
                    i ? history_point_of(entry->list[i - 1]->pub.place) : NULL, NULL);
}

static struct writing write_all(struct history *h)
{
    struct writing w = begin_writing(h, true);
    if (h->lower_case != HISTORY_CASE_UNKNOWN)
        add_case(&w, h->lower_case);
    if (h->floor) {
        uint32_t place = point_id(&w, h->floor);
        begin_item(&w, 'T');
        add_le(&w, place, 4);
        end_item(&w);
    }
    for (size_t i = 0; i < h->n; i++)
        if (!h->entries[i]->candidate)
            add_entry(&w, h->entries[i]);
    for (const struct history_entry *entry = h->oldest; entry; entry = entry->newer)
        add_entry(&w, entry);
    return w;
}

int history_log_rewrite(struct history *h, struct err *e)
{
    if (!h->own)
        return 0;
    struct writing w = write_all(h);
    return end_writing(&w, e);
}

int history_compact(struct history *h, struct err *e)
{
    if (!h->own || h->has_base || h->log_bytes < h->log_limit)
        return 0;
    struct writing w = write_all(h);
    h->log_limit = 2 * w.bytes.len > HISTORY_COMPACT_MIN ? 2 * w.bytes.len : HISTORY_COMPACT_MIN;
    if (!w.failed && !w.bytes.failed && 2 * w.bytes.len > h->log_bytes) {
        for (size_t i = 0; i < w.n_points; i++)
            w.points[i]->next_id = 0;
        release(&w);
        return 0;
    }
    return end_writing(&w, e);
}

void history_try_compact(struct history *h)
{
    struct err failed = ERR_INIT;
    if (history_compact(h, &failed) == 0)
        return;
    h->log_limit = h->log_bytes + HISTORY_COMPACT_MIN;
    h->complains = true;
    h->complaint = failed;
}

bool history_complaint(struct history *h, struct err *out)
{
    bool complains = h->complains;
    if (complains)
        *out = h->complaint;
    h->complains = false;
    return complains;
}
