/* Keys from lists in JSON columns: one for each element, of both images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/keys.h"

static const struct redis_options opt = {.url = "redis://h"};
static const struct column columns[] = {
    {.name = "id", .name_len = 2, .type = {.family = FAMILY_INTEGER}},
    {.name = "tags", .name_len = 4, .type = {.family = FAMILY_JSON}},
    {.name = "note", .name_len = 4, .type = {.family = FAMILY_STRING}},
};
static const struct table tbl = {.db = "shop", .name = "posts", .columns = columns, .column_count = 3};

/* An image is the text of `tags`, "NULL" or "ABSENT"; id is 7 and note NULL. */
static int stub_values(const struct shape *shape, const struct image *image, const struct image *before,
                       const struct colset *wanted, struct value *out, struct arena *arena, struct err *e)
{
    (void)shape, (void)before, (void)arena, (void)e;
    for (unsigned i = 0; i < wanted->count; i++) {
        out[i] = (struct value){.kind = VALUE_NULL};
        if (wanted->index[i] == 0)
            out[i] = (struct value){.kind = VALUE_INT, .i = 7};
        if (wanted->index[i] != 1 || (image->len == 4 && memcmp(image->bytes, "NULL", 4) == 0))
            continue;
        out[i].kind = image->len == 6 && memcmp(image->bytes, "ABSENT", 6) == 0 ? VALUE_ABSENT : VALUE_JSON;
        out[i].s.p = (const char *)image->bytes;
        out[i].s.len = (uint32_t)image->len;
    }
    return 0;
}
static const struct row_codec codec = {.name = "stub", .values = stub_values};

struct fixture {
    struct shape shape;
    void *route;
    struct redis_keys keys;
};

static void fixture_init(struct fixture *f, const char *const *templates, size_t count)
{
    const struct redis_route_options route_options = {.invalidate = {templates, NULL, count}};
    f->shape = (struct shape){.tbl = &tbl, .codec = &codec};
    assert_int_equal(sink_redis.bind(&f->route, &opt, &route_options, &tbl, NULL), 0);
    assert_int_equal(redis_keys_init(&f->keys, NULL), 0);
}

static void fixture_release(struct fixture *f)
{
    redis_keys_release(&f->keys);
    sink_redis.unbind(f->route);
}

static struct image image_of(const char *text)
{
    return (struct image){.bytes = (const uint8_t *)text, .len = text ? strlen(text) : 0};
}

static int add(struct fixture *f, enum change_op op, unsigned flags, const char *before, const char *after,
               struct err *e)
{
    struct change chg = {
        .op = op, .flags = flags, .shape = &f->shape, .before = image_of(before), .after = image_of(after)};
    return redis_keys_add(&f->keys, f->route, &chg, e);
}

#define TEXT_MAX 256
static void keys_text(const struct redis_keys *keys, char out[TEXT_MAX])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < keys->count; i++)
        n += (size_t)snprintf(out + n, TEXT_MAX - n, i ? " %.*s" : "%.*s", (int)keys->list[i].len,
                              (const char *)keys->bytes.p + keys->list[i].at);
}

