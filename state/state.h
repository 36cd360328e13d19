/* What must outlive the process: named records and named logs in one directory, each entry with its format version and
 * CRC. The only part of sluice that opens files for writing; others take a `struct state *`.
 *
 * Record NAME is the file NAME.rec: replaced as a whole by write to NAME.rec.tmp, fsync, rename, fsync of the
 * directory; after a crash or error at any point the old or the new bytes are read, never a mixture. Log NAME is the
 * file NAME.log: appended, fsynced; a last entry that was cut by a crash is removed when the log is first used, a
 * damaged one with entries behind it is STATE_CORRUPT naming file and offset.
 *
 * Names are 1 to 64 of [a-z0-9._-], not beginning with '.'. The bytes of an entry are the caller's: put a version of
 * your own in front of them when their meaning may change. Files are 0600, opened with O_NOFOLLOW; directories that are
 * missing are made 0700. A sub-folder (state_dir/replay/NAME) is a state of its own.
 *
 * Layout of an entry, little-endian (a record is one entry, a log is a row of them):
 *     0  4  magic "slu\x01" (record) or "slu\x02" (log)
 *     4  4  format version (1)
 *     8  4  length of the payload in bytes, at most STATE_ENTRY_MAX
 *    12  4  CRC-32 of the payload
 *    16  4  CRC-32 of bytes 0 to 15
 *    20  …  payload: of a record its bytes; of a log, for each item of the append: length (4), bytes
 *
 * Threads: different names may be used by different threads at once; one name by one thread at a time.
 * All errors are STATE_LOCKED, STATE_IO, STATE_CORRUPT, STATE_VERSION, LIMIT, NO_MEMORY, or BUG for a bad name. */
#ifndef SLUICE_STATE_STATE_H
#define SLUICE_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/env.h"
#include "base/err.h"

#define STATE_NAME_MAX  64
#define STATE_ENTRY_MAX ((size_t)1 << 30)

enum state_mode {
    STATE_OWN, /* takes DIR/lock or fails with STATE_LOCKED naming the holder's process; makes the directory */
    STATE_READ /* no lock, creates and changes nothing; a missing directory is an empty state */
};

struct state;

/* Opens the state in `dir` (copied). `env` is borrowed until state_close. */
int state_open(struct state **out, const struct env *env, const char *dir, enum state_mode mode, struct err *e)
    __attribute__((warn_unused_result));

/* Gives the lock back. Accepts NULL. Nothing is flushed: all that was put or appended is already durable. */
void state_close(struct state *st);

/* The directory as opened; lives as long as `st`. */
const char *state_dir(const struct state *st);

/* Reads record `name` into `out` (emptied first; undefined after a failure). *found tells whether there is one. */
int state_get(struct state *st, const char *name, struct buf *out, bool *found, struct err *e)
    __attribute__((warn_unused_result));

/* Replaces record `name`; durable on return. After a failed fsync the state is broken: this and every later put,
 * append, remove, compact and replace fails with STATE_IO, since the kernel may have dropped what it could not write.
 */
