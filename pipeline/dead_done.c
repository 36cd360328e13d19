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
    uint64_t number;
    if (!parse(item, &number))
        return err_set(e, STATE_CORRUPT, "dlq/" DONE_LOG, "a number that cannot be read");
    return numbers_add(ctx, number, e);
}

int dead_done_load(struct numbers *out, struct state *dlq, struct err *e)
{
    int rc = state_scan(dlq, DONE_LOG, add, out, e);
    numbers_sort(out);
    return rc;
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
