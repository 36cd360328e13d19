/* Routes: patterns, and that all routes of one table agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "partition/route.h"

static void route__patterns__match_characters(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"orders", "orders", true},
        {"orders", "Orders", false}, /* as the server on Linux */
        {"orders", "orders2", false},
        {"orders", "order", false},
        {"*", "", true},
        {"*", "anything", true},
        {"orders_*", "orders_", true},
        {"orders_*", "orders_2026", true},
        {"orders_*", "orders", false},
        {"*_items", "order_items", true},
        {"*_items", "order_items_old", false},
        {"o*r*s", "orders", true},
        {"o*r*s", "order_rs", true},
        {"o*r*s", "ords_", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"*aab", "aaaab", true},
        {"t?", "t1", true},
        {"t?", "t", false},
        {"t?", "t\xc3\xa9", true}, /* one character of two bytes */
        {"t?", "t12", false},
        {"?*", "", false},
        {"*?", "x", true},
        {"", "", true},
        {"", "x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct route route = {.db = "shop", .table = rows[i].pattern};
        if (route_matches(&route, "shop", rows[i].name) != rows[i].matches)
            fail_msg("%s against %s", rows[i].pattern, rows[i].name);
        route = (struct route){.db = rows[i].pattern, .table = "t"};
        assert_int_equal(route_matches(&route, rows[i].name, "t"), rows[i].matches);
        assert_false(route_matches(&route, rows[i].name, "u"));
    }
}

static void route__exact__has_no_wildcard(void **state)
{
    (void)state;
    assert_true(route_is_exact(&(struct route){.db = "shop", .table = "orders"}));
    assert_false(route_is_exact(&(struct route){.db = "shop", .table = "orders_*"}));
    assert_false(route_is_exact(&(struct route){.db = "sho?", .table = "orders"}));
}

static const struct column columns[] = {{.name = "order_id", .name_len = 8}, {.name = "item_id", .name_len = 7}};
static const uint16_t pk[] = {0, 1};
static const struct table items = {.db = "shop",
                                   .name = "order_items",
                                   .columns = columns,
                                   .column_count = 2,
                                   .pk = pk,
                                   .pk_count = 2,
                                   .pk_known = true};
static const struct table heap = {.db = "shop", .name = "heap", .columns = columns, .column_count = 2};

static const char *const by_order[] = {"order_id"};
static const char *const by_item[] = {"item_id"};
static const char *const by_both[] = {"order_id", "item_id"};
static const char *const by_both_turned[] = {"item_id", "order_id"};

static void route__bind__joins_the_sinks_of_all_that_match(void **state)
{
    (void)state;
    static const struct route list[] = {
        {.line = 1,
         .db = "shop",
         .table = "order*",
         .key = by_order,
         .key_count = 1,
         .sink_mask = 1,
         .on_truncate = ON_TRUNCATE_SWEEP},
        {.line = 2,
         .db = "*",
         .table = "order_items",
         .key = by_order,
         .key_count = 1,
         .sink_mask = 4,
         .on_truncate = ON_TRUNCATE_IGNORE},
        {.line = 3, .db = "other", .table = "*", .key = by_item, .key_count = 1, .sink_mask = 8},
    };
    struct routes *routes = NULL;
    struct table_route bound;
    const struct route *all;
    assert_int_equal(routes_new(&routes, list, 3, NULL), 0);
    assert_int_equal(routes_list(routes, &all), 3);
    assert_int_equal(routes_bind(routes, &items, &bound, NULL), 0);
    assert_int_equal(bound.sink_mask, 5);
    assert_int_equal(bound.on_truncate, ON_TRUNCATE_SWEEP);
    assert_int_equal(bound.key.wanted.count, 1);
    assert_ptr_equal(bound.key.wanted.index, bound.key.columns);
    assert_int_equal(bound.key.columns[0], 0);
    assert_true(routes_wants(routes, "any", "order_items"));
    assert_false(routes_wants(routes, "any", "orders"));
    struct interest interest = routes_interest(routes);
    assert_true(interest.wants(interest.ctx, "shop", "orders"));
    assert_false(interest.wants(interest.ctx, "shop", "users"));
    assert_true(interest.wants_database(interest.ctx, "shop"));
    assert_true(interest.wants_database(interest.ctx, "hr")); /* by the second one */
    routes_free(routes);
}

