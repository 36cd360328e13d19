/* Lanes in one thread: what is read, when, what comes back to the pool, what a rollback leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/lane_kit.h"

#define POOL (64u * 1024)

/* Expects the next item of lane and sink to be a row of that key; returns its ordinal. */
static uint64_t expect(struct lanes *lanes, unsigned lane, unsigned sink, const char *key)
{
    struct lane_item item;
    assert_int_equal(lanes_read(lanes, lane, sink, &item), LANE_ITEM);
    assert_int_equal(item.kind, LANE_ROW);
    assert_int_equal(item.chg.key_len, strlen(key));
    assert_memory_equal(item.chg.key, key, item.chg.key_len);
    return item.ordinal;
}

static void expect_none(struct lanes *lanes, unsigned lane, unsigned sink, int result)
{
    struct lane_item item;
    assert_int_equal(lanes_read(lanes, lane, sink, &item), result);
}

static void lane__row__reads_back_as_it_was_added(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 2, POOL);
    struct tx tx = {.gtid = {.flavor = FLAVOR_MARIADB, .domain = 1, .server = 2, .number = 3},
                    .file = "binlog.000042",
                    .pos = 4711,
                    .commit_us = 1234567,
                    .commit_in_us = true,
                    .server_id = 9,
                    .epoch = 5,
                    .sequence = 6};
    const uint8_t before_present = 1, after_present = 3;
    struct lane_row row = {
        .op = CHANGE_UPDATE,
        .flags = CHANGE_FROM,
        .sink_mask = 2,
        .version_row = 77,
        .event_pos = 5000,
        .shape = kit_shape(),
        .key = "k:1",
        .key_len = 3,
        .before = {.present = &before_present, .bytes = (const uint8_t *)"before", .len = 6},
        .after = {.present = &after_present, .bytes = (const uint8_t *)"and after", .len = 9},
    };
    uint64_t ordinal = 0;
    lanes_begin(lanes, &tx);
    assert_int_equal(lanes_add(lanes, 0, &row, &ordinal, NULL), 0);
    assert_int_equal(ordinal, 1);
    row.op = CHANGE_DELETE;
    row.flags = 0;
    row.before.present = NULL;
    row.after = (struct image){0};
    assert_int_equal(lanes_add(lanes, 0, &row, &ordinal, NULL), 0);
    kit_end(lanes, 6000);
    lanes_publish(lanes);

    struct lane_item item;
    assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
    assert_false(item.for_sink);
    assert_int_equal(lanes_read(lanes, 0, 1, &item), LANE_ITEM);
    assert_true(item.for_sink);
    assert_int_equal(item.kind, LANE_ROW);
    assert_int_equal(item.ordinal, 1);
    const struct change *chg = &item.chg;
    assert_int_equal(chg->op, CHANGE_UPDATE);
    assert_int_equal(chg->flags, CHANGE_FROM);
    assert_ptr_equal(chg->shape, kit_shape());
    assert_true(gtid_equal(&chg->tx->gtid, &tx.gtid));
    assert_string_equal(chg->tx->file, "binlog.000042");
    assert_int_equal(chg->tx->commit_us, 1234567);
    assert_int_equal(chg->version.epoch, 5);
    assert_int_equal(chg->version.sequence, 6);
    assert_int_equal(chg->version.row, 77);
    assert_int_equal(chg->pos, 5000);
    assert_memory_equal(chg->key, "k:1", 3);
    assert_string_equal(chg->db, "shop");
    assert_string_equal(chg->table, "orders");
    assert_int_equal(*chg->before.present, 1);
    assert_int_equal(*chg->after.present, 3);
    assert_int_equal(chg->before.len, 6);
    assert_memory_equal(chg->before.bytes, "before", 6);
    assert_int_equal(chg->after.len, 9);
    assert_memory_equal(chg->after.bytes, "and after", 9);

    assert_int_equal(lanes_read(lanes, 0, 1, &item), LANE_ITEM);
    assert_int_equal(item.chg.op, CHANGE_DELETE);
    assert_int_equal(item.chg.flags, CHANGE_LAST_IN_EVENT | CHANGE_LAST_IN_TX | CHANGE_LAST_OF_TX);
    assert_null(item.chg.before.present);
    assert_memory_equal(item.chg.before.bytes, "before", 6);
    assert_null(item.chg.after.bytes);
    lanes_free(lanes);
}

static void lane__item__is_read_only_after_publication_of_its_transaction(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(2, 1, POOL);
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "a", 0, 10, NULL);
    kit_end(lanes, 100);
    expect_none(lanes, 0, 0, LANE_EMPTY);
    kit_begin(lanes, 2);
    kit_add(lanes, 0, "b", 0, 10, NULL);
    kit_add(lanes, 1, "c", 1, 10, NULL);
    lanes_publish(lanes); /* in the middle of transaction 2 */
    expect(lanes, 0, 0, "a");
    expect_none(lanes, 0, 0, LANE_EMPTY);
    expect_none(lanes, 1, 0, LANE_EMPTY);
    kit_end(lanes, 200);
    lanes_publish(lanes);
    expect(lanes, 0, 0, "b");
    expect(lanes, 1, 0, "c");
    lanes_free(lanes);
}

