/* Places: stored once each, and what can be told about two of them. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "schema/history_private.h"

/* An empty set tells nothing, since a server without GTIDs has one too; but for the first transaction that has one. */
static const struct gtid_set *telling(const struct history_where *where)
{
    bool told = where->gtids && (gtid_is_set(&where->gtid) || !gtid_set_is_empty(where->gtids));
    return told ? where->gtids : NULL;
}

struct history_seen history_see(const struct history_where *where)
{
    return (struct history_seen){.server_uuid = where->server_uuid ? where->server_uuid : "",
                                 .file = where->at.file,
                                 .number = filepos_file_number(where->at.file),
                                 .pos = where->at.file[0] ? where->at.pos : 0,
                                 .gtids = telling(where),
                                 .gtid = &where->gtid};
}

struct history_seen history_see_point(const struct history_point *point)
{
    return (struct history_seen){.server_uuid = point->pub.server_uuid,
                                 .file = point->pub.file,
                                 .number = point->number,
                                 .pos = point->pub.pos,
                                 .gtids = point->pub.gtids,
                                 .gtid = &point->pub.gtid};
}

static uint64_t hash_of(const struct history_seen *place)
{
    uint64_t parts[5] = {hash_bytes(place->server_uuid, strlen(place->server_uuid)),
                         hash_bytes(place->file, strlen(place->file)), place->pos, place->gtid->number,
                         place->gtids != NULL};
    return hash_bytes(parts, sizeof parts);
}

static bool same_sets(const struct gtid_set *a, const struct gtid_set *b)
{
    if (!a || !b)
        return a == b;
    return gtid_set_flavor(a) == gtid_set_flavor(b) && gtid_set_equal(a, b);
}

static bool same_gtids(const struct gtid *a, const struct gtid *b)
{
    if (!gtid_is_set(a) || !gtid_is_set(b))
        return gtid_is_set(a) == gtid_is_set(b);
    return a->flavor == b->flavor && gtid_equal(a, b);
}

static bool same_file(const struct history_point *point, const struct history_seen *at)
{
    return point->pub.pos == at->pos && strcmp(point->pub.file, at->file) == 0 &&
           strcmp(point->pub.server_uuid, at->server_uuid) == 0;
}

static bool same_content(const struct history_point *point, const struct history_seen *place)
{
    return same_file(point, place) && same_gtids(&point->pub.gtid, place->gtid) &&
           same_sets(point->pub.gtids, place->gtids);
}

static bool grow(struct history *h)
{
    size_t n = h->n_point_buckets ? 2 * h->n_point_buckets : 64;
    struct history_point **points = calloc(n, sizeof(struct history_point *));
    if (!points)
        return false;
    for (size_t i = 0; i < h->n_point_buckets; i++)
        for (struct history_point *point = h->points[i], *next; point; point = next) {
            next = point->next;
            point->next = points[point->hash & (n - 1)];
            points[point->hash & (n - 1)] = point;
        }
    free(h->points);
    h->bytes += (n - h->n_point_buckets) * sizeof(struct history_point *);
    h->points = points;
    h->n_point_buckets = n;
    return true;
}

static size_t point_bytes(const struct history_point *point)
{
    return sizeof *point + strlen(point->pub.server_uuid) + strlen(point->pub.file) + 2;
}

static struct history_point *point_new(struct history *h, const struct history_seen *place, uint64_t hash)
{
    size_t uuid = strlen(place->server_uuid) + 1, file = strlen(place->file) + 1;
    struct history_point *point = calloc(1, sizeof *point + uuid + file);
    if (!point)
        return NULL;
    if (place->gtids && (point->gtids = gtid_set_copy(place->gtids)) == NULL) {
        free(point);
        return NULL;
    }
    memcpy(point->names, place->server_uuid, uuid);
    memcpy(point->names + uuid, place->file, file);
    point->pub = (struct history_place){point->names, point->names + uuid, place->pos, point->gtids, *place->gtid};
    point->number = place->number;
    point->hash = hash;
    point->refs = 1;
    point->next = h->points[hash & (h->n_point_buckets - 1)];
    h->points[hash & (h->n_point_buckets - 1)] = point;
    h->n_points++;
    h->bytes += point_bytes(point);
    return point;
}

struct history_point *history_point_take(struct history *h, const struct history_seen *place)
{
    uint64_t hash = hash_of(place);
    if (h->n_points >= h->n_point_buckets && !grow(h))
        return NULL;
    for (struct history_point *point = h->points[hash & (h->n_point_buckets - 1)]; point; point = point->next)
        if (point->hash == hash && same_content(point, place)) {
            point->refs++;
            return point;
        }
    return point_new(h, place, hash);
}

