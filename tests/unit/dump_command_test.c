/* Bytes and session statements of a binlog dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/dump_command.h"

#define UUID "3e11fa47-71ca-11e1-9e33-c80aa9429562"

static const struct client_server mysql80 = {.flavor = FLAVOR_MYSQL, .version = 80036};
static const struct client_server mysql97 = {.flavor = FLAVOR_MYSQL, .version = 90704};
static const struct client_server mariadb = {.flavor = FLAVOR_MARIADB, .version = 101119};

static struct gtid_set *set_of(enum flavor flavor, const char *text)
{
    struct gtid_set *set = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(gtid_set_parse(&set, flavor, text, strlen(text), &e), 0);
    return set;
}

static void encode(const struct client_server *server, const struct client_dump *dump, uint8_t code, struct buf *out)
{
    struct dump_command cmd;
    struct err e = ERR_INIT;
    assert_int_equal(dump_command_init(&cmd, server, dump, &e), 0);
    assert_int_equal(cmd.code, code);
    buf_init(out, 0);
    dump_command_encode(&cmd, out);
    assert_false(out->failed);
    buf_release(&cmd.gtids);
}

static void dump_command__by_file__position_flags_id_name(void **state)
{
    (void)state;
    const struct filepos at = {.file = "bin.000042", .pos = 0x01020304};
    const struct client_dump dump = {.server_id = 0x0a0b0c0d, .replica_uuid = UUID, .at = &at};
    static const uint8_t wanted[] = {4,   3,   2,   1,   0,   0,   0x0d, 0x0c, 0x0b, 0x0a,
                                     'b', 'i', 'n', '.', '0', '0', '0',  '0',  '4',  '2'};
    struct buf out;
    encode(&mariadb, &dump, DUMP_COMMAND_BY_FILE, &out);
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(out.p, wanted, sizeof wanted);
    buf_release(&out);
}

static void dump_command__annotations__flag_2_to_mariadb_only(void **state)
{
    (void)state;
    const struct filepos at = {.file = "bin.000042", .pos = 4};
    const struct client_dump dump = {.server_id = 1, .replica_uuid = UUID, .at = &at, .annotations = true};
    struct buf out;
    encode(&mariadb, &dump, DUMP_COMMAND_BY_FILE, &out);
    assert_int_equal(out.p[4], 2);
    buf_release(&out);
    encode(&mysql80, &dump, DUMP_COMMAND_BY_FILE, &out);
    assert_int_equal(out.p[4], 0);
    buf_release(&out);
}

static void dump_command__by_gtid__empty_name_position_4_and_the_set(void **state)
{
    (void)state;
    struct gtid_set *set = set_of(FLAVOR_MYSQL, UUID ":1-5");
    const struct client_dump dump = {.server_id = 1, .replica_uuid = UUID, .gtids = set};
    static const uint8_t wanted[] = {
        0,    0,                                              /* flags */
        1,    0,    0,    0,                                  /* server_id */
        0,    0,    0,    0,                                  /* name */
        4,    0,    0,    0,    0,    0,    0,    0,          /* position */
        48,   0,    0,    0,                                  /* bytes of the set */
        1,    0,    0,    0,    0,    0,    0,    0,          /* UUIDs */
        0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1, 0x9e, /* … */
        0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62,             /* UUID */
        1,    0,    0,    0,    0,    0,    0,    0,          /* intervals */
        1,    0,    0,    0,    0,    0,    0,    0,          /* begin */
        6,    0,    0,    0,    0,    0,    0,    0,          /* behind the end */
    };
    struct buf out;
    encode(&mysql80, &dump, DUMP_COMMAND_BY_GTID, &out);
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(out.p, wanted, sizeof wanted);
    buf_release(&out);
    gtid_set_free(set);
}

static void dump_command__tags__tagged_form_on_new_servers_only(void **state)
{
    (void)state;
    struct gtid_set *set = set_of(FLAVOR_MYSQL, UUID ":1-5:blue:1-2");
    const struct client_dump dump = {.server_id = 1, .replica_uuid = UUID, .gtids = set};
    struct dump_command cmd;
    struct err e = ERR_INIT;
    assert_true(dump_command_init(&cmd, &mysql80, &dump, &e) < 0);

    err_clear(&e);
    assert_int_equal(dump_command_init(&cmd, &mysql97, &dump, &e), 0);
    struct gtid_set *back = NULL;
    assert_int_equal(gtid_set_decode(&back, cmd.gtids.p, cmd.gtids.len, &e), 0);
    assert_true(gtid_set_equal(set, back));
    gtid_set_free(back);
    buf_release(&cmd.gtids);
    gtid_set_free(set);
}

