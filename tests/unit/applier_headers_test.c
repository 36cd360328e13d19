/* Which headers make a change, which leave it to the body, and which cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/applier_headers.h"
#include "sink/redis/route.h"

/* Headers as "name=value" lines over those of a good update; a name alone leaves it out. */
struct row {
    const char *change;
    int expected; /* 1: a row, 0: the body, -1: CORRUPT */
    const char *says;
};

static const char *const good[][2] = {
    {"op", "update"},
    {"table", "shop.orders"},
    {"format", "sluice"},
    {"version", "00000001.0000000000000002.0000000000000003"},
    {"commit", "-5"},
    {"pos", "b:in.1:44"},
    {"pk", "{\"id\":\"a\\u00e9\"}"},
};

#define GOOD (sizeof good / sizeof *good)

struct scene {
    struct routes *routes;
    struct shape_cache *shapes;
    struct applier_headers *headers;
    struct arena arena;
};

static void scene_init(struct scene *s, const struct redis_route_options *opt, const struct sink_ops *ops)
{
    const struct route route = {.line = 1, .db = "shop", .table = "*", .sink_mask = 1, .sink_options = {opt}};
    static struct pipeline_sink sink;
    sink = (struct pipeline_sink){.name = "cache", .ops = ops};
    *s = (struct scene){.shapes = shape_cache_new()};
    arena_init(&s->arena, 1024, 0, 0);
    assert_int_equal(routes_new(&s->routes, &route, 1, NULL), 0);
    assert_int_equal(applier_headers_new(&s->headers, s->routes, &sink, 1, s->shapes, NULL), 0);
}

static void scene_release(struct scene *s)
{
    applier_headers_free(s->headers);
    routes_free(s->routes);
    shape_cache_free(s->shapes);
    arena_release(&s->arena);
}

static void set(rd_kafka_headers_t *to, const char *name, const char *value)
{
    assert_int_equal(rd_kafka_header_add(to, name, -1, value, -1), 0);
}

/* What the headers become that differ from the good ones by `change`: "name=value", "name" or "". */
static int take(struct scene *s, const char *change, struct change *out, struct tx *tx, struct err *e)
{
    const char *equals = strchr(change, '=');
    size_t len = equals ? (size_t)(equals - change) : strlen(change);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(GOOD + 1);
    char name[16] = "";
    assert_true(len < sizeof name);
    memcpy(name, change, len);
    for (size_t i = 0; i < GOOD; i++)
        if (strcmp(good[i][0], name) != 0)
            set(headers, good[i][0], good[i][1]);
    if (equals)
        set(headers, name, equals + 1);
    const struct applier_head head = {headers, "7", 1};
    int rc = applier_headers_take(s->headers, &head, out, tx, &s->arena, e);
    rd_kafka_headers_destroy(headers);
    return rc;
}

static const char *id_template[] = {"o:{id}"};
static const struct redis_route_options by_id = {.invalidate = {id_template, NULL, 1}};

static void headers__each_kind__is_a_row_or_the_bodys_or_an_error(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", 1, NULL},
        {"op=delete", 1, NULL},
        {"op=read", 1, NULL},
        {"half=from", 1, NULL},
        {"gtid=0-1-5", 1, NULL},
        {"reader=5", 1, NULL},
        {"pk_before={\"id\":\"b\"}", 1, NULL},
        {"table=elsewhere.orders", 1, NULL}, /* no route: its mask is 0 */
        {"op", 0, NULL},
        {"op=truncate", 0, NULL},
        {"op=statement", 0, NULL},
        {"op=twice", 0, NULL},
        {"table", 0, NULL},
        {"table=orders", 0, NULL},
        {"table=shop.", 0, NULL},
        {"table=shop.a.b", 0, NULL},
        {"format", 0, NULL},
        {"format=canal", 0, NULL},
        {"version", 0, NULL},
        {"commit", 0, NULL},
        {"pos", 0, NULL},
        {"pk", 0, NULL},
        {"pk={\"other\":1}", 0, NULL}, /* the template's column is not in it */
        {"half=middle", 0, NULL},
        {"pk_before={}", 0, NULL},
        {"pk_before={\"other\":1}", 0, NULL},
        {"version=1.2.3", -1, "header version"},
        {"commit=", -1, "header commit"},
        {"commit=5x", -1, "header commit"},
        {"gtid=x", -1, "header gtid"},
        {"pos=44", -1, "header pos"},
        {"pos=binlog.1:", -1, "header pos"},
        {"pos=binlog.1:-4", -1, "header pos"},
        {"pk=", -1, "header pk"},
        {"pk=[1]", -1, "header pk"},
        {"pk={}", -1, "header pk"},
        {"pk={\"id\":}", -1, "header pk"},
        {"pk={\"id\":1", -1, "header pk"},
        {"pk={\"id\":1,\"id\":2}", -1, "header pk"},
        {"pk={\"id\":true}", -1, "header pk"},
        {"pk={\"id\":{\"base64\":\"x\"}}", -1, "header pk"},
        {"pk_before=5", -1, "header pk_before"},
        {"pk_before={\"id\":true}", -1, "header pk_before"},
    };
    struct scene s;
    scene_init(&s, &by_id, &sink_redis);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct change chg;
        struct tx tx;
        int rc = take(&s, rows[i].change, &chg, &tx, &e);
        if (rows[i].expected < 0 ? rc != -(int)ERR_CORRUPT || !strstr(e.text, rows[i].says) : rc != rows[i].expected)
            fail_msg("%s: %d %s", rows[i].change, rc, e.text);
    }
    scene_release(&s);
}

