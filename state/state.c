/* The directory, its lock, and names. */
#include "state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/state_private.h"

#define LOCK_TEXT_MAX 24

static int sync_parent(const struct env *env, const char *parent, struct err *e)
{
    int fd = env->files->open(env->ctx, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return state_io_error(parent, "open", e);
    int rc = env->files->sync(env->ctx, fd) == 0 ? 0 : state_io_error(parent, "fsync", e);
    env->files->close(env->ctx, fd);
    return rc;
}

/* The path without its last part: "." for a bare name, "/" at the top. */
static void parent_of(const char *path, struct state_path *out)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    snprintf(out->text, sizeof out->text, "%.*s", len ? (int)len : 1, len ? path : ".");
}

/* Makes the directory and what is missing above it. */
static int make_directory(const struct env *env, const char *path, struct err *e)
{
    struct state_path parent;
    parent_of(path, &parent);
    if (env->files->mkdir(env->ctx, path, 0700) == 0)
        return sync_parent(env, parent.text, e);
    if (errno == EEXIST)
        return 0;
    if (errno != ENOENT || strcmp(parent.text, path) == 0)
        return state_io_error(path, "mkdir", e);
    int rc = make_directory(env, parent.text, e);
    if (rc != 0)
        return rc;
    if (env->files->mkdir(env->ctx, path, 0700) != 0 && errno != EEXIST)
        return state_io_error(path, "mkdir", e);
    return sync_parent(env, parent.text, e);
}

/* Who holds the lock, as they wrote it. */
static int locked_error(const struct state *st, const char *path, struct err *e)
{
    char text[LOCK_TEXT_MAX] = "";
    ssize_t n = file_read_at(st->env, st->lock_fd, 0, text, sizeof text - 1);
    size_t digits = n > 0 ? strspn(text, "0123456789") : 0;
    text[digits] = '\0';
    return err_set(e, STATE_LOCKED, path, digits ? text : "unknown");
}

static int take_lock(struct state *st, struct err *e)
{
    const struct env *env = st->env;
    struct state_path path;
    snprintf(path.text, sizeof path.text, "%s/lock", st->dir);
    st->lock_fd = env->files->open(env->ctx, path.text, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (st->lock_fd < 0)
        return state_io_error(path.text, "open", e);
    if (env->files->lock(env->ctx, st->lock_fd) != 0)
        return errno == EWOULDBLOCK || errno == EACCES ? locked_error(st, path.text, e)
                                                       : state_io_error(path.text, "lock", e);
    char text[LOCK_TEXT_MAX];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (env->files->truncate(env->ctx, st->lock_fd, 0) != 0 || file_write_all(env, st->lock_fd, text, (size_t)len) != 0)
        return state_io_error(path.text, "write", e);
    return 0;
}

static int own(struct state *st, struct err *e)
{
    int rc = make_directory(st->env, st->dir, e);
    if (rc != 0)
        return rc;
    st->dir_fd = st->env->files->open(st->env->ctx, st->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (st->dir_fd < 0)
        return state_io_error(st->dir, "open", e);
    return take_lock(st, e);
}

int state_open(struct state **out, const struct env *env, const char *dir, enum state_mode mode, struct err *e)
{
    size_t len = strlen(dir);
    if (len == 0 || len > STATE_DIR_MAX) {
        errno = len ? ENAMETOOLONG : ENOENT;
        return state_io_error(dir, "open", e);
    }
    struct state *st = calloc(1, sizeof *st);
    if (!st)
        return err_set(e, NO_MEMORY, sizeof *st);
    st->env = env;
    st->mode = mode;
    st->dir_fd = st->lock_fd = -1;
    memcpy(st->dir, dir, len + 1);
    pthread_mutex_init(&st->mutex, NULL);
    int rc = mode == STATE_OWN ? own(st, e) : 0;
    if (rc != 0)
        state_close(st);
    else
        *out = st;
    return rc;
}

void state_close(struct state *st)
{
    if (!st)
        return;
    const struct env *env = st->env;
    while (st->logs) {
        struct state_log *log = st->logs;
        st->logs = log->next;
        if (log->fd >= 0)
            env->files->close(env->ctx, log->fd);
        free(log);
    }
    if (st->dir_fd >= 0)
        env->files->close(env->ctx, st->dir_fd);
    if (st->lock_fd >= 0)
        env->files->close(env->ctx, st->lock_fd);
    if (st->copy)
        st->copy->close(st->copy_ctx);
    pthread_mutex_destroy(&st->mutex);
    free(st);
}

const char *state_dir(const struct state *st)
{
    return st->dir;
}

uint64_t state_cut_bytes(const struct state *st)
{
    return st->cut_bytes;
}

static bool name_is_good(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return len > 0 && len <= STATE_NAME_MAX && name[len] == '\0' && name[0] != '.';
}

int state_path(const struct state *st, const char *name, const char *ending, struct state_path *out, struct err *e)
{
    if (!name_is_good(name))
        return err_set(e, BUG, "a name in the state is not made of [a-z0-9._-]");
    snprintf(out->text, sizeof out->text, "%s/%s%s", st->dir, name, ending);
    return 0;
}

int state_corrupt(const char *path, uint64_t offset, const char *words, struct err *e)
{
    char text[128];
    snprintf(text, sizeof text, "offset %llu: %s", (unsigned long long)offset, words);
    return err_set(e, STATE_CORRUPT, path, text);
}

int state_check_writable(struct state *st, struct err *e)
{
    if (st->mode != STATE_OWN || (st->copy && !st->copy->store))
        return err_set(e, BUG, "a state that is open for reading is written");
    if (st->broken)
        return err_set(e, STATE_IO, st->dir, "write", "an earlier fsync failed");
    return 0;
}
