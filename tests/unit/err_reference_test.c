/* docs/errors.md against errors.def: each row stands there as the program prints it, with a cause written by hand.
 *
 * After a change of errors.def: SLUICE_UPDATE=1 err_reference_test rewrites the rows and keeps the causes; then write
 * the cause of a new row where the page says "Cause: ?". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err_reference.h"

#define PAGE         SLUICE_SOURCE_DIR "/docs/errors.md"
#define PAGE_MAX     ((size_t)1 << 20)
#define ROWS_HEADING "## Errors\n"
#define UNKNOWN      "Cause: ?\n"
#define CAUSE_MIN    20

static char *page;

static int setup(void **state)
{
    (void)state;
    FILE *in = fopen(PAGE, "r");
    if (!in)
        return -1;
    page = calloc(1, PAGE_MAX);
    size_t len = page ? fread(page, 1, PAGE_MAX - 1, in) : 0;
    fclose(in);
    return len > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(page);
    return 0;
}

static char *row_text(enum err_code code)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    err_print_row(out, code);
    fclose(out);
    return text;
}

/* The hand-written part of an error: from "Cause:" up to the next heading. NULL when it has none. */
static char *cause_of(const char *text, enum err_code code)
{
    char heading[64];
    snprintf(heading, sizeof heading, "### `%s`\n", err_code_name(code));
    const char *start = strstr(text, heading);
    if (!start)
        return NULL;
    const char *next = strstr(start + 1, "\n### `");
    const char *end = next ? next : start + strlen(start);
    const char *cause = strstr(start, "Cause: ");
    if (!cause || cause > end)
        return NULL;
    while (end > cause && end[-1] == '\n')
        end--;
    return strndup(cause, (size_t)(end - cause));
}

static void rewrite_page(void)
{
    const char *rows = strstr(page, ROWS_HEADING);
    assert_non_null(rows);
    FILE *out = fopen(PAGE, "w");
    assert_non_null(out);
    fwrite(page, 1, (size_t)(rows - page) + strlen(ROWS_HEADING), out);
    for (unsigned code = 1; code < ERR_CODE_COUNT; code++) {
        char *row = row_text((enum err_code)code), *cause = cause_of(page, (enum err_code)code);
        fprintf(out, "\n%s\n%s%s", row, cause ? cause : UNKNOWN, cause ? "\n" : "");
        free(row);
        free(cause);
    }
    fclose(out);
}

static void err_reference__every_row__stands_in_the_runbook_with_a_cause(void **state)
{
    (void)state;
    unsigned missing = 0;
    if (getenv("SLUICE_UPDATE"))
        rewrite_page();
    for (unsigned code = 1; code < ERR_CODE_COUNT; code++) {
        char *row = row_text((enum err_code)code), *cause = cause_of(page, (enum err_code)code);
        const char *wrong = NULL;
        if (!strstr(page, row))
            wrong = "is not in docs/errors.md as errors.def has it: run this test with SLUICE_UPDATE=1";
        else if (!cause || strlen(cause) < CAUSE_MIN)
            wrong = "has no cause in docs/errors.md";
        if (wrong) {
            print_error("%s %s\n", err_code_name((enum err_code)code), wrong);
            missing++;
        }
        free(row);
        free(cause);
    }
    assert_int_equal(missing, 0);
}

static void err_reference__every_heading__is_a_row(void **state)
{
    (void)state;
    unsigned headings = 0;
    for (const char *p = page; (p = strstr(p, "### `")) != NULL; headings++) {
        char name[64];
        p += strlen("### `");
        snprintf(name, sizeof name, "%.*s", (int)strcspn(p, "`"), p);
        if (err_code_find(name) == ERR_NONE)
            fail_msg("docs/errors.md explains '%s', which is no error", name);
    }
    assert_int_equal(headings, ERR_CODE_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_reference__every_row__stands_in_the_runbook_with_a_cause),
        cmocka_unit_test(err_reference__every_heading__is_a_row),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
