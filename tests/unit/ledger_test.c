/* The ledger: the formula's cases one by one, and the ring of boundaries. All interleavings: tests/laws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "partition/ledger.h"

static struct ledger *new_ledger(unsigned lanes, unsigned sinks, unsigned ring)
{
    struct ledger *ledger = NULL;
    assert_int_equal(ledger_new(&ledger, lanes, sinks, ring, NULL), 0);
    return ledger;
}

static void publish(struct ledger *ledger, unsigned lane, uint64_t first, uint64_t last)
{
    ledger_lane(ledger, lane, first, last);
    ledger_published(ledger, last);
}

static bool boundary(struct ledger *ledger, uint64_t ordinal, const char *file, uint64_t pos, const struct gtid *gtid)
{
    struct boundary at = {.ordinal = ordinal, .file = file, .pos = pos, .commit_us = (int64_t)pos};
    if (gtid)
        at.gtid = *gtid;
    return ledger_boundary(ledger, &at);
}

static struct gtid mysql_gtid(uint8_t writer, uint64_t number)
{
    struct gtid gtid = {.flavor = FLAVOR_MYSQL, .number = number};
    memset(gtid.uuid, writer, sizeof gtid.uuid);
    return gtid;
}

static void assert_gtids(const struct position *pos, const char *expected)
{
    struct buf text;
    buf_init(&text, 0);
    gtid_set_print(pos->gtids, &text);
    buf_byte(&text, 0);
    assert_string_equal((const char *)text.p, expected);
    buf_release(&text);
}

static void ledger__nothing_published__nothing_is_safe_but_nothing_waits(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(3, 2, 8);
    assert_int_equal(ledger_safe(ledger, 0, 0), 0);
    assert_int_equal(ledger_safe(ledger, 1, 7), 7);
    ledger_free(ledger);
}

static void ledger__lane_acks_out_of_order__safe_waits_for_the_slower_lane(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(2, 1, 8);
    ledger_lane(ledger, 0, 1, 1);
    ledger_lane(ledger, 1, 2, 3);
    ledger_published(ledger, 3);
    ledger_ack(ledger, 1, 0, 3);
    assert_int_equal(ledger_safe(ledger, 0, 0), 0);
    ledger_ack(ledger, 0, 0, 1);
    assert_int_equal(ledger_safe(ledger, 0, 0), 3);
    ledger_free(ledger);
}

static void ledger__lane_idle_for_long__its_floor_lets_the_others_pass(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(2, 1, 8);
    publish(ledger, 0, 1, 1);
    ledger_ack(ledger, 0, 0, 1);
    publish(ledger, 1, 2, 1000);
    ledger_ack(ledger, 1, 0, 1000);
    publish(ledger, 0, 1001, 1001); /* lane 0 was idle: all before 1001 is done there */
    assert_int_equal(ledger_safe(ledger, 0, 0), 1000);
    ledger_free(ledger);
}

static void ledger__lane_busy_when_published__floor_stays(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(2, 1, 8);
    publish(ledger, 0, 1, 1);
    publish(ledger, 1, 2, 2);
    publish(ledger, 0, 3, 3); /* 1 is not acknowledged yet */
    ledger_ack(ledger, 1, 0, 2);
    assert_int_equal(ledger_safe(ledger, 0, 0), 0);
    ledger_ack(ledger, 0, 0, 1);
    assert_int_equal(ledger_safe(ledger, 0, 0), 1);
    ledger_ack(ledger, 0, 0, 3);
    assert_int_equal(ledger_safe(ledger, 0, 0), 3);
    ledger_free(ledger);
}

static void ledger__ack_below_the_last__changes_nothing(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 8);
    publish(ledger, 0, 1, 5);
    ledger_ack(ledger, 0, 0, 4);
    ledger_ack(ledger, 0, 0, 2);
    assert_int_equal(ledger_acked(ledger, 0, 0), 4);
    ledger_free(ledger);
}