static void redis_lists__table_of_changes__a_key_for_each_element(void **state)
{
    (void)state;
    static const char *const with_row[] = {"post:{id}", "tag:{tags[*]|upper}"};
    static const char *const both[] = {"t:{tags[*]}:{id}"};
    static const char *const with_null[] = {"t:{tags[*]}:{note}"};
    static const struct {
        int line;
        const char *const *templates;
        unsigned count;
        enum change_op op;
        unsigned flags;
        const char *before, *after, *expected;
        int rc;
    } cases[] = {
        {__LINE__, with_row, 2, CHANGE_INSERT, 0, NULL, "[\"a\", 2]", "post:7 tag:A tag:2", 0},
        {__LINE__, with_row, 2, CHANGE_DELETE, 0, "[\"a\", \"a\", 2]", NULL, "post:7 tag:A tag:2", 0},
        {__LINE__, with_row, 2, CHANGE_UPDATE, 0, "[\"a\",\"b\"]", "[\"b\",\"c\"]", "post:7 tag:A tag:B tag:C", 0},
        {__LINE__, with_row, 2, CHANGE_UPDATE, 0, "[]", "[\"c\"]", "post:7 tag:C", 0},
        {__LINE__, with_row, 2, CHANGE_UPDATE, 0, "NULL", "null", "post:7", 0},
        {__LINE__, both, 1, CHANGE_INSERT, 0, NULL, "[null, \"x\", null]", "t:x:7", 0},
        {__LINE__, both, 1, CHANGE_UPDATE, CHANGE_FROM, "[\"a\",\"b\"]", "[\"b\",\"c\"]", "t:a:7", 0},
        {__LINE__, both, 1, CHANGE_UPDATE, CHANGE_TO, "[\"a\",\"b\"]", "[\"b\",\"c\"]", "t:b:7 t:c:7", 0},
        {__LINE__, both, 1, CHANGE_UPDATE, CHANGE_FROM, "[\"a\"]", "NULL", "t:a:7", 0},
        {__LINE__, with_null, 1, CHANGE_INSERT, 0, NULL, "[1,2,3]", "", 0},
        {__LINE__, both, 1, CHANGE_INSERT, 0, NULL, "{\"a\": 1}", "", -(int)ERR_KEY_LIST},
        {__LINE__, both, 1, CHANGE_DELETE, 0, "[[1]]", NULL, "", -(int)ERR_KEY_LIST},
        {__LINE__, both, 1, CHANGE_UPDATE, 0, "[]", "\"a\"", "", -(int)ERR_KEY_LIST},
        {__LINE__, both, 1, CHANGE_UPDATE, 0, "ABSENT", "[]", "", -(int)ERR_ROW_IMAGE},
        {__LINE__, both, 1, CHANGE_UPDATE, 0, "[\"a\"]", "ABSENT", "t:a:7", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct err e = ERR_INIT;
        char text[TEXT_MAX];
        fixture_init(&f, cases[i].templates, cases[i].count);
        int rc = add(&f, cases[i].op, cases[i].flags, cases[i].before, cases[i].after, &e);
        keys_text(&f.keys, text);
        if (rc != cases[i].rc || strcmp(text, cases[i].expected) != 0 || (rc && !strstr(e.text, "tags")))
            fail_msg("line %d: %d, %s, %s", cases[i].line, rc, text, e.text);
        fixture_release(&f);
    }
}

/* [0, step, 2 * step, …] of `count` numbers. */
static char *numbers(unsigned count, unsigned step)
{
    size_t size = (size_t)count * 12 + 3, n = 1;
    char *text = malloc(size);
    assert_non_null(text);
    text[0] = '[';
    for (unsigned i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%u", i ? "," : "", i * step);
    snprintf(text + n, size - n, "]");
    return text;
}

static void redis_lists__more_keys_than_a_flush_has__are_all_there_up_to_the_limit(void **state)
{
    (void)state;
    static const char *const templates[] = {"a:{tags[*]}", "b:{tags[*]}"};
    char *most = numbers(TEMPLATE_LIST_MAX, 1), *too_many = numbers(TEMPLATE_LIST_MAX + 1, 1);
    char *half = numbers(TEMPLATE_LIST_MAX / 2, 2);
    struct fixture f;
    struct err e = ERR_INIT;
    fixture_init(&f, templates, 2);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(add(&f, CHANGE_INSERT, 0, NULL, most, &e), 0);
        assert_int_equal(add(&f, CHANGE_INSERT, 0, NULL, most, &e), 0);
        assert_int_equal(f.keys.count, 2 * TEMPLATE_LIST_MAX);
        assert_true(redis_keys_are_enough(&f.keys));
        redis_keys_clear(&f.keys);
        for (size_t i = 0; i <= f.keys.slot_mask; i++)
            assert_int_equal(f.keys.slots[i], 0);
        assert_int_equal(add(&f, CHANGE_UPDATE, CHANGE_FROM, most, half, &e), 0);
        assert_int_equal(f.keys.count, TEMPLATE_LIST_MAX);
        redis_keys_clear(&f.keys);
    }
    assert_int_equal(add(&f, CHANGE_INSERT, 0, NULL, too_many, &e), -(int)ERR_KEY_LIST);
    assert_non_null(strstr(e.text, "65536"));
    fixture_release(&f);
    free(most);
    free(too_many);
    free(half);
}

/* A list of up to five elements out of six, with repeats, nulls and escapes. */
static void any_list(uint32_t *seed, char out[128])
{
    static const char *const some[] = {"\"a\"", "\"\\u0061\"", "\"b\"", "3", "\"3\"", "null", "true"};
    size_t n = 0;
    *seed = *seed * 1664525u + 1013904223u;
    unsigned count = (*seed >> 20) % 6;
    n += (size_t)snprintf(out, 128, "[");
    for (unsigned i = 0; i < count; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        n += (size_t)snprintf(out + n, 128 - n, i ? ",%s" : "%s", some[(*seed >> 20) % 7]);
    }
    snprintf(out + n, 128 - n, "]");
}

static bool has(const struct redis_keys *keys, const struct redis_keys *of, size_t i)
{
    for (size_t k = 0; k < keys->count; k++)
        if (keys->list[k].len == of->list[i].len &&
            memcmp(keys->bytes.p + keys->list[k].at, of->bytes.p + of->list[i].at, of->list[i].len) == 0)
            return true;
    return false;
}

/* FROM and TO together remove what the update would, and no key twice. */
static void redis_lists__halves_of_any_move__are_the_update_parted(void **state)
{
    (void)state;
    static const char *const templates[] = {"t:{tags[*]}", "t:{tags[*]|upper}", "t:a"};
    struct fixture whole, from, to;
    uint32_t seed = 7;
    size_t moved = 0;
    fixture_init(&whole, templates, 3);
    fixture_init(&from, templates, 3);
    fixture_init(&to, templates, 3);
    for (unsigned round = 0; round < 20000; round++) {
        char before[128], after[128];
        any_list(&seed, before);
        any_list(&seed, after);
        assert_int_equal(add(&whole, CHANGE_UPDATE, 0, before, after, NULL), 0);
        assert_int_equal(add(&from, CHANGE_UPDATE, CHANGE_FROM, before, after, NULL), 0);
        assert_int_equal(add(&to, CHANGE_UPDATE, CHANGE_TO, before, after, NULL), 0);
        assert_int_equal(from.keys.count + to.keys.count, whole.keys.count);
        for (size_t i = 0; i < whole.keys.count; i++)
            assert_int_equal(has(&from.keys, &whole.keys, i) + has(&to.keys, &whole.keys, i), 1);
        moved += from.keys.count;
        redis_keys_clear(&whole.keys);
        redis_keys_clear(&from.keys);
        redis_keys_clear(&to.keys);
    }
    assert_true(moved > 10000);
    fixture_release(&whole);
    fixture_release(&from);
    fixture_release(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_lists__table_of_changes__a_key_for_each_element),
        cmocka_unit_test(redis_lists__more_keys_than_a_flush_has__are_all_there_up_to_the_limit),
        cmocka_unit_test(redis_lists__halves_of_any_move__are_the_update_parted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
