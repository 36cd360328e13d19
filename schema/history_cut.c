/* What leaves a history: behind a log that was begun anew, and what a person wants forgotten. */
#include <stdlib.h>
#include <string.h>

#include "schema/history_private.h"

static size_t count_items(const struct history *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        n += h->entries[i]->n;
    return n;
}

static void drop_all(struct history *h, struct history_point **points, size_t n)
{
    for (size_t i = 0; i < n; i++)
        history_point_drop(h, points[i]);
    free(points);
}

/* The places of those that stay, in order: without their files when those are of another log. */
static int kept_points(struct history *h, const struct history_seen *kept, struct history_point ***out, struct err *e)
{
    size_t n = 0, items = count_items(h);
    struct history_point **points = calloc(items + 1, sizeof(struct history_point *));
    if (!points)
        return err_set(e, NO_MEMORY, items * sizeof(struct history_point *));
    for (size_t i = 0; i < h->n; i++)
        for (size_t k = 0; k < h->entries[i]->n; k++) {
            const struct history_point *old = history_point_of(h->entries[i]->list[k]->pub.place);
            struct history_seen place = history_see_point(old);
            if (!history_holds(old, kept))
                continue;
            if (!kept->file[0]) {
                place.server_uuid = place.file = "";
                place.number = place.pos = 0;
            }
            if ((points[n] = history_point_take(h, &place)) == NULL) {
                drop_all(h, points, n);
                return err_set(e, NO_MEMORY, sizeof(struct history_point));
            }
            n++;
        }
    *out = points;
    return 0;
}

static void move_to(struct history *h, struct history_item *item, struct history_point *point, bool same_log)
{
    history_point_drop(h, history_point_of(item->pub.place));
    item->pub.place = &point->pub;
    if (!same_log && item->pub.window) {
        history_point_drop(h, history_point_of(item->pub.window));
        item->pub.window = NULL;
    }
}

int history_apply_cut(struct history *h, const struct history_seen *kept, struct err *e)
{
    struct history_point **points = NULL;
    size_t n = 0;
    if (kept_points(h, kept, &points, e) != 0)
        return err_result(e);
    for (size_t i = 0; i < h->n; i++) {
        struct history_entry *entry = h->entries[i];
        for (size_t k = 0; k < entry->n;) {
            struct history_item *item = entry->list[k];
            if (history_holds(history_point_of(item->pub.place), kept)) {
                move_to(h, item, points[n++], kept->file[0] != '\0');
                k++;
            } else {
                history_entry_delete(h, entry, k);
            }
        }
    }
    for (size_t i = h->n; i-- > 0;)
        if (h->entries[i]->n == 0)
            history_entry_remove(h, h->entries[i]);
    free(points);
    return 0;
}

int history_cut(struct history *h, const struct history_where *kept, struct err *e)
{
    struct history_seen at = history_see(kept);
    struct history_point *point = history_point_take(h, &at);
    if (!point)
        return err_set(e, NO_MEMORY, sizeof *point);
    int rc = history_log_cut(h, point, e);
    if (rc == 0)
        rc = history_apply_cut(h, &at, e);
    history_point_drop(h, point);
    return rc;
}

void history_apply_forget(struct history *h, const char *db, const char *table)
{
    const struct history_entry *one = db && table ? history_lookup(h, db, table) : NULL;
    if (!db)
        history_set_floor(h, NULL);
    for (size_t i = h->n; i-- > 0;) {
        struct history_entry *entry = h->entries[i];
        if (table ? entry == one : !db || history_same_db(h, entry, db))
            history_entry_remove(h, entry);
    }
}

int history_forget(struct history *h, const char *db, const char *table, struct err *e)
{
    if (history_log_forget(h, db, db ? table : NULL, e) != 0)
        return err_result(e);
    history_apply_forget(h, db, db ? table : NULL);
    return 0;
}

int history_set_case(struct history *h, int lower_case_table_names, struct err *e)
{
    int mode = lower_case_table_names < 0 || lower_case_table_names > 2 ? HISTORY_CASE_UNKNOWN : lower_case_table_names;
    if (mode == h->lower_case)
        return 0;
    if (history_log_case(h, mode, e) != 0)
        return err_result(e);
    h->lower_case = mode;
    return 0;
}
