/* Scratch memory that is freed as a whole: a bump allocator over a chain of chunks, with a cap.
 *
 * A worker resets its arena after each batch; chunks stay for the next use, except those beyond `keep`, so a batch
 * after the first allocates nothing. One thread at a time. */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *first;
    struct arena_chunk *current;
    size_t used;       /* in the current chunk */
    size_t total;      /* bytes held in chunks */
    size_t cap;        /* most bytes ever held; 0: no cap */
    size_t keep;       /* bytes kept by arena_reset */
    size_t chunk_size; /* of a normal chunk */
};

/* Empty arena; allocates at the first use. cap 0 = none. */
void arena_init(struct arena *arena, size_t chunk_size, size_t keep, size_t cap);
void arena_release(struct arena *arena);

/* `len` bytes aligned to 8, not cleared, valid until reset; NULL when memory or the cap is exhausted. len 0 is valid.
 */
void *arena_alloc(struct arena *arena, size_t len) __attribute__((warn_unused_result));

/* A copy of `len` bytes followed by a NUL byte; NULL as arena_alloc. */
char *arena_copy(struct arena *arena, const void *bytes, size_t len) __attribute__((warn_unused_result));

/* Forgets everything allocated; keeps at most `keep` bytes of chunks. */
void arena_reset(struct arena *arena);

#endif
