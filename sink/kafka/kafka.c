/* The Kafka sink: batches. */
#include "sink/kafka/kafka.h"

#include <stdlib.h>

#include "change/format_sluice.h"
#include "sink/kafka/headers.h"
#include "sink/kafka/topics.h"

#define RECORDS_MAX  ((size_t)8 << 30)  /* a row of the largest event with every byte escaped */
#define RECORDS_KEPT ((size_t)16 << 20) /* of the buffer, from batch to batch */
#define POLL_MS      100

#define ROW(field, unit_, help_)                                                                                       \
    {                                                                                                                  \
#field, unit_, METRIC_COUNTER, offsetof(struct kafka_stats, field), help_                                      \
    }
static const struct metric_row kafka_metrics[] = {
    ROW(messages_total, "messages", "messages delivered"),
    ROW(bytes_total, "bytes", "keys and values of messages delivered"),
    ROW(full_total, "times", "times that the queue of messages was full"),
    METRIC_END,
};

/* By what a batch is known that comes again. */
struct batch_id {
    size_t count;
    struct batch_end {
        struct version version;
        enum change_op op;
        unsigned lane;
    } first, last;
};

struct kafka_sink {
    struct sink base;
    const struct kafka_options *opt;
    const struct env *env;
    struct formatted formatted;
    struct kafka_producer producer;
    struct kafka_topics topics;
    struct kafka_scratch scratch;
    struct batch_id batch;
    bool is_open; /* the records are those of `batch`, and sent up to `next` */
    size_t next;
};

static int kafka_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    const struct kafka_options *options = opt;
    char name[KAFKA_TOPIC_MAX + 1];
    bool tableless = formatted_needs(route_opt) & (FORMAT_NEEDS_STATEMENTS | FORMAT_NEEDS_TRANSACTIONS);
    if (tableless && kafka_topic_varies(options))
        return err_set(e, KAFKA_TOPIC_NAME, options->topic,
                       "statements and transactions of the route's format belong to no table");
    int rc = tbl ? kafka_topic_name(options, tbl->db, tbl->name, name, e) : 0;
    return rc == 0 ? formatted_bind(out, opt, route_opt, tbl, e) : rc;
}

static void kafka_close(struct sink *snk)
{
    struct kafka_sink *to = (struct kafka_sink *)snk;
    if (!to)
        return;
    kafka_topics_release(&to->topics);
    kafka_producer_close(&to->producer);
    formatted_release(&to->formatted);
    kafka_scratch_release(&to->scratch);
    free(to);
}

static int kafka_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    struct kafka_sink *to = calloc(1, sizeof *to);
    rd_kafka_topic_t *topic = NULL;
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_kafka;
    to->opt = opt;
    to->env = place->env;
    formatted_init(&to->formatted, RECORDS_MAX);
    to->formatted.records.wants_keys = true;
    kafka_scratch_init(&to->scratch);
    kafka_topics_init(&to->topics, &to->producer, place->lanes);
    int rc = kafka_producer_open(&to->producer, opt, NULL, place->env, e);
    if (rc == 0)
        rc = kafka_topics_reach(&to->topics, e);
    if (rc == 0 && !kafka_topic_varies(opt))
        rc = kafka_topics_find(&to->topics, "", "", &topic, e);
    if (rc != 0) {
        kafka_close(&to->base);
        return rc;
    }
    *out = &to->base;
    return 0;
}

/* ---------------------------------------------------------------- messages */

/* The key by the sink's option; a record of several rows has none but the peer's. */
static int take_key(struct kafka_sink *to, struct kafka_message *message, const struct item *item,
                    const struct record *record, struct err *e)
{
    const struct format_choice *choice = formatted_choice(item->bind);
    int rc = 0;
    if (to->opt->record_key == KAFKA_KEY_PEER || record->kind != RECORD_ROW)
        return 0;
    message->key = NULL;
    message->key_len = 0;
    if (formatted_needs(choice) & FORMAT_NEEDS_WHOLE_EVENTS)
        return 0;
    if (to->opt->record_key == KAFKA_KEY_BUSINESS) {
        message->key = item->chg->key_len ? item->chg->key : NULL;
        message->key_len = item->chg->key_len;
    } else if ((rc = kafka_key_primary(item->chg, &to->scratch, e)) == 0 && to->scratch.text.len) {
        message->key = to->scratch.text.p;
        message->key_len = to->scratch.text.len;
    }
    return rc;
}

/* KAFKA_SENT, KAFKA_FULL, or negative. */
static int send_record(struct kafka_sink *to, const struct item *items, size_t number, struct err *e)
{
    const struct record *record = &to->formatted.records.list[number];
    const struct item *item = &items[record->item];
    const struct change *chg = item->chg;
    const uint8_t *p = to->formatted.records.text.p + record->at;
    size_t key_len = record->key_len == RECORD_NONE ? 0 : record->key_len;
    const uint8_t *headers = p + key_len;
    struct kafka_message message = {.partition = (int32_t)chg->lane, .number = number};
    if (record->value_len == RECORD_NONE && to->opt->record_key != KAFKA_KEY_PEER)
        return KAFKA_SENT; /* a tombstone ends its key, which is not the row's */
    message.key = record->key_len == RECORD_NONE ? NULL : p;
    message.key_len = key_len;
    message.value = record->value_len == RECORD_NONE ? NULL : headers + record->headers_len;
    message.value_len = record->value_len == RECORD_NONE ? 0 : record->value_len;
    int rc = kafka_topics_find(&to->topics, chg->db, chg->table, &message.topic, e);
    if (rc == 0 && record->headers_len)
        rc = kafka_headers_peer(&message.headers, headers, record->headers_len, e);
    else if (rc == 0 && formatted_choice(item->bind)->ops == &format_sluice_ops)
        rc = kafka_headers_own(&message.headers, chg, &to->scratch, e);
    if (rc == 0)
        rc = take_key(to, &message, item, record, e);
    if (rc == 0)
        rc = kafka_send(&to->producer, &message, e);
    if (rc != KAFKA_SENT && message.headers)
        rd_kafka_headers_destroy(message.headers);
    if (rc < 0)
        sink_wrap(e, item);
    return rc;
}

