/* What is seen of a running spine: the figures line and the status object, printed from the modules' own tables. */
#include <inttypes.h>

#include "base/log.h"
#include "pipeline/pipeline_private.h"
#include "value/value.h"

#define ROW(name_, unit_, type_, help_)                                                                                \
    {                                                                                                                  \
#name_, unit_, type_, offsetof(struct pipeline_stats, name_), help_                                            \
    }

const struct pipeline_figure pipeline_figures[] = {
    ROW(rows_total, "rows", METRIC_COUNTER, "rows read from routed tables"),
    ROW(transactions_total, "transactions", METRIC_COUNTER, "transactions read"),
    ROW(applied_total, "items", METRIC_COUNTER, "changes that sinks have applied"),
    ROW(unacknowledged, "items", METRIC_GAUGE, "changes published and not yet applied by the slowest sink"),
    ROW(parked, "keys", METRIC_GAUGE, "keys that wait to be tried again"),
    ROW(retries_total, "batches", METRIC_COUNTER, "batches or changes that had to be applied again"),
    ROW(buffer_used_bytes, "bytes", METRIC_GAUGE, "of buffer_bytes in use"),
    ROW(lag_ms, "ms", METRIC_GAUGE, "age of the oldest commit that a sink still has to apply"),
    ROW(lag_records, "records", METRIC_GAUGE, "of an applier: between what is committed and the topic's end"),
    ROW(retention_share_percent, "percent", METRIC_GAUGE,
        "of an applier: age of the oldest record that is not applied, as a part of the topic's retention"),
    ROW(idle_ms, "ms", METRIC_GAUGE, "since the source was last heard"),
    ROW(reconnects_total, "reconnects", METRIC_COUNTER, "connections to the source that were lost"),
    ROW(unfollowed_total, "events", METRIC_COUNTER,
        "changes logged as statements, and incidents, that on_statement: warn has passed over"),
    ROW(superseded_total, "records", METRIC_COUNTER,
        "records of a reader that was followed by another, dropped by an applier"),
    ROW(dead_letters_total, "letters", METRIC_COUNTER,
        "changes that a sink refused for good and, of an applier, records that it could not read"),
    ROW(dead_letters, "letters", METRIC_GAUGE, "that wait in state_dir for sluice dlq"),
    ROW(bodies_parsed_total, "records", METRIC_COUNTER, "of an applier: records whose headers were not enough"),
    ROW(xa_prepared, "transactions", METRIC_GAUGE, "prepared XA transactions whose rows wait for XA COMMIT"),
    ROW(xa_spool_bytes, "bytes", METRIC_GAUGE, "rows of prepared XA transactions"),
    ROW(partitions, "partitions", METRIC_GAUGE, "of an applier: partitions of the topic that it reads"),
    ROW(rebalances_total, "rebalances", METRIC_COUNTER, "of an applier: times that partitions came or went"),
    ROW(source_up, "0 or 1", METRIC_GAUGE, "connected to the source"),
    ROW(sinks_down, "sinks", METRIC_GAUGE, "sinks that cannot be reached"),
    {NULL, NULL, METRIC_GAUGE, 0, NULL},
};

static void add_sink(struct pipeline *pipe, unsigned i, struct pipeline_stats *out)
{
    const struct runner *runner = pipe->runners[i];
    bool down = false;
    for (unsigned w = 0; w < runner_workers(runner); w++) {
        const struct runner_stats *stats = runner_worker_stats(runner, w);
        out->applied_total += metric_get(&stats->rows_total);
        out->retries_total += metric_get(&stats->retries_total);
        out->dead_letters_total += metric_get(&stats->dead_letters_total);
        out->parked += metric_get(&stats->parked);
        down = down || metric_get(&stats->down) != 0;
    }
    out->sinks_down += down;
}

