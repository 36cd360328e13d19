/* Files as pairs of byte runs (written, durable), names as pairs of links (now, durable). */
#include "tools/memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX  64
#define FDS_MAX    64
#define PATH_BYTES 128
#define SECTOR     512

struct bytes {
    uint8_t *p;
    size_t len, size;
};

struct file {
    bool used, directory, locked;
    mode_t mode;
    struct bytes now, durable;
};

/* One name: which file it leads to (index + 1, 0: none), now and after a crash. */
struct name {
    char path[PATH_BYTES];
    unsigned now, durable;
};

struct memfs {
    struct file files[FILES_MAX];
    struct name names[FILES_MAX];
    unsigned name_count;
    struct {
        bool used, locked;
        unsigned file;
        size_t offset;
    } fds[FDS_MAX];
    enum memfs_fault fault;
    unsigned at, operations;
    bool met, power_off;
    int64_t now_us, mono_us;
    uint64_t seed;
};

static void make_room(struct bytes *b, size_t len)
{
    if (b->p && len <= b->size)
        return;
    size_t size = len + b->size;
    uint8_t *p = realloc(b->p, size + 1);
    if (!p)
        abort();
    *b = (struct bytes){p, b->len, size};
}

static void set_bytes(struct bytes *b, const uint8_t *p, size_t len)
{
    make_room(b, len);
    if (len)
        memcpy(b->p, p, len);
    b->len = len;
}

static void resize(struct bytes *b, size_t len)
{
    make_room(b, len);
    if (len > b->len)
        memset(b->p + b->len, 0, len - b->len);
    b->len = len;
}

static struct name *find_name(struct memfs *fs, const char *path, bool create)
{
    for (unsigned i = 0; i < fs->name_count; i++)
        if (strcmp(fs->names[i].path, path) == 0)
            return &fs->names[i];
    if (!create)
        return NULL;
    if (fs->name_count == FILES_MAX)
        abort();
    struct name *name = &fs->names[fs->name_count++];
    snprintf(name->path, sizeof name->path, "%s", path);
    return name;
}

static bool is_referenced(const struct memfs *fs, unsigned file)
{
    for (unsigned i = 0; i < fs->name_count; i++)
        if (fs->names[i].now == file + 1 || fs->names[i].durable == file + 1)
            return true;
    for (unsigned i = 0; i < FDS_MAX; i++)
        if (fs->fds[i].used && fs->fds[i].file == file)
            return true;
    return false;
}

static unsigned new_file(struct memfs *fs, bool directory, mode_t mode)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        struct file *file = &fs->files[i];
        if (file->used && is_referenced(fs, i))
            continue;
        free(file->now.p);
        free(file->durable.p);
        *file = (struct file){.used = true, .directory = directory, .mode = mode};
        return i + 1;
    }
    abort();
}

static size_t parent_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
}

static bool parent_exists(struct memfs *fs, const char *path)
{
    char parent[PATH_BYTES];
    snprintf(parent, sizeof parent, "%.*s", (int)parent_len(path), path);
    const struct name *name = find_name(fs, parent, false);
    return name && name->now && fs->files[name->now - 1].directory;
}

/* Counts the operation; true when it must fail with errno set. *torn: a write stores half of its bytes before. */
static bool strikes(struct memfs *fs, bool *torn)
{
    *torn = false;
    if (!fs->power_off)
        fs->operations++;
    bool here = fs->fault != MEMFS_NONE && !fs->met && fs->operations == fs->at;
    if (here) {
        fs->met = true;
        *torn = fs->fault != MEMFS_ERROR;
        fs->power_off = fs->fault == MEMFS_POWER;
    }
    if (here || fs->power_off)
        errno = EIO;
    return here || fs->power_off;
}