static void route__database_of_no_route__has_no_wanted_tables(void **state)
{
    (void)state;
    const struct route list[] = {{.line = 1, .db = "shop_?", .table = "orders", .sink_mask = 1}};
    struct routes *routes = NULL;
    assert_int_equal(routes_new(&routes, list, 1, NULL), 0);
    struct interest interest = routes_interest(routes);
    assert_true(interest.wants_database(interest.ctx, "shop_1"));
    assert_false(interest.wants_database(interest.ctx, "shop"));
    routes_free(routes);
}

static void route__bind__strictest_on_truncate_wins(void **state)
{
    (void)state;
    static const struct route list[] = {
        {.line = 1, .db = "shop", .table = "*", .sink_mask = 1, .on_truncate = ON_TRUNCATE_IGNORE},
        {.line = 2, .db = "shop", .table = "*", .sink_mask = 2, .on_truncate = ON_TRUNCATE_STOP},
        {.line = 3, .db = "shop", .table = "*", .sink_mask = 4, .on_truncate = ON_TRUNCATE_SWEEP},
    };
    struct routes *routes = NULL;
    struct table_route bound;
    assert_int_equal(routes_new(&routes, list, 3, NULL), 0);
    assert_int_equal(routes_bind(routes, &items, &bound, NULL), 0);
    assert_int_equal(bound.on_truncate, ON_TRUNCATE_STOP);
    routes_free(routes);
}

static void route__bind__different_keys_of_one_table__names_both_lines(void **state)
{
    (void)state;
    static const struct {
        const char *const *a, *const *b;
        unsigned a_count, b_count;
        bool conflict;
    } rows[] = {
        {by_order, by_order, 1, 1, false},     {by_order, by_item, 1, 1, true}, {by_order, by_both, 1, 2, true},
        {by_both, by_both_turned, 2, 2, true}, {by_both, NULL, 2, 0, false}, /* the primary key, told twice */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct route list[] = {
            {.line = 30, .db = "*", .table = "*", .key = rows[i].a, .key_count = rows[i].a_count},
            {.line = 47, .db = "*", .table = "order_items", .key = rows[i].b, .key_count = rows[i].b_count},
        };
        struct routes *routes = NULL;
        struct table_route bound;
        struct err e = ERR_INIT;
        assert_int_equal(routes_new(&routes, list, 2, NULL), 0);
        assert_int_equal(routes_bind(routes, &items, &bound, &e), rows[i].conflict ? -ERR_ROUTE_CONFLICT : 0);
        if (rows[i].conflict) {
            assert_non_null(strstr(e.text, "shop.order_items"));
            assert_non_null(strstr(e.text, "30"));
            assert_non_null(strstr(e.text, "47"));
        }
        routes_free(routes);
    }
}

static void route__bind__table_without_a_key(void **state)
{
    (void)state;
    struct route list[] = {{.line = 5, .db = "*", .table = "*", .sink_mask = 1}};
    struct routes *routes = NULL;
    struct table_route bound;
    struct err e = ERR_INIT;
    assert_int_equal(routes_new(&routes, list, 1, NULL), 0);
    assert_int_equal(routes_bind(routes, &heap, &bound, &e), -ERR_ROUTE_NO_KEY);
    routes_free(routes);
    list[0].keyless = true;
    assert_int_equal(routes_new(&routes, list, 1, NULL), 0);
    assert_int_equal(routes_bind(routes, &heap, &bound, NULL), 0);
    assert_int_equal(bound.sink_mask, 1);
    assert_int_equal(bound.key.wanted.count, 0);
    assert_int_equal(routes_bind(routes, &items, &bound, NULL), 0);
    assert_int_equal(bound.key.wanted.count, 2);
    routes_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route__patterns__match_characters),
        cmocka_unit_test(route__exact__has_no_wildcard),
        cmocka_unit_test(route__bind__joins_the_sinks_of_all_that_match),
        cmocka_unit_test(route__database_of_no_route__has_no_wanted_tables),
        cmocka_unit_test(route__bind__strictest_on_truncate_wins),
        cmocka_unit_test(route__bind__different_keys_of_one_table__names_both_lines),
        cmocka_unit_test(route__bind__table_without_a_key),
    };
    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
