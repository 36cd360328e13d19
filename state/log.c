/* Logs: one file, entries one behind the other, each durable before the next. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "state/log_walk.h"
#include "state/state_private.h"

#define REWRITE_BYTES ((size_t)1 << 20)

static struct state_log *find_log(struct state *st, const char *name)
{
    pthread_mutex_lock(&st->mutex);
    struct state_log *log = st->logs;
    while (log && strcmp(log->name, name) != 0)
        log = log->next;
    if (!log) {
        log = calloc(1, sizeof *log);
        if (log) {
            memcpy(log->name, name, strlen(name) + 1);
            log->fd = -1;
            log->next = st->logs;
            st->logs = log;
        }
    }
    pthread_mutex_unlock(&st->mutex);
    return log;
}

static int file_size(const struct state *st, int fd, const char *path, uint64_t *out, struct err *e)
{
    off_t size = st->env->files->seek(st->env->ctx, fd, 0, SEEK_END);
    if (size < 0)
        return state_io_error(path, "seek", e);
    *out = (uint64_t)size;
    return 0;
}

static int truncate_to(struct state *st, int fd, const char *path, uint64_t end, struct err *e)
{
    if (st->env->files->truncate(st->env->ctx, fd, (off_t)end) != 0)
        return state_io_error(path, "truncate", e);
    return state_sync_fd(st, fd, path, e);
}

/* Finds the end of a log that was just opened, and cuts what a crash left behind it. */
static int settle(struct state *st, int fd, const char *path, uint64_t *end, struct err *e)
{
    struct log_walk walk = {.env = st->env, .fd = fd, .path = path};
    uint64_t size = 0, whole = 0;
    int rc = file_size(st, fd, path, &size, e);
    if (rc == 0)
        rc = log_walk(&walk, size, &whole, e);
    if (rc == 0 && whole < size) {
        rc = truncate_to(st, fd, path, whole, e);
        if (rc == 0)
            st->cut_bytes += size - whole;
    }
    if (rc == 0)
        *end = whole;
    return rc;
}

/* Opens the log for its owner; log->fd stays -1 when there is none and it is not to be created. */
static int use_log(struct state *st, struct state_log *log, const struct state_path *path, bool create, struct err *e)
{
    const struct env *env = st->env;
    if (log->fd >= 0)
        return 0;
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
    int fd = env->files->open(env->ctx, path->text, flags, 0);
    bool made = false;
    if (fd < 0 && errno == ENOENT) {
        if (!create)
            return 0;
        fd = env->files->open(env->ctx, path->text, flags | O_CREAT | O_EXCL, 0600);
        made = true;
    }
    if (fd < 0)
        return state_io_error(path->text, "open", e);
    int rc = made ? state_sync_dir(st, e) : settle(st, fd, path->text, &log->end, e);
    if (rc != 0)
        env->files->close(env->ctx, fd);
    else
        log->fd = fd;
    return rc;
}

static int find_and_use(struct state *st, const char *name, bool create, struct state_log **out,
                        struct state_path *path, struct err *e)
{
    int rc = state_path(st, name, ".log", path, e);
    if (rc != 0)
        return rc;
    struct state_log *log = find_log(st, name);
    if (!log)
        return err_set(e, NO_MEMORY, sizeof *log);
    rc = use_log(st, log, path, create, e);
    if (rc == 0)
        *out = log;
    return rc;
}

static void add_item(struct buf *entry, const struct state_item *item)
{
    uint32_t len = (uint32_t)item->len;
    uint8_t bytes[4] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16), (uint8_t)(len >> 24)};
    buf_add(entry, bytes, sizeof bytes);
    buf_add(entry, item->bytes, item->len);
}

/* Adds one whole entry behind what `out` holds. */
static int add_entry(struct buf *out, const struct state_item *items, size_t count, const char *path, struct err *e)
{
    size_t start = out->len, total = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].len > STATE_ENTRY_MAX - 4 || total > STATE_ENTRY_MAX - 4 - items[i].len)
            return err_set(e, LIMIT, path, items[i].len, STATE_ENTRY_MAX);
        total += items[i].len + 4;
    }
    if (!buf_room(out, ENTRY_HEADER_BYTES + total))
        return err_set(e, NO_MEMORY, total);
    out->len += ENTRY_HEADER_BYTES;
    for (size_t i = 0; i < count; i++)
        add_item(out, &items[i]);
    entry_write_header(out->p + start, ENTRY_LOG, out->p + start + ENTRY_HEADER_BYTES, total);
    return 0;
}

