/* Optional metadata of TABLE_MAP, field by field: what each one tells, cut at every byte, too long, of a type that is
 * not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/metadata.h"
#include "tools/alloc_fault.h"

#define COLUMNS   8
#define TEXT_MAX  1024
#define VALUE_MAX 48

/* id BIGINT, name VARCHAR, kind ENUM, tags SET, amount DECIMAL, note TEXT, place GEOMETRY, near VECTOR */
static const struct {
    uint8_t wire;
    uint8_t metadata[2];
    uint8_t metadata_len;
} types[COLUMNS] = {{WIRE_LONGLONG, {0}, 0},         {WIRE_VARCHAR, {80, 0}, 2},    {WIRE_STRING, {WIRE_ENUM, 1}, 2},
                    {WIRE_STRING, {WIRE_SET, 1}, 2}, {WIRE_NEWDECIMAL, {12, 2}, 2}, {WIRE_BLOB, {2}, 1},
                    {WIRE_GEOMETRY, {4}, 1},         {WIRE_VECTOR, {4}, 1}};

static void make_columns(struct column columns[COLUMNS])
{
    memset(columns, 0, sizeof *columns * COLUMNS);
    for (unsigned i = 0; i < COLUMNS; i++) {
        struct cursor cur = cursor_over(types[i].metadata, types[i].metadata_len);
        assert_int_equal(coltype_init(&columns[i].type, types[i].wire, &cur, NULL), 0);
    }
}

static void put(char *out, const char *text, size_t len)
{
    size_t at = strlen(out);
    assert_true(at + len < TEXT_MAX);
    memcpy(out + at, text, len);
    out[at + len] = '\0';
}

static void put_number(char *out, const char *before, unsigned v)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%s%u", before, v);
    put(out, text, (size_t)len);
}

/* What is known of each column, by its number: [0] + or - or nothing, =name, @collation, {labels}; then the key. */
static void describe(const struct metadata *found, const struct column columns[COLUMNS], char *out)
{
    *out = '\0';
    for (unsigned i = 0; i < COLUMNS; i++) {
        const struct column *column = &columns[i];
        const struct coltype *type = &column->type;
        if (!column->name && !type->sign_known && !type->collation && !type->label_count)
            continue;
        put_number(out, " ", i);
        if (type->sign_known)
            put(out, type->is_unsigned ? "+" : "-", 1);
        if (column->name) {
            put(out, "=", 1);
            put(out, column->name, column->name_len);
        }
        if (type->collation)
            put_number(out, "@", type->collation);
        for (uint32_t k = 0; k < type->label_count; k++) {
            put(out, k ? "," : "{", 1);
            put(out, type->labels[k].text, type->labels[k].len);
        }
        if (type->label_count)
            put(out, "}", 1);
    }
    if (found->pk)
        put(out, " key", 4);
    for (unsigned i = 0; i < found->pk_count; i++)
        put_number(out, ":", found->pk[i]);
    if (found->has_names)
        put(out, " named", 6);
}

/* Reads a block from memory of exactly its size. `text` gets what is known then, or the error. */
static int read_block(const uint8_t *block, size_t len, bool mariadb, char *text)
{
    struct column columns[COLUMNS];
    struct metadata found = {.has_names = true, .pk_count = 77};
    struct arena arena;
    struct err e = ERR_INIT;
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, block, len);
    make_columns(columns);
    arena_init(&arena, 1, 0, 0);
    const struct wire_table wire = {.column_count = COLUMNS, .optional = copy, .optional_len = len, .mariadb = mariadb};
    int rc = metadata_read(&found, columns, &wire, &arena, &e);
    assert_int_equal(rc, -(int)e.code);
    if (rc == 0)
        describe(&found, columns, text);
    else
        snprintf(text, TEXT_MAX, "%s", e.text);
    if (rc != 0)
        assert_true(found.has_names && found.pk_count == 77); /* untouched */
    arena_release(&arena);
    free(copy);
    return rc;
}

