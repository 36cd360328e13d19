/* Law: round trip. effect(c) = effect(parse(render(c))): the line renders the same again, and every template renders
 * the same from both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/format_sluice.h"
#include "change/json_in.h"
#include "change/template.h"
#include "tools/random_row.h"

struct scene {
    struct rng rng;
    struct shape_cache *cache, *json_cache;
    const struct shape *shape;
    struct arena arena;
    struct buf line, again;
    struct random_change made;
    struct change parsed;
    struct tx tx;
};

static void render_and_parse(struct scene *s, unsigned i)
{
    struct err e = ERR_INIT;
    if (i % 20 == 0)
        s->shape = random_shape(&s->rng, s->cache);
    random_change(&s->rng, s->shape, &s->made, 0);
    arena_reset(&s->arena);
    buf_clear(&s->line);
    buf_clear(&s->again);
    assert_int_equal(format_sluice(&s->made.chg, &s->line, &s->arena, &e), 0);
    /* from memory of exactly the line's size, gone before the change is used */
    char *copy = malloc(s->line.len);
    assert_non_null(copy);
    memcpy(copy, s->line.p, s->line.len);
    if (json_in_change(copy, s->line.len, s->json_cache, &s->parsed, &s->tx, &s->arena, &e) != 0)
        fail_msg("row %u: %s\n%.*s", i, e.text, (int)s->line.len, (char *)s->line.p);
    free(copy);
}

/* The same columns of one side as text; kinds may differ, presence and NULL may not. */
static void same_values(struct scene *s, enum side side, const struct value *log, const struct value *json)
{
    const struct table *tbl = s->shape->tbl, *parsed = s->parsed.shape->tbl;
    for (unsigned i = 0; i < tbl->column_count; i++) {
        int k = table_find_column(parsed, tbl->columns[i].name, tbl->columns[i].name_len);
        enum value_kind kind = k < 0 ? VALUE_ABSENT : json[k].kind;
        assert_int_equal(log[i].kind == VALUE_ABSENT, kind == VALUE_ABSENT);
        assert_int_equal(log[i].kind == VALUE_NULL, kind == VALUE_NULL);
        if (kind == VALUE_ABSENT)
            continue;
        struct buf a, b;
        buf_init(&a, 0);
        buf_init(&b, 0);
        value_text(&log[i], &a);
        value_text(&json[k], &b);
        if (a.len != b.len || (a.len && memcmp(a.p, b.p, a.len) != 0))
            fail_msg("column %u, side %d: %.*s, %.*s", i, (int)side, (int)a.len, (char *)a.p, (int)b.len, (char *)b.p);
        buf_release(&a);
        buf_release(&b);
    }
}

static void with_scene(uint64_t seed, unsigned rounds, void (*check)(struct scene *s, unsigned i))
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->rng.state = seed;
    s->cache = shape_cache_new();
    s->json_cache = shape_cache_new();
    arena_init(&s->arena, 65536, 1 << 20, 0);
    buf_init(&s->line, 0);
    buf_init(&s->again, 0);
    for (unsigned i = 0; i < rounds; i++) {
        render_and_parse(s, i);
        check(s, i);
    }
    shape_cache_free(s->cache);
    shape_cache_free(s->json_cache);
    arena_release(&s->arena);
    buf_release(&s->line);
    buf_release(&s->again);
    free(s);
}

static void check_line(struct scene *s, unsigned i)
{
    struct err e = ERR_INIT;
    if (format_sluice(&s->parsed, &s->again, &s->arena, &e) != 0)
        fail_msg("row %u: %s", i, e.text);
    if (s->line.len != s->again.len || memcmp(s->line.p, s->again.p, s->line.len) != 0)
        fail_msg("row %u:\n%.*s%.*s", i, (int)s->line.len, (char *)s->line.p, (int)s->again.len, (char *)s->again.p);
}

