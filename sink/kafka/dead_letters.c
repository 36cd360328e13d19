/* Dead letters: their headers, their topic, and a producer that writes one at a time. */
#include "sink/kafka/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/kafka/kept_topic.h"

#define ASK_MAX_MS  1000 /* of one question at the start: an end must be heard */
#define POLL_MAX_MS 100

/* ---------------------------------------------------------------- headers */

static const char *const names[] = {"dead.reason",    "dead.text",   "dead.topic",
                                    "dead.partition", "dead.offset", "dead.sink"};

static bool add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    return rd_kafka_header_add(headers, name, -1, value, -1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    return add(headers, name, text);
}

int kafka_dead_headers(rd_kafka_headers_t *headers, const struct kafka_dead_origin *origin, struct err *e)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)rd_kafka_header_remove(headers, names[i]);
    bool ok = add(headers, "dead.reason", err_code_name(origin->reason)) && add(headers, "dead.text", origin->text) &&
              add(headers, "dead.topic", origin->topic) && add_number(headers, "dead.partition", origin->partition);
    if (ok && origin->offset >= 0)
        ok = add_number(headers, "dead.offset", origin->offset);
    if (ok && origin->sink)
        ok = add(headers, "dead.sink", origin->sink);
    return ok ? 0 : err_set(e, NO_MEMORY, strlen(origin->text));
}

/* ---------------------------------------------------------------- letters */

struct kafka_dead_letters {
    struct kafka_producer producer;
    struct kafka_options opt; /* as given, but for short answers and the topic that errors name */
    rd_kafka_topic_t *topic;
    int partitions;

    /* The letter at hand. */
    bool is_open, is_sent;
    size_t number;
    int32_t partition;
    int64_t offset;
    const char *sink;
    uint64_t id;
};

int kafka_dead_letters_open(struct kafka_dead_letters **out, const struct kafka_options *opt, unsigned lanes,
                            const struct env *env, struct err *e)
{
    struct kafka_dead_letters *letters = calloc(1, sizeof *letters);
    if (!letters)
        return err_set(e, NO_MEMORY, sizeof *letters);
    letters->opt = *opt;
    letters->opt.topic = opt->dead_letter_topic;
    letters->opt.timeout_ms = opt->timeout_ms < ASK_MAX_MS ? opt->timeout_ms : ASK_MAX_MS;
    const struct kafka_kept_topic topic = {opt->dead_letter_topic, "dead_letter_topic", lanes};
    int rc = kafka_producer_open(&letters->producer, &letters->opt, NULL, env, e);
    if (rc == 0)
        rc = kafka_kept_topic(&letters->producer, &topic, &letters->partitions, e);
    if (rc == 0) {
        letters->topic = rd_kafka_topic_new(letters->producer.link.handle, opt->dead_letter_topic, NULL);
        if (!letters->topic)
            rc = kafka_refused(&letters->producer.link, rd_kafka_last_error(), opt->dead_letter_topic, e);
    }
    if (rc != 0) {
        kafka_dead_letters_close(letters);
        return rc;
    }
    *out = letters;
    return 0;
}

void kafka_dead_letters_close(struct kafka_dead_letters *letters)
{
    if (!letters)
        return;
    if (letters->topic)
        rd_kafka_topic_destroy(letters->topic);
    kafka_producer_close(&letters->producer);
    free(letters);
}

static bool is_at_hand(const struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter)
{
    const struct kafka_dead_origin *origin = &letter->origin;
    return letters->is_open && letters->partition == origin->partition && letters->offset == origin->offset &&
           letters->sink == origin->sink && letters->id == letter->id;
}

static void begin(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter)
{
    const struct kafka_dead_origin *origin = &letter->origin;
    letters->is_open = true;
    letters->is_sent = false;
    letters->number++;
    letters->partition = origin->partition;
    letters->offset = origin->offset;
    letters->sink = origin->sink;
    letters->id = letter->id;
}

static int send_letter(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, struct err *e)
{
    struct kafka_message message = {.topic = letters->topic,
                                    .partition = letter->origin.partition % letters->partitions,
                                    .key = letter->key,
                                    .key_len = letter->key_len,
                                    .value = letter->value,
                                    .is_copied = true,
                                    .value_len = letter->value_len,
                                    .number = letters->number};
    message.headers = letter->headers ? rd_kafka_headers_copy(letter->headers) : rd_kafka_headers_new(8);
    int rc = kafka_dead_headers(message.headers, &letter->origin, e);
    if (rc == 0)
        rc = kafka_send(&letters->producer, &message, e);
    if (rc != KAFKA_SENT)
        rd_kafka_headers_destroy(message.headers);
    letters->is_sent = rc == KAFKA_SENT;
    if (rc < 0 && err_class(e) != ERR_CLASS_RETRY)
        return rc;
    err_clear(e);
    return 0;
}

/* What the brokers refused. That which passes is sent again. */
static int refused(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, struct err *e)
{
    struct kafka_refusal refusal = letters->producer.refused;
    const char *topic = letters->opt.topic;
    letters->producer.refused = (struct kafka_refusal){.code = RD_KAFKA_RESP_ERR_NO_ERROR};
    if (refusal.number != letters->number)
        return 0; /* of one that was left */
    letters->is_sent = false;
    if (refusal.code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return err_set(e, KAFKA_TOO_LARGE, topic, letter->key_len + letter->value_len, rd_kafka_err2str(refusal.code));
    if (kafka_refused(&letters->producer.link, refusal.code, topic, e) != 0 && err_class(e) != ERR_CLASS_RETRY)
        return err_result(e);
    err_clear(e);
    return 0;
}

/* One look; the letter is sent when none is on its way. */
static int step(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, int poll_ms, struct err *e)
{
    struct kafka_producer *producer = &letters->producer;
    int rc = 0;
    if (!letters->is_sent && !producer->on_the_way)
        rc = send_letter(letters, letter, e);
    if (rc == 0)
        rc = kafka_poll(producer, poll_ms, e);
    if (rc != 0)
        return rc;
    if (producer->refused.code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refused(letters, letter, e);
    return letters->is_sent && !producer->on_the_way ? KAFKA_DEAD_DURABLE : KAFKA_DEAD_WAITS;
}

int kafka_dead_letters_put(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, int timeout_ms,
                           struct err *e)
{
    const struct env *env = letters->producer.env;
    int64_t due_us = env_mono_us(env) + (int64_t)timeout_ms * 1000;
    struct err own = ERR_INIT;
    int rc = KAFKA_DEAD_WAITS;
    if (!is_at_hand(letters, letter))
        begin(letters, letter);
    for (int64_t left_ms = timeout_ms; rc == KAFKA_DEAD_WAITS && left_ms > 0;
         left_ms = (due_us - env_mono_us(env) + 999) / 1000)
        rc = step(letters, letter, left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS, &own);
    if (rc < 0 && e)
        *e = own;
    letters->is_open = rc == KAFKA_DEAD_WAITS;
    return rc;
}

int kafka_dead_letters_why(const struct kafka_dead_letters *letters, struct err *e)
{
    const struct kafka_link *link = &letters->producer.link;
    return err_set(e, KAFKA_DEAD_LETTER, letters->opt.topic, link->last_code ? link->last : "no report in time");
}
