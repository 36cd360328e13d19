/* Conversion of every code of every character set against what the servers made of it (tests/golden/charsets.txt, by
 * tests/tools/charset_tables.py), the rule for bytes that are no text, and the servers' collations (collations.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "value/charset.h"
#include "value/value.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 65536, 1 << 24, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct coltype type_of(const char *charset)
{
    struct coltype type = {.wire = WIRE_VARCHAR, .family = FAMILY_STRING, .walk = WALK_LEN2};
    type.collation = (uint16_t)charset_find_collation(charset, strlen(charset));
    type.charset = (uint8_t)charset_of_collation(type.collation, NULL);
    return type;
}

/* What was found of one character set. */
struct tally {
    struct coltype type;
    unsigned assigned;
    uint32_t crc;
};

static bool is_one_character(const char *p, size_t len)
{
    size_t begins = 0;
    for (size_t i = 0; i < len; i++)
        begins += ((uint8_t)p[i] & 0xc0) != 0x80;
    return begins == 1;
}

static void try_code(struct tally *tally, const uint8_t *code, size_t len)
{
    struct text text = {(const char *)code, len, false};
    arena_reset(&arena);
    assert_int_equal(charset_to_utf8(&tally->type, &text, &arena, NULL), 0);
    if (text.raw || !is_one_character(text.p, text.len))
        return;
    tally->assigned++;
    tally->crc = hash_crc32(tally->crc, code, len);
    tally->crc = hash_crc32(tally->crc, " ", 1);
    tally->crc = hash_crc32(tally->crc, text.p, text.len);
}

static void try_all(struct tally *tally)
{
    uint8_t code[4];
    unsigned longest = 4;
    enum charset charset = (enum charset)tally->type.charset;
    if (charset != CHARSET_GB18030)
        longest = charset == CHARSET_UJIS || charset == CHARSET_EUCJPMS ? 3 : 2;
    for (unsigned i = 0; i < 256; i++) {
        code[0] = (uint8_t)i;
        try_code(tally, code, 1);
    }
    for (unsigned i = 0; i < 65536; i++) {
        code[0] = (uint8_t)(i >> 8);
        code[1] = (uint8_t)i;
        try_code(tally, code, 2);
    }
    for (unsigned i = 0; longest == 3 && i < 65536; i++) {
        memcpy(code, (uint8_t[]){0x8f, (uint8_t)(i >> 8), (uint8_t)i}, 3);
        try_code(tally, code, 3);
    }
    for (unsigned i = 0; longest == 4 && i < 126 * 10 * 126 * 10; i++) {
        memcpy(code,
               (uint8_t[]){(uint8_t)(0x81 + i / 12600), (uint8_t)(0x30 + i / 1260 % 10), (uint8_t)(0x81 + i / 10 % 126),
                           (uint8_t)(0x30 + i % 10)},
               4);
        try_code(tally, code, 4);
    }
}

static void charset_to_utf8__every_code__gives_what_the_servers_give(void **state)
{
    (void)state;
    char path[512], line[128];
    snprintf(path, sizeof path, "%s/charsets.txt", SLUICE_TEST_DATA);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    unsigned sets = 0;
    while (fgets(line, sizeof line, file)) {
        char name[32];
        unsigned long count, crc;
        assert_int_equal(sscanf(line, "%31s %lu %lx", name, &count, &crc), 3);
        struct tally tally = {.type = type_of(name)};
        assert_int_not_equal(tally.type.charset, CHARSET_UNKNOWN);
        try_all(&tally);
        if (tally.assigned != count || tally.crc != crc)
            fail_msg("%s: %u codes, %08x; the servers: %lu, %08lx", name, tally.assigned, tally.crc, count, crc);
        sets++;
    }
    fclose(file);
    assert_int_equal(sets, 34);
}

struct text_case {
    const char *charset, *bytes;
    size_t len;
    const char *expected; /* NULL: stays as stored */
};

static void check_cases(const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct coltype type = type_of(cases[i].charset);
        struct text text = {cases[i].bytes, cases[i].len, false};
        assert_int_equal(charset_to_utf8(&type, &text, &arena, NULL), 0);
        const char *expected = cases[i].expected ? cases[i].expected : cases[i].bytes;
        size_t len = cases[i].expected ? strlen(expected) : cases[i].len;
        if (text.raw != !cases[i].expected || text.len != len || memcmp(text.p, expected, len) != 0)
            fail_msg("case %zu, %s: raw %d, \"%.*s\"", i, cases[i].charset, text.raw, (int)text.len, text.p);
    }
}

