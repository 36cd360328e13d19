/* Filling a batch from the lanes and taking its verdicts. */
#include <stdlib.h>
#include <string.h>

#include "sink/worker.h"

/* Items taken from one lane before the next has its turn. */
#define LANE_TURN 128

static bool is_full(const struct worker *worker)
{
    const struct batch *batch = &worker->batch;
    return batch->entry_count >= batch->rows_max || batch->bytes >= worker->opt->batch_bytes ||
           batch->seen >= batch->rows_max || batch->has_truncate;
}

/* The lane's event is not complete yet, and there is room for more of it. */
static bool goes_on(const struct worker *worker, unsigned own)
{
    return worker->lanes[own].in_event && worker->batch.entry_count < worker->batch.entry_max;
}

/* Room for the items of one more entry; more than one per entry only where a table has several routes. */
static int reserve_items(struct batch *batch, unsigned more, struct err *e)
{
    if (batch->item_count + more <= batch->item_max)
        return 0;
    size_t max = batch->item_max * 2 + more;
    struct item *grown = realloc(batch->items, max * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, max * sizeof *grown);
    batch->items = grown;
    batch->item_max = max;
    return 0;
}

static void add_item(struct worker *worker, struct entry *entry, const struct change *chg, const void *bind)
{
    struct batch *batch = &worker->batch;
    batch->items[batch->item_count++] = (struct item){.chg = chg, .bind = bind};
    entry->count++;
}

static bool takes(const struct route *route, const struct change *chg)
{
    if (chg->op == CHANGE_STATEMENT)
        return route_takes_statement(route, chg->statement);
    return route->on_truncate != ON_TRUNCATE_IGNORE && route_matches(route, chg->db, chg->table);
}

/* Routes that share their options are bound once: a statement or TRUNCATE may be of any of them. */
static bool is_for_route(const struct worker *worker, const struct route *route, const struct change *chg)
{
    const struct route *list;
    unsigned count = routes_list(worker->opt->routes, &list), sink = worker->opt->sink;
    bool is_asked = chg->op == CHANGE_STATEMENT || chg->op == CHANGE_TRUNCATE, taken = !is_asked;
    for (unsigned i = 0; i < count && !taken; i++)
        taken = (list[i].sink_mask >> sink & 1) && list[i].sink_options[sink] == route->sink_options[sink] &&
                takes(&list[i], chg);
    return taken;
}

/* The items of an entry: one per route; one alone when the sink binds nothing. */
static int add_items(struct worker *worker, struct entry *entry, const struct change *chg, struct err *e)
{
    struct batch *batch = &worker->batch;
    const struct binding *binding = NULL;
    int rc = worker->opt->ops->bind ? bindings_of(&worker->bindings, chg, &binding, e) : 0;
    if (rc == 0)
        rc = reserve_items(batch, binding ? binding->count : 1, e);
    if (rc != 0)
        return rc;
    entry->first = (unsigned)batch->item_count;
    entry->count = 0;
    batch->has_truncate |= chg->op == CHANGE_TRUNCATE;
    if (!binding) {
        add_item(worker, entry, chg, NULL);
        return 0;
    }
    if (!binding->count)
        return err_set(e, BUG, "a change came to a sink that no route of its table names");
    for (unsigned i = 0; i < binding->count; i++)
        if (is_for_route(worker, binding->list[i].route, chg))
            add_item(worker, entry, chg, binding->list[i].bind);
    return 0;
}

/* All items of a parked key, as far as they fit. One that is a dead letter is not given to the sink again. */
static int add_parked(struct worker *worker, struct parked_key *key, struct err *e)
{
    struct batch *batch = &worker->batch;
    key->refused = false;
    for (struct parked *parked = key->first; parked && !is_full(worker); parked = parked->next_of_key) {
        struct entry *entry = &batch->entries[batch->entry_count];
        entry->parked = parked;
        entry->lane = parked->lane;
        entry->first = entry->count = 0;
        entry->held = false;
        entry->is_dead = parked->is_dead;
        worker->lanes[parked->lane].touched = true;
        int rc = parked->is_dead ? 0 : add_items(worker, entry, &parked->item.chg, e);
        if (rc != 0)
            return rc;
        batch->entry_count++;
        batch->bytes += parked->item.bytes;
    }
    return 0;
}

