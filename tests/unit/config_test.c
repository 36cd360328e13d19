/* Documents: what is accepted, and the words and line of every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/option.h"
#include "tools/alloc_fault.h"
#include "tools/memfs.h"

static struct env env;

static int setup(void **state)
{
    (void)state;
    env = env_system();
    setenv("SLUICE_TEST_HOST", "db.example", 1);
    setenv("SLUICE_TEST_EMPTY", "", 1);
    unsetenv("SLUICE_TEST_UNSET");
    return 0;
}

static struct config *parse(const char *text)
{
    struct config *cfg = NULL;
    struct err e = ERR_INIT;
    if (config_parse(&cfg, &env, "t.yaml", text, &e) != 0)
        fail_msg("%s", e.text);
    return cfg;
}

static void config__mapping__is_walked_in_file_order_with_lines(void **state)
{
    (void)state;
    struct config *cfg = parse("# comment\n"
                               "sinks:\n"
                               "  cache: { type: redis }\n"
                               "  other:\n"
                               "    type: stdout\n"
                               "routes:\n"
                               "  - { table: a }\n"
                               "  - table: b\n"
                               "    key: [x, \"y\"]\n");
    const struct node *root = config_root(cfg);
    const struct node *sinks = node_child(root, "sinks");
    assert_int_equal(sinks->kind, NODE_MAPPING);
    assert_int_equal(sinks->count, 2);
    const struct node *n = node_first(sinks);
    assert_string_equal(n->key, "cache");
    assert_int_equal(n->line, 3);
    assert_string_equal(n->path, "sinks.cache");
    n = n->next;
    assert_string_equal(n->key, "other");
    assert_int_equal(n->line, 4);
    assert_null(n->next);
    const struct node *routes = node_child(root, "routes");
    assert_int_equal(routes->kind, NODE_SEQUENCE);
    n = node_first(routes)->next;
    assert_string_equal(n->path, "routes[1]");
    assert_int_equal(n->line, 8);
    const struct node *key = node_child(n, "key");
    assert_string_equal(key->path, "routes[1].key");
    assert_string_equal(node_first(key)->next->text, "y");
    assert_string_equal(node_first(key)->next->path, "routes[1].key[1]");
    assert_null(node_first(node_child(n, "table")));
    assert_null(node_child(n, "tabl"));
    assert_null(node_child(routes, "table"));
    config_free(cfg);
}

static void config__values__are_null_only_when_plain(void **state)
{
    (void)state;
    struct config *cfg = parse("a:\nb: ~\nc: null\nd: ''\ne: \"null\"\nf: '~'\ng: ${SLUICE_TEST_EMPTY}\n");
    const struct node *root = config_root(cfg);
    static const struct {
        const char *key;
        enum node_kind kind;
        const char *text;
    } rows[] = {{"a", NODE_NULL, NULL},     {"b", NODE_NULL, NULL},  {"c", NODE_NULL, NULL}, {"d", NODE_SCALAR, ""},
                {"e", NODE_SCALAR, "null"}, {"f", NODE_SCALAR, "~"}, {"g", NODE_SCALAR, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct node *n = node_child(root, rows[i].key);
        assert_int_equal(n->kind, rows[i].kind);
        if (rows[i].text)
            assert_string_equal(n->text, rows[i].text);
    }
    config_free(cfg);
}

static void config__dollar__expands_variables_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *expected;
    } rows[] = {
        {"a: ${SLUICE_TEST_HOST}", "db.example"},
        {"a: 'x${SLUICE_TEST_HOST}y${SLUICE_TEST_HOST}'", "xdb.exampleydb.example"},
        {"a: $${SLUICE_TEST_HOST}", "${SLUICE_TEST_HOST}"},
        {"a: $$$$", "$$"},
        {"a: '^orders_[0-9]+$'", "^orders_[0-9]+$"},
        {"a: $SLUICE_TEST_HOST", "$SLUICE_TEST_HOST"},
        {"a: \"order:{order_id}\"", "order:{order_id}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *cfg = parse(rows[i].yaml);
        assert_string_equal(node_child(config_root(cfg), "a")->text, rows[i].expected);
        config_free(cfg);
    }
}

static void config__mistake__is_named_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        enum err_code code;
        const char *text;
    } rows[] = {
        {"a: 1\na: 2\n", ERR_CONFIG_SYNTAX, "t.yaml:2: key 'a' is given twice, first at line 1"},
        {"s:\n  a: 1\n  b: 2\n  a: 3\n", ERR_CONFIG_SYNTAX, "t.yaml:4: key 'a' is given twice, first at line 2"},
        {"a: &x 1\nb: *x\n", ERR_CONFIG_SYNTAX, "t.yaml:1: anchors, aliases and tags are not allowed"},
        {"a: 1\nb: *x\n", ERR_CONFIG_SYNTAX, "t.yaml:2: anchors, aliases and tags are not allowed"},
        {"a: !!str 1\n", ERR_CONFIG_SYNTAX, "t.yaml:1: anchors, aliases and tags are not allowed"},
        {"\na: !x [1]\n", ERR_CONFIG_SYNTAX, "t.yaml:2: anchors, aliases and tags are not allowed"},
        {"a: &x {b: 1}\n", ERR_CONFIG_SYNTAX, "t.yaml:1: anchors, aliases and tags are not allowed"},
        {"- a\n- b\n", ERR_CONFIG_SYNTAX, "t.yaml:1: the document must be a mapping (key: value)"},
        {"hello\n", ERR_CONFIG_SYNTAX, "t.yaml:1: the document must be a mapping (key: value)"},
        {"a: 1\n---\nb: 1\n", ERR_CONFIG_SYNTAX, "t.yaml:2: a second document begins; one file holds one"},
        {"[a, b]: 1\n", ERR_CONFIG_SYNTAX, "t.yaml:1: a key must be plain text"},
        {"'': 1\n", ERR_CONFIG_SYNTAX, "t.yaml:1: a key is empty"},
        {"a: \"x\\0y\"\n", ERR_CONFIG_SYNTAX, "t.yaml:1: a NUL character is not allowed"},
        {"a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", ERR_CONFIG_SYNTAX, "t.yaml:1: nested too deep"},
        {"a: 1\nb: [1\nc: 2\n", ERR_CONFIG_SYNTAX, NULL},
        {"a: 1\n\tb: 2\n", ERR_CONFIG_SYNTAX, NULL},
        {"a: 1\n# c\nb: \xff\xfe\n", ERR_CONFIG_SYNTAX, "t.yaml:3: invalid leading UTF-8 octet"},
        {"a: 1\nb: ${SLUICE_TEST_UNSET}\n", ERR_CONFIG_VALUE,
         "t.yaml:2: b: environment variable is not set: SLUICE_TEST_UNSET"},
        {"s:\n  - x\n  - ${SLUICE_TEST_UNSET\n", ERR_CONFIG_VALUE,
         "t.yaml:3: s[1]: '${' begins a variable, write ${NAME}, or $$ for a dollar sign: SLUICE_TEST_UNSET"},
        {"a: ${}\n", ERR_CONFIG_VALUE,
         "t.yaml:1: a: '${' begins a variable, write ${NAME}, or $$ for a dollar sign: }"},
        {"a: ${1X}\n", ERR_CONFIG_VALUE,
         "t.yaml:1: a: '${' begins a variable, write ${NAME}, or $$ for a dollar sign: 1X}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *cfg = NULL;
        struct err e = ERR_INIT;
        int rc = config_parse(&cfg, &env, "t.yaml", rows[i].yaml, &e);
        assert_int_equal(rc, -(int)rows[i].code);
        assert_null(cfg);
        if (rows[i].text)
            assert_string_equal(e.text, rows[i].text);
        else
            assert_memory_equal(e.text, "t.yaml:", 7);
        assert_int_equal(err_class(&e), ERR_CLASS_USAGE);
    }
}

static void config__empty_file__is_an_empty_mapping(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "\n\n", "# only words\n", "---\n", "---\n...\n", "~\n"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *cfg = parse(rows[i]);
        assert_int_equal(config_root(cfg)->kind, NODE_MAPPING);
        assert_int_equal(config_root(cfg)->count, 0);
        config_free(cfg);
    }
}

static void config__every_cut_of_a_document__is_a_document_or_an_error(void **state)
{
    (void)state;
    static const char text[] =
        "source: { host: a, port: 3306 }\nsinks:\n  c: {type: redis, x: \"a\\u00e9b\"}\nroutes:\n"
        "  - { table: 'shop.orders', to: [c, d], key: '${SLUICE_TEST_HOST}' }\n";
    char cut[sizeof text];
    for (size_t len = 0; len < sizeof text; len++) {
        snprintf(cut, sizeof cut, "%.*s", (int)len, text);
        struct config *cfg = NULL;
        struct err e = ERR_INIT;
        int rc = config_parse(&cfg, &env, "t.yaml", cut, &e);
        assert_int_equal(rc == 0, cfg != NULL);
        assert_int_equal(rc, err_result(&e));
        assert_true(rc == 0 || len < sizeof text - 1);
        config_free(cfg);
    }
}

/* What a hand or a bad copy may do to a file: bytes changed, taken out, doubled. */
static void config__damaged_documents__are_documents_or_errors(void **state)
{
    (void)state;
    static const char text[] =
        "source: { host: a, port: 3306 }\nsinks:\n  c: {type: redis, x: \"a\\u00e9b\"}\nroutes:\n"
        "  - { table: 'shop.orders', to: [c, d], key: '${SLUICE_TEST_HOST}' }\nz: |\n  a\n  b\n";
    static const char marks[] = "{}[]:,-#&*!|>'\"%@`\n\t $~?\\\xff\x01\xc3";
    uint64_t seed = 7;
    unsigned documents = 0;
    for (int round = 0; round < 20000; round++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        for (int change = 0; change <= round % 4; change++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            size_t at = (seed >> 33) % (sizeof text - 1);
            copy[at] = marks[(seed >> 20) % (sizeof marks - 1)];
        }
        struct config *cfg = NULL;
        struct err e = ERR_INIT;
        int rc = config_parse(&cfg, &env, "t.yaml", copy, &e);
        assert_int_equal(rc == 0, cfg != NULL);
        assert_int_equal(rc, err_result(&e));
        if (rc != 0)
            assert_memory_equal(e.text, "t.yaml:", 7);
        documents += rc == 0;
        config_free(cfg);
    }
    assert_in_range(documents, 1000, 19000);
}