static void check_values(struct scene *s, unsigned i)
{
    (void)i;
    struct value log[20], json[20];
    for (int side = SIDE_BEFORE; side <= SIDE_AFTER; side++) {
        assert_int_equal(change_values(&s->made.chg, (enum side)side, NULL, log, &s->arena, NULL), 0);
        assert_int_equal(change_values(&s->parsed, (enum side)side, NULL, json, &s->arena, NULL), 0);
        same_values(s, (enum side)side, log, json);
    }
    assert_int_equal(s->parsed.op, s->made.chg.op);
    assert_int_equal(s->parsed.flags, s->made.chg.flags);
    assert_int_equal(s->parsed.key_len, s->made.chg.key_len);
    assert_memory_equal(s->parsed.key, s->made.chg.key, s->parsed.key_len);
    assert_true(gtid_equal(&s->tx.gtid, &s->made.tx.gtid));
    assert_int_equal(version_compare(&s->parsed.version, &s->made.chg.version), 0);
}

/* "k:{first|lower|default:~}:{last|hex|default:~}", on the table of the change. */
static int render_template(const struct change *chg, const struct table *names, enum side side, struct buf *out,
                           struct arena *arena)
{
    char source[256];
    struct template *tpl = NULL;
    struct bound_template *bound = NULL;
    struct value values[2];
    snprintf(source, sizeof source, "k:{%s|lower|default:~}:{%s|trim|hex|default:~}", names->columns[0].name,
             names->columns[names->column_count - 1].name);
    assert_int_equal(template_compile(&tpl, source, NULL), 0);
    int rc = template_bind(&bound, tpl, chg->shape->tbl, NULL);
    if (rc == 0)
        rc = change_values(chg, side, bound_template_columns(bound), values, arena, NULL);
    if (rc == 0)
        rc = template_render(bound, values, out, NULL);
    bound_template_free(bound);
    template_free(tpl);
    return rc;
}

static void check_templates(struct scene *s, unsigned i)
{
    (void)i;
    for (int side = SIDE_BEFORE; side <= SIDE_AFTER; side++) {
        buf_clear(&s->line);
        buf_clear(&s->again);
        int rc = render_template(&s->made.chg, s->shape->tbl, (enum side)side, &s->line, &s->arena);
        assert_int_equal(render_template(&s->parsed, s->shape->tbl, (enum side)side, &s->again, &s->arena), rc);
        assert_int_equal(s->line.len, s->again.len);
        if (s->line.len)
            assert_memory_equal(s->line.p, s->again.p, s->line.len);
    }
}

static void round_trip__random_changes__render_the_same_line_again(void **state)
{
    (void)state;
    with_scene(11, 8000, check_line);
}

static void round_trip__random_changes__hold_the_same_values(void **state)
{
    (void)state;
    with_scene(12, 4000, check_values);
}

static void round_trip__random_changes__render_the_same_templates(void **state)
{
    (void)state;
    with_scene(13, 4000, check_templates);
}

/* Of the reader: of whatever table, without a shape or key. */
static void make_truncate(struct scene *s, struct change *made)
{
    *made = (struct change){.op = CHANGE_TRUNCATE,
                            .tx = s->made.chg.tx,
                            .version = s->made.chg.version,
                            .pos = s->made.chg.pos,
                            .db = s->shape->tbl->db,
                            .table = s->shape->tbl->name};
}

static void check_truncate(struct scene *s, unsigned i)
{
    struct err e = ERR_INIT;
    struct change made;
    make_truncate(s, &made);
    buf_clear(&s->line);
    assert_int_equal(format_sluice(&made, &s->line, &s->arena, &e), 0);
    if (json_in_change((const char *)s->line.p, s->line.len, s->json_cache, &s->parsed, &s->tx, &s->arena, &e) != 0)
        fail_msg("truncate %u: %s", i, e.text);
    assert_null(s->parsed.shape);
    check_line(s, i);
}

static void round_trip__truncates__render_the_same_line_again(void **state)
{
    (void)state;
    with_scene(14, 400, check_truncate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip__random_changes__render_the_same_line_again),
        cmocka_unit_test(round_trip__random_changes__hold_the_same_values),
        cmocka_unit_test(round_trip__random_changes__render_the_same_templates),
        cmocka_unit_test(round_trip__truncates__render_the_same_line_again),
    };
    return cmocka_run_group_tests_name("law_round_trip", tests, NULL, NULL);
}
