/* GTID sets: tables for text and wire form; union, difference and the rest against bitmaps over small numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "position/gtid.h"

#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"

static struct gtid_set *parse(enum flavor flavor, const char *text)
{
    struct gtid_set *set = NULL;
    struct err e = ERR_INIT;
    if (gtid_set_parse(&set, flavor, text, strlen(text), &e) != 0)
        fail_msg("%s: %s", text, e.text);
    return set;
}

static void assert_text(const struct gtid_set *set, const char *expected)
{
    struct buf b;
    buf_init(&b, 0);
    gtid_set_print(set, &b);
    buf_byte(&b, 0);
    assert_string_equal((char *)b.p, expected);
    buf_release(&b);
}

static void gtid_set__text_of_the_manual__canonical_form(void **state)
{
    (void)state;
    static const struct {
        enum flavor flavor;
        const char *text, *canonical;
    } rows[] = {
        {FLAVOR_MYSQL, "", ""},
        {FLAVOR_MYSQL, " \n\v\f\r\t", ""},
        {FLAVOR_MYSQL, ",,", ""},
        {FLAVOR_MYSQL, UUID_A ":1", UUID_A ":1"},
        {FLAVOR_MYSQL, UUID_A ":1-1", UUID_A ":1"},
        {FLAVOR_MYSQL, UUID_A ":1-3:7", UUID_A ":1-3:7"},
        {FLAVOR_MYSQL, UUID_A ":7:1-3", UUID_A ":1-3:7"},
        {FLAVOR_MYSQL, UUID_A ":1-3:4-6", UUID_A ":1-6"},
        {FLAVOR_MYSQL, UUID_A ":1-3:2-9:5", UUID_A ":1-9"},
        {FLAVOR_MYSQL, UUID_A ":5-3", ""},
        {FLAVOR_MYSQL, UUID_A, ""},
        {FLAVOR_MYSQL, "3E11FA47-71CA-11E1-9E33-C80AA9429562:1", UUID_A ":1"},
        {FLAVOR_MYSQL, UUID_B ":1,\n" UUID_A ":2", UUID_A ":2," UUID_B ":1"},
        {FLAVOR_MYSQL, UUID_A ":1," UUID_A ":2", UUID_A ":1-2"},
        {FLAVOR_MYSQL, UUID_A ":Tag:1", UUID_A ":tag:1"},
        {FLAVOR_MYSQL, UUID_A ":1:tag_2:1-3:5:another:7", UUID_A ":1:another:7:tag_2:1-3:5"},
        {FLAVOR_MYSQL, UUID_A " : 1 - 3 : tag : 5 , " UUID_B ":1", UUID_A ":1-3:tag:5," UUID_B ":1"},
        {FLAVOR_MYSQL, UUID_A ":9223372036854775806", UUID_A ":9223372036854775806"},
        {FLAVOR_MARIADB, "0-1-100", "0-1-100"},
        {FLAVOR_MARIADB, "1-1-7, 0-1-100", "0-1-100,1-1-7"},
        {FLAVOR_MARIADB, "4294967295-4294967295-18446744073709551615", "4294967295-4294967295-18446744073709551615"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gtid_set *set = parse(rows[i].flavor, rows[i].text);
        assert_text(set, rows[i].canonical);
        gtid_set_free(set);
    }
}

static void gtid_set__text_that_is_none__position_syntax(void **state)
{
    (void)state;
    static const struct {
        enum flavor flavor;
        const char *text;
    } rows[] = {
        {FLAVOR_MYSQL, "x"},
        {FLAVOR_MYSQL, "3e11fa47-71ca-11e1-9e33-c80aa942956:1"},
        {FLAVOR_MYSQL, "3e11fa4771ca-11e1-9e33-c80aa9429562-:1"},
        {FLAVOR_MYSQL, UUID_A ":0"},
        {FLAVOR_MYSQL, UUID_A ":"},
        {FLAVOR_MYSQL, UUID_A ":1-"},
        {FLAVOR_MYSQL, UUID_A ":1-x"},
        {FLAVOR_MYSQL, UUID_A ":1 2"},
        {FLAVOR_MYSQL, UUID_A ":-5"},
        {FLAVOR_MYSQL, UUID_A ":1 " UUID_B ":1"},
        {FLAVOR_MYSQL, UUID_A ":9223372036854775807"},
        {FLAVOR_MYSQL, UUID_A ":99999999999999999999999"},
        {FLAVOR_MYSQL, UUID_A ":a23456789012345678901234567890123:1"},
        {FLAVOR_MYSQL, UUID_A ":t-g:1"},
        {FLAVOR_MYSQL, UUID_A ":bl\u00e9:1"},
        {FLAVOR_MYSQL, "0-1-100"},
        {FLAVOR_MARIADB, "0-1"},
        {FLAVOR_MARIADB, "0-1-"},
        {FLAVOR_MARIADB, "0-1-0"},
        {FLAVOR_MARIADB, "0-1-1-1"},
        {FLAVOR_MARIADB, "0-1-1,0-2-2"},
        {FLAVOR_MARIADB, "5-1-1,0-1-1,5-2-2"},
        {FLAVOR_MARIADB, "4294967296-1-1"},
        {FLAVOR_MARIADB, UUID_A ":1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gtid_set *set = NULL;
        struct err e = ERR_INIT;
        int rc = gtid_set_parse(&set, rows[i].flavor, rows[i].text, strlen(rows[i].text), &e);
        if (rc != -(int)ERR_POSITION_SYNTAX)
            fail_msg("accepted: %s", rows[i].text);
        assert_int_equal(e.code, ERR_POSITION_SYNTAX);
        assert_null(set);
    }
}

static void gtid__text_both_flavours__round_trip(void **state)
{
    (void)state;
    static const struct {
        enum flavor flavor;
        const char *text, *printed;
    } rows[] = {
        {FLAVOR_MYSQL, UUID_A ":1", UUID_A ":1"},
        {FLAVOR_MYSQL, UUID_A ":_T1:23", UUID_A ":_t1:23"},
        {FLAVOR_MYSQL, UUID_A ":a2345678901234567890123456789012:9223372036854775806",
         UUID_A ":a2345678901234567890123456789012:9223372036854775806"},
        {FLAVOR_MARIADB, "1-2-3", "1-2-3"},
        {FLAVOR_MYSQL, UUID_A ":0", NULL},
        {FLAVOR_MYSQL, UUID_A ":1-2", NULL},
        {FLAVOR_MYSQL, UUID_A, NULL},
        {FLAVOR_MYSQL, "", NULL},
        {FLAVOR_MARIADB, "1-2-3,4-5-6", NULL},
        {FLAVOR_MARIADB, "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gtid gtid;
        char text[GTID_TEXT_MAX];
        int rc = gtid_parse(&gtid, rows[i].flavor, rows[i].text, strlen(rows[i].text), NULL);
        assert_int_equal(rc != 0, rows[i].printed == NULL);
        if (rc)
            continue;
        assert_int_equal(gtid_print(&gtid, text), strlen(rows[i].printed));
        assert_string_equal(text, rows[i].printed);
    }
    struct gtid none = {.flavor = FLAVOR_MYSQL};
    char text[GTID_TEXT_MAX] = "x";
    assert_int_equal(gtid_print(&none, text), 0);
    assert_string_equal(text, "");
}

static void gtid__writers__uuid_and_tag_or_domain(void **state)
{
    (void)state;
    struct gtid a, b;
    assert_int_equal(gtid_parse(&a, FLAVOR_MYSQL, UUID_A ":1", 38, NULL), 0);
    assert_int_equal(gtid_parse(&b, FLAVOR_MYSQL, UUID_A ":2", 38, NULL), 0);
    assert_true(gtid_same_writer(&a, &b));
    assert_false(gtid_equal(&a, &b));
    assert_int_equal(gtid_parse(&b, FLAVOR_MYSQL, UUID_A ":t:1", 40, NULL), 0);
    assert_false(gtid_same_writer(&a, &b));
    assert_int_equal(gtid_parse(&a, FLAVOR_MARIADB, "0-1-5", 5, NULL), 0);
    assert_int_equal(gtid_parse(&b, FLAVOR_MARIADB, "0-2-5", 5, NULL), 0);
    assert_true(gtid_same_writer(&a, &b));
    assert_false(gtid_equal(&a, &b));
    assert_int_equal(gtid_parse(&b, FLAVOR_MARIADB, "1-1-5", 5, NULL), 0);
    assert_false(gtid_same_writer(&a, &b));
}

/* The model: one bit per number 1 … 60 of each source. */
#define UUIDS   3
#define TAGS    3
#define SOURCES (UUIDS * TAGS)
#define NUMBERS 60

