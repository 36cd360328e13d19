/* Records: one file, one entry, replaced as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/hash.h"
#include "state/state_private.h"

static int check_record(const char *path, struct buf *file, struct err *e)
{
    struct entry_header header;
    uint32_t version = 0;
    if (file->len < ENTRY_HEADER_BYTES)
        return state_corrupt(path, 0, "too short for a record", e);
    switch (entry_read_header(file->p, ENTRY_RECORD, &header, &version)) {
    case ENTRY_BAD:
        return state_corrupt(path, 0, "no record begins here", e);
    case ENTRY_NEWER:
        return err_set(e, STATE_VERSION, path, version, (unsigned)ENTRY_VERSION);
    case ENTRY_GOOD:
        break;
    }
    file->len -= ENTRY_HEADER_BYTES;
    memmove(file->p, file->p + ENTRY_HEADER_BYTES, file->len);
    if (header.len != file->len)
        return state_corrupt(path, 8, "the file is not as long as its header says", e);
    if (header.crc != hash_crc32(0, file->p, file->len))
        return state_corrupt(path, ENTRY_HEADER_BYTES, "the bytes do not match their CRC", e);
    return 0;
}

static int read_record(struct state *st, int fd, const char *path, struct buf *out, struct err *e)
{
    const struct env *env = st->env;
    off_t size = env->files->seek(env->ctx, fd, 0, SEEK_END);
    if (size < 0)
        return state_io_error(path, "seek", e);
    if ((uint64_t)size > STATE_ENTRY_MAX + ENTRY_HEADER_BYTES)
        return state_corrupt(path, 0, "larger than any record", e);
    buf_clear(out);
    uint8_t *room = buf_room(out, (size_t)size + 1);
    if (!room)
        return err_set(e, NO_MEMORY, (size_t)size);
    ssize_t n = file_read_at(env, fd, 0, room, (size_t)size);
    if (n < 0)
        return state_io_error(path, "read", e);
    out->len = (size_t)n;
    return check_record(path, out, e);
}

int state_get(struct state *st, const char *name, struct buf *out, bool *found, struct err *e)
{
    const struct env *env = st->env;
    struct state_path path;
    int rc = state_path(st, name, ".rec", &path, e);
    if (rc != 0)
        return rc;
    int fd = env->files->open(env->ctx, path.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT) {
        buf_clear(out);
        *found = false;
        return 0;
    }
    if (fd < 0)
        return state_io_error(path.text, "open", e);
    rc = read_record(st, fd, path.text, out, e);
    env->files->close(env->ctx, fd);
    if (rc == 0)
        *found = true;
    return rc;
}

/* The file of a record. */
static int make_entry(struct buf *entry, const void *bytes, size_t len, struct err *e)
{
    uint8_t header[ENTRY_HEADER_BYTES];
    entry_write_header(header, ENTRY_RECORD, bytes, len);
    buf_add(entry, header, sizeof header);
    buf_add(entry, bytes, len);
    return entry->failed ? err_set(e, NO_MEMORY, len) : 0;
}

int record_replace(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
{
    const struct env *env = st->env;
    struct state_path path, temporary;
    int fd = -1;
    int rc = state_path(st, name, ".rec", &path, e);
    if (rc == 0)
        rc = state_path(st, name, ".rec.tmp", &temporary, e);
    if (rc == 0)
        rc = state_open_temporary(st, &temporary, &fd, e);
    if (rc != 0)
        return rc;
    if (file_write_all(env, fd, bytes, len) != 0) {
        rc = state_io_error(temporary.text, "write", e);
        env->files->unlink(env->ctx, temporary.text);
    } else {
        rc = state_put_in_place(st, fd, &temporary, &path, e);
    }
    env->files->close(env->ctx, fd);
    return rc;
}

static int put(struct state *st, const char *name, const struct state_item *item, bool soon, struct err *e)
{
    struct state_change change = {.kind = STATE_CHANGE_PUT, .name = name, .soon = soon};
    struct state_path path;
    struct buf entry;
    buf_init(&entry, 0);
    int rc = state_path(st, name, ".rec", &path, e);
    if (rc == 0)
        rc = state_check_writable(st, e);
    if (rc == 0 && item->len > STATE_ENTRY_MAX)
        rc = err_set(e, LIMIT, path.text, item->len, STATE_ENTRY_MAX);
    if (rc == 0)
        rc = make_entry(&entry, item->bytes, item->len, e);
    if (rc == 0)
        rc = state_copy_bytes(st, &change, &entry, e);
    if (rc == 0)
        rc = record_replace(st, name, entry.p, entry.len, e);
    buf_release(&entry);
    return rc;
}

int state_put(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
{
    return put(st, name, &(struct state_item){bytes, len}, false, e);
}

int state_put_soon(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
{
    return put(st, name, &(struct state_item){bytes, len}, true, e);
}

int state_remove(struct state *st, const char *name, struct err *e)
{
    struct state_path path;
    int rc = state_path(st, name, ".rec", &path, e);
    struct state_change change = {.kind = STATE_CHANGE_REMOVED, .name = name};
    if (rc == 0)
        rc = state_check_writable(st, e);
    if (rc == 0)
        rc = state_copy_bytes(st, &change, NULL, e);
    if (rc != 0)
        return rc;
    if (st->env->files->unlink(st->env->ctx, path.text) != 0)
        return errno == ENOENT ? 0 : state_io_error(path.text, "unlink", e);
    return state_sync_dir(st, e);
}
