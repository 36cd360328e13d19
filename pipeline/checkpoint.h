/* The checkpoint: one position per sink, one durable record. */
#ifndef SLUICE_PIPELINE_CHECKPOINT_H
#define SLUICE_PIPELINE_CHECKPOINT_H

#include "position/position.h"
#include "state/state.h"

/* One sink's entry. `name` is borrowed from the caller (store) or owned by the checkpoint (load). */
struct checkpoint_entry {
    char *name;
    struct position pos;
};

struct checkpoint {
    struct checkpoint_entry *entries;
    unsigned count;
};

void checkpoint_release(struct checkpoint *cp);

/* Appends an entry with a copy of the name and of the position (NULL: an empty one). `cp` then owns its entries, all of
 * which must be from here. Errors: NO_MEMORY; what was appended goes with checkpoint_release. */
int checkpoint_add(struct checkpoint *cp, const char *name, size_t name_len, const struct position *pos, struct err *e);

/* The stored checkpoint; *out is empty (count 0) when there is none. Errors: STATE_CORRUPT, STATE_VERSION, STATE_IO. */
int checkpoint_load(struct checkpoint *out, struct state *state, struct err *e);

/* Stores it, durable on return. soon: RETRY class when the state cannot be reached now. */
int checkpoint_store(const struct checkpoint *cp, struct state *state, struct err *e);
int checkpoint_store_soon(const struct checkpoint *cp, struct state *state, struct err *e);

/* Stores it as a person wants it. Where the sinks had come before the first such change since the service ran is kept
 * beside it, for the epochs: checkpoint_reached. */
int checkpoint_set(const struct checkpoint *cp, struct state *state, struct err *e);

/* Likewise as the service itself sets a sink back. What sinks have stored of their own stays true. */
int checkpoint_set_back(const struct checkpoint *cp, struct state *state, struct err *e);

/* True behind checkpoint_set, until checkpoint_reached_done. */
int checkpoint_was_set(struct state *state, bool *was, struct err *e);

/* What checkpoint_set or checkpoint_set_back kept, empty when nothing; checkpoint_reached_done forgets it. By whoever
 * keeps the epochs. */
int checkpoint_reached(struct checkpoint *out, struct state *state, struct err *e);
int checkpoint_reached_done(struct state *state, struct err *e);

/* Removes it. */
int checkpoint_remove(struct state *state, struct err *e);

/* Removes it for a new beginning, with the rows of prepared XA transactions: the log may be another one, so that the
 * next transaction begins a new epoch. */
int checkpoint_reset(struct state *state, struct err *e);

/* Only the mark that the next transaction begins a new epoch. */
int checkpoint_mark_reset(struct state *state, struct err *e);

/* True once after checkpoint_reset, by whoever keeps the epochs; the mark goes when they are stored:
 * checkpoint_reset_done. */
int checkpoint_was_reset(struct state *state, bool *was, struct err *e);
int checkpoint_reset_done(struct state *state, struct err *e);

/* The entry of a sink; NULL when it has none. */
struct checkpoint_entry *checkpoint_find(const struct checkpoint *cp, const char *name);

/* The entry that lies furthest behind: where a restart begins; NULL when empty. */
struct checkpoint_entry *checkpoint_oldest(const struct checkpoint *cp);

/* True when `a` lies before `b`: by GTID set when both have one, else by file and offset. */
bool position_before(const struct position *a, const struct position *b);

#endif