struct model {
    uint64_t bits[SOURCES];
};

static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static struct gtid gtid_of(size_t source, uint64_t number)
{
    static const char *const tags[TAGS] = {"", "blue", "blue_2"};
    struct gtid gtid = {.flavor = FLAVOR_MYSQL, .number = number};
    gtid.uuid[0] = (uint8_t)(source / TAGS * 17);
    gtid.uuid[15] = (uint8_t)(source / TAGS);
    memcpy(gtid.tag, tags[source % TAGS], strlen(tags[source % TAGS]));
    return gtid;
}

/* A random set in every style: sparse singles, dense runs, empty sources. */
static struct gtid_set *random_set(struct model *model)
{
    struct gtid_set *set = gtid_set_new(FLAVOR_MYSQL);
    memset(model, 0, sizeof *model);
    size_t adds = next_random() % 40;
    for (size_t i = 0; i < adds; i++) {
        size_t source = next_random() % SOURCES;
        uint64_t first = 1 + next_random() % NUMBERS, run = next_random() % 3 ? 1 : 1 + next_random() % 12;
        for (uint64_t n = first; n < first + run && n <= NUMBERS; n++) {
            struct gtid gtid = gtid_of(source, n);
            assert_int_equal(gtid_set_add(set, &gtid, NULL), 0);
            model->bits[source] |= (uint64_t)1 << n;
        }
    }
    return set;
}

