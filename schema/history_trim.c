/* Old versions that nobody who goes on at a stored position can need: forgotten beyond what is to be kept. */
#include "schema/history_private.h"

/* The versions that hold nowhere at or behind the place: those in front of the one that holds there. */
static size_t superseded(const struct history_entry *entry, const struct history_seen *at)
{
    const struct history_item *item = history_entry_find(entry, at);
    size_t n = 0;
    while (item && entry->list[n] != item)
        n++;
    return n;
}

static bool is_dropped(const struct history_entry *entry, const struct history_seen *at)
{
    return !entry->candidate && entry->list[entry->n - 1]->pub.kind == HISTORY_GONE &&
           superseded(entry, at) == entry->n - 1 &&
           history_holds(history_point_of(entry->list[entry->n - 1]->pub.place), at);
}

static size_t count_dropped(const struct history *h, const struct history_seen *at)
{
    size_t count = 0;
    for (size_t i = 0; i < h->n; i++)
        count += is_dropped(h->entries[i], at);
    return count;
}

/* Beyond the limit, an eighth more than needed, so that not every start writes all anew. */
static size_t excess(size_t count, uint64_t limit)
{
    return count > limit ? count - (size_t)(limit - limit / 8) : 0;
}

/* Those go first that were first known. */
static size_t trim_dropped(struct history *h, const struct history_seen *at, uint64_t limit)
{
    size_t left = excess(count_dropped(h, at), limit), forgotten = 0;
    for (size_t i = 0; i < h->n && forgotten < left;) {
        if (!is_dropped(h->entries[i], at)) {
            i++;
            continue;
        }
        history_entry_remove(h, h->entries[i]);
        forgotten++;
    }
    return forgotten;
}

static size_t trim_versions(struct history *h, const struct history_seen *at, uint64_t limit)
{
    size_t forgotten = 0;
    for (size_t i = 0; i < h->n; i++) {
        size_t old = superseded(h->entries[i], at);
        for (size_t left = excess(old, limit); left > 0; left--, forgotten++)
            history_entry_delete(h, h->entries[i], 0);
    }
    return forgotten;
}

int history_trim(struct history *h, const struct history_where *where, const struct history_limits *keep,
                 size_t *forgotten, struct err *e)
{
    struct history_seen at = history_see(where);
    struct history_point *floor = history_point_take(h, &at);
    if (!floor)
        return err_set(e, NO_MEMORY, sizeof *floor);
    size_t count = trim_dropped(h, &at, keep->dropped_tables) + trim_versions(h, &at, keep->table_versions);
    if (count == 0)
        history_point_drop(h, floor);
    else
        history_set_floor(h, floor);
    if (count > 0 && history_log_rewrite(h, e) != 0)
        return err_result(e);
    *forgotten = count;
    return 0;
}

void history_set_floor(struct history *h, struct history_point *floor)
{
    history_point_drop(h, h->floor);
    h->floor = floor;
}

const struct history_place *history_floor(struct history *h, const struct history_where *where)
{
    struct history_seen at = history_see(where);
    return h->floor && !history_holds(h->floor, &at) ? &h->floor->pub : NULL;
}
