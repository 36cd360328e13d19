/* The text of a statement on its way: from its event to the rowset, through lanes to the change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/log_reader.h"
#include "tools/event_builder.h"
#include "tools/lane_kit.h"
#include "tools/random_row.h"
#include "tools/rowset_text.h"

#define POOL      (64u * 1024)
#define QUERY_MAX 100u

/* ---------------------------------------------------------------- lanes */

static struct lanes *query_lanes(unsigned lanes)
{
    struct lanes *out;
    struct lanes_options opt = {.lanes = lanes, .sinks = 1, .buffer_bytes = POOL, .query_max_bytes = QUERY_MAX};
    assert_int_equal(lanes_new(&out, &opt, NULL), 0);
    return out;
}

static void set_query(struct lanes *lanes, unsigned number)
{
    char text[QUERY_MAX + 1];
    int len = snprintf(text, sizeof text, "statement %u %.*s", number, (int)(number % 60),
                       "------------------------------------------------------------");
    const struct row_query query = {.text = text, .len = (size_t)len, .whole_bytes = (size_t)len + number % 2};
    lanes_query(lanes, number ? &query : NULL);
}

/* Each row's key is the number of its statement: 0 has none. */
static void expect_query(const struct change *chg)
{
    char key[16] = {0}, want[64];
    assert_true(chg->key_len < sizeof key);
    memcpy(key, chg->key, chg->key_len);
    unsigned long number = strtoul(key, NULL, 10);
    if (number == 0) {
        assert_null(chg->query);
        return;
    }
    assert_non_null(chg->query);
    int len = snprintf(want, sizeof want, "statement %lu ", number);
    assert_int_equal(chg->query->len, (size_t)len + number % 60);
    assert_memory_equal(chg->query->text, want, (size_t)len);
    assert_int_equal(chg->query->whole_bytes, chg->query->len + number % 2);
}

/* Reads and acknowledges everything; the count of rows. */
static unsigned drain(struct lanes *lanes)
{
    struct lane_item item;
    unsigned count = 0;
    for (unsigned lane = 0; lane < lanes_count(lanes); lane++)
        while (lanes_read(lanes, lane, 0, &item) == LANE_ITEM) {
            expect_query(&item.chg);
            lanes_ack(lanes, lane, 0, item.ordinal);
            count++;
        }
    return count;
}

static void add(struct lanes *lanes, unsigned lane, unsigned number, size_t len)
{
    char key[16];
    snprintf(key, sizeof key, "%u", number);
    assert_int_equal(kit_add(lanes, lane, key, 0, len, NULL), 0);
}

static void row_query__rows_over_segments_and_lanes__each_has_its_statement(void **state)
{
    (void)state;
    struct lanes *lanes = query_lanes(3);
    struct rng rng = {.state = 11};
    unsigned added = 0, number = 0;
    for (unsigned tx = 1; tx < 400; tx++) {
        kit_begin(lanes, tx);
        for (unsigned n = rng_below(&rng, 12); n > 0; n--) {
            if (rng_below(&rng, 3) == 0) {
                number = rng_below(&rng, 5) ? tx * 12 + n : 0;
                set_query(lanes, number);
            } else if (n % 2) {
                set_query(lanes, number); /* said again for each event */
            } else {
                number = 0;
                set_query(lanes, 0);
            }
            add(lanes, rng_below(&rng, 3), number, rng_below(&rng, 20) ? rng_below(&rng, 300) : 4000);
            added++;
        }
        number = 0;
        kit_end(lanes, tx);
        lanes_publish(lanes);
        added -= drain(lanes);
        assert_int_equal(added, 0);
        assert_true(lanes_make_room(lanes));
    }
    lanes_free(lanes);
}

static void row_query__next_transaction__begins_without(void **state)
{
    (void)state;
    struct lanes *lanes = query_lanes(1);
    kit_begin(lanes, 1);
    set_query(lanes, 5);
    add(lanes, 0, 5, 10);
    kit_end(lanes, 1);
    kit_begin(lanes, 2);
    add(lanes, 0, 0, 10);
    kit_end(lanes, 2);
    lanes_publish(lanes);
    assert_int_equal(drain(lanes), 2);
    lanes_free(lanes);
}