static void assert_model(const struct gtid_set *set, const struct model *model)
{
    bool empty = true;
    for (size_t s = 0; s < SOURCES; s++) {
        for (uint64_t n = 1; n <= NUMBERS + 1; n++) {
            struct gtid gtid = gtid_of(s, n);
            assert_int_equal(gtid_set_contains(set, &gtid), model->bits[s] >> n & 1);
        }
        empty &= model->bits[s] == 0;
    }
    assert_int_equal(gtid_set_is_empty(set), empty);
}

static void assert_text_round_trip(const struct gtid_set *set)
{
    struct buf b;
    struct gtid_set *again = NULL;
    buf_init(&b, 0);
    gtid_set_print(set, &b);
    assert_int_equal(gtid_set_parse(&again, FLAVOR_MYSQL, (char *)b.p, b.len, NULL), 0);
    assert_true(gtid_set_equal(set, again));
    gtid_set_free(again);
    buf_release(&b);
}

static void assert_wire_round_trip(const struct gtid_set *set, const struct model *model)
{
    bool has_tag = false;
    for (size_t s = 0; s < SOURCES; s++)
        has_tag |= s % TAGS && model->bits[s];
    for (int tagged = 0; tagged < 2; tagged++) {
        struct buf b;
        struct gtid_set *again = NULL;
        struct err e = ERR_INIT;
        buf_init(&b, 0);
        int rc = gtid_set_encode(set, tagged, &b, &e);
        if (has_tag && !tagged) {
            assert_int_equal(rc, -(int)ERR_BUG);
        } else {
            assert_int_equal(rc, 0);
            assert_int_equal(gtid_set_decode(&again, b.p, b.len, NULL), 0);
            assert_true(gtid_set_equal(set, again));
            gtid_set_free(again);
        }
        buf_release(&b);
    }
}

static bool model_contains(const struct model *a, const struct model *b)
{
    for (size_t s = 0; s < SOURCES; s++)
        if (b->bits[s] & ~a->bits[s])
            return false;
    return true;
}

