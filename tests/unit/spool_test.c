/* The spool against a model: what is held at a place, over crashes at any file operation, and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "binlog/spool.h"
#include "tools/alloc_fault.h"
#include "tools/memfs.h"

#define DIR            "/s"
#define EVENT_LEN_MOST 700000
#define OPERATIONS     400 /* more than a whole run of the small script makes */

struct fixture {
    struct memfs *fs;
    struct env env;
    struct state *state;
    struct spool *spool;
    struct err e;
};

static void open_spool(struct fixture *f, uint64_t max_bytes)
{
    const struct spool_options opt = {.state = f->state, .max_bytes = max_bytes};
    assert_int_equal(spool_new(&f->spool, &opt, &f->e), 0);
}

static void set_up(struct fixture *f, bool in_memory)
{
    memset(f, 0, sizeof *f);
    f->fs = memfs_new();
    f->env = memfs_env(f->fs);
    if (!in_memory)
        assert_int_equal(state_open(&f->state, &f->env, DIR, STATE_OWN, &f->e), 0);
    open_spool(f, 0);
}

static void restart(struct fixture *f)
{
    spool_free(f->spool);
    state_close(f->state);
    assert_int_equal(state_open(&f->state, &f->env, DIR, STATE_OWN, &f->e), 0);
    open_spool(f, 0);
}

static void tear_down(struct fixture *f)
{
    spool_free(f->spool);
    state_close(f->state);
    memfs_free(f->fs);
}

static struct xid xid_of(unsigned number)
{
    struct xid xid = {.format = 1, .gtrid_len = 1, .bytes = {(uint8_t)number}};
    return xid;
}

/* The n-th transaction of the log. */
static struct spool_place place_of(uint64_t n)
{
    struct spool_place place = {.file = "bin.000001",
                                .begin = n * 100,
                                .end = n * 100 + 100,
                                .gtid = {.flavor = FLAVOR_MARIADB, .server = 1, .number = n},
                                .server_uuid = "server_id-1"};
    return place;
}

/* The boundary behind it. */
static struct position behind(uint64_t n)
{
    struct position at = {.at = {.file = "bin.000001", .pos = n * 100 + 100}, .server_uuid = "server_id-1"};
    return at;
}

static int settle(struct fixture *f, uint64_t n)
{
    struct position at = behind(n);
    return spool_settle(f->spool, &at, &f->e);
}

/* Events of `len` bytes, told apart by xid and number. */
static int prepare_events(struct fixture *f, unsigned xid, uint64_t n, unsigned events, size_t len)
{
    struct event_format format = {.server_version = 101119, .mariadb = true, .post_header_count = 200};
    struct xid id = xid_of(xid);
    struct spool_place place = place_of(n);
    static uint8_t body[EVENT_LEN_MOST + 2];
    assert_true(len <= EVENT_LEN_MOST);
    int rc = spool_begin(f->spool, &format, &f->e);
    for (unsigned i = 0; i < events && rc == 0; i++) {
        body[0] = (uint8_t)xid;
        body[1] = (uint8_t)i;
        const struct spool_event event = {
            .type = EVENT_WRITE_ROWS_V1, .ordinal = i, .left_out = i == 1, .body = body, .len = len + 2};
        rc = spool_add(f->spool, &event, &f->e);
    }
    return rc == 0 ? spool_prepare(f->spool, &id, &place, &f->e) : rc;
}

static int prepare(struct fixture *f, unsigned xid, uint64_t n)
{
    return prepare_events(f, xid, n, 3, 10);
}

static int resolve(struct fixture *f, unsigned xid, uint64_t n)
{
    struct xid id = xid_of(xid);
    struct spool_place place = place_of(n);
    return spool_resolve(f->spool, &id, &place, &f->e);
}

static bool held(const struct fixture *f, unsigned xid)
{
    struct xid id = xid_of(xid);
    return spool_find(f->spool, &id, NULL);
}

