/* Statements in a topic of Canal, Maxwell or Debezium: which stop the applier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/applier_input.h"

static struct routes *routes_of(const char *db, const char *table, enum on_truncate on_truncate)
{
    struct routes *routes = NULL;
    struct route route = {.line = 1, .db = db, .table = table, .sink_mask = 1, .on_truncate = on_truncate};
    assert_int_equal(routes_new(&routes, &route, 1, NULL), 0);
    return routes;
}

static int look(const struct routes *routes, enum input_kind kind, const char *text)
{
    struct arena arena;
    struct input in = {.kind = kind, .db = "shop", .table = "", .text = text, .text_len = strlen(text)};
    arena_init(&arena, 4096, 0, 0);
    int rc = applier_statement(routes, &in, &arena, NULL);
    arena_release(&arena);
    return rc;
}

static void applier_statement__what_empties_a_routed_table__stops(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        {"truncate t", -ERR_TRUNCATE_STOP},
        {"drop table if exists other, t", -ERR_TRUNCATE_STOP},
        {"drop table shop2.t", 0},
        {"rename table t to t2", -ERR_TRUNCATE_STOP},
        {"rename table t2 to t", -ERR_TRUNCATE_STOP},
        {"rename table t to _t_del, _t_gho to t", 0},
        {"alter table t drop partition p1", -ERR_TRUNCATE_STOP},
        {"drop database shop", -ERR_TRUNCATE_STOP},
        {"drop database shop2", 0},
        {"alter table t add a int", 0},
        {"create table t (id int)", 0},
        {"truncate other", 0},
        {"create user u", 0},
        {"insert into t values (1)", -ERR_STATEMENT_DML},
        {"insert into other values (1)", 0},
        {"frobnicate t", -ERR_DDL_UNKNOWN},
        {"frobnicate other", 0},
    };
    struct routes *routes = routes_of("shop", "t", ON_TRUNCATE_STOP);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = look(routes, INPUT_STATEMENT, cases[i].text);
        if (rc != cases[i].rc)
            fail_msg("%s: %d", cases[i].text, rc);
    }
    assert_int_equal(look(routes, INPUT_UNLOGGED, "update t set a = 1"), -ERR_STATEMENT_DML);
    routes_free(routes);
}

static void applier_statement__on_truncate_ignore__passes(void **state)
{
    (void)state;
    struct routes *routes = routes_of("shop", "t", ON_TRUNCATE_IGNORE);
    assert_int_equal(look(routes, INPUT_STATEMENT, "truncate t"), 0);
    assert_int_equal(look(routes, INPUT_STATEMENT, "drop database shop"), 0);
    assert_int_equal(look(routes, INPUT_STATEMENT, "delete from t"), -ERR_STATEMENT_DML);
    routes_free(routes);
}

static void applier_statement__pattern_of_tables__takes_its_databases(void **state)
{
    (void)state;
    struct routes *routes = routes_of("sh*", "order_*", ON_TRUNCATE_STOP);
    assert_int_equal(look(routes, INPUT_STATEMENT, "truncate order_1"), -ERR_TRUNCATE_STOP);
    assert_int_equal(look(routes, INPUT_STATEMENT, "truncate users"), 0);
    assert_int_equal(look(routes, INPUT_STATEMENT, "frobnicate users"), -ERR_DDL_UNKNOWN);
    assert_int_equal(look(routes, INPUT_STATEMENT, "drop database other"), 0);
    routes_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applier_statement__what_empties_a_routed_table__stops),
        cmocka_unit_test(applier_statement__on_truncate_ignore__passes),
        cmocka_unit_test(applier_statement__pattern_of_tables__takes_its_databases),
    };
    return cmocka_run_group_tests_name("applier_statement", tests, NULL, NULL);
}
