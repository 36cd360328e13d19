/* The descriptor is the index of the file. */
#include "tools/bytes_env.h"

#include <errno.h>
#include <string.h>

static int bytes_open(void *ctx, const char *path, int flags, mode_t mode)
{
    struct bytes_env *files = ctx;
    (void)flags;
    (void)mode;
    for (int i = 0; i < BYTES_FILES_MAX; i++) {
        if (files->files[i].path && strcmp(files->files[i].path, path) == 0) {
            files->at[i] = 0;
            return i;
        }
    }
    errno = ENOENT;
    return -1;
}

static ssize_t bytes_read(void *ctx, int fd, void *out, size_t len)
{
    struct bytes_env *files = ctx;
    const struct bytes_file *file = &files->files[fd];
    size_t left = file->len - files->at[fd];
    if (++files->reads == files->fail_at) {
        errno = EIO;
        return -1;
    }
    if (len > left)
        len = left;
    if (files->read_max && len > files->read_max)
        len = files->read_max;
    if (len)
        memcpy(out, file->bytes + files->at[fd], len);
    files->at[fd] += len;
    return (ssize_t)len;
}

static off_t bytes_seek(void *ctx, int fd, off_t offset, int whence)
{
    struct bytes_env *files = ctx;
    size_t len = files->files[fd].len, to = (size_t)offset + (whence == SEEK_END ? len : 0);
    files->at[fd] = to < len ? to : len;
    return (off_t)to;
}

static int bytes_close(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

static const struct file_ops ops = {.open = bytes_open, .read = bytes_read, .seek = bytes_seek, .close = bytes_close};

struct env bytes_env(struct bytes_env *files)
{
    return (struct env){.ctx = files, .files = &ops};
}