/* Reads it whole: it has these events. */
static void expect_events(struct fixture *f, unsigned xid, unsigned events, size_t len)
{
    struct xid id = xid_of(xid);
    struct event_format format;
    struct spool_event event;
    assert_int_equal(spool_rewind(f->spool, &id, &format, &f->e), 0);
    assert_int_equal(format.server_version, 101119);
    assert_true(format.mariadb);
    assert_int_equal(format.post_header_count, 200);
    for (unsigned i = 0; i < events; i++) {
        assert_int_equal(spool_next(f->spool, &event, &f->e), 1);
        assert_int_equal(event.type, EVENT_WRITE_ROWS_V1);
        assert_int_equal(event.ordinal, i);
        assert_int_equal(event.left_out, i == 1);
        assert_int_equal(event.len, len + 2);
        assert_int_equal(event.body[0], xid);
        assert_int_equal(event.body[1], (uint8_t)i);
    }
    assert_int_equal(spool_next(f->spool, &event, &f->e), 0);
}

static void spool__prepared__read_in_any_order_also_after_a_restart(void **state)
{
    (void)state;
    for (int memory = 0; memory < 2; memory++) {
        struct fixture f;
        set_up(&f, memory != 0);
        assert_int_equal(settle(&f, 0), 0);
        for (unsigned n = 1; n <= 5; n++)
            assert_int_equal(prepare_events(&f, n, n, n, 100), 0);
        assert_int_equal(resolve(&f, 2, 6), 0);
        if (!memory) {
            restart(&f);
            assert_int_equal(settle(&f, 6), 0);
        }
        assert_false(held(&f, 2));
        expect_events(&f, 4, 4, 100);
        expect_events(&f, 1, 1, 100);
        expect_events(&f, 5, 5, 100);
        struct spool_figures figures;
        spool_figures(f.spool, &figures);
        assert_int_equal(figures.transactions, 4);
        tear_down(&f);
    }
}

static void spool__larger_than_a_piece__read_from_the_log_in_bounded_memory(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare_events(&f, 1, 1, 50, 100000), 0);
    assert_int_equal(prepare(&f, 2, 2), 0);
    expect_events(&f, 1, 50, 100000);
    restart(&f);
    assert_int_equal(settle(&f, 2), 0);
    expect_events(&f, 1, 50, 100000);
    expect_events(&f, 2, 3, 10);
    tear_down(&f);
}

static void spool__settled_before_a_prepare__forgotten_and_kept_once_when_read_again(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare(&f, 1, 1), 0);
    assert_int_equal(prepare(&f, 2, 2), 0);
    restart(&f);
    assert_int_equal(settle(&f, 1), 0);
    assert_true(held(&f, 1));
    assert_false(held(&f, 2));
    assert_int_equal(prepare(&f, 2, 2), 0);
    restart(&f);
    assert_int_equal(settle(&f, 2), 0);
    expect_events(&f, 2, 3, 10);
    assert_int_equal(resolve(&f, 2, 3), 0);
    assert_false(held(&f, 2));
    tear_down(&f);
}

static void spool__settled_before_a_commit__prepared_once_more(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare(&f, 1, 1), 0);
    assert_int_equal(resolve(&f, 1, 2), 0);
    assert_int_equal(prepare_events(&f, 1, 3, 2, 10), 0); /* the same name again */
    assert_int_equal(settle(&f, 1), 0);
    expect_events(&f, 1, 3, 10);
    assert_int_equal(resolve(&f, 1, 2), 0);
    assert_int_equal(prepare_events(&f, 1, 3, 2, 10), 0);
    expect_events(&f, 1, 2, 10);
    restart(&f);
    assert_int_equal(settle(&f, 3), 0);
    expect_events(&f, 1, 2, 10);
    tear_down(&f);
}

