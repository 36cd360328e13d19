/* The inside of struct history. Private to schema/history*.c. */
#ifndef SLUICE_SCHEMA_HISTORY_PRIVATE_H
#define SLUICE_SCHEMA_HISTORY_PRIVATE_H

#include <stdint.h>

#include "schema/history.h"

/* The items of the log, laid out at the top of history_log.c. */
#define HISTORY_FORMAT    1
#define HISTORY_NO_FLAVOR 2
#define HISTORY_CANDIDATE 1u
#define HISTORY_CREATED   2u
#define HISTORY_FLAGS     3u
#define HISTORY_CASE_NONE 255
enum history_forgotten { HISTORY_ALL, HISTORY_DATABASE, HISTORY_TABLE };

/* A place, stored once; its strings stand behind it. */
struct history_point {
    struct history_place pub;   /* first: a version's places are points */
    struct history_point *next; /* of the same bucket */
    struct gtid_set *gtids;     /* owned; pub.gtids */
    uint64_t hash;
    uint64_t number; /* of the file */
    size_t refs;
    uint32_t log_id;  /* in the own log; 0: not written there */
    uint32_t next_id; /* in the log that is being written anew */
    char names[];     /* server uuid, file, each with a NUL */
};

/* A version; its text, with a NUL, stands behind it. */
struct history_item {
    struct history_version pub; /* first */
    char text[];
};

struct history_entry {
    struct history_entry *next;              /* of the same bucket */
    struct history_entry *next_in, *prev_in; /* of the same bucket of databases */
    struct history_entry *older, *newer;     /* among the candidates */
    uint64_t hash, db_hash;                  /* of the names, and of the database's; case folded */
    struct history_item **list;              /* oldest first; &one when there is at most one */
    struct history_item *one;
    size_t n, size;
    size_t slot; /* of the put that is under way, from 1; 0: none */
    bool candidate;
    uint16_t db_len;
    char names[]; /* database, table, each with a NUL */
};

struct history {
    struct state *own; /* NULL: nothing is stored */
    bool has_base;
    int lower_case;
    struct history_entry **buckets, **db_buckets;
    size_t n_buckets; /* of either */
    struct history_entry **entries;
    size_t n, size;
    struct history_entry *oldest, *newest; /* of the candidates */
    size_t candidates;
    struct history_point **points;
    size_t n_points, n_point_buckets;
    struct history_point *floor; /* what held before it may have been forgotten; NULL: nothing was; a reference */
    size_t bytes;                /* of memory, but for GTID sets */
    size_t log_bytes;            /* of the own log's items */
    size_t log_limit;            /* more may be worth a rewriting */
    uint32_t log_ids;            /* points in the own log */
    bool complains;              /* a rewriting failed, which was not told yet: `complaint` */
    struct err complaint;
};

/* What is known of a place, whether given by a caller or stored; borrowed. */
struct history_seen {
    const char *server_uuid, *file; /* never NULL */
    uint64_t number, pos;
    const struct gtid_set *gtids;
    const struct gtid *gtid;
};

/* history_place.c */
struct history_seen history_see(const struct history_where *where);
struct history_seen history_see_point(const struct history_point *point);
static inline const struct history_point *history_point_of(const struct history_place *place)
{
    return (const struct history_point *)place;
}

/* The point of this content, with one reference more; NULL without memory. `gtids` is copied. */
struct history_point *history_point_take(struct history *h, const struct history_seen *place);
void history_point_share(struct history *h, const struct history_point *point);
struct history_point *history_point_own(struct history *h, const struct history_point *point);
void history_point_drop(struct history *h, const struct history_point *point);

/* A place as seen from another: HISTORY_BEFORE also when it is the same. */
enum history_order { HISTORY_BEFORE, HISTORY_LATER, HISTORY_UNTOLD };
enum history_order history_order(const struct history_point *point, const struct history_seen *at);
bool history_holds(const struct history_point *point, const struct history_seen *at);

/* The same GTID, or the same server, file and offset, or both before everything. */
bool history_same_place(const struct history_point *point, const struct history_seen *at);

/* Whether a statement at `at` is in the window of the snapshot. */
bool history_in_window(const struct history_version *snapshot, const struct history_seen *at);

/* Wherever b's place can be told, a's can: a version at `a` may stand for one at `b` behind it. */
bool history_stands_for(const struct history_point *a, const struct history_point *b);

