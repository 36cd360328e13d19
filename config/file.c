/* Reading one small file whole, through env, for documents and secrets. */
#include <errno.h>
#include <fcntl.h>

#include "config/config_private.h"

static int read_to_end(const struct env *env, int fd, size_t cap, struct buf *out)
{
    for (;;) {
        /* One byte more than the cap is asked for: that it comes tells that the file is too large. */
        uint8_t *room = buf_room(out, cap + 1 - out->len);
        if (!room)
            return -ENOMEM;
        ssize_t n = env->files->read(env->ctx, fd, room, cap + 1 - out->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        out->len += (size_t)n;
        if (out->len > cap)
            return -EFBIG;
    }
}

int file_read_all(const struct env *env, const char *path, size_t cap, struct buf *out, struct stat *st)
{
    int fd = env->files->open(env->ctx, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0)
        return -errno;
    int rc = st && env->files->stat(env->ctx, fd, st) != 0 ? -errno : 0;
    if (rc == 0)
        rc = read_to_end(env, fd, cap, out);
    env->files->close(env->ctx, fd);
    return rc;
}
