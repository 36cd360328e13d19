/* The tables of a history by name, and their lists of versions. */
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/hash.h"
#include "schema/history_private.h"

static bool same_folded(const char *a, const char *b)
{
    for (; *a && ascii_lower(*a) == ascii_lower(*b); a++, b++)
        ;
    return ascii_lower(*a) == ascii_lower(*b);
}

static uint64_t hash_folded(uint64_t h, const char *text)
{
    char part[64];
    size_t n;
    do {
        for (n = 0; n < sizeof part && text[n]; n++)
            part[n] = ascii_lower(text[n]);
        h = (h ^ hash_bytes(part, n)) * 0x9e3779b97f4a7c15ULL;
        text += n;
    } while (n == sizeof part);
    return h ^ (h >> 31);
}

static uint64_t hash_of_db(const char *db)
{
    return hash_folded(1, db);
}

static uint64_t hash_of(const char *db, const char *table)
{
    return hash_folded(hash_of_db(db), table);
}

static struct history_entry *first_of(const struct history *h, uint64_t hash)
{
    return h->n_buckets ? h->buckets[hash & (h->n_buckets - 1)] : NULL;
}

static bool is_exactly(const struct history_entry *entry, const char *db, const char *table)
{
    return strcmp(entry->names, db) == 0 && strcmp(history_entry_table(entry), table) == 0;
}

static bool is_folded(const struct history_entry *entry, const char *db, const char *table)
{
    return same_folded(entry->names, db) && same_folded(history_entry_table(entry), table);
}

struct history_entry *history_first_in(const struct history *h, const char *db)
{
    return h->n_buckets ? h->db_buckets[hash_of_db(db) & (h->n_buckets - 1)] : NULL;
}

bool history_is_in(const struct history_entry *entry, const char *db)
{
    return same_folded(entry->names, db);
}

bool history_same_db(const struct history *h, const struct history_entry *entry, const char *db)
{
    return h->lower_case == 0 ? strcmp(entry->names, db) == 0 : same_folded(entry->names, db);
}

static struct history_entry *lookup_exactly(const struct history *h, const char *db, const char *table)
{
    uint64_t hash = hash_of(db, table);
    for (struct history_entry *entry = first_of(h, hash); entry; entry = entry->next)
        if (entry->hash == hash && is_exactly(entry, db, table))
            return entry;
    return NULL;
}

static bool is_defined(const struct history_item *item)
{
    return item && item->pub.kind == HISTORY_DEFINED;
}

/* In another case; of several one that exists now. */
static struct history_entry *lookup_folded(const struct history *h, const char *db, const char *table)
{
    uint64_t hash = hash_of(db, table);
    struct history_entry *found = NULL;
    for (struct history_entry *entry = first_of(h, hash); entry; entry = entry->next)
        if (entry->hash == hash && is_folded(entry, db, table)) {
            if (entry->n && is_defined(entry->list[entry->n - 1]))
                return entry;
            found = found ? found : entry;
        }
    return found;
}

struct history_entry *history_lookup(const struct history *h, const char *db, const char *table)
{
    struct history_entry *entry = lookup_exactly(h, db, table);
    return entry || h->lower_case == 0 ? entry : lookup_folded(h, db, table);
}

struct history_entry *history_lookup_created(const struct history *h, const char *db, const char *table,
                                             const struct history_seen *at)
{
    struct history_entry *entry = lookup_exactly(h, db, table);
    if (entry || h->lower_case == 0)
        return entry;
    entry = lookup_folded(h, db, table);
    if (entry && h->lower_case == HISTORY_CASE_UNKNOWN && is_defined(history_entry_find(entry, at)))
        return NULL;
    return entry;
}

static void link_entry(struct history_entry *entry, struct history_entry **buckets, struct history_entry **db_buckets,
                       size_t n)
{
    struct history_entry **bucket = &buckets[entry->hash & (n - 1)], **in = &db_buckets[entry->db_hash & (n - 1)];
    entry->next = *bucket;
    *bucket = entry;
    entry->prev_in = NULL;
    entry->next_in = *in;
    if (*in)
        (*in)->prev_in = entry;
    *in = entry;
}

static bool grow_buckets(struct history *h)
{
    size_t n = h->n_buckets ? 2 * h->n_buckets : 64;
    struct history_entry **buckets = calloc(n, sizeof(struct history_entry *));
    struct history_entry **db_buckets = calloc(n, sizeof(struct history_entry *));
    if (!buckets || !db_buckets) {
        free(buckets);
        free(db_buckets);
        return false;
    }
    for (size_t i = 0; i < h->n; i++)
        link_entry(h->entries[i], buckets, db_buckets, n);
    free(h->buckets);
    free(h->db_buckets);
    h->bytes += 2 * (n - h->n_buckets) * sizeof(struct history_entry *);
    h->buckets = buckets;
    h->db_buckets = db_buckets;
    h->n_buckets = n;
    return true;
}

static bool grow_entries(struct history *h)
{
    size_t size = h->size ? 2 * h->size : 64;
    struct history_entry **entries = realloc(h->entries, size * sizeof(struct history_entry *));
    if (!entries)
        return false;
    h->bytes += (size - h->size) * sizeof(struct history_entry *);
    h->entries = entries;
    h->size = size;
    return true;
}