static void spool__places__by_gtid_else_by_file_of_the_same_server(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare(&f, 1, 5), 0);
    static const struct {
        const char *gtids, *server;
        uint64_t pos;
        bool held;
    } cases[] = {{"0-1-5", "server_id-2", 4, true},
                 {NULL, "server_id-1", 600, true},
                 {NULL, "server_id-1", 599, false},
                 {"0-1-4", "server_id-1", 600, false},
                 {NULL, "server_id-2", 600, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct position at = {.at = {.file = "bin.000001", .pos = cases[i].pos}};
        snprintf(at.server_uuid, sizeof at.server_uuid, "%s", cases[i].server);
        if (cases[i].gtids)
            assert_int_equal(gtid_set_parse(&at.gtids, FLAVOR_MARIADB, cases[i].gtids, strlen(cases[i].gtids), &f.e),
                             0);
        assert_int_equal(spool_settle(f.spool, &at, &f.e), 0);
        assert_int_equal(held(&f, 1), cases[i].held);
        gtid_set_free(at.gtids);
        if (!cases[i].held)
            assert_int_equal(prepare(&f, 1, 5), 0);
    }
    tear_down(&f);
}

static void spool__full__stops_and_room_comes_with_what_is_resolved(void **state)
{
    (void)state;
    for (int memory = 0; memory < 2; memory++) {
        struct fixture f;
        set_up(&f, memory != 0);
        spool_free(f.spool);
        open_spool(&f, 70000);
        assert_int_equal(settle(&f, 0), 0);
        assert_int_equal(prepare_events(&f, 1, 1, 3, 10000), 0);
        assert_int_equal(prepare_events(&f, 2, 2, 3, 10000), 0);
        assert_int_equal(prepare_events(&f, 3, 3, 3, 10000), -(int)ERR_XA_SPOOL_FULL);
        err_clear(&f.e);
        assert_int_equal(resolve(&f, 1, 3), 0);
        assert_int_equal(prepare_events(&f, 3, 4, 3, 10000), 0);
        expect_events(&f, 3, 3, 10000);
        tear_down(&f);
    }
}

static void spool__much_resolved__thrown_away_up_to_the_stored_position_only(void **state)
{
    (void)state;
    struct fixture f;
    struct spool_figures figures;
    size_t before, after;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare(&f, 200, 1), 0);
    for (unsigned n = 1; n <= 30; n++) {
        assert_int_equal(prepare_events(&f, n, 2 * n, 7, 100000), 0);
        assert_int_equal(resolve(&f, n, 2 * n + 1), 0);
    }
    spool_figures(f.spool, &figures);
    assert_true(figures.wants_compact);
    (void)memfs_bytes(f.fs, DIR "/xa.log", &before);
    struct position early = behind(3), late = behind(57);
    assert_int_equal(spool_compact(f.spool, &early, &f.e), 0); /* little could go: nothing does */
    (void)memfs_bytes(f.fs, DIR "/xa.log", &after);
    assert_int_equal(after, before);
    assert_int_equal(spool_compact(f.spool, &late, &f.e), 0);
    (void)memfs_bytes(f.fs, DIR "/xa.log", &after);
    assert_true(after < 3 * 800000 && after > 2 * 700000);
    expect_events(&f, 200, 3, 10);
    spool_figures(f.spool, &figures);
    assert_false(figures.wants_compact);
    assert_int_equal(figures.transactions, 1);
    /* From the stored position on all is there. */
    restart(&f);
    assert_int_equal(settle(&f, 58), 0);
    expect_events(&f, 29, 7, 100000);
    assert_false(held(&f, 28));
    assert_false(held(&f, 30));
    expect_events(&f, 200, 3, 10);
    tear_down(&f);
}

static void spool__one_phase_only__what_is_left_in_the_log_is_thrown_away(void **state)
{
    (void)state;
    struct fixture f;
    struct spool_figures figures;
    size_t bytes;
    const struct event_format format = {.server_version = 90700, .post_header_count = 200};
    static const uint8_t body[EVENT_LEN_MOST];
    const struct spool_event event = {.type = EVENT_WRITE_ROWS, .body = body, .len = sizeof body};
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    for (unsigned n = 1; n <= 10; n++) {
        assert_int_equal(spool_begin(f.spool, &format, &f.e), 0);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(spool_add(f.spool, &event, &f.e), 0);
        spool_drop(f.spool);
    }
    spool_figures(f.spool, &figures);
    assert_true(figures.wants_compact);
    struct position stored = behind(1);
    assert_int_equal(spool_compact(f.spool, &stored, &f.e), 0);
    (void)memfs_bytes(f.fs, DIR "/xa.log", &bytes);
    assert_true(bytes < 1000);
    spool_figures(f.spool, &figures);
    assert_false(figures.wants_compact);
    tear_down(&f);
}