static void check_pair(const struct gtid_set *a, const struct model *ma, const struct gtid_set *b,
                       const struct model *mb)
{
    struct model both = *ma, rest = *ma, shared = *ma;
    for (size_t s = 0; s < SOURCES; s++) {
        both.bits[s] |= mb->bits[s];
        rest.bits[s] &= ~mb->bits[s];
        shared.bits[s] &= mb->bits[s];
    }
    struct gtid_set *sum = gtid_set_copy(a), *difference = gtid_set_copy(a), *common = gtid_set_copy(a);
    assert_non_null(sum);
    assert_non_null(difference);
    assert_non_null(common);
    assert_true(gtid_set_equal(sum, a));
    assert_int_equal(gtid_set_union(sum, b, NULL), 0);
    assert_int_equal(gtid_set_subtract(difference, b, NULL), 0);
    assert_int_equal(gtid_set_intersect(common, b, NULL), 0);
    assert_model(sum, &both);
    assert_model(difference, &rest);
    assert_model(common, &shared);
    assert_text_round_trip(common);
    assert_true(gtid_set_contains_set(sum, a) && gtid_set_contains_set(sum, b));
    assert_true(gtid_set_contains_set(a, difference));
    assert_int_equal(gtid_set_contains_set(a, b), model_contains(ma, mb));
    assert_int_equal(gtid_set_equal(a, b), memcmp(ma, mb, sizeof *ma) == 0);
    assert_text_round_trip(sum);
    assert_text_round_trip(difference);
    gtid_set_free(sum);
    gtid_set_free(difference);
    gtid_set_free(common);
}

/* The same members in another order and with repeats, appended and settled. */
static void assert_settles(const struct model *model, const struct gtid_set *expected)
{
    struct gtid list[2 * SOURCES * NUMBERS];
    size_t n = 0;
    for (size_t s = 0; s < SOURCES; s++)
        for (uint64_t number = 1; number <= NUMBERS; number++)
            for (unsigned again = 0; model->bits[s] >> number & 1 && again < 1 + next_random() % 2; again++)
                list[n++] = gtid_of(s, number);
    struct gtid_set *set = gtid_set_new(FLAVOR_MYSQL);
    for (; n; n--) {
        size_t at = next_random() % n;
        assert_int_equal(gtid_set_append(set, &list[at], NULL), 0);
        list[at] = list[n - 1];
    }
    assert_int_equal(gtid_set_settle(set, NULL), 0);
    assert_true(gtid_set_equal(set, expected));
    gtid_set_free(set);
}

static void gtid_set__1000_random_pairs__as_bitmaps(void **state)
{
    (void)state;
    seed = 0x9e3779b97f4a7c15ULL;
    for (int i = 0; i < 1000; i++) {
        struct model ma, mb;
        struct gtid_set *a = random_set(&ma), *b = i % 10 ? random_set(&mb) : gtid_set_copy(a);
        if (i % 10 == 0)
            mb = ma;
        assert_model(a, &ma);
        assert_wire_round_trip(a, &ma);
        check_pair(a, &ma, b, &mb);
        assert_settles(&ma, a);
        gtid_set_free(a);
        gtid_set_free(b);
    }
}

static void gtid_set__wire_form__bytes_of_the_server(void **state)
{
    (void)state;
    static const uint8_t plain[] = {1,    0,    0,    0,    0,    0,    0,    0,    0x3e, 0x11, 0xfa, 0x47, 0x71,
                                    0xca, 0x11, 0xe1, 0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62, 2,    0,
                                    0,    0,    0,    0,    0,    0,    1,    0,    0,    0,    0,    0,    0,
                                    0,    4,    0,    0,    0,    0,    0,    0,    0,    7,    0,    0,    0,
                                    0,    0,    0,    0,    8,    0,    0,    0,    0,    0,    0,    0};
    static const uint8_t tagged[] = {1,    1,    0,    0,    0,    0,    0,    1,    0x3e, 0x11, 0xfa, 0x47, 0x71,
                                     0xca, 0x11, 0xe1, 0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62, 6,    't',
                                     'a',  'g',  1,    0,    0,    0,    0,    0,    0,    0,    5,    0,    0,
                                     0,    0,    0,    0,    0,    6,    0,    0,    0,    0,    0,    0,    0};
    static const struct {
        const uint8_t *bytes;
        size_t len;
        const char *text;
        bool tagged;
    } rows[] = {
        {plain, sizeof plain, UUID_A ":1-3:7", false},
        {tagged, sizeof tagged, UUID_A ":tag:5", true},
    };
    for (size_t i = 0; i < 2; i++) {
        struct gtid_set *set = NULL;
        struct buf b;
        buf_init(&b, 0);
        assert_int_equal(gtid_set_decode(&set, rows[i].bytes, rows[i].len, NULL), 0);
        assert_text(set, rows[i].text);
        assert_int_equal(gtid_set_encode(set, rows[i].tagged, &b, NULL), 0);
        assert_int_equal(b.len, rows[i].len);
        assert_memory_equal(b.p, rows[i].bytes, b.len);
        buf_release(&b);
        gtid_set_free(set);
        for (size_t cut = 0; cut < rows[i].len; cut++) {
            struct err e = ERR_INIT;
            uint8_t *copy = malloc(cut + 1);
            memcpy(copy, rows[i].bytes, cut);
            assert_int_equal(gtid_set_decode(&set, copy, cut, &e), -(int)ERR_CORRUPT);
            free(copy);
        }
    }
}

