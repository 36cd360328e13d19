/* A source of made-up transactions over one table `shop.orders (order_id BIGINT, user_id BIGINT, PRIMARY KEY
 * (order_id))`: the same seed gives the same log, so a restart reads it again. Connections break and savepoints roll
 * back where the seed says so. For tests of the spine without a server. */
#ifndef SLUICE_TESTS_TOOLS_SHOP_SOURCE_H
#define SLUICE_TESTS_TOOLS_SHOP_SOURCE_H

#include "change/source.h"

#define SHOP_TX_BYTES 1000000 /* transaction n, from 0, begins at n + 1 times so many */

struct shop_log; /* the made-up log; outlives its sources */

struct shop_log_options {
    uint64_t seed;
    unsigned transactions;
    unsigned rows_max;    /* of one transaction, in events of 1 to 5 rows */
    unsigned keys;        /* order ids 1 … keys; some updates move a row to another id */
    bool no_rollbacks;    /* for transactions that are published in chunks: a rollback may not reach into one */
    bool void_last;       /* the last transaction is rolled back at its end */
    unsigned break_every; /* a connection breaks after about so many rowsets, then a heartbeat comes; 0: never */
};

struct shop_log *shop_log_new(const struct shop_log_options *opt);
void shop_log_free(struct shop_log *log);

/* What the log holds after rollbacks: how many changes (halves counted) key `id` has in all, and the version of its
 * n-th, when every transaction's epoch and sequence are (0, filepos_sequence of its begin). */
unsigned shop_log_changes(const struct shop_log *log, unsigned id);
struct version shop_log_version(const struct shop_log *log, unsigned id, unsigned n);

/* A source that reads the log and ends at `end_tx` (0: at the log's end). */
struct source *shop_source_new(struct shop_log *log, unsigned end_tx);

#endif
