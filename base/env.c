/* The operating system behind struct env. */
#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t clock)
{
    struct timespec ts = {0};
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_now_us(void *ctx)
{
    (void)ctx;
    return clock_us(CLOCK_REALTIME);
}

static int64_t system_mono_us(void *ctx)
{
    (void)ctx;
    return clock_us(CLOCK_MONOTONIC);
}

/* getrandom() fails only where the kernel has none; the clock then still gives jitter that differs between processes.
 */
static void system_random(void *ctx, void *bytes, size_t len)
{
    uint8_t *p = bytes;
    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            uint64_t seed = (uint64_t)clock_us(CLOCK_MONOTONIC) * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)getpid();
            n = (ssize_t)(len < sizeof seed ? len : sizeof seed);
            memcpy(p, &seed, (size_t)n);
        }
        p += n;
        len -= (size_t)n;
    }
}

static int system_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)ctx;
    return open(path, flags | O_CLOEXEC, mode);
}

static ssize_t system_read(void *ctx, int fd, void *bytes, size_t len)
{
    (void)ctx;
    return read(fd, bytes, len);
}

static ssize_t system_write(void *ctx, int fd, const void *bytes, size_t len)
{
    (void)ctx;
    return write(fd, bytes, len);
}

static off_t system_seek(void *ctx, int fd, off_t offset, int whence)
{
    (void)ctx;
    return lseek(fd, offset, whence);
}

static int system_truncate(void *ctx, int fd, off_t len)
{
    (void)ctx;
    return ftruncate(fd, len);
}

static int system_sync(void *ctx, int fd)
{
    (void)ctx;
    return fsync(fd);
}

static int system_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to);
}

static int system_unlink(void *ctx, const char *path)
{
    (void)ctx;
    return unlink(path);
}

static int system_mkdir(void *ctx, const char *path, mode_t mode)
{
    (void)ctx;
    return mkdir(path, mode);
}

static int system_lock(void *ctx, int fd)
{
    (void)ctx;
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int system_close(void *ctx, int fd)
{
    (void)ctx;
    return close(fd);
}

static int system_stat(void *ctx, int fd, struct stat *out)
{
    (void)ctx;
    return fstat(fd, out);
}

static const struct file_ops system_files = {
    .open = system_open,
    .read = system_read,
    .write = system_write,
    .seek = system_seek,
    .truncate = system_truncate,
    .sync = system_sync,
    .rename = system_rename,
    .unlink = system_unlink,
    .mkdir = system_mkdir,
    .lock = system_lock,
    .close = system_close,
    .stat = system_stat,
};

struct env env_system(void)
{
    return (struct env){
        .now_us = system_now_us,
        .mono_us = system_mono_us,
        .random = system_random,
        .files = &system_files,
    };
}
