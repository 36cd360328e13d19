/* GTID_TAGGED's messages: fields that are known, unknown, missing or out of order, sizes that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/event.h"

/* As MySQL's serialization library writes an integer. */
static size_t put_varlen(uint64_t v, uint8_t *out)
{
    unsigned bytes = 1;
    while (bytes < 9 && v >> (7 * bytes))
        bytes++;
    uint8_t ones = (uint8_t)(0xffu >> (9 - bytes)); /* 0, 1, 11 … */
    unsigned first = bytes < 8 ? 8 - bytes : 0;     /* bits of the number beside them */
    out[0] = (uint8_t)(ones | (first ? v << bytes : 0));
    for (unsigned i = 1; i < bytes; i++)
        out[i] = (uint8_t)(v >> first >> (8 * (i - 1)));
    return bytes;
}

/* "0=4 1=u 3=ab": fields with numbers, the 16 bytes 1 … 16 of a UUID, or a tag. *ends: where a field ends. */
static size_t put_fields(const char *text, uint8_t *out, bool *ends)
{
    size_t len = 0;
    while (*text) {
        char *end = NULL;
        unsigned long long id = strtoull(text, &end, 10);
        assert_int_equal(*end, '=');
        text = end + 1;
        len += put_varlen(id, out + len);
        size_t chars = strcspn(text, " ");
        if (id == 1) {
            for (unsigned i = 1; i <= 16; i++)
                len += put_varlen(text[0] == 'u' ? i : 256, out + len);
        } else if (id == 3) {
            len += put_varlen(chars, out + len);
            memcpy(out + len, text, chars);
            len += chars;
        } else {
            len += put_varlen(strtoull(text, NULL, 10), out + len);
        }
        text += chars;
        text += *text == ' ';
        ends[len] = true;
    }
    return len;
}

#define MESSAGE_MAX 256

/* Version, size, last field that must be known. Returns their bytes; the size is that of all and `more`. */
static size_t put_head(uint64_t needs, size_t fields_len, int64_t more, uint8_t *out)
{
    uint8_t tail[9];
    size_t tail_len = put_varlen(needs, tail), size_len = 0, whole = 0;
    for (unsigned round = 0; round < 3; round++) {
        whole = 1 + size_len + tail_len + fields_len;
        size_len = put_varlen((uint64_t)((int64_t)whole + more), out + 1);
    }
    out[0] = 2;
    memcpy(out + 1 + size_len, tail, tail_len);
    return 1 + size_len + tail_len;
}

static int read_message(const uint8_t *fields, size_t len, uint64_t needs, int64_t more, struct event_gtid *out)
{
    uint8_t message[MESSAGE_MAX + 32];
    struct err e = ERR_INIT;
    size_t head = put_head(needs, len, more, message);
    uint8_t *copy = malloc(head + len);
    assert_non_null(copy);
    memcpy(copy, message, head);
    memcpy(copy + head, fields, len);
    int rc = event_gtid_read(out, cursor_over(copy, head + len), EVENT_GTID_TAGGED, &e);
    assert_int_equal(rc, -(int)e.code);
    free(copy);
    return rc;
}

#define GTID_ONLY "1=u 2=10"
#define LONG_TAG  "a23456789012345678901234567890_b"