/* history_order.c: what a new version does to its table's list. */
struct history_plan {
    bool keep;     /* else nothing is to be done */
    bool replaces; /* the version at `index` leaves */
    size_t index;  /* before which it goes */
};

/* `at`: the new version's place with all that is known of it. `after`: of a version that is read back, the place of the
 * one that it was put behind; found says whether there is one. */
struct history_reading {
    bool found;
    bool beside; /* of a replay: the service may have put more by now, so the place counts first */
    const struct history_point *after; /* NULL with `found`: it was put first */
};
struct history_slot;
struct history_plan history_plan(const struct history_entry *entry, const struct history_version *v,
                                 const struct history_slot *slot, const struct history_seen *at,
                                 const struct history_reading *reading);

/* Whether the statement `v` removes version `index`, a snapshot. */
bool history_makes_void(const struct history_entry *entry, size_t index, const struct history_version *v);

/* history_table.c: tables by name, and their lists. */
static inline const char *history_entry_table(const struct history_entry *entry)
{
    return entry->names + entry->db_len + 1;
}

/* The table of these names, of the same case if there is one; NULL: none. */
struct history_entry *history_lookup(const struct history *h, const char *db, const char *table);

/* As history_lookup, for a table that a statement made. */
struct history_entry *history_lookup_created(const struct history *h, const char *db, const char *table,
                                             const struct history_seen *at);

/* The first in the bucket of the database, and whether the entry is of it, written in any case. */
struct history_entry *history_first_in(const struct history *h, const char *db);
bool history_is_in(const struct history_entry *entry, const char *db);

/* Whether the database is that of the entry. */
bool history_same_db(const struct history *h, const struct history_entry *entry, const char *db);

/* A table without versions; NULL without memory. */
struct history_entry *history_entry_add(struct history *h, const char *db, const char *table);

/* Removes it with its versions. */
void history_entry_remove(struct history *h, struct history_entry *entry);

/* The newest candidate from now on, or none of them. */
void history_set_candidate(struct history *h, struct history_entry *entry, bool candidate);

/* Copies text and takes over the two places, also on failure (NULL without memory). */
struct history_item *history_item_new(struct history *h, const struct history_version *v);
void history_item_free(struct history *h, struct history_item *item);

/* Room for one version more. */
bool history_entry_room(struct history *h, struct history_entry *entry);
void history_entry_insert(struct history_entry *entry, struct history_item *item, size_t index);
void history_entry_delete(struct history *h, struct history_entry *entry, size_t index);

/* The last version that holds; NULL: none. */
struct history_item *history_entry_find(const struct history_entry *entry, const struct history_seen *at);

/* history_put.c: one put is staged, stored, and then carried out, which cannot fail. */
struct history_slot {
    struct history_entry *entry;
    struct history_item *item;         /* NULL: nothing to do */
    const struct history_point *after; /* the place of the version before; NULL: none */
    struct history_plan plan;
    bool candidate, created;
};

/* Stages one change; `v` with its places, of which references are taken. A slot that was begun is unstaged by the
 * caller also after a failure. */
int history_stage(struct history *h, struct history_slot *slot, const struct history_change *change,
                  const struct history_version *v, const struct history_seen *at, const struct history_reading *reading,
                  struct err *e);
void history_commit(struct history *h, struct history_slot *slot);
void history_unstage(struct history *h, struct history_slot *slot);
void history_trim_candidates(struct history *h);

/* history_cut.c: carried out in memory, also when it is read back. */
int history_apply_cut(struct history *h, const struct history_seen *kept, struct err *e);
void history_apply_forget(struct history *h, const char *db, const char *table);

/* history_trim.c: takes over the reference. */
void history_set_floor(struct history *h, struct history_point *floor);

/* history_load.c */
int history_log_load(struct history *h, struct state *state, bool own, struct err *e);

/* history_log.c: what goes to the log; nothing without an own state. */
int history_log_put(struct history *h, const struct history_slot *slots, size_t count, const struct history_point *seen,
                    struct err *e);
int history_log_cut(struct history *h, const struct history_point *kept, struct err *e);
int history_log_forget(struct history *h, const char *db, const char *table, struct err *e);
int history_log_case(struct history *h, int lower_case, struct err *e);

/* history_compact behind a put that is durable: a failure is kept as the complaint. */
void history_try_compact(struct history *h);

/* The whole log anew, as it is in memory. */
int history_log_rewrite(struct history *h, struct err *e);

#endif
