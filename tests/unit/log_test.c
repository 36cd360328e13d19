/* Log lines, read back by jansson and by a reader of logfmt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "tools/memfs.h"

#define TS "2023-11-14T22:13:20.000Z"

static struct memfs *fs;
static struct env env;
static int fd;

static int setup(void **state)
{
    char path[] = "/tmp/sluice_log_XXXXXX";
    (void)state;
    fs = memfs_new();
    env = memfs_env(fs);
    fd = mkstemp(path);
    unlink(path);
    return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    memfs_free(fs);
    return close(fd);
}

/* What was logged since the last call. */
static const char *written(void)
{
    static char text[65536];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return text;
}

static void log__logfmt__is_written_to_the_letter(void **state)
{
    (void)state;
    struct log *log = log_new(&env, fd, LOG_LOGFMT, LOG_INFO);
    log_event(log, LOG_INFO, "connected", LOG_STR("host", "127.0.0.1"), LOG_UINT("port", 3306));
    assert_string_equal(written(), "ts=" TS " level=info msg=connected host=127.0.0.1 port=3306\n");
    memfs_advance(fs, 1234567);
    log_event(log, LOG_WARN, "two words", LOG_INT("n", -5), LOG_REAL("rate", 1.5), LOG_STR("e", ""),
              LOG_STR("q", "a=\"b\\\n\x01"), LOG_STR("u", "gr\xc3\xbcn"), LOG_STR("bad", "\xff\xc0\x80z"),
              LOG_STR("none", NULL));
    assert_string_equal(written(), "ts=2023-11-14T22:13:21.234Z level=warn msg=\"two words\" n=-5 rate=1.500 e=\"\" "
                                   "q=\"a=\\\"b\\\\\\n\\u0001\" u=\"gr\xc3\xbcn\" "
                                   "bad=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\" none=\"\"\n");
    log_event(log, LOG_DEBUG, "hidden");
    assert_string_equal(written(), "");
    log_event(NULL, LOG_ERROR, "nowhere");
    memfs_advance(fs, -1234567);
    log_free(log);
}

static void log__part__has_its_field_in_every_line_and_outlives_the_whole(void **state)
{
    (void)state;
    struct log *log = log_new(&env, fd, LOG_LOGFMT, LOG_INFO);
    struct log *part = log_new_part(log, "half", "reader");
    struct err e = ERR_INIT;
    log_event(log, LOG_INFO, "whole");
    log_free(log);
    log_event(part, LOG_INFO, "m", LOG_INT("n", 1));
    assert_string_equal(written(), "ts=" TS " level=info msg=whole\nts=" TS " level=info msg=m half=reader n=1\n");
    (void)err_set(&e, INTERRUPTED);
    log_error(part, "m", &e);
    assert_non_null(strstr(written(), " msg=m half=reader err=interrupted "));
    log_event(part, LOG_DEBUG, "hidden");
    assert_string_equal(written(), "");
    assert_null(log_new_part(NULL, "half", "reader"));
    log_free(part);
}

static void log__error__carries_name_text_and_what_to_do(void **state)
{
    (void)state;
    struct log *log = log_new(&env, fd, LOG_LOGFMT, LOG_INFO);
    struct err e = ERR_INIT;
    (void)err_set(&e, STATE_LOCKED, "/s/lock", "7");
    log_error(log, "cannot start", &e);
    assert_string_equal(written(), "ts=" TS " level=error msg=\"cannot start\" err=state_locked "
                                   "text=\"/s/lock is locked by process 7\" todo=\"another sluice runs on this "
                                   "state_dir: stop it, or use another state_dir\"\n");
    err_clear(&e);
    log_error(log, "odd", &e);
    assert_string_equal(written(), "ts=" TS " level=error msg=odd\n");
    for (unsigned code = 1; code < ERR_CODE_COUNT; code++) {
        e = (struct err){.code = (enum err_code)code, .text = "x"};
        log_error(log, "m", &e);
        const char *level = err_class(&e) == ERR_CLASS_RETRY ? " level=warn " : " level=error ";
        assert_non_null(strstr(written(), level));
    }
    log_free(log);
}

static void check_json(struct log *log, const char *value, const char *expected)
{
    json_error_t why;
    log_event(log, LOG_ERROR, "m", LOG_STR("v", value), LOG_INT("i", INT64_MIN), LOG_UINT("u", 7), LOG_REAL("r", -0.25),
              LOG_REAL("nan", NAN));
    const char *line = written();
    size_t len = strlen(line);
    assert_int_equal(line[len - 1], '\n');
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        fail_msg("%s: %s", why.text, line);
    assert_string_equal(json_string_value(json_object_get(root, "ts")), TS);
    assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(root, "msg")), "m");
    assert_string_equal(json_string_value(json_object_get(root, "v")), expected);
    assert_true(json_integer_value(json_object_get(root, "i")) == INT64_MIN);
    assert_int_equal(json_integer_value(json_object_get(root, "u")), 7);
    assert_true(json_number_value(json_object_get(root, "r")) == -0.25);
    assert_true(json_is_null(json_object_get(root, "nan")));
    json_decref(root);
}