static bool fails(struct memfs *fs)
{
    bool torn;
    return strikes(fs, &torn);
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int memfs_open(void *ctx, const char *path, int flags, mode_t mode)
{
    struct memfs *fs = ctx;
    if (fails(fs))
        return -1;
    struct name *name = find_name(fs, path, false);
    bool exists = name && name->now;
    if (!exists && !(flags & O_CREAT))
        return fail(ENOENT);
    if (exists && (flags & O_CREAT) && (flags & O_EXCL))
        return fail(EEXIST);
    if (!exists) {
        if (!parent_exists(fs, path))
            return fail(ENOENT);
        name = find_name(fs, path, true);
        name->now = new_file(fs, false, mode);
    }
    struct file *file = &fs->files[name->now - 1];
    if ((flags & O_DIRECTORY) && !file->directory)
        return fail(ENOTDIR);
    if (flags & O_TRUNC)
        resize(&file->now, 0);
    for (unsigned fd = 0; fd < FDS_MAX; fd++)
        if (!fs->fds[fd].used) {
            fs->fds[fd].used = true;
            fs->fds[fd].locked = false;
            fs->fds[fd].file = name->now - 1;
            fs->fds[fd].offset = 0;
            return (int)fd + 3;
        }
    return fail(EMFILE);
}

static struct file *file_of(struct memfs *fs, int fd)
{
    if (fd < 3 || fd >= FDS_MAX + 3 || !fs->fds[fd - 3].used)
        abort(); /* a use after close is a bug of the code under test */
    return &fs->files[fs->fds[fd - 3].file];
}

static ssize_t memfs_read(void *ctx, int fd, void *bytes, size_t len)
{
    struct memfs *fs = ctx;
    const struct file *file = file_of(fs, fd);
    if (fails(fs))
        return -1;
    size_t offset = fs->fds[fd - 3].offset;
    size_t left = offset < file->now.len ? file->now.len - offset : 0;
    size_t n = len < left ? len : left;
    if (n)
        memcpy(bytes, file->now.p + offset, n);
    fs->fds[fd - 3].offset += n;
    return (ssize_t)n;
}

static ssize_t memfs_write(void *ctx, int fd, const void *bytes, size_t len)
{
    struct memfs *fs = ctx;
    struct file *file = file_of(fs, fd);
    bool torn, was_off = fs->power_off;
    bool failed = strikes(fs, &torn);
    size_t n = !failed ? len : torn && !was_off ? len / 2 : 0;
    size_t offset = fs->fds[fd - 3].offset;
    if (n) {
        if (offset + n > file->now.len)
            resize(&file->now, offset + n);
        memcpy(file->now.p + offset, bytes, n);
        fs->fds[fd - 3].offset += n;
    }
    return failed ? -1 : (ssize_t)n;
}

static off_t memfs_seek(void *ctx, int fd, off_t offset, int whence)
{
    struct memfs *fs = ctx;
    const struct file *file = file_of(fs, fd);
    if (fails(fs))
        return -1;
    fs->fds[fd - 3].offset = (size_t)offset + (whence == SEEK_END ? file->now.len : 0);
    return (off_t)fs->fds[fd - 3].offset;
}

static int memfs_truncate(void *ctx, int fd, off_t len)
{
    struct memfs *fs = ctx;
    struct file *file = file_of(fs, fd);
    if (fails(fs))
        return -1;
    resize(&file->now, (size_t)len);
    return 0;
}

static void sync_names(struct memfs *fs, unsigned directory)
{
    for (unsigned i = 0; i < fs->name_count; i++) {
        char parent[PATH_BYTES];
        snprintf(parent, sizeof parent, "%.*s", (int)parent_len(fs->names[i].path), fs->names[i].path);
        const struct name *name = find_name(fs, parent, false);
        if (name && name->now == directory + 1)
            fs->names[i].durable = fs->names[i].now;
    }
}

static int memfs_sync(void *ctx, int fd)
{
    struct memfs *fs = ctx;
    struct file *file = file_of(fs, fd);
    if (fails(fs))
        return -1;
    if (file->directory)
        sync_names(fs, fs->fds[fd - 3].file);
    else
        set_bytes(&file->durable, file->now.p, file->now.len);
    return 0;
}

static int memfs_rename(void *ctx, const char *from, const char *to)
{
    struct memfs *fs = ctx;
    if (fails(fs))
        return -1;
    struct name *source = find_name(fs, from, false);
    if (!source || !source->now)
        return fail(ENOENT);
    struct name *target = find_name(fs, to, true);
    target->now = source->now;
    source->now = 0;
    return 0;
}

static int memfs_unlink(void *ctx, const char *path)
{
    struct memfs *fs = ctx;
    if (fails(fs))
        return -1;
    struct name *name = find_name(fs, path, false);
    if (!name || !name->now)
        return fail(ENOENT);
    name->now = 0;
    return 0;
}

static int memfs_mkdir(void *ctx, const char *path, mode_t mode)
{
    struct memfs *fs = ctx;
    if (fails(fs))
        return -1;
    struct name *name = find_name(fs, path, false);
    if (name && name->now)
        return fail(EEXIST);
    if (!parent_exists(fs, path))
        return fail(ENOENT);
    name = find_name(fs, path, true);
    name->now = new_file(fs, true, mode);
    return 0;
}

static int memfs_lock(void *ctx, int fd)
{
    struct memfs *fs = ctx;
    struct file *file = file_of(fs, fd);
    if (fails(fs))
        return -1;
    if (file->locked && !fs->fds[fd - 3].locked)
        return fail(EWOULDBLOCK);
    file->locked = fs->fds[fd - 3].locked = true;
    return 0;
}

/* Closing always works, as it frees the descriptor on Linux whatever it returns. */
static int memfs_close(void *ctx, int fd)
{
    struct memfs *fs = ctx;
    struct file *file = file_of(fs, fd);
    if (fs->fds[fd - 3].locked)
        file->locked = false;
    fs->fds[fd - 3].used = false;
    return 0;
}

static int memfs_stat(void *ctx, int fd, struct stat *out)
{
    struct memfs *fs = ctx;
    const struct file *file = file_of(fs, fd);
    if (fails(fs))
        return -1;
    memset(out, 0, sizeof *out);
    out->st_mode = (file->directory ? S_IFDIR : S_IFREG) | file->mode;
    out->st_size = (off_t)file->now.len;
    return 0;
}

static int64_t memfs_clock(void *ctx)
{
    const struct memfs *fs = ctx;
    return fs->now_us;
}

static int64_t memfs_mono(void *ctx)
{
    const struct memfs *fs = ctx;
    return fs->mono_us;
}

/* splitmix64 */
static void memfs_random(void *ctx, void *bytes, size_t len)
{
    struct memfs *fs = ctx;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = fs->seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        ((uint8_t *)bytes)[i] = (uint8_t)(z >> 56);
    }
}