static struct history_point **link_of(struct history *h, const struct history_point *point)
{
    struct history_point **link = &h->points[point->hash & (h->n_point_buckets - 1)];
    while (*link != point)
        link = &(*link)->next;
    return link;
}

void history_point_share(struct history *h, const struct history_point *point)
{
    (*link_of(h, point))->refs++;
}

struct history_point *history_point_own(struct history *h, const struct history_point *point)
{
    return *link_of(h, point);
}

void history_point_drop(struct history *h, const struct history_point *point)
{
    if (!point)
        return;
    struct history_point **link = link_of(h, point), *found = *link;
    if (--found->refs > 0)
        return;
    *link = found->next;
    h->n_points--;
    h->bytes -= point_bytes(found);
    gtid_set_free(found->gtids);
    free(found);
}

static bool before_everything(const struct history_point *point)
{
    return !point->pub.file[0] && !point->pub.gtids && !gtid_is_set(&point->pub.gtid);
}

static bool comparable_files(const char *uuid_a, const char *file_a, const char *uuid_b, const char *file_b)
{
    return file_a[0] && file_b[0] && strcmp(uuid_a, uuid_b) == 0;
}

static enum history_order order_if(bool holds)
{
    return holds ? HISTORY_BEFORE : HISTORY_LATER;
}

static enum history_order order_by_gtid(const struct history_place *place, const struct history_seen *at)
{
    if (gtid_is_set(&place->gtid)) {
        if (gtid_is_set(at->gtid) && same_gtids(&place->gtid, at->gtid))
            return HISTORY_BEFORE;
        if (at->gtids && gtid_set_flavor(at->gtids) == place->gtid.flavor)
            return order_if(gtid_set_contains(at->gtids, &place->gtid));
    } else if (place->gtids && at->gtids && gtid_set_flavor(at->gtids) == gtid_set_flavor(place->gtids)) {
        return order_if(gtid_set_contains_set(at->gtids, place->gtids));
    }
    return HISTORY_UNTOLD;
}

enum history_order history_order(const struct history_point *point, const struct history_seen *at)
{
    if (before_everything(point))
        return HISTORY_BEFORE;
    if (comparable_files(point->pub.server_uuid, point->pub.file, at->server_uuid, at->file))
        return order_if(point->number != at->number ? point->number < at->number : point->pub.pos <= at->pos);
    return order_by_gtid(&point->pub, at);
}

bool history_holds(const struct history_point *point, const struct history_seen *at)
{
    return history_order(point, at) == HISTORY_BEFORE;
}

bool history_same_place(const struct history_point *point, const struct history_seen *at)
{
    bool nowhere = !at->file[0] && !at->gtids && !gtid_is_set(at->gtid);
    if (nowhere || before_everything(point))
        return nowhere && before_everything(point);
    if (gtid_is_set(&point->pub.gtid) && gtid_is_set(at->gtid))
        return same_gtids(&point->pub.gtid, at->gtid);
    if (point->pub.file[0] && at->file[0])
        return same_file(point, at);
    return point->pub.gtids && at->gtids && same_sets(point->pub.gtids, at->gtids);
}

bool history_in_window(const struct history_version *snapshot, const struct history_seen *at)
{
    const struct history_place *from = snapshot->window, *upto = snapshot->place;
    if (!from)
        return false;
    if (comparable_files(from->server_uuid, from->file, at->server_uuid, at->file) &&
        comparable_files(upto->server_uuid, upto->file, at->server_uuid, at->file)) {
        uint64_t first = history_point_of(from)->number, last = history_point_of(upto)->number;
        return (at->number != first ? at->number > first : at->pos >= from->pos) &&
               (at->number != last ? at->number < last : at->pos < upto->pos);
    }
    if (!gtid_is_set(at->gtid) || !upto->gtids || gtid_set_flavor(upto->gtids) != at->gtid->flavor)
        return false;
    return gtid_set_contains(upto->gtids, at->gtid) && from->gtids &&
           gtid_set_flavor(from->gtids) == at->gtid->flavor && !gtid_set_contains(from->gtids, at->gtid);
}

bool history_stands_for(const struct history_point *a, const struct history_point *b)
{
    bool gtid_a = a->pub.gtids || gtid_is_set(&a->pub.gtid), gtid_b = b->pub.gtids || gtid_is_set(&b->pub.gtid);
    if (before_everything(a))
        return true;
    if (gtid_b && !gtid_a)
        return false;
    return !b->pub.file[0] || (a->pub.file[0] && strcmp(a->pub.server_uuid, b->pub.server_uuid) == 0);
}