static void gtid_set__wire_bytes_that_lie__corrupt(void **state)
{
    (void)state;
    struct buf good;
    struct gtid_set *set = parse(FLAVOR_MYSQL, UUID_A ":1-3:7"), *out = NULL;
    buf_init(&good, 0);
    assert_int_equal(gtid_set_encode(set, false, &good, NULL), 0);
    static const struct {
        size_t at;
        uint8_t byte;
        const char *why;
    } rows[] = {
        {7, 2, "unknown format"},
        {7, 1, "tagged without its second mark"},
        {5, 1, "2^40 sources"},
        {30, 1, "2^48 intervals"},
        {0, 2, "a source that is not there"},
        {0, 0, "bytes left over"},
        {32, 0, "begins at 0"},
        {40, 1, "empty interval"},
        {48, 4, "touches the one before"},
        {48, 2, "overlaps the one before"},
        {63, 0x80, "a number beyond 2^63"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t copy[64];
        struct err e = ERR_INIT;
        assert_int_equal(good.len, sizeof copy);
        memcpy(copy, good.p, sizeof copy);
        copy[rows[i].at] = rows[i].byte;
        if (gtid_set_decode(&out, copy, sizeof copy, &e) != -(int)ERR_CORRUPT)
            fail_msg("accepted: %s", rows[i].why);
        assert_null(out);
    }
    buf_release(&good);
    gtid_set_free(set);
}

static void gtid_set__mariadb_position__one_gtid_per_domain(void **state)
{
    (void)state;
    struct gtid_set *set = parse(FLAVOR_MARIADB, "0-1-100,2-1-5");
    struct gtid_set *other = parse(FLAVOR_MARIADB, "0-3-99,1-1-1,2-2-9");
    struct gtid gtid;
    assert_int_equal(gtid_parse(&gtid, FLAVOR_MARIADB, "0-9-100", 7, NULL), 0);
    assert_true(gtid_set_contains(set, &gtid));
    gtid.number = 101;
    assert_false(gtid_set_contains(set, &gtid));
    assert_false(gtid_set_contains_set(set, other));
    assert_int_equal(gtid_set_union(set, other, NULL), 0);
    assert_text(set, "0-1-100,1-1-1,2-2-9");
    assert_true(gtid_set_contains_set(set, other));
    assert_int_equal(gtid_set_subtract(set, other, NULL), 0);
    assert_text(set, "0-1-100");
    gtid.number = 7;
    assert_int_equal(gtid_set_add(set, &gtid, NULL), 0);
    assert_text(set, "0-9-7");
    struct err e = ERR_INIT;
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(gtid_set_encode(set, false, &b, &e), -(int)ERR_BUG);
    buf_release(&b);
    gtid_set_free(set);
    gtid_set_free(other);
}

static void gtid_set__mariadb_intersection__domains_of_both_with_the_lower_number(void **state)
{
    (void)state;
    struct gtid_set *set = parse(FLAVOR_MARIADB, "0-1-100,2-1-5,3-1-1,9-9-9");
    struct gtid_set *other = parse(FLAVOR_MARIADB, "0-3-99,1-1-1,2-2-9,9-8-9");
    assert_int_equal(gtid_set_intersect(set, other, NULL), 0);
    assert_text(set, "0-3-99,2-1-5,9-9-9");
    gtid_set_free(set);
    gtid_set_free(other);
}

static void gtid_set__mariadb_list_in_any_order__last_of_each_domain(void **state)
{
    (void)state;
    static const char *const list[] = {"7-1-5", "0-2-9", "7-2-4", "3-1-1", "0-1-10"};
    struct gtid_set *set = gtid_set_new(FLAVOR_MARIADB);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct gtid gtid;
        assert_int_equal(gtid_parse(&gtid, FLAVOR_MARIADB, list[i], strlen(list[i]), NULL), 0);
        assert_int_equal(gtid_set_append(set, &gtid, NULL), 0);
    }
    assert_int_equal(gtid_set_settle(set, NULL), 0);
    assert_text(set, "0-1-10,3-1-1,7-2-4");
    gtid_set_free(set);
}