static void dump_command__mariadb_gtid__by_file_with_no_name(void **state)
{
    (void)state;
    struct gtid_set *set = set_of(FLAVOR_MARIADB, "0-1-100");
    const struct client_dump dump = {.server_id = 1, .replica_uuid = UUID, .gtids = set};
    static const uint8_t wanted[] = {4, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    struct buf out;
    encode(&mariadb, &dump, DUMP_COMMAND_BY_FILE, &out);
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(out.p, wanted, sizeof wanted);
    buf_release(&out);
    gtid_set_free(set);
}

static void dump_command__starts_that_cannot_be_sent__refused(void **state)
{
    (void)state;
    struct gtid_set *set = set_of(FLAVOR_MARIADB, "0-1-100");
    const struct filepos far = {.file = "bin.000001", .pos = (uint64_t)UINT32_MAX + 1}, nowhere = {.pos = 4};
    const struct client_dump dumps[] = {
        {.replica_uuid = UUID, .at = &far}, {.replica_uuid = UUID, .at = &nowhere}, {.replica_uuid = UUID}};
    struct dump_command cmd;
    for (size_t i = 0; i < sizeof dumps / sizeof *dumps; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(dump_command_init(&cmd, &mysql80, &dumps[i], &e), -(int)ERR_BUG);
    }
    struct err e = ERR_INIT;
    const struct client_dump foreign = {.replica_uuid = UUID, .gtids = set};
    assert_int_equal(dump_command_init(&cmd, &mysql80, &foreign, &e), -(int)ERR_BUG);
    gtid_set_free(set);
}

/* All statements, one a line. */
static void session(const struct client_server *server, const struct client_dump *dump, struct buf *out)
{
    buf_init(out, 0);
    struct buf sql;
    buf_init(&sql, 0);
    for (unsigned n = 0; dump_command_session(n, server, dump, &sql); n++) {
        buf_text(out, (const char *)sql.p);
        buf_byte(out, '\n');
        buf_clear(&sql);
    }
    buf_byte(out, 0);
    buf_release(&sql);
}

static void dump_command__session_of_mysql__old_and_new_names(void **state)
{
    (void)state;
    struct gtid_set *set = set_of(FLAVOR_MYSQL, UUID ":1-5");
    const struct client_dump dump = {.replica_uuid = "ab", .gtids = set, .heartbeat_ms = 5000};
    struct buf out;
    session(&mysql97, &dump, &out);
    assert_string_equal((const char *)out.p,
                        "SET SESSION net_write_timeout=3600\n"
                        "SET @master_binlog_checksum=@@global.binlog_checksum, "
                        "@source_binlog_checksum=@@global.binlog_checksum\n"
                        "SET @master_heartbeat_period=5000000000, @source_heartbeat_period=5000000000\n"
                        "SET @slave_uuid=_utf8mb4 x'6162', @replica_uuid=_utf8mb4 x'6162'\n");
    buf_release(&out);
    gtid_set_free(set);
}

static void dump_command__session_of_mariadb__capability_and_position(void **state)
{
    (void)state;
    struct gtid_set *set = set_of(FLAVOR_MARIADB, "1-2-7,0-1-100");
    const struct client_dump dump = {.replica_uuid = "ab", .gtids = set, .heartbeat_ms = 1};
    struct buf out;
    session(&mariadb, &dump, &out);
    assert_string_equal((const char *)out.p, "SET SESSION net_write_timeout=3600\n"
                                             "SET @master_binlog_checksum=@@global.binlog_checksum\n"
                                             "SET @master_heartbeat_period=1000000\n"
                                             "SET @slave_uuid=_utf8mb4 x'6162', @replica_uuid=_utf8mb4 x'6162'\n"
                                             "SET @mariadb_slave_capability=4\n"
                                             "SET @slave_connect_state='0-1-100,1-2-7', @slave_gtid_strict_mode=0, "
                                             "@slave_gtid_ignore_duplicates=0\n");
    buf_release(&out);
    gtid_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump_command__by_file__position_flags_id_name),
        cmocka_unit_test(dump_command__annotations__flag_2_to_mariadb_only),
        cmocka_unit_test(dump_command__by_gtid__empty_name_position_4_and_the_set),
        cmocka_unit_test(dump_command__tags__tagged_form_on_new_servers_only),
        cmocka_unit_test(dump_command__mariadb_gtid__by_file_with_no_name),
        cmocka_unit_test(dump_command__starts_that_cannot_be_sent__refused),
        cmocka_unit_test(dump_command__session_of_mysql__old_and_new_names),
        cmocka_unit_test(dump_command__session_of_mariadb__capability_and_position),
    };
    return cmocka_run_group_tests_name("dump_command", tests, NULL, NULL);
}
