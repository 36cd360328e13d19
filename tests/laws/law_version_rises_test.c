/* Law "version rises": in the order of the log the versions' texts rise as bytes, over transactions, rows, halves and
 * epochs, and go on rising when the service is stopped and started again. On the real spine; the table of epochs under
 * random histories and crashes: epoch_test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/spine_lines.h"

#define TRANSACTIONS 24

/* One lane, inline: what arrives is in the order of the log. */
static void assert_rising(const struct spine_lines *lines)
{
    char before[VERSION_TEXT_LEN] = "", text[VERSION_TEXT_LEN];
    for (size_t i = 0; i < lines->count; i++) {
        version_print(&lines->list[i].version, text);
        assert_true(i == 0 || memcmp(before, text, sizeof text) < 0);
        memcpy(before, text, sizeof text);
    }
}

static void read_in_parts(uint64_t seed, unsigned parts, const char *dir)
{
    struct shop_log_options opt = {.seed = seed, .transactions = TRANSACTIONS, .rows_max = 30, .keys = 20};
    struct shop_log *log = shop_log_new(&opt);
    struct spine_lines lines = {0};
    struct env env = env_system();
    size_t changes = 0;
    for (unsigned part = 1; part <= parts; part++) {
        struct state *state = NULL;
        assert_int_equal(state_open(&state, &env, dir, STATE_OWN, NULL), 0);
        struct spine_reading reading = {.source = named_source_new(log, TRANSACTIONS * part / parts),
                                        .start = {.kind = START_EARLIEST},
                                        .lanes = 1,
                                        .buffer_bytes = 8 << 20,
                                        .state = state,
                                        .epoch_state = state};
        spine_read(&reading, &lines);
        state_close(state);
    }
    for (unsigned id = 1; id <= opt.keys; id++)
        changes += shop_log_changes(log, id);
    assert_int_equal(lines.count, changes);
    assert_rising(&lines);
    spine_lines_release(&lines);
    shop_log_free(log);
}

static void law_version_rises__any_log_and_restarts__texts_rise(void **state)
{
    (void)state;
    for (unsigned parts = 1; parts <= TRANSACTIONS; parts += 4) {
        char dir[] = "/tmp/sluice-version-XXXXXX", command[sizeof dir + 16];
        assert_non_null(mkdtemp(dir));
        read_in_parts(parts, parts, dir);
        snprintf(command, sizeof command, "rm -rf %s", dir);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_version_rises__any_log_and_restarts__texts_rise),
    };
    return cmocka_run_group_tests_name("law_version_rises", tests, NULL, NULL);
}
