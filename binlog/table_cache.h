/* Which table the id in a ROWS event means: the TABLE_MAPs seen since the log's begin (or the last DDL), by id.
 *
 * A statement's rows may only use ids that the statement itself has mapped; the bytes of a map are kept across
 * statements, so that the same map again costs one compare. Core; one thread. */
#ifndef SLUICE_BINLOG_TABLE_CACHE_H
#define SLUICE_BINLOG_TABLE_CACHE_H

#include "binlog/event.h"
#include "change/source.h"
#include "schema/schema.h"

#define TABLE_CACHE_ENTRIES_MAX   4096              /* kept; more are dropped at a statement's end */
#define TABLE_CACHE_BYTES_MAX     ((size_t)4 << 20) /* the same for the bytes of the maps */
#define TABLE_CACHE_STATEMENT_MAX 65536             /* maps in one statement */

/* One mapped id. */
struct table_entry {
    uint64_t id;
    uint64_t statement;        /* the one that mapped it last */
    struct table_entry *chain; /* of the same bucket */
    bool wanted;
    const struct shape *shape; /* of a wanted table, once its first row was met; NULL before */
    struct wire_table wire;    /* points into bytes */
    size_t len;
    uint8_t bytes[]; /* body of the TABLE_MAP */
};

struct table_cache {
    struct table_entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t bytes;
    uint64_t statement; /* number of the current one, from 1 */
};

void table_cache_init(struct table_cache *cache);
void table_cache_release(struct table_cache *cache);

/* Takes the body of a TABLE_MAP. Asks `interest` only when the bytes are new. Errors: CORRUPT, NO_MEMORY, LIMIT. */
int table_cache_map(struct table_cache *cache, struct cursor body, const struct event_format *format,
                    const struct interest *interest, struct err *e);

/* The entry that the current statement has mapped to the id; NULL: none. Valid until the next call of any other
 * function here. */
struct table_entry *table_cache_find(struct table_cache *cache, uint64_t id);

/* The statement is over: its ids must be mapped again. */
void table_cache_end_statement(struct table_cache *cache);

/* Forgets everything: another file, or a DDL. */
void table_cache_clear(struct table_cache *cache);

#endif