static void spool__damaged_event__corrupt(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare(&f, 1, 1), 0);
    size_t len;
    uint8_t *bytes = memfs_bytes(f.fs, DIR "/xa.log", &len);
    bytes[len / 2] ^= 1;
    struct xid id = xid_of(1);
    struct event_format format;
    struct spool_event event;
    int rc = spool_rewind(f.spool, &id, &format, &f.e);
    while (rc == 0 && (rc = spool_next(f.spool, &event, &f.e)) == 1)
        rc = 0;
    assert_int_equal(rc, -(int)ERR_STATE_CORRUPT);
    tear_down(&f);
}

/* The items of a log: prepared, resolved, prepared once more. */
#define ITEMS_MOST 32
#define BYTES_MOST 100 /* of an item that are tried: behind that is nothing new */
struct items {
    struct state_item list[ITEMS_MOST];
    size_t count;
};

static int keep_item(void *ctx, const struct state_item *item, struct err *e)
{
    struct items *items = ctx;
    (void)e;
    uint8_t *copy = malloc(item->len);
    assert_non_null(copy);
    assert_true(items->count < ITEMS_MOST);
    memcpy(copy, item->bytes, item->len);
    items->list[items->count++] = (struct state_item){copy, item->len};
    return 0;
}

static void collect(struct items *out)
{
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(settle(&f, 0), 0);
    assert_int_equal(prepare(&f, 1, 1), 0);
    assert_int_equal(prepare(&f, 2, 2), 0);
    assert_int_equal(resolve(&f, 1, 3), 0);
    assert_int_equal(prepare(&f, 1, 4), 0);
    out->count = 0;
    assert_int_equal(state_scan(f.state, SPOOL_LOG, keep_item, out, &f.e), 0);
    tear_down(&f);
}

static void free_items(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        free((void *)(uintptr_t)items->list[i].bytes);
}

/* A start with these items, and all use that is made of them: 0, or minus the error's code. */
static int use_items(const struct state_item *list, size_t count)
{
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(state_replace(f.state, SPOOL_LOG, list, count, &f.e), 0);
    int rc = settle(&f, 4);
    for (unsigned n = 1; rc == 0 && n <= 2; n++) {
        struct xid xid = xid_of(n);
        struct event_format format;
        struct spool_event event;
        if (!held(&f, n))
            continue;
        rc = spool_rewind(f.spool, &xid, &format, &f.e);
        while (rc == 0 && (rc = spool_next(f.spool, &event, &f.e)) == 1)
            rc = 0;
    }
    struct position stored = behind(6);
    if (rc == 0)
        rc = prepare(&f, 3, 5);
    if (rc == 0)
        rc = resolve(&f, 2, 6);
    if (rc == 0)
        rc = spool_compact(f.spool, &stored, &f.e);
    tear_down(&f);
    return rc;
}

static bool is_named(int rc)
{
    return rc == 0 || rc == -(int)ERR_STATE_CORRUPT || rc == -(int)ERR_STATE_VERSION || rc == -(int)ERR_XA_SPOOL_FULL;
}

