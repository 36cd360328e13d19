/* The records of a transaction's bounds, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/kafka/bounds.h"
#include "tools/sample.h"

static void assert_record(const struct change *chg, const char *key, const char *value)
{
    struct record_list records;
    struct err e = ERR_INIT;
    records_init(&records, 0);
    assert_int_equal(kafka_bounds_add(&records, chg, 3, &e), 0);
    assert_int_equal(records.count, 1);
    const struct record *record = records.list;
    assert_int_equal(record->kind, RECORD_TX);
    assert_int_equal(record->item, 3);
    assert_int_equal(record->key_len, strlen(key));
    assert_memory_equal(records.text.p + record->at, key, strlen(key));
    assert_int_equal(record->headers_len, 0);
    assert_int_equal(record->value_len, strlen(value));
    assert_memory_equal(records.text.p + record->at + record->key_len, value, strlen(value));
    records_release(&records);
}

static void bounds__without_gtid__the_place_is_the_id(void **state)
{
    (void)state;
    const struct tx tx = {.file = "bin.000012", .pos = 345, .commit_us = 1700000000000000};
    struct change chg = {.op = CHANGE_BEGIN, .tx = &tx, .version = {1, 0x20, 0}};
    assert_record(&chg, "bin.000012:345",
                  "{\"status\":\"begin\",\"id\":\"bin.000012:345\",\"version\":\"00000001.0000000000000020\","
                  "\"ts_us\":1700000000000000,\"commit_precision\":\"s\",\"file\":\"bin.000012\",\"pos\":345}");
    chg.op = CHANGE_END;
    chg.row_of_tx = 4000000000;
    chg.version.row = UINT64_MAX;
    assert_record(&chg, "bin.000012:345",
                  "{\"status\":\"end\",\"id\":\"bin.000012:345\",\"version\":\"00000001.0000000000000020\","
                  "\"ts_us\":1700000000000000,\"commit_precision\":\"s\",\"file\":\"bin.000012\",\"pos\":345,"
                  "\"records\":4000000000}");
}

static void bounds__with_gtid__it_is_the_id(void **state)
{
    (void)state;
    struct tx tx = {.file = "bin.000012", .pos = 345, .commit_us = 1700000000000001, .commit_in_us = true};
    assert_int_equal(gtid_parse(&tx.gtid, FLAVOR_MARIADB, "0-1-77", 6, NULL), 0);
    const struct change chg = {.op = CHANGE_BEGIN, .tx = &tx, .version = {0, 0x20, 0}};
    assert_record(&chg, "0-1-77",
                  "{\"status\":\"begin\",\"id\":\"0-1-77\",\"version\":\"00000000.0000000000000020\","
                  "\"ts_us\":1700000000000001,\"commit_precision\":\"us\",\"gtid\":\"0-1-77\",\"file\":\"bin.000012\","
                  "\"pos\":345}");
}

static void bounds__no_room__leaves_no_record(void **state)
{
    (void)state;
    const struct tx tx = {.file = "bin.000012", .pos = 345};
    const struct change chg = {.op = CHANGE_BEGIN, .tx = &tx};
    struct record_list records;
    struct err e = ERR_INIT;
    records_init(&records, 20);
    assert_int_equal(kafka_bounds_add(&records, &chg, 0, &e), -(int)ERR_LIMIT);
    assert_int_equal(records.count, 0);
    records_release(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds__without_gtid__the_place_is_the_id),
        cmocka_unit_test(bounds__with_gtid__it_is_the_id),
        cmocka_unit_test(bounds__no_room__leaves_no_record),
    };
    return cmocka_run_group_tests_name("kafka bounds", tests, NULL, NULL);
}
