/* Lanes: making and freeing, and the wake-up of workers that both sides use. */
#include "partition/lane_impl.h"
#include "partition/ledger_impl.h"

#include <assert.h>
#include <stdlib.h>

#define WORD_BITS 64u

static int list_init(struct lane_list *list, unsigned lanes)
{
    list->lane = calloc(lanes, sizeof *list->lane);
    return list->lane ? 0 : -1;
}

static int make_arrays(struct lanes *lanes, struct err *e)
{
    unsigned count = lanes->opt.lanes;
    size_t pairs = (size_t)count * lanes->opt.sinks;
    lanes->waiter_words = (count + WORD_BITS - 1) / WORD_BITS;
    lanes->lane = lines_new(count * sizeof *lanes->lane);
    lanes->reader = lines_new(pairs * sizeof *lanes->reader);
    lanes->waiters = lines_new(pairs * lanes->waiter_words * sizeof *lanes->waiters);
    lanes->sleeper = lines_new(pairs * sizeof *lanes->sleeper);
    lanes->workers = lines_new(lanes->opt.sinks * sizeof *lanes->workers);
    lanes->tx = lines_new(sizeof *lanes->tx + FILEPOS_FILE_MAX + 1);
    if (lanes->opt.query_max_bytes)
        lanes->query = lines_new(item_align(sizeof *lanes->query + lanes->opt.query_max_bytes));
    if ((lanes->opt.query_max_bytes && !lanes->query) || !lanes->lane || !lanes->reader || !lanes->waiters ||
        !lanes->sleeper || !lanes->workers || !lanes->tx || list_init(&lanes->open, count) ||
        list_init(&lanes->ready, count) || list_init(&lanes->event, count))
        return err_set(e, NO_MEMORY, pairs * sizeof *lanes->reader);
    for (size_t i = 0; i < pairs; i++)
        lanes->reader[i].waiters = lanes->waiters + i * lanes->waiter_words;
    return 0;
}

/* Segment and chunk sizes from the options; 0, or CONFIG_VALUE. */
static int make_sizes(struct lanes_options *opt, size_t *segment_bytes, struct err *e)
{
    size_t bytes = opt->buffer_bytes / (4 * (size_t)opt->lanes);
    bytes = bytes < LANE_SEGMENT_BYTES_MAX ? bytes : LANE_SEGMENT_BYTES_MAX;
    bytes -= bytes % ITEM_ALIGN;
    if (bytes < LANE_SEGMENT_BYTES_MIN)
        return err_set(e, CONFIG_VALUE, "buffer_bytes", "too small for so many partitions: 4096 bytes each are needed");
    if (opt->query_max_bytes > bytes / LANE_QUERY_PART)
        return err_set(e, CONFIG_VALUE, "source.query_max_bytes",
                       "more than 1/32 of what buffer_bytes gives to a partition");
    if (opt->tx_buffer_bytes == 0 || opt->tx_buffer_bytes > opt->buffer_bytes / 4)
        opt->tx_buffer_bytes = opt->buffer_bytes / 4;
    if (opt->max_item_bytes == 0 || opt->max_item_bytes > LANE_ITEM_BYTES_MAX)
        opt->max_item_bytes = LANE_ITEM_BYTES_MAX;
    *segment_bytes = bytes;
    return 0;
}

int lanes_new(struct lanes **out, const struct lanes_options *opt, struct err *e)
{
    assert(opt->lanes >= 1 && opt->lanes <= LEDGER_LANES_MAX && opt->sinks >= 1 && opt->sinks <= LEDGER_SINKS_MAX);
    struct lanes_options full = *opt;
    size_t segment_bytes = 0;
    int rc = make_sizes(&full, &segment_bytes, e);
    if (rc != 0)
        return rc;
    struct lanes *lanes = lines_new(sizeof *lanes);
    if (!lanes)
        return err_set(e, NO_MEMORY, sizeof *lanes);
    lanes->opt = full;
    rc = make_arrays(lanes, e);
    if (rc == 0)
        rc = ledger_new(&lanes->ledger, opt->lanes, opt->sinks, opt->ring, e);
    if (rc == 0)
        rc = pool_init(&lanes->pool, segment_bytes, (unsigned)(full.buffer_bytes / segment_bytes), e);
    if (rc != 0) {
        lanes_free(lanes);
        return rc;
    }
    *out = lanes;
    return 0;
}

void lanes_free(struct lanes *lanes)
{
    if (!lanes)
        return;
    for (unsigned i = 0; lanes->lane && i < lanes->opt.lanes; i++)
        for (struct blob *blob = lanes->lane[i].blobs, *next; blob; blob = next) {
            next = blob->next;
            free(blob);
        }
    pool_release(&lanes->pool);
    ledger_free(lanes->ledger);
    free(lanes->open.lane);
    free(lanes->ready.lane);
    free(lanes->event.lane);
    free(lanes->lane);
    free(lanes->reader);
    free(lanes->waiters);
    free(lanes->sleeper);
    free(lanes->workers);
    free(lanes->tx);
    free(lanes->query);
    free(lanes);
}

struct ledger *lanes_ledger(struct lanes *lanes)
{
    return lanes->ledger;
}

unsigned lanes_count(const struct lanes *lanes)
{
    return lanes->opt.lanes;
}

size_t lanes_bytes(const struct lanes *lanes)
{
    return atomic_load_explicit(&lanes->pool.used_bytes, memory_order_relaxed);
}

/* All sequential: the caller has stored what the worker waits for, and the worker said that it sleeps before it looked
 * for that (lanes_sleep). A worker that never slept has no number yet, and will look. */
void lane_wake(struct lanes *lanes, unsigned sink, unsigned lane)
{
    unsigned workers = atomic_load(&lanes->workers[sink]);
    if (workers == 0)
        return;
    struct sleeper *sleeper = &lanes->sleeper[(size_t)sink * lanes->opt.lanes + lane % workers];
    if (atomic_load(&sleeper->asleep) && atomic_exchange(&sleeper->asleep, false) && lanes->opt.wake_worker)
        lanes->opt.wake_worker(lanes->opt.ctx, sink, lane);
}
