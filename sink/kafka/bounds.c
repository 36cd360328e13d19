/* The bounds of transactions. */
#include "sink/kafka/bounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sink/kafka/kept_topic.h"
#include "value/write.h"

#define PREFIX_LEN 25 /* epoch and sequence of a version's text */

int kafka_bounds_open(struct kafka_bounds *bounds, struct kafka_producer *producer, struct err *e)
{
    const struct kafka_kept_topic topic = {producer->link.opt->transaction_topic, "transaction_topic", 1};
    int partitions = 0;
    int rc = kafka_kept_topic(producer, &topic, &partitions, e);
    if (rc != 0)
        return rc;
    bounds->topic = rd_kafka_topic_new(producer->link.handle, topic.name, NULL);
    return bounds->topic ? 0 : kafka_refused(&producer->link, rd_kafka_last_error(), topic.name, e);
}

void kafka_bounds_release(struct kafka_bounds *bounds)
{
    if (bounds->topic)
        rd_kafka_topic_destroy(bounds->topic);
    bounds->topic = NULL;
}

/* Its GTID, else the place of its begin. */
static size_t print_id(const struct tx *tx, char *out, size_t size)
{
    if (gtid_is_set(&tx->gtid))
        return gtid_print(&tx->gtid, out);
    return (size_t)snprintf(out, size, "%s:%" PRIu64, tx->file, tx->pos);
}

int kafka_bounds_add(struct record_list *out, const struct change *chg, size_t item, struct err *e)
{
    const struct tx *tx = chg->tx;
    struct buf *text = &out->text;
    char id[GTID_TEXT_MAX + FILEPOS_TEXT_MAX], version[VERSION_TEXT_LEN];
    size_t id_len = print_id(tx, id, sizeof id);
    if (!records_begin(out, RECORD_TX, item))
        return err_set(e, NO_MEMORY, sizeof(struct record));
    buf_add(text, id, id_len);
    records_key(out);
    version_print(&chg->version, version);
    buf_printf(text, "{\"status\":\"%s\",\"id\":", change_op_name(chg->op));
    value_json_string(id, id_len, text);
    buf_printf(text, ",\"version\":\"%.*s\",\"ts_us\":%" PRId64 ",\"commit_precision\":\"%s\"", PREFIX_LEN, version,
               tx->commit_us, tx->commit_in_us ? "us" : "s");
    if (gtid_is_set(&tx->gtid)) {
        buf_text(text, ",\"gtid\":");
        value_json_string(id, id_len, text);
    }
    buf_text(text, ",\"file\":");
    value_json_string(tx->file, strlen(tx->file), text);
    buf_printf(text, ",\"pos\":%" PRIu64, tx->pos);
    if (chg->op == CHANGE_END)
        buf_printf(text, ",\"records\":%" PRIu32, chg->row_of_tx);
    buf_byte(text, '}');
    records_value(out);
    if (!text->failed)
        return 0;
    int rc = text->cap ? err_set(e, LIMIT, "a record", text->cap + 1, text->cap) : err_set(e, NO_MEMORY, text->size);
    records_drop(out);
    return rc;
}