static size_t entry_bytes(const struct history_entry *entry)
{
    return sizeof *entry + entry->db_len + strlen(history_entry_table(entry)) + 2;
}

struct history_entry *history_entry_add(struct history *h, const char *db, const char *table)
{
    size_t db_len = strlen(db), table_len = strlen(table);
    if ((h->n == h->size && !grow_entries(h)) || (h->n >= h->n_buckets && !grow_buckets(h)))
        return NULL;
    struct history_entry *entry = calloc(1, sizeof *entry + db_len + table_len + 2);
    if (!entry)
        return NULL;
    memcpy(entry->names, db, db_len);
    memcpy(entry->names + db_len + 1, table, table_len);
    entry->db_len = (uint16_t)db_len;
    entry->list = &entry->one;
    entry->size = 1;
    entry->hash = hash_of(db, table);
    entry->db_hash = hash_of_db(db);
    link_entry(entry, h->buckets, h->db_buckets, h->n_buckets);
    h->entries[h->n++] = entry;
    h->bytes += entry_bytes(entry);
    return entry;
}

void history_entry_remove(struct history *h, struct history_entry *entry)
{
    struct history_entry **link = &h->buckets[entry->hash & (h->n_buckets - 1)];
    size_t i = h->n;
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    *(entry->prev_in ? &entry->prev_in->next_in : &h->db_buckets[entry->db_hash & (h->n_buckets - 1)]) = entry->next_in;
    if (entry->next_in)
        entry->next_in->prev_in = entry->prev_in;
    while (h->entries[--i] != entry)
        ;
    memmove(&h->entries[i], &h->entries[i + 1], (--h->n - i) * sizeof(struct history_entry *));
    history_set_candidate(h, entry, false);
    while (entry->n)
        history_entry_delete(h, entry, entry->n - 1);
    h->bytes -= entry_bytes(entry);
    if (entry->list != &entry->one) {
        h->bytes -= entry->size * sizeof(struct history_item *);
        free(entry->list);
    }
    free(entry);
}

static void unlink_candidate(struct history *h, struct history_entry *entry)
{
    *(entry->older ? &entry->older->newer : &h->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &h->newest) = entry->older;
    entry->older = entry->newer = NULL;
    h->candidates--;
}

void history_set_candidate(struct history *h, struct history_entry *entry, bool candidate)
{
    if (entry->candidate)
        unlink_candidate(h, entry);
    entry->candidate = candidate;
    if (!candidate)
        return;
    entry->older = h->newest;
    *(h->newest ? &h->newest->newer : &h->oldest) = entry;
    h->newest = entry;
    h->candidates++;
}

static size_t item_bytes(const struct history_item *item)
{
    return sizeof *item + item->pub.len + 1;
}

struct history_item *history_item_new(struct history *h, const struct history_version *v)
{
    struct history_item *item = malloc(sizeof *item + v->len + 1);
    if (!item) {
        history_point_drop(h, v->place ? history_point_of(v->place) : NULL);
        history_point_drop(h, v->window ? history_point_of(v->window) : NULL);
        return NULL;
    }
    item->pub = *v;
    item->pub.text = item->text;
    if (v->len)
        memcpy(item->text, v->text, v->len);
    item->text[v->len] = '\0';
    h->bytes += item_bytes(item);
    return item;
}

void history_item_free(struct history *h, struct history_item *item)
{
    if (!item)
        return;
    history_point_drop(h, history_point_of(item->pub.place));
    history_point_drop(h, item->pub.window ? history_point_of(item->pub.window) : NULL);
    h->bytes -= item_bytes(item);
    free(item);
}

bool history_entry_room(struct history *h, struct history_entry *entry)
{
    if (entry->n < entry->size)
        return true;
    size_t size = entry->size < 4 ? 4 : 2 * entry->size;
    struct history_item **list =
        realloc(entry->list == &entry->one ? NULL : entry->list, size * sizeof(struct history_item *));
    if (!list)
        return false;
    h->bytes += (size - (entry->list == &entry->one ? 0 : entry->size)) * sizeof(struct history_item *);
    if (entry->list == &entry->one)
        list[0] = entry->one;
    entry->list = list;
    entry->size = size;
    return true;
}

void history_entry_insert(struct history_entry *entry, struct history_item *item, size_t index)
{
    memmove(&entry->list[index + 1], &entry->list[index], (entry->n - index) * sizeof(struct history_item *));
    entry->list[index] = item;
    entry->n++;
}

void history_entry_delete(struct history *h, struct history_entry *entry, size_t index)
{
    history_item_free(h, entry->list[index]);
    memmove(&entry->list[index], &entry->list[index + 1], (--entry->n - index) * sizeof(struct history_item *));
}

struct history_item *history_entry_find(const struct history_entry *entry, const struct history_seen *at)
{
    for (size_t i = entry->n; i-- > 0;)
        if (history_holds(history_point_of(entry->list[i]->pub.place), at))
            return entry->list[i];
    return NULL;
}