static void add_topic_lag(const struct pipeline *pipe, int64_t now_us, struct pipeline_stats *out)
{
    struct topic_lag_figures all;
    if (!pipe->applier)
        return;
    topic_lag_sum(applier_lag(pipe->applier), now_us / 1000, &all);
    out->lag_records = all.lag_records;
    out->retention_share_percent = all.retention_share_percent;
    if (all.lag_ms != TOPIC_LAG_UNKNOWN && all.lag_ms > out->lag_ms)
        out->lag_ms = all.lag_ms;
}

/* A figure that may not be known. */
static struct log_field field(const char *key, uint64_t figure)
{
    return figure == TOPIC_LAG_UNKNOWN ? LOG_STR(key, "unknown") : LOG_UINT(key, figure);
}

void pipeline_stats(struct pipeline *pipe, struct pipeline_stats *out, const struct position **at)
{
    *out = (struct pipeline_stats){0};
    if (at)
        *at = NULL;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        add_sink(pipe, i, out);
    out->dead_letters = pipe->dead_log ? dead_log_waiting(pipe->dead_log) : 0;
    out->buffer_used_bytes = lanes_bytes(pipe->lanes);
    if (!atomic_load_explicit(&pipe->opened, memory_order_acquire))
        return;
    const struct feeder_stats *fed = pipeline_fed(pipe);
    struct ledger *ledger = lanes_ledger(pipe->lanes);
    int64_t now_us = env_now_us(pipe->spec.env);
    uint64_t last = ledger_last(ledger);
    for (unsigned i = 0; i < pipe->spec.sink_count; i++) {
        uint64_t safe = pipe->safe[i] = ledger_safe(ledger, i, pipe->safe[i]);
        if (last > safe && last - safe > out->unacknowledged)
            out->unacknowledged = last - safe;
        int64_t waiting_us = ledger_waiting_commit_us(ledger, i);
        if (last > safe && waiting_us && now_us > waiting_us && (uint64_t)(now_us - waiting_us) / 1000 > out->lag_ms)
            out->lag_ms = (uint64_t)(now_us - waiting_us) / 1000;
    }
    add_topic_lag(pipe, now_us, out);
    out->rows_total = metric_get(&fed->rows_total);
    out->transactions_total = metric_get(&fed->transactions_total);
    out->reconnects_total = metric_get(&fed->reconnects_total);
    out->unfollowed_total = metric_get(&fed->unfollowed_total);
    out->superseded_total = metric_get(&fed->superseded_total);
    out->dead_letters_total += metric_get(&fed->dead_letters_total);
    out->bodies_parsed_total = metric_get(&fed->bodies_parsed_total);
    out->xa_prepared = metric_get(&fed->held);
    out->xa_spool_bytes = metric_get(&fed->held_bytes);
    out->partitions = metric_get(&fed->partitions);
    out->rebalances_total = metric_get(&fed->rebalances_total);
    out->source_up = metric_get(&fed->up);
    out->idle_ms = ((uint64_t)env_mono_us(pipe->spec.env) - metric_get(&fed->heard_us)) / 1000;
    if (at && checkpoint_oldest(&pipe->positions))
        *at = &checkpoint_oldest(&pipe->positions)->pos;
}

void figures_line(struct pipeline *pipe)
{
    struct pipeline_stats stats;
    const struct position *at;
    char text[FILEPOS_TEXT_MAX] = "";
    pipeline_stats(pipe, &stats, &at);
    if (at)
        filepos_print(&at->at, text);
    int64_t now_us = env_mono_us(pipe->spec.env);
    double seconds = (double)(now_us - pipe->figures_us) / 1e6;
    double rate = seconds > 0 ? (double)(stats.rows_total - pipe->figures_rows) / seconds : 0;
    pipe->figures_us = now_us;
    pipe->figures_rows = stats.rows_total;
    log_event(pipe->spec.env->log, LOG_INFO, "figures", LOG_STR("position", text), LOG_UINT("lag_ms", stats.lag_ms),
              field("lag_records", stats.lag_records), field("retention_share_percent", stats.retention_share_percent),
              LOG_REAL("rows_per_s", rate), LOG_UINT("rows_total", stats.rows_total),
              LOG_UINT("queue_bytes", stats.buffer_used_bytes), LOG_UINT("unacknowledged", stats.unacknowledged),
              LOG_UINT("parked", stats.parked), LOG_UINT("retries_total", stats.retries_total),
              LOG_UINT("reconnects_total", stats.reconnects_total),
              LOG_UINT("unfollowed_total", stats.unfollowed_total),
              LOG_UINT("dead_letters_total", stats.dead_letters_total), LOG_UINT("dead_letters", stats.dead_letters),
              LOG_UINT("partitions", stats.partitions), LOG_UINT("rebalances_total", stats.rebalances_total),
              LOG_UINT("source_up", stats.source_up), LOG_UINT("sinks_down", stats.sinks_down));
}