static void ledger__sinks__each_has_its_own_position(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 2, 8);
    struct position fast, slow;
    position_init(&fast);
    position_init(&slow);
    assert_true(boundary(ledger, 1, "bin.1", 100, NULL));
    assert_true(boundary(ledger, 2, "bin.1", 200, NULL));
    publish(ledger, 0, 1, 2);
    ledger_ack(ledger, 0, 0, 2);
    ledger_ack(ledger, 0, 1, 1);
    assert_int_equal(ledger_consume(ledger, 0, &fast, NULL), 1);
    assert_int_equal(ledger_consume(ledger, 1, &slow, NULL), 1);
    assert_int_equal(fast.at.pos, 200);
    assert_int_equal(fast.commit_us, 200);
    assert_int_equal(slow.at.pos, 100);
    assert_int_equal(ledger_waiting_commit_us(ledger, 0), 0);
    assert_int_equal(ledger_waiting_commit_us(ledger, 1), 200);
    assert_string_equal(slow.at.file, "bin.1");
    assert_int_equal(ledger_consume(ledger, 0, &fast, NULL), 0);
    ledger_ack(ledger, 0, 1, 2);
    assert_int_equal(ledger_consume(ledger, 1, &slow, NULL), 1);
    assert_int_equal(slow.at.pos, 200);
    ledger_free(ledger);
}

static void ledger__boundary_behind_unpublished_rows__waits_for_them(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 8);
    struct position pos;
    position_init(&pos);
    assert_true(boundary(ledger, 3, "bin.1", 100, NULL));
    ledger_published(ledger, 0); /* hands the boundary over; its rows are not out */
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 0);
    publish(ledger, 0, 1, 3);
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 0);
    ledger_ack(ledger, 0, 0, 3);
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
    ledger_free(ledger);
}

static void ledger__ring_full__refuses_until_every_sink_passed(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 2, 4);
    struct position pos[2];
    position_init(&pos[0]);
    position_init(&pos[1]);
    uint64_t ordinal = 0;
    while (boundary(ledger, ordinal + 1, "bin.1", 100 + ordinal, NULL))
        ordinal++;
    assert_int_equal(ordinal, 5); /* four in the ring and one held back */
    publish(ledger, 0, 1, ordinal);
    ledger_ack(ledger, 0, 0, 2);
    assert_int_equal(ledger_consume(ledger, 0, &pos[0], NULL), 1);
    assert_false(boundary(ledger, ordinal + 1, "bin.1", 900, NULL));
    ledger_ack(ledger, 0, 1, 2);
    assert_int_equal(ledger_consume(ledger, 1, &pos[1], NULL), 1);
    assert_true(boundary(ledger, ordinal + 1, "bin.1", 900, NULL));
    ledger_free(ledger);
}

/* {boundary's writer and number}: consecutive ones share ordinal 0, so all may merge. */
static void ledger__merged_boundaries__keep_every_gtid(void **state)
{
    (void)state;
    static const struct {
        uint8_t writer;
        uint64_t number;
    } sequence[] = {{1, 1}, {1, 2}, {1, 3}, {2, 7}, {2, 8}, {0, 0}, {2, 9}, {1, 4}, {1, 6}, {0, 0}, {3, 1}};
    struct ledger *ledger = new_ledger(1, 1, 16);
    struct position pos;
    position_init(&pos);
    pos.gtids = gtid_set_new(FLAVOR_MYSQL);
    for (size_t i = 0; i < sizeof sequence / sizeof *sequence; i++) {
        struct gtid gtid = mysql_gtid(sequence[i].writer, sequence[i].number);
        assert_true(boundary(ledger, 0, "bin.1", 100 + i, sequence[i].number ? &gtid : NULL));
    }
    ledger_published(ledger, 0);
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
    assert_int_equal(pos.at.pos, 110);
    assert_gtids(&pos, "01010101-0101-0101-0101-010101010101:1-4:6,02020202-0202-0202-0202-020202020202:7-9,"
                       "03030303-0303-0303-0303-030303030303:1");
    position_release(&pos);
    ledger_free(ledger);
}

static void ledger__merging__is_bounded_so_that_a_quiet_stretch_moves_on(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 64);
    struct position pos;
    position_init(&pos);
    for (uint64_t i = 1; i <= 5000; i++)
        assert_true(boundary(ledger, 0, "bin.1", i, NULL));
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
    assert_in_range(pos.at.pos, 3000, 5000);
    ledger_free(ledger);
}

static void ledger__mariadb_domains__keep_the_last_of_each(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 64);
    struct position pos;
    position_init(&pos);
    pos.gtids = gtid_set_new(FLAVOR_MARIADB);
    for (uint64_t i = 1; i <= 30; i++) {
        struct gtid gtid = {
            .flavor = FLAVOR_MARIADB, .domain = i % 3 == 0, .server = i > 20 ? 2 : 1, .number = i + i % 3};
        assert_true(boundary(ledger, 0, "bin.1", i, &gtid));
    }
    ledger_published(ledger, 0);
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
    assert_gtids(&pos, "0-2-31,1-2-30");
    position_release(&pos);
    ledger_free(ledger);
}

