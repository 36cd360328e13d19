/* Whole events out of a file: reads through a buffer that grows for one large event and shrinks again behind it. One
 * thread. */
#ifndef SLUICE_BINLOG_EVENT_BUFFER_H
#define SLUICE_BINLOG_EVENT_BUFFER_H

#include "base/env.h"
#include "binlog/event.h"

#define EVENT_BUFFER_BYTES ((size_t)1 << 20) /* of the normal buffer */

struct event_buffer {
    const struct env *env;
    const char *path; /* borrowed, for messages */
    int fd;           /* -1: closed */
    uint8_t *bytes;
    size_t size;
    size_t begin; /* of the bytes not handed out yet */
    size_t end;
    uint64_t pos; /* in the file, of `begin` */
    uint64_t max_event_bytes;
};

/* Empty and closed; allocates at the first file. */
void event_buffer_init(struct event_buffer *buffer, const struct env *env, uint64_t max_event_bytes);
void event_buffer_release(struct event_buffer *buffer);

/* Opens a file in place of the one before and checks its magic number. Errors: FILE_READ, FILE_ENCRYPTED, CORRUPT,
 * NO_MEMORY. */
int event_buffer_open(struct event_buffer *buffer, const char *path, struct err *e);

/* Goes on at another place of the file. Errors: FILE_READ; CORRUPT: the file ends before it. */
int event_buffer_seek(struct event_buffer *buffer, uint64_t pos, struct err *e);

/* 1 and the next event (borrowed until the next call), 0 at the end of the file. Errors: FILE_READ, NO_MEMORY, CORRUPT
 * (a length that cannot be, or the file ends inside the event). */
int event_buffer_next(struct event_buffer *buffer, const uint8_t **event, size_t *len, struct err *e);

#endif
