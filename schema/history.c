/* The history as its users see it: looking up, listing, cutting. */
#include "schema/history.h"

#include <stdlib.h>
#include <string.h>

#include "schema/history_private.h"

int history_open(struct history **out, struct state *base, struct state *own, struct err *e)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return err_set(e, NO_MEMORY, sizeof *h);
    h->lower_case = HISTORY_CASE_UNKNOWN;
    h->bytes = sizeof *h;
    h->has_base = base != NULL;
    h->own = own;
    h->log_limit = HISTORY_COMPACT_MIN;
    int rc = base ? history_log_load(h, base, false, e) : 0;
    if (rc == 0 && own)
        rc = history_log_load(h, own, true, e);
    if (rc != 0)
        history_free(h);
    else
        *out = h;
    return rc;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    while (h->n)
        history_entry_remove(h, h->entries[h->n - 1]);
    history_point_drop(h, h->floor);
    free(h->entries);
    free(h->buckets);
    free(h->db_buckets);
    free(h->points);
    free(h);
}

const struct history_version *history_find(struct history *h, const char *db, const char *table,
                                           const struct history_where *where)
{
    struct history_entry *entry = history_lookup(h, db, table);
    struct history_seen at = history_see(where);
    struct history_item *item = entry ? history_entry_find(entry, &at) : NULL;
    return item ? &item->pub : NULL;
}

bool history_covers(struct history *h, const char *db, const char *table, const struct history_where *where)
{
    struct history_entry *entry = history_lookup(h, db, table);
    struct history_seen at = history_see(where);
    for (size_t i = entry ? entry->n : 0; i-- > 0;) {
        const struct history_version *v = &entry->list[i]->pub;
        if (v->origin != HISTORY_SNAPSHOT && v->kind != HISTORY_UNKNOWN &&
            history_same_place(history_point_of(v->place), &at))
            return true;
    }
    return false;
}

bool history_database(struct history *h, const char *db, const struct history_where *where,
                      struct history_database *out)
{
    const struct history_version *v = history_find(h, db, "", where);
    const char *space = v && v->kind == HISTORY_DEFINED ? memchr(v->text, ' ', v->len) : NULL;
    if (!space)
        return false;
    size_t charset = (size_t)(space - v->text);
    *out = (struct history_database){v->text, space + 1, charset, strcspn(space + 1, " ")};
    return true;
}

static void tell(const struct history_entry *entry, struct history_table *out)
{
    *out = (struct history_table){entry->names, history_entry_table(entry), entry->candidate, entry->n};
}

bool history_table(struct history *h, size_t index, struct history_table *out)
{
    if (index >= h->n)
        return false;
    tell(h->entries[index], out);
    return true;
}

bool history_named(struct history *h, const char *db, const char *table, struct history_table *out)
{
    const struct history_entry *entry = history_lookup(h, db, table);
    if (entry)
        tell(entry, out);
    return entry != NULL;
}

const struct history_version *history_named_version(struct history *h, const char *db, const char *table, size_t n)
{
    const struct history_entry *entry = history_lookup(h, db, table);
    return entry && n < entry->n ? &entry->list[n]->pub : NULL;
}

bool history_next_in(struct history *h, const char *db, const struct history_entry **at, struct history_table *out)
{
    const struct history_entry *entry = *at ? (*at)->next_in : history_first_in(h, db);
    while (entry && !history_is_in(entry, db))
        entry = entry->next_in;
    *at = entry;
    if (entry)
        tell(entry, out);
    return entry != NULL;
}

const struct history_version *history_version(struct history *h, size_t index, size_t n)
{
    return index < h->n && n < h->entries[index]->n ? &h->entries[index]->list[n]->pub : NULL;
}

int history_case(const struct history *h)
{
    return h->lower_case;
}

size_t history_bytes(const struct history *h)
{
    return h->bytes;
}
