/* The newest record of a partition. */
#include "sink/kafka/newest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/kafka/marks_topic.h"
#include "sink/kafka/transaction.h"

/* The headers that count, as they are in the record that was visited last. */
struct visited {
    bool found;
    int64_t offset;
    uint64_t reader; /* of all that were visited */
    char pos[FILEPOS_TEXT_MAX], version[VERSION_TEXT_LEN + 1], gtid[GTID_TEXT_MAX];
};

/* "" when it is absent, or longer than it can be. */
static void take_header(const rd_kafka_headers_t *headers, const char *name, char *out, size_t size)
{
    const void *value = NULL;
    size_t len = 0;
    out[0] = '\0';
    if (rd_kafka_header_get_last(headers, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR || !value || len >= size)
        return;
    memcpy(out, value, len);
    out[len] = '\0';
}

static int visit(void *ctx, const rd_kafka_message_t *message, struct err *e)
{
    struct visited *visited = ctx;
    rd_kafka_headers_t *headers = NULL;
    char text[32];
    (void)e;
    *visited = (struct visited){.found = true, .offset = message->offset, .reader = visited->reader};
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    take_header(headers, "pos", visited->pos, sizeof visited->pos);
    take_header(headers, "version", visited->version, sizeof visited->version);
    take_header(headers, "gtid", visited->gtid, sizeof visited->gtid);
    take_header(headers, "reader", text, sizeof text);
    uint64_t reader = strtoull(text, NULL, 10);
    if (reader > visited->reader && reader < INT64_MAX)
        visited->reader = reader;
    return 0;
}

int kafka_newest_settle(const struct kafka_options *opt, const char *sink, const struct env *env, struct err *e)
{
    struct kafka_producer producer = {.env = env};
    char *id = NULL;
    int rc = opt->delivery == KAFKA_EXACTLY_ONCE ? kafka_marks_id(opt, sink, &id, e) : 0;
    if (rc == 0 && id)
        rc = kafka_producer_open(&producer, opt, id, env, e);
    if (rc == 0 && id)
        rc = kafka_tx_init(&producer, opt->topic, e);
    kafka_producer_close(&producer);
    free(id);
    return rc;
}

int kafka_newest_read(const struct kafka_read *read, struct kafka_newest *out, struct err *e)
{
    struct visited visited = {.found = false};
    struct kafka_newest newest = {.found = false};
    struct err unread = ERR_INIT;
    char why[128];
    int rc = kafka_read_newest(read, visit, &visited, &visited.found, e);
    if (rc != 0)
        return rc;
    if (visited.found && (filepos_parse(&newest.at, visited.pos, strlen(visited.pos), &unread) != 0 ||
                          version_parse(&newest.version, visited.version, strlen(visited.version), &unread) != 0)) {
        snprintf(why, sizeof why, "partition %d, offset %" PRId64 ": the record has no headers pos and version",
                 read->partition, visited.offset);
        return err_set(e, POSITION_LOST, read->topic, why);
    }
    newest.found = visited.found;
    newest.offset = visited.offset;
    newest.reader = visited.reader;
    memcpy(newest.gtid, visited.gtid, sizeof newest.gtid);
    *out = newest;
    return 0;
}