static const struct file_ops ops = {
    .open = memfs_open,
    .read = memfs_read,
    .write = memfs_write,
    .seek = memfs_seek,
    .truncate = memfs_truncate,
    .sync = memfs_sync,
    .rename = memfs_rename,
    .unlink = memfs_unlink,
    .mkdir = memfs_mkdir,
    .lock = memfs_lock,
    .close = memfs_close,
    .stat = memfs_stat,
};

struct memfs *memfs_new(void)
{
    struct memfs *fs = calloc(1, sizeof *fs);
    if (!fs)
        abort();
    fs->now_us = fs->mono_us = INT64_C(1700000000000000);
    struct name *root = find_name(fs, "/", true);
    root->now = root->durable = new_file(fs, true, 0755);
    return fs;
}

void memfs_free(struct memfs *fs)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        free(fs->files[i].now.p);
        free(fs->files[i].durable.p);
    }
    free(fs);
}

struct env memfs_env(struct memfs *fs)
{
    return (struct env){.ctx = fs, .now_us = memfs_clock, .mono_us = memfs_mono, .random = memfs_random, .files = &ops};
}

void memfs_fault(struct memfs *fs, enum memfs_fault fault, unsigned n)
{
    fs->fault = fault;
    fs->at = n;
    fs->operations = 0;
    fs->met = fs->power_off = false;
}

unsigned memfs_operations(const struct memfs *fs)
{
    return fs->operations;
}

bool memfs_fault_met(const struct memfs *fs)
{
    return fs->met;
}

static void crash_bytes(struct file *file, enum memfs_bytes bytes)
{
    size_t durable = file->durable.len;
    switch (bytes) {
    case MEMFS_BYTES_ALL:
    case MEMFS_BYTES_COUNT:
        break;
    case MEMFS_BYTES_DURABLE:
        set_bytes(&file->now, file->durable.p, durable);
        break;
    case MEMFS_BYTES_HALF:
        if (file->now.len > durable)
            resize(&file->now, durable + (file->now.len - durable) / 2);
        break;
    case MEMFS_BYTES_ZEROS:
    case MEMFS_BYTES_HOLES:
        for (size_t i = durable, first = durable / SECTOR; i < file->now.len; i++)
            if (bytes == MEMFS_BYTES_ZEROS || (i / SECTOR - first) % 2 == 0)
                file->now.p[i] = 0;
        break;
    }
    set_bytes(&file->durable, file->now.p, file->now.len);
}

void memfs_crash(struct memfs *fs, enum memfs_bytes bytes, bool names)
{
    memfs_fault(fs, MEMFS_NONE, 0);
    for (unsigned i = 0; i < FDS_MAX; i++)
        fs->fds[i].used = false;
    for (unsigned i = 0; i < FILES_MAX; i++) {
        fs->files[i].locked = false;
        if (fs->files[i].used && !fs->files[i].directory)
            crash_bytes(&fs->files[i], bytes);
    }
    for (unsigned i = 0; i < fs->name_count; i++) {
        if (names)
            fs->names[i].durable = fs->names[i].now;
        else
            fs->names[i].now = fs->names[i].durable;
    }
}

uint8_t *memfs_bytes(struct memfs *fs, const char *path, size_t *len)
{
    const struct name *name = find_name(fs, path, false);
    if (!name || !name->now)
        return NULL;
    struct bytes *b = &fs->files[name->now - 1].now;
    if (!b->p)
        resize(b, 0);
    *len = b->len;
    return b->p;
}

void memfs_resize(struct memfs *fs, const char *path, size_t len)
{
    const struct name *name = find_name(fs, path, true);
    if (!name->now)
        abort();
    resize(&fs->files[name->now - 1].now, len);
}

bool memfs_exists(struct memfs *fs, const char *path)
{
    const struct name *name = find_name(fs, path, false);
    return name && name->now;
}

mode_t memfs_mode(struct memfs *fs, const char *path)
{
    const struct name *name = find_name(fs, path, false);
    return name && name->now ? fs->files[name->now - 1].mode : 0;
}

unsigned memfs_open_count(const struct memfs *fs)
{
    unsigned count = 0;
    for (unsigned i = 0; i < FDS_MAX; i++)
        count += fs->fds[i].used;
    return count;
}

void memfs_advance(struct memfs *fs, int64_t us)
{
    fs->now_us += us;
    fs->mono_us += us;
}

void memfs_step(struct memfs *fs, int64_t us)
{
    fs->now_us += us;
}
