/* Putting versions: everything that can fail is done first, then the log is written, then the lists change. */
#include <stdlib.h>
#include <string.h>

#include "schema/history_private.h"

static int check(const struct history_change *change, struct err *e)
{
    size_t db = strlen(change->db), table = strlen(change->table);
    if (db > HISTORY_NAME_MAX || table > HISTORY_NAME_MAX)
        return err_set(e, LIMIT, "name of a table", db > table ? db : table, (size_t)HISTORY_NAME_MAX);
    if (change->len > HISTORY_TEXT_MAX)
        return err_set(e, LIMIT, "definition of a table", change->len, HISTORY_TEXT_MAX);
    return 0;
}

/* The version of a change with references of its own to the two places. */
static struct history_item *item_of(struct history *h, const struct history_version *v)
{
    history_point_share(h, history_point_of(v->place));
    if (v->window)
        history_point_share(h, history_point_of(v->window));
    return history_item_new(h, v);
}

static struct history_entry *entry_for(struct history *h, const struct history_change *change,
                                       const struct history_seen *at)
{
    struct history_entry *entry = change->created ? history_lookup_created(h, change->db, change->table, at)
                                                  : history_lookup(h, change->db, change->table);
    return entry ? entry : history_entry_add(h, change->db, change->table);
}

/* An unwanted table of which nothing is known needs no word about it. */
static bool is_idle(const struct history_entry *entry, const struct history_version *v, bool candidate)
{
    return candidate && entry->n == 0 && v->kind != HISTORY_DEFINED;
}

int history_stage(struct history *h, struct history_slot *slot, const struct history_change *change,
                  const struct history_version *v, const struct history_seen *at, const struct history_reading *reading,
                  struct err *e)
{
    struct history_entry *entry = entry_for(h, change, at);
    if (!entry)
        return err_set(e, NO_MEMORY, sizeof *entry);
    *slot = (struct history_slot){.entry = entry, .created = change->created};
    slot->candidate = change->candidate && (entry->n == 0 || entry->candidate);
    slot->plan = history_plan(entry, v, slot, at, reading);
    if (!slot->plan.keep || is_idle(entry, v, slot->candidate))
        return 0;
    if (slot->plan.index > 0)
        slot->after = history_point_of(entry->list[slot->plan.index - 1]->pub.place);
    if (!history_entry_room(h, entry) || (slot->item = item_of(h, v)) == NULL) {
        if (entry->slot)
            slot->entry = NULL;
        return err_set(e, NO_MEMORY, v->len);
    }
    return 0;
}

void history_unstage(struct history *h, struct history_slot *slot)
{
    history_item_free(h, slot->item);
    if (slot->entry && slot->entry->n == 0)
        history_entry_remove(h, slot->entry);
}

static size_t remove_void(struct history *h, struct history_entry *entry, const struct history_version *v, size_t index)
{
    for (size_t i = entry->n; i-- > 0;)
        if (history_makes_void(entry, i, v)) {
            history_entry_delete(h, entry, i);
            index -= i < index;
        }
    return index;
}

/* Of a candidate only the newest version of the log is kept, none when it is gone, and the readings of the server
 * behind it: statements that come before a reading are still to be followed. */
static void settle_candidate(struct history *h, struct history_entry *entry, size_t index)
{
    const struct history_version *v = &entry->list[index]->pub;
    bool reading = v->origin == HISTORY_SNAPSHOT, there = v->kind == HISTORY_DEFINED;
    for (size_t i = entry->n; i-- > 0;) {
        bool is_reading = entry->list[i]->pub.origin == HISTORY_SNAPSHOT;
        bool stays = i == index ? there : is_reading ? i > index : reading && i < index;
        if (!stays)
            history_entry_delete(h, entry, i);
    }
    if (entry->n == 0)
        history_entry_remove(h, entry);
    else
        history_set_candidate(h, entry, true);
}