static void lane__last_in_event_and_tx__are_set_per_lane(void **state)
{
    (void)state;
    static const unsigned last = CHANGE_LAST_IN_EVENT | CHANGE_LAST_IN_TX | CHANGE_LAST_OF_TX;
    static const unsigned expected[] = {0, CHANGE_LAST_IN_EVENT, last, last};
    struct lanes *lanes = kit_lanes(1, 1, POOL);
    struct lane_item item;
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "a", 0, 10, NULL);
    kit_add(lanes, 0, "a", 1, 10, NULL);
    lanes_event_end(lanes);
    kit_add(lanes, 0, "a", 2, 10, NULL);
    lanes_event_end(lanes);
    kit_end(lanes, 100);
    kit_begin(lanes, 2);
    kit_add(lanes, 0, "a", 0, 10, NULL);
    kit_end(lanes, 200);
    lanes_publish(lanes);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
        assert_int_equal(item.chg.flags, expected[i]);
    }
    lanes_free(lanes);
}

/* Transactions of many segments in three lanes, beside what is still unpublished of others; with savepoints in between:
 * each row tells its own transaction's XID, and one row of each is the last. */
static void lane__xid_and_last_row__are_told_by_each_row_of_their_transaction(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(3, 1, 16 * POOL);
    uint64_t rows[8] = {0}, lasts[8] = {0};
    struct lane_item item;
    for (unsigned tx = 1; tx < 8; tx++) {
        kit_begin(lanes, tx);
        for (unsigned i = 0; i < 40 * tx; i++) {
            uint64_t savepoint = lanes_savepoint(lanes);
            if (i % 7 == 3) {
                for (unsigned k = 0; k < 9; k++)
                    assert_int_equal(kit_add(lanes, k % 3, "gone", i, 900, NULL), 0);
                assert_int_equal(lanes_rollback_to(lanes, savepoint), 0);
            }
            assert_int_equal(kit_add(lanes, (i + tx) % 3, "kept", i, 700, NULL), 0);
        }
        if (tx != 4)
            lanes_xid(lanes, 1000 + tx);
        kit_end(lanes, tx);
    }
    lanes_publish(lanes);
    for (unsigned lane = 0; lane < 3; lane++)
        while (lanes_read(lanes, lane, 0, &item) == LANE_ITEM) {
            uint64_t tx = item.chg.version.sequence;
            assert_int_equal(item.chg.tx->has_xid, tx != 4);
            assert_int_equal(item.chg.tx->xid, tx == 4 ? 0 : 1000 + tx);
            assert_int_equal(item.chg.lane, lane);
            rows[tx]++;
            if (item.chg.flags & CHANGE_LAST_OF_TX) {
                lasts[tx]++;
                assert_int_equal(item.chg.version.row, 40 * tx - 1);
            }
        }
    for (unsigned tx = 1; tx < 8; tx++) {
        assert_int_equal(rows[tx], 40 * tx);
        assert_int_equal(lasts[tx], 1);
    }
    lanes_free(lanes);
}

static void lane__xid_of_what_went_out_in_chunks__is_not_told(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 1, 16 * POOL);
    struct lane_item item;
    kit_begin(lanes, 1);
    for (unsigned i = 0; i < 3; i++) {
        kit_add(lanes, 0, "a", i, 10, NULL);
        if (i == 0)
            lanes_publish_chunk(lanes);
    }
    lanes_xid(lanes, 17);
    kit_end(lanes, 1);
    lanes_publish(lanes);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
        assert_false(item.chg.tx->has_xid);
        assert_int_equal(!!(item.chg.flags & CHANGE_LAST_OF_TX), i == 2);
    }
    lanes_free(lanes);
}

static void lane__marks__stand_around_the_rows_of_their_transaction(void **state)
{
    (void)state;
    static const enum change_op expected[] = {CHANGE_BEGIN, CHANGE_INSERT, CHANGE_INSERT,
                                              CHANGE_END,   CHANGE_BEGIN,  CHANGE_END};
    struct lanes *lanes = kit_lanes(1, 1, POOL);
    struct lane_item item;
    for (unsigned tx = 1; tx < 3; tx++) {
        kit_begin(lanes, tx);
        assert_int_equal(lanes_mark(lanes, CHANGE_BEGIN, 1, 0, NULL), 0);
        for (unsigned i = 0; i < 2 && tx == 1; i++)
            kit_add(lanes, 0, "a", i, 10, NULL);
        assert_int_equal(lanes_mark(lanes, CHANGE_END, 1, 0, NULL), 0);
        kit_end(lanes, tx);
    }
    lanes_publish(lanes);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
        assert_int_equal(item.chg.op, expected[i]);
        assert_true(item.for_sink);
        assert_string_equal(item.chg.db, expected[i] == CHANGE_INSERT ? "shop" : "");
        assert_int_equal(!!(item.chg.flags & CHANGE_LAST_OF_TX), i == 2);
        assert_int_equal(item.chg.version.sequence, i < 4 ? 1 : 2);
    }
    assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_EMPTY);
    lanes_free(lanes);
}

static void lane__segments__come_back_when_all_sinks_acked_and_left(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 2, POOL); /* four segments of 16 KiB */
    char key[16];
    unsigned written = 0;
    for (unsigned i = 0;; i++) {
        snprintf(key, sizeof key, "%u", i);
        kit_begin(lanes, i + 1);
        if (kit_add(lanes, 0, key, 0, 3000, NULL) == LANES_FULL)
            break;
        kit_end(lanes, i + 100);
        written++;
    }
    assert_in_range(written, 16, 20); /* a row of 3,000 bytes and its headers, five to a segment */
    assert_int_equal(lanes_bytes(lanes), POOL);
    assert_false(lanes_make_room(lanes));
    assert_int_equal(kit_drain(lanes, 0), written);
    assert_false(lanes_make_room(lanes)); /* sink 1 has not read */
    for (unsigned i = 0; i < written; i++) {
        snprintf(key, sizeof key, "%u", i);
        expect(lanes, 0, 1, key);
    }
    assert_false(lanes_make_room(lanes)); /* read, not acknowledged */
    lanes_ack(lanes, 0, 1, 5);
    assert_true(lanes_make_room(lanes));
    assert_int_equal(kit_add(lanes, 0, "x", 0, 3000, NULL), 0);
    kit_end(lanes, 999);
    lanes_publish(lanes);
    expect(lanes, 0, 1, "x");
    lanes_free(lanes);
}

