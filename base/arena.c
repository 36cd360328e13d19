/* Bump allocator over a chain of chunks. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    max_align_t bytes[];
};

void arena_init(struct arena *arena, size_t chunk_size, size_t keep, size_t cap)
{
    *arena = (struct arena){.chunk_size = chunk_size ? chunk_size : 65536, .keep = keep, .cap = cap};
}

static void free_chain(struct arena *arena, struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        arena->total -= chunk->size;
        free(chunk);
        chunk = next;
    }
}

void arena_release(struct arena *arena)
{
    free_chain(arena, arena->first);
    arena->first = arena->current = NULL;
    arena->used = 0;
}

static struct arena_chunk *chunk_new(struct arena *arena, size_t len)
{
    size_t size = len > arena->chunk_size ? len : arena->chunk_size;
    if (arena->cap && (arena->total > arena->cap || size > arena->cap - arena->total))
        return NULL;
    if (size > SIZE_MAX - sizeof(struct arena_chunk))
        return NULL;
    struct arena_chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->next = NULL;
    arena->total += size;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    if (len > SIZE_MAX - 7)
        return NULL;
    len = (len + 7) & ~(size_t)7;
    struct arena_chunk *chunk = arena->current;
    if (chunk && len <= chunk->size - arena->used) {
        void *p = (uint8_t *)chunk->bytes + arena->used;
        arena->used += len;
        return p;
    }
    if (chunk && chunk->next && len <= chunk->next->size) {
        arena->current = chunk->next;
    } else {
        struct arena_chunk *fresh = chunk_new(arena, len);
        if (!fresh)
            return NULL;
        if (chunk) {
            fresh->next = chunk->next;
            chunk->next = fresh;
        } else {
            arena->first = fresh;
        }
        arena->current = fresh;
    }
    arena->used = len;
    return arena->current->bytes;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *p = arena_alloc(arena, len + 1);
    if (!p)
        return NULL;
    if (len)
        memcpy(p, bytes, len);
    p[len] = '\0';
    return p;
}

void arena_reset(struct arena *arena)
{
    size_t kept = 0;
    struct arena_chunk **link = &arena->first;
    while (*link) {
        struct arena_chunk *chunk = *link;
        if (kept + chunk->size > arena->keep) {
            *link = chunk->next;
            arena->total -= chunk->size;
            free(chunk);
        } else {
            kept += chunk->size;
            link = &chunk->next;
        }
    }
    arena->current = arena->first;
    arena->used = 0;
}
