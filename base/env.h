/* Clock, random, file operations and log, handed in from main, so that time and faults are inputs of tests.
 *
 * Every function of the tables is called with `ctx` of the same table. env_system() is the real one. All functions may
 * be called by any thread. */
#ifndef SLUICE_BASE_ENV_H
#define SLUICE_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct log;

/* As the calls of the same name: -1 and errno on failure. Paths are NUL-terminated. */
struct file_ops {
    int (*open)(void *ctx, const char *path, int flags, mode_t mode);
    ssize_t (*read)(void *ctx, int fd, void *bytes, size_t len);
    ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t len);
    off_t (*seek)(void *ctx, int fd, off_t offset, int whence);
    int (*truncate)(void *ctx, int fd, off_t len);
    int (*sync)(void *ctx, int fd);
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*mkdir)(void *ctx, const char *path, mode_t mode);
    int (*lock)(void *ctx, int fd); /* exclusive, not waiting */
    int (*close)(void *ctx, int fd);
    int (*stat)(void *ctx, int fd, struct stat *out); /* fstat */
};

struct env {
    void *ctx;
    int64_t (*now_us)(void *ctx);                       /* Unix time, microseconds */
    int64_t (*mono_us)(void *ctx);                      /* monotonic, microseconds */
    void (*random)(void *ctx, void *bytes, size_t len); /* fit for identifiers and jitter */
    const struct file_ops *files;
    struct log *log; /* may be NULL: nothing is logged */
};

/* The operating system's clock, random and files; no log. */
struct env env_system(void);

static inline int64_t env_now_us(const struct env *env)
{
    return env->now_us(env->ctx);
}

static inline int64_t env_mono_us(const struct env *env)
{
    return env->mono_us(env->ctx);
}

#endif
