/* Key templates: syntax, filters, NULL and absent columns, globs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/template.h"

static const struct column columns[] = {
    {.name = "id", .name_len = 2, .type = {.family = FAMILY_INTEGER}},
    {.name = "User_Name", .name_len = 9},
    {.name = "note", .name_len = 4, .type = {.family = FAMILY_STRING}},
};
static const struct table tbl = {.db = "shop", .name = "orders", .columns = columns, .column_count = 3};

static struct value text_value(const char *text)
{
    struct value v = {.kind = VALUE_TEXT};
    v.s.p = text;
    v.s.len = strlen(text);
    return v;
}

/* Values of the table's columns: id 42, User_Name "  Ann B ", note NULL. */
static int render(const char *source, struct buf *out, struct err *e)
{
    struct value all[3] = {{.kind = VALUE_INT, .i = 42}, text_value("  Ann B "), {.kind = VALUE_NULL}};
    struct value wanted[3];
    struct template *tpl = NULL;
    struct bound_template *bound = NULL;
    int rc = template_compile(&tpl, source, e);
    if (rc == 0)
        rc = template_bind(&bound, tpl, &tbl, e);
    if (rc == 0) {
        const struct colset *set = bound_template_columns(bound);
        for (unsigned i = 0; i < set->count; i++) {
            wanted[i] = all[set->index[i]];
            assert_true(i == 0 || set->index[i] > set->index[i - 1]);
        }
        rc = template_render(bound, wanted, out, e);
    }
    bound_template_free(bound);
    template_free(tpl);
    return rc;
}

static void template_render__table_of_cases__gives_the_text(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *source, *expected; /* NULL: nothing is rendered */
    } cases[] = {
        {__LINE__, "order:{id}", "order:42"},
        {__LINE__, "{id}", "42"},
        {__LINE__, "", ""},
        {__LINE__, "plain", "plain"},
        {__LINE__, "{{{id}}}", "{42}"},
        {__LINE__, "a{{b}}c", "a{b}c"},
        {__LINE__, "{user_name}", "  Ann B "},
        {__LINE__, "u:{User_Name|trim}:o", "u:Ann B:o"},
        {__LINE__, "{user_name|trim|lower}", "ann b"},
        {__LINE__, "{user_name|upper|trim}", "ANN B"},
        {__LINE__, "{id|hex}", "3432"},
        {__LINE__, "{user_name|trim|hex}", "416e6e2042"},
        {__LINE__, "n:{note}", NULL},
        {__LINE__, "n:{note|lower}", NULL},
        {__LINE__, "n:{note|default:NONE}", "n:NONE"},
        {__LINE__, "n:{note|default:}", "n:"},
        {__LINE__, "n:{note|upper|default:none|hex}", "n:6e6f6e65"},
        {__LINE__, "n:{note|default:None|lower}", "n:none"},
        {__LINE__, "{id|default:0}:{id}:{ID}", "42:42:42"},
        {__LINE__, "{id}{user_name|trim}{id}", "42Ann B42"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        struct err e = ERR_INIT;
        buf_init(&out, 0);
        buf_text(&out, "before ");
        int rc = render(cases[i].source, &out, &e);
        size_t len = cases[i].expected ? strlen(cases[i].expected) : 0;
        if (rc != (cases[i].expected != NULL) || out.len != 7 + len ||
            memcmp(out.p + 7, cases[i].expected ? cases[i].expected : "", len) != 0)
            fail_msg("line %d: %d, \"%.*s\" %s", cases[i].line, rc, (int)out.len, (const char *)out.p, e.text);
        buf_release(&out);
    }
}

static void template_compile__bad_syntax_or_column__names_the_fault(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *source, *part;
    } cases[] = {
        {__LINE__, "{id", "without its }"},
        {__LINE__, "a}b", "without its {"},
        {__LINE__, "{}", "without a column"},
        {__LINE__, "{|lower}", "without a column"},
        {__LINE__, "{id|loud}", "unknown filter"},
        {__LINE__, "{id|}", "unknown filter"},
        {__LINE__, "{id|lower", "without its }"},
        {__LINE__, "{id{x}", "inside a placeholder"},
        {__LINE__, "{idx}", "no column 'idx'"},
        {__LINE__, "{id|default", "unknown filter"},
        {__LINE__, "{id |lower}", "no column 'id '"},
        {__LINE__, "{note[*]}", "keys to remove only"},
        {__LINE__, "{id|trim|trim|trim|trim|trim|trim|trim|trim|trim}", "more than 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        struct err e = ERR_INIT;
        buf_init(&out, 0);
        if (render(cases[i].source, &out, &e) != -ERR_TEMPLATE || !strstr(e.text, cases[i].part))
            fail_msg("line %d: %s", cases[i].line, e.text);
        buf_release(&out);
    }
}