static void config__section__is_empty_when_absent_and_must_be_a_mapping(void **state)
{
    (void)state;
    struct config *cfg = parse("source:\nsinks: 7\nlist: {a: 1}\nseq: [1]\n");
    const struct node *out = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(config_section(cfg, config_root(cfg), "source", &out, &e), 0);
    assert_int_equal(out->kind, NODE_MAPPING);
    assert_string_equal(out->path, "source");
    assert_int_equal(out->line, 1);
    assert_int_equal(config_section(cfg, config_root(cfg), "nothing", &out, &e), 0);
    assert_string_equal(out->path, "nothing");
    assert_null(node_first(out));
    assert_int_equal(config_section(cfg, config_root(cfg), "sinks", &out, &e), -ERR_CONFIG_VALUE);
    assert_string_equal(e.text, "t.yaml:2: sinks: must be a mapping (key: value)");
    err_clear(&e);
    assert_int_equal(config_sequence(cfg, config_root(cfg), "nothing", &out, &e), 0);
    assert_null(node_first(out));
    assert_int_equal(config_sequence(cfg, config_root(cfg), "seq", &out, &e), 0);
    assert_int_equal(out->count, 1);
    assert_int_equal(config_sequence(cfg, config_root(cfg), "list", &out, &e), -ERR_CONFIG_VALUE);
    assert_string_equal(e.text, "t.yaml:3: list: must be a list (- item)");
    config_free(cfg);
}