static void charset_to_utf8__mixed_text__is_converted(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"latin1", "caf\xe9 \x80\x81", 7, "caf\u00e9 \u20ac\xc2\x81"},
        {"latin1", "", 0, ""},
        {"swe7", "@[\\]", 4, "\u00c9\u00c4\u00d6\u00c5"},
        {"gbk", "a longer text \xc4\xe3\xba\xc3", 18, "a longer text \u4f60\u597d"},
        {"sjis", "\xb1\x83\x5c\x5c", 4, "\uff71\u30bd\\"},
        {"ujis", "\x8e\xb1\x8f\xb0\xa1\xa4\xa2", 7, "\uff71\u4e02\u3042"},
        {"gb18030", "\x81\x30\x81\x30\x90\x30\x81\x30\x84\x31\xa4\x37", 12, "\xc2\x80\U00010000\ufffd"},
        {"ucs2", "\x00\x41\x20\x20", 4, "A\u2020"},
        {"utf16", "\x00\x41\xd8\x3d\xde\x00", 6, "A\U0001f600"},
        {"utf16le", "\x41\x00\x3d\xd8\x00\xde", 6, "A\U0001f600"},
        {"utf32", "\x00\x00\x00\x41\x00\x01\xf6\x00", 8, "A\U0001f600"},
        {"utf8mb3", "caf\xc3\xa9", 5, "caf\u00e9"},
        {"utf8mb4", "\xf0\x9f\x98\x80", 4, "\U0001f600"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

static void charset_to_utf8__bytes_that_are_no_text__stay_as_stored(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"ascii", "caf\xc3\xa9", 5, NULL},     /* UTF-8 in the wrong place */
        {"swe7", "a\x7f", 2, NULL},            /* not assigned */
        {"cp1250", "text \x81", 6, NULL},      /* a hole */
        {"tis620", "\xa1\xdb", 2, NULL},       /* the server gives U+FFFD */
        {"gbk", "ok \xc4", 4, NULL},           /* cut */
        {"gbk", "\xc4'", 2, NULL},             /* no trail byte */
        {"gbk", "\x80", 1, NULL},              /* no lead byte */
        {"big5", "\xa1\x40\xa3\xc0", 4, NULL}, /* well-formed, not assigned */
        {"sjis", "\xa0", 1, NULL},
        {"ujis", "\x8e", 1, NULL},
        {"ujis", "\x8f\xb0", 2, NULL},
        {"ujis", "\x8e\xe0", 2, NULL},
        {"gb18030", "\x81\x30\x81", 3, NULL},
        {"gb18030", "\xe4\x30\x81\x30", 4, NULL}, /* beyond U+10FFFF */
        {"ucs2", "\x00\x41\x00", 3, NULL},
        {"ucs2", "\xd8\x3d\xde\x00", 4, NULL},
        {"utf16", "\xd8\x3d\x00\x41", 4, NULL},
        {"utf16", "\xde\x00", 2, NULL},
        {"utf16", "\xd8\x3d", 2, NULL},
        {"utf16le", "\x00\xde", 2, NULL},
        {"utf32", "\x00\x11\x00\x00", 4, NULL},
        {"utf32", "\x00\x00\xd8\x00", 4, NULL},
        {"utf32", "\x00\x00\x00", 3, NULL},
        {"utf8mb4", "\xed\xa0\x80", 3, NULL},
        {"utf8mb3", "\xff", 1, NULL},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

static void charset_write__any_room__gives_the_same_text(void **state)
{
    (void)state;
    static const char *const names[] = {"latin1", "gbk", "sjis", "ujis", "gb18030", "utf16", "ucs2", "utf32", "swe7"};
    uint8_t bytes[240], piece[64];
    char whole[sizeof bytes * 3], pieces[sizeof bytes * 3 + sizeof piece];
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct coltype type = type_of(names[n]);
        for (size_t i = 0; i < sizeof bytes; i += 4) /* ASCII and wide in turns, in each set */
            memcpy(bytes + i, i % 3 ? "\x00\x00\x30\x42" : "\x00\x00\x00\x41", 4);
        const uint8_t *p = bytes, *end = bytes + sizeof bytes;
        uint8_t *to = charset_write((enum charset)type.charset, (uint8_t *)whole, sizeof whole, &p, end);
        assert_ptr_equal(p, end);
        for (size_t room = CHARSET_ROOM_MIN; room <= sizeof piece; room++) {
            size_t len = 0;
            for (p = bytes; p < end;) {
                uint8_t *at = charset_write((enum charset)type.charset, piece, room, &p, end);
                assert_true(at > piece && at <= piece + room);
                memcpy(pieces + len, piece, (size_t)(at - piece));
                len += (size_t)(at - piece);
            }
            assert_int_equal(len, to - (uint8_t *)whole);
            assert_memory_equal(pieces, whole, len);
        }
    }
}