/* A failed write leaves nothing behind, or the state is broken: a later entry must not follow half of one. */
static int write_entry(struct state *st, struct state_log *log, const struct buf *entry, const char *path,
                       struct err *e)
{
    const struct env *env = st->env;
    if (env->files->seek(env->ctx, log->fd, (off_t)log->end, SEEK_SET) < 0)
        return state_io_error(path, "seek", e);
    if (file_write_all(env, log->fd, entry->p, entry->len) != 0) {
        int rc = state_io_error(path, "write", e);
        if (env->files->truncate(env->ctx, log->fd, (off_t)log->end) != 0)
            st->broken = true;
        return rc;
    }
    int rc = state_sync_fd(st, log->fd, path, e);
    if (rc == 0)
        log->end += entry->len;
    return rc;
}

int state_append_all(struct state *st, const char *name, const struct state_item *items, size_t count, struct err *e)
{
    struct state_path path;
    struct state_log *log = NULL;
    struct buf entry;
    buf_init(&entry, 0);
    int rc = state_check_writable(st, e);
    if (rc == 0)
        rc = find_and_use(st, name, true, &log, &path, e);
    if (rc == 0 && count > 0) {
        struct state_change change = {.kind = STATE_CHANGE_APPENDED, .name = name, .place = log->end};
        rc = add_entry(&entry, items, count, path.text, e);
        if (rc == 0)
            rc = state_copy_bytes(st, &change, &entry, e);
        if (rc == 0)
            rc = write_entry(st, log, &entry, path.text, e);
    }
    buf_release(&entry);
    return rc;
}

int state_append(struct state *st, const char *name, const void *bytes, size_t len, struct err *e)
{
    struct state_item item = {bytes, len};
    return state_append_all(st, name, &item, 1, e);
}

