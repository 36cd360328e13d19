/* The history of the tables' definitions: per table a list of versions in log order, each with the place from which it
 * holds, so that every row is read with the names that its table had then. Core: durable through struct state only.
 * One thread (the source's). Order, windows, candidates: the top of history_order.c; the log's layout: history_log.c.
 *
 * A version is the text of a canonical CREATE TABLE (UTF-8, sql_mode ''), or GONE, or UNKNOWN with a reason. A
 * database's defaults are versions too, of the table "" of that database.
 *
 * **Where.** A place of the log is told in two ways: server and file position, and GTIDs. A version *holds at* a where
 * (of an event) when: both name the same server and files: its place is not behind the event; else by GTIDs: the
 * place's GTID is the open transaction's or in the set before it; a snapshot's set is within the set before it. What
 * neither way can tell does not hold. The answer is the last version of the list that holds.
 *
 * **Memory.** One allocation per version: its text and about 80 bytes; a place is stored once, whoever refers to it.
 * Look-ups hash the table's name, then go back through its versions from the newest, one for a row read in order. */
#ifndef SLUICE_SCHEMA_HISTORY_H
#define SLUICE_SCHEMA_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "position/position.h"
#include "state/state.h"

#define HISTORY_LOG_NAME       "schema"
#define HISTORY_CANDIDATES_MAX 4096
#define HISTORY_NAME_MAX       1024               /* bytes of one name of a database or table */
#define HISTORY_TEXT_MAX       ((size_t)16 << 20) /* bytes of one definition */

/* A place of the log as a caller knows it; all borrowed for the call. All empty: before everything. */
struct history_where {
    const char *server_uuid;      /* whose files `at` names; NULL or "" = not known */
    struct filepos at;            /* begin of the event, in a compressed transaction the transaction's; file "": none */
    const struct gtid_set *gtids; /* all before the open transaction; NULL = not known */
    struct gtid gtid;             /* of the open transaction; number 0: none */
};

/* A boundary as a place from which definitions hold. Borrows from it. */
static inline struct history_where history_at(const struct position *pos)
{
    return (struct history_where){.server_uuid = pos->server_uuid, .at = pos->at, .gtids = pos->gtids};
}

/* A place as it is kept. */
struct history_place {
    const char *server_uuid; /* "" = not known */
    const char *file;        /* "" = not known; with no GTIDs either: before everything */
    uint64_t pos;
    const struct gtid_set *gtids; /* of a snapshot or an import; else NULL */
    struct gtid gtid;             /* of a statement of the log; number 0: none */
};

enum history_kind { HISTORY_DEFINED, HISTORY_GONE, HISTORY_UNKNOWN };

enum history_origin {
    HISTORY_SNAPSHOT, /* read from a server: holds from the place noted after the reading */
    HISTORY_LOG,      /* a statement of the log, at the place of its event */
    HISTORY_IMPORT    /* given by a person, for a place or before everything */
};

struct history_version {
    enum history_kind kind;
    enum history_origin origin;
    const char *text; /* DEFINED: the statement, UNKNOWN: the reason; with a NUL behind it */
    size_t len;
    const struct history_place *place;
    const struct history_place *window; /* of a snapshot: noted before the reading; NULL: none */
};

/* What one statement, snapshot or import does to one table. */
struct history_change {
    const char *db, *table; /* table "": the database's defaults, text "CHARSET COLLATION[ MARK]" */
    enum history_kind kind;
    const char *text; /* as in a version; NULL with GONE */
    size_t len;
    bool candidate; /* not wanted: of the log only its newest version is kept, and a later reading of the server; at
                       most HISTORY_CANDIDATES_MAX such tables */
    bool created;   /* the table is new by this statement (CREATE, the new name of a RENAME): while the server's case
                       rule is not known, it is another table than an existing one of the same name in another case */
};

struct history;

/* Opens the history over two states, either of which may be NULL (both: in memory only): `base` is only read, now, with
 * its owner at work or not; `own` is read behind it and receives every later put. Both are borrowed until
 * history_free; `own` must be STATE_OWN. Errors: of the state; HISTORY_CORRUPT, which names the log and the repair;
 * STATE_VERSION; NO_MEMORY. */
int history_open(struct history **out, struct state *base, struct state *own, struct err *e)
    __attribute__((warn_unused_result));

/* Accepts NULL. Nothing is flushed: what was put is already durable. */
void history_free(struct history *h);

/* The table's version at a place of the log: NULL when none holds there. Borrowed until the next put, cut or forget. */
const struct history_version *history_find(struct history *h, const char *db, const char *table,
                                           const struct history_where *where);

/* Whether the table has a version of exactly this place (the same GTID, or the same server, file and offset) that is
 * not UNKNOWN: the statement there was read before, or a person told what it did. */
bool history_covers(struct history *h, const char *db, const char *table, const struct history_where *where);