static void row_query__rollback_to_savepoint__rows_behind_have_their_own(void **state)
{
    (void)state;
    struct rng rng = {.state = 12};
    for (unsigned round = 0; round < 300; round++) {
        struct lanes *lanes = query_lanes(2);
        unsigned kept = 1 + rng_below(&rng, 30);
        if (round % 2) {
            kit_begin(lanes, 1);
            set_query(lanes, 7);
            add(lanes, 0, 7, 20);
            kit_end(lanes, 1);
        }
        kit_begin(lanes, 2);
        for (unsigned i = 0; i < kept; i++) {
            unsigned number = rng_below(&rng, 4);
            set_query(lanes, number);
            add(lanes, i % 2, number, rng_below(&rng, 500));
        }
        uint64_t savepoint = lanes_savepoint(lanes) - rng_below(&rng, kept);
        for (unsigned i = 0; i < 20; i++) {
            set_query(lanes, 100 + i % 3);
            add(lanes, i % 2, 100 + i % 3, 300);
        }
        assert_int_equal(lanes_rollback_to(lanes, savepoint), 0);
        for (unsigned i = 0; i < 6; i++) {
            unsigned number = i < 3 ? rng_below(&rng, 4) : 102;
            set_query(lanes, number);
            add(lanes, i % 2, number, 10);
        }
        kit_end(lanes, 2);
        lanes_publish(lanes);
        assert_int_equal(drain(lanes), savepoint + 6);
        lanes_free(lanes);
    }
}

static void row_query__rewind__reads_it_again(void **state)
{
    (void)state;
    struct lanes *lanes = query_lanes(1);
    struct lane_item item;
    kit_begin(lanes, 1);
    set_query(lanes, 3);
    add(lanes, 0, 3, 10);
    add(lanes, 0, 3, 10);
    kit_end(lanes, 1);
    lanes_publish(lanes);
    assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
    lanes_ack(lanes, 0, 0, item.ordinal);
    assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
    lanes_rewind(lanes, 0, 0);
    assert_int_equal(drain(lanes), 1);
    lanes_free(lanes);
}

static void row_query__longer_than_a_segment_holds__is_a_config_error(void **state)
{
    (void)state;
    struct lanes *lanes = NULL;
    struct err e = ERR_INIT;
    struct lanes_options opt = {.lanes = 16, .sinks = 1, .buffer_bytes = POOL, .query_max_bytes = 129};
    assert_int_equal(lanes_new(&lanes, &opt, &e), -ERR_CONFIG_VALUE);
    opt.query_max_bytes = 128;
    assert_int_equal(lanes_new(&lanes, &opt, NULL), 0);
    lanes_free(lanes);
}

/* ---------------------------------------------------------------- log reader */

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)db;
    return table[0] == 't';
}

/* All rowsets of what was built, as text. */
static void read_all(const struct event_builder *b, size_t max, struct buf *out)
{
    struct interest interest = {.wants = wants};
    struct schema *schema;
    struct log_reader *reader;
    struct position at;
    struct err e = ERR_INIT;
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    struct log_reader_options opt = {.interest = &interest, .schema = schema, .query_max_bytes = max};
    assert_int_equal(log_reader_new(&reader, &opt, &e), 0);
    position_init(&at);
    at.at.pos = 4;
    assert_int_equal(log_reader_start(reader, &at, &e), 0);
    const uint8_t *event;
    size_t len;
    for (unsigned i = 0; built_event(b, i, &event, &len); i++) {
        struct rowset rs;
        int rc;
        do {
            rc = log_reader_feed(reader, event, len, &rs, &e);
            if (rc < 0)
                fail_msg("%s", e.text);
            if (rc > 0 && rc != LOG_READER_MORE && rs.kind == ROWSET_ROWS)
                rowset_text(&rs, out);
        } while (rc == LOG_READER_AGAIN || rc == LOG_READER_MORE);
    }
    log_reader_free(reader);
    schema_free(schema);
}

/* Where ROWS_QUERY has a byte of length before its text, ANNOTATE has none. */
static void build_query_text(struct event_builder *b, const char *text)
{
    char body[1024] = {0};
    size_t skip = b->mariadb ? 0 : 1;
    memcpy(body + skip, text, strlen(text));
    build_event(b, b->mariadb ? EVENT_ANNOTATE : EVENT_ROWS_QUERY, body, skip + strlen(text));
}

static void build_statement(struct event_builder *b, const char *text, unsigned rows)
{
    if (text)
        build_query_text(b, text);
    build_table_map(b, 1, "shop", "t");
    build_table_map(b, 2, "shop", "other");
    for (unsigned i = 1; i <= rows; i++) {
        build_rows(b, EVENT_WRITE_ROWS_V1, 2, false, 1, "x");
        build_rows(b, EVENT_WRITE_ROWS_V1, 1, i == rows, (int32_t)i, "x");
    }
}

