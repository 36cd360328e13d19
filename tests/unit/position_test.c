/* Places in the log, starts as people type them, durable positions, versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "position/position.h"
#include "position/version.h"

#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"

static void filepos__text__round_trip_or_syntax_error(void **state)
{
    (void)state;
    static const struct {
        const char *text, *file;
        uint64_t pos;
    } rows[] = {
        {"binlog.000042:1337", "binlog.000042", 1337},
        {"host:name-bin.000001:4", "host:name-bin.000001", 4},
        {"my log.1000000:9223372036854775807", "my log.1000000", INT64_MAX},
        {"", NULL, 0},
        {"binlog.000042", NULL, 0},
        {":4", NULL, 0},
        {"binlog.000042:", NULL, 0},
        {"binlog.000042:3", NULL, 0},
        {"binlog.000042:-4", NULL, 0},
        {"binlog.000042: 4", NULL, 0},
        {"binlog.000042:4 ", NULL, 0},
        {"binlog.000042:0x4", NULL, 0},
        {"binlog.000042:9223372036854775808", NULL, 0},
        {"/var/lib/binlog.000042:4", NULL, 0},
        {"bin\nlog.000042:4", NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct filepos at;
        char text[FILEPOS_TEXT_MAX];
        struct err e = ERR_INIT;
        int rc = filepos_parse(&at, rows[i].text, strlen(rows[i].text), &e);
        if ((rc == 0) != (rows[i].file != NULL))
            fail_msg("'%s': %s", rows[i].text, rc ? e.text : "accepted");
        if (rc) {
            assert_int_equal(e.code, ERR_POSITION_SYNTAX);
            continue;
        }
        assert_string_equal(at.file, rows[i].file);
        assert_true(at.pos == rows[i].pos);
        assert_int_equal(filepos_print(&at, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void filepos__longest_name__fits_and_one_more_does_not(void **state)
{
    (void)state;
    char text[FILEPOS_FILE_MAX + 4];
    struct filepos at;
    memset(text, 'x', sizeof text);
    memcpy(text + FILEPOS_FILE_MAX, ":4", 2);
    assert_int_equal(filepos_parse(&at, text, FILEPOS_FILE_MAX + 2, NULL), 0);
    assert_int_equal(strlen(at.file), FILEPOS_FILE_MAX);
    memcpy(text + FILEPOS_FILE_MAX, "x:4", 3);
    assert_int_equal(filepos_parse(&at, text, FILEPOS_FILE_MAX + 3, NULL), -(int)ERR_POSITION_SYNTAX);
}

static void filepos__suffix_of_any_length__order_of_the_log(void **state)
{
    (void)state;
    static const struct filepos rising[] = {
        {"b.000001", 4},          {"b.000001", 5},  {"b.000002", 4},           {"b.999999", UINT32_MAX},
        {"b.999999", 1ULL << 39}, {"b.1000000", 4}, {"b.1000000", 1ULL << 33}, {"b.16777215", 4},
    };
    size_t n = sizeof rising / sizeof *rising;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int order = filepos_compare(&rising[i], &rising[j]);
            uint64_t x = filepos_sequence(&rising[i]), y = filepos_sequence(&rising[j]);
            assert_int_equal(order < 0, i < j);
            assert_int_equal(order > 0, i > j);
            assert_int_equal(x < y, i < j);
        }
    assert_int_equal(filepos_file_number("a.b.000012"), 12);
    assert_int_equal(filepos_file_number("binlog"), 0);
    assert_int_equal(filepos_file_number("binlog."), 0);
    assert_int_equal(filepos_file_number("binlog.12x"), 0);
    assert_int_equal(filepos_file_number(""), 0);
}

static void filepos__event_end_from_32_bits__64_bits(void **state)
{
    (void)state;
    static const struct {
        uint64_t start;
        uint32_t len, log_pos;
        uint64_t end;
        const char *why;
    } rows[] = {
        {4, 100, 104, 104, "plain"},
        {4, 100, 0, 104, "MariaDB 11.4 writes 0"},
        {4, 100, 150, 150, "events were skipped"},
        {4294967290, 100, 94, 4294967390, "wraps inside the event"},
        {4294967296, 100, 100, 4294967396, "beyond 4 GiB"},
        {12884901988, 50, 150, 12884902038, "beyond 12 GiB"},
        {4294967290, 2, 100, 4294967396, "skipped across the wrap"},
        {4294967200, 96, 0, 4294967296, "ends exactly at 4 GiB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (filepos_event_end(rows[i].start, rows[i].len, rows[i].log_pos) != rows[i].end)
            fail_msg("%s", rows[i].why);
}

static void start__what_people_type__told_apart_by_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum start_kind kind;
        int64_t time_us;
    } rows[] = {
        {"current", START_CURRENT, 0},
        {"earliest", START_EARLIEST, 0},
        {"binlog.000042:1337", START_FILEPOS, 0},
        {UUID_A ":1-5", START_GTID, 0},
        {UUID_A ":tag:1-5," UUID_A ":1", START_GTID, 0},
        {" " UUID_A ":1-5", START_GTID, 0},
        {"0-1-100", START_GTID, 0},
        {"0-1-100, 1-1-5", START_GTID, 0},
        {"2026-11-22", START_GTID, 0},
        {"1970-01-01T00:00:00Z", START_TIME, 0},
        {"2026-11-22T10:00:00Z", START_TIME, 1795341600000000},
        {"2026-11-22 10:00:00", START_TIME, 1795341600000000},
        {"2024-02-29T23:59:59.000001Z", START_TIME, 1709251199000001},
        {"2000-03-01T00:00:00.5", START_TIME, 951868800500000},
        {"2100-03-01T00:00:00Z", START_TIME, 4107542400000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct start start;
        struct err e = ERR_INIT;
        if (start_parse(&start, rows[i].text, &e) != 0)
            fail_msg("%s", e.text);
        if (start.kind != rows[i].kind || start.time_us != rows[i].time_us)
            fail_msg("%s: kind %d, time %lld", rows[i].text, start.kind, (long long)start.time_us);
        assert_int_equal(start.pos.gtids != NULL, rows[i].kind == START_GTID);
        assert_int_equal(start.pos.at.file[0] != 0, rows[i].kind == START_FILEPOS);
        position_release(&start.pos);
    }
}

static void start__neither_form__position_syntax(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "now",
        "binlog.000042",
        "2026-11-22T10:00",
        "2026-11-22T24:00:00Z",
        "2026-02-29T10:00:00Z",
        "2100-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-00-01T10:00:00Z",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00.1234567Z",
        "2026-11-22T10:00:00+01:00",
        "1969-12-31T23:59:59Z",
        UUID_A,
        UUID_A ":",
        "0-1",
        "binlog.000042:1",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct start start;
        struct err e = ERR_INIT;
        if (start_parse(&start, rows[i], &e) == 0)
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(e.code, ERR_POSITION_SYNTAX);
    }
}

static void end__a_start_that_is_no_end__position_syntax(void **state)
{
    (void)state;
    struct start end;
    struct err e = ERR_INIT;
    assert_int_equal(end_parse(&end, "binlog.000042:1337", &e), 0);
    assert_int_equal(end.kind, START_FILEPOS);
    assert_int_equal(end_parse(&end, "current", &e), -ERR_POSITION_SYNTAX);
    err_clear(&e);
    assert_int_equal(end_parse(&end, "earliest", &e), -ERR_POSITION_SYNTAX);
}

static struct position sample(enum flavor flavor, const char *gtids)
{
    struct position pos;
    position_init(&pos);
    if (gtids)
        assert_int_equal(gtid_set_parse(&pos.gtids, flavor, gtids, strlen(gtids), NULL), 0);
    return pos;
}

static void assert_same(const struct position *a, const struct position *b)
{
    assert_string_equal(a->at.file, b->at.file);
    assert_true(a->at.pos == b->at.pos);
    assert_string_equal(a->server_uuid, b->server_uuid);
    assert_true(a->commit_us == b->commit_us);
    assert_int_equal(a->gtids != NULL, b->gtids != NULL);
    if (a->gtids)
        assert_true(gtid_set_equal(a->gtids, b->gtids));
}

static void position__every_mix_of_known_fields__decode_of_encode_equals(void **state)
{
    (void)state;
    static const struct {
        enum flavor flavor;
        const char *gtids;
    } sets[] = {{FLAVOR_MYSQL, NULL},
                {FLAVOR_MYSQL, ""},
                {FLAVOR_MYSQL, UUID_A ":1-5:tag:7"},
                {FLAVOR_MARIADB, ""},
                {FLAVOR_MARIADB, "0-1-100,1-1-1"}};
    for (unsigned mix = 0; mix < 8; mix++)
        for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
            struct position pos = sample(sets[i].flavor, sets[i].gtids), again, copy;
            struct buf b;
            buf_init(&b, 0);
            if (mix & 1)
                pos.at = (struct filepos){"bin log.1000000", 1ULL << 40};
            if (mix & 2)
                memcpy(pos.server_uuid, UUID_A, sizeof UUID_A);
            pos.commit_us = mix & 4 ? 1795341600000001 : mix & 1 ? -5 : 0;
            assert_int_equal(position_encode(&pos, &b, NULL), 0);
            assert_int_equal(position_decode(&again, b.p, b.len, NULL), 0);
            assert_same(&pos, &again);
            position_init(&copy);
            assert_int_equal(position_copy(&copy, &pos, NULL), 0);
            assert_int_equal(position_copy(&copy, &again, NULL), 0);
            assert_same(&pos, &copy);
            for (size_t cut = 0; cut < b.len; cut++) {
                struct position none;
                uint8_t *part = malloc(cut + 1);
                memcpy(part, b.p, cut);
                assert_int_equal(position_decode(&none, part, cut, NULL), -(int)ERR_STATE_CORRUPT);
                free(part);
            }
            buf_byte(&b, '\n');
            struct position none;
            assert_int_equal(position_decode(&none, b.p, b.len, NULL), -(int)ERR_STATE_CORRUPT);
            position_release(&pos);
            position_release(&again);
            position_release(&copy);
            buf_release(&b);
        }
}

static void position__bytes_of_another_form__state_corrupt(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"file\":\"b.1\"}",
        "position=2\nfile=b.1\npos=4\nserver=-\ncommit_us=0\ngtids=-\n",
        "position=1\nfile=b.1\npos=x\nserver=-\ncommit_us=0\ngtids=-\n",
        "position=1\nfile=b.1\npos=4\nserver=3e11fa47-71ca-11e1-9e33-c80aa94295621\ncommit_us=0\ngtids=-\n",
        "position=1\nfile=b.1\npos=4\nserver=-\ncommit_us=\ngtids=-\n",
        "position=1\nfile=b.1\npos=4\nserver=-\ncommit_us=0\ngtids=oracle 1\n",
        "position=1\nfile=b.1\npos=4\nserver=-\ncommit_us=0\ngtids=mysql 0-1-1\n",
        "position=1\npos=4\nfile=b.1\nserver=-\ncommit_us=0\ngtids=-\n",
        "position=1\nfile=\npos=4\nserver=-\ncommit_us=0\ngtids=-\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct position pos;
        struct err e = ERR_INIT;
        if (position_decode(&pos, (const uint8_t *)rows[i], strlen(rows[i]), &e) == 0)
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(e.code, ERR_STATE_CORRUPT);
    }
    struct position bad = sample(FLAVOR_MYSQL, NULL);
    struct buf b;
    buf_init(&b, 0);
    memcpy(bad.at.file, "a\nb", 4);
    assert_int_equal(position_encode(&bad, &b, NULL), -(int)ERR_BUG);
    buf_release(&b);
}

static void version__text__fixed_width_and_same_order(void **state)
{
    (void)state;
    static const struct version rising[] = {
        {0, 0, 0},
        {0, 0, 1},
        {0, 1, 0},
        {1, 0, UINT64_MAX},
        {1, 9, 5},
        {1, 10, 0},
        {1, 1ULL << 63, 0},
        {2, 0, 0},
        {1795341600, 1, 0},
        {UINT32_MAX, 0, 0},
        {UINT32_MAX, UINT64_MAX, UINT64_MAX},
    };
    size_t n = sizeof rising / sizeof *rising;
    char texts[sizeof rising / sizeof *rising][VERSION_TEXT_LEN];
    for (size_t i = 0; i < n; i++) {
        struct version again;
        version_print(&rising[i], texts[i]);
        assert_int_equal(version_parse(&again, texts[i], VERSION_TEXT_LEN, NULL), 0);
        assert_int_equal(version_compare(&again, &rising[i]), 0);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int order = version_compare(&rising[i], &rising[j]);
            int bytes = memcmp(texts[i], texts[j], VERSION_TEXT_LEN);
            assert_int_equal(order < 0, i < j);
            assert_int_equal(order > 0, i > j);
            assert_int_equal(bytes < 0, i < j);
        }
    struct version v = {0x6925a0c1, 1234, version_row(2, 3, 1)};
    char text[VERSION_TEXT_LEN];
    version_print(&v, text);
    assert_memory_equal(text, "6925a0c1.00000000000004d2.0000000200000031", VERSION_TEXT_LEN);
}

static void version__text_of_another_form__corrupt(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "6925a0c1.00000000000004d2.000000020000003",
        "6925a0c1.00000000000004d2.00000002000000311",
        "6925A0C1.00000000000004d2.0000000200000031",
        "6925a0c1-00000000000004d2.0000000200000031",
        "6925a0c1.00000000000004d2.000000020000003g",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct version v;
        assert_int_equal(version_parse(&v, rows[i], strlen(rows[i]), NULL), -(int)ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filepos__text__round_trip_or_syntax_error),
        cmocka_unit_test(filepos__longest_name__fits_and_one_more_does_not),
        cmocka_unit_test(filepos__suffix_of_any_length__order_of_the_log),
        cmocka_unit_test(filepos__event_end_from_32_bits__64_bits),
        cmocka_unit_test(start__what_people_type__told_apart_by_form),
        cmocka_unit_test(start__neither_form__position_syntax),
        cmocka_unit_test(end__a_start_that_is_no_end__position_syntax),
        cmocka_unit_test(position__every_mix_of_known_fields__decode_of_encode_equals),
        cmocka_unit_test(position__bytes_of_another_form__state_corrupt),
        cmocka_unit_test(version__text__fixed_width_and_same_order),
        cmocka_unit_test(version__text_of_another_form__corrupt),
    };
    return cmocka_run_group_tests_name("position", tests, NULL, NULL);
}
