/* Option tables: values, bounds, and the words of every refusal; flags; secrets; what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/flags.h"
#include "config/option.h"

enum color { RED, GREEN = 5 };

struct values {
    const char *host;
    const char *password;
    const char *comment;
    bool quick;
    int64_t delta;
    int64_t below;
    uint64_t count;
    uint64_t buffer_bytes;
    uint64_t wait_ms;
    int color;
    struct option_list to;
    uint16_t port;
};

static const struct option_name colors[] = {{"red", RED}, {"green", GREEN}, {NULL, 0}};

#define FIELD(name_) .offset = offsetof(struct values, name_)
static const struct option table[] = {
    {.name = "host", .type = OPTION_STRING, FIELD(host), .flags = OPTION_REQUIRED, .help = "where it is | or was"},
    {.name = "password", .type = OPTION_SECRET, FIELD(password), .help = "of the user"},
    {.name = "comment", .type = OPTION_STRING, FIELD(comment), .help = "free words"},
    {.name = "quick", .type = OPTION_BOOL, FIELD(quick), .text = "true", .help = "be quick"},
    {.name = "delta", .type = OPTION_INT, FIELD(delta), .text = "-3", .min = -10, .max = 10, .help = "a step"},
    {.name = "below", .type = OPTION_INT, FIELD(below), .help = "any"},
    {.name = "count", .type = OPTION_UINT, FIELD(count), .text = "4", .min = 1, .max = 100, .help = "how many"},
    {.name = "buffer_bytes", .type = OPTION_SIZE, FIELD(buffer_bytes), .text = "64MiB", .min = 65536, .help = "memory"},
    {.name = "wait", .type = OPTION_DURATION, FIELD(wait_ms), .text = "10s", .max = 3600000, .help = "the wait"},
    {.name = "color", .type = OPTION_ENUM, FIELD(color), .text = "green", .names = colors, .help = "the color"},
    {.name = "to", .type = OPTION_LIST, FIELD(to), .help = "targets"},
    {.name = "port", .type = OPTION_PORT, FIELD(port), .text = "3306", .help = "the port"},
    {.name = NULL}};

static const struct option *const tables[] = {table, NULL};
static struct env env;
static char dir[64];

static int setup(void **state)
{
    (void)state;
    env = env_system();
    snprintf(dir, sizeof dir, "/tmp/sluice_option_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

static struct config *parse(const char *text)
{
    struct config *cfg = NULL;
    struct err e = ERR_INIT;
    if (config_parse(&cfg, &env, "t.yaml", text, &e) != 0)
        fail_msg("%s", e.text);
    return cfg;
}

static void option__nothing_given__is_the_default(void **state)
{
    (void)state;
    struct values v;
    memset(&v, 0x5a, sizeof v);
    struct err e = ERR_INIT;
    struct config *cfg = parse("host: h\n");
    assert_int_equal(option_parse(cfg, table, config_root(cfg), &v, &e), 0);
    assert_string_equal(v.host, "h");
    assert_null(v.password);
    assert_null(v.comment);
    assert_true(v.quick);
    assert_int_equal(v.delta, -3);
    assert_int_equal(v.below, 0);
    assert_int_equal(v.count, 4);
    assert_int_equal(v.buffer_bytes, 64 << 20);
    assert_int_equal(v.wait_ms, 10000);
    assert_int_equal(v.color, GREEN);
    assert_int_equal(v.to.count, 0);
    assert_int_equal(v.port, 3306);
    config_free(cfg);
}

static void option__all_given__is_taken(void **state)
{
    (void)state;
    struct values v;
    struct err e = ERR_INIT;
    struct config *cfg =
        parse("host: ''\npassword: p w\nquick: off\ndelta: 10\nbelow: -9223372036854775807\n"
              "count: 100\nbuffer_bytes: 1 GiB\nwait: 1h\ncolor: red\nto:\n  - a\n  - b\nport: 65535\n");
    assert_int_equal(option_parse(cfg, table, config_root(cfg), &v, &e), 0);
    assert_string_equal(v.host, "");
    assert_string_equal(v.password, "p w");
    assert_false(v.quick);
    assert_int_equal(v.delta, 10);
    assert_true(v.below == -INT64_MAX);
    assert_int_equal(v.count, 100);
    assert_int_equal(v.buffer_bytes, 1 << 30);
    assert_int_equal(v.wait_ms, 3600000);
    assert_int_equal(v.color, RED);
    assert_int_equal(v.to.count, 2);
    assert_string_equal(v.to.items[0], "a");
    assert_string_equal(v.to.items[1], "b");
    assert_int_equal(v.to.lines[0], 11);
    assert_int_equal(v.to.lines[1], 12);
    assert_int_equal(v.port, 65535);
    config_free(cfg);
}

static void option__sizes_durations_lists__have_all_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        uint64_t bytes, ms;
        size_t items;
    } rows[] = {{"buffer_bytes: 65536\nwait: 200\nto: a", 65536, 200, 1},
                {"buffer_bytes: 64KiB\nwait: 200ms\nto: []", 65536, 200, 0},
                {"buffer_bytes: 8MiB\nwait: 2s\nto: [a, b, c]", 8 << 20, 2000, 3},
                {"buffer_bytes: 2GiB\nwait: 5 m\nto: ''", (uint64_t)2 << 30, 300000, 1},
                {"buffer_bytes: 17179869183GiB\nwait: 0\nto: [a]", UINT64_MAX - ((1 << 30) - 1), 0, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct values v;
        struct err e = ERR_INIT;
        snprintf(text, sizeof text, "host: h\n%s\n", rows[i].yaml);
        struct config *cfg = parse(text);
        if (option_parse(cfg, table, config_root(cfg), &v, &e) != 0)
            fail_msg("%s", e.text);
        assert_true(v.buffer_bytes == rows[i].bytes);
        assert_int_equal(v.wait_ms, rows[i].ms);
        assert_int_equal(v.to.count, rows[i].items);
        config_free(cfg);
    }
}

static void option__mistake__is_named_with_line_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        enum err_code code;
        const char *text;
    } rows[] = {
        {"quick: maybe", ERR_CONFIG_VALUE, "t.yaml:2: quick: 'maybe' is not true or false"},
        {"delta: -11", ERR_CONFIG_VALUE, "t.yaml:2: delta: '-11' is below -10"},
        {"delta: 11", ERR_CONFIG_VALUE, "t.yaml:2: delta: '11' is above 10"},
        {"delta: 1.5", ERR_CONFIG_VALUE, "t.yaml:2: delta: '1.5' is not a whole number"},
        {"delta: --1", ERR_CONFIG_VALUE, "t.yaml:2: delta: '--1' is not a whole number"},
        {"below: 9223372036854775808", ERR_CONFIG_VALUE,
         "t.yaml:2: below: '9223372036854775808' is not a whole number"},
        {"count: 0", ERR_CONFIG_VALUE, "t.yaml:2: count: '0' is below 1"},
        {"count: 101", ERR_CONFIG_VALUE, "t.yaml:2: count: '101' is above 100"},
        {"count: -1", ERR_CONFIG_VALUE, "t.yaml:2: count: '-1' is not a whole number of 0 or more"},
        {"count: 0x10", ERR_CONFIG_VALUE, "t.yaml:2: count: '0x10' is not a whole number of 0 or more"},
        {"count: 18446744073709551616", ERR_CONFIG_VALUE,
         "t.yaml:2: count: '18446744073709551616' is not a whole number of 0 or more"},
        {"count: ''", ERR_CONFIG_VALUE, "t.yaml:2: count: '' is not a whole number of 0 or more"},
        {"buffer_bytes: 64KB", ERR_CONFIG_VALUE,
         "t.yaml:2: buffer_bytes: '64KB' is not a size (65536, 64KiB, 8MiB, 1GiB)"},
        {"buffer_bytes: 1KiB", ERR_CONFIG_VALUE, "t.yaml:2: buffer_bytes: '1KiB' is below 64KiB"},
        {"buffer_bytes: 17179869184GiB", ERR_CONFIG_VALUE,
         "t.yaml:2: buffer_bytes: '17179869184GiB' is not a size (65536, 64KiB, 8MiB, 1GiB)"},
        {"wait: 2d", ERR_CONFIG_VALUE, "t.yaml:2: wait: '2d' is not a duration (200ms, 10s, 5m, 1h)"},
        {"wait: 2h", ERR_CONFIG_VALUE, "t.yaml:2: wait: '2h' is above 1h"},
        {"color: blue", ERR_CONFIG_VALUE, "t.yaml:2: color: 'blue' is none of red, green"},
        {"port: 0", ERR_CONFIG_VALUE, "t.yaml:2: port: '0' is not a port, 1 to 65535"},
        {"port: 65536", ERR_CONFIG_VALUE, "t.yaml:2: port: '65536' is not a port, 1 to 65535"},
        {"comment: [a]", ERR_CONFIG_VALUE, "t.yaml:2: comment: is a list, and must be a single value"},
        {"comment: {a: 1}", ERR_CONFIG_VALUE, "t.yaml:2: comment: is a mapping, and must be a single value"},
        {"comment:", ERR_CONFIG_VALUE, "t.yaml:2: comment: has no value"},
        {"to: [a, [b]]", ERR_CONFIG_VALUE, "t.yaml:2: to[1]: is a list, and must be a single value"},
        {"to: [a, ~]", ERR_CONFIG_VALUE, "t.yaml:2: to[1]: is empty, and must be a single value"},
        {"to:\n  a: 1", ERR_CONFIG_VALUE, "t.yaml:2: to: is a mapping, and must be a single value"},
        {"hots: x", ERR_CONFIG_UNKNOWN, "t.yaml:2: unknown key 'hots' in the top level; did you mean 'host'?"},
        {"zebra: x", ERR_CONFIG_UNKNOWN, "t.yaml:2: unknown key 'zebra' in the top level"},
        {"tpye: x", ERR_CONFIG_UNKNOWN, "t.yaml:2: unknown key 'tpye' in the top level; did you mean 'type'?"},
        {"comment_file: x", ERR_CONFIG_UNKNOWN, "t.yaml:2: unknown key 'comment_file' in the top level"},
        {"password: a\npassword_file: b", ERR_CONFIG_SECRET,
         "t.yaml:3: password_file: password is given at line 2 already"},
        {"password_file: /nonexistent/p", ERR_CONFIG_SECRET,
         "t.yaml:2: password_file: /nonexistent/p cannot be read: No such file or directory"},
        {"password_file: [a]", ERR_CONFIG_VALUE, "t.yaml:2: password_file: is a list, and must be a path"},
    };
    static const char *const also[] = {"type", NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct values v;
        struct err e = ERR_INIT;
        snprintf(text, sizeof text, "host: h\n%s\n", rows[i].yaml);
        struct config *cfg = parse(text);
        int rc = option_parse(cfg, table, config_root(cfg), &v, &e);
        if (rc == 0)
            rc = option_check_keys(config_root(cfg), tables, also, &e);
        assert_string_equal(e.text, rows[i].text);
        assert_int_equal(rc, -(int)rows[i].code);
        assert_int_equal(err_class(&e), ERR_CLASS_USAGE);
        config_free(cfg);
    }
}

static void option__required__is_missed_with_its_section(void **state)
{
    (void)state;
    struct values v;
    struct err e = ERR_INIT;
    struct config *cfg = parse("x: 1\nsource: { port: 1 }\n");
    const struct node *section = NULL;
    assert_int_equal(config_section(cfg, config_root(cfg), "source", &section, &e), 0);
    assert_int_equal(option_parse(cfg, table, section, &v, &e), -ERR_CONFIG_MISSING);
    assert_string_equal(e.text, "t.yaml:2: source: 'host' is required");
    err_clear(&e);
    assert_int_equal(config_section(cfg, config_root(cfg), "absent", &section, &e), 0);
    assert_int_equal(option_parse(cfg, table, section, &v, &e), -ERR_CONFIG_MISSING);
    assert_string_equal(e.text, "t.yaml:1: absent: 'host' is required");
    config_free(cfg);
}

static void option__mapping_of_two_tables__knows_the_keys_of_both(void **state)
{
    (void)state;
    static const struct option first[] = {{.name = "table", .type = OPTION_STRING}, {.name = NULL}};
    static const struct option second[] = {{.name = "invalidate", .type = OPTION_LIST}, {.name = NULL}};
    const struct option *both[] = {first, second, NULL};
    const struct option *one[] = {first, NULL};
    struct err e = ERR_INIT;
    struct config *cfg = parse("routes:\n- { table: a,\n    invalidate: [b] }\n");
    const struct node *route = node_first(node_child(config_root(cfg), "routes"));
    assert_int_equal(option_check_keys(route, both, NULL, &e), 0);
    assert_int_equal(option_check_keys(route, one, NULL, &e), -ERR_CONFIG_UNKNOWN);
    assert_string_equal(e.text, "t.yaml:3: unknown key 'invalidate' in routes[0]");
    config_free(cfg);
}

struct secret_row {
    const char *bytes;
    size_t len;
    mode_t mode;
    const char *expected; /* NULL: refused */
    const char *words;
};

