/* Which routes allow a compacted topic, and which refuse tombstones: every record key, format, number of tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/kafka/kafka.h"

struct scene {
    struct kafka_options opt;
    struct config *cfg;
    struct format_choice choice;
    struct route routes[2];
    unsigned count;
};

static const char *const order_id[] = {"order_id"};

/* Routes of shop.orders and, with `tables` 2, of shop.users, by primary key. */
static void scene_init(struct scene *s, const char *format, const char *given, unsigned tables)
{
    struct err e = ERR_INIT;
    const struct env env = env_system();
    static const char *options[1];
    static unsigned lines[1] = {1};
    options[0] = given;
    *s = (struct scene){.opt = {.topic = "shop"}, .choice = {.name = format}, .count = tables};
    if (given)
        s->choice.given = (struct option_list){options, lines, 1};
    assert_int_equal(config_parse(&s->cfg, &env, "t.yaml", "", &e), 0);
    if (format_choose(&s->choice, s->cfg, &e) != 0)
        fail_msg("%s", e.text);
    for (unsigned i = 0; i < 2; i++)
        s->routes[i] = (struct route){.db = "shop",
                                      .table = i ? "users" : "orders",
                                      .sink_mask = 2, /* of the second sink */
                                      .sink_options = {NULL, &s->choice}};
}

static int look(struct scene *s, struct err *e)
{
    return kafka_check_routes(&s->opt, s->routes, s->count, 1, e);
}

static void keys__every_record_key_and_format__tell_whether_a_row_may_be_lost(void **state)
{
    (void)state;
    static const struct {
        const char *format, *given;
        int record_key;
        unsigned tables;
        bool has_key, may_be_compacted;
    } cases[] = {
        {"sluice", NULL, KAFKA_KEY_PRIMARY, 1, true, true},
        {"sluice", NULL, KAFKA_KEY_PRIMARY, 2, true, true},
        {"sluice", NULL, KAFKA_KEY_BUSINESS, 1, false, true},
        {"sluice", NULL, KAFKA_KEY_BUSINESS, 1, true, false},
        {"sluice", NULL, KAFKA_KEY_BUSINESS, 2, false, false},
        {"sluice", NULL, KAFKA_KEY_PEER, 1, false, false},
        {"maxwell", NULL, KAFKA_KEY_PEER, 2, true, true},
        {"maxwell", "output_ddl=true", KAFKA_KEY_PEER, 2, true, false},
        {"maxwell", NULL, KAFKA_KEY_BUSINESS, 2, true, false},
        {"debezium", NULL, KAFKA_KEY_PEER, 1, true, true},
        {"debezium", "tombstones.on.delete=false", KAFKA_KEY_PEER, 2, true, false},
        {"debezium", NULL, KAFKA_KEY_PRIMARY, 2, true, true},
        {"canal", NULL, KAFKA_KEY_PEER, 1, false, false},
        {"canal", NULL, KAFKA_KEY_BUSINESS, 1, false, false},
        {"canal", NULL, KAFKA_KEY_PRIMARY, 1, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        struct err e = ERR_INIT;
        scene_init(&s, cases[i].format, cases[i].given, cases[i].tables);
        s.opt.record_key = cases[i].record_key;
        s.routes[0].key = cases[i].has_key ? order_id : NULL;
        s.routes[0].key_count = cases[i].has_key;
        assert_int_equal(look(&s, &e), 0);
        if (!s.opt.not_compacted != cases[i].may_be_compacted)
            fail_msg("case %zu: %s", i, s.opt.not_compacted ? s.opt.not_compacted : "it may be compacted");
        config_free(s.cfg);
    }
}

static void keys__tables_in_topics_of_their_own__do_not_meet(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        bool apart;
    } cases[] = {
        {"{db}.{table}", true}, {"x.{table}", false}, {"{db}_{table}", false}, {"{db}", false}, {"shop", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        struct err e = ERR_INIT;
        scene_init(&s, "sluice", NULL, 2);
        s.opt.topic = cases[i].topic;
        assert_int_equal(look(&s, &e), 0);
        assert_int_equal(!s.opt.not_compacted, cases[i].apart);
        config_free(s.cfg);
    }
}

static void keys__a_pattern_of_tables__is_several(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice", NULL, 1);
    s.routes[0].table = "orders_*";
    assert_int_equal(look(&s, &e), 0);
    assert_non_null(strstr(s.opt.not_compacted, "tables"));
    config_free(s.cfg);
}

static void keys__a_truncate__has_none(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice", NULL, 1);
    s.opt.record_key = KAFKA_KEY_PRIMARY;
    s.routes[0].on_truncate = ON_TRUNCATE_SWEEP;
    assert_int_equal(look(&s, &e), 0);
    assert_non_null(strstr(s.opt.not_compacted, "TRUNCATE"));
    config_free(s.cfg);
}

static void keys__routes_of_other_sinks__do_not_count(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice", NULL, 2);
    s.routes[1].sink_mask = 1;
    assert_int_equal(look(&s, &e), 0);
    assert_null(s.opt.not_compacted);
    config_free(s.cfg);
}

static void keys__tombstones_where_tables_meet__are_refused(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "debezium", NULL, 2);
    s.opt.record_key = KAFKA_KEY_PEER;
    assert_int_equal(look(&s, &e), -(int)ERR_KAFKA_TOMBSTONES);
    err_clear(&e);
    s.opt.topic = "{db}.{table}";
    assert_int_equal(look(&s, &e), 0);
    s.opt.topic = "shop";
    s.opt.record_key = KAFKA_KEY_BUSINESS; /* then none are written */
    assert_int_equal(look(&s, &e), 0);
    config_free(s.cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys__every_record_key_and_format__tell_whether_a_row_may_be_lost),
        cmocka_unit_test(keys__tables_in_topics_of_their_own__do_not_meet),
        cmocka_unit_test(keys__a_pattern_of_tables__is_several),
        cmocka_unit_test(keys__a_truncate__has_none),
        cmocka_unit_test(keys__routes_of_other_sinks__do_not_count),
        cmocka_unit_test(keys__tombstones_where_tables_meet__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