/* Adds what one statement, snapshot or import tells, all or nothing, durable on return. `window` is P1 of a snapshot,
 * else NULL; live readers share P1 and P2 among many tables, since a place's GTID set is stored once per place. Of
 * several changes to one table the last counts. Per change:
 * - a statement does nothing when the table is covered (history_covers), a snapshot when there is one of that place;
 * - an import takes the place of a statement or import of exactly that place, and a statement that of an UNKNOWN;
 * - a statement in the window of a snapshot that says something else removes the snapshot (and one that is put later
 *   is not kept); a statement at P1 is in the window, one at P2 is behind the snapshot;
 * - what says the same as the version before is not kept, but for imports, UNKNOWN and tables that the statement made:
 * a ghost that is gone when the statement is read again cannot tell any more what it became. Errors: of the state and
 * NO_MEMORY, LIMIT, after which nothing was put. */
int history_put(struct history *h, const struct history_where *where, enum history_origin origin,
                const struct history_where *window, const struct history_change *changes, size_t count, struct err *e)
    __attribute__((warn_unused_result));

/* A database's defaults at a place: names, borrowed as history_find's; false when they are not known there. */
struct history_database {
    const char *charset, *collation; /* not NUL-terminated */
    size_t charset_len, collation_len;
};
bool history_database(struct history *h, const char *db, const struct history_where *where,
                      struct history_database *out);

/* One table of the history. */
struct history_table {
    const char *db, *table; /* table "": the database's defaults */
    bool candidate;
    size_t versions; /* never 0 */
};

/* The tables, one by one from 0, in the order in which they were first put; false behind the last. Borrowed as
 * history_find's. */
bool history_table(struct history *h, size_t index, struct history_table *out);

/* Version n of that table, 0 the oldest; NULL behind the newest. */
const struct history_version *history_version(struct history *h, size_t index, size_t n);

/* The table that history_find looks into by these names; false: there is none. */
bool history_named(struct history *h, const char *db, const char *table, struct history_table *out);

/* Version n of the table that history_named gives. */
const struct history_version *history_named_version(struct history *h, const char *db, const char *table, size_t n);

/* The tables of a database, written in any case, in no order: *at NULL begins; false behind the last. No put, cut or
 * forget in between. */
struct history_entry;
bool history_next_in(struct history *h, const char *db, const struct history_entry **at, struct history_table *out);

/* The log was begun anew, or lost transactions were accepted: versions that do not hold at `kept` go. With no file in
 * `kept` those that stay keep their GTIDs only: the files of another log have the same names. What happened to a table
 * in lost transactions is not known: whoever accepts them puts UNKNOWN or a snapshot behind them for each. Durable on
 * return. Errors as history_put. */
int history_cut(struct history *h, const struct history_where *kept, struct err *e) __attribute__((warn_unused_result));

/* Forgets a table, with table NULL a database and its tables, with both NULL everything; the case rule stays. Durable
 * on return. A damaged log is out of reach here: state_set_aside(own, HISTORY_LOG_NAME) lets a
 * new one begin. */
int history_forget(struct history *h, const char *db, const char *table, struct err *e)
    __attribute__((warn_unused_result));

/* Which tables history_take replaces; table "": the database's defaults. */
struct history_taking {
    bool (*replaces)(void *ctx, const char *db, const char *table);
    void *ctx;
};

/* Forgets what is known of the tables that `taking` names (NULL: of everything) and takes over what `from`, of the same
 * log, knows of them, and what else h has no word of; with its case rule, when it has one. All or nothing, durable on
 * return; `h` is not over a base. Errors as history_put, after which h may only be freed. */
int history_take(struct history *h, const struct history *from, const struct history_taking *taking, struct err *e)
    __attribute__((warn_unused_result));

/* What is kept of what can only serve who begins before the stored positions. */
struct history_limits {
    uint64_t dropped_tables; /* tables that are gone there */
    uint64_t table_versions; /* of one table */
};

/* Forgets, beyond the limits and the oldest first, tables that are gone at `where`, and versions that others follow
 * there: `where` is the oldest position that anybody goes on from, so that what holds there or later stays. A row from
 * before then has no version, and none that is wrong. *forgotten: how many. Durable on return. Errors as history_put,
 * after which h may only be freed. */
int history_trim(struct history *h, const struct history_where *where, const struct history_limits *keep,
                 size_t *forgotten, struct err *e) __attribute__((warn_unused_result));

/* NULL when nothing that held at `where` was forgotten by history_trim, else the place from which all is there. */
const struct history_place *history_floor(struct history *h, const struct history_where *where);

/* Rewrites the log of `own` when at least half of it, and HISTORY_COMPACT_MIN bytes, is of no use. After a crash the
 * old or the new log is there. Errors as history_put. */
#define HISTORY_COMPACT_MIN ((size_t)256 << 10)
int history_compact(struct history *h, struct err *e) __attribute__((warn_unused_result));

/* The rewriting behind a put failed, and is tried again when the log has grown by HISTORY_COMPACT_MIN: told once for
 * each failure, in *out. What was put is there all the same. */
bool history_complaint(struct history *h, struct err *out);

/* The server's lower_case_table_names (0, 1, 2), once known: 0 names are compared exactly, 1 and 2 without case. Until
 * then HISTORY_CASE_UNKNOWN: exactly, and if there is no such table, without case. Case is folded as in ASCII. */
#define HISTORY_CASE_UNKNOWN (-1)
int history_set_case(struct history *h, int lower_case_table_names, struct err *e) __attribute__((warn_unused_result));
int history_case(const struct history *h);

/* Bytes of memory held, for figures and tests. */
size_t history_bytes(const struct history *h);

#endif
