/* The connection against servers that are rogue, broken or gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/greeting.h"
#include "tools/scripted_mysql.h"

#define PASSWORD "canary-password"
#define CONTENT  "canary-content-of-a-file"
#define UUID     "5f0c3a52-0001-4000-8000-000000000001"

static struct client_options options(const struct scripted_mysql *srv)
{
    return (struct client_options){.host = "127.0.0.1",
                                   .port = scripted_mysql_port(srv),
                                   .user = "sluice",
                                   .password = PASSWORD,
                                   .connect_timeout_ms = 5000,
                                   .read_timeout_ms = 5000};
}

/* Login, dump, and one event; the first error. */
static enum err_code talk(const struct client_options *opt, struct err *e)
{
    struct client *cli = NULL;
    const struct filepos at = {.file = "bin.000001", .pos = 4};
    const struct client_dump dump = {.server_id = 7, .replica_uuid = UUID, .at = &at, .heartbeat_ms = 1000};
    const uint8_t *event;
    size_t len;
    err_clear(e);
    int rc = client_connect(&cli, opt, e);
    if (rc == 0)
        rc = client_dump_start(cli, &dump, e);
    if (rc == 0)
        rc = client_dump_read(cli, 2000, &event, &len, e);
    client_close(cli);
    return e->code;
}

static void client__server_asks_for_a_local_file__nothing_is_sent(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-unit-infile-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, CONTENT, sizeof CONTENT - 1), (ssize_t)sizeof CONTENT - 1);
    close(fd);
    const struct mysql_script script = {.infile = path};
    struct scripted_mysql *srv = scripted_mysql_start(&script);
    struct client_options opt = options(srv);
    struct err e = ERR_INIT;
    enum err_code code = talk(&opt, &e);
    scripted_mysql_stop(srv);
    unlink(path);
    assert_int_not_equal(code, ERR_NONE);
    assert_true(scripted_mysql_received(srv, "SHOW GLOBAL", 11));
    assert_false(scripted_mysql_received(srv, CONTENT, sizeof CONTENT - 1));
    scripted_mysql_free(srv);
}

static void client__server_asks_for_the_clear_password__refused(void **state)
{
    (void)state;
    static const char *const plugins[] = {"mysql_clear_password", "dialog", "mysql_old_password"};
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++) {
        const struct mysql_script script = {.switch_to = plugins[i]};
        struct scripted_mysql *srv = scripted_mysql_start(&script);
        struct client_options opt = options(srv);
        struct err e = ERR_INIT;
        enum err_code code = talk(&opt, &e);
        scripted_mysql_stop(srv);
        if (code != ERR_LOGIN_DENIED)
            fail_msg("%s: %s: %s", plugins[i], err_code_name(code), e.text);
        assert_false(scripted_mysql_received(srv, PASSWORD, sizeof PASSWORD - 1));
        scripted_mysql_free(srv);
    }
}

/* Neither a name nor a scrambled password goes to a server that cannot keep them, whatever it would answer. */
static void client__server_without_tls_denies_logins__tls_failed_and_nothing_sent(void **state)
{
    (void)state;
    static const enum client_tls modes[] = {CLIENT_TLS_REQUIRED, CLIENT_TLS_VERIFY_CA, CLIENT_TLS_VERIFY_IDENTITY};
    const struct mysql_script script = {.switch_to = "dialog"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct scripted_mysql *srv = scripted_mysql_start(&script);
        struct client_options opt = options(srv);
        struct err e = ERR_INIT;
        opt.tls = modes[i];
        enum err_code code = talk(&opt, &e);
        scripted_mysql_stop(srv);
        if (code != ERR_TLS_FAILED)
            fail_msg("mode %d: %s: %s", (int)modes[i], err_code_name(code), e.text);
        assert_false(scripted_mysql_received(srv, "sluice", 6));
        scripted_mysql_free(srv);
    }
}

