/* What the files of state/ share and nobody else sees. */
#ifndef SLUICE_STATE_PRIVATE_H
#define SLUICE_STATE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "state/state.h"

#define STATE_DIR_MAX      3900
#define STATE_PATH_MAX     (STATE_DIR_MAX + STATE_NAME_MAX + 48)
#define ENTRY_HEADER_BYTES 20
#define ENTRY_VERSION      1

/* A log that was used: its file stays open until state_close. Written by the one thread that uses this name. */
struct state_log {
    struct state_log *next;
    char name[STATE_NAME_MAX + 1];
    int fd;       /* -1: not open */
    uint64_t end; /* of the last whole entry */
};

struct state {
    const struct env *env;
    enum state_mode mode;
    int dir_fd;  /* STATE_OWN, else -1 */
    int lock_fd; /* STATE_OWN, else -1 */
    _Atomic bool broken;
    _Atomic uint64_t cut_bytes;
    pthread_mutex_t mutex; /* over the list `logs`, not over what it holds */
    struct state_log *logs;
    const struct state_copy_ops *copy; /* NULL: there is none */
    void *copy_ctx;
    char dir[STATE_DIR_MAX + 1];
};

struct state_path {
    char text[STATE_PATH_MAX];
};

/* DIR/NAME with the ending; BUG for a bad name. */
int state_path(const struct state *st, const char *name, const char *ending, struct state_path *out, struct err *e);

/* STATE_IO with errno's words. */
int state_io_error(const char *path, const char *operation, struct err *e);

/* STATE_CORRUPT at an offset of the file. */
int state_corrupt(const char *path, uint64_t offset, const char *words, struct err *e);

/* 0 when this state may be written: it is owned and not broken. */
int state_check_writable(struct state *st, struct err *e);

/* The file operations, to the last byte; they set errno as the calls do. */
int file_write_all(const struct env *env, int fd, const void *bytes, size_t len);
/* Reads `len` bytes at `offset`; fewer only at the end of the file. -1: error. */
ssize_t file_read_at(const struct env *env, int fd, uint64_t offset, void *bytes, size_t len);

/* fsync; a failure makes the state broken. */
int state_sync_fd(struct state *st, int fd, const char *path, struct err *e);
int state_sync_dir(struct state *st, struct err *e);

/* The second half of every replacement: fsync of the temporary file, rename, fsync of the directory. On failure the
 * temporary file is removed where that is possible. The caller closes `fd`. */
int state_put_in_place(struct state *st, int fd, const struct state_path *temporary, const struct state_path *path,
                       struct err *e);

/* Opens a file that replaces another: empty, 0600. */
int state_open_temporary(struct state *st, const struct state_path *path, int *fd, struct err *e);

/* The record's file becomes these bytes. */
int record_replace(struct state *st, const char *name, const void *bytes, size_t len, struct err *e);

/* The change is durable in the copy, if there is one. */
int state_copy_bytes(struct state *st, struct state_change *change, const struct buf *bytes, struct err *e);
int state_copy_file(struct state *st, struct state_change *change, int fd, const char *path, struct err *e);

enum entry_kind { ENTRY_RECORD = 1, ENTRY_LOG = 2 };

struct entry_header {
    uint32_t len;
    uint32_t crc;
};

enum entry_check { ENTRY_GOOD, ENTRY_BAD, ENTRY_NEWER };

void entry_write_header(uint8_t out[ENTRY_HEADER_BYTES], enum entry_kind kind, const void *payload, size_t len);
/* *version is set for ENTRY_NEWER. */
enum entry_check entry_read_header(const uint8_t bytes[ENTRY_HEADER_BYTES], enum entry_kind kind,
                                   struct entry_header *out, uint32_t *version);

#endif