/* Their checksums are right: what a wrong version of ours could leave behind. */
static void spool__odd_items__named_error_or_read(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    struct items items;
    collect(&items);
    assert_int_equal(use_items(items.list, items.count), 0);
    for (size_t i = 0; i < items.count; i++) {
        const struct state_item whole = items.list[i];
        for (size_t len = 0; len < whole.len && len < BYTES_MOST; len++) {
            items.list[i].len = len;
            int rc = use_items(items.list, items.count);
            if (!is_named(rc) || (rc == 0 && len < 9))
                fail_msg("item %zu cut to %zu bytes: %d", i, len, rc);
        }
        uint8_t *bytes = malloc(whole.len);
        assert_non_null(bytes);
        memcpy(bytes, whole.bytes, whole.len);
        items.list[i] = (struct state_item){bytes, whole.len};
        for (size_t at = 0; at < whole.len && at < BYTES_MOST; at++)
            for (size_t f = 0; f < sizeof flips; f++) {
                bytes[at] ^= flips[f];
                int rc = use_items(items.list, items.count);
                if (!is_named(rc))
                    fail_msg("item %zu, byte %zu: %d", i, at, rc);
                bytes[at] ^= flips[f];
            }
        free(bytes);
        items.list[i] = whole;
    }
    free_items(&items);
}

static void spool__items_out_of_order__named_error_or_read(void **state)
{
    (void)state;
    struct items items;
    struct state_item list[ITEMS_MOST + 1];
    collect(&items);
    for (size_t i = 0; i < items.count; i++)
        for (size_t k = 0; k < items.count; k++) {
            memcpy(list, items.list, sizeof items.list);
            list[i] = items.list[k]; /* one is gone, another twice */
            assert_true(is_named(use_items(list, items.count)));
            list[k] = items.list[i]; /* two changed places */
            assert_true(is_named(use_items(list, items.count)));
        }
    for (size_t i = 0; i < items.count; i++) /* the first are missing */
        assert_true(is_named(use_items(items.list + i, items.count - i)));
    free_items(&items);
}

/* A start that failed leaves nothing half behind. */
static void spool__log_unreadable_at_a_start__read_again_at_the_next(void **state)
{
    (void)state;
    bool met = true;
    for (unsigned at = 1; met && at < OPERATIONS; at++) {
        struct fixture f;
        set_up(&f, false);
        assert_int_equal(settle(&f, 0), 0);
        for (unsigned n = 1; n <= 6; n++)
            assert_int_equal(prepare(&f, n, n), 0);
        restart(&f);
        memfs_fault(f.fs, MEMFS_ERROR, at);
        int rc = settle(&f, 3); /* three of them go */
        met = memfs_fault_met(f.fs);
        memfs_fault(f.fs, MEMFS_NONE, 0);
        if (rc != 0)
            err_clear(&f.e);
        int again = settle(&f, 3);
        if (again == 0) {
            for (unsigned n = 1; n <= 6; n++)
                assert_int_equal(held(&f, n), n <= 3);
            expect_events(&f, 3, 3, 10);
        } else {
            assert_int_equal(again, -(int)ERR_STATE_IO);
        }
        tear_down(&f);
    }
    assert_false(met);
}

/* A run of a reader from a stored position: prepares 1 2 3, resolves 2 and 1. *done: how far it came. */
static int play(struct fixture *f, uint64_t from, uint64_t *done)
{
    int rc = settle(f, from);
    for (uint64_t n = from + 1; rc == 0 && n <= 6; n++) {
        struct position stored = behind(n - 1);
        rc = n <= 3   ? prepare_events(f, (unsigned)n, n, 3, 700000 * (n == 2))
             : n == 4 ? resolve(f, 2, n)
             : n == 5 ? resolve(f, 1, n)
                      : spool_compact(f->spool, &stored, &f->e);
        if (rc == 0)
            *done = n;
    }
    return rc;
}

/* What must be held behind the n-th. */
static void expect_held(struct fixture *f, uint64_t n)
{
    for (unsigned xid = 1; xid <= 3; xid++) {
        bool open = xid <= n && !(xid == 2 && n >= 4) && !(xid == 1 && n >= 5);
        if (held(f, xid) != open)
            fail_msg("behind %u: xid %u is %sheld", (unsigned)n, xid, open ? "not " : "");
        if (open)
            expect_events(f, xid, 3, 700000 * (xid == 2));
    }
}