struct greeting_row {
    const char *what;
    const char *bytes;
    size_t len;
    enum greeting said;
};

#define GREETING(what, bytes, said)                                                                                    \
    {                                                                                                                  \
        what, bytes, sizeof(bytes) - 1, said                                                                           \
    }

static void greeting__bytes__say_whether_tls_is_offered(void **state)
{
    (void)state;
    static const struct greeting_row rows[] = {
        GREETING("offered", "\x1a\0\0\0\n8.0\0\1\0\0\0abcdefgh\0\xff\xff", GREETING_TLS),
        GREETING("not offered", "\x1a\0\0\0\n8.0\0\1\0\0\0abcdefgh\0\xff\xf7", GREETING_PLAIN),
        GREETING("other protocol",
                 "\x1a\0\0\0\x09"
                 "8.0\0\1\0\0\0abcdefgh\0\xff\xff",
                 GREETING_NONE),
        GREETING("an error", "\x1a\0\0\0\xff\x69\4Host is blocked", GREETING_NONE),
        GREETING("version without end", "\x1a\0\0\0\n8.0", GREETING_NONE),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (greeting_read((const uint8_t *)rows[i].bytes, rows[i].len) != rows[i].said)
            fail_msg("%s", rows[i].what);
        for (size_t len = 0; len < rows[i].len; len++)
            if (greeting_read((const uint8_t *)rows[i].bytes, len) != GREETING_NONE)
                fail_msg("%s, cut after %zu bytes", rows[i].what, len);
    }
}

/* 0.0.0.0 reaches this machine, but is no name of the loopback. */
static void client__full_login_without_tls__only_to_loopback(void **state)
{
    (void)state;
    const struct mysql_script script = {.switch_to = "caching_sha2_password", .full_login = true};
    struct scripted_mysql *srv = scripted_mysql_start(&script);
    struct client_options opt = options(srv);
    struct err e = ERR_INIT;
    opt.host = "0.0.0.0";
    opt.tls = CLIENT_TLS_DISABLED;
    enum err_code code = talk(&opt, &e);
    bool asked_for_key = scripted_mysql_received(srv, "\x02", 1) && code == ERR_NONE;
    scripted_mysql_stop(srv);
    assert_int_equal(code, ERR_LOGIN_DENIED);
    assert_false(asked_for_key);
    assert_false(scripted_mysql_received(srv, PASSWORD, sizeof PASSWORD - 1));
    scripted_mysql_free(srv);
}

static void client__server_without_tls__refused_where_tls_is_wanted(void **state)
{
    (void)state;
    static const enum client_tls modes[] = {CLIENT_TLS_DEFAULT, CLIENT_TLS_REQUIRED, CLIENT_TLS_VERIFY_CA,
                                            CLIENT_TLS_VERIFY_IDENTITY};
    const struct mysql_script script = {.close_after = 0};
    struct scripted_mysql *srv = scripted_mysql_start(&script);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct client_options opt = options(srv);
        struct err e = ERR_INIT;
        opt.host = "0.0.0.0";
        opt.tls = modes[i];
        if (talk(&opt, &e) != ERR_TLS_FAILED)
            fail_msg("mode %d: %s: %s", (int)modes[i], err_code_name(e.code), e.text);
    }
    scripted_mysql_stop(srv);
    scripted_mysql_free(srv);
}

struct ending {
    const char *bytes;
    size_t len;
    enum err_code code;
};

#define ENDING(text, code_)                                                                                            \
    {                                                                                                                  \
        text, sizeof(text) - 1, code_                                                                                  \
    }

