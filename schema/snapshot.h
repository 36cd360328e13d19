/* Reads the definitions of a live server's tables into the history, each between two points of the server's log: P1
 * noted before, P2 behind. Without locks: a statement of the log in (P1, P2] may or may not be in what was read, which
 * the history knows to void (history_put's window); the table is then unknown and can be read again.
 *
 * A definition holds from P2 on. When the log before P2 was read too, for its statements at least, it holds from the
 * last one before P1 that concerned the table: snapshot_settle. Tables are read in batches that share their points.
 * One thread. */
#ifndef SLUICE_SCHEMA_SNAPSHOT_H
#define SLUICE_SCHEMA_SNAPSHOT_H

#include "schema/history.h"
#include "schema/server.h"

/* Tables between two looks at the end of the log: few, so that a statement spoils few; many, because the looks cost as
 * much as the tables. */
#define SNAPSHOT_BATCH       64
#define SNAPSHOT_BATCH_BYTES ((size_t)1 << 20)

struct snapshot;

/* All borrowed for its life. */
struct snapshot_options {
    struct schema_server *server;
    struct history *history;
    const struct interest *interest;
};

/* Errors: NO_MEMORY. */
int snapshot_new(struct snapshot **out, const struct snapshot_options *opt, struct err *e);
void snapshot_free(struct snapshot *snap); /* accepts NULL */

/* Forgets what was read, for another place or server; the history keeps it. */
void snapshot_clear(struct snapshot *snap);

/* Reads every wanted table of the server that the history does not know at `where`, and the copies of wanted tables
 * that gh-ost and pt-online-schema-change are filling; besides these tables' databases. What one call reads comes to
 * what earlier ones read. `hold`: with the table's metadata locked for the moment between its points, as by a SELECT:
 * for tables that change so often that a window never stays clean. *count receives how many tables were read.
 * Errors: the server's, the history's, NO_MEMORY. */
int snapshot_read(struct snapshot *snap, const struct history_where *where, bool hold, size_t *count, struct err *e);

/* The end of the log noted last, NULL when nothing was read. Borrowed until the next call of snapshot_read, _go_on or
 * _clear. */
const struct position *snapshot_end(const struct snapshot *snap);

/* Notes the end of the log again, without reading a table: the log up to there is to be read too. Errors: the server's,
 * NO_MEMORY. */
int snapshot_go_on(struct snapshot *snap, struct err *e);

/* A statement that names the table was read on the way from the place to snapshot_end; `behind` it goes on. Names as
 * in the statement. Errors: NO_MEMORY. */
int snapshot_touch(struct snapshot *snap, const char *db, const char *table, const struct position *behind,
                   struct err *e);

/* The statements from `from` to snapshot_end were read: what was read in between and is not void holds from `from` on,
 * or from behind the table's last statement. Errors: the history's. */
int snapshot_settle(struct snapshot *snap, const struct history_where *from, struct err *e);

#endif