static void lane__pool_smaller_than_a_transaction__goes_out_in_chunks(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(2, 1, POOL);
    unsigned seen = 0;
    kit_begin(lanes, 1);
    for (unsigned i = 0; i < 1000; i++) {
        while (kit_add(lanes, i % 2, "k", i, 1000, NULL) == LANES_FULL)
            if (!lanes_make_room(lanes))
                seen += kit_drain(lanes, 0);
        if (i % 50 == 49)
            lanes_event_end(lanes);
        if (i % 50 == 49 && lanes_chunk_due(lanes)) {
            lanes_publish_chunk(lanes);
            assert_false(lanes_chunk_due(lanes));
        }
    }
    assert_true(lanes_chunk_published(lanes));
    assert_int_equal(lanes_rollback(lanes), -1);
    kit_end(lanes, 100);
    assert_false(lanes_chunk_published(lanes));
    lanes_publish(lanes);
    seen += kit_drain(lanes, 0);
    assert_int_equal(seen, 1000);
    assert_int_equal(ledger_safe(lanes_ledger(lanes), 0, 0), 1000);
    lanes_free(lanes);
}

static void lane__rollback__leaves_no_trace(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(3, 1, POOL);
    uint64_t ordinal;
    for (unsigned round = 0; round < 50; round++) {
        kit_begin(lanes, 2 * round + 1);
        for (unsigned i = 0; i < 12; i++)
            assert_int_equal(kit_add(lanes, i % 3, "gone", i, 900, NULL), 0);
        assert_int_equal(lanes_rollback(lanes), 0);
        kit_end(lanes, round + 100);
        kit_begin(lanes, 2 * round + 2);
        assert_int_equal(kit_add(lanes, round % 3, "kept", 0, 900, &ordinal), 0);
        assert_int_equal(ordinal, round + 1);
        kit_end(lanes, round + 100);
        lanes_publish(lanes);
        struct lane_item item;
        assert_int_equal(lanes_read(lanes, round % 3, 0, &item), LANE_ITEM);
        assert_memory_equal(item.chg.key, "kept", 4);
        assert_int_equal(item.chg.version.sequence, 2 * round + 2);
        assert_int_equal(item.chg.flags, CHANGE_LAST_IN_EVENT | CHANGE_LAST_IN_TX | CHANGE_LAST_OF_TX);
        lanes_ack(lanes, round % 3, 0, item.ordinal);
    }
    assert_in_range(lanes_bytes(lanes), 0, POOL / 2);
    lanes_free(lanes);
}

static void lane__rollback_to_savepoint__cuts_at_the_ordinal(void **state)
{
    (void)state;
    for (unsigned keep = 0; keep <= 60; keep++) {
        struct lanes *lanes = kit_lanes(2, 1, 4 * POOL);
        char key[16];
        uint64_t savepoint = 0;
        kit_begin(lanes, 1);
        for (unsigned i = 0; i < 60; i++) {
            if (i == keep)
                savepoint = lanes_savepoint(lanes);
            snprintf(key, sizeof key, "%u", i);
            assert_int_equal(kit_add(lanes, i % 3 == 0, key, i, 1500, NULL), 0);
        }
        if (keep == 60)
            savepoint = lanes_savepoint(lanes);
        assert_int_equal(lanes_rollback_to(lanes, savepoint), 0);
        for (unsigned i = keep; i < keep + 5; i++) {
            snprintf(key, sizeof key, "n%u", i);
            assert_int_equal(kit_add(lanes, i % 3 == 0, key, i, 1500, NULL), 0);
        }
        kit_end(lanes, 100);
        lanes_publish(lanes);
        for (unsigned i = 0; i < keep + 5; i++) {
            snprintf(key, sizeof key, i < keep ? "%u" : "n%u", i);
            assert_int_equal(expect(lanes, i % 3 == 0, 0, key), i + 1);
        }
        expect_none(lanes, 0, 0, LANE_EMPTY);
        expect_none(lanes, 1, 0, LANE_EMPTY);
        lanes_free(lanes);
    }
}

/* Rows of a table with nine JSON columns: two bytes that say which are partial updates. */
static const struct shape *documents_shape(void)
{
    static struct column columns[10];
    static const struct table tbl = {.db = "shop", .name = "docs", .columns = columns, .column_count = 10};
    static const struct shape shape = {.tbl = &tbl, .json_count = 9};
    for (unsigned i = 1; i < 10; i++)
        columns[i].type.family = FAMILY_JSON;
    return &shape;
}

