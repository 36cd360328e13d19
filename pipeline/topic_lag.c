/* Figures of partitions. */
#include "pipeline/topic_lag.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "value/value.h"

int topic_lag_init(struct topic_lag *lag, unsigned lanes, struct err *e)
{
    lag->lanes = calloc(lanes, sizeof *lag->lanes);
    lag->count = lanes;
    metric_set(&lag->retention_ms, TOPIC_LAG_UNKNOWN);
    return lag->lanes ? 0 : err_set(e, NO_MEMORY, lanes * sizeof *lag->lanes);
}

void topic_lag_release(struct topic_lag *lag)
{
    free(lag->lanes);
    lag->lanes = NULL;
    lag->count = 0;
}

void topic_lag_own(struct topic_lag *lag, unsigned lane, bool own, int64_t committed, int64_t now_ms)
{
    struct topic_lane *at = &lag->lanes[lane];
    uint64_t from = committed < 0 ? TOPIC_LAG_UNKNOWN : (uint64_t)committed;
    metric_set(&at->gained_ms, (uint64_t)now_ms);
    metric_set(&at->committed, from);
    metric_set(&at->next, from);
    metric_set(&at->read_ms, 0);
    metric_set(&at->oldest_ms, 0);
    metric_set(&at->owned, own);
}

static uint64_t since(uint64_t then_ms, int64_t now_ms)
{
    return (uint64_t)now_ms > then_ms ? (uint64_t)now_ms - then_ms : 0;
}

/* A record that was not read yet is younger than the last one that was, and than the last time that there was none. */
static uint64_t age(const struct topic_lane *at, const struct topic_lag_figures *of, int64_t now_ms)
{
    uint64_t oldest_ms = metric_get(&at->oldest_ms), read_ms = metric_get(&at->read_ms);
    uint64_t at_end_ms = metric_get(&at->at_end_ms);
    if (oldest_ms)
        return since(oldest_ms, now_ms);
    if (of->end == TOPIC_LAG_UNKNOWN || of->next == TOPIC_LAG_UNKNOWN)
        return TOPIC_LAG_UNKNOWN;
    if (of->next >= of->end)
        return 0;
    if (at_end_ms >= metric_get(&at->gained_ms) && at_end_ms > read_ms)
        read_ms = at_end_ms;
    return read_ms ? since(read_ms, now_ms) : TOPIC_LAG_UNKNOWN;
}

static uint64_t share(uint64_t lag_ms, uint64_t retention_ms)
{
    if (lag_ms == TOPIC_LAG_UNKNOWN || retention_ms == TOPIC_LAG_UNKNOWN)
        return TOPIC_LAG_UNKNOWN;
    return retention_ms ? (uint64_t)((double)lag_ms * 100 / (double)retention_ms) : 0;
}

bool topic_lag_of(const struct topic_lag *lag, unsigned lane, int64_t now_ms, struct topic_lag_figures *out)
{
    const struct topic_lane *at = &lag->lanes[lane];
    if (!metric_get(&at->owned))
        return false;
    bool asked = metric_get(&at->asked_ms) && metric_get(&at->asked_ms) >= metric_get(&at->gained_ms);
    *out = (struct topic_lag_figures){.committed = metric_get(&at->committed),
                                      .next = metric_get(&at->next),
                                      .low = asked ? metric_get(&at->low) : TOPIC_LAG_UNKNOWN,
                                      .end = asked ? metric_get(&at->end) : TOPIC_LAG_UNKNOWN,
                                      .lag_records = TOPIC_LAG_UNKNOWN,
                                      .until_purged_records = TOPIC_LAG_UNKNOWN};
    if (asked && out->next != TOPIC_LAG_UNKNOWN && out->next > out->end)
        out->end = out->next;
    if (asked && out->committed != TOPIC_LAG_UNKNOWN) {
        out->lag_records = out->end > out->committed ? out->end - out->committed : 0;
        out->until_purged_records = out->committed > out->low ? out->committed - out->low : 0;
    }
    out->lag_ms = age(at, out, now_ms);
    out->retention_share_percent = share(out->lag_ms, metric_get(&lag->retention_ms));
    return true;
}

static void take_largest(uint64_t *into, uint64_t figure)
{
    if (figure > *into)
        *into = figure;
}

void topic_lag_sum(const struct topic_lag *lag, int64_t now_ms, struct topic_lag_figures *out)
{
    struct topic_lag_figures one;
    *out = (struct topic_lag_figures){.until_purged_records = TOPIC_LAG_UNKNOWN};
    for (unsigned lane = 0; lane < lag->count; lane++) {
        if (!topic_lag_of(lag, lane, now_ms, &one))
            continue;
        bool known = one.lag_records != TOPIC_LAG_UNKNOWN && out->lag_records != TOPIC_LAG_UNKNOWN;
        out->lag_records = known ? out->lag_records + one.lag_records : TOPIC_LAG_UNKNOWN;
        take_largest(&out->lag_ms, one.lag_ms);
        take_largest(&out->retention_share_percent, one.retention_share_percent);
        if (one.until_purged_records < out->until_purged_records)
            out->until_purged_records = one.until_purged_records;
    }
}

void topic_lag_print_number(uint64_t figure, struct buf *out)
{
    if (figure == TOPIC_LAG_UNKNOWN)
        buf_text(out, "null");
    else
        buf_printf(out, "%" PRIu64, figure);
}

static void print_member(const char *name, uint64_t figure, struct buf *out)
{
    buf_printf(out, ",\"%s\":", name);
    topic_lag_print_number(figure, out);
}

void topic_lag_print(const struct topic_lag *lag, const char *topic, int64_t now_ms, struct buf *out)
{
    struct topic_lag_figures one;
    const char *between = "";
    buf_text(out, "\"topic\":{\"name\":");
    value_json_string(topic, strlen(topic), out);
    print_member("retention_ms", metric_get(&lag->retention_ms), out);
    buf_text(out, ",\"partitions\":[");
    for (unsigned lane = 0; lane < lag->count; lane++) {
        if (!topic_lag_of(lag, lane, now_ms, &one))
            continue;
        buf_printf(out, "%s{\"partition\":%u", between, lane);
        print_member("committed", one.committed, out);
        print_member("next", one.next, out);
        print_member("low", one.low, out);
        print_member("end", one.end, out);
        print_member("lag_records", one.lag_records, out);
        print_member("lag_ms", one.lag_ms, out);
        print_member("retention_share_percent", one.retention_share_percent, out);
        print_member("until_purged_records", one.until_purged_records, out);
        buf_text(out, "}");
        between = ",";
    }
    buf_text(out, "]}");
}
