/* Numbers of letters that are done. */
#include "pipeline/dead_done.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define DONE_LOG "done"

int dead_done_open(struct state **out, const struct env *env, const char *state_dir, enum state_mode mode,
                   struct err *e)
{
    size_t size = strlen(state_dir) + sizeof "/dlq";
    char *dir = malloc(size);
    if (!dir)
        return err_set(e, NO_MEMORY, size);
    snprintf(dir, size, "%s/dlq", state_dir);
    int rc = state_open(out, env, dir, mode, e);
    free(dir);
    return rc;
}

static bool parse(const struct state_item *item, uint64_t *out)
{
    struct cursor cur = cursor_over(item->bytes, item->len);
    *out = cursor_u64(&cur);
    return cursor_finish(&cur) == 0;
}

static int add(void *ctx, const struct state_item *item, struct err *e)
{
    struct dead_done *done = ctx;
    uint64_t number;
    if (!parse(item, &number))
        return err_set(e, STATE_CORRUPT, "dlq/" DONE_LOG, "a number that cannot be read");
    if (done->count == done->size) {
        size_t size = done->size ? 2 * done->size : 64;
        uint64_t *grown = realloc(done->numbers, size * sizeof *grown);
        if (!grown)
            return err_set(e, NO_MEMORY, size * sizeof *grown);
        done->numbers = grown;
        done->size = size;
    }
    done->numbers[done->count++] = number;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int dead_done_load(struct dead_done *out, struct state *dlq, struct err *e)
{
    int rc = state_scan(dlq, DONE_LOG, add, out, e);
    if (rc == 0 && out->count)
        qsort(out->numbers, out->count, sizeof *out->numbers, compare);
    return rc;
}

bool dead_done_has(const struct dead_done *done, uint64_t number)
{
    return done->count && bsearch(&number, done->numbers, done->count, sizeof number, compare);
}

void dead_done_release(struct dead_done *done)
{
    free(done->numbers);
    *done = (struct dead_done){NULL, 0, 0};
}

int dead_done_mark(struct state *dlq, uint64_t number, struct err *e)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    return state_append(dlq, DONE_LOG, bytes, sizeof bytes, e);
}

struct keeping_numbers {
    bool (*is_there)(void *ctx, uint64_t number);
    void *ctx;
};

static bool keep(void *ctx, const struct state_item *item)
{
    const struct keeping_numbers *k = ctx;
    uint64_t number;
    return !parse(item, &number) || k->is_there(k->ctx, number);
}

int dead_done_keep(struct state *dlq, bool (*is_there)(void *ctx, uint64_t number), void *ctx, struct err *e)
{
    struct keeping_numbers k = {is_there, ctx};
    return state_compact(dlq, DONE_LOG, keep, &k, e);
}
