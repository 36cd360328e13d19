/* A queue per lane: ordinal, and the offset behind its record. */
#include "pipeline/offsets.h"

#include <assert.h>
#include <stdlib.h>

#define QUEUE_FIRST 64u

struct noted {
    uint64_t ordinal;
    int64_t next;
    uint64_t written_ms;
};

struct offsets_lane {
    bool owned;
    unsigned turn;
    struct noted *queue; /* a ring of `size`, a power of two; oldest at `head` */
    size_t size, head, count;
    int64_t safe;      /* behind what is acknowledged; OFFSETS_NONE: not known */
    int64_t committed; /* OFFSETS_NONE: not known */
};

int offsets_init(struct offsets *offsets, unsigned lanes, struct err *e)
{
    offsets->lanes = calloc(lanes, sizeof *offsets->lanes);
    offsets->count = lanes;
    return offsets->lanes ? 0 : err_set(e, NO_MEMORY, lanes * sizeof *offsets->lanes);
}

void offsets_release(struct offsets *offsets)
{
    for (unsigned i = 0; offsets->lanes && i < offsets->count; i++)
        free(offsets->lanes[i].queue);
    free(offsets->lanes);
    *offsets = (struct offsets){0};
}

void offsets_own(struct offsets *offsets, unsigned lane, bool own)
{
    struct offsets_lane *at = &offsets->lanes[lane];
    at->owned = own;
    at->turn++;
    at->head = at->count = 0;
    at->safe = at->committed = OFFSETS_NONE;
}

bool offsets_owned(const struct offsets *offsets, unsigned lane)
{
    return offsets->lanes[lane].owned;
}

unsigned offsets_turn(const struct offsets *offsets, unsigned lane)
{
    return offsets->lanes[lane].turn;
}

static struct noted *at_index(const struct offsets_lane *at, size_t i)
{
    return &at->queue[(at->head + i) & (at->size - 1)];
}

static int grow(struct offsets_lane *at, struct err *e)
{
    size_t size = at->size ? at->size * 2 : QUEUE_FIRST;
    struct noted *queue = malloc(size * sizeof *queue);
    if (!queue)
        return err_set(e, NO_MEMORY, size * sizeof *queue);
    for (size_t i = 0; i < at->count; i++)
        queue[i] = *at_index(at, i);
    free(at->queue);
    at->queue = queue;
    at->size = size;
    at->head = 0;
    return 0;
}

int offsets_note(struct offsets *offsets, unsigned lane, uint64_t ordinal, int64_t next, uint64_t written_ms,
                 struct err *e)
{
    struct offsets_lane *at = &offsets->lanes[lane];
    assert(at->owned);
    if (at->count == at->size && grow(at, e) != 0)
        return err_result(e);
    *at_index(at, at->count++) = (struct noted){.ordinal = ordinal, .next = next, .written_ms = written_ms};
    return 0;
}

int offsets_pass(struct offsets *offsets, unsigned lane, int64_t next, struct err *e)
{
    struct offsets_lane *at = &offsets->lanes[lane];
    if (at->count == 0)
        return offsets_note(offsets, lane, 0, next, 0, e);
    at_index(at, at->count - 1)->next = next;
    return 0;
}

uint64_t offsets_oldest_ms(const struct offsets *offsets, unsigned lane)
{
    const struct offsets_lane *at = &offsets->lanes[lane];
    return at->count ? at_index(at, 0)->written_ms : 0;
}

int64_t offsets_due(struct offsets *offsets, unsigned lane, uint64_t acked)
{
    struct offsets_lane *at = &offsets->lanes[lane];
    while (at->count && at_index(at, 0)->ordinal <= acked) {
        at->safe = at_index(at, 0)->next;
        at->head = (at->head + 1) & (at->size - 1);
        at->count--;
    }
    return at->safe == at->committed ? OFFSETS_NONE : at->safe;
}

void offsets_committed(struct offsets *offsets, unsigned lane, int64_t offset)
{
    offsets->lanes[lane].committed = offset;
}

bool offsets_idle(const struct offsets *offsets, unsigned lane, uint64_t acked)
{
    const struct offsets_lane *at = &offsets->lanes[lane];
    return at->count == 0 || at_index(at, at->count - 1)->ordinal <= acked;
}