/* Row `number` with after images of `len` bytes; every other one has no partial update, bitmaps and tickets vary. */
static struct lane_row document_row(unsigned number, size_t len, const uint8_t *bytes, const uint8_t partial[2])
{
    static const uint8_t before_present[2] = {0x55, 1}, after_present[2] = {0xaa, 2};
    struct lane_row row = {.op = CHANGE_UPDATE,
                           .sink_mask = UINT32_MAX,
                           .version_row = number,
                           .shape = documents_shape(),
                           .key = "doc",
                           .key_len = 3,
                           .before = {.bytes = bytes, .len = number % 7},
                           .after = {.bytes = bytes + number % 7, .len = len}};
    if (number % 2) {
        row.after.partial = partial;
        row.after.partial_len = number % 4 == 1 ? 1 : 2; /* that of JSON texts is not the bitmap of the shape */
    }
    if (number % 3 == 0)
        row.before.present = before_present;
    if (number % 5 == 0)
        row.after.present = after_present;
    return row;
}

static size_t document_len(unsigned number)
{
    return number % 4 == 3 ? 30000 : 100; /* beyond a segment of 16 KiB, or not */
}

static void fill_document(unsigned number, uint8_t *bytes, uint8_t partial[2])
{
    for (size_t i = 0; i < 7 + document_len(number); i++)
        bytes[i] = (uint8_t)(number * 31 + i);
    partial[0] = (uint8_t)(number * 3);
    partial[1] = (uint8_t)(number & 1);
}

static void add_document(struct lanes *lanes, unsigned number, uint64_t *ordinal)
{
    static uint8_t bytes[32768];
    uint8_t partial[2];
    uint64_t unused;
    fill_document(number, bytes, partial);
    struct lane_row row = document_row(number, document_len(number), bytes, partial);
    if (number % 4 > 1 && *ordinal) {
        row.has_ticket = true;
        row.ticket_ordinal = *ordinal;
    }
    assert_int_equal(lanes_add(lanes, 0, &row, ordinal ? ordinal : &unused, NULL), 0);
    memset(bytes, 0, sizeof bytes); /* all was copied */
}

static void same_image(const struct image *is, const struct image *wanted)
{
    assert_int_equal(!is->present, !wanted->present);
    if (wanted->present)
        assert_memory_equal(is->present, wanted->present, 2);
    assert_int_equal(!is->partial, !wanted->partial);
    assert_int_equal(is->partial_len, wanted->partial_len);
    if (wanted->partial)
        assert_memory_equal(is->partial, wanted->partial, wanted->partial_len);
    assert_int_equal(is->len, wanted->len);
    assert_memory_equal(is->bytes, wanted->bytes, wanted->len);
}

static void expect_document(struct lanes *lanes, unsigned sink, unsigned number, bool acknowledge)
{
    static uint8_t bytes[32768];
    uint8_t partial[2];
    struct lane_item item;
    fill_document(number, bytes, partial);
    struct lane_row row = document_row(number, document_len(number), bytes, partial);
    assert_int_equal(lanes_read(lanes, 0, sink, &item), LANE_ITEM);
    assert_int_equal(item.chg.version.row, number);
    assert_memory_equal(item.chg.key, "doc", 3);
    same_image(&item.chg.before, &row.before);
    same_image(&item.chg.after, &row.after);
    if (acknowledge)
        lanes_ack(lanes, 0, sink, item.ordinal);
}

static void lane__partial_updates__read_back_in_segments_and_outside_of_them(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 2, 8 * POOL);
    uint64_t last = 0;
    unsigned read[2] = {1, 1};
    for (unsigned number = 1; number < 200;) {
        kit_begin(lanes, number);
        for (unsigned in_tx = 0; in_tx < 5; in_tx++)
            add_document(lanes, number++, &last);
        kit_end(lanes, number);
        lanes_publish(lanes);
        while (read[0] < number)
            expect_document(lanes, 0, read[0]++, true);
        while (read[1] < number)
            expect_document(lanes, 1, read[1]++, true);
        (void)lanes_make_room(lanes);
    }
    lanes_free(lanes);
}

static void lane__partial_updates_behind_a_savepoint__are_cut_and_written_again(void **state)
{
    (void)state;
    for (unsigned keep = 0; keep <= 12; keep++) {
        struct lanes *lanes = kit_lanes(1, 1, 16 * POOL);
        uint64_t savepoint = 0, last = 0;
        kit_begin(lanes, 1);
        for (unsigned i = 0; i < 12; i++) {
            if (i == keep)
                savepoint = lanes_savepoint(lanes);
            last = 0;
            add_document(lanes, 3 + i, &last);
        }
        if (keep == 12)
            savepoint = lanes_savepoint(lanes);
        assert_int_equal(lanes_rollback_to(lanes, savepoint), 0);
        for (unsigned i = keep; i < 12; i++) {
            last = 0;
            add_document(lanes, i % 2 ? 20 + i : 31 + i, &last); /* others, large where those were small */
        }
        kit_end(lanes, 100);
        lanes_publish(lanes);
        for (unsigned round = 0; round < 2; round++) {
            for (unsigned i = 0; i < 12; i++)
                expect_document(lanes, 0, i < keep ? 3 + i : i % 2 ? 20 + i : 31 + i, false);
            lanes_rewind(lanes, 0, 0);
        }
        lanes_free(lanes);
    }
}

static void lane__rollback_into_a_published_chunk__is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 1, POOL);
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "a", 0, 10, NULL);
    uint64_t savepoint = lanes_savepoint(lanes);
    kit_add(lanes, 0, "b", 1, 10, NULL);
    lanes_publish_chunk(lanes);
    kit_add(lanes, 0, "c", 2, 10, NULL);
    assert_int_equal(lanes_rollback_to(lanes, savepoint), -1);
    assert_int_equal(lanes_rollback(lanes), -1);
    assert_int_equal(lanes_rollback_to(lanes, ledger_last(lanes_ledger(lanes))), 0); /* what a lost connection does */
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "C", 2, 10, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    expect(lanes, 0, 0, "a");
    expect(lanes, 0, 0, "b");
    expect(lanes, 0, 0, "C");
    expect_none(lanes, 0, 0, LANE_EMPTY);
    lanes_free(lanes);
}