static int gather_parked(struct worker *worker, struct err *e)
{
    bool is_inline = worker->opt->workers == 0;
    int64_t now = worker->force_due ? INT64_MAX : is_inline ? 0 : env_mono_us(worker->opt->env);
    int rc = 0;
    for (struct parked_key *key = worker->parking.keys; key && rc == 0 && !is_full(worker); key = key->next)
        if (key->due_us <= now)
            rc = add_parked(worker, key, e);
    return rc;
}

/* Too much of the lane waits, or a TRUNCATE or statement, which concerns every key: it is not read further. */
static bool is_stalled(const struct worker *worker, unsigned own)
{
    const struct parking_lane *parked = &worker->parking.lanes[own];
    if (!worker->parking.key_count)
        return false;
    if (parked->first && (parked->first->item.kind == LANE_TRUNCATE || parked->first->item.kind == LANE_STATEMENT))
        return true;
    return worker->parking.item_count >= WORKER_PARKED_ITEMS_MAX || parked->keys >= worker->opt->parked_max ||
           (parked->first && worker->lanes[own].bytes_read - parked->first->bytes_before >= worker->opt->pinned_bytes);
}

static bool is_given(const struct worker *worker, const struct lane_item *item)
{
    return item->for_sink && (item->kind == LANE_ROW || item->kind == LANE_MARK || item->kind == LANE_STATEMENT ||
                              (item->kind == LANE_TRUNCATE && (worker->opt->ops->flags & SINK_CAN_SWEEP)));
}

/* Takes one item of the lane into the batch; LANE_* of the read, or negative. */
static int gather_item(struct worker *worker, unsigned own, struct err *e)
{
    struct batch *batch = &worker->batch;
    struct worker_lane *lane = &worker->lanes[own];
    struct entry *entry = &batch->entries[batch->entry_count];
    int got = lanes_read(worker->opt->lanes, worker_lane_of(worker, own), worker->opt->sink, &entry->item);
    if (got != LANE_ITEM)
        return got;
    entry->parked = NULL;
    entry->lane = own;
    entry->first = entry->count = 0;
    entry->bytes_before = lane->bytes_read;
    entry->held = entry->is_dead = false;
    lane->bytes_read += entry->item.bytes;
    lane->read_to = entry->item.ordinal;
    lane->touched = true;
    lane->in_event =
        worker->whole_events && entry->item.kind == LANE_ROW && !(entry->item.chg.flags & CHANGE_LAST_IN_EVENT);
    batch->seen++;
    batch->bytes += entry->item.bytes;
    if (!is_given(worker, &entry->item))
        return LANE_ITEM;
    const struct change *chg = &entry->item.chg;
    if (worker->keeps && keeping_covers(worker, chg))
        return LANE_ITEM;
    if (worker->parking.key_count && parking_find(&worker->parking, chg->key, chg->key_len)) {
        entry->held = true;
    } else {
        int rc = add_items(worker, entry, chg, e);
        if (rc != 0)
            return rc;
    }
    batch->entry_count++;
    return LANE_ITEM;
}