int state_put(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
    __attribute__((warn_unused_result));

/* Removes record `name`, durably; absent is fine. */
int state_remove(struct state *st, const char *name, struct err *e) __attribute__((warn_unused_result));

struct state_item {
    const void *bytes;
    size_t len;
};

/* Appends one item to log `name`, which is made when missing; durable on return. */
int state_append(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
    __attribute__((warn_unused_result));

/* Appends all items as one entry: after a crash all or none is there. */
int state_append_all(struct state *st, const char *name, const struct state_item *items, size_t count, struct err *e)
    __attribute__((warn_unused_result));

/* Called for each item in order; `item` is borrowed for the call. A negative result (by err_set on e) ends the scan. */
typedef int state_visit(void *ctx, const struct state_item *item, struct err *e);

/* Visits every item of log `name`; none when the log is missing. In STATE_READ a cut last entry, which its owner may be
 * writing just now, is left alone and not visited. Returns what `visit` returned when that was negative. */
int state_scan(struct state *st, const char *name, state_visit *visit, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* Whether the item stays. */
typedef bool state_keep(void *ctx, const struct state_item *item);

/* Rewrites log `name` with the items that `keep` wants, by the same steps as a put: all or nothing, durable on return.
 */
int state_compact(struct state *st, const char *name, state_keep *keep, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* Rewrites log `name`, which is made when missing, with these items, one entry each, by the same steps: all or nothing,
 * durable on return. A reader that scans meanwhile sees the old log. */
int state_replace(struct state *st, const char *name, const struct state_item *items, size_t count, struct err *e)
    __attribute__((warn_unused_result));

/* Renames log `name` to NAME.log.damaged-SECONDS (of the clock), so that it is missing and can be looked at; durable on
 * return. `path` receives the new path, "" when there is no such log. Before the log is used otherwise. */
int state_set_aside(struct state *st, const char *name, char *path, size_t size, struct err *e)
    __attribute__((warn_unused_result));

/* Reading a log again by parts. A place is where an entry begins, 0 that of the first; places hold until the log is
 * compacted or replaced. STATE_OWN only. */

/* The place behind the last entry: where the next one will be. 0 for a log that is missing. */
int state_end(struct state *st, const char *name, uint64_t *place, struct err *e) __attribute__((warn_unused_result));

/* Reads the items of the entry at *place into `out` (emptied first) and moves *place to the next one; the items are
 * taken out by state_take_item. Errors besides: STATE_CORRUPT at the end of the log, and where no entry begins. */
int state_read_entry(struct state *st, const char *name, uint64_t *place, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* The next item of an entry that was read: false behind the last. Borrowed from the entry. */
bool state_take_item(struct cursor *entry, struct state_item *out);

/* ---------------------------------------------------------------- a copy elsewhere
 *
 * With a copy every change is durable there before it is made here: what is lost here is restored from there. What
 * waits for the other place waits until it can be reached, or state_interrupt; but for state_put_soon. */

enum state_change_kind { STATE_CHANGE_PUT, STATE_CHANGE_REMOVED, STATE_CHANGE_APPENDED, STATE_CHANGE_REPLACED };

/* PUT: the record as its file will be. APPENDED: an entry of the log at `place`. REPLACED: the whole log. */
struct state_change {
    enum state_change_kind kind;
    const char *name;
    uint64_t place;
    uint64_t size;
    bool soon; /* not to be waited for */
    /* Bytes [at, at + len) of the change. Errors: STATE_IO. */
    int (*read)(const struct state_change *change, uint64_t at, void *bytes, size_t len, struct err *e);
    const void *from; /* of `read` */
};

struct state_copy_ops {
    /* Durable on return, whole or not at all. One thread per name; any number of names at once. Errors: RETRY class
     * for `soon`, INTERRUPTED, those that stop. */
    int (*store)(void *ctx, const struct state_change *change, struct err *e);
    void (*interrupt)(void *ctx); /* any thread: store that waits, or will, returns INTERRUPTED */
    void (*close)(void *ctx);     /* by state_close, at its end */
};

/* From now on `st` has a copy; its ops are called with `ctx`. Before any change. store NULL: `st` is the copy, read. */
void state_set_copy(struct state *st, const struct state_copy_ops *ops, void *ctx);
void state_interrupt(struct state *st); /* without a copy: nothing to do */

/* As state_put, but when the copy cannot be reached now: RETRY class, nothing is changed. */
int state_put_soon(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
    __attribute__((warn_unused_result));

/* Restoring, STATE_OWN, before anything else: begin forgets what is there; a record as PUT gave it; the parts of a log
 * in any file of their own (`number` tells them apart), by places; restore_log makes one of these files the log and
 * checks it, restore_drop removes one. */
int state_restore_begin(struct state *st, struct err *e) __attribute__((warn_unused_result));
int state_restore_record(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
    __attribute__((warn_unused_result));
int state_restore_part(struct state *st, const char *name, unsigned number, uint64_t place, const void *bytes,
                       size_t len, struct err *e) __attribute__((warn_unused_result));
int state_restore_log(struct state *st, const char *name, unsigned number, struct err *e)
    __attribute__((warn_unused_result));
int state_restore_drop(struct state *st, const char *name, unsigned number, struct err *e)
    __attribute__((warn_unused_result));

/* Removes a directory that was restored for reading, with its lock. What fails stays. */
void state_remove_copy(const char *dir);

/* Bytes of cut last entries that were removed since the state was opened; worth a log line when not 0. */
uint64_t state_cut_bytes(const struct state *st);

#endif