static void ledger__unknown_gtids__stay_unknown(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 8);
    struct position pos;
    position_init(&pos);
    struct gtid gtid = mysql_gtid(1, 9);
    assert_true(boundary(ledger, 0, "bin.1", 100, &gtid));
    ledger_published(ledger, 0);
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
    assert_null(pos.gtids);
    ledger_free(ledger);
}

static void ledger__gtid_of_the_other_flavor__stops_at_the_boundary_before(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 8);
    struct position pos;
    struct err e = ERR_INIT;
    position_init(&pos);
    pos.gtids = gtid_set_new(FLAVOR_MARIADB);
    struct gtid good = {.flavor = FLAVOR_MARIADB, .server = 1, .number = 1}, bad = mysql_gtid(1, 9);
    assert_true(boundary(ledger, 0, "bin.1", 100, &good));
    assert_true(boundary(ledger, 0, "bin.1", 200, &bad));
    ledger_published(ledger, 0);
    assert_true(ledger_consume(ledger, 0, &pos, &e) < 0);
    assert_int_equal(e.code, ERR_BUG);
    assert_int_equal(pos.at.pos, 100);
    position_release(&pos);
    ledger_free(ledger);
}

/* More rotations, servers and writers than the tables hold at once: slots are used again, and full tables refuse. */
static void ledger__names__are_handed_over_only_when_they_change(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger(1, 1, 4096);
    struct position pos;
    position_init(&pos);
    pos.gtids = gtid_set_new(FLAVOR_MYSQL);
    char file[40], server[SERVER_UUID_MAX + 1];
    uint64_t refused = 0;
    for (uint64_t i = 1; i <= 20000; i++) {
        snprintf(file, sizeof file, "binlog.%06llu", (unsigned long long)(i / 10));
        snprintf(server, sizeof server, "server_id-%llu", (unsigned long long)(i / 1000));
        struct gtid gtid = {.flavor = FLAVOR_MYSQL, .number = i};
        memcpy(gtid.uuid, &(uint64_t){i / 7}, sizeof(uint64_t));
        struct boundary at = {.ordinal = i, .pos = i, .file = file, .server_uuid = server, .gtid = gtid};
        if (!ledger_boundary(ledger, &at)) {
            refused++;
            publish(ledger, 0, ledger_last(ledger) + 1, i - 1);
            ledger_ack(ledger, 0, 0, i - 1);
            assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
            assert_in_range(pos.at.pos, i - 2, i - 1); /* the one held back found no room either */
            assert_true(ledger_boundary(ledger, &at));
        }
    }
    assert_true(refused > 10);
    publish(ledger, 0, ledger_last(ledger) + 1, 20000);
    ledger_ack(ledger, 0, 0, 20000);
    assert_int_equal(ledger_consume(ledger, 0, &pos, NULL), 1);
    assert_string_equal(pos.at.file, "binlog.002000");
    assert_string_equal(pos.server_uuid, "server_id-20");
    for (uint64_t i = 1; i <= 20000; i++) {
        struct gtid gtid = {.flavor = FLAVOR_MYSQL, .number = i};
        memcpy(gtid.uuid, &(uint64_t){i / 7}, sizeof(uint64_t));
        assert_true(gtid_set_contains(pos.gtids, &gtid));
    }
    position_release(&pos);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger__nothing_published__nothing_is_safe_but_nothing_waits),
        cmocka_unit_test(ledger__lane_acks_out_of_order__safe_waits_for_the_slower_lane),
        cmocka_unit_test(ledger__lane_idle_for_long__its_floor_lets_the_others_pass),
        cmocka_unit_test(ledger__lane_busy_when_published__floor_stays),
        cmocka_unit_test(ledger__ack_below_the_last__changes_nothing),
        cmocka_unit_test(ledger__sinks__each_has_its_own_position),
        cmocka_unit_test(ledger__boundary_behind_unpublished_rows__waits_for_them),
        cmocka_unit_test(ledger__ring_full__refuses_until_every_sink_passed),
        cmocka_unit_test(ledger__merged_boundaries__keep_every_gtid),
        cmocka_unit_test(ledger__merging__is_bounded_so_that_a_quiet_stretch_moves_on),
        cmocka_unit_test(ledger__mariadb_domains__keep_the_last_of_each),
        cmocka_unit_test(ledger__unknown_gtids__stay_unknown),
        cmocka_unit_test(ledger__gtid_of_the_other_flavor__stops_at_the_boundary_before),
        cmocka_unit_test(ledger__names__are_handed_over_only_when_they_change),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
