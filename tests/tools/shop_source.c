/* The made-up log and its source. */
#include "tools/shop_source.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME   "bin.000001"
#define EVENT_BYTES 100
#define ROW_BYTES   17 /* null bitmap, two BIGINTs */

struct shop_row {
    uint64_t before, after; /* order ids; 0 = no such image */
};

struct shop_event {
    enum rowset_kind kind; /* ROWS SAVEPOINT ROLLBACK_TO */
    enum change_op op;
    unsigned first, count; /* rows */
};

struct shop_tx {
    unsigned first_event, event_count;
};

struct shop_history {
    struct version *versions;
    unsigned count, size;
};

struct shop_log {
    struct shop_log_options opt;
    uint64_t random;
    struct shop_row *rows;
    struct shop_event *events;
    struct shop_tx *txs;
    unsigned row_count, event_count, rows_size, events_size;
    struct shop_history *histories; /* by order id */
    const struct shape *shape;
    struct shape_cache *cache;
};

struct shop_source {
    struct source base;
    struct shop_log *log;
    unsigned end_tx, tx, event; /* event 0: BEGIN is next; then events, then END */
    unsigned until_break;
    bool mark_is_due;
    uint64_t random;
    atomic_bool interrupted;
    uint8_t bytes[5 * 2 * ROW_BYTES];
    struct filepos end;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static unsigned pick(struct shop_log *log, unsigned below)
{
    return (unsigned)(next_random(&log->random) % below);
}

/* The list with room for so many elements: doubled where it has less. */
static void *with_room(void *list, unsigned *size, unsigned count, size_t each)
{
    if (count <= *size)
        return list;
    *size += count;
    list = realloc(list, *size * each);
    assert(list);
    return list;
}

static struct shop_event *add_event(struct shop_log *log, enum rowset_kind kind)
{
    log->events = with_room(log->events, &log->events_size, log->event_count + 1, sizeof *log->events);
    log->events[log->event_count] = (struct shop_event){.kind = kind, .first = log->row_count};
    return &log->events[log->event_count++];
}

static unsigned add_rows(struct shop_log *log)
{
    struct shop_event *event = add_event(log, ROWSET_ROWS);
    unsigned dice = pick(log, 10);
    event->op = dice < 3 ? CHANGE_INSERT : dice < 9 ? CHANGE_UPDATE : CHANGE_DELETE;
    event->count = 1 + pick(log, 5);
    log->rows = with_room(log->rows, &log->rows_size, log->row_count + event->count, sizeof *log->rows);
    for (unsigned i = 0; i < event->count; i++) {
        struct shop_row *row = &log->rows[log->row_count++];
        uint64_t id = 1 + pick(log, log->opt.keys);
        uint64_t other = pick(log, 4) == 0 ? 1 + pick(log, log->opt.keys) : id;
        row->before = event->op == CHANGE_INSERT ? 0 : id;
        row->after = event->op == CHANGE_DELETE ? 0 : other;
    }
    return event->count;
}

static void remember(struct shop_log *log, uint64_t id, unsigned tx, uint64_t row)
{
    struct shop_history *history = &log->histories[id];
    history->versions = with_room(history->versions, &history->size, history->count + 1, sizeof *history->versions);
    struct filepos at = {.file = FILE_NAME, .pos = (uint64_t)(tx + 1) * SHOP_TX_BYTES};
    history->versions[history->count++] = (struct version){.epoch = 0, .sequence = filepos_sequence(&at), .row = row};
}

/* The histories of one transaction: what its ROLLBACK TO took back does not count. */
static void remember_tx(struct shop_log *log, unsigned tx)
{
    const struct shop_tx *shop_tx = &log->txs[tx];
    const struct shop_event *events = &log->events[shop_tx->first_event];
    unsigned void_from = UINT32_MAX, void_to = 0, saved = 0;
    for (unsigned i = 0; i < shop_tx->event_count; i++) {
        if (events[i].kind == ROWSET_SAVEPOINT)
            saved = i;
        if (events[i].kind == ROWSET_ROLLBACK_TO) {
            void_from = saved;
            void_to = i;
        }
    }
    uint32_t ordinal = 0;
    for (unsigned i = 0; i < shop_tx->event_count; i++) {
        if (events[i].kind != ROWSET_ROWS)
            continue;
        for (unsigned r = 0; r < events[i].count && !(i >= void_from && i < void_to); r++) {
            const struct shop_row *row = &log->rows[events[i].first + r];
            bool moved = row->before && row->after && row->before != row->after;
            if (row->before)
                remember(log, row->before, tx, version_row(ordinal, r, 0));
            if (moved || !row->before)
                remember(log, row->after, tx, version_row(ordinal, r, moved ? 1 : 0));
        }
        ordinal++;
    }
}

static void make_tx(struct shop_log *log, unsigned tx)
{
    log->txs[tx].first_event = log->event_count;
    unsigned rows = 1 + pick(log, log->opt.rows_max), made = 0;
    bool rolls_back = pick(log, 8) == 0 && !log->opt.no_rollbacks;
    while (made < rows)
        made += add_rows(log);
    if (rolls_back) {
        (void)add_event(log, ROWSET_SAVEPOINT);
        (void)add_rows(log);
        (void)add_rows(log);
        (void)add_event(log, ROWSET_ROLLBACK_TO);
        (void)add_rows(log);
    }
    log->txs[tx].event_count = log->event_count - log->txs[tx].first_event;
    remember_tx(log, tx);
}

static void make_shape(struct shop_log *log)
{
    static const uint16_t pk[] = {0};
    struct err e = ERR_INIT;
    struct arena *arena = malloc(sizeof *arena);
    assert(arena);
    arena_init(arena, 1024, 0, 0);
    struct column *columns = arena_alloc(arena, 2 * sizeof *columns);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    assert(columns && tbl);
    memset(columns, 0, 2 * sizeof *columns);
    static const char *const names[] = {"order_id", "user_id"};
    for (unsigned i = 0; i < 2; i++) {
        struct cursor none = cursor_over("", 0);
        columns[i].name = names[i];
        columns[i].name_len = (uint32_t)strlen(names[i]);
        int rc = coltype_init(&columns[i].type, WIRE_LONGLONG, &none, &e);
        assert(rc == 0);
        (void)rc;
        columns[i].type.sign_known = true;
    }
    *tbl = (struct table){.db = "shop",
                          .name = "orders",
                          .columns = columns,
                          .column_count = 2,
                          .pk = pk,
                          .pk_count = 1,
                          .pk_known = true};
    log->cache = shape_cache_new();
    int rc = shape_cache_take(log->cache, arena, tbl, &log->shape, &e);
    assert(log->cache && rc == 0);
    (void)rc;
}

struct shop_log *shop_log_new(const struct shop_log_options *opt)
{
    struct shop_log *log = calloc(1, sizeof *log);
    assert(log);
    log->opt = *opt;
    log->random = opt->seed * 2654435761u + 88172645463325252u;
    log->txs = calloc(opt->transactions, sizeof *log->txs);
    log->histories = calloc(opt->keys + 1, sizeof *log->histories);
    assert(log->txs && log->histories);
    make_shape(log);
    for (unsigned i = 0; i < opt->transactions; i++)
        make_tx(log, i);
    return log;
}

void shop_log_free(struct shop_log *log)
{
    for (unsigned i = 0; i <= log->opt.keys; i++)
        free(log->histories[i].versions);
    free(log->histories);
    free(log->rows);
    free(log->events);
    free(log->txs);
    shape_cache_free(log->cache);
    free(log);
}

unsigned shop_log_changes(const struct shop_log *log, unsigned id)
{
    return log->histories[id].count;
}

struct version shop_log_version(const struct shop_log *log, unsigned id, unsigned n)
{
    return log->histories[id].versions[n];
}

static int shop_open(struct source *src, const struct start *at, struct position *from, struct err *e)
{
    (void)e;
    struct shop_source *shop = (struct shop_source *)src;
    uint64_t pos = at->kind == START_FILEPOS ? at->pos.at.pos : 0;
    shop->tx = pos <= SHOP_TX_BYTES ? 0 : (unsigned)((pos + SHOP_TX_BYTES - 1) / SHOP_TX_BYTES) - 1;
    shop->event = 0;
    snprintf(from->at.file, sizeof from->at.file, FILE_NAME);
    from->at.pos = (uint64_t)(shop->tx + 1) * SHOP_TX_BYTES;
    return 0;
}

static void put_image(uint8_t **p, uint64_t id)
{
    uint64_t user = id * 7;
    *(*p)++ = 0;
    for (unsigned i = 0; i < 8; i++)
        (*p)[i] = (uint8_t)(id >> (8 * i));
    for (unsigned i = 0; i < 8; i++)
        (*p)[8 + i] = (uint8_t)(user >> (8 * i));
    *p += 16;
}

static void put_rows(struct shop_source *shop, const struct shop_event *event, struct rowset *out)
{
    uint8_t *p = shop->bytes;
    for (unsigned i = 0; i < event->count; i++) {
        const struct shop_row *row = &shop->log->rows[event->first + i];
        if (row->before)
            put_image(&p, row->before);
        if (row->after)
            put_image(&p, row->after);
    }
    out->op = event->op;
    out->shape = shop->log->shape;
    out->rows = shop->bytes;
    out->rows_end = p;
}

/* How many ROWS events of the transaction come before this one. */
static uint32_t ordinal_of(const struct shop_source *shop, const struct shop_tx *tx, unsigned event)
{
    uint32_t ordinal = 0;
    for (unsigned i = 0; i < event; i++)
        ordinal += shop->log->events[tx->first_event + i].kind == ROWSET_ROWS;
    return ordinal;
}

static int shop_next(struct source *src, struct rowset *out, struct err *e)
{
    struct shop_source *shop = (struct shop_source *)src;
    unsigned last = shop->end_tx ? shop->end_tx : shop->log->opt.transactions;
    *out = (struct rowset){.kind = ROWSET_EOF, .server_uuid = "server"};
    if (atomic_load(&shop->interrupted))
        return err_set(e, INTERRUPTED);
    if (shop->tx >= last)
        return 0;
    const struct shop_tx *tx = &shop->log->txs[shop->tx];
    uint64_t begin = (uint64_t)(shop->tx + 1) * SHOP_TX_BYTES;
    if (shop->log->opt.break_every && shop->until_break-- == 0) {
        shop->until_break = 1 + (unsigned)(next_random(&shop->random) % (2 * shop->log->opt.break_every));
        shop->event = 0;
        shop->mark_is_due = true;
        out->kind = ROWSET_LOST;
        return 0;
    }
    if (shop->mark_is_due) {
        shop->mark_is_due = false;
        out->kind = ROWSET_MARK;
        snprintf(out->end.file, sizeof out->end.file, FILE_NAME);
        out->end.pos = begin;
        return 0;
    }
    out->tx = (struct tx){.file = FILE_NAME, .pos = begin, .commit_us = 1700000000000000 + (int64_t)begin};
    if (shop->event == 0) {
        out->kind = ROWSET_BEGIN;
    } else if (shop->event <= tx->event_count) {
        const struct shop_event *event = &shop->log->events[tx->first_event + shop->event - 1];
        out->kind = event->kind;
        out->name = "sp";
        out->name_len = 2;
        out->event_ordinal = ordinal_of(shop, tx, shop->event - 1);
        out->event_pos = begin + (uint64_t)shop->event * EVENT_BYTES;
        if (event->kind == ROWSET_ROWS)
            put_rows(shop, event, out);
    } else {
        bool is_void = shop->log->opt.void_last && shop->tx + 1 == shop->log->opt.transactions;
        out->kind = is_void ? ROWSET_ROLLBACK : ROWSET_END;
        snprintf(out->end.file, sizeof out->end.file, FILE_NAME);
        out->end.pos = begin + SHOP_TX_BYTES - 1;
        shop->tx++;
        shop->event = 0;
        return 0;
    }
    shop->event++;
    return 0;
}

static bool shop_would_block(struct source *src)
{
    struct shop_source *shop = (struct shop_source *)src;
    return next_random(&shop->random) % 16 == 0;
}

static void shop_interrupt(struct source *src)
{
    atomic_store(&((struct shop_source *)src)->interrupted, true);
}

static void shop_close(struct source *src)
{
    free(src);
}

static const struct source_ops shop_ops = {.kind = "shop",
                                           .open = shop_open,
                                           .next = shop_next,
                                           .would_block = shop_would_block,
                                           .interrupt = shop_interrupt,
                                           .close = shop_close};

struct source *shop_source_new(struct shop_log *log, unsigned end_tx)
{
    struct shop_source *shop = calloc(1, sizeof *shop);
    assert(shop);
    shop->base.ops = &shop_ops;
    shop->log = log;
    shop->end_tx = end_tx;
    shop->random = log->opt.seed + end_tx + 12345;
    shop->until_break = log->opt.break_every;
    return &shop->base;
}