static void charset_trim__spaces_at_the_end__are_those_of_the_set(void **state)
{
    (void)state;
    static const struct {
        enum charset charset;
        const char *bytes;
        size_t len, expected;
    } cases[] = {
        {CHARSET_UTF8, "a  ", 3, 1},       {CHARSET_GBK, "   ", 3, 0},
        {CHARSET_UCS2, "\0a\0 \0 ", 6, 2}, {CHARSET_UTF16, "\x20\x20\0 ", 4, 2},
        {CHARSET_UTF16, "\x20\x20", 2, 2}, {CHARSET_UTF16LE, "a\0 \0", 4, 2},
        {CHARSET_UTF16LE, "\0 ", 2, 2},    {CHARSET_UTF32, "\0\0\0a\0\0\0 ", 8, 4},
        {CHARSET_UTF32, "\0\0 ", 3, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(charset_trim(cases[i].charset, (const uint8_t *)cases[i].bytes, cases[i].len),
                         cases[i].expected);
}

static void charset_ids__every_collation_of_both_servers__is_known(void **state)
{
    (void)state;
    char path[512], line[128];
    snprintf(path, sizeof path, "%s/collations.txt", SLUICE_TEST_DATA);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    unsigned lines = 0, unknown = 0;
    while (fgets(line, sizeof line, file)) {
        char name[64], charset[32];
        const char *found = NULL;
        unsigned id;
        assert_int_equal(sscanf(line, "%u %63s %31s", &id, name, charset), 3);
        /* The two servers number the Croatian collations of one name differently. */
        const char *by_name = NULL;
        (void)charset_of_collation(id, &found);
        (void)charset_of_collation(charset_find_collation(name, strlen(name)), &by_name);
        if (strcmp(found, charset) != 0 || strcmp(by_name, charset) != 0) {
            print_error("%s: %s, %s\n", line, found, by_name);
            unknown++;
        }
        lines++;
    }
    fclose(file);
    assert_int_equal(unknown, 0);
    assert_true(lines > 1000);
}

static void charset_tells_case__names_say_so(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool expected;
    } cases[] = {
        {"utf8mb4_general_ci", false},
        {"utf8mb4_bin", true},
        {"latin1_general_cs", true},
        {"gbk_chinese_ci", false},
        {"sjis_bin", true},
        {"utf8mb4_0900_as_ci", false},
        {"utf8mb4_0900_as_cs", true},
        {"utf8mb4_uca1400_as_cs", true},
        {"utf8mb4_uca1400_ai_cs", false},
        {"binary", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned id = charset_find_collation(cases[i].name, strlen(cases[i].name));
        assert_int_not_equal(id, 0);
        if (charset_tells_case(id) != cases[i].expected)
            fail_msg("%s", cases[i].name);
    }
    assert_false(charset_tells_case(60000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charset_to_utf8__every_code__gives_what_the_servers_give),
        cmocka_unit_test(charset_to_utf8__mixed_text__is_converted),
        cmocka_unit_test(charset_to_utf8__bytes_that_are_no_text__stay_as_stored),
        cmocka_unit_test(charset_write__any_room__gives_the_same_text),
        cmocka_unit_test(charset_trim__spaces_at_the_end__are_those_of_the_set),
        cmocka_unit_test(charset_ids__every_collation_of_both_servers__is_known),
        cmocka_unit_test(charset_tells_case__names_say_so),
    };
    return cmocka_run_group_tests_name("charset", tests, setup, teardown);
}
