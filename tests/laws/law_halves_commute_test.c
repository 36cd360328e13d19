/* Law "halves commute": of a row that moves to another key, FROM and TO in either order, with anything between, remove
 * what the whole update would remove, and no key is removed by both. So two crossing moves end in one state, whichever
 * lane is ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/keys.h"
#include "tools/sample.h"

/* Templates whose keys collide across columns and images. */
static const char *const templates[] = {"a:{order_id}", "a:{user_id}", "b:{user_id|default:none}:{order_id}"};
static const struct redis_options opt = {.url = "redis://h"};
static const struct redis_route_options route_options = {.invalidate = {templates, NULL, 3}};
static const int32_t users[] = {1, 2, 3, SAMPLE_NULL};
#define ROWS (3 * 4)

struct law {
    struct sample *sample;
    void *route;
    struct redis_keys whole, halves, from, to;
};

static void law_init(struct law *law)
{
    law->sample = sample_new("shop", "orders", 0);
    assert_int_equal(sink_redis.bind(&law->route, &opt, &route_options, sample_shape(law->sample)->tbl, NULL), 0);
    assert_int_equal(redis_keys_init(&law->whole, NULL), 0);
    assert_int_equal(redis_keys_init(&law->halves, NULL), 0);
    assert_int_equal(redis_keys_init(&law->from, NULL), 0);
    assert_int_equal(redis_keys_init(&law->to, NULL), 0);
}

static void law_release(struct law *law)
{
    redis_keys_release(&law->whole);
    redis_keys_release(&law->halves);
    redis_keys_release(&law->from);
    redis_keys_release(&law->to);
    sink_redis.unbind(law->route);
    sample_free(law->sample);
}

static struct sample_row row_of(unsigned n)
{
    return (struct sample_row){(int32_t)(n % 3) + 1, users[n / 3]};
}

static void add(const struct law *law, struct redis_keys *keys, unsigned before, unsigned after, unsigned flags)
{
    const struct sample_row old = row_of(before), new = row_of(after);
    struct sample_change change;
    sample_change(&change, law->sample, CHANGE_UPDATE, &old, &new);
    change.chg.flags = flags;
    assert_int_equal(redis_keys_add(keys, law->route, &change.chg, NULL), 0);
}

/* Every key of `a` is in `b`. */
static bool is_in(const struct redis_keys *a, const struct redis_keys *b)
{
    size_t found = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            found += a->list[i].len == b->list[k].len &&
                     memcmp(a->bytes.p + a->list[i].at, b->bytes.p + b->list[k].at, a->list[i].len) == 0;
    return found == a->count;
}

static void law_halves_commute__any_move__both_orders_are_the_update_and_no_key_is_in_both(void **state)
{
    (void)state;
    struct law law;
    law_init(&law);
    for (unsigned n = 0; n < ROWS * ROWS; n++) {
        unsigned before = n % ROWS, after = n / ROWS;
        add(&law, &law.whole, before, after, 0);
        add(&law, &law.from, before, after, CHANGE_FROM);
        add(&law, &law.to, before, after, CHANGE_TO);
        for (unsigned order = 0; order < 2; order++) {
            add(&law, &law.halves, before, after, order ? CHANGE_TO : CHANGE_FROM);
            add(&law, &law.halves, before, after, order ? CHANGE_FROM : CHANGE_TO);
            assert_int_equal(law.halves.count, law.whole.count);
            assert_true(is_in(&law.whole, &law.halves));
            redis_keys_clear(&law.halves);
        }
        assert_int_equal(law.from.count + law.to.count, law.whole.count);
        redis_keys_clear(&law.whole);
        redis_keys_clear(&law.from);
        redis_keys_clear(&law.to);
    }
    law_release(&law);
}

/* The four halves of two moves that cross, in all orders that keep nothing but what a lane keeps: none. */
static void law_halves_commute__two_crossing_moves__every_order_removes_the_same(void **state)
{
    (void)state;
    struct law law;
    law_init(&law);
    for (unsigned n = 0; n < ROWS * ROWS; n++) {
        unsigned one = n % ROWS, two = n / ROWS;
        add(&law, &law.whole, one, two, 0);
        add(&law, &law.whole, two, one, 0);
        for (unsigned order = 0; order < 24; order++) {
            unsigned left[4] = {0, 1, 2, 3}, code = order;
            for (unsigned k = 4; k > 0; k--) {
                unsigned pick = code % k, half = left[pick];
                code /= k;
                left[pick] = left[k - 1];
                add(&law, &law.halves, half < 2 ? one : two, half < 2 ? two : one, half % 2 ? CHANGE_TO : CHANGE_FROM);
            }
            assert_int_equal(law.halves.count, law.whole.count);
            assert_true(is_in(&law.whole, &law.halves));
            redis_keys_clear(&law.halves);
        }
        redis_keys_clear(&law.whole);
    }
    law_release(&law);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_halves_commute__any_move__both_orders_are_the_update_and_no_key_is_in_both),
        cmocka_unit_test(law_halves_commute__two_crossing_moves__every_order_removes_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