static void lane__ticket__blocks_until_its_lane_acked(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(2, 1, POOL);
    uint64_t from;
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "old", 0, 10, &from);
    kit_add_to(lanes, 1, "new", 1, 0, from, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    expect_none(lanes, 1, 0, LANE_BLOCKED);
    expect(lanes, 0, 0, "old");
    expect_none(lanes, 1, 0, LANE_BLOCKED);
    lanes_ack(lanes, 0, 0, from);
    expect(lanes, 1, 0, "new");
    lanes_free(lanes);
}

static void lane__ticket_of_the_same_lane__waits_for_the_ack_too(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 1, POOL);
    uint64_t from;
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "old", 0, 10, &from);
    kit_add_to(lanes, 0, "new", 1, 0, from, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    expect(lanes, 0, 0, "old");
    expect_none(lanes, 0, 0, LANE_BLOCKED);
    lanes_ack(lanes, 0, 0, from);
    expect(lanes, 0, 0, "new");
    lanes_free(lanes);
}

static void lane__truncate__is_a_barrier_in_all_lanes(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(3, 1, POOL);
    struct lane_item item;
    kit_begin(lanes, 1);
    for (unsigned i = 0; i < 3; i++)
        kit_add(lanes, i, "before", i, 10, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes); /* the lanes are busy when the barrier comes: the ledger's floors do not help */
    kit_begin(lanes, 2);
    assert_int_equal(lanes_truncate_table(lanes, "shop", "orders", NULL, 1, NULL), 0);
    kit_end(lanes, 200);
    kit_begin(lanes, 3);
    for (unsigned i = 0; i < 3; i++)
        kit_add(lanes, i, "after", i, 10, NULL);
    kit_end(lanes, 300);
    lanes_publish(lanes);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t ordinal = expect(lanes, i, 0, "before");
        for (unsigned l = 0; l <= i; l++)
            expect_none(lanes, l, 0, LANE_BLOCKED);
        lanes_ack(lanes, i, 0, ordinal);
    }
    expect_none(lanes, 1, 0, LANE_BLOCKED);
    expect_none(lanes, 2, 0, LANE_BLOCKED);
    assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
    assert_int_equal(item.kind, LANE_TRUNCATE);
    assert_true(item.for_sink);
    assert_int_equal(item.chg.op, CHANGE_TRUNCATE);
    assert_false(item.chg.flags & CHANGE_OF_LANE);
    assert_string_equal(item.chg.db, "shop");
    assert_string_equal(item.chg.table, "orders");
    assert_int_equal(item.chg.version.sequence, 2);
    expect_none(lanes, 1, 0, LANE_BLOCKED);
    lanes_ack(lanes, 0, 0, item.ordinal);
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(lanes_read(lanes, i, 0, &item), LANE_ITEM);
        assert_int_equal(item.kind, LANE_BARRIER);
        assert_false(item.for_sink);
        lanes_ack(lanes, i, 0, item.ordinal);
    }
    assert_int_equal(kit_drain(lanes, 0), 3);
    lanes_free(lanes);
}

static void lane__truncate_of_one_lane__waits_for_that_lane_alone(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(3, 1, POOL);
    const struct lane_truncate truncate = {"shop", "orders", 1, 7, 42};
    struct lane_item item;
    uint64_t ordinal = 0;
    kit_begin(lanes, 1);
    for (unsigned i = 0; i < 3; i++)
        kit_add(lanes, i, "before", i, 10, NULL);
    kit_end(lanes, 100);
    kit_begin(lanes, 2);
    assert_int_equal(lanes_truncate_lane(lanes, 1, &truncate, &ordinal, NULL), 0);
    kit_end(lanes, 200);
    kit_begin(lanes, 3);
    kit_add(lanes, 1, "after", 1, 10, NULL);
    kit_end(lanes, 300);
    lanes_publish(lanes);
    uint64_t before = expect(lanes, 1, 0, "before");
    expect_none(lanes, 1, 0, LANE_BLOCKED);
    lanes_ack(lanes, 1, 0, before);
    assert_int_equal(lanes_read(lanes, 1, 0, &item), LANE_ITEM);
    assert_int_equal(item.kind, LANE_TRUNCATE);
    assert_int_equal(item.ordinal, ordinal);
    assert_true(item.for_sink);
    assert_int_equal(item.chg.op, CHANGE_TRUNCATE);
    assert_true(item.chg.flags & CHANGE_OF_LANE);
    assert_int_equal(item.chg.lane, 1);
    assert_string_equal(item.chg.db, "shop");
    assert_string_equal(item.chg.table, "orders");
    assert_int_equal(item.chg.version.sequence, 2);
    assert_int_equal(item.chg.version.row, 7);
    assert_int_equal(item.chg.pos, 42);
    expect(lanes, 1, 0, "after");
    expect(lanes, 0, 0, "before");
    expect_none(lanes, 0, 0, LANE_EMPTY);
    assert_int_equal(kit_drain(lanes, 0), 1);
    lanes_free(lanes);
}

