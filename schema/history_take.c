/* What another history knows instead of what is known here: made first, then stored at once. */
#include "schema/history_private.h"

/* The version with places of this history; NULL without memory. */
static struct history_item *copy_item(struct history *h, const struct history_version *from)
{
    struct history_seen at = history_see_point(history_point_of(from->place)), begin;
    struct history_point *place = history_point_take(h, &at), *window = NULL;
    struct history_version v = *from;
    if (from->window) {
        begin = history_see_point(history_point_of(from->window));
        window = history_point_take(h, &begin);
    }
    if (!place || (from->window && !window)) {
        history_point_drop(h, place);
        history_point_drop(h, window);
        return NULL;
    }
    v.place = &place->pub;
    v.window = window ? &window->pub : NULL;
    return history_item_new(h, &v);
}

static int copy_entry(struct history *h, const struct history_entry *from, struct err *e)
{
    struct history_entry *entry = history_entry_add(h, from->names, history_entry_table(from));
    if (!entry)
        return err_set(e, NO_MEMORY, sizeof *entry);
    for (size_t i = 0; i < from->n; i++) {
        struct history_item *item = history_entry_room(h, entry) ? copy_item(h, &from->list[i]->pub) : NULL;
        if (!item)
            return err_set(e, NO_MEMORY, from->list[i]->pub.len);
        history_entry_insert(entry, item, i);
    }
    if (from->candidate)
        history_set_candidate(h, entry, true);
    return 0;
}

/* With all that was known gone, what was forgotten of it is no matter: all comes from the other history. */
static int take_floor(struct history *h, const struct history *from, struct err *e)
{
    struct history_point *floor = NULL;
    if (from->floor) {
        struct history_seen at = history_see_point(from->floor);
        floor = history_point_take(h, &at);
        if (!floor)
            return err_set(e, NO_MEMORY, sizeof *floor);
    }
    history_set_floor(h, floor);
    return 0;
}

int history_take(struct history *h, const struct history *from, const struct history_taking *taking, struct err *e)
{
    for (size_t i = h->n; i-- > 0;)
        if (!taking || taking->replaces(taking->ctx, h->entries[i]->names, history_entry_table(h->entries[i])))
            history_entry_remove(h, h->entries[i]);
    if (!taking && take_floor(h, from, e) != 0)
        return err_result(e);
    if (from->lower_case != HISTORY_CASE_UNKNOWN)
        h->lower_case = from->lower_case;
    for (size_t i = 0; i < from->n; i++) {
        const struct history_entry *entry = from->entries[i];
        if (!history_lookup(h, entry->names, history_entry_table(entry)) && copy_entry(h, entry, e) != 0)
            return err_result(e);
    }
    history_trim_candidates(h);
    return history_log_rewrite(h, e);
}
