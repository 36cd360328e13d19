/* Where a group begins, and what is told when it cannot go on from its offsets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pipeline/consumer_private.h"
#include "sink/kafka/admin.h"

#define ASK_MS  5000
#define STARTED "bus-group" /* record of the state: the group and topic that have started */

bool consumer_stops(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
        return true;
    default:
        return false;
    }
}

/* `code` came while something was asked: it passes, or not. A topic that is not there yet is waited for: a reader may
 * make it. */
static int asked(struct consumer *c, rd_kafka_resp_err_t code, struct err *e)
{
    bool missing = code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (consumer_stops(code) && !missing)
        return err_set(e, KAFKA_CONSUMING, c->opt.topic, rd_kafka_err2str(code));
    return err_set(e, KAFKA_AWAY, c->opt.topic, rd_kafka_err2str(code));
}

static int check_topic(struct consumer *c, struct err *e)
{
    const struct rd_kafka_metadata *found = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(c->handle, c->opt.topic, NULL);
    if (!topic)
        return err_set(e, KAFKA_CONSUMING, c->opt.topic, rd_kafka_err2str(rd_kafka_last_error()));
    int rc = asked(c, rd_kafka_metadata(c->handle, 0, topic, &found, ASK_MS), e);
    rd_kafka_topic_destroy(topic);
    if (rc != 0)
        return rc;
    if (found->topic_cnt != 1) {
        rc = err_set(e, KAFKA_AWAY, c->opt.topic, "the brokers do not tell of it");
    } else if ((rc = asked(c, found->topics[0].err, e)) == 0 && found->topics[0].partition_cnt != (int)c->opt.lanes) {
        rc = err_set(e, KAFKA_PARTITIONS, c->opt.topic, found->topics[0].partition_cnt, c->opt.lanes);
    }
    rd_kafka_metadata_destroy(found);
    return rc;
}

static int ask_committed(struct consumer *c, rd_kafka_topic_partition_list_t *parts, struct err *e)
{
    int rc = asked(c, rd_kafka_committed(c->handle, parts, ASK_MS), e);
    for (int i = 0; rc == 0 && i < parts->cnt; i++)
        rc = asked(c, parts->elems[i].err, e);
    return rc;
}

/* "GROUP\nTOPIC" has started, as far as this state knows. */
static int has_started(struct consumer *c, struct buf *name, bool *started, struct err *e)
{
    struct buf kept;
    bool found = false;
    buf_init(&kept, 0);
    buf_init(name, 0);
    buf_printf(name, "%s\n%s", c->opt.group, c->opt.topic);
    int rc = name->failed ? err_set(e, NO_MEMORY, name->len) : state_get(c->opt.state, STARTED, &kept, &found, e);
    *started = rc == 0 && found && kept.len == name->len && memcmp(kept.p, name->p, kept.len) == 0;
    buf_release(&kept);
    return rc;
}

/* The first offsets of all partitions, committed at once. A member that came first is no failure: its offsets are there
 * at the next try. */
static int commit_first(struct consumer *c, rd_kafka_topic_partition_list_t *parts, struct err *e)
{
    for (int i = 0; i < parts->cnt; i++) {
        int64_t low = 0, high = 0;
        int rc =
            asked(c, kafka_admin_bounds(c->handle, c->opt.topic, parts->elems[i].partition, ASK_MS, &low, &high), e);
        if (rc != 0)
            return rc;
        parts->elems[i].offset = c->opt.from == FROM_EARLIEST ? low : high;
    }
    if (!consumer_commit_wait(c, parts, ASK_MS))
        return err_set(e, KAFKA_AWAY, c->opt.topic, "the group's first offsets could not be committed");
    log_event(c->opt.env->log, LOG_INFO, "first start of the group", LOG_STR("group", c->opt.group),
              LOG_STR("topic", c->opt.topic), LOG_STR("from", c->opt.from == FROM_EARLIEST ? "earliest" : "latest"));
    return 0;
}

static int settle_offsets(struct consumer *c, rd_kafka_topic_partition_list_t *parts, bool started, struct err *e)
{
    int missing = 0, first = 0;
    if (ask_committed(c, parts, e) != 0)
        return err_result(e);
    for (int i = parts->cnt; i-- > 0;)
        if (parts->elems[i].offset < 0) {
            missing++;
            first = i;
        }
    if (missing == 0)
        return 0;
    if (missing == parts->cnt && !started)
        return commit_first(c, parts, e);
    return consumer_tell_offset(c, parts->elems[first].partition, e);
}

int consumer_begin(struct consumer *c, struct err *e)
{
    struct buf name;
    bool started = false;
    if (check_topic(c, e) != 0)
        return err_result(e);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new((int)c->opt.lanes);
    for (unsigned i = 0; i < c->opt.lanes; i++)
        (void)rd_kafka_topic_partition_list_add(parts, c->opt.topic, (int32_t)i);
    int rc = has_started(c, &name, &started, e);
    if (rc == 0)
        rc = settle_offsets(c, parts, started, e);
    if (rc == 0 && !started)
        rc = state_put(c->opt.state, STARTED, name.p, name.len, e);
    buf_release(&name);
    rd_kafka_topic_partition_list_destroy(parts);
    return rc;
}

int consumer_tell_offset(struct consumer *c, int32_t partition, struct err *e)
{
    char text[256];
    int64_t low = 0, high = 0, at = RD_KAFKA_OFFSET_INVALID;
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(parts, c->opt.topic, partition);
    int rc = ask_committed(c, parts, e);
    if (rc == 0)
        rc = asked(c, kafka_admin_bounds(c->handle, c->opt.topic, partition, ASK_MS, &low, &high), e);
    at = parts->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(parts);
    if (rc != 0) {
        err_clear(e);
        snprintf(text, sizeof text, "the group's offset is missing or out of range, and the brokers do not tell more");
    } else if (at < 0)
        snprintf(text, sizeof text,
                 "the group has no offset there any more; the partition has records from %" PRId64 " up to %" PRId64,
                 low, high);
    else if (at < low)
        snprintf(text, sizeof text,
                 "the group stands at offset %" PRId64 " and the first that is left is %" PRId64 ": %" PRId64
                 " offsets in between are gone",
                 at, low, low - at);
    else
        snprintf(text, sizeof text,
                 "the group stands at offset %" PRId64 " and the partition ends at %" PRId64
                 ": it was made anew, or lost its end",
                 at, high);
    return err_set(e, KAFKA_OFFSET, c->opt.topic, partition, c->opt.group, text);
}