/* A reader opens the file anew each time: its owner may have replaced it. */
static int scan_as_reader(struct state *st, const char *name, struct log_walk *walk, struct err *e)
{
    const struct env *env = st->env;
    struct state_path path;
    uint64_t size = 0, end = 0;
    int rc = state_path(st, name, ".log", &path, e);
    if (rc != 0)
        return rc;
    walk->path = path.text;
    walk->fd = env->files->open(env->ctx, path.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (walk->fd < 0)
        return errno == ENOENT ? 0 : state_io_error(path.text, "open", e);
    rc = file_size(st, walk->fd, path.text, &size, e);
    if (rc == 0)
        rc = log_walk(walk, size, &end, e);
    env->files->close(env->ctx, walk->fd);
    return rc;
}

static int scan_as_owner(struct state *st, const char *name, struct log_walk *walk, struct err *e)
{
    struct state_path path;
    struct state_log *log = NULL;
    uint64_t end = 0;
    int rc = find_and_use(st, name, false, &log, &path, e);
    if (rc != 0 || log->fd < 0)
        return rc;
    walk->path = path.text;
    walk->fd = log->fd;
    rc = log_walk(walk, log->end, &end, e);
    if (rc == 0 && end < log->end)
        rc = state_corrupt(path.text, end, "an entry that was whole is not any more", e);
    return rc;
}

int state_scan(struct state *st, const char *name, state_visit *visit, void *ctx, struct err *e)
{
    struct log_walk walk = {.env = st->env, .visit = visit, .ctx = ctx};
    return st->mode == STATE_OWN ? scan_as_owner(st, name, &walk, e) : scan_as_reader(st, name, &walk, e);
}

int state_end(struct state *st, const char *name, uint64_t *place, struct err *e)
{
    struct state_path path;
    struct state_log *log = NULL;
    int rc = find_and_use(st, name, false, &log, &path, e);
    if (rc == 0)
        *place = log->fd < 0 ? 0 : log->end;
    return rc;
}

int state_read_entry(struct state *st, const char *name, uint64_t *place, struct buf *out, struct err *e)
{
    struct state_path path;
    struct state_log *log = NULL;
    uint64_t next = *place;
    bool cut = true;
    int rc = find_and_use(st, name, false, &log, &path, e);
    if (rc != 0)
        return rc;
    struct log_walk walk = {.env = st->env, .fd = log->fd, .path = path.text};
    if (log->fd >= 0 && next < log->end)
        rc = log_walk_entry(&walk, log->end, &next, out, &cut, e);
    if (rc == 0 && cut)
        return state_corrupt(path.text, *place, "an entry that was whole is not any more", e);
    if (rc == 0)
        *place = next;
    return rc;
}

bool state_take_item(struct cursor *entry, struct state_item *out)
{
    if (cursor_left(entry) == 0)
        return false;
    size_t len = cursor_u32(entry);
    const uint8_t *bytes = cursor_take(entry, len);
    if (entry->bad)
        return false;
    *out = (struct state_item){bytes, len};
    return true;
}

/* What a log is rewritten with: the items of the old one that `keep` wants or, without `keep`, the given ones. */
struct rewriting {
    struct state *st;
    state_keep *keep;
    void *ctx;
    const struct state_item *items;
    size_t count;
    const char *path;
    int fd;
    uint64_t written;
    struct buf pending;
};

static int flush(struct rewriting *w, struct err *e)
{
    if (file_write_all(w->st->env, w->fd, w->pending.p, w->pending.len) != 0)
        return state_io_error(w->path, "write", e);
    w->written += w->pending.len;
    buf_clear(&w->pending);
    return 0;
}

static int write_item(struct rewriting *w, const struct state_item *item, struct err *e)
{
    int rc = add_entry(&w->pending, item, 1, w->path, e);
    return rc == 0 && w->pending.len >= REWRITE_BYTES ? flush(w, e) : rc;
}

static int keep_item(void *ctx, const struct state_item *item, struct err *e)
{
    struct rewriting *w = ctx;
    return w->keep(w->ctx, item) ? write_item(w, item, e) : 0;
}

/* Writes the new log and puts it in the old one's place; on success w->fd is the log's file. */
static int write_log(struct rewriting *w, const char *name, const struct state_path *path,
                     const struct state_path *temporary, struct err *e)
{
    int rc = w->keep ? state_scan(w->st, name, keep_item, w, e) : 0;
    for (size_t i = 0; i < w->count && rc == 0; i++)
        rc = write_item(w, &w->items[i], e);
    struct state_change change = {.kind = STATE_CHANGE_REPLACED, .name = name};
    if (rc == 0)
        rc = flush(w, e);
    change.size = w->written;
    if (rc == 0)
        rc = state_copy_file(w->st, &change, w->fd, temporary->text, e);
    if (rc != 0) {
        w->st->env->files->unlink(w->st->env->ctx, temporary->text);
        return rc;
    }
    return state_put_in_place(w->st, w->fd, temporary, path, e);
}

static int rewrite(struct rewriting *w, const char *name, struct err *e)
{
    struct state *st = w->st;
    struct state_path path, temporary;
    struct state_log *log = NULL;
    int rc = state_check_writable(st, e);
    if (rc == 0)
        rc = find_and_use(st, name, false, &log, &path, e);
    if (rc != 0 || (log->fd < 0 && w->keep))
        return rc;
    rc = state_path(st, name, ".log.tmp", &temporary, e);
    if (rc == 0)
        rc = state_open_temporary(st, &temporary, &w->fd, e);
    if (rc != 0)
        return rc;
    w->path = temporary.text;
    buf_init(&w->pending, 0);
    rc = write_log(w, name, &path, &temporary, e);
    buf_release(&w->pending);
    int done = rc == 0 ? log->fd : w->fd;
    if (done >= 0)
        st->env->files->close(st->env->ctx, done);
    if (rc == 0) {
        log->fd = w->fd;
        log->end = w->written;
    }
    return rc;
}

int state_compact(struct state *st, const char *name, state_keep *keep, void *ctx, struct err *e)
{
    struct rewriting w = {.st = st, .keep = keep, .ctx = ctx};
    return rewrite(&w, name, e);
}

int state_replace(struct state *st, const char *name, const struct state_item *items, size_t count, struct err *e)
{
    struct rewriting w = {.st = st, .items = items, .count = count};
    return rewrite(&w, name, e);
}