static void check_secret(const struct secret_row *row)
{
    char path[96], text[160];
    struct values v;
    struct err e = ERR_INIT;
    snprintf(path, sizeof path, "%s/secret", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(row->bytes, 1, row->len, f), row->len);
    fclose(f);
    assert_int_equal(chmod(path, row->mode), 0);
    snprintf(text, sizeof text, "host: h\npassword_file: %s\n", path);
    struct config *cfg = parse(text);
    int rc = option_parse(cfg, table, config_root(cfg), &v, &e);
    if (row->expected) {
        assert_int_equal(rc, 0);
        assert_string_equal(v.password, row->expected);
        assert_int_equal(option_check_keys(config_root(cfg), tables, NULL, &e), 0);
    } else {
        char expected[256];
        snprintf(expected, sizeof expected, "t.yaml:2: password_file: %s %s", path, row->words);
        assert_int_equal(rc, -ERR_CONFIG_SECRET);
        assert_string_equal(e.text, expected);
    }
    config_free(cfg);
    unlink(path);
}

static void option__secret_file__is_private_and_loses_one_newline(void **state)
{
    (void)state;
    static char large[(64 << 10) + 1];
    memset(large, 'x', sizeof large);
    const struct secret_row rows[] = {
        {"s3cret", 6, 0600, "s3cret", NULL},
        {"s3cret\n", 7, 0400, "s3cret", NULL},
        {"s3cret\n\n", 8, 0600, "s3cret\n", NULL},
        {" a b ", 5, 0600, " a b ", NULL},
        {"", 0, 0600, NULL, "is empty"},
        {"\n", 1, 0600, NULL, "is empty"},
        {"a\0b", 3, 0600, NULL, "holds a NUL character"},
        {"s3cret", 6, 0640, NULL, "has mode 0640 and may have no more than 0600"},
        {"s3cret", 6, 0604, NULL, "has mode 0604 and may have no more than 0600"},
        {"s3cret", 6, 0700, NULL, "has mode 0700 and may have no more than 0600"},
        {large, sizeof large, 0600, NULL, "is larger than 64 KiB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_secret(&rows[i]);
}

static void option__default_out_of_bounds__is_our_bug(void **state)
{
    (void)state;
    static const struct option wrong[] = {{.name = "count", .type = OPTION_UINT, .text = "7", .max = 3, FIELD(count)},
                                          {.name = NULL}};
    struct values v;
    struct err e = ERR_INIT;
    struct config *cfg = parse("");
    assert_int_equal(option_parse(cfg, wrong, config_root(cfg), &v, &e), -ERR_BUG);
    config_free(cfg);
}

struct flag_values {
    const char *config;
    const char *from;
    bool dry_run;
    bool help;
    struct option_list table;
    uint64_t count;
    const char *password;
};

#undef FIELD
#define FIELD(name_) .offset = offsetof(struct flag_values, name_)
static const struct option flags[] = {
    {.name = "config", .type = OPTION_STRING, FIELD(config), .help = "the file"},
    {.name = "from_pos", .type = OPTION_STRING, FIELD(from), .flags = OPTION_REQUIRED, .help = "begin"},
    {.name = "dry_run", .type = OPTION_BOOL, FIELD(dry_run), .help = "only count"},
    {.name = "help", .type = OPTION_BOOL, FIELD(help), .help = "these words"},
    {.name = "table", .type = OPTION_LIST, FIELD(table), .text = "all", .help = "patterns"},
    {.name = "count", .type = OPTION_UINT, FIELD(count), .text = "3", .max = 9, .help = "how many"},
    {.name = "password", .type = OPTION_SECRET, FIELD(password), .help = "secret"},
    {.name = NULL}};

static int run_flags(struct config *cfg, char **argv, struct flag_values *v, struct flags_line *line, struct err *e)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    *line = (struct flags_line){.argc = argc, .argv = argv};
    return flags_parse(cfg, flags, line, v, e);
}

static void flags__every_form__is_read(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"one"},       (char[]){"-c"},        (char[]){"s.yaml"},  (char[]){"--from-pos=a=b"},
                    (char[]){"--table"},   (char[]){"x"},         (char[]){"two"},     (char[]){"--table=y"},
                    (char[]){"--dry-run"}, (char[]){"--count=1"}, (char[]){"--count"}, (char[]){"2"},
                    (char[]){"-"},         (char[]){"--"},        (char[]){"--three"}, NULL};
    struct flag_values v;
    struct flags_line line;
    struct err e = ERR_INIT;
    struct config *cfg = parse("");
    if (run_flags(cfg, argv, &v, &line, &e) != 0)
        fail_msg("%s", e.text);
    assert_string_equal(v.config, "s.yaml");
    assert_string_equal(v.from, "a=b");
    assert_true(v.dry_run);
    assert_false(v.help);
    assert_int_equal(v.count, 2);
    assert_int_equal(v.table.count, 2);
    assert_string_equal(v.table.items[0], "x");
    assert_string_equal(v.table.items[1], "y");
    assert_int_equal(line.word_count, 4);
    assert_string_equal(line.words[0], "one");
    assert_string_equal(line.words[1], "two");
    assert_string_equal(line.words[2], "-");
    assert_string_equal(line.words[3], "--three");
    config_free(cfg);
}

