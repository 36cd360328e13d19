/* A copy elsewhere: what is stored there, and the directory restored from it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "state/state_private.h"

void state_set_copy(struct state *st, const struct state_copy_ops *ops, void *ctx)
{
    st->copy = ops;
    st->copy_ctx = ctx;
}

void state_interrupt(struct state *st)
{
    if (st->copy && st->copy->interrupt)
        st->copy->interrupt(st->copy_ctx);
}

static int read_bytes(const struct state_change *change, uint64_t at, void *bytes, size_t len, struct err *e)
{
    const struct buf *from = change->from;
    (void)e;
    memcpy(bytes, from->p + at, len);
    return 0;
}

struct open_file {
    const struct env *env;
    const char *path;
    int fd;
};

static int read_file(const struct state_change *change, uint64_t at, void *bytes, size_t len, struct err *e)
{
    const struct open_file *file = change->from;
    ssize_t n = file_read_at(file->env, file->fd, at, bytes, len);
    if (n >= 0 && (size_t)n < len)
        errno = EIO;
    return n == (ssize_t)len ? 0 : state_io_error(file->path, "read", e);
}

int state_copy_bytes(struct state *st, struct state_change *change, const struct buf *bytes, struct err *e)
{
    if (!st->copy)
        return 0;
    change->size = bytes ? bytes->len : 0;
    change->read = read_bytes;
    change->from = bytes;
    return st->copy->store(st->copy_ctx, change, e);
}

int state_copy_file(struct state *st, struct state_change *change, int fd, const char *path, struct err *e)
{
    const struct open_file file = {st->env, path, fd};
    if (!st->copy)
        return 0;
    change->read = read_file;
    change->from = &file;
    return st->copy->store(st->copy_ctx, change, e);
}

/* ---------------------------------------------------------------- restoring */

static bool has_ending(const char *name, const char *ending)
{
    const char *dot = strrchr(name, '.');
    return dot && strcmp(dot, ending) == 0;
}

void state_remove_copy(const char *dir)
{
    struct state_path path;
    DIR *list = opendir(dir);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        snprintf(path.text, sizeof path.text, "%.*s/%.*s", STATE_DIR_MAX, dir, STATE_NAME_MAX + 32, entry->d_name);
        if (entry->d_name[0] != '.')
            (void)unlink(path.text);
    }
    if (list)
        closedir(list);
    (void)rmdir(dir);
}

int state_restore_begin(struct state *st, struct err *e)
{
    DIR *dir = opendir(st->dir);
    if (!dir)
        return state_io_error(st->dir, "opendir", e);
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        struct state_path path;
        if (!has_ending(entry->d_name, ".rec") && !has_ending(entry->d_name, ".log") &&
            !has_ending(entry->d_name, ".part"))
            continue;
        snprintf(path.text, sizeof path.text, "%s/%.*s", st->dir, STATE_NAME_MAX + 32, entry->d_name);
        if (st->env->files->unlink(st->env->ctx, path.text) != 0)
            rc = state_io_error(path.text, "unlink", e);
    }
    closedir(dir);
    return rc;
}

int state_restore_record(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
{
    return record_replace(st, name, bytes, len, e);
}

static int part_path(const struct state *st, const char *name, unsigned number, struct state_path *out, struct err *e)
{
    char ending[32];
    snprintf(ending, sizeof ending, "-%u.part", number);
    return state_path(st, name, ending, out, e);
}

int state_restore_part(struct state *st, const char *name, unsigned number, uint64_t place, const void *bytes,
                       size_t len, struct err *e)
{
    const struct env *env = st->env;
    struct state_path path;
    if (part_path(st, name, number, &path, e) != 0)
        return err_result(e);
    int fd = env->files->open(env->ctx, path.text, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return state_io_error(path.text, "open", e);
    bool done = env->files->seek(env->ctx, fd, (off_t)place, SEEK_SET) >= 0 && file_write_all(env, fd, bytes, len) == 0;
    int rc = done ? 0 : state_io_error(path.text, "write", e);
    env->files->close(env->ctx, fd);
    return rc;
}

static int visit_nothing(void *ctx, const struct state_item *item, struct err *e)
{
    (void)ctx;
    (void)item;
    (void)e;
    return 0;
}

int state_restore_log(struct state *st, const char *name, unsigned number, struct err *e)
{
    struct state_path part, path;
    if (part_path(st, name, number, &part, e) != 0 || state_path(st, name, ".log", &path, e) != 0)
        return err_result(e);
    uint64_t cut = st->cut_bytes;
    if (st->env->files->rename(st->env->ctx, part.text, path.text) != 0)
        return errno == ENOENT ? 0 : state_io_error(part.text, "rename", e);
    int rc = state_scan(st, name, visit_nothing, NULL, e);
    return rc == 0 && st->cut_bytes != cut ? state_corrupt(path.text, 0, "its last entry is not whole", e) : rc;
}

int state_restore_drop(struct state *st, const char *name, unsigned number, struct err *e)
{
    struct state_path part;
    if (part_path(st, name, number, &part, e) != 0)
        return err_result(e);
    return st->env->files->unlink(st->env->ctx, part.text) == 0 || errno == ENOENT
               ? 0
               : state_io_error(part.text, "unlink", e);
}
