/* A record becomes a dead letter. */
#include "pipeline/dead_records.h"

#include <stdlib.h>

#include "base/log.h"

#define TELL_US 10000000 /* between two lines about one partition */

struct told {
    bool once;
    int64_t at_us;
    uint64_t since; /* letters without a line */
};

struct dead_records {
    const struct pipeline_bus *bus;
    const struct env *env;
    unsigned lanes;
    struct kafka_dead_letters *letters;
    bool waits; /* told */
    struct told told[];
};

int dead_records_new(struct dead_records **out, const struct pipeline_bus *bus, unsigned lanes, const struct env *env,
                     struct err *e)
{
    size_t size = sizeof(struct dead_records) + lanes * sizeof(struct told);
    struct dead_records *dead = calloc(1, size);
    if (!dead)
        return err_set(e, NO_MEMORY, size);
    dead->bus = bus;
    dead->env = env;
    dead->lanes = lanes;
    *out = dead;
    return 0;
}

void dead_records_free(struct dead_records *dead)
{
    if (!dead)
        return;
    kafka_dead_letters_close(dead->letters);
    free(dead);
}

int dead_records_open(struct dead_records *dead, struct err *e)
{
    return kafka_dead_letters_open(&dead->letters, dead->bus->dead_letters, dead->lanes, dead->env, e);
}

static void tell_waiting(struct dead_records *dead)
{
    struct err why = ERR_INIT;
    if (dead->waits)
        return;
    dead->waits = true;
    (void)kafka_dead_letters_why(dead->letters, &why);
    log_error(dead->env->log, "a record that cannot be read waits", &why);
}

static void tell_written(struct dead_records *dead, const rd_kafka_message_t *record, const struct err *why)
{
    struct told *told = &dead->told[record->partition];
    int64_t now_us = env_mono_us(dead->env);
    dead->waits = false;
    if (told->once && now_us - told->at_us < TELL_US) {
        told->since++;
        return;
    }
    log_event(dead->env->log, LOG_WARN, "a record that cannot be read went to the dead letters",
              LOG_STR("topic", dead->bus->topic), LOG_INT("partition", record->partition),
              LOG_INT("offset", record->offset),
              LOG_STR("dead_letter_topic", dead->bus->dead_letters->dead_letter_topic), LOG_STR("text", why->text),
              LOG_UINT("untold", told->since));
    *told = (struct told){.once = true, .at_us = now_us};
}

int dead_records_put(struct dead_records *dead, const rd_kafka_message_t *record, const struct err *why, int timeout_ms,
                     struct err *e)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    const struct kafka_dead_letter letter = {.origin = {.reason = ERR_KAFKA_RECORD,
                                                        .text = why->text,
                                                        .topic = dead->bus->topic,
                                                        .partition = record->partition,
                                                        .offset = record->offset},
                                             .key = record->key,
                                             .key_len = record->key_len,
                                             .value = record->payload,
                                             .value_len = record->len,
                                             .headers = headers};
    int rc = kafka_dead_letters_put(dead->letters, &letter, timeout_ms, e);
    if (rc < 0)
        return err_wrap(e, "dead letter of topic %s, partition %d, offset %" PRId64, dead->bus->topic,
                        record->partition, record->offset);
    if (rc == KAFKA_DEAD_WAITS)
        tell_waiting(dead);
    else
        tell_written(dead, record, why);
    return rc;
}
