/* A million rows from key to acknowledgement call no allocator once everything is warm: every call of malloc and its
 * kin in this program is counted. Sanitizers bring their own allocator; there the test only runs the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "partition/key.h"
#include "tools/lane_kit.h"
#include "tools/sample.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS 0
#endif
#endif
#ifndef COUNTS
#define COUNTS 1
#endif

static uint64_t calls;

#if COUNTS
/* glibc's own names for the real ones. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    calls++;
    return __libc_realloc(p, size);
}

void free(void *p)
{
    calls += p != NULL;
    __libc_free(p);
}
#endif

#define LANES   4
#define ROWS    1000000u
#define WARM_UP 20000u

struct path {
    struct sample *sample;
    struct lanes *lanes;
    struct key_plan plan;
    struct buf key;
    struct arena arena;
    struct position pos;
    uint64_t taken;
};

static void drain(struct path *p)
{
    struct lane_item item;
    for (unsigned lane = 0; lane < LANES; lane++) {
        uint64_t last = 0;
        for (; lanes_read(p->lanes, lane, 0, &item) == LANE_ITEM; last = item.ordinal) {
            struct value values[2];
            assert_int_equal(change_values(&item.chg, SIDE_AFTER, NULL, values, &p->arena, NULL), 0);
            p->taken++;
        }
        lanes_ack(p->lanes, lane, 0, last);
        arena_reset(&p->arena);
    }
    assert_true(ledger_consume(lanes_ledger(p->lanes), 0, &p->pos, NULL) >= 0);
}

static void add_row(struct path *p, uint32_t number)
{
    const struct shape *shape = sample_shape(p->sample);
    struct sample_image image;
    struct found found[1];
    uint64_t ordinal;
    sample_image(&image, (int32_t)number, (int32_t)number * 7);
    const uint8_t *bytes = image.image.bytes;
    assert_true(shape_walk(shape, image.image.present, bytes, bytes + image.image.len, &p->plan.wanted, found) !=
                SIZE_MAX);
    buf_clear(&p->key);
    assert_int_equal(key_text(&p->plan, shape, found, NULL, "after", &p->key, &p->arena, NULL), 0);
    struct lane_row row = {.op = CHANGE_INSERT,
                           .sink_mask = 1,
                           .version_row = number,
                           .shape = shape,
                           .key = (const char *)p->key.p,
                           .key_len = p->key.len,
                           .after = image.image};
    unsigned lane = key_lane(row.key, row.key_len, LANES);
    int rc;
    while ((rc = lanes_add(p->lanes, lane, &row, &ordinal, NULL)) == LANES_FULL)
        if (!lanes_make_room(p->lanes))
            drain(p);
    assert_int_equal(rc, 0);
}

/* Transactions of ten rows, each with a GTID. */
static void run(struct path *p, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        if (i % 10 == 0)
            kit_begin(p->lanes, i);
        add_row(p, i);
        if (i % 10 != 9)
            continue;
        struct boundary at = {.file = "bin.1", .pos = i, .commit_us = i};
        at.gtid = (struct gtid){.flavor = FLAVOR_MYSQL, .number = i / 10 + 1};
        lanes_event_end(p->lanes);
        while (lanes_end(p->lanes, &at) == LANES_FULL) {
            lanes_publish(p->lanes);
            drain(p);
        }
        if (lanes_should_publish(p->lanes)) {
            lanes_publish(p->lanes);
            drain(p);
        }
    }
}

static void hot_path__a_million_rows__call_no_allocator(void **state)
{
    (void)state;
    static const char *const key[] = {"order_id"};
    struct path p = {.sample = sample_new("shop", "orders", 0), .lanes = kit_lanes(LANES, 1, 1024u * 1024)};
    buf_init(&p.key, 0);
    arena_init(&p.arena, 0, 1 << 20, 0);
    position_init(&p.pos);
    p.pos.gtids = gtid_set_new(FLAVOR_MYSQL);
    assert_int_equal(key_plan_init(&p.plan, sample_shape(p.sample)->tbl, key, 1, 1, NULL), 0);
    run(&p, 0, WARM_UP);
    uint64_t before = calls;
    run(&p, WARM_UP, WARM_UP + ROWS);
    assert_int_equal(calls - before, 0);
    lanes_publish(p.lanes);
    drain(&p);
    assert_int_equal(p.taken, WARM_UP + ROWS);
    if (COUNTS)
        assert_true(before > 0); /* the counter counts */
    position_release(&p.pos);
    buf_release(&p.key);
    arena_release(&p.arena);
    lanes_free(p.lanes);
    sample_free(p.sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hot_path__a_million_rows__call_no_allocator),
    };
    return cmocka_run_group_tests_name("hot_path", tests, NULL, NULL);
}
