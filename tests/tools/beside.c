/* Jobs beside each other. */
#include "tools/beside.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct pool {
    void (*job)(void *ctx, size_t i);
    void *ctx;
    size_t count;
    _Atomic size_t next;
};

static void *take(void *arg)
{
    struct pool *pool = arg;
    for (size_t i; (i = atomic_fetch_add(&pool->next, 1)) < pool->count;)
        pool->job(pool->ctx, i);
    return NULL;
}

void beside(void (*job)(void *ctx, size_t i), void *ctx, size_t count, unsigned threads)
{
    struct pool pool = {.job = job, .ctx = ctx, .count = count};
    pthread_t *list = calloc(threads, sizeof *list);
    for (unsigned i = 0; i < threads; i++)
        if (!list || pthread_create(&list[i], NULL, take, &pool) != 0)
            abort();
    for (unsigned i = 0; i < threads; i++)
        pthread_join(list[i], NULL);
    free(list);
}