static void client__dump_ends__each_packet_has_its_error(void **state)
{
    (void)state;
    static const struct ending endings[] = {
        ENDING("\xfe\x00\x00\x02\x00", ERR_CONNECT),
        ENDING("\xff\xd4\x04#HY000Could not find first log file name in binary log index file", ERR_BINLOG_PURGED),
        ENDING("\xff\xd4\x04#HY000A replica with the same server_uuid/server_id as this replica has connected to the "
               "source",
               ERR_SERVER_ID_DUPLICATE),
        ENDING("\xff\xcb\x04#42000Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)",
               ERR_GRANT_MISSING),
        ENDING("\xff\x1d\x04#08S01Server shutdown in progress", ERR_CONNECT),
        ENDING("\xfb/etc/passwd", ERR_CORRUPT),
        ENDING("\x07", ERR_CORRUPT),
        ENDING("\x00", ERR_CORRUPT),
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const struct scripted_packet dump[] = {{endings[i].bytes, endings[i].len}, {NULL, 0}};
        const struct mysql_script script = {.dump = dump};
        struct scripted_mysql *srv = scripted_mysql_start(&script);
        struct client_options opt = options(srv);
        struct err e = ERR_INIT;
        enum err_code code = talk(&opt, &e);
        scripted_mysql_stop(srv);
        scripted_mysql_free(srv);
        if (code != endings[i].code)
            fail_msg("row %zu: %s: %s", i, err_code_name(code), e.text);
    }
}

static void client__hang_up_after_each_byte__class_retry(void **state)
{
    (void)state;
    static const struct scripted_packet dump[] = {{"\0event", 6}, {NULL, 0}};
    struct mysql_script script = {.dump = dump};
    struct err e = ERR_INIT;
    struct scripted_mysql *srv = scripted_mysql_start(&script);
    struct client_options opt = options(srv);
    opt.tls = CLIENT_TLS_DISABLED;
    assert_int_equal(talk(&opt, &e), ERR_NONE);
    scripted_mysql_stop(srv);
    size_t whole = scripted_mysql_sent(srv);
    scripted_mysql_free(srv);
    assert_true(whole > 100);

    for (size_t cut = 1; cut < whole; cut++) {
        script.close_after = cut;
        srv = scripted_mysql_start(&script);
        opt.port = scripted_mysql_port(srv);
        enum err_code code = talk(&opt, &e);
        scripted_mysql_stop(srv);
        scripted_mysql_free(srv);
        if (err_code_class(code) != ERR_CLASS_RETRY)
            fail_msg("cut after %zu of %zu bytes: %s: %s", cut, whole, err_code_name(code), e.text);
    }
}

static void client__silent_dump__connect_error_after_the_timeout(void **state)
{
    (void)state;
    const struct mysql_script script = {.dump = NULL};
    struct scripted_mysql *srv = scripted_mysql_start(&script);
    struct client_options opt = options(srv);
    struct err e = ERR_INIT;
    opt.read_timeout_ms = 1000;
    assert_int_equal(talk(&opt, &e), ERR_CONNECT);
    scripted_mysql_stop(srv);
    scripted_mysql_free(srv);
}

static void client__names_and_texts__quoted(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    client_quote_name("a`b", &out);
    client_quote_text("o'x", &out);
    client_quote_text("", &out);
    buf_byte(&out, 0);
    assert_string_equal((const char *)out.p, "`a``b`_utf8mb4 x'6f2778'''");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client__server_asks_for_a_local_file__nothing_is_sent),
        cmocka_unit_test(client__server_asks_for_the_clear_password__refused),
        cmocka_unit_test(client__full_login_without_tls__only_to_loopback),
        cmocka_unit_test(client__server_without_tls__refused_where_tls_is_wanted),
        cmocka_unit_test(client__server_without_tls_denies_logins__tls_failed_and_nothing_sent),
        cmocka_unit_test(greeting__bytes__say_whether_tls_is_offered),
        cmocka_unit_test(client__dump_ends__each_packet_has_its_error),
        cmocka_unit_test(client__hang_up_after_each_byte__class_retry),
        cmocka_unit_test(client__silent_dump__connect_error_after_the_timeout),
        cmocka_unit_test(client__names_and_texts__quoted),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
