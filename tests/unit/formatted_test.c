/* Routes of a sink with formats: those that ask for the same share one instance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/settings.h"
#include "sink/formatted.h"
#include "sink/kinds.h"

static const char routes_text[] =
    "source: { user: sluice }\n"
    "state_dir: /nowhere\n"
    "sinks: { a: { type: stdout }, b: { type: stdout } }\n"
    "routes:\n"
    "  - { table: shop.orders, to: [a, b], format: debezium, format_options: [ddl=true, topic.prefix=x] }\n"
    "  - { table: shop.items, to: a, format: debezium, format_options: [topic.prefix=x, ddl=yes] }\n"
    "  - { table: shop.users, to: a, format: debezium, format_options: [topic.prefix=y, ddl=true] }\n"
    "  - { table: shop.carts, to: a, format: canal, format_options: [ddl=true] }\n"
    "  - { table: shop.logs, to: a, format: canal, format_options: [ddl=true, ddl=true] }\n";

static void formatted_same__equal_formats_of_a_sink__share_their_options(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-formatted-XXXXXX";
    int fd = mkstemp(path);
    struct settings settings;
    struct config *cfg = NULL;
    struct env env = env_system();
    struct err e = ERR_INIT;
    struct settings_file file = {.path = path, .need = SETTINGS_WHOLE};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, routes_text, sizeof routes_text - 1), sizeof routes_text - 1);
    close(fd);
    if (settings_read(&settings, &cfg, &env, &file, &e) != 0)
        fail_msg("%s", e.text);
    unlink(path);
    const struct route *routes = settings.routes;
    assert_ptr_equal(routes[0].sink_options[0], routes[1].sink_options[0]);
    assert_ptr_not_equal(routes[0].sink_options[0], routes[0].sink_options[1]);
    assert_ptr_not_equal(routes[0].sink_options[0], routes[2].sink_options[0]);
    assert_ptr_not_equal(routes[0].sink_options[0], routes[3].sink_options[0]);
    assert_ptr_equal(routes[3].sink_options[0], routes[4].sink_options[0]);
    config_free(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formatted_same__equal_formats_of_a_sink__share_their_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