/* In a segment, and outside of one. */
static void lane__statement__is_a_barrier_for_all_lanes_and_a_copy(void **state)
{
    (void)state;
    const struct table tbl = {.db = "shop", .name = "new"};
    const struct statement_table table = {
        .db = "shop", .name = "orders", .new_db = "shop", .new_name = "new", .after = &tbl};
    static char text[LANE_SEGMENT_BYTES_MAX];
    memset(text, 'x', sizeof text);
    const size_t lens[] = {40, sizeof text};
    for (unsigned n = 0; n < 2; n++) {
        struct lanes *lanes = kit_lanes(3, 2, POOL);
        struct lane_item item;
        struct statement st = {.kind = STATEMENT_RENAME_TABLE, .text = text, .len = lens[n], .db = "shop"};
        st.tables = &table;
        st.table_count = 1;
        kit_begin(lanes, 1);
        for (unsigned i = 0; i < 3; i++)
            kit_add(lanes, i, "before", i, 10, NULL);
        assert_int_equal(lanes_statement(lanes, &(struct lane_statement){&st, 1, 77, 42}, NULL), 0);
        kit_end(lanes, 100);
        lanes_publish(lanes);
        st.tables = NULL;
        for (unsigned i = 0; i < 3; i++) {
            uint64_t ordinal = expect(lanes, i, 0, "before");
            expect_none(lanes, i, 0, LANE_BLOCKED);
            lanes_ack(lanes, i, 0, ordinal);
        }
        expect_none(lanes, 2, 0, LANE_BLOCKED);
        assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
        assert_int_equal(item.kind, LANE_STATEMENT);
        assert_true(item.for_sink);
        assert_int_equal(item.chg.op, CHANGE_STATEMENT);
        assert_int_equal(item.chg.event_time, 77);
        assert_int_equal(item.chg.pos, 42);
        assert_string_equal(item.chg.db, "shop");
        assert_string_equal(item.chg.table, "orders");
        const struct statement *got = item.chg.statement;
        assert_int_equal(got->len, lens[n]);
        assert_memory_equal(got->text, text, lens[n]);
        assert_string_equal(got->tables[0].new_name, "new");
        assert_null(got->tables[0].before);
        assert_ptr_equal(got->tables[0].after, &tbl);
        lanes_ack(lanes, 0, 0, item.ordinal);
        assert_int_equal(lanes_read(lanes, 2, 0, &item), LANE_ITEM);
        assert_int_equal(item.kind, LANE_BARRIER);
        lanes_ack(lanes, 2, 0, item.ordinal);
        lanes_free(lanes);
    }
}

static void lane__rewind__reads_what_is_not_acked_again(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 1, POOL);
    char key[16];
    uint64_t acked = 0, seed = 1;
    kit_begin(lanes, 1);
    for (unsigned i = 1; i <= 40; i++) {
        snprintf(key, sizeof key, "%u", i);
        assert_int_equal(kit_add(lanes, 0, key, i, 1000, NULL), 0);
    }
    kit_end(lanes, 100);
    lanes_publish(lanes);
    while (acked < 40) {
        lanes_rewind(lanes, 0, 0);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned read = 1 + (unsigned)(seed >> 33) % 9, ack = (unsigned)(seed >> 43) % (read + 1);
        for (unsigned i = 1; i <= read && acked + i <= 40; i++) {
            snprintf(key, sizeof key, "%u", (unsigned)acked + i);
            assert_int_equal(expect(lanes, 0, 0, key), acked + i);
        }
        acked = acked + ack < 40 ? acked + ack : 40;
        if (acked > 0 && ledger_acked(lanes_ledger(lanes), 0, 0) < acked && acked <= 40)
            lanes_ack(lanes, 0, 0, acked);
    }
    lanes_free(lanes);
}

static void lane__item_larger_than_a_segment__lies_outside_within_the_pool(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 1, 16 * POOL); /* 16 segments of 64 KiB */
    struct lane_item item;
    kit_begin(lanes, 1);
    assert_int_equal(kit_add(lanes, 0, "small", 0, 10, NULL), 0);
    assert_int_equal(kit_add(lanes, 0, "big", 1, 200000, NULL), 0);
    assert_int_equal(kit_add(lanes, 0, "big too", 2, 300000, NULL), 0);
    assert_int_equal(lanes_bytes(lanes), (1 + 4 + 5) * LANE_SEGMENT_BYTES_MAX);
    assert_int_equal(lanes_rollback_to(lanes, 2), 0);
    assert_int_equal(lanes_bytes(lanes), (1 + 4) * LANE_SEGMENT_BYTES_MAX);
    assert_int_equal(kit_add(lanes, 0, "end", 3, 10, NULL), 0);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    expect(lanes, 0, 0, "small");
    assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
    assert_int_equal(item.chg.after.len, 200000);
    lanes_ack(lanes, 0, 0, 2);
    assert_true(lanes_make_room(lanes));
    assert_int_equal(lanes_bytes(lanes), LANE_SEGMENT_BYTES_MAX); /* back at once, not with its segment */
    lanes_free(lanes);
}

static void lane__item_larger_than_the_pool__is_admitted_one_at_a_time(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(2, 1, POOL);
    kit_begin(lanes, 1);
    assert_int_equal(kit_add(lanes, 0, "a", 0, 500000, NULL), 0);
    assert_true(lanes_bytes(lanes) > 500000);
    assert_int_equal(kit_add(lanes, 1, "b", 1, 400000, NULL), LANES_FULL);
    assert_false(lanes_make_room(lanes)); /* nothing else is out: the open transaction goes out as a chunk */
    assert_true(lanes_chunk_published(lanes));
    assert_int_equal(kit_drain(lanes, 0), 1);
    assert_true(lanes_make_room(lanes));
    assert_true(lanes_bytes(lanes) < POOL);
    assert_int_equal(kit_add(lanes, 1, "b", 1, 400000, NULL), 0);
    assert_int_equal(lanes_rollback_to(lanes, 1), 0);
    assert_true(lanes_bytes(lanes) < POOL);
    kit_end(lanes, 100);
    lanes_free(lanes);
}

