/* The pool: segments of one size in one block, a bit for each that is free, and blobs for what does not fit one. */
#include "partition/lane_impl.h"

#include <assert.h>
#include <stdlib.h>

#define WORD_BITS 64u

static void account(struct pool *pool)
{
    size_t used = (size_t)(pool->count - pool->free_count) * pool->segment_bytes + pool->over_bytes;
    /* Relaxed: a figure for people. */
    atomic_store_explicit(&pool->used_bytes, used, memory_order_relaxed);
}

int pool_init(struct pool *pool, size_t segment_bytes, unsigned count, struct err *e)
{
    size_t words = (count + WORD_BITS - 1) / WORD_BITS;
    pool->segment_bytes = segment_bytes;
    pool->count = pool->free_count = count;
    pool->bytes = malloc(segment_bytes * count);
    pool->segments = calloc(count, sizeof *pool->segments);
    pool->free_bits = calloc(words, sizeof *pool->free_bits);
    if (!pool->bytes || !pool->segments || !pool->free_bits)
        return err_set(e, NO_MEMORY, segment_bytes * count);
    for (unsigned i = 0; i < count; i++) {
        pool->segments[i].bytes = pool->bytes + (size_t)i * segment_bytes;
        pool->free_bits[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
    }
    return 0;
}

void pool_release(struct pool *pool)
{
    free(pool->bytes);
    free(pool->segments);
    free(pool->free_bits);
}

static bool is_free(const struct pool *pool, unsigned i)
{
    return pool->free_bits[i / WORD_BITS] >> i % WORD_BITS & 1;
}

static void set_free(struct pool *pool, unsigned first, unsigned count, bool value)
{
    for (unsigned i = first; i < first + count; i++) {
        assert(is_free(pool, i) != value);
        pool->free_bits[i / WORD_BITS] ^= UINT64_C(1) << i % WORD_BITS;
    }
    if (value)
        pool->free_count += count;
    else
        pool->free_count -= count;
    account(pool);
}

struct segment *pool_take(struct pool *pool)
{
    if (pool->free_count == 0)
        return NULL;
    unsigned word = 0;
    while (pool->free_bits[word] == 0)
        word++;
    unsigned i = word * WORD_BITS + (unsigned)__builtin_ctzll(pool->free_bits[word]);
    set_free(pool, i, 1, false);
    struct segment *segment = &pool->segments[i];
    segment->next = NULL;
    segment->first = segment->last = 0;
    return segment;
}

void pool_give(struct pool *pool, struct segment *segment)
{
    set_free(pool, (unsigned)(segment - pool->segments), 1, true);
}

/* The highest run of `count` free segments (single ones are taken from below); `pool->count` when there is none. */
static unsigned find_run(const struct pool *pool, size_t count)
{
    unsigned have = 0;
    for (unsigned i = pool->count; i-- > 0;) {
        have = is_free(pool, i) ? have + 1 : 0;
        if (have == count)
            return i;
    }
    return pool->count;
}

/* First segment of the run for a blob that leaves `segments` free; pool->count: it must go over the budget. */
static unsigned run_for(const struct pool *pool, size_t blob_bytes, unsigned segments, size_t *count)
{
    *count = (blob_bytes + pool->segment_bytes - 1) / pool->segment_bytes;
    return *count + segments <= pool->free_count ? find_run(pool, *count) : pool->count;
}

bool pool_has_room(const struct pool *pool, size_t blob_bytes, unsigned segments)
{
    size_t count;
    if (segments > pool->free_count)
        return false;
    return blob_bytes == 0 || !pool->over || run_for(pool, blob_bytes, segments, &count) < pool->count;
}

int pool_take_blob(struct pool *pool, size_t blob_bytes, unsigned segments, struct blob **out, struct err *e)
{
    size_t count;
    unsigned first = run_for(pool, blob_bytes, segments, &count);
    bool over = first == pool->count;
    assert(!over || !pool->over);
    struct blob *blob = malloc(sizeof *blob + (over ? blob_bytes : 0));
    if (!blob)
        return err_set(e, NO_MEMORY, blob_bytes);
    if (over) {
        *blob = (struct blob){.size = blob_bytes, .bytes = (uint8_t *)(blob + 1)};
        pool->over = true;
        pool->over_bytes = blob_bytes;
        account(pool);
    } else {
        set_free(pool, first, (unsigned)count, false);
        *blob = (struct blob){.size = count * pool->segment_bytes,
                              .run_first = first,
                              .run_count = (unsigned)count,
                              .bytes = pool->segments[first].bytes};
    }
    *out = blob;
    return 0;
}

void pool_give_blob(struct pool *pool, struct blob *blob)
{
    if (blob->run_count > 0) {
        set_free(pool, blob->run_first, blob->run_count, true);
    } else {
        pool->over = false;
        pool->over_bytes = 0;
        account(pool);
    }
    free(blob);
}
