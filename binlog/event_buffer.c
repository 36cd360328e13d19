/* A window over the file: [begin, end) of `bytes` is what was read and not handed out. */
#include "binlog/event_buffer.h"

#include <errno.h>
#include <fcntl.h>

static const uint8_t magic_plain[EVENT_FILE_MAGIC_LEN] = {0xfe, 'b', 'i', 'n'};
static const uint8_t magic_encrypted[EVENT_FILE_MAGIC_LEN] = {0xfd, 'b', 'i', 'n'};

void event_buffer_init(struct event_buffer *buffer, const struct env *env, uint64_t max_event_bytes)
{
    *buffer = (struct event_buffer){.env = env, .fd = -1, .max_event_bytes = max_event_bytes};
}

static void close_file(struct event_buffer *buffer)
{
    if (buffer->fd >= 0)
        (void)buffer->env->files->close(buffer->env->ctx, buffer->fd);
    buffer->fd = -1;
}

void event_buffer_release(struct event_buffer *buffer)
{
    close_file(buffer);
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->size = buffer->begin = buffer->end = 0;
}

static int resize(struct event_buffer *buffer, size_t size, struct err *e)
{
    if (size == buffer->size)
        return 0;
    uint8_t *bytes = (uint8_t *)realloc(buffer->bytes, size);
    if (!bytes)
        return err_set(e, NO_MEMORY, size);
    buffer->bytes = bytes;
    buffer->size = size;
    return 0;
}

/* Reads until `need` bytes are in the window or the file ends; the caller compares. */
static int fill(struct event_buffer *buffer, size_t need, struct err *e)
{
    size_t have = buffer->end - buffer->begin;
    if (have >= need)
        return 0;
    if (have)
        memmove(buffer->bytes, buffer->bytes + buffer->begin, have);
    buffer->begin = 0;
    buffer->end = have;
    int rc = resize(buffer, need > EVENT_BUFFER_BYTES ? need : EVENT_BUFFER_BYTES, e);
    if (rc != 0)
        return rc;
    while (buffer->end < need) {
        ssize_t n = buffer->env->files->read(buffer->env->ctx, buffer->fd, buffer->bytes + buffer->end,
                                             buffer->size - buffer->end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, FILE_READ, buffer->path, strerror(errno));
        if (n == 0)
            return 0;
        buffer->end += (size_t)n;
    }
    return 0;
}

int event_buffer_open(struct event_buffer *buffer, const char *path, struct err *e)
{
    close_file(buffer);
    buffer->path = path;
    buffer->begin = buffer->end = 0;
    buffer->pos = 0;
    buffer->fd = buffer->env->files->open(buffer->env->ctx, path, O_RDONLY | O_CLOEXEC, 0);
    if (buffer->fd < 0)
        return err_set(e, FILE_READ, path, strerror(errno));
    int rc = fill(buffer, EVENT_FILE_MAGIC_LEN, e);
    if (rc != 0)
        return rc;
    const uint8_t *head = buffer->bytes;
    if (buffer->end < EVENT_FILE_MAGIC_LEN) {
        err_set(e, CORRUPT, "the file is too short for a binlog");
    } else if (memcmp(head, magic_encrypted, EVENT_FILE_MAGIC_LEN) == 0) {
        return err_set(e, FILE_ENCRYPTED, path);
    } else if (memcmp(head, magic_plain, EVENT_FILE_MAGIC_LEN) == 0) {
        buffer->begin = buffer->pos = EVENT_FILE_MAGIC_LEN;
        return 0;
    } else {
        err_set(e, CORRUPT, "not a binlog: it does not begin with fe 62 69 6e");
    }
    err_wrap(e, "%s", path);
    return -(int)ERR_CORRUPT;
}

int event_buffer_seek(struct event_buffer *buffer, uint64_t pos, struct err *e)
{
    const struct file_ops *files = buffer->env->files;
    off_t end = files->seek(buffer->env->ctx, buffer->fd, 0, SEEK_END);
    if (end < 0 || (pos <= (uint64_t)end && files->seek(buffer->env->ctx, buffer->fd, (off_t)pos, SEEK_SET) < 0))
        return err_set(e, FILE_READ, buffer->path, strerror(errno));
    if (pos > (uint64_t)end) {
        char text[64];
        snprintf(text, sizeof text, "the file ends at %lld, before the place", (long long)end);
        return err_set(e, CORRUPT, text);
    }
    buffer->begin = buffer->end = 0;
    buffer->pos = pos;
    return 0;
}

static int cut(size_t have, size_t need, struct err *e)
{
    char text[96];
    snprintf(text, sizeof text, "the file ends inside an event: %zu bytes of %zu are there", have, need);
    return err_set(e, CORRUPT, text);
}

int event_buffer_next(struct event_buffer *buffer, const uint8_t **event, size_t *len, struct err *e)
{
    struct event_header header;
    int rc = fill(buffer, EVENT_HEADER_LEN, e);
    if (rc != 0)
        return rc;
    size_t have = buffer->end - buffer->begin;
    if (have == 0)
        return 0;
    if (have < EVENT_HEADER_LEN)
        return cut(have, EVENT_HEADER_LEN, e);
    rc = event_header_read(&header, buffer->bytes + buffer->begin, have, buffer->max_event_bytes, e);
    if (rc == 0)
        rc = fill(buffer, header.len, e);
    if (rc != 0)
        return rc;
    have = buffer->end - buffer->begin;
    if (have < header.len)
        return cut(have, header.len, e);
    *event = buffer->bytes + buffer->begin;
    *len = header.len;
    buffer->begin += header.len;
    buffer->pos += header.len;
    return 1;
}