static void lane__item_larger_than_the_limit__is_an_error(void **state)
{
    (void)state;
    struct lanes *lanes = NULL;
    struct lanes_options opt = {.lanes = 1, .sinks = 1, .buffer_bytes = POOL, .max_item_bytes = 1000};
    struct err e = ERR_INIT;
    assert_int_equal(lanes_new(&lanes, &opt, NULL), 0);
    uint8_t bytes[1001] = {0};
    struct lane_row row = {.shape = kit_shape(), .key = "", .after = {.bytes = bytes, .len = sizeof bytes}};
    uint64_t ordinal;
    kit_begin(lanes, 1);
    assert_int_equal(lanes_add(lanes, 0, &row, &ordinal, &e), -ERR_LIMIT);
    assert_int_equal(kit_add(lanes, 0, "k", 0, 900, NULL), 0);
    lanes_free(lanes);
}

static void lane__buffer_too_small_for_its_lanes__is_a_config_error(void **state)
{
    (void)state;
    struct lanes *lanes = NULL;
    struct lanes_options opt = {.lanes = 17, .sinks = 1, .buffer_bytes = POOL};
    struct err e = ERR_INIT;
    assert_int_equal(lanes_new(&lanes, &opt, &e), -ERR_CONFIG_VALUE);
    assert_null(lanes);
    opt.lanes = 16;
    assert_int_equal(lanes_new(&lanes, &opt, NULL), 0);
    lanes_free(lanes);
}

static void lane__boundaries__come_out_as_positions(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(2, 1, POOL);
    struct position pos;
    position_init(&pos);
    kit_begin(lanes, 1);
    kit_end(lanes, 100); /* no rows */
    lanes_publish(lanes);
    assert_int_equal(ledger_consume(lanes_ledger(lanes), 0, &pos, NULL), 1);
    assert_int_equal(pos.at.pos, 100);
    kit_begin(lanes, 2);
    kit_add(lanes, 1, "a", 0, 10, NULL);
    lanes_publish_chunk(lanes);
    kit_drain(lanes, 0);
    assert_int_equal(ledger_consume(lanes_ledger(lanes), 0, &pos, NULL), 0); /* never inside a transaction */
    kit_add(lanes, 0, "b", 1, 10, NULL);
    kit_end(lanes, 200);
    lanes_publish(lanes);
    assert_int_equal(ledger_consume(lanes_ledger(lanes), 0, &pos, NULL), 0);
    kit_drain(lanes, 0);
    assert_int_equal(ledger_consume(lanes_ledger(lanes), 0, &pos, NULL), 1);
    assert_int_equal(pos.at.pos, 200);
    lanes_free(lanes);
}

static void lane__should_publish__at_a_segment_or_many_boundaries(void **state)
{
    (void)state;
    struct lanes *lanes = kit_lanes(1, 1, 16 * POOL);
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "a", 0, 60000, NULL);
    assert_false(lanes_should_publish(lanes));
    kit_end(lanes, 100);
    assert_false(lanes_should_publish(lanes));
    kit_begin(lanes, 2);
    kit_add(lanes, 0, "a", 0, 6000, NULL);
    assert_false(lanes_should_publish(lanes));
    kit_end(lanes, 200);
    assert_true(lanes_should_publish(lanes));
    lanes_publish(lanes);
    assert_false(lanes_should_publish(lanes));
    for (unsigned i = 0; i < 1024; i++)
        kit_end(lanes, 300 + i);
    assert_true(lanes_should_publish(lanes));
    lanes_free(lanes);
}

/* ---------------------------------------------------------------- wake-ups */

struct woken {
    unsigned workers, sources;
    unsigned sink, lane;
};

static void wake_worker(void *ctx, unsigned sink, unsigned lane)
{
    struct woken *woken = ctx;
    woken->workers++;
    woken->sink = sink;
    woken->lane = lane;
}

static void wake_source(void *ctx)
{
    struct woken *woken = ctx;
    woken->sources++;
}

static struct lanes *waking_lanes(struct woken *woken)
{
    struct lanes *lanes = NULL;
    struct lanes_options opt = {.lanes = 4,
                                .sinks = 2,
                                .buffer_bytes = POOL,
                                .wake_worker = wake_worker,
                                .wake_source = wake_source,
                                .ctx = woken};
    assert_int_equal(lanes_new(&lanes, &opt, NULL), 0);
    return lanes;
}

static void lane__publish__wakes_each_sleeping_worker_once(void **state)
{
    (void)state;
    struct woken woken = {0};
    struct lanes *lanes = waking_lanes(&woken);
    assert_true(lanes_sleep(lanes, 1, 1, 2));
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "a", 0, 10, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    assert_int_equal(woken.workers, 0); /* lane 0 is worker 0's, who does not sleep */
    kit_begin(lanes, 2);
    kit_add(lanes, 1, "b", 0, 10, NULL);
    kit_add(lanes, 3, "c", 1, 10, NULL);
    kit_end(lanes, 200);
    lanes_publish(lanes);
    assert_int_equal(woken.workers, 1);
    assert_int_equal(woken.sink, 1);
    assert_false(lanes_sleep(lanes, 1, 1, 2));
    kit_drain(lanes, 1);
    assert_true(lanes_sleep(lanes, 1, 1, 2));
    lanes_awake(lanes, 1, 1, 2);
    kit_begin(lanes, 3);
    kit_add(lanes, 1, "b", 0, 10, NULL);
    kit_end(lanes, 300);
    lanes_publish(lanes);
    assert_int_equal(woken.workers, 1);
    lanes_free(lanes);
}