static void config__nearest__finds_one_or_two_slips(void **state)
{
    (void)state;
    static const char *const words[] = {"host", "port", "password", "heartbeat_ms", "max_retries"};
    static const struct {
        const char *word, *nearest;
    } rows[] = {{"hots", "host"},
                {"hst", "host"},
                {"prot", "port"},
                {"pasword", "password"},
                {"heartbeat", NULL},
                {"hearbeat_m", "heartbeat_ms"},
                {"Max-Retries", "max_retries"},
                {"zzz", NULL},
                {"", NULL},
                {"x", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = config_nearest(rows[i].word, words, 5);
        if (rows[i].nearest) {
            assert_non_null(found);
            assert_string_equal(found, rows[i].nearest);
        } else {
            assert_null(found);
        }
    }
}

static void config__file__is_read_or_the_reason_is_given(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice_config_XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "a: 1\n", 5), 5);
    struct config *cfg = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(config_read(&cfg, &env, path, &e), 0);
    assert_string_equal(node_child(config_root(cfg), "a")->text, "1");
    assert_string_equal(config_root(cfg)->file, path);
    config_free(cfg);
    cfg = NULL;
    assert_int_equal(ftruncate(fd, (off_t)CONFIG_BYTES_MAX + 1), 0);
    assert_int_equal(config_read(&cfg, &env, path, &e), -ERR_CONFIG_READ);
    err_clear(&e);
    close(fd);
    unlink(path);
    assert_int_equal(config_read(&cfg, &env, "/nonexistent/s.yaml", &e), -ERR_CONFIG_READ);
    assert_string_equal(e.text, "cannot read configuration file /nonexistent/s.yaml: No such file or directory");
    err_clear(&e);
    assert_int_equal(config_read(&cfg, &env, "/tmp", &e), -ERR_CONFIG_READ);
    assert_null(cfg);
}

