/* The events in a compressed transaction, one after the other, decompressed as they are asked for.
 *
 * The payload stays where it arrived: whoever calls passes the same bytes each time, and only how far they were read is
 * kept here. Memory: the zstd window that the payload declares (at most 128 MiB) and one event. What the payload claims
 * about sizes is checked before anything is allocated for it. Core: no I/O. One thread. */
#ifndef SLUICE_BINLOG_PAYLOAD_H
#define SLUICE_BINLOG_PAYLOAD_H

#include "binlog/event.h"

#define PAYLOAD_WINDOW_LOG_MAX 27                   /* of zstd: 128 MiB, the largest that the server's levels use */
#define PAYLOAD_RATIO_MAX      40000                /* decompressed to compressed; zstd itself cannot exceed 32,768 */
#define PAYLOAD_STEP_BYTES     ((size_t)1 << 20)    /* decompressed, or read, by one call */
#define PAYLOAD_KEEP_BYTES     ((size_t)8 << 20)    /* of the decompressor between transactions */
#define PAYLOAD_BUFFER_KEEP    ((size_t)256 * 1024) /* of the event between transactions */

struct ZSTD_DCtx_s;

struct payload {
    struct ZSTD_DCtx_s *zstd; /* NULL before the first compressed one */
    bool open;
    bool in_frame;
    size_t used;       /* bytes of the payload that were read */
    uint64_t produced; /* bytes of complete events */
    uint8_t *bytes;    /* the event at hand */
    size_t size;       /* allocated */
    size_t len;        /* there so far */
};

void payload_init(struct payload *payload);
void payload_release(struct payload *payload);

/* Begins. Errors: CORRUPT (sizes that cannot be), NO_MEMORY. */
int payload_open(struct payload *payload, const struct event_payload *said, struct err *e);

/* 1 with the next event in *event (borrowed until the next call), 0 when it is not complete yet: call again. *last:
 * nothing is behind it, the payload was used up exactly, and payload_close is due. Errors: CORRUPT, NO_MEMORY. */
int payload_next(struct payload *payload, const struct event_payload *said, uint64_t max_event_bytes,
                 struct cursor *event, bool *last, struct err *e);

/* Ends, also in the middle. The last event stays valid until payload_trim, which gives large buffers back. */
void payload_close(struct payload *payload);
void payload_trim(struct payload *payload);

#endif
