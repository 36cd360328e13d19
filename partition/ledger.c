/* The words of the ledger and the formula over them. Why it is right: docs/ordering.md, "Safe position". */
#include "partition/ledger_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A word that another thread than its neighbour's writer writes: on a line of its own. */
struct word {
    alignas(CACHE_LINE) _Atomic uint64_t value;
};

struct ledger {
    unsigned lanes, sinks;
    struct word *head;       /* [lane] */
    struct word *acked;      /* [lane · sinks + sink] */
    _Atomic uint64_t *floor; /* [lane · sinks + sink]; all written by the source */
    _Atomic uint64_t *safe;  /* [sink]; the keeper's previous result */
    struct ring *ring;
    alignas(CACHE_LINE) _Atomic uint64_t last; /* P */
};

void *lines_new(size_t bytes)
{
    bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *p = aligned_alloc(CACHE_LINE, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

int ledger_new(struct ledger **out, unsigned lanes, unsigned sinks, unsigned ring, struct err *e)
{
    assert(lanes >= 1 && lanes <= LEDGER_LANES_MAX && sinks >= 1 && sinks <= LEDGER_SINKS_MAX);
    size_t pairs = (size_t)lanes * sinks;
    struct ledger *ledger = lines_new(sizeof *ledger);
    if (!ledger)
        return err_set(e, NO_MEMORY, sizeof *ledger);
    ledger->lanes = lanes;
    ledger->sinks = sinks;
    ledger->head = lines_new(lanes * sizeof *ledger->head);
    ledger->acked = lines_new(pairs * sizeof *ledger->acked);
    ledger->floor = lines_new(pairs * sizeof *ledger->floor);
    ledger->safe = lines_new(sinks * sizeof *ledger->safe);
    int rc = 0;
    if (!ledger->head || !ledger->acked || !ledger->floor || !ledger->safe)
        rc = err_set(e, NO_MEMORY, pairs * sizeof *ledger->acked);
    if (rc == 0)
        rc = ring_new(&ledger->ring, sinks, ring, e);
    if (rc != 0) {
        ledger_free(ledger);
        return rc;
    }
    *out = ledger;
    return 0;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    ring_free(ledger->ring);
    free(ledger->head);
    free(ledger->acked);
    free(ledger->floor);
    free(ledger->safe);
    free(ledger);
}

void ledger_lane(struct ledger *ledger, unsigned lane, uint64_t first, uint64_t last)
{
    _Atomic uint64_t *head = &ledger->head[lane].value;
    /* Own word: nobody else writes it. */
    uint64_t old = atomic_load_explicit(head, memory_order_relaxed);
    assert(first > old && last >= first);
    for (unsigned sink = 0; sink < ledger->sinks; sink++) {
        size_t i = (size_t)lane * ledger->sinks + sink;
        /* Acquire, release: the floor says to the keeper that the work behind `acked` is done, so that must be seen. */
        if (atomic_load_explicit(&ledger->acked[i].value, memory_order_acquire) >= old)
            atomic_store_explicit(&ledger->floor[i], first - 1, memory_order_release);
    }
    /* Release part: the items and the floor before the head. Sequential: the source then looks whether a worker sleeps,
     * and the worker looks at the head after it said so: one of the two must see the other. */
    atomic_store_explicit(head, last, memory_order_seq_cst);
}

void ledger_published(struct ledger *ledger, uint64_t last)
{
    (void)ring_flush(ledger->ring);
    /* Release: who sees P sees the heads of that publication. */
    atomic_store_explicit(&ledger->last, last, memory_order_release);
}

bool ledger_is_handed_over(const struct ledger *ledger)
{
    return ring_is_flushed(ledger->ring);
}

bool ledger_boundary(struct ledger *ledger, const struct boundary *at)
{
    return ring_add(ledger->ring, at);
}

void ledger_ack(struct ledger *ledger, unsigned lane, unsigned sink, uint64_t ordinal)
{
    _Atomic uint64_t *acked = &ledger->acked[(size_t)lane * ledger->sinks + sink].value;
    /* Own word. */
    if (ordinal <= atomic_load_explicit(acked, memory_order_relaxed))
        return;
    /* Release part: the sink's work, and the last reading of the items, before the word. Sequential: the worker then
     * looks whether somebody waits for it. */
    atomic_store_explicit(acked, ordinal, memory_order_seq_cst);
}

/* Sequential, here and below: the reader may have set a flag "I wait" before, whose check follows the store. */
uint64_t ledger_head(const struct ledger *ledger, unsigned lane)
{
    return atomic_load_explicit(&ledger->head[lane].value, memory_order_seq_cst);
}

uint64_t ledger_acked(const struct ledger *ledger, unsigned lane, unsigned sink)
{
    return atomic_load_explicit(&ledger->acked[(size_t)lane * ledger->sinks + sink].value, memory_order_seq_cst);
}

uint64_t ledger_last(const struct ledger *ledger)
{
    return atomic_load_explicit(&ledger->last, memory_order_acquire);
}

uint64_t ledger_safe(const struct ledger *ledger, unsigned sink, uint64_t previous)
{
    /* Before the lanes, acquire: every head read below is at least the one that this P was published with. */
    uint64_t last = ledger_last(ledger);
    uint64_t safe = UINT64_MAX;
    for (unsigned lane = 0; lane < ledger->lanes; lane++) {
        size_t i = (size_t)lane * ledger->sinks + sink;
        /* Acquire: the floor that was written before this head. */
        uint64_t head = atomic_load_explicit(&ledger->head[lane].value, memory_order_acquire);
        /* Acquire: the work that was done before it was acknowledged. */
        uint64_t done = atomic_load_explicit(&ledger->acked[i].value, memory_order_acquire);
        if (done >= head) {
            done = last;
        } else {
            /* Acquire: as for acked, which the source passes on by it. */
            uint64_t floor = atomic_load_explicit(&ledger->floor[i], memory_order_acquire);
            done = floor > done ? floor : done;
        }
        safe = done < safe ? done : safe;
    }
    return safe > previous ? safe : previous;
}

int64_t ledger_waiting_commit_us(const struct ledger *ledger, unsigned sink)
{
    return ring_waiting_commit_us(ledger->ring, sink);
}

int ledger_consume(struct ledger *ledger, unsigned sink, struct position *pos, struct err *e)
{
    /* The keeper's own word. */
    uint64_t safe = atomic_load_explicit(&ledger->safe[sink], memory_order_relaxed);
    safe = ledger_safe(ledger, sink, safe);
    atomic_store_explicit(&ledger->safe[sink], safe, memory_order_relaxed);
    return ring_consume(ledger->ring, sink, safe, pos, e);
}
