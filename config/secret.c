/* A secret from its own file, so that it stands neither in the configuration nor in the environment. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config_private.h"

#define SECRET_BYTES_MAX ((size_t)64 << 10)

/* Where container engines mount secrets, with the mode and owner of a file outside: who sees the folder is in the
 * container, and nobody else is. */
#define CONTAINER_SECRETS "/run/secrets/"

static int secret_error(struct err *e, const char *place, const char *path, const char *words)
{
    char text[ERR_TEXT_MAX / 2];
    snprintf(text, sizeof text, "%s %s", path, words);
    return err_set(e, CONFIG_SECRET, place, text);
}

static int check_file(int failed, const struct stat *st, const char *place, const char *path, struct err *e)
{
    char words[128];
    if (failed == -EFBIG)
        return secret_error(e, place, path, "is larger than 64 KiB");
    if (failed != 0) {
        snprintf(words, sizeof words, "cannot be read: %s", strerror(-failed));
        return secret_error(e, place, path, words);
    }
    unsigned mode = (unsigned)st->st_mode & 07777;
    unsigned most = strncmp(path, CONTAINER_SECRETS, strlen(CONTAINER_SECRETS)) == 0 ? 0644 : 0600;
    if (mode & ~most) {
        snprintf(words, sizeof words, "has mode %04o and may have no more than %04o", mode, most);
        return secret_error(e, place, path, words);
    }
    return 0;
}

int secret_read(struct config *cfg, const char *path, const char *place, const char **out, struct err *e)
{
    struct buf bytes;
    struct stat st;
    buf_init(&bytes, SECRET_BYTES_MAX + 1);
    int rc = check_file(file_read_all(cfg->env, path, SECRET_BYTES_MAX, &bytes, &st), &st, place, path, e);
    if (rc == 0 && bytes.len > 0 && bytes.p[bytes.len - 1] == '\n')
        bytes.len--;
    if (rc == 0 && bytes.len == 0)
        rc = secret_error(e, place, path, "is empty");
    if (rc == 0 && memchr(bytes.p, '\0', bytes.len))
        rc = secret_error(e, place, path, "holds a NUL character");
    if (rc == 0)
        rc = config_copy(cfg, (const char *)bytes.p, bytes.len, out, e);
    if (bytes.p)
        explicit_bzero(bytes.p, bytes.size);
    buf_release(&bytes);
    return rc;
}