/* Inserted one by one in this order each text would take minutes. */
static void gtid_set__many_members_from_the_end__sorted_once(void **state)
{
    (void)state;
    const unsigned long long count = 300000;
    struct buf numbers, domains, uuids;
    buf_init(&numbers, 0);
    buf_init(&domains, 0);
    buf_init(&uuids, 0);
    buf_printf(&numbers, UUID_A);
    for (unsigned long long i = count; i; i--) {
        buf_printf(&numbers, ":%llu", 2 * i);
        buf_printf(&domains, "%llu-1-1,", i);
        buf_printf(&uuids, "%08llx-71ca-11e1-9e33-c80aa9429562:1,", i);
    }
    const struct {
        enum flavor flavor;
        const struct buf *text;
    } rows[] = {{FLAVOR_MYSQL, &numbers}, {FLAVOR_MARIADB, &domains}, {FLAVOR_MYSQL, &uuids}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gtid_set *set = NULL, *again = NULL;
        struct buf canonical;
        buf_init(&canonical, 0);
        assert_int_equal(gtid_set_parse(&set, rows[i].flavor, (char *)rows[i].text->p, rows[i].text->len, NULL), 0);
        gtid_set_print(set, &canonical);
        assert_int_equal(gtid_set_parse(&again, rows[i].flavor, (char *)canonical.p, canonical.len, NULL), 0);
        assert_true(gtid_set_equal(set, again));
        buf_release(&canonical);
        gtid_set_free(set);
        gtid_set_free(again);
    }
    buf_release(&numbers);
    buf_release(&domains);
    buf_release(&uuids);
}

static void gtid_set__two_flavours__bug_and_never_contained(void **state)
{
    (void)state;
    struct gtid_set *mysql = parse(FLAVOR_MYSQL, UUID_A ":1"), *mariadb = parse(FLAVOR_MARIADB, "0-1-1");
    struct gtid none = {.flavor = FLAVOR_MYSQL}, other = {.flavor = FLAVOR_MARIADB, .number = 1};
    assert_int_equal(gtid_set_union(mysql, mariadb, NULL), -(int)ERR_BUG);
    assert_int_equal(gtid_set_subtract(mysql, mariadb, NULL), -(int)ERR_BUG);
    assert_int_equal(gtid_set_intersect(mysql, mariadb, NULL), -(int)ERR_BUG);
    assert_int_equal(gtid_set_add(mysql, &other, NULL), -(int)ERR_BUG);
    assert_int_equal(gtid_set_add(mysql, &none, NULL), -(int)ERR_BUG);
    none.number = (uint64_t)1 << 63;
    assert_int_equal(gtid_set_add(mysql, &none, NULL), -(int)ERR_CORRUPT);
    assert_false(gtid_set_contains_set(mysql, mariadb));
    assert_false(gtid_set_equal(mysql, mariadb));
    assert_text(mysql, UUID_A ":1");
    gtid_set_free(mysql);
    gtid_set_free(mariadb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gtid_set__text_of_the_manual__canonical_form),
        cmocka_unit_test(gtid_set__text_that_is_none__position_syntax),
        cmocka_unit_test(gtid__text_both_flavours__round_trip),
        cmocka_unit_test(gtid__writers__uuid_and_tag_or_domain),
        cmocka_unit_test(gtid_set__1000_random_pairs__as_bitmaps),
        cmocka_unit_test(gtid_set__wire_form__bytes_of_the_server),
        cmocka_unit_test(gtid_set__wire_bytes_that_lie__corrupt),
        cmocka_unit_test(gtid_set__mariadb_position__one_gtid_per_domain),
        cmocka_unit_test(gtid_set__mariadb_intersection__domains_of_both_with_the_lower_number),
        cmocka_unit_test(gtid_set__mariadb_list_in_any_order__last_of_each_domain),
        cmocka_unit_test(gtid_set__many_members_from_the_end__sorted_once),
        cmocka_unit_test(gtid_set__two_flavours__bug_and_never_contained),
    };
    return cmocka_run_group_tests_name("gtid_set", tests, NULL, NULL);
}
