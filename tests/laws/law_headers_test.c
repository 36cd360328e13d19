/* Law: headers are enough. What an applier makes of a record's headers removes the same keys as what it makes of the
 * body, for every row, operation and template of primary key columns, with headers and
 * body as the Kafka sink writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/format_sluice.h"
#include "change/json_in.h"
#include "pipeline/applier_headers.h"
#include "sink/kafka/headers.h"
#include "sink/redis/keys.h"
#include "tools/random_row.h"

#define TABLES  400
#define CHANGES 20

struct scene {
    struct rng rng;
    struct shape_cache *log_shapes, *json_shapes;
    struct kafka_scratch scratch;
    struct arena arena;
    struct buf line;
    struct random_change made;
    struct redis_keys keys[2];
    unsigned by_headers, by_body, moved, halves;
};

static void scene_init(struct scene *s)
{
    *s = (struct scene){.rng = {77}, .log_shapes = shape_cache_new(), .json_shapes = shape_cache_new()};
    kafka_scratch_init(&s->scratch);
    arena_init(&s->arena, 65536, 1 << 20, 0);
    buf_init(&s->line, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(redis_keys_init(&s->keys[i], NULL), 0);
}

static void scene_release(struct scene *s)
{
    for (int i = 0; i < 2; i++)
        redis_keys_release(&s->keys[i]);
    buf_release(&s->line);
    arena_release(&s->arena);
    kafka_scratch_release(&s->scratch);
    shape_cache_free(s->log_shapes);
    shape_cache_free(s->json_shapes);
}

/* Every fourth update keeps its row, others change all of it. */
static void make_change(struct scene *s, const struct shape *shape)
{
    struct change *chg = &s->made.chg;
    random_change(&s->rng, shape, &s->made, 0);
    if (chg->op != CHANGE_UPDATE)
        chg->flags = 0;
    else if (rng_below(&s->rng, 4) == 0)
        chg->after = chg->before;
}

static void same_keys(const struct redis_keys *a, const struct redis_keys *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->list[i].len, b->list[i].len);
        if (a->list[i].len)
            assert_memory_equal(a->bytes.p + a->list[i].at, b->bytes.p + b->list[i].at, a->list[i].len);
    }
}

static void find_keys(struct redis_keys *keys, const struct redis_route_options *opt, const struct change *chg)
{
    struct err e = ERR_INIT;
    void *bind = NULL;
    redis_keys_clear(keys);
    if (sink_redis.bind(&bind, NULL, opt, chg->shape->tbl, &e) != 0 || redis_keys_add(keys, bind, chg, &e) != 0)
        fail_msg("%s", e.text);
    sink_redis.unbind(bind);
}

static void same_change(const struct change *a, const struct change *b)
{
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->flags, b->flags);
    assert_string_equal(a->db, b->db);
    assert_string_equal(a->table, b->table);
    assert_int_equal(a->key_len, b->key_len);
    assert_memory_equal(a->key, b->key, a->key_len);
    assert_int_equal(version_compare(&a->version, &b->version), 0);
    assert_int_equal(a->pos, b->pos);
    assert_int_equal(a->tx->commit_us, b->tx->commit_us);
    assert_true(gtid_equal(&a->tx->gtid, &b->tx->gtid));
    assert_string_equal(a->tx->file, b->tx->file);
}

static void compare(struct scene *s, struct applier_headers *headers, const struct redis_route_options *opt)
{
    struct err e = ERR_INIT;
    struct change head, body;
    struct tx head_tx, body_tx;
    rd_kafka_headers_t *written = NULL;
    arena_reset(&s->arena);
    buf_clear(&s->line);
    if (kafka_headers_own(&written, &s->made.chg, &s->scratch, &e) != 0 ||
        format_sluice(&s->made.chg, &s->line, &s->arena, &e) != 0)
        fail_msg("%s", e.text);
    const struct applier_head record = {written, s->made.chg.key, s->made.chg.key_len};
    int rc = applier_headers_take(headers, &record, &head, &head_tx, &s->arena, &e);
    rd_kafka_headers_destroy(written);
    if (rc < 0)
        fail_msg("%s", e.text);
    s->by_headers += rc == 1;
    s->by_body += rc == 0;
    if (rc == 0)
        return;
    if (json_in_change((const char *)s->line.p, s->line.len, s->json_shapes, &body, &body_tx, &s->arena, &e) != 0)
        fail_msg("%s", e.text);
    same_change(&head, &body);
    s->halves += head.flags != 0;
    s->moved += head.before.bytes && head.after.bytes &&
                (head.before.len != head.after.len || memcmp(head.before.bytes, head.after.bytes, head.after.len) != 0);
    find_keys(&s->keys[0], opt, &head);
    find_keys(&s->keys[1], opt, &body);
    same_keys(&s->keys[0], &s->keys[1]);
}

/* Of all columns of the key; one of its last; one with a default; with `more` one of a column outside of it. */
static void check_table(struct scene *s, const struct shape *shape, const char *more)
{
    const struct table *tbl = shape->tbl;
    char all[4096] = "k", last[512], hex[512], other[512];
    const char *list[] = {all, last, hex, other};
    for (unsigned i = 0; i < tbl->pk_count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), ":{%s}", tbl->columns[tbl->pk[i]].name);
    snprintf(last, sizeof last, "l:{%s|trim|lower}", tbl->columns[tbl->pk[tbl->pk_count - 1]].name);
    snprintf(hex, sizeof hex, "h:{%s|default:~|hex}", tbl->columns[tbl->pk[0]].name);
    snprintf(other, sizeof other, "o:{%s}", more ? more : "");
    const struct redis_route_options opt = {.invalidate = {list, NULL, more ? 4 : 3}};
    const struct route route = {.line = 1, .db = "*", .table = "*", .sink_mask = 1, .sink_options = {&opt}};
    const struct pipeline_sink sink = {.name = "cache", .ops = &sink_redis};
    struct routes *routes;
    struct applier_headers *headers;
    unsigned before = s->by_headers;
    assert_int_equal(routes_new(&routes, &route, 1, NULL), 0);
    assert_int_equal(applier_headers_new(&headers, routes, &sink, 1, s->json_shapes, NULL), 0);
    for (unsigned i = 0; i < CHANGES; i++) {
        make_change(s, shape);
        compare(s, headers, &opt);
    }
    assert_true(!more || s->by_headers == before);
    applier_headers_free(headers);
    routes_free(routes);
}

static void headers__random_changes__remove_the_keys_that_the_body_removes(void **state)
{
    (void)state;
    static struct scene s;
    scene_init(&s);
    for (unsigned i = 0; i < TABLES; i++) {
        const struct shape *shape = random_shape(&s.rng, s.log_shapes);
        const struct table *tbl = shape->tbl;
        const char *more = NULL;
        bool in_key = false;
        for (unsigned k = 0; k < tbl->pk_count; k++)
            in_key = in_key || tbl->pk[k] == tbl->column_count - 1;
        if (i % 5 == 0 && !in_key)
            more = tbl->columns[tbl->column_count - 1].name;
        if (tbl->pk_count)
            check_table(&s, shape, more);
    }
    assert_true(s.by_headers > 1000);
    assert_true(s.by_body > 100);
    assert_true(s.moved > 100);
    assert_true(s.halves > 100);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers__random_changes__remove_the_keys_that_the_body_removes),
    };
    return cmocka_run_group_tests_name("law_headers", tests, NULL, NULL);
}