static void write_file(const struct env *files, const char *path, const char *text, mode_t mode)
{
    int fd = files->files->open(files->ctx, path, O_RDWR | O_CREAT, mode);
    assert_true(fd >= 0);
    assert_int_equal(files->files->write(files->ctx, fd, text, strlen(text)), strlen(text));
    files->files->close(files->ctx, fd);
}

struct secret_values {
    const char *password;
};

static int read_all(const struct env *files, struct config **cfg, struct secret_values *values, struct err *e)
{
    static const struct option table[] = {
        {.name = "password", .type = OPTION_SECRET, .offset = offsetof(struct secret_values, password)},
        {.name = NULL}};
    int rc = config_read(cfg, files, "/c.yaml", e);
    return rc == 0 ? option_parse(*cfg, table, config_root(*cfg), values, e) : rc;
}

static void config__any_file_operation_fails__is_an_error_and_nothing_stays_open(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env files = memfs_env(fs);
    write_file(&files, "/c.yaml", "password_file: /p\n", 0600);
    write_file(&files, "/p", "secret\n", 0600);
    unsigned n = 1;
    for (bool met = true; met; n++) {
        struct config *cfg = NULL;
        struct secret_values values;
        struct err e = ERR_INIT;
        memfs_fault(fs, MEMFS_ERROR, n);
        int rc = read_all(&files, &cfg, &values, &e);
        met = memfs_fault_met(fs);
        assert_int_equal(rc != 0, met);
        assert_true(rc == 0 || rc == -ERR_CONFIG_READ || rc == -ERR_CONFIG_SECRET);
        if (rc == 0)
            assert_string_equal(values.password, "secret");
        assert_null(strstr(e.text, "secret"));
        assert_int_equal(memfs_open_count(fs), 0);
        config_free(cfg);
    }
    assert_in_range(n, 7, 20);
    memfs_free(fs);
}

