/* Where a new version goes in its table's list, and what it makes of the others.
 *
 * Order: behind the last version that holds at the new one's place; if none does, before the first one that is told to
 * be later, or at whose place the new one holds; else at the end. A snapshot's place P2 is where the next event begins,
 * so a statement of just that position is behind the snapshot, whichever of the two is put first.
 *
 * A statement is covered by a statement or an import of exactly its place, a snapshot by a snapshot of its place. An
 * import takes the place of a statement or an import there.
 *
 * Window: the definition was read between P1 and P2; a statement that begins in [P1, P2) may have been executed before
 * or after the reading. If it leaves the table as the snapshot has it, the snapshot stays. Else the snapshot leaves the
 * list and the statement's own result is what is known. Seen from another server the window is told by the GTID: within
 * the set at P2 and not in that at P1. Both orders of putting them end with the same list. */
#include <string.h>

#include "schema/history_private.h"

static bool same_content(const struct history_version *a, const struct history_version *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind != HISTORY_DEFINED || (a->len == b->len && memcmp(a->text, b->text, a->len) == 0);
}

/* Whether the two, of the same place, tell what became of the table there. */
static bool meets(const struct history_version *old, const struct history_version *v)
{
    return v->origin == HISTORY_SNAPSHOT ? old->origin == HISTORY_SNAPSHOT : old->origin != HISTORY_SNAPSHOT;
}

static bool takes_place_of(const struct history_version *v, const struct history_version *old)
{
    return v->origin == HISTORY_IMPORT ||
           (v->origin == HISTORY_LOG && old->kind == HISTORY_UNKNOWN && v->kind != HISTORY_UNKNOWN);
}

static bool is_before(const struct history_version *old, const struct history_version *v, const struct history_seen *at)
{
    const struct history_point *point = history_point_of(old->place);
    if (v->origin == HISTORY_SNAPSHOT && old->origin != HISTORY_SNAPSHOT && at->file[0] &&
        strcmp(point->pub.file, at->file) == 0 && point->pub.pos == at->pos &&
        strcmp(point->pub.server_uuid, at->server_uuid) == 0)
        return false;
    return history_holds(point, at);
}

static size_t index_for(const struct history_entry *entry, const struct history_version *v,
                        const struct history_seen *at, bool *known)
{
    *known = true;
    for (size_t i = entry->n; i-- > 0;)
        if (is_before(&entry->list[i]->pub, v, at))
            return i + 1;
    *known = false;
    for (size_t i = 0; i < entry->n; i++) {
        const struct history_point *old = history_point_of(entry->list[i]->pub.place);
        struct history_seen there = history_see_point(old);
        if (history_order(old, at) == HISTORY_LATER || history_holds(history_point_of(v->place), &there))
            return i;
    }
    return entry->n;
}

static bool makes_void(const struct history_version *snapshot, const struct history_version *statement,
                       const struct history_seen *at)
{
    return snapshot->origin == HISTORY_SNAPSHOT && statement->origin == HISTORY_LOG &&
           !same_content(snapshot, statement) && history_in_window(snapshot, at);
}

/* Whether a statement that is known already makes the new snapshot void. */
static bool is_void(const struct history_entry *entry, const struct history_version *snapshot)
{
    for (size_t i = 0; i < entry->n; i++) {
        struct history_seen at = history_see_point(history_point_of(entry->list[i]->pub.place));
        if (makes_void(snapshot, &entry->list[i]->pub, &at))
            return true;
    }
    return false;
}

bool history_makes_void(const struct history_entry *entry, size_t index, const struct history_version *v)
{
    struct history_seen at = history_see_point(history_point_of(v->place));
    return makes_void(&entry->list[index]->pub, v, &at);
}

static bool voids_any(const struct history_entry *entry, const struct history_version *v)
{
    for (size_t i = 0; i < entry->n; i++)
        if (history_makes_void(entry, i, v))
            return true;
    return false;
}

/* Behind the version that it was put behind at first, if that is still there. */
static bool index_of(const struct history_entry *entry, const struct history_reading *reading, size_t *index)
{
    *index = 0;
    if (!reading->found || !reading->after)
        return reading->found;
    for (size_t i = entry->n; i-- > 0;)
        if (history_point_of(entry->list[i]->pub.place) == reading->after) {
            *index = i + 1;
            return true;
        }
    return false;
}

/* Whether the version before says the same, wherever the new one would. */
static bool is_repeated(const struct history_entry *entry, const struct history_version *v, size_t index)
{
    if (index == 0 || v->origin == HISTORY_IMPORT || v->kind == HISTORY_UNKNOWN || voids_any(entry, v))
        return false;
    const struct history_version *before = &entry->list[index - 1]->pub;
    return same_content(before, v) && history_stands_for(history_point_of(before->place), history_point_of(v->place));
}

/* Whether nothing that was read behind it makes the version of a candidate needless: statements of the log were
 * followed up to there before; a reading of the server says nothing of what was before it. */
static bool is_newest(const struct history_entry *entry, const struct history_version *v, size_t index)
{
    for (size_t i = index; i < entry->n; i++)
        if (v->origin != HISTORY_LOG || entry->list[i]->pub.origin != HISTORY_SNAPSHOT)
            return false;
    return true;
}

struct history_plan history_plan(const struct history_entry *entry, const struct history_version *v,
                                 const struct history_slot *slot, const struct history_seen *at,
                                 const struct history_reading *reading)
{
    struct history_plan plan = {.keep = false};
    bool known;
    for (size_t i = 0; i < entry->n; i++) {
        const struct history_version *old = &entry->list[i]->pub;
        if (!history_same_place(history_point_of(old->place), at) || !meets(old, v))
            continue;
        if (takes_place_of(v, old))
            plan = (struct history_plan){.keep = true, .index = i, .replaces = true};
        return plan;
    }
    if (v->origin == HISTORY_SNAPSHOT && is_void(entry, v))
        return plan;
    plan.keep = true;
    if (!reading->beside && index_of(entry, reading, &plan.index))
        return plan;
    plan.index = index_for(entry, v, at, &known);
    if (reading->found) {
        size_t behind = 0;
        if (!known && index_of(entry, reading, &behind))
            plan.index = behind;
        return plan;
    }
    if (slot->candidate && !is_newest(entry, v, plan.index))
        plan.keep = false;
    if (known && !slot->created && entry->candidate == slot->candidate && is_repeated(entry, v, plan.index))
        plan.keep = false;
    return plan;
}
