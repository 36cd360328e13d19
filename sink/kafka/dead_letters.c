/* Dead letters: their headers, their topic, and a producer with the letters that it has not been told of. */
#include "sink/kafka/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/kafka/kept_topic.h"

#define ASK_MAX_MS  1000 /* of one question at the start: an end must be heard */
#define POLL_MAX_MS 100
#define OPEN_MAX    4096 /* letters at hand; beyond, the oldest is forgotten: when it comes again it is written again */

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

/* A letter at hand: from the first put to the one that tells its end. */
struct open_letter {
    struct open_letter *next; /* the one before */
    size_t number;
    int32_t partition;
    int64_t offset;
    const char *sink;
    uint64_t id;
    bool is_sent, is_durable;
    rd_kafka_resp_err_t refused; /* NO_ERROR: it is not */
};

struct kafka_dead_letters {
    struct kafka_producer producer;
    struct kafka_options opt; /* as given, but for short answers and the topic that errors name */
    rd_kafka_topic_t *topic;
    int partitions;
    struct open_letter *open; /* newest first */
    size_t open_count, numbers;
};

static void on_report(void *ctx, const struct kafka_refusal *report)
{
    struct open_letter *at = ((struct kafka_dead_letters *)ctx)->open;
    while (at && at->number != report->number)
        at = at->next;
    if (!at)
        return; /* forgotten */
    at->is_durable = report->code == RD_KAFKA_RESP_ERR_NO_ERROR;
    at->refused = report->code;
}

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
    letters->producer.on_report = on_report;
    letters->producer.ctx = letters;
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
    for (struct open_letter *at = letters->open, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    free(letters);
}

static struct open_letter *find(const struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter)
{
    const struct kafka_dead_origin *origin = &letter->origin;
    struct open_letter *at = letters->open;
    while (at && (at->partition != origin->partition || at->offset != origin->offset || at->sink != origin->sink ||
                  at->id != letter->id))
        at = at->next;
    return at;
}

static void forget(struct kafka_dead_letters *letters, struct open_letter *open)
{
    struct open_letter **link = &letters->open;
    while (*link != open)
        link = &(*link)->next;
    *link = open->next;
    letters->open_count--;
    free(open);
}

static struct open_letter *begin(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter,
                                 struct err *e)
{
    const struct kafka_dead_origin *origin = &letter->origin;
    struct open_letter *open = malloc(sizeof *open);
    if (!open) {
        err_set(e, NO_MEMORY, sizeof *open);
        return NULL;
    }
    *open = (struct open_letter){.next = letters->open,
                                 .number = letters->numbers++,
                                 .partition = origin->partition,
                                 .offset = origin->offset,
                                 .sink = origin->sink,
                                 .id = letter->id};
    letters->open = open;
    if (++letters->open_count > OPEN_MAX) {
        while (open->next)
            open = open->next;
        forget(letters, open);
    }
    return letters->open;
}

static int send_letter(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter,
                       struct open_letter *open, struct err *e)
{
    struct kafka_message message = {.topic = letters->topic,
                                    .partition = letter->origin.partition % letters->partitions,
                                    .key = letter->key,
                                    .key_len = letter->key_len,
                                    .value = letter->value,
                                    .is_copied = true,
                                    .value_len = letter->value_len,
                                    .number = open->number};
    message.headers = letter->headers ? rd_kafka_headers_copy(letter->headers) : rd_kafka_headers_new(8);
    int rc = kafka_dead_headers(message.headers, &letter->origin, e);
    if (rc == 0)
        rc = kafka_send(&letters->producer, &message, e);
    if (rc != KAFKA_SENT)
        rd_kafka_headers_destroy(message.headers);
    open->is_sent = rc == KAFKA_SENT;
    if (rc < 0 && err_class(e) != ERR_CLASS_RETRY)
        return rc;
    err_clear(e);
    return 0;
}

/* The brokers refused it. What passes is sent again. */
static int refused(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, struct open_letter *open,
                   struct err *e)
{
    rd_kafka_resp_err_t code = open->refused;
    const char *topic = letters->opt.topic;
    open->is_sent = false;
    open->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return err_set(e, KAFKA_TOO_LARGE, topic, letter->key_len + letter->value_len, rd_kafka_err2str(code));
    if (kafka_refused(&letters->producer.link, code, topic, e) != 0 && err_class(e) != ERR_CLASS_RETRY)
        return err_result(e);
    err_clear(e);
    return 0;
}

/* One look; the letter is sent when it is not on its way. */
static int step(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, struct open_letter *open,
                int poll_ms, struct err *e)
{
    int rc = open->is_sent ? 0 : send_letter(letters, letter, open, e);
    if (rc == 0 && !open->is_durable && open->refused == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = kafka_poll(&letters->producer, poll_ms, e);
    if (rc == 0 && open->refused != RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = refused(letters, letter, open, e);
    return rc != 0 ? rc : open->is_durable ? KAFKA_DEAD_DURABLE : KAFKA_DEAD_WAITS;
}

int kafka_dead_letters_put(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, int timeout_ms,
                           struct err *e)
{
    const struct env *env = letters->producer.env;
    int64_t due_us = env_mono_us(env) + (int64_t)timeout_ms * 1000;
    struct err own = ERR_INIT;
    int rc = KAFKA_DEAD_WAITS;
    struct open_letter *open = find(letters, letter);
    if (!open && !(open = begin(letters, letter, e)))
        return err_result(e);
    for (int64_t left_ms = timeout_ms; rc == KAFKA_DEAD_WAITS && left_ms > 0;
         left_ms = (due_us - env_mono_us(env) + 999) / 1000)
        rc = step(letters, letter, open, left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS, &own);
    if (rc < 0 && e)
        *e = own;
    if (rc != KAFKA_DEAD_WAITS)
        forget(letters, open);
    return rc;
}

int kafka_dead_letters_why(const struct kafka_dead_letters *letters, struct err *e)
{
    const struct kafka_link *link = &letters->producer.link;
    return err_set(e, KAFKA_DEAD_LETTER, letters->opt.topic, link->last_code ? link->last : "no report in time");
}
