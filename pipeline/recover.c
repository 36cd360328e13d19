/* A lost position, from the headers of the topic and the server's log. */
#include "pipeline/recover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/checkpoint.h"
#include "pipeline/epoch_log.h"
#include "pipeline/reading.h"
#include "position/scan.h"
#include "sink/kafka/newest.h"

#define READER_BASE_RECORD "reader-base"

static int lost(const struct recover_options *opt, const char *why, struct err *e)
{
    const struct kafka_options *kafka = opt->settings->bus.sink.options;
    return err_set(e, POSITION_LOST, kafka->topic, why);
}

/* ---------------------------------------------------------------- the topic */

/* By version: after a failover the files of two servers cannot be compared. */
static int read_topic(struct recovered *found, struct kafka_newest *oldest, const struct recover_options *opt,
                      struct err *e)
{
    const struct kafka_options *kafka = opt->settings->bus.sink.options;
    struct kafka_read read = {.opt = kafka, .env = opt->env, .topic = kafka->topic};
    struct kafka_newest newest;
    char why[160];
    if (kafka_newest_settle(kafka, opt->settings->bus.sink.name, opt->env, e) != 0)
        return err_result(e);
    for (; read.partition < (int)opt->settings->partitions; read.partition++) {
        if (kafka_newest_read(&read, &newest, e) != 0)
            return err_result(e);
        if (!newest.found && !opt->skip_empty) {
            snprintf(why, sizeof why,
                     "partition %d has no record (--skip-empty passes over such, where no change was on its way there)",
                     read.partition);
            return lost(opt, why, e);
        }
        found->empty += !newest.found;
        if (newest.found && newest.version.epoch > found->epoch)
            found->epoch = newest.version.epoch;
        if (newest.found && newest.reader > found->reader)
            found->reader = newest.reader;
        if (newest.found && (!oldest->found || version_compare(&newest.version, &oldest->version) < 0))
            *oldest = newest;
    }
    return oldest->found ? 0 : lost(opt, "it has no records", e);
}

/* ---------------------------------------------------------------- the log */

struct search {
    const struct recover_options *opt;
    const struct kafka_newest *record;
    struct position pos; /* the last boundary */
    struct tx tx;        /* the open one */
    char file[FILEPOS_FILE_MAX + 1];
    bool found;
};

static struct filepos begin_of(const struct search *search)
{
    struct filepos at = {.pos = search->tx.pos};
    memcpy(at.file, search->file, sizeof at.file);
    return at;
}

static void take_begin(struct search *search, const struct tx *tx)
{
    search->tx = *tx;
    snprintf(search->file, sizeof search->file, "%s", tx->file);
}

/* The transaction that began last ends. With the record inside, the boundary before it is what was looked for. */
static int take_end(struct search *search, const struct rowset *rs, struct err *e)
{
    const struct kafka_newest *record = search->record;
    struct filepos at = begin_of(search);
    struct position *pos = &search->pos;
    char gtid[GTID_TEXT_MAX], why[4 * GTID_TEXT_MAX];
    if (filepos_compare(&at, &record->at) <= 0 && filepos_compare(&record->at, &rs->end) < 0) {
        gtid_print(&search->tx.gtid, gtid);
        if (strcmp(gtid, record->gtid) != 0) {
            snprintf(why, sizeof why, "its transaction %s is not at that place of the server's log, but %s",
                     record->gtid[0] ? record->gtid : "without GTID", gtid[0] ? gtid : "one without GTID");
            return lost(search->opt, why, e);
        }
        pos->at = at;
        search->found = true;
        return 0;
    }
    pos->at = rs->end;
    pos->commit_us = search->tx.commit_us;
    return pos->gtids && gtid_is_set(&search->tx.gtid) ? gtid_set_add(pos->gtids, &search->tx.gtid, e) : 0;
}

static int take(struct search *search, const struct rowset *rs, struct err *e)
{
    bool is_short = rs->kind == ROWSET_MARK && rs->end.file[0] && filepos_compare(&rs->end, &search->record->at) <= 0;
    switch (rs->kind) {
    case ROWSET_BEGIN:
        take_begin(search, &rs->tx);
        return 0;
    case ROWSET_DDL:
        take_begin(search, &rs->tx);
        return take_end(search, rs, e);
    case ROWSET_END:
    case ROWSET_ROLLBACK:
        return take_end(search, rs, e);
    case ROWSET_MARK:
        return is_short ? lost(search->opt, "the server's log ends before its record", e) : 0;
    case ROWSET_EOF:
        return lost(search->opt, "the server's log has no transaction at the place of its record", e);
    default:
        return 0;
    }
}

