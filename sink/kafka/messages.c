/* Records become messages: topic, partition, key, headers. */
#include "change/format_sluice.h"
#include "sink/kafka/kafka_private.h"

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

static bool is_own(const struct item *item)
{
    return formatted_choice(item->bind)->ops == &format_sluice_ops;
}

/* The bounds of a transaction have a topic of their own. */
static bool is_bound(const struct kafka_sink *to, const struct record *record)
{
    return to->bounds.topic && record->kind == RECORD_TX;
}

/* Topic, headers and key of the record of a change. */
static int place(struct kafka_sink *to, struct kafka_message *message, const struct item *item,
                 const struct record *record, const uint8_t *headers, struct err *e)
{
    const struct change *chg = item->chg;
    int rc = kafka_topics_find(&to->topics, chg->db, chg->table, &message->topic, e);
    if (rc == 0 && record->headers_len)
        rc = kafka_headers_peer(&message->headers, headers, record->headers_len, e);
    else if (rc == 0 && is_own(item))
        rc = kafka_headers_own(&message->headers, chg, &to->scratch, e);
    if (rc == 0)
        rc = take_key(to, message, item, record, e);
    return rc == 0 && to->opt->oversize != KAFKA_OVERSIZE_STOP
               ? kafka_oversize_fit(&to->oversize, message, item, kafka_topics_limit(&to->topics), e)
               : rc;
}

/* To one partition. */
static int send_to(struct kafka_sink *to, const struct item *item, unsigned partition, struct err *e)
{
    const struct record *record = &to->formatted.records.list[to->next];
    const uint8_t *p = to->formatted.records.text.p + record->at;
    size_t key_len = record->key_len == RECORD_NONE ? 0 : record->key_len;
    const uint8_t *headers = p + key_len;
    struct kafka_message message = {.partition = (int32_t)partition, .number = to->next};
    message.key = record->key_len == RECORD_NONE ? NULL : p;
    message.key_len = key_len;
    message.value = record->value_len == RECORD_NONE ? NULL : headers + record->headers_len;
    message.value_len = record->value_len == RECORD_NONE ? 0 : record->value_len;
    int changed = 0, rc;
    if (is_bound(to, record))
        message.topic = to->bounds.topic;
    else
        changed = place(to, &message, item, record, headers, e);
    rc = changed < 0 ? changed : kafka_send(&to->producer, &message, e);
    if (rc == KAFKA_SENT && changed > 0)
        metric_add(&to->producer.stats.oversize_total, 1);
    if (rc != KAFKA_SENT && message.headers)
        rd_kafka_headers_destroy(message.headers);
    if (rc < 0)
        sink_wrap(e, item);
    return rc;
}

int kafka_send_next(struct kafka_sink *to, const struct item *items, struct err *e)
{
    const struct record *record = &to->formatted.records.list[to->next];
    const struct item *item = &items[record->item];
    int rc = KAFKA_SENT;
    if (record->value_len == RECORD_NONE && to->opt->record_key != KAFKA_KEY_PEER)
        return KAFKA_SENT; /* a tombstone ends its key, which is not the row's */
    if (item->chg->op != CHANGE_TRUNCATE || item->chg->flags & CHANGE_OF_LANE || !is_own(item))
        return send_to(to, item, item->chg->lane, e);
    while (to->next_partition < to->topics.lanes && (rc = send_to(to, item, to->next_partition, e)) == KAFKA_SENT)
        to->next_partition++;
    if (rc == KAFKA_SENT)
        to->next_partition = 0;
    return rc;
}

int kafka_tell_refused(const struct kafka_sink *to, const struct item *items, struct err *e)
{
    const struct kafka_refusal *refused = &to->producer.refused;
    const struct item *item = &items[to->formatted.records.list[refused->number].item];
    int rc = refused->code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                 ? err_set(e, KAFKA_TOO_LARGE, refused->topic, refused->bytes, rd_kafka_err2str(refused->code))
                 : kafka_refused(&to->producer.link, refused->code, refused->topic, e);
    sink_wrap(e, item);
    return rc;
}