/* One field. `fine`: lengths up to its own, as bits, at which it is a field too: a shorter one. */
static const struct {
    int line;
    uint8_t type;
    uint8_t value[VALUE_MAX];
    uint8_t len;
    uint64_t fine;
    bool longer; /* a further byte is none of its columns' */
    const char *text;
} fields[] = {
    {__LINE__, 1, {0x80}, 1, 0, false, " 0+ 4-"},
    {__LINE__, 1, {0x40}, 1, 0, false, " 0- 4+"},
    {__LINE__, 2, {45}, 1, 0, false, " 1@45 5@45 7@45"},
    {__LINE__, 2, {252, 255, 0}, 3, 0, false, " 1@255 5@255 7@255"},
    {__LINE__, 2, {45, 1, 8, 2, 252, 63, 0}, 7, 1 << 1 | 1 << 3, false, " 1@45 5@8 7@63"},
    {__LINE__, 3, {33, 63, 63}, 3, 0, false, " 1@33 5@63 7@63"},
    {__LINE__, 3, {252, 255, 0, 8, 63}, 5, 0, false, " 1@255 5@8 7@63"},
    {__LINE__,
     4,
     {2, 'i', 'd', 4, 'n', 'a', 'm', 'e', 1, 'k', 1, 't', 1, 'a', 4, 'n', 'o', 't', 'e', 1, 'p', 2, 0xc3, 0xa9},
     24,
     0,
     false,
     " 0=id 1=name 2=k 3=t 4=a 5=note 6=p 7=\xc3\xa9 named"},
    {__LINE__, 5, {3, 1, 'x', 0, 2, 'y', 'z'}, 7, 0, false, ""}, /* labels stay unknown without their charset */
    {__LINE__, 5, {0}, 1, 0, false, ""},
    {__LINE__, 6, {2, 1, 'a', 252, 2, 0, 'b', 'c'}, 8, 0, false, ""},
    {__LINE__, 7, {1}, 1, 1, true, ""},
    {__LINE__, 8, {4, 0, 252, 1, 0}, 5, 1 << 0 | 1 << 1 | 1 << 2, false, " key:4:0:1"},
    {__LINE__, 9, {1, 10, 0, 0, 5, 252, 0, 1}, 8, 1 << 0 | 1 << 2 | 1 << 4, false, " key:1:0:5"},
    {__LINE__, 10, {8}, 1, 0, false, " 2@8 3@8"},
    {__LINE__, 10, {8, 1, 45}, 3, 1 << 1, false, " 2@8 3@45"},
    {__LINE__, 11, {8, 252, 255, 0}, 4, 0, false, " 2@8 3@255"},
    {__LINE__, 12, {0xff}, 1, 1, true, ""},
    {__LINE__, 13, {252, 0, 1}, 3, 1 | 2 | 4, true, ""},
    {__LINE__, 0, {1, 2, 3}, 3, 1 | 2 | 4, true, ""}, /* types that are not known */
    {__LINE__, 14, {1, 2, 3}, 3, 1 | 2 | 4, true, ""},
    {__LINE__, 200, {0}, 0, 0, true, ""},
    {__LINE__, 255, {255}, 1, 1, true, ""},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static size_t put_field(size_t i, size_t len, uint8_t *out)
{
    out[0] = fields[i].type;
    out[1] = (uint8_t)len;
    memcpy(out + 2, fields[i].value, len);
    return len + 2;
}

static void metadata__each_field__tells_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIELDS; i++) {
        uint8_t block[VALUE_MAX + 8];
        char text[TEXT_MAX];
        if (read_block(block, put_field(i, fields[i].len, block), false, text) != 0 ||
            strcmp(text, fields[i].text) != 0)
            fail_msg("line %d:%s", fields[i].line, text);
    }
}