/* What became of the first message that was refused. */
static int tell_refused(const struct kafka_sink *to, const struct item *items, struct err *e)
{
    const struct kafka_refusal *refused = &to->producer.refused;
    const struct record *record = &to->formatted.records.list[refused->number];
    const struct item *item = &items[record->item];
    char name[KAFKA_TOPIC_MAX + 1];
    int rc = kafka_topic_name(to->opt, item->chg->db, item->chg->table, name, e);
    if (rc != 0)
        return rc;
    size_t value_len = record->value_len == RECORD_NONE ? 0 : record->value_len;
    rc = refused->code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
             ? err_set(e, KAFKA_TOO_LARGE, name, value_len, rd_kafka_err2str(refused->code))
             : kafka_refused(&to->producer.link, refused->code, name, e);
    sink_wrap(e, item);
    return rc;
}

/* ---------------------------------------------------------------- batches */

static struct batch_end end_of(const struct item *item)
{
    return (struct batch_end){item->chg->version, item->chg->op, item->chg->lane};
}

static bool same_end(const struct batch_end *end, const struct item *item)
{
    const struct change *chg = item->chg;
    return version_compare(&end->version, &chg->version) == 0 && end->op == chg->op && end->lane == chg->lane;
}

static bool is_same(const struct batch_id *batch, const struct item *items, size_t count)
{
    return batch->count == count && same_end(&batch->first, &items[0]) && same_end(&batch->last, &items[count - 1]);
}

/* Sends what is not sent yet, if any, and waits for all reports. RETRY: nothing was heard for too long. */
static int deliver(struct kafka_sink *to, const struct item *items, size_t end, struct err *e)
{
    struct kafka_producer *producer = &to->producer;
    int64_t heard = env_mono_us(to->env);
    int rc = 0;
    for (uint64_t reports = producer->reports; to->next < end || producer->on_the_way;) {
        bool full = false;
        while (to->next < end && !full) {
            rc = send_record(to, items, to->next, e);
            if (rc < 0)
                return rc;
            full = rc == KAFKA_FULL;
            to->next += !full;
        }
        if (!producer->on_the_way && !full)
            break; /* nothing but tombstones */
        rc = kafka_poll(producer, POLL_MS, e);
        if (rc != 0)
            return rc;
        if (items && producer->refused.code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return tell_refused(to, items, e);
        int64_t now = env_mono_us(to->env);
        if (reports == producer->reports && now - heard > (int64_t)to->opt->timeout_ms * 1000)
            return kafka_down(&producer->link, e);
        heard = reports == producer->reports ? heard : now;
        reports = producer->reports;
    }
    return 0;
}

/* The batch at work counts for nothing: its messages are awaited, then the formats go back. */
static int drop_batch(struct kafka_sink *to, struct err *e)
{
    int rc = deliver(to, NULL, to->next, e);
    if (rc != 0)
        return rc;
    formatted_restore(&to->formatted);
    to->producer.refused = (struct kafka_refusal){0, RD_KAFKA_RESP_ERR_NO_ERROR};
    to->is_open = false;
    return 0;
}

static int begin_batch(struct kafka_sink *to, const struct item *items, size_t count, struct err *e)
{
    struct buf *text = &to->formatted.records.text;
    if (text->size > RECORDS_KEPT)
        buf_release(text);
    int rc = formatted_begin(&to->formatted, env_now_us(to->env), e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = formatted_add(&to->formatted, &items[i], i, e);
    if (rc == 0)
        rc = formatted_flush(&to->formatted, e);
    if (rc != 0) {
        formatted_restore(&to->formatted);
        return rc;
    }
    to->batch = (struct batch_id){count, end_of(&items[0]), end_of(&items[count - 1])};
    to->is_open = true;
    to->next = 0;
    return 0;
}

static int kafka_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct kafka_sink *to = (struct kafka_sink *)snk;
    int rc = 0;
    if (count == 0)
        return 0;
    bool refused = to->producer.refused.code != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (to->is_open && (refused || !is_same(&to->batch, items, count)))
        rc = drop_batch(to, e);
    if (rc == 0 && !to->is_open)
        rc = begin_batch(to, items, count, e);
    if (rc == 0)
        rc = deliver(to, items, to->formatted.records.count, e);
    if (rc != 0)
        return rc;
    to->is_open = false;
    for (size_t i = 0; i < count; i++)
        items[i].verdict = V_DONE;
    return 0;
}

static const void *kafka_sink_stats(const struct sink *snk)
{
    return &((const struct kafka_sink *)snk)->producer.stats;
}

const struct sink_ops sink_kafka = {
    .kind = "kafka",
    .flags = SINK_ONE_WORKER | SINK_CAN_SWEEP | SINK_IN_ORDER | SINK_STAYS_OPEN | SINK_IGNORES_TICKETS,
    .options_size = sizeof(struct kafka_options),
    .route_options_size = sizeof(struct format_choice),
    .options = kafka_option_table,
    .route_options = formatted_route_options,
    .metrics = kafka_metrics,
    .check = kafka_check,
    .ready = formatted_ready,
    .same = formatted_same,
    .needs = formatted_needs,
    .bind = kafka_bind,
    .unbind = formatted_unbind,
    .open = kafka_open,
    .apply = kafka_apply,
    .stats = kafka_sink_stats,
    .close = kafka_close,
};