static void flags__defaults_and_negation__hold(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"--from-pos=x"}, (char[]){"--dry-run"}, (char[]){"--no-dry-run"}, NULL};
    char *help[] = {(char[]){"--help"}, NULL};
    struct flag_values v;
    struct flags_line line;
    struct err e = ERR_INIT;
    struct config *cfg = parse("");
    assert_int_equal(run_flags(cfg, argv, &v, &line, &e), 0);
    assert_false(v.dry_run);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.table.count, 1);
    assert_string_equal(v.table.items[0], "all");
    assert_int_equal(run_flags(cfg, help, &v, &line, &e), 0);
    assert_true(v.help);
    config_free(cfg);
}

static void flags__mistake__is_named(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        enum err_code code;
        const char *text;
    } rows[] = {
        {"--form-pos=x", NULL, ERR_USAGE, "--form-pos=x is no option; did you mean '--from-pos'?"},
        {"--zebra", NULL, ERR_USAGE, "--zebra is no option"},
        {"-x", NULL, ERR_USAGE, "-x is no option"},
        {"--no-count", NULL, ERR_USAGE, "--no-count is no option"},
        {"--from-pos", NULL, ERR_USAGE, "--from-pos needs a value"},
        {"-c", NULL, ERR_USAGE, "-c needs a value"},
        {"--count=10", NULL, ERR_CONFIG_VALUE, "--count: '10' is above 9"},
        {"--count", "x", ERR_CONFIG_VALUE, "--count: 'x' is not a whole number of 0 or more"},
        {"--dry-run=perhaps", NULL, ERR_CONFIG_VALUE, "--dry-run: 'perhaps' is not true or false"},
        {"--password-file", "/nonexistent/x", ERR_CONFIG_SECRET,
         "--password-file: /nonexistent/x cannot be read: No such file or directory"},
        {"word", NULL, ERR_CONFIG_MISSING, "command line: '--from-pos' is required"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char first[64], second[64];
        snprintf(first, sizeof first, "%s", rows[i].first);
        snprintf(second, sizeof second, "%s", rows[i].second ? rows[i].second : "");
        char *argv[] = {first, rows[i].second ? second : NULL, NULL};
        struct flag_values v;
        struct flags_line line;
        struct err e = ERR_INIT;
        struct config *cfg = parse("");
        assert_int_equal(run_flags(cfg, argv, &v, &line, &e), -(int)rows[i].code);
        assert_string_equal(e.text, rows[i].text);
        config_free(cfg);
    }
}

