/* The inside of struct epochs. Private to this folder: epoch.c decides, epoch_extend.c adds what only a
 * checkpoint knows, epoch_table.c keeps the table and its lines. */
#ifndef SLUICE_POSITION_EPOCH_IMPL_H
#define SLUICE_POSITION_EPOCH_IMPL_H

#include "position/epoch.h"
#include "position/gtid_set_impl.h"

enum epoch_numbering {
    EPOCH_BY_NUMBER,
    EPOCH_BY_POSITION, /* transactions without GTIDs */
    EPOCH_BY_SWITCH    /* by position from here on, for good */
};

struct epoch {
    uint32_t number;
    enum epoch_numbering by;
    char server[SERVER_UUID_MAX + 1]; /* by position: whose positions */
    struct gtid writer;               /* the first transaction's */
    struct filepos at;                /* of the first transaction */
    int64_t time_us;
    uint64_t last;         /* highest sequence */
    struct gtid_set *seen; /* exact; MySQL's form in both flavours (gtid_source_for) */
};

struct epochs {
    enum flavor flavor;
    struct epoch *list;
    size_t n, size;
    uint32_t newest;        /* number of the newest epoch, also of those before a reset; 0 = none */
    uint32_t before_newest; /* `newest` and `positional` at the last reset */
    bool before_positional;
    size_t cursor; /* the epoch found last */
    bool frozen, positional, announce, cut;
    bool high_known;
    uint64_t high;          /* highest sequence ever of the current epoch's writer (or server) */
    struct gtid_set *fresh; /* of the current epoch, in no line yet */
    bool dirty;             /* the current epoch's `last` or `fresh` is in no line yet */
    bool has_base;
    struct position base;
    char zero_server[SERVER_UUID_MAX + 1]; /* "" = not named yet */
    int64_t starts[EPOCHS_PER_HOUR_MAX];   /* ring of the newest epochs' times */
    size_t n_starts;
    int64_t told_hour; /* hour of log time, and how many lines epochs_assign handed out in it for a number's gap */
    unsigned told;
    struct buf line;
};

/* The key of a GTID in `seen`: UUID and tag; MariaDB: domain and server in the UUID's last eight bytes. */
struct gtid_source gtid_source_for(const struct gtid *gtid);

/* The highest number in `set` (MySQL's form) of the writer; 0: none. MariaDB: of the domain, whatever server. */
uint64_t epochs_highest(const struct gtid_set *set, const struct gtid *writer);

static inline bool epoch_is_by_position(const struct epoch *epoch)
{
    return epoch->by != EPOCH_BY_NUMBER;
}

/* Appends a zeroed epoch with an empty set; the caller fills and then counts it (epochs->n++). Errors: NO_MEMORY,
 * LIMIT. */
int epochs_room(struct epochs *epochs, struct epoch **out, struct err *e);

/* Counts a filled epoch as the newest. */
void epochs_push(struct epochs *epochs, struct epoch *epoch);

/* Forgets all epochs and what is older than the table; numbers go on. */
void epochs_forget(struct epochs *epochs);

/* Lines, NUL-terminated in epochs->line; NULL without memory. */
const char *epochs_print_begin(struct epochs *epochs, const struct epoch *epoch, const struct epoch *before,
                               const struct gtid_set *before_seen);
const char *epochs_print_base(struct epochs *epochs);
const char *epochs_print_zero(struct epochs *epochs);
const char *epochs_print_reset(struct epochs *epochs);
const char *epochs_print_seen(struct epochs *epochs, const struct gtid_set *seen);

#endif