static void lane__ack__wakes_the_worker_that_waits_with_a_ticket(void **state)
{
    (void)state;
    struct woken woken = {0};
    struct lanes *lanes = waking_lanes(&woken);
    uint64_t from;
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "old", 0, 10, &from);
    kit_add_to(lanes, 3, "new", 1, 0, from, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    assert_true(lanes_sleep(lanes, 0, 1, 2)); /* lanes 1 and 3: only a blocked item */
    assert_int_equal(expect(lanes, 0, 0, "old"), from);
    assert_int_equal(woken.workers, 0);
    lanes_ack(lanes, 0, 0, from);
    assert_int_equal(woken.workers, 1);
    assert_int_equal(woken.lane, 3);
    assert_false(lanes_sleep(lanes, 0, 1, 2));
    lanes_free(lanes);
}

static void lane__hold__lets_the_worker_sleep_on_what_it_does_not_read(void **state)
{
    (void)state;
    struct woken woken = {0};
    struct lanes *lanes = waking_lanes(&woken);
    kit_begin(lanes, 1);
    kit_add(lanes, 0, "a", 0, 10, NULL);
    kit_end(lanes, 100);
    lanes_publish(lanes);
    assert_false(lanes_sleep(lanes, 0, 0, 2));
    lanes_hold(lanes, 0, 0, true);
    assert_true(lanes_sleep(lanes, 0, 0, 2));
    lanes_hold(lanes, 0, 0, false);
    assert_false(lanes_sleep(lanes, 0, 0, 2));
    lanes_free(lanes);
}

static void lane__ack__wakes_the_source_that_waits_for_room(void **state)
{
    (void)state;
    struct woken woken = {0};
    struct lanes *lanes = waking_lanes(&woken);
    unsigned count = 0;
    kit_begin(lanes, 1);
    while (kit_add(lanes, 0, "a", count, 1000, NULL) == 0)
        count++;
    kit_end(lanes, 100);
    struct lane_item item;
    assert_false(lanes_make_room(lanes));
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(lanes_read(lanes, 0, 0, &item), LANE_ITEM);
    assert_int_equal(woken.sources, 0);
    lanes_ack(lanes, 0, 0, 5);
    assert_int_equal(woken.sources, 1);
    lanes_ack(lanes, 0, 0, 5);
    assert_int_equal(woken.sources, 1); /* nobody waits any more */
    assert_false(lanes_make_room(lanes));
    assert_int_equal(kit_drain(lanes, 1), count);
    assert_true(woken.sources >= 2);
    assert_true(lanes_make_room(lanes));
    lanes_free(lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lane__row__reads_back_as_it_was_added),
        cmocka_unit_test(lane__item__is_read_only_after_publication_of_its_transaction),
        cmocka_unit_test(lane__last_in_event_and_tx__are_set_per_lane),
        cmocka_unit_test(lane__xid_and_last_row__are_told_by_each_row_of_their_transaction),
        cmocka_unit_test(lane__xid_of_what_went_out_in_chunks__is_not_told),
        cmocka_unit_test(lane__marks__stand_around_the_rows_of_their_transaction),
        cmocka_unit_test(lane__segments__come_back_when_all_sinks_acked_and_left),
        cmocka_unit_test(lane__pool_smaller_than_a_transaction__goes_out_in_chunks),
        cmocka_unit_test(lane__rollback__leaves_no_trace),
        cmocka_unit_test(lane__rollback_to_savepoint__cuts_at_the_ordinal),
        cmocka_unit_test(lane__partial_updates__read_back_in_segments_and_outside_of_them),
        cmocka_unit_test(lane__partial_updates_behind_a_savepoint__are_cut_and_written_again),
        cmocka_unit_test(lane__rollback_into_a_published_chunk__is_refused_and_changes_nothing),
        cmocka_unit_test(lane__ticket__blocks_until_its_lane_acked),
        cmocka_unit_test(lane__ticket_of_the_same_lane__waits_for_the_ack_too),
        cmocka_unit_test(lane__truncate__is_a_barrier_in_all_lanes),
        cmocka_unit_test(lane__truncate_of_one_lane__waits_for_that_lane_alone),
        cmocka_unit_test(lane__statement__is_a_barrier_for_all_lanes_and_a_copy),
        cmocka_unit_test(lane__rewind__reads_what_is_not_acked_again),
        cmocka_unit_test(lane__item_larger_than_a_segment__lies_outside_within_the_pool),
        cmocka_unit_test(lane__item_larger_than_the_pool__is_admitted_one_at_a_time),
        cmocka_unit_test(lane__item_larger_than_the_limit__is_an_error),
        cmocka_unit_test(lane__buffer_too_small_for_its_lanes__is_a_config_error),
        cmocka_unit_test(lane__boundaries__come_out_as_positions),
        cmocka_unit_test(lane__should_publish__at_a_segment_or_many_boundaries),
        cmocka_unit_test(lane__publish__wakes_each_sleeping_worker_once),
        cmocka_unit_test(lane__ack__wakes_the_worker_that_waits_with_a_ticket),
        cmocka_unit_test(lane__hold__lets_the_worker_sleep_on_what_it_does_not_read),
        cmocka_unit_test(lane__ack__wakes_the_source_that_waits_for_room),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