/* One turn of one lane; 1 when it may have more, 0 when not, or negative. */
static int gather_turn(struct worker *worker, unsigned own, struct err *e)
{
    for (unsigned i = 0; i < LANE_TURN || goes_on(worker, own); i++) {
        if (is_full(worker) && !goes_on(worker, own))
            return 0;
        bool stalled = is_stalled(worker, own);
        if (stalled != worker->lanes[own].held) {
            worker->lanes[own].held = stalled;
            lanes_hold(worker->opt->lanes, worker_lane_of(worker, own), worker->opt->sink, stalled);
        }
        if (stalled) {
            worker->stalled = true;
            return 0;
        }
        int got = gather_item(worker, own, e);
        if (got < 0)
            return got;
        if (got == LANE_BLOCKED)
            worker->blocked = true;
        if (got != LANE_ITEM)
            return 0;
    }
    return 1;
}

int batch_gather(struct worker *worker, struct err *e)
{
    struct batch *batch = &worker->batch;
    batch->entry_count = batch->item_count = batch->bytes = batch->seen = 0;
    batch->has_truncate = false;
    worker->blocked = worker->stalled = false;
    int rc = worker->parking.key_count ? gather_parked(worker, e) : 0;
    worker->force_due = false;
    for (bool more = true; more && rc == 0 && !is_full(worker);) {
        more = false;
        for (unsigned i = 0; i < worker->lane_count && rc == 0; i++) {
            int turn = gather_turn(worker, (worker->lane_turn + i) % worker->lane_count, e);
            more |= turn > 0;
            rc = turn < 0 ? turn : 0;
        }
    }
    if (worker->lane_count)
        worker->lane_turn = (worker->lane_turn + 1) % worker->lane_count;
    batch->is_open = rc == 0 && (batch->seen || batch->entry_count);
    return rc;
}

/* ---------------------------------------------------------------- settle */

static enum verdict worst_of(const struct batch *batch, const struct entry *entry)
{
    enum verdict worst = V_DONE;
    for (unsigned i = 0; i < entry->count; i++)
        if (batch->items[entry->first + i].verdict > worst)
            worst = batch->items[entry->first + i].verdict;
    return worst;
}

static bool all_done(const struct batch *batch)
{
    for (size_t i = 0; i < batch->item_count; i++)
        if (batch->items[i].verdict != V_DONE)
            return false;
    return true;
}

/* V_STOP and V_POISON end the worker. */
static int refuse_for_good(const struct batch *batch, const struct entry *entry, enum verdict worst, struct err *e)
{
    if (err_class(e) == ERR_CLASS_RETRY)
        err_clear(e);
    int rc = worst == V_POISON ? err_set(e, SINK_POISON) : err_set(e, SINK_STOP);
    sink_wrap(e, &batch->items[entry->first]);
    return rc;
}

static void count_done(struct worker *worker, const struct change *chg)
{
    metric_add(&worker->stats.rows_total, 1);
    if (chg->tx)
        metric_set(&worker->stats.last_commit_us, (uint64_t)chg->tx->commit_us);
}

static void settle_parked(struct worker *worker, const struct entry *entry, enum verdict worst, int64_t now)
{
    struct parked *parked = entry->parked;
    struct parked_key *key = parked->key;
    if (!key->refused && worst == V_DONE) {
        count_done(worker, &parked->item.chg);
        parking_done(&worker->parking, key);
        return;
    }
    parked->item.chg.flags |= CHANGE_AGAIN;
    parked->is_dead |= entry->is_dead;
    if (!key->refused) {
        metric_add(&worker->stats.retries_total, 1);
        parking_refused(&worker->parking, key, now);
    }
}

static int settle_fresh(struct worker *worker, struct entry *entry, enum verdict worst, int64_t now, struct err *e)
{
    const struct change *chg = &entry->item.chg;
    struct parked_key *key = parking_find(&worker->parking, chg->key, chg->key_len);
    if (!key && !entry->held && worst == V_DONE) {
        count_done(worker, chg);
        return 0;
    }
    bool refused = !key && worst == V_RETRY;
    if (!entry->held)
        entry->item.chg.flags |= CHANGE_AGAIN;
    struct parking_place place = {.lane = entry->lane, .bytes_before = entry->bytes_before, .is_dead = entry->is_dead};
    int rc = parking_add(&worker->parking, &entry->item, &place, &key, e);
    if (rc == 0 && refused) {
        metric_add(&worker->stats.retries_total, 1);
        parking_refused(&worker->parking, key, now);
    }
    return rc;
}

