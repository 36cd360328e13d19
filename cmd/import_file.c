/* Files of definitions. */
#include "cmd/import_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct file {
    const struct env *env;
    const char *path;
    int fd;
};

static int read_file(void *ctx, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct file *file = ctx;
    ssize_t n;
    do
        n = file->env->files->read(file->env->ctx, file->fd, bytes, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(e, SQL_FILE_READ, file->path, strerror(errno));
    *got = (size_t)n;
    return 0;
}

int import_file(struct history *history, const struct env *env, const struct import_source *source,
                struct schema_imported *out, struct err *e)
{
    struct file file = {env, source->path,
                        env->files->open(env->ctx, source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0)};
    if (file.fd < 0)
        return err_set(e, SQL_FILE_READ, source->path, strerror(errno));
    const struct schema_import import = {
        .script = {.name = source->path, .read = read_file, .ctx = &file, .flavor = source->flavor},
        .interest = source->interest,
        .place = source->place,
    };
    int rc = schema_import(history, &import, out, e);
    env->files->close(env->ctx, file.fd);
    return rc;
}
