/* How far behind an applier is, from what it and the brokers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metric.h"
#include "pipeline/topic_lag.h"

#define UNKNOWN TOPIC_LAG_UNKNOWN

struct row {
    const char *what;
    int64_t committed;
    uint64_t next, read_ms, oldest_ms, asked_ms, low, end, at_end_ms, retention_ms;
    uint64_t records, ms, percent, until_purged;
};

/* The partition came at 1000, now it is 5000. */
static const struct row rows[] = {
    {"the brokers were not asked yet", 10, 10, 0, 0, 0, 0, 0, 0, 1000, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN},
    {"… only before the partition came", 10, 10, 0, 0, 999, 0, 10, 999, 1000, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN},
    {"all is applied", 10, 10, 2000, 0, 4000, 0, 10, 4000, 1000, 0, 0, 0, 10},
    {"read behind what the brokers said", 12, 12, 2000, 0, 4000, 0, 10, 0, 1000, 0, 0, 0, 12},
    {"read, not applied", 10, 15, 4900, 3000, 4000, 4, 20, 0, 8000, 10, 2000, 25, 6},
    {"behind by more than the retention", 10, 15, 4900, 1000, 4000, 10, 20, 0, 1000, 10, 4000, 400, 0},
    {"not read, after an idle time", 10, 10, 1500, 0, 4950, 0, 11, 4500, 1000, 1, 500, 50, 10},
    {"not read, last one read lately", 10, 10, 4700, 0, 4950, 0, 11, 4500, 1000, 1, 300, 30, 10},
    {"not read, nothing known of time", 10, 10, 0, 0, 4950, 0, 11, 0, 1000, 1, UNKNOWN, UNKNOWN, 10},
    {"at the end before it came here", 10, 10, 0, 0, 4950, 0, 11, 900, 1000, 1, UNKNOWN, UNKNOWN, 10},
    {"records stay for ever", 10, 15, 4900, 3000, 4000, 0, 20, 0, 0, 10, 2000, 0, 10},
    {"no right to ask for the retention", 10, 15, 4900, 3000, 4000, 0, 20, 0, UNKNOWN, 10, 2000, UNKNOWN, 10},
    {"a clock ahead of ours", 10, 15, 9000, 9000, 4000, 0, 20, 0, 1000, 10, 0, 0, 10},
    {"a commit did not arrive", -1, 15, 4900, 0, 4000, 0, 15, 4000, 1000, UNKNOWN, 0, 0, UNKNOWN},
};

static void fill(struct topic_lag *lag, unsigned lane, const struct row *row)
{
    struct topic_lane *at = &lag->lanes[lane];
    topic_lag_own(lag, lane, true, row->committed, 1000);
    metric_set(&at->next, row->next);
    metric_set(&at->read_ms, row->read_ms);
    metric_set(&at->oldest_ms, row->oldest_ms);
    metric_set(&at->asked_ms, row->asked_ms);
    metric_set(&at->low, row->low);
    metric_set(&at->end, row->end);
    metric_set(&at->at_end_ms, row->at_end_ms);
    metric_set(&lag->retention_ms, row->retention_ms);
}

static void topic_lag_of__each_state__what_is_known_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct topic_lag lag = {0};
        struct topic_lag_figures of;
        assert_int_equal(topic_lag_init(&lag, 2, NULL), 0);
        fill(&lag, 1, &rows[i]);
        assert_false(topic_lag_of(&lag, 0, 5000, &of));
        assert_true(topic_lag_of(&lag, 1, 5000, &of));
        if (of.lag_records != rows[i].records || of.lag_ms != rows[i].ms ||
            of.retention_share_percent != rows[i].percent || of.until_purged_records != rows[i].until_purged)
            fail_msg("%s: %llu records, %llu ms, %llu percent, %llu until purged", rows[i].what,
                     (unsigned long long)of.lag_records, (unsigned long long)of.lag_ms,
                     (unsigned long long)of.retention_share_percent, (unsigned long long)of.until_purged_records);
        topic_lag_release(&lag);
    }
}

static void topic_lag_sum__several_partitions__sum_and_largest_and_unknown_wins(void **state)
{
    (void)state;
    struct topic_lag lag = {0};
    struct topic_lag_figures all;
    assert_int_equal(topic_lag_init(&lag, 4, NULL), 0);
    topic_lag_sum(&lag, 5000, &all);
    assert_int_equal(all.lag_records, 0);
    assert_int_equal(all.lag_ms, 0);
    fill(&lag, 0, &rows[2]);
    fill(&lag, 1, &rows[6]);
    fill(&lag, 3, &rows[4]);
    topic_lag_sum(&lag, 5000, &all);
    assert_int_equal(all.lag_records, 11);
    assert_int_equal(all.lag_ms, 2000);
    assert_int_equal(all.retention_share_percent, 25);
    assert_int_equal(all.until_purged_records, 6);
    fill(&lag, 2, &rows[0]);
    topic_lag_sum(&lag, 5000, &all);
    assert_true(all.lag_records == UNKNOWN && all.lag_ms == UNKNOWN);
    topic_lag_own(&lag, 2, false, -1, 0);
    topic_lag_sum(&lag, 5000, &all);
    assert_int_equal(all.lag_records, 11);
    topic_lag_release(&lag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topic_lag_of__each_state__what_is_known_and_no_more),
        cmocka_unit_test(topic_lag_sum__several_partitions__sum_and_largest_and_unknown_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