static void print_position(const struct position *pos, struct buf *out)
{
    char text[FILEPOS_TEXT_MAX];
    filepos_print(&pos->at, text);
    value_json_string(text, strlen(text), out);
    if (!pos->gtids)
        return;
    struct buf set;
    buf_init(&set, 0);
    gtid_set_print(pos->gtids, &set);
    buf_text(out, ",\"gtids\":");
    value_json_string((const char *)set.p, set.len, out);
    buf_release(&set);
}

static bool is_healthy(const struct pipeline_stats *stats)
{
    return stats->source_up && stats->sinks_down == 0;
}

/* Begins an object. */
static void print_health(const struct pipeline *pipe, bool healthy, struct buf *out)
{
    buf_printf(out, "{\"healthy\":%s,\"uptime_s\":%" PRId64, healthy ? "true" : "false",
               (env_mono_us(pipe->spec.env) - pipe->started_us) / 1000000);
}

static void print_status(struct pipeline *pipe, struct buf *out)
{
    struct pipeline_stats stats;
    pipeline_stats(pipe, &stats, NULL);
    print_health(pipe, is_healthy(&stats), out);
    for (const struct pipeline_figure *row = pipeline_figures; row->name; row++) {
        buf_printf(out, ",\"%s\":", row->name);
        topic_lag_print_number(*(const uint64_t *)(const void *)((const char *)&stats + row->offset), out);
    }
    if (pipe->applier) {
        buf_text(out, ",");
        topic_lag_print(applier_lag(pipe->applier), pipe->spec.bus->topic, env_now_us(pipe->spec.env) / 1000, out);
    }
    buf_text(out, ",\"sinks\":{");
    bool opened = atomic_load_explicit(&pipe->opened, memory_order_acquire);
    for (unsigned i = 0; opened && i < pipe->positions.count; i++) {
        const struct checkpoint_entry *entry = &pipe->positions.entries[i];
        buf_text(out, i ? "," : "");
        value_json_string(entry->name, strlen(entry->name), out);
        buf_text(out, ":{\"position\":");
        print_position(&entry->pos, out);
        buf_text(out, "}");
    }
    buf_text(out, "}}");
}

void pipelines_status(const struct pipelines *all, struct buf *out)
{
    bool healthy = true;
    if (all->count == 0) {
        const char *yes = all->standby ? "true" : "false";
        buf_printf(out, "{\"healthy\":%s,\"standby\":%s}\n", yes, yes);
        return;
    }
    if (all->count == 1) {
        print_status(all->at[0], out);
        buf_text(out, "\n");
        return;
    }
    for (unsigned i = 0; i < all->count; i++) {
        struct pipeline_stats stats;
        pipeline_stats(all->at[i], &stats, NULL);
        healthy = healthy && is_healthy(&stats);
    }
    print_health(all->at[0], healthy, out);
    buf_text(out, ",\"halves\":{");
    for (unsigned i = 0; i < all->count; i++) {
        buf_text(out, i ? "," : "");
        value_json_string(all->at[i]->spec.half, strlen(all->at[i]->spec.half), out);
        buf_text(out, ":");
        print_status(all->at[i], out);
    }
    buf_text(out, "}}\n");
}
