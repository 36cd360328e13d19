/* What brokers tell of topics, and making them. By any handle of librdkafka, producer or consumer; each call waits for
 * the answer at most timeout_ms. An error is the broker's or librdkafka's code, which the caller words. */
#ifndef SLUICE_SINK_KAFKA_ADMIN_H
#define SLUICE_SINK_KAFKA_ADMIN_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

#define KAFKA_WHY_MAX 256

/* How many partitions a topic has; *out 0: there is no such topic. */
rd_kafka_resp_err_t kafka_admin_partitions(rd_kafka_t *handle, const char *topic, int timeout_ms, int *out);

/* The first offset that a partition has and the one behind its last (with isolation.level=read_committed: behind the
 * last that is settled). One question after the other: rd_kafka_query_watermark_offsets of librdkafka 2.0 asks both at
 * once, and may tell the end twice when a broker refuses one of them for now. */
rd_kafka_resp_err_t kafka_admin_bounds(rd_kafka_t *handle, const char *topic, int32_t partition, int timeout_ms,
                                       int64_t *low, int64_t *high);

struct kafka_new_topic {
    const char *name;
    int partitions;
    int replication;                  /* -1: the brokers' default */
    const char *const (*settings)[2]; /* names and values, ended by NULLs; NULL: none */
};

/* Makes it; one that is there already is fine. `why` gets the reason in words, "" without one. The brokers may not all
 * know it yet. */
rd_kafka_resp_err_t kafka_admin_create(rd_kafka_t *handle, const struct kafka_new_topic *topic, int timeout_ms,
                                       char why[KAFKA_WHY_MAX]);

/* The value of a topic's setting as it is in force, such as cleanup.policy; cut at `size`. */
rd_kafka_resp_err_t kafka_admin_setting(rd_kafka_t *handle, const char *topic, const char *name, int timeout_ms,
                                        char *out, size_t size);

/* Its cleanup.policy; "" where brokers that answer other questions do not answer this one. */
rd_kafka_resp_err_t kafka_admin_policy(rd_kafka_t *handle, const char *topic, int timeout_ms, char *out, size_t size);

#endif