static void headers__good_ones__tell_place_key_and_both_images(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct change chg;
    struct tx tx;
    scene_init(&s, &by_id, &sink_redis);
    assert_int_equal(take(&s, "pk_before={\"id\":\"b\"}", &chg, &tx, &e), 1);
    assert_int_equal(chg.op, CHANGE_UPDATE);
    assert_int_equal(tx.commit_us, -5);
    assert_string_equal(tx.file, "b:in.1");
    assert_int_equal(chg.pos, 44);
    assert_int_equal(chg.version.row, 3);
    assert_int_equal(tx.sequence, 2);
    assert_memory_equal(chg.key, "7", chg.key_len);
    struct value v;
    assert_int_equal(change_values(&chg, SIDE_BEFORE, NULL, &v, &s.arena, &e), 0);
    assert_memory_equal(v.s.p, "b", v.s.len);
    assert_int_equal(change_values(&chg, SIDE_AFTER, NULL, &v, &s.arena, &e), 0);
    assert_int_equal(v.s.len, 3);
    assert_memory_equal(v.s.p, "a\xc3\xa9", 3);
    scene_release(&s);
}

static void headers__twice_the_same_one__leaves_it_to_the_body(void **state)
{
    (void)state;
    struct scene s;
    struct change chg;
    struct tx tx;
    scene_init(&s, &by_id, &sink_redis);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(GOOD + 1);
    for (size_t i = 0; i < GOOD; i++)
        set(headers, good[i][0], good[i][1]);
    set(headers, "pk", "{\"id\":2}");
    const struct applier_head head = {headers, "7", 1};
    assert_int_equal(applier_headers_take(s.headers, &head, &chg, &tx, &s.arena, NULL), 0);
    const struct applier_head none = {NULL, "7", 1};
    assert_int_equal(applier_headers_take(s.headers, &none, &chg, &tx, &s.arena, NULL), 0);
    rd_kafka_headers_destroy(headers);
    scene_release(&s);
}

static void headers__sink_of_whole_rows__leaves_all_to_the_body(void **state)
{
    (void)state;
    struct scene s;
    struct change chg;
    struct tx tx;
    scene_init(&s, NULL, &sink_counter);
    for (int i = 0; i < 2; i++)
        assert_int_equal(take(&s, "", &chg, &tx, NULL), 0);
    scene_release(&s);
}

static void headers__route_that_writes_all_columns__leaves_all_to_the_body(void **state)
{
    (void)state;
    static const struct redis_route_options all = {.mode = REDIS_WRITE, .write = {.key = "o:{id}"}};
    static const char *const id[] = {"id"};
    static const struct redis_route_options one = {.mode = REDIS_WRITE,
                                                   .write = {.key = "o:{id}", .columns = {id, NULL, 1}}};
    struct scene s;
    struct change chg;
    struct tx tx;
    scene_init(&s, &all, &sink_redis);
    assert_int_equal(take(&s, "", &chg, &tx, NULL), 0);
    scene_release(&s);
    scene_init(&s, &one, &sink_redis);
    assert_int_equal(take(&s, "", &chg, &tx, NULL), 1);
    scene_release(&s);
}

static void headers__many_tables__are_told_apart(void **state)
{
    (void)state;
    struct scene s;
    struct change chg;
    struct tx tx;
    char change[64];
    uint32_t ids[200];
    scene_init(&s, &by_id, &sink_redis);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 200; i++) {
            snprintf(change, sizeof change, "table=shop.t%u", i);
            assert_int_equal(take(&s, change, &chg, &tx, NULL), 1);
            assert_string_equal(chg.table, change + strlen("table=shop."));
            if (round == 0)
                ids[i] = chg.shape->id;
            assert_int_equal(chg.shape->id, ids[i]);
        }
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers__each_kind__is_a_row_or_the_bodys_or_an_error),
        cmocka_unit_test(headers__good_ones__tell_place_key_and_both_images),
        cmocka_unit_test(headers__twice_the_same_one__leaves_it_to_the_body),
        cmocka_unit_test(headers__sink_of_whole_rows__leaves_all_to_the_body),
        cmocka_unit_test(headers__route_that_writes_all_columns__leaves_all_to_the_body),
        cmocka_unit_test(headers__many_tables__are_told_apart),
    };
    return cmocka_run_group_tests_name("applier_headers", tests, NULL, NULL);
}
