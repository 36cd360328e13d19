/* errors.def: every row has what logs, exit codes and the runbook need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/err_reference.h"

static const struct {
    const char *name, *what;
} rows[ERR_CODE_COUNT] = {
    {"NONE", "x"},
#define ERR(name, cls, what, todo) {#name, what},
#include "base/errors.def"
#undef ERR
};

static void err__row__has_a_plain_name_that_is_found_again(void **state)
{
    (void)state;
    for (unsigned code = 1; code < ERR_CODE_COUNT; code++) {
        char name[64];
        assert_in_range(strlen(rows[code].name), 2, 40);
        assert_int_equal(strspn(rows[code].name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(rows[code].name));
        snprintf(name, sizeof name, "%s", err_code_name((enum err_code)code));
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        assert_int_equal(err_code_find(name), code);
    }
    assert_int_equal(err_code_find("no_such_error"), ERR_NONE);
    assert_int_equal(err_code_find(""), ERR_NONE);
}

static void err__row__has_a_class_a_message_and_a_way_out(void **state)
{
    (void)state;
    for (unsigned code = 1; code < ERR_CODE_COUNT; code++) {
        enum err_class cls = err_code_class((enum err_code)code);
        const char *todo = err_code_todo((enum err_code)code);
        size_t len = strlen(todo);
        assert_int_not_equal(cls, ERR_CLASS_NONE);
        if (rows[code].what[0] == '\0')
            fail_msg("%s says nothing", rows[code].name);
        if (len == 0 && (cls == ERR_CLASS_STOP || cls == ERR_CLASS_USAGE))
            fail_msg("%s does not say what to do", rows[code].name);
        if (len && strchr(".!\n ", todo[len - 1]))
            fail_msg("%s: what to do is a phrase without a final mark", rows[code].name);
        assert_true(strcmp(err_class_name(cls), "none") != 0);
    }
}

static void err__reference__shows_message_class_and_way_out(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    err_print_row(out, ERR_CONFIG_UNKNOWN);
    fclose(out);
    assert_string_equal(text, "### `config_unknown`\n"
                              "\n"
                              "- Class: usage: exit code 2, before anything was changed.\n"
                              "- Message: `unknown key '…' in …`\n"
                              "- What to do: remove it or correct its name; docs/configuration.md lists the keys.\n");
    free(text);
    out = open_memstream(&text, &len);
    err_print_reference(out);
    fclose(out);
    size_t headings = 0;
    for (const char *p = text; (p = strstr(p, "### `")) != NULL; p++)
        headings++;
    assert_int_equal(headings, ERR_CODE_COUNT - 1);
    assert_null(strstr(text, "%s"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err__row__has_a_plain_name_that_is_found_again),
        cmocka_unit_test(err__row__has_a_class_a_message_and_a_way_out),
        cmocka_unit_test(err__reference__shows_message_class_and_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