/* No table is wanted, so that no definition is needed and nothing stops but what damages the log. */
static int read_log(struct search *search, struct reading *reading, const struct routes *none, struct err *e)
{
    struct settings quiet = *search->opt->settings;
    struct start head = {.kind = START_FILEPOS, .pos.at = search->record->at};
    struct start to = {.kind = START_FILEPOS, .pos.at = search->record->at};
    const struct reading_live_options live = {
        .settings = &quiet, .routes = none, .env = search->opt->env, .to = &to, .only_print = true};
    head.pos.at.pos = 4;
    to.pos.at.pos++;
    quiet.source.on_statement = ON_STATEMENT_WARN;
    quiet.source.on_unknown_xa = ON_UNKNOWN_XA_WARN;
    int rc = reading_live(reading, &live, e);
    if (rc == 0)
        rc = reading->source->ops->open(reading->source, &head, &search->pos, e);
    while (rc == 0 && !search->found) {
        struct rowset rs;
        rc = reading->source->ops->next(reading->source, &rs, e);
        if (rc == 0)
            rc = take(search, &rs, e);
    }
    return rc;
}

static int find_begin(struct position *out, const struct kafka_newest *record, const struct recover_options *opt,
                      struct err *e)
{
    struct search search = {.opt = opt, .record = record};
    struct routes *none = NULL;
    struct reading reading;
    char at[FILEPOS_TEXT_MAX];
    reading_init(&reading);
    position_init(&search.pos);
    int rc = routes_new(&none, NULL, 0, e);
    if (rc == 0)
        rc = read_log(&search, &reading, none, e);
    reading_release(&reading);
    routes_free(none);
    if (rc == 0) {
        *out = search.pos;
        return 0;
    }
    position_release(&search.pos);
    filepos_print(&record->at, at);
    return err_wrap(e, "%s", at);
}

int recover_find(struct recovered *out, const struct recover_options *opt, struct err *e)
{
    struct recovered found = {.epoch = 0};
    struct kafka_newest oldest = {.found = false};
    if (kafka_topic_varies(opt->settings->bus.sink.options))
        return err_set(e, USAGE, "a position is recovered from one topic, and bus.topic depends on the table");
    if (read_topic(&found, &oldest, opt, e) != 0 || find_begin(&found.pos, &oldest, opt, e) != 0)
        return err_result(e);
    *out = found;
    return 0;
}

/* ---------------------------------------------------------------- the state */

static int store_epoch(uint32_t newest, struct state *state, struct err *e)
{
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL); /* the line is the same for both */
    const char *line = NULL;
    if (!epochs)
        return err_set(e, NO_MEMORY, (size_t)1);
    int rc = epochs_resume(epochs, newest, &line, e);
    if (rc == 0) {
        const struct state_item item = {line, strlen(line)};
        rc = state_replace(state, EPOCH_LOG_NAME, &item, 1, e);
    }
    epochs_free(epochs);
    return rc;
}

static int store_reader(uint64_t highest, struct state *state, struct err *e)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRIu64, highest);
    return highest ? state_put(state, READER_BASE_RECORD, text, (size_t)len, e) : 0;
}

int recover_reader_base(uint64_t *out, struct state *state, struct err *e)
{
    struct buf text;
    bool found = false;
    uint64_t base = 0;
    buf_init(&text, 64);
    int rc = state_get(state, READER_BASE_RECORD, &text, &found, e);
    if (rc == 0 && found) {
        struct scan s = scan_over((const char *)text.p, text.len);
        if (text.len == 0 || !scan_u64(&s, INT64_MAX, &base) || !scan_at_end(&s))
            rc = err_set(e, STATE_CORRUPT, READER_BASE_RECORD, "not a number");
    }
    buf_release(&text);
    if (rc == 0)
        *out = base;
    return rc;
}

int recover_store(const struct recovered *found, const struct settings *settings, struct state *state, struct err *e)
{
    struct checkpoint cp = {0};
    int rc = checkpoint_load(&cp, state, e);
    if (rc == 0 && cp.count)
        rc = err_set(e, USAGE, "a position is stored: see sluice position show; reset it first if it is not wanted");
    checkpoint_release(&cp);
    if (rc == 0)
        rc = store_epoch(found->epoch, state, e);
    if (rc == 0)
        rc = store_reader(found->reader, state, e);
    if (rc == 0)
        rc = checkpoint_mark_reset(state, e);
    for (unsigned i = 0; i < settings->sink_count && rc == 0; i++)
        rc = checkpoint_add(&cp, settings->sinks[i].name, strlen(settings->sinks[i].name), &found->pos, e);
    if (rc == 0)
        rc = checkpoint_store(&cp, state, e);
    checkpoint_release(&cp);
    return rc;
}