static void spool__power_fails_at_any_operation__what_was_told_is_held(void **state)
{
    (void)state;
    bool met = true;
    for (unsigned at = 1; met && at < OPERATIONS; at++)
        for (int bytes = 0; bytes < MEMFS_BYTES_COUNT; bytes++) {
            struct fixture f;
            set_up(&f, false);
            uint64_t done = 0;
            memfs_fault(f.fs, MEMFS_POWER, at);
            (void)play(&f, 0, &done);
            met = memfs_fault_met(f.fs);
            err_clear(&f.e);
            spool_free(f.spool);
            state_close(f.state);
            f.state = NULL;
            memfs_crash(f.fs, (enum memfs_bytes)bytes, bytes % 2 != 0);
            assert_int_equal(state_open(&f.state, &f.env, DIR, STATE_OWN, &f.e), 0);
            open_spool(&f, 0);
            /* The stored position may be anywhere up to what was done, but not before what was thrown away for it. */
            uint64_t from = done > 2 && done < 5 ? done - at % 3 : done;
            assert_int_equal(settle(&f, from), 0);
            expect_held(&f, from);
            assert_int_equal(play(&f, from, &done), 0);
            expect_held(&f, 6);
            tear_down(&f);
        }
    assert_false(met);
}

/* In memory: the file system of these tests takes memory itself. */
static void spool__no_memory_at_any_allocation__error_and_it_goes_on_from_there(void **state)
{
    (void)state;
    bool met = true;
    for (unsigned n = 1; met && n < OPERATIONS; n++) {
        struct fixture f;
        set_up(&f, true);
        uint64_t done = 0;
        alloc_fault_arm(n);
        int rc = play(&f, 0, &done);
        met = alloc_fault_met();
        alloc_fault_arm(0);
        assert_int_equal(rc, met ? -(int)ERR_NO_MEMORY : 0);
        err_clear(&f.e);
        assert_int_equal(play(&f, done, &done), 0);
        expect_held(&f, 6);
        tear_down(&f);
    }
    assert_false(met);
}

static void xid__text__there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {{"X'31',X'',1", true},
                 {"X'00ff',X'62',4294967295", true},
                 {"x'31',x'',0", true},
                 {"X'31',X'',4294967296", false},
                 {"X'3',X'',1", false},
                 {"X'31',X''", false},
                 {"X'31',X'',", false},
                 {"'31',X'',1", false},
                 {"X'31',X'',1 ONE PHASE", false},
                 {"X'3g',X'',1", false},
                 {"X'31", false},
                 {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xid xid;
        struct err e = ERR_INIT;
        char text[XID_TEXT_MAX];
        int rc = xid_parse(&xid, cases[i].text, strlen(cases[i].text), &e);
        assert_int_equal(rc == 0, cases[i].fine);
        if (rc == 0) {
            assert_int_equal(xid_print(&xid, text), strlen(cases[i].text));
            assert_int_equal(strcasecmp(text, cases[i].text), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spool__prepared__read_in_any_order_also_after_a_restart),
        cmocka_unit_test(spool__larger_than_a_piece__read_from_the_log_in_bounded_memory),
        cmocka_unit_test(spool__settled_before_a_prepare__forgotten_and_kept_once_when_read_again),
        cmocka_unit_test(spool__settled_before_a_commit__prepared_once_more),
        cmocka_unit_test(spool__places__by_gtid_else_by_file_of_the_same_server),
        cmocka_unit_test(spool__full__stops_and_room_comes_with_what_is_resolved),
        cmocka_unit_test(spool__much_resolved__thrown_away_up_to_the_stored_position_only),
        cmocka_unit_test(spool__one_phase_only__what_is_left_in_the_log_is_thrown_away),
        cmocka_unit_test(spool__damaged_event__corrupt),
        cmocka_unit_test(spool__odd_items__named_error_or_read),
        cmocka_unit_test(spool__items_out_of_order__named_error_or_read),
        cmocka_unit_test(spool__log_unreadable_at_a_start__read_again_at_the_next),
        cmocka_unit_test(spool__power_fails_at_any_operation__what_was_told_is_held),
        cmocka_unit_test(spool__no_memory_at_any_allocation__error_and_it_goes_on_from_there),
        cmocka_unit_test(xid__text__there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