/* The way with refused, held or parked entries, in the order of the batch. */
static int settle_each(struct worker *worker, struct err *e)
{
    struct batch *batch = &worker->batch;
    int64_t now = env_mono_us(worker->opt->env);
    int rc = 0;
    for (size_t i = 0; i < batch->entry_count && rc == 0; i++) {
        struct entry *entry = &batch->entries[i];
        enum verdict worst = worst_of(batch, entry);
        if (worst > V_RETRY)
            rc = refuse_for_good(batch, entry, worst, e);
        else if (entry->parked)
            settle_parked(worker, entry, worst, now);
        else
            rc = settle_fresh(worker, entry, worst, now, e);
    }
    return rc;
}

void batch_acknowledge(struct worker *worker)
{
    for (unsigned own = 0; own < worker->lane_count; own++) {
        struct worker_lane *lane = &worker->lanes[own];
        if (!lane->touched)
            continue;
        lane->touched = false;
        uint64_t floor = parking_floor(&worker->parking, own);
        uint64_t done = floor <= lane->read_to ? floor - 1 : lane->read_to;
        if (done > lane->acked) {
            lane->acked = done;
            lanes_ack(worker->opt->lanes, worker_lane_of(worker, own), worker->opt->sink, done);
        }
    }
}

int batch_judge(struct worker *worker, struct err *e)
{
    const struct batch *batch = &worker->batch;
    for (size_t i = 0; i < batch->entry_count; i++) {
        enum verdict worst = worst_of(batch, &batch->entries[i]);
        if (worst > V_RETRY)
            return refuse_for_good(batch, &batch->entries[i], worst, e);
    }
    return all_done(batch) ? 0 : err_set(e, SINK_PARKED, batch->entry_count);
}

/* Rows and marks become durable together, before anything is acknowledged. */
static int settle_kept(struct worker *worker, struct err *e)
{
    struct batch *batch = &worker->batch;
    int rc = batch->item_count ? keeping_applied(worker, e) : 0;
    if (rc != 0)
        return rc;
    err_clear(e);
    batch->is_open = false;
    if (worker->keeping.is_open)
        return keeping_commit(worker, false, e);
    batch_acknowledge(worker);
    return 0;
}

int batch_settle(struct worker *worker, struct err *e)
{
    struct batch *batch = &worker->batch;
    if (!batch->is_open)
        return 0;
    int rc = all_done(batch) ? 0 : batch_bury(worker, e);
    if (rc != 0)
        return rc;
    if (worker->keeps)
        return settle_kept(worker, e);
    if (worker->parking.key_count || !all_done(batch)) {
        rc = settle_each(worker, e);
        metric_set(&worker->stats.parked, worker->parking.key_count);
    } else if (batch->entry_count) {
        metric_add(&worker->stats.rows_total, batch->entry_count);
        const struct tx *tx = batch->entries[batch->entry_count - 1].item.chg.tx;
        if (tx)
            metric_set(&worker->stats.last_commit_us, (uint64_t)tx->commit_us);
    }
    if (rc != 0)
        return rc;
    batch_acknowledge(worker);
    err_clear(e);
    batch->is_open = false;
    return 0;
}

void batch_rewind(struct worker *worker)
{
    for (unsigned own = 0; own < worker->lane_count; own++) {
        struct worker_lane *lane = &worker->lanes[own];
        if (!lane->touched)
            continue;
        lane->touched = lane->in_event = false;
        lane->read_to = lane->acked;
        lanes_rewind(worker->opt->lanes, worker_lane_of(worker, own), worker->opt->sink);
    }
    worker->batch.is_open = false;
    worker->batch.seen = worker->batch.entry_count = 0;
}