static void template_compile_keys__lists__one_of_a_column_that_can_hold_it(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *source, *part; /* NULL: it is right */
    } cases[] = {
        {__LINE__, "n:{note[*]|trim}:{id}:{note|default:x}", NULL},
        {__LINE__, "{NOTE[*]}", NULL},
        {__LINE__, "{note[*]}{note[*]}", "more than one list"},
        {__LINE__, "{note[*]|default:x}", "a default of a list"},
        {__LINE__, "{note[*]|upper|default:x}", "a default of a list"},
        {__LINE__, "{[*]}", "without a column"},
        {__LINE__, "{note[*]", "without its }"},
        {__LINE__, "{note[0]}", "no column 'note[0]'"},
        {__LINE__, "{nope[*]}", "no column 'nope'"},
        {__LINE__, "{id[*]}", "column id holds neither JSON nor text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct template *tpl = NULL;
        struct bound_template *bound = NULL;
        struct err e = ERR_INIT;
        int rc = template_compile_keys(&tpl, cases[i].source, &e);
        rc = rc ? rc : template_bind(&bound, tpl, &tbl, &e);
        if (cases[i].part ? rc != -ERR_TEMPLATE || !strstr(e.text, cases[i].part) : rc != 0)
            fail_msg("line %d: %s", cases[i].line, e.text);
        bound_template_free(bound);
        template_free(tpl);
    }
}

static void template_render__absent_column__stops_and_names_it(void **state)
{
    (void)state;
    struct template *tpl = NULL;
    struct bound_template *bound = NULL;
    struct value v = {.kind = VALUE_ABSENT};
    struct err e = ERR_INIT;
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(template_compile(&tpl, "n:{note|default:x}", &e), 0);
    assert_int_equal(template_bind(&bound, tpl, &tbl, &e), 0);
    assert_int_equal(template_render(bound, &v, &out, &e), -ERR_ROW_IMAGE);
    assert_non_null(strstr(e.text, "note"));
    assert_int_equal(out.len, 0);
    bound_template_free(bound);
    template_free(tpl);
    buf_release(&out);
}

static void template_render__buffer_full__leaves_it_as_it_was(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct buf out;
    buf_init(&out, 8);
    buf_text(&out, "1234");
    assert_int_equal(render("order:{id}", &out, &e), -ERR_LIMIT);
    assert_int_equal(out.len, 4);
    assert_false(out.failed);
    buf_release(&out);
}

static void template_glob__literals_escaped__columns_are_stars(void **state)
{
    (void)state;
    static const struct {
        const char *source, *expected; /* NULL: cannot sweep */
    } cases[] = {
        {"order:{id}", "order:*"},
        {"a*[b]{id}-{note}", "a\\*\\[b\\]*-*"},
        {"{id}:x", NULL},
        {"", NULL},
        {"o:{id}{note}:x?", "o:*:x\\?"},
        {"o:{note[*]}:x", "o:*:x"},
        {"{{x}}:{id}", "{x}:*"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct template *tpl = NULL;
        struct buf out;
        buf_init(&out, 0);
        assert_int_equal(template_compile_keys(&tpl, cases[i].source, NULL), 0);
        assert_int_equal(template_glob(tpl, &out), cases[i].expected != NULL);
        if (cases[i].expected) {
            assert_int_equal(out.len, strlen(cases[i].expected));
            assert_memory_equal(out.p, cases[i].expected, out.len);
        }
        buf_release(&out);
        template_free(tpl);
    }
}

static void template_columns__names_used_twice__listed_once_in_order(void **state)
{
    (void)state;
    struct template *tpl = NULL;
    const char *const *names;
    assert_int_equal(template_compile(&tpl, "{note}{id|hex}{note|trim}", NULL), 0);
    assert_int_equal(template_columns(tpl, &names), 2);
    assert_string_equal(names[0], "note");
    assert_string_equal(names[1], "id");
    assert_string_equal(template_source(tpl), "{note}{id|hex}{note|trim}");
    template_free(tpl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_render__table_of_cases__gives_the_text),
        cmocka_unit_test(template_compile__bad_syntax_or_column__names_the_fault),
        cmocka_unit_test(template_compile_keys__lists__one_of_a_column_that_can_hold_it),
        cmocka_unit_test(template_render__absent_column__stops_and_names_it),
        cmocka_unit_test(template_render__buffer_full__leaves_it_as_it_was),
        cmocka_unit_test(template_glob__literals_escaped__columns_are_stars),
        cmocka_unit_test(template_columns__names_used_twice__listed_once_in_order),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