static void metadata__each_field_cut_or_too_long__is_corrupt(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIELDS; i++) {
        uint8_t block[VALUE_MAX + 8];
        char text[TEXT_MAX];
        for (size_t len = 0; len <= fields[i].len + 1u; len++) {
            bool whole = len == fields[i].len, longer = len > fields[i].len;
            bool fine = whole || (longer ? fields[i].longer : fields[i].fine >> len & 1);
            if (read_block(block, put_field(i, len, block), false, text) != (fine ? 0 : -ERR_CORRUPT))
                fail_msg("line %d, %zu bytes:%s", fields[i].line, len, text);
            if (!fine)
                assert_non_null(strstr(text, "optional metadata"));
        }
        size_t whole = put_field(i, fields[i].len, block);
        for (size_t len = 1; len < whole; len++) /* the block ends, its length says more */
            if (read_block(block, len, false, text) != -ERR_CORRUPT)
                fail_msg("line %d, block of %zu bytes:%s", fields[i].line, len, text);
        block[whole] = fields[i].type;
        block[whole + 1] = 0;
        bool known = fields[i].type > 0 && fields[i].type < 14;
        assert_int_equal(read_block(block, whole + 2, false, text), known ? -ERR_CORRUPT : 0); /* comes twice */
    }
}

static const size_t some[] = {0, 4, 7, 8, 10, 11, 12, 15, 17, 18, 20, 22}; /* of different types */
#define SOME     (sizeof some / sizeof some[0])
#define ALL_TEXT " 0+=id 1=name@45 2=k@8{a,bc} 3=t@45{x,,yz} 4-=a 5=note@8 6=p 7=\xc3\xa9@63 key:4:0:1 named"

/* All fields; *ends: bits, at which lengths one ends. */
static size_t put_all(bool backwards, uint8_t *out, bool ends[FIELDS * VALUE_MAX])
{
    size_t len = 0;
    for (size_t k = 0; k < SOME; k++) {
        size_t i = some[backwards ? SOME - 1 - k : k];
        ends[len] = true;
        len += put_field(i, fields[i].len, out + len);
    }
    return len;
}

static void metadata__all_fields_in_any_order__are_one_description(void **state)
{
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        uint8_t block[FIELDS * VALUE_MAX];
        bool ends[FIELDS * VALUE_MAX] = {false};
        char text[TEXT_MAX];
        size_t whole = put_all(backwards, block, ends);
        assert_int_equal(read_block(block, whole, false, text), 0);
        assert_string_equal(text, ALL_TEXT);
        for (size_t len = 0; len < whole; len++)
            if (read_block(block, len, false, text) != (ends[len] ? 0 : -ERR_CORRUPT))
                fail_msg("%zu bytes:%s", len, text);
    }
}

static void metadata__character_columns__are_those_of_the_server(void **state)
{
    (void)state;
    static const uint8_t default_charset[] = {2, 1, 45}, charsets[] = {3, 4, 1, 2, 3, 4};
    char text[TEXT_MAX];
    assert_int_equal(read_block(default_charset, sizeof default_charset, true, text), 0);
    assert_string_equal(text, " 1@45 5@45 6@45 7@45");
    assert_int_equal(read_block(charsets, sizeof charsets, true, text), 0);
    assert_string_equal(text, " 1@1 5@2 6@3 7@4");
    assert_int_equal(read_block(charsets, sizeof charsets, false, text), -ERR_CORRUPT);
}

static void metadata__each_allocation_fails__no_memory(void **state)
{
    (void)state;
    uint8_t block[FIELDS * VALUE_MAX];
    bool ends[FIELDS * VALUE_MAX] = {false};
    char text[TEXT_MAX];
    size_t len = put_all(false, block, ends);
    unsigned failed = 0;
    bool met = true;
    for (unsigned n = 2; met; n++) { /* the first is this test's own */
        alloc_fault_arm(n);
        int rc = read_block(block, len, false, text);
        met = alloc_fault_met();
        alloc_fault_arm(0);
        assert_int_equal(rc, met ? -ERR_NO_MEMORY : 0);
        failed += met;
    }
    assert_true(failed > 10);
    assert_string_equal(text, ALL_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata__each_field__tells_what_it_says),
        cmocka_unit_test(metadata__each_field_cut_or_too_long__is_corrupt),
        cmocka_unit_test(metadata__all_fields_in_any_order__are_one_description),
        cmocka_unit_test(metadata__character_columns__are_those_of_the_server),
        cmocka_unit_test(metadata__each_allocation_fails__no_memory),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
