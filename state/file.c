/* File work that records and logs share, all by env's operations. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "state/state_private.h"

int state_io_error(const char *path, const char *operation, struct err *e)
{
    return err_set(e, STATE_IO, path, operation, strerror(errno));
}

int file_write_all(const struct env *env, int fd, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    while (len > 0) {
        ssize_t n = env->files->write(env->ctx, fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

ssize_t file_read_at(const struct env *env, int fd, uint64_t offset, void *bytes, size_t len)
{
    if (env->files->seek(env->ctx, fd, (off_t)offset, SEEK_SET) < 0)
        return -1;
    size_t done = 0;
    while (done < len) {
        ssize_t n = env->files->read(env->ctx, fd, (uint8_t *)bytes + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int state_sync_fd(struct state *st, int fd, const char *path, struct err *e)
{
    if (st->env->files->sync(st->env->ctx, fd) == 0)
        return 0;
    st->broken = true;
    return state_io_error(path, "fsync", e);
}

int state_sync_dir(struct state *st, struct err *e)
{
    return state_sync_fd(st, st->dir_fd, st->dir, e);
}

int state_open_temporary(struct state *st, const struct state_path *path, int *fd, struct err *e)
{
    int flags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    int opened = st->env->files->open(st->env->ctx, path->text, flags, 0600);
    if (opened < 0)
        return state_io_error(path->text, "open", e);
    *fd = opened;
    return 0;
}

int state_put_in_place(struct state *st, int fd, const struct state_path *temporary, const struct state_path *path,
                       struct err *e)
{
    const struct env *env = st->env;
    int rc = state_sync_fd(st, fd, temporary->text, e);
    if (rc == 0 && env->files->rename(env->ctx, temporary->text, path->text) != 0)
        rc = state_io_error(path->text, "rename", e);
    if (rc != 0) {
        env->files->unlink(env->ctx, temporary->text);
        return rc;
    }
    return state_sync_dir(st, e);
}

int state_set_aside(struct state *st, const char *name, char *path, size_t size, struct err *e)
{
    const struct env *env = st->env;
    struct state_path from, to;
    char ending[48];
    snprintf(ending, sizeof ending, ".log.damaged-%lld", (long long)(env_now_us(env) / 1000000));
    int rc = state_check_writable(st, e);
    if (rc == 0)
        rc = state_path(st, name, ".log", &from, e);
    if (rc == 0)
        rc = state_path(st, name, ending, &to, e);
    if (rc != 0)
        return rc;
    struct state_change change = {.kind = STATE_CHANGE_REPLACED, .name = name};
    rc = state_copy_bytes(st, &change, NULL, e);
    if (rc != 0)
        return rc;
    bool missing = env->files->rename(env->ctx, from.text, to.text) != 0;
    if (missing && errno != ENOENT)
        return state_io_error(from.text, "rename", e);
    snprintf(path, size, "%s", missing ? "" : to.text);
    return missing ? 0 : state_sync_dir(st, e);
}
