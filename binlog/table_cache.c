/* Table ids in a chained hash table; entries hold a copy of the map's bytes. */
#include "binlog/table_cache.h"

#include "base/hash.h"

#define BUCKETS_MIN 64

void table_cache_init(struct table_cache *cache)
{
    *cache = (struct table_cache){.statement = 1};
}

void table_cache_clear(struct table_cache *cache)
{
    for (size_t i = 0; i < cache->bucket_count; i++) {
        while (cache->buckets[i]) {
            struct table_entry *entry = cache->buckets[i];
            cache->buckets[i] = entry->chain;
            free(entry);
        }
    }
    cache->count = 0;
    cache->bytes = 0;
    cache->statement++;
}

void table_cache_release(struct table_cache *cache)
{
    table_cache_clear(cache);
    free(cache->buckets);
    table_cache_init(cache);
}

static struct table_entry **slot(const struct table_cache *cache, uint64_t id)
{
    return &cache->buckets[hash_bytes(&id, sizeof id) & (cache->bucket_count - 1)];
}

/* Doubles the buckets when they are as many as the entries. */
static int grow(struct table_cache *cache, struct err *e)
{
    if (cache->count < cache->bucket_count)
        return 0;
    struct table_cache wider = {.bucket_count = cache->bucket_count ? cache->bucket_count * 2 : BUCKETS_MIN};
    wider.buckets = (struct table_entry **)calloc(wider.bucket_count, sizeof *wider.buckets);
    if (!wider.buckets)
        return err_set(e, NO_MEMORY, wider.bucket_count * sizeof *wider.buckets);
    for (size_t i = 0; i < cache->bucket_count; i++) {
        while (cache->buckets[i]) {
            struct table_entry *entry = cache->buckets[i], **to = slot(&wider, entry->id);
            cache->buckets[i] = entry->chain;
            entry->chain = *to;
            *to = entry;
        }
    }
    free(cache->buckets);
    cache->buckets = wider.buckets;
    cache->bucket_count = wider.bucket_count;
    return 0;
}

static struct table_entry **find(const struct table_cache *cache, uint64_t id)
{
    if (cache->bucket_count == 0)
        return NULL;
    for (struct table_entry **at = slot(cache, id); *at; at = &(*at)->chain)
        if ((*at)->id == id)
            return at;
    return NULL;
}

static int entry_new(struct table_entry **out, struct cursor body, const struct event_format *format,
                     const struct interest *interest, struct err *e)
{
    size_t len = cursor_left(&body);
    struct table_entry *entry = (struct table_entry *)malloc(sizeof *entry + len);
    if (!entry)
        return err_set(e, NO_MEMORY, sizeof *entry + len);
    memset(entry, 0, sizeof *entry);
    memcpy(entry->bytes, body.p, len);
    entry->len = len;
    int rc = event_table_map_read(&entry->wire, cursor_over(entry->bytes, len), format, e);
    if (rc != 0) {
        free(entry);
        return rc;
    }
    entry->id = entry->wire.table_id;
    entry->wanted = interest->wants(interest->ctx, entry->wire.db, entry->wire.name);
    *out = entry;
    return 0;
}

static bool same_bytes(const struct table_entry *entry, const struct cursor *body)
{
    return entry->len == cursor_left(body) && memcmp(entry->bytes, body->p, entry->len) == 0;
}

int table_cache_map(struct table_cache *cache, struct cursor body, const struct event_format *format,
                    const struct interest *interest, struct err *e)
{
    bool small = format->post_header_count >= EVENT_TABLE_MAP && format->post_header_len[EVENT_TABLE_MAP] == 6;
    struct cursor peek = body;
    struct table_entry **at = find(cache, cursor_le(&peek, small ? 4 : 6)), *entry = NULL;
    if (at && same_bytes(*at, &body)) {
        (*at)->statement = cache->statement;
        return 0;
    }
    if (cache->count >= TABLE_CACHE_STATEMENT_MAX)
        return err_set(e, LIMIT, "tables in one statement", cache->count + 1, (size_t)TABLE_CACHE_STATEMENT_MAX);
    int rc = grow(cache, e);
    if (rc == 0)
        rc = entry_new(&entry, body, format, interest, e);
    if (rc != 0)
        return rc;
    at = find(cache, entry->id);
    if (at) {
        struct table_entry *old = *at;
        *at = old->chain;
        cache->count--;
        cache->bytes -= old->len;
        free(old);
    }
    at = slot(cache, entry->id);
    entry->chain = *at;
    entry->statement = cache->statement;
    *at = entry;
    cache->count++;
    cache->bytes += entry->len;
    return 0;
}

struct table_entry *table_cache_find(struct table_cache *cache, uint64_t id)
{
    struct table_entry **at = find(cache, id);
    return at && (*at)->statement == cache->statement ? *at : NULL;
}

void table_cache_end_statement(struct table_cache *cache)
{
    if (cache->count > TABLE_CACHE_ENTRIES_MAX || cache->bytes > TABLE_CACHE_BYTES_MAX)
        table_cache_clear(cache);
    else
        cache->statement++;
}