/* What stands behind "query=" in each ROWS line, "-" for none, joined by blanks. */
static void queries_of(struct buf *text, char *out, size_t size)
{
    buf_byte(text, 0);
    size_t n = 0;
    for (const char *line = strstr((const char *)text->p, "ROWS"); line; line = strstr(line + 1, "ROWS")) {
        const char *end = strchr(line, '\n'), *query = strstr(line, "query=");
        bool has = query && query < end;
        n += (size_t)snprintf(out + n, size - n, "%s%.*s", n ? " " : "", has ? (int)(end - query - 6) : 1,
                              has ? query + 6 : "-");
    }
}

static void expect_queries(const struct event_builder *b, size_t max, const char *want)
{
    struct buf text;
    char found[600] = "";
    buf_init(&text, 0);
    read_all(b, max, &text);
    queries_of(&text, found, sizeof found);
    assert_string_equal(found, want);
    buf_release(&text);
}

static void row_query__events_of_a_statement__all_carry_it_and_no_other(void **state)
{
    (void)state;
    for (unsigned mariadb = 0; mariadb < 2; mariadb++) {
        struct event_builder b;
        event_builder_init(&b, mariadb, true);
        for (unsigned tx = 1; tx <= 2; tx++) {
            build_gtid(&b, tx);
            if (!mariadb)
                build_query(&b, "shop", "BEGIN");
            if (tx == 1) {
                build_statement(&b, "first", 2);
                build_statement(&b, NULL, 1);
                build_statement(&b, "third", 1);
                build_query_text(&b, "of a statement that changed nothing");
            } else {
                build_statement(&b, NULL, 1);
            }
            build_xid(&b);
        }
        expect_queries(&b, 1000, "first/5 first/5 - third/5 -");
        expect_queries(&b, 0, "- - - - -");
        event_builder_release(&b);
    }
}

static void row_query__xa__ends_with_its_statement_although_nobody_wanted_that(void **state)
{
    (void)state;
    struct event_builder b;
    const uint8_t one_phase[] = {1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, '1'};
    event_builder_init(&b, false, true);
    build_gtid(&b, 1);
    build_query(&b, "shop", "XA START X'31',X'',1");
    build_statement(&b, "first", 2);
    build_query_text(&b, "of a table that nobody wants");
    build_table_map(&b, 2, "shop", "other");
    build_rows(&b, EVENT_WRITE_ROWS_V1, 2, true, 1, "x");
    build_statement(&b, NULL, 1);
    build_statement(&b, "last", 1);
    build_query(&b, "shop", "XA END X'31',X'',1");
    build_event(&b, EVENT_XA_PREPARE, one_phase, sizeof one_phase);
    expect_queries(&b, 1000, "first/5 first/5 - last/4");
    event_builder_release(&b);
}

static void row_query__longer_than_the_limit__cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"0123456789abcdef", "0123456789abcdef/16"},
        {"0123456789abcdefg", "0123456789abcdef/17"},
        {"0123456789abcde\xc3\xa9", "0123456789abcde/17"},
        {"0123456789abc\xf0\x9f\x98\x80", "0123456789abc/17"},
        {"0123456789abcd\xc3\xa9g", "0123456789abcd\xc3\xa9/17"},
        {"0123456789a\x80\x80\x80\x80\x80\x80\x80", "0123456789a\x80\x80\x80\x80\x80/18"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_builder b;
        event_builder_init(&b, false, false);
        build_gtid(&b, 1);
        build_query(&b, "shop", "BEGIN");
        build_statement(&b, cases[i].text, 1);
        expect_queries(&b, 16, cases[i].want);
        event_builder_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_query__rows_over_segments_and_lanes__each_has_its_statement),
        cmocka_unit_test(row_query__next_transaction__begins_without),
        cmocka_unit_test(row_query__rollback_to_savepoint__rows_behind_have_their_own),
        cmocka_unit_test(row_query__rewind__reads_it_again),
        cmocka_unit_test(row_query__longer_than_a_segment_holds__is_a_config_error),
        cmocka_unit_test(row_query__events_of_a_statement__all_carry_it_and_no_other),
        cmocka_unit_test(row_query__xa__ends_with_its_statement_although_nobody_wanted_that),
        cmocka_unit_test(row_query__longer_than_the_limit__cut_between_characters),
    };
    return cmocka_run_group_tests_name("row_query", tests, NULL, NULL);
}