static void check_printed(void (*print)(FILE *out), const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    print(out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void print_markdown(FILE *out)
{
    option_print_markdown(out, table);
}

static void print_help(FILE *out)
{
    option_print_help(out, "--", flags);
}

static void print_keys(FILE *out)
{
    option_print_help(out, "", table);
}

static void option__long_list__keeps_every_item_and_line(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 0);
    buf_text(&text, "host: h\nto:\n");
    for (unsigned i = 0; i < 5000; i++)
        buf_printf(&text, "- i%u\n", i);
    buf_byte(&text, '\0');
    struct values v;
    struct err e = ERR_INIT;
    struct config *cfg = parse((const char *)text.p);
    assert_int_equal(option_parse(cfg, table, config_root(cfg), &v, &e), 0);
    assert_int_equal(v.to.count, 5000);
    for (unsigned i = 0; i < 5000; i++) {
        char item[16];
        snprintf(item, sizeof item, "i%u", i);
        assert_string_equal(v.to.items[i], item);
        assert_int_equal(v.to.lines[i], i + 3);
    }
    config_free(cfg);
    buf_release(&text);
}

static void option__reference__is_printed_from_the_table(void **state)
{
    (void)state;
    check_printed(print_markdown, "| key | type | default | meaning |\n"
                                  "|---|---|---|---|\n"
                                  "| `host` | text | required | where it is \\| or was |\n"
                                  "| `password` or `password_file` | secret |  | of the user |\n"
                                  "| `comment` | text |  | free words |\n"
                                  "| `quick` | true or false | `true` | be quick |\n"
                                  "| `delta` | number -10 to 10 | `-3` | a step |\n"
                                  "| `below` | number |  | any |\n"
                                  "| `count` | number 1 to 100 | `4` | how many |\n"
                                  "| `buffer_bytes` | size from 64KiB | `64MiB` | memory |\n"
                                  "| `wait` | duration 0 to 1h | `10s` | the wait |\n"
                                  "| `color` | red, green | `green` | the color |\n"
                                  "| `to` | text or list of text |  | targets |\n"
                                  "| `port` | port | `3306` | the port |\n");
    check_printed(print_help, "  --config=TEXT               the file\n"
                              "  --from-pos=TEXT             begin (required)\n"
                              "  --dry-run                   only count\n"
                              "  --help                      these words\n"
                              "  --table=TEXT                patterns (default all)\n"
                              "  --count=N                   how many (number 0 to 9; default 3)\n"
                              "  --password=TEXT             secret\n");
    check_printed(print_keys, "  host                        where it is | or was (text; required)\n"
                              "  password, password_file     of the user (secret)\n"
                              "  comment                     free words (text)\n"
                              "  quick                       be quick (true or false; default true)\n"
                              "  delta                       a step (number -10 to 10; default -3)\n"
                              "  below                       any (number)\n"
                              "  count                       how many (number 1 to 100; default 4)\n"
                              "  buffer_bytes                memory (size from 64KiB; default 64MiB)\n"
                              "  wait                        the wait (duration 0 to 1h; default 10s)\n"
                              "  color                       the color (red, green; default green)\n"
                              "  to                          targets (text or list of text)\n"
                              "  port                        the port (port; default 3306)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option__nothing_given__is_the_default),
        cmocka_unit_test(option__all_given__is_taken),
        cmocka_unit_test(option__sizes_durations_lists__have_all_their_forms),
        cmocka_unit_test(option__mistake__is_named_with_line_and_reason),
        cmocka_unit_test(option__required__is_missed_with_its_section),
        cmocka_unit_test(option__mapping_of_two_tables__knows_the_keys_of_both),
        cmocka_unit_test(option__secret_file__is_private_and_loses_one_newline),
        cmocka_unit_test(option__default_out_of_bounds__is_our_bug),
        cmocka_unit_test(flags__every_form__is_read),
        cmocka_unit_test(flags__defaults_and_negation__hold),
        cmocka_unit_test(flags__mistake__is_named),
        cmocka_unit_test(option__long_list__keeps_every_item_and_line),
        cmocka_unit_test(option__reference__is_printed_from_the_table),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