void history_commit(struct history *h, struct history_slot *slot)
{
    struct history_entry *entry = slot->entry;
    size_t index = slot->plan.index;
    if (!entry)
        return;
    if (!slot->item) {
        if (entry->n == 0)
            history_entry_remove(h, entry);
        return;
    }
    if (slot->plan.replaces)
        history_entry_delete(h, entry, index);
    index = remove_void(h, entry, &slot->item->pub, index);
    history_entry_insert(entry, slot->item, index);
    if (slot->candidate)
        settle_candidate(h, entry, index);
    else if (entry->candidate)
        history_set_candidate(h, entry, false);
}

void history_trim_candidates(struct history *h)
{
    while (h->candidates > HISTORY_CANDIDATES_MAX)
        history_entry_remove(h, h->oldest);
}

/* The place as it is kept: of a statement one GTID says all, a snapshot has a set. */
static struct history_seen kept_place(const struct history_seen *at, enum history_origin origin)
{
    static const struct gtid no_gtid;
    struct history_seen kept = *at;
    if (origin == HISTORY_LOG || (origin == HISTORY_IMPORT && gtid_is_set(at->gtid)) ||
        (at->gtids && gtid_set_is_empty(at->gtids)))
        kept.gtids = NULL;
    if (origin == HISTORY_SNAPSHOT)
        kept.gtid = &no_gtid;
    return kept;
}

static int stage_all(struct history *h, struct history_slot *slots, const struct history_version *v,
                     const struct history_seen *at, const struct history_change *changes, size_t count, struct err *e)
{
    const struct history_reading fresh = {.found = false};
    for (size_t i = 0; i < count; i++) {
        struct history_version one = *v;
        one.kind = changes[i].kind;
        one.text = changes[i].text;
        one.len = changes[i].kind == HISTORY_GONE ? 0 : changes[i].len;
        if (check(&changes[i], e) != 0 || history_stage(h, &slots[i], &changes[i], &one, at, &fresh, e) != 0)
            return err_result(e);
        struct history_entry *entry = slots[i].entry;
        if (entry->slot) {
            history_item_free(h, slots[entry->slot - 1].item);
            slots[entry->slot - 1] = (struct history_slot){.entry = NULL};
        }
        entry->slot = i + 1;
    }
    return 0;
}

static int put(struct history *h, const struct history_version *v, const struct history_seen *at,
               const struct history_change *changes, size_t count, struct err *e)
{
    struct history_point *seen = NULL;
    if (h->own && h->has_base && at->gtids && (seen = history_point_take(h, at)) == NULL)
        return err_set(e, NO_MEMORY, sizeof *seen);
    struct history_slot *slots = calloc(count, sizeof *slots);
    int rc = slots ? 0 : err_set(e, NO_MEMORY, count * sizeof *slots);
    if (rc == 0)
        rc = stage_all(h, slots, v, at, changes, count, e);
    for (size_t i = 0; slots && i < count; i++)
        if (slots[i].entry)
            slots[i].entry->slot = 0;
    if (rc == 0)
        rc = history_log_put(h, slots, count, seen, e);
    for (size_t i = 0; slots && i < count; i++) {
        if (rc == 0)
            history_commit(h, &slots[i]);
        else
            history_unstage(h, &slots[i]);
    }
    history_trim_candidates(h);
    history_point_drop(h, seen);
    free(slots);
    return rc;
}

int history_put(struct history *h, const struct history_where *where, enum history_origin origin,
                const struct history_where *window, const struct history_change *changes, size_t count, struct err *e)
{
    struct history_seen at = history_see(where), place = kept_place(&at, origin), from;
    struct history_point *point, *begin = NULL;
    int rc = 0;
    if (count == 0)
        return 0;
    point = history_point_take(h, &place);
    if (point && window && origin == HISTORY_SNAPSHOT) {
        from = history_see(window);
        if (place.gtids) /* then an empty set says that no transaction was before the window */
            from.gtids = window->gtids;
        begin = history_point_take(h, &from);
    }
    if (!point || (!begin && window && origin == HISTORY_SNAPSHOT)) {
        rc = err_set(e, NO_MEMORY, sizeof *point);
    } else {
        struct history_version v = {.origin = origin, .place = &point->pub, .window = begin ? &begin->pub : NULL};
        rc = put(h, &v, &at, changes, count, e);
    }
    history_point_drop(h, point);
    history_point_drop(h, begin);
    if (rc == 0)
        history_try_compact(h);
    return rc;
}