static void event_gtid_tagged__fields__are_read_skipped_or_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *fields;
        uint64_t needs;
        uint64_t number; /* 0: refused */
        const char *tag;
        int64_t immediate_us, original_us;
    } cases[] = {
        {__LINE__, "0=1 1=u 2=10 3=ab 4=2 5=4 6=1000 7=999 8=300 9=90700 10=90400 11=3", 12, 5, "ab", 1000, 999},
        {__LINE__, GTID_ONLY, 0, 5, "", 0, 0},
        {__LINE__, "1=u 2=10 3=", 0, 5, "", 0, 0},
        {__LINE__, "1=u 2=10 6=1700000000000000", 0, 5, "", 1700000000000000, 1700000000000000},
        {__LINE__, "1=u 2=10 7=5", 0, 5, "", 0, 5},
        {__LINE__, "1=u 2=10 6=9223372036854775807", 0, 5, "", INT64_MAX, INT64_MAX},
        {__LINE__, "1=u 2=10 6=9223372036854775808", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 7=18446744073709551615", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 12=7", 0, 5, "", 0, 0}, /* fields that came later */
        {__LINE__, "1=u 2=10 6=3 12=7 13=8", 12, 5, "", 3, 3},
        {__LINE__, "1=u 2=10 300=7", 0, 5, "", 0, 0},
        {__LINE__, "1=u 2=10 18446744073709551615=7", 0, 5, "", 0, 0},
        {__LINE__, "12=7 1=u 2=10", 0, 0, NULL, 0, 0},  /* known ones behind them are not seen */
        {__LINE__, "1=u 2=10 12=7", 13, 0, NULL, 0, 0}, /* one that must be known */
        {__LINE__, GTID_ONLY, 18446744073709551615u, 0, NULL, 0, 0},
        {__LINE__, "1=u 1=u 2=10", 0, 0, NULL, 0, 0},
        {__LINE__, "2=10 1=u", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 6=1 6=1", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 5=1 4=1", 0, 0, NULL, 0, 0},
        {__LINE__, "1=x 2=10", 0, 0, NULL, 0, 0}, /* no bytes */
        {__LINE__, "1=u", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=0", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=11", 0, 0, NULL, 0, 0}, /* negative */
        {__LINE__, "1=u 2=18446744073709551612", 0, INT64_MAX - 1, "", 0, 0},
        {__LINE__, "1=u 2=18446744073709551614", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 3=_", 0, 5, "_", 0, 0},
        {__LINE__, "1=u 2=10 3=a1", 0, 5, "a1", 0, 0},
        {__LINE__, "1=u 2=10 3=1a", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 3=aB", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 3=a-b", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 3=\xc3\xa9", 0, 0, NULL, 0, 0},
        {__LINE__, "1=u 2=10 3=" LONG_TAG, 0, 5, LONG_TAG, 0, 0},
        {__LINE__, "1=u 2=10 3=" LONG_TAG "c", 0, 0, NULL, 0, 0},
        {__LINE__, "", 0, 0, NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t fields[MESSAGE_MAX];
        bool ends[MESSAGE_MAX + 1] = {false};
        struct event_gtid event = {0};
        int rc = read_message(fields, put_fields(cases[i].fields, fields, ends), cases[i].needs, 0, &event);
        if (rc != (cases[i].number ? 0 : -ERR_CORRUPT))
            fail_msg("line %d: %d", cases[i].line, rc);
        assert_int_equal(event.gtid.number, cases[i].number);
        if (rc != 0)
            continue;
        assert_string_equal(event.gtid.tag, cases[i].tag);
        assert_int_equal(event.immediate_us, cases[i].immediate_us);
        assert_int_equal(event.original_us, cases[i].original_us);
        for (unsigned k = 0; k < 16; k++)
            assert_int_equal(event.gtid.uuid[k], k + 1);
    }
}

static void event_gtid_tagged__wrong_size__is_corrupt(void **state)
{
    (void)state;
    uint8_t fields[MESSAGE_MAX];
    bool ends[MESSAGE_MAX + 1] = {false};
    size_t len = put_fields("0=1 1=u 2=10 3=ab 4=2 5=4 6=1000 7=999 8=300 9=90700 10=90400 11=3 12=1", fields, ends);
    for (int64_t more = -(int64_t)len - 4; more < 300; more++) {
        struct event_gtid event;
        if (read_message(fields, len, 0, more, &event) != (more ? -ERR_CORRUPT : 0))
            fail_msg("size wrong by %lld", (long long)more);
    }
    struct event_gtid event;
    assert_int_equal(read_message(fields, len, 0, INT64_MAX - 1000, &event), -ERR_CORRUPT);
}

/* The message's own size fits: what counts is where a field ends. */
static void event_gtid_tagged__every_truncation__is_corrupt_inside_of_a_field(void **state)
{
    (void)state;
    uint8_t fields[MESSAGE_MAX];
    bool ends[MESSAGE_MAX + 1] = {false};
    size_t len = put_fields("0=1 1=u 2=1000 3=ab 4=2 5=4 6=1700000000000000 7=999 8=300 11=3", fields, ends);
    size_t with_number = 0;
    for (size_t cut = 0, found = 0; cut <= len; cut++) {
        found += ends[cut];
        with_number = found == 3 && ends[cut] ? cut : with_number;
        struct event_gtid event;
        bool fine = ends[cut] && with_number;
        if (read_message(fields, cut, 0, 0, &event) != (fine ? 0 : -ERR_CORRUPT))
            fail_msg("%zu of %zu bytes", cut, len);
    }
    assert_true(with_number > 0 && with_number < len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_gtid_tagged__fields__are_read_skipped_or_refused),
        cmocka_unit_test(event_gtid_tagged__wrong_size__is_corrupt),
        cmocka_unit_test(event_gtid_tagged__every_truncation__is_corrupt_inside_of_a_field),
    };
    return cmocka_run_group_tests_name("event_gtid_tagged", tests, NULL, NULL);
}