/* The value of `key` in a logfmt line, by the format's own rules; a quoted value is a JSON string. NULL: no such line.
 */
static json_t *logfmt_value(const char *line, const char *key)
{
    json_t *found = NULL;
    while (*line && *line != '\n') {
        const char *equals = line + strcspn(line, "= \n\"");
        if (*equals != '=' || equals == line)
            return NULL;
        const char *value = equals + 1, *end = value;
        bool quoted = *value == '"';
        if (quoted)
            for (end++; *end && *end != '"'; end++)
                end += *end == '\\';
        end += quoted ? *end == '"' : strcspn(end, " \n=\"");
        if (*end != ' ' && *end != '\n')
            return NULL;
        if (strncmp(line, key, (size_t)(equals - line)) == 0 && key[equals - line] == '\0')
            found = quoted ? json_loadb(value, (size_t)(end - value), JSON_DECODE_ANY, NULL)
                           : json_stringn(value, (size_t)(end - value));
        line = end + (*end == ' ');
    }
    return found;
}

/* Both formats must hold the same value: what could be read of `value`. */
static void check_both(struct log *json, struct log *logfmt, const char *value)
{
    json_error_t why;
    log_event(json, LOG_INFO, value, LOG_STR("v", value));
    json_t *root = json_loads(written(), 0, &why);
    if (!root)
        fail_msg("%s", why.text);
    log_event(logfmt, LOG_INFO, value, LOG_STR("v", value), LOG_INT("n", 1));
    const char *line = written();
    json_t *v = logfmt_value(line, "v"), *n = logfmt_value(line, "n");
    assert_true(v && json_equal(json_object_get(root, "v"), v));
    assert_string_equal(json_string_value(n), "1");
    json_decref(v);
    json_decref(n);
    json_decref(root);
}

static void log__json__is_valid_for_any_bytes(void **state)
{
    (void)state;
    struct log *log = log_new(&env, fd, LOG_JSON, LOG_DEBUG);
    check_json(log, "plain", "plain");
    check_json(log, "\"\\/\b\f\n\r\t\x01\x1f\x7f", "\"\\/\b\f\n\r\t\x01\x1f\x7f");
    check_json(log, "\xf0\x9f\x98\x80 \xe2\x82\xac", "\xf0\x9f\x98\x80 \xe2\x82\xac");
    check_json(log, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_json(log, "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_json(log, "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    log_free(log);
}

static void log__both_formats__hold_the_same_value_for_any_bytes(void **state)
{
    (void)state;
    struct log *json = log_new(&env, fd, LOG_JSON, LOG_DEBUG);
    struct log *logfmt = log_new(&env, fd, LOG_LOGFMT, LOG_DEBUG);
    uint64_t seed = 42;
    for (int round = 0; round < 4000; round++) {
        char value[24];
        uint64_t range = round % 2 ? 255 : 127;
        for (size_t i = 0; i < sizeof value; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            value[i] = (char)(1 + (seed >> 33) % range);
        }
        value[round % (int)sizeof value] = '\0';
        check_both(json, logfmt, value);
    }
    log_free(json);
    log_free(logfmt);
}

static void log__line_too_long__is_cut_and_still_whole(void **state)
{
    (void)state;
    static char text[20000];
    struct log *json = log_new(&env, fd, LOG_JSON, LOG_DEBUG);
    struct log *logfmt = log_new(&env, fd, LOG_LOGFMT, LOG_DEBUG);
    for (size_t len = 7900; len < 8300; len++) {
        json_error_t why;
        memset(text, 'x', len);
        text[len] = '\0';
        memcpy(text + len - 2, "\xc3\xbc", 2);
        log_event(json, LOG_INFO, "m", LOG_STR("v", text), LOG_STR("w", "\n\n"), LOG_UINT("n", 12345));
        const char *line = written();
        assert_true(strlen(line) <= 8192);
        json_t *root = json_loads(line, 0, &why);
        if (!root)
            fail_msg("%s", why.text);
        assert_non_null(json_object_get(root, "v"));
        json_decref(root);
        log_event(logfmt, LOG_INFO, "m", LOG_STR("v", text), LOG_STR("w", "\n\n"), LOG_UINT("n", 12345));
        line = written();
        assert_true(strlen(line) <= 8192);
        size_t quotes = 0;
        for (const char *p = line; *p; p++)
            quotes += *p == '"';
        assert_int_equal(quotes % 2, 0);
        assert_int_equal(line[strlen(line) - 1], '\n');
    }
    log_free(json);
    log_free(logfmt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__logfmt__is_written_to_the_letter),
        cmocka_unit_test(log__part__has_its_field_in_every_line_and_outlives_the_whole),
        cmocka_unit_test(log__error__carries_name_text_and_what_to_do),
        cmocka_unit_test(log__json__is_valid_for_any_bytes),
        cmocka_unit_test(log__both_formats__hold_the_same_value_for_any_bytes),
        cmocka_unit_test(log__line_too_long__is_cut_and_still_whole),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