static void config__secret_that_others_may_read__is_taken_only_where_containers_have_theirs(void **state)
{
    static const struct {
        const char *path;
        mode_t mode;
        bool taken;
    } rows[] = {
        {"/p", 0600, true},
        {"/p", 0400, true},
        {"/p", 0640, false},
        {"/p", 0604, false},
        {"/run/secrets/p", 0600, true},
        {"/run/secrets/p", 0444, true},
        {"/run/secrets/p", 0644, true},
        {"/run/secrets/p", 0664, false},
        {"/run/secrets/p", 0646, false},
        {"/run/secrets/p", 0755, false},
        {"/run/secretsp", 0644, false},
        {"/run/p", 0644, false},
    };
    static const char *const folders[] = {"/run", "/run/secrets"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct memfs *fs = memfs_new();
        struct env files = memfs_env(fs);
        struct config *cfg = NULL;
        struct secret_values values;
        struct err e = ERR_INIT;
        char text[64];
        snprintf(text, sizeof text, "password_file: %s\n", rows[i].path);
        write_file(&files, "/c.yaml", text, 0600);
        for (size_t d = 0; d < sizeof folders / sizeof *folders; d++)
            assert_int_equal(files.files->mkdir(files.ctx, folders[d], 0755), 0);
        write_file(&files, rows[i].path, "secret\n", rows[i].mode);
        assert_int_equal(read_all(&files, &cfg, &values, &e), rows[i].taken ? 0 : -ERR_CONFIG_SECRET);
        config_free(cfg);
        memfs_free(fs);
    }
}

struct list_values {
    struct option_list to;
    const char *name;
};

static int parse_all(struct config **cfg, struct list_values *values, struct err *e)
{
    static const struct option table[] = {
        {.name = "to", .type = OPTION_LIST, .offset = offsetof(struct list_values, to), .text = "all"},
        {.name = "name", .type = OPTION_STRING, .offset = offsetof(struct list_values, name), .text = "none"},
        {.name = NULL}};
    static char text[30000];
    size_t len = (size_t)snprintf(text, sizeof text, "name: ${SLUICE_TEST_HOST}\nto:\n");
    while (len < sizeof text - 16)
        len += (size_t)snprintf(text + len, 16, "- item%zu\n", len);
    int rc = config_parse(cfg, &env, "t.yaml", text, e);
    return rc == 0 ? option_parse(*cfg, table, config_root(*cfg), values, e) : rc;
}

static void config__any_allocation_fails__is_out_of_memory(void **state)
{
    (void)state;
    unsigned n = 1;
    for (bool met = true; met; n++) {
        struct config *cfg = NULL;
        struct list_values values;
        struct err e = ERR_INIT;
        alloc_fault_arm(n);
        int rc = parse_all(&cfg, &values, &e);
        met = alloc_fault_met();
        alloc_fault_arm(0);
        assert_int_equal(rc, met ? -ERR_NO_MEMORY : 0);
        assert_int_equal(rc, err_result(&e));
        config_free(cfg);
    }
    assert_in_range(n, 10, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__mapping__is_walked_in_file_order_with_lines),
        cmocka_unit_test(config__values__are_null_only_when_plain),
        cmocka_unit_test(config__dollar__expands_variables_and_nothing_else),
        cmocka_unit_test(config__mistake__is_named_with_file_and_line),
        cmocka_unit_test(config__empty_file__is_an_empty_mapping),
        cmocka_unit_test(config__every_cut_of_a_document__is_a_document_or_an_error),
        cmocka_unit_test(config__damaged_documents__are_documents_or_errors),
        cmocka_unit_test(config__section__is_empty_when_absent_and_must_be_a_mapping),
        cmocka_unit_test(config__nearest__finds_one_or_two_slips),
        cmocka_unit_test(config__any_file_operation_fails__is_an_error_and_nothing_stays_open),
        cmocka_unit_test(config__secret_that_others_may_read__is_taken_only_where_containers_have_theirs),
        cmocka_unit_test(config__any_allocation_fails__is_out_of_memory),
        cmocka_unit_test(config__file__is_read_or_the_reason_is_given),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
