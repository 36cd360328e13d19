/* Changes of the state: each one transaction of Kafka. */
#include "sink/kafka/state.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "sink/kafka/read_back.h"
#include "sink/kafka/state_private.h"
#include "sink/kafka/state_topic.h"
#include "sink/kafka/transaction.h"

#define STEP_MS        1000 /* that a step of a change waits at most before it looks whether it is to end */
#define BACKOFF_MS     100
#define BACKOFF_MAX_MS 2000
#define PLACE_BYTES    8

struct kafka_state {
    struct kafka_options opt;
    const struct env *env;
    char topic[KAFKA_TOPIC_MAX + 1];
    char temporary[64]; /* STATE_READ: its directory */
    struct state *st;
    struct kafka_producer producer;
    rd_kafka_topic_t *handle;
    pthread_mutex_t mutex; /* over all below: one change at a time */
    struct kept_names names;
    bool in_tx;
    bool is_asked; /* the outcome of a commit is not known */
    uint8_t *part; /* PART_BYTES and a place before them */
    atomic_bool interrupted;
};

/* ---------------------------------------------------------------- messages */

static int send_message(struct kafka_state *ks, const char *key, const void *value, size_t len, struct err *e)
{
    const struct kafka_message message = {
        .topic = ks->handle, .key = key, .key_len = strlen(key), .value = value, .value_len = len, .is_copied = true};
    int rc;
    while ((rc = kafka_send(&ks->producer, &message, e)) == KAFKA_FULL)
        if ((rc = kafka_poll(&ks->producer, STEP_MS, e)) != 0)
            break;
    return rc;
}

static void put_u64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

/* The bytes of a change in parts from number `first` on; each has `place` before it, the part's own for a log. */
static int send_parts(struct kafka_state *ks, const struct state_change *change, const struct kept_name *kept,
                      uint64_t first, struct err *e)
{
    char key[KEY_MAX];
    int rc = 0;
    for (uint64_t at = 0, number = first; at < change->size && rc == 0; at += PART_BYTES, number++) {
        size_t len = change->size - at < PART_BYTES ? (size_t)(change->size - at) : PART_BYTES;
        put_u64(ks->part, kept->is_log ? change->place + at : change->size);
        if (kept->is_log)
            snprintf(key, sizeof key, "log/%s/%u/%" PRIu64, kept->name, kept->generation, number);
        else
            snprintf(key, sizeof key, "record/%s/%" PRIu64, kept->name, number);
        rc = change->read(change, at, ks->part + PLACE_BYTES, len, e);
        if (rc == 0)
            rc = send_message(ks, key, ks->part, PLACE_BYTES + len, e);
    }
    return rc;
}

/* Tombstones for messages from number `first` on. */
static int bury(struct kafka_state *ks, const struct kept_name *kept, uint64_t first, struct err *e)
{
    char key[KEY_MAX];
    int rc = 0;
    for (uint64_t number = first; number < kept->parts && rc == 0; number++) {
        if (kept->is_log)
            snprintf(key, sizeof key, "log/%s/%u/%" PRIu64, kept->name, kept->generation, number);
        else
            snprintf(key, sizeof key, "record/%s/%" PRIu64, kept->name, number);
        rc = send_message(ks, key, NULL, 0, e);
    }
    return rc;
}

static uint64_t parts_of(const struct state_change *change)
{
    return (change->size + PART_BYTES - 1) / PART_BYTES;
}

static int send_record(struct kafka_state *ks, const struct state_change *change, struct kept_name *next, struct err *e)
{
    uint64_t parts = parts_of(change);
    int rc = send_parts(ks, change, next, 0, e);
    if (rc == 0)
        rc = bury(ks, next, parts, e);
    next->parts = parts;
    return rc;
}

static int send_log(struct kafka_state *ks, const struct state_change *change, struct kept_name *next, struct err *e)
{
    char key[KEY_MAX], number[16];
    int rc = 0;
    if (change->kind == STATE_CHANGE_REPLACED) {
        rc = bury(ks, next, 0, e);
        next->generation++;
        next->parts = 0;
    }
    snprintf(key, sizeof key, "log/%s", next->name);
    snprintf(number, sizeof number, "%u", next->generation);
    if (rc == 0 && next->parts == 0)
        rc = send_message(ks, key, number, strlen(number), e);
    if (rc == 0)
        rc = send_parts(ks, change, next, next->parts, e);
    next->parts += parts_of(change);
    return rc;
}

/* ---------------------------------------------------------------- changes */

static int commit(struct kafka_state *ks, struct err *e)
{
    int rc = kafka_tx_commit(&ks->producer, ks->topic, e);
    ks->is_asked = rc == -(int)ERR_SINK_DOWN;
    ks->in_tx = rc != 0;
    return rc;
}

/* What an earlier change left open goes; a commit without an answer is asked for again: it does no harm where it
 * stands, since the change comes once more or was given up by who had no time. */
static int begin(struct kafka_state *ks, struct err *e)
{
    int rc = ks->is_asked ? commit(ks, e) : 0;
    if (rc == -(int)ERR_SINK_ABORTED) {
        err_clear(e);
        rc = 0;
    }
    if (rc == 0 && ks->in_tx)
        rc = kafka_tx_abort(&ks->producer, ks->topic, STEP_MS, e);
    if (rc == 0)
        rc = kafka_tx_begin(&ks->producer, ks->topic, e);
    ks->in_tx = ks->in_tx || rc == 0;
    return rc;
}

static int try_store(struct kafka_state *ks, const struct state_change *change, struct err *e)
{
    bool is_log = change->kind == STATE_CHANGE_APPENDED || change->kind == STATE_CHANGE_REPLACED;
    struct kept_name *kept = kept_find(&ks->names, is_log, change->name);
    if (!kept)
        return err_set(e, NO_MEMORY, sizeof *kept);
    struct kept_name next = *kept;
    int rc = begin(ks, e);
    if (rc == 0 && !ks->names.has_format)
        rc = send_message(ks, FORMAT_KEY, FORMAT, strlen(FORMAT), e);
    if (rc == 0)
        rc = (is_log ? send_log : send_record)(ks, change, &next, e);
    if (rc == 0)
        rc = commit(ks, e);
    if (rc == 0) {
        next.next = kept->next;
        *kept = next;
        ks->names.has_format = true;
    }
    return rc;
}

/* The producer with its id: whoever had it is fenced. */
static int open_producer(struct kafka_state *ks, struct err *e)
{
    int rc = kafka_producer_open(&ks->producer, &ks->opt, ks->topic, ks->env, e);
    if (rc == 0)
        rc = kafka_state_topic_ensure(&ks->producer, ks->topic, e);
    if (rc == 0)
        rc = kafka_tx_init(&ks->producer, ks->topic, e);
    if (rc == 0 && !(ks->handle = rd_kafka_topic_new(ks->producer.link.handle, ks->topic, NULL)))
        rc = kafka_refused(&ks->producer.link, rd_kafka_last_error(), ks->topic, e);
    return rc;
}

static void close_producer(struct kafka_state *ks)
{
    if (ks->handle)
        rd_kafka_topic_destroy(ks->handle);
    kafka_producer_close(&ks->producer);
    ks->handle = NULL;
    ks->in_tx = ks->is_asked = false;
}

/* A change again as often as it needs: what of it stands already is the same. A producer that librdkafka has given up
 * is made anew. What a message was refused for is what is told. */
static int store_once(struct kafka_state *ks, const struct state_change *change, struct err *e)
{
    int rc = ks->handle ? 0 : open_producer(ks, e);
    if (rc == 0)
        rc = try_store(ks, change, e);
    rd_kafka_resp_err_t refused = ks->producer.refused.code;
    ks->producer.refused = (struct kafka_refusal){.code = RD_KAFKA_RESP_ERR_NO_ERROR};
    if (rc == -(int)ERR_SINK_ABORTED && refused != RD_KAFKA_RESP_ERR_NO_ERROR) {
        err_clear(e);
        rc = kafka_refused(&ks->producer.link, refused, ks->topic, e);
    }
    if (rc == -(int)ERR_KAFKA_FATAL) {
        const struct err why = *e;
        err_clear(e);
        rc = err_set(e, STATE_AWAY, ks->topic, why.text);
        close_producer(ks);
    } else if (rc != 0 && !ks->handle) {
        close_producer(ks);
    }
    return rc;
}

/* Brokers that are away are waited for, but by who has no time. */
static int store_locked(struct kafka_state *ks, const struct state_change *change, struct err *e)
{
    struct backoff backoff;
    bool told = false;
    backoff_init(&backoff, BACKOFF_MS, BACKOFF_MAX_MS);
    while (store_once(ks, change, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY || change->soon)
            return err_result(e);
        bool ends = atomic_load(&ks->interrupted);
        if (!told && !ends)
            log_error(ks->env->log, "the state cannot be stored, trying again", e);
        told = true;
        err_clear(e);
        if (ends)
            return err_set(e, INTERRUPTED);
        usleep((useconds_t)backoff_next(&backoff, ks->env) * 1000);
    }
    if (told)
        log_event(ks->env->log, LOG_INFO, "the state is stored again");
    return 0;
}

static int store(void *ctx, const struct state_change *change, struct err *e)
{
    struct kafka_state *ks = ctx;
    if (!change->soon)
        pthread_mutex_lock(&ks->mutex);
    else if (pthread_mutex_trylock(&ks->mutex) != 0)
        return err_set(e, STATE_AWAY, ks->topic, "an earlier change waits");
    int rc = store_locked(ks, change, e);
    pthread_mutex_unlock(&ks->mutex);
    return rc;
}

static void interrupt(void *ctx)
{
    atomic_store(&((struct kafka_state *)ctx)->interrupted, true);
}

/* ---------------------------------------------------------------- life */

static void close_copy(void *ctx)
{
    struct kafka_state *ks = ctx;
    struct err ignored = ERR_INIT;
    if (ks->in_tx && !ks->is_asked)
        (void)kafka_tx_abort(&ks->producer, ks->topic, STEP_MS, &ignored);
    close_producer(ks);
    kept_names_release(&ks->names);
    pthread_mutex_destroy(&ks->mutex);
    free(ks->part);
    free(ks);
}

static const struct state_copy_ops writing = {.store = store, .interrupt = interrupt, .close = close_copy};

/* In a transaction, which a fenced reader cannot end. */
static int write_takeover(struct kafka_state *ks, struct kafka_takeover *takeover, struct err *e)
{
    char host[128] = "";
    uint64_t token;
    ks->env->random(ks->env->ctx, &token, sizeof token);
    (void)gethostname(host, sizeof host - 1);
    for (char *p = host; *p; p++)
        *p = *p == '"' || *p == '\\' || (unsigned char)*p < ' ' ? '?' : *p;
    snprintf(takeover->text, sizeof takeover->text,
             "{\"host\":\"%s\",\"pid\":%ld,\"unix_s\":%" PRId64 ",\"token\":\"%016" PRIx64 "\"}", host, (long)getpid(),
             env_now_us(ks->env) / 1000000, token);
    int rc = begin(ks, e);
    if (rc == 0)
        rc = send_message(ks, KAFKA_STATE_READER, takeover->text, strlen(takeover->text), e);
    return rc == 0 ? commit(ks, e) : rc;
}

/* Fences who was there, then reads what they left. */
static int open_own(struct kafka_state *ks, const struct kafka_state_place *place, struct err *e)
{
    ks->part = malloc(PLACE_BYTES + PART_BYTES);
    if (!ks->part)
        return err_set(e, NO_MEMORY, PART_BYTES);
    int rc = open_producer(ks, e);
    if (rc == 0 && place->takeover)
        rc = write_takeover(ks, place->takeover, e);
    if (rc == 0)
        rc = kafka_state_restore(ks->st, place, ks->topic, &ks->names, e);
    if (rc == 0 && place->takeover)
        place->takeover->offset = ks->names.reader_offset;
    ks->opt.timeout_ms = STEP_MS;
    return rc;
}

/* The directory of a reader goes with what is in it. */
static void close_read(void *ctx)
{
    struct kafka_state *ks = ctx;
    state_remove_copy(ks->temporary);
    close_copy(ks);
}

static const struct state_copy_ops reading = {.close = close_read};

static int make_read(struct kafka_state *ks, const struct kafka_state_place *place, struct err *e)
{
    snprintf(ks->temporary, sizeof ks->temporary, "/tmp/sluice-state-XXXXXX");
    if (!mkdtemp(ks->temporary))
        return err_set(e, STATE_IO, "/tmp", "mkdtemp", strerror(errno));
    int rc = state_open(&ks->st, place->env, ks->temporary, STATE_OWN, e);
    if (rc == 0)
        rc = kafka_state_restore(ks->st, place, ks->topic, &ks->names, e);
    if (rc != 0 && e->code == ERR_KAFKA_TOPIC_MISSING) {
        err_clear(e);
        rc = 0;
    }
    if (rc != 0)
        state_remove_copy(ks->temporary);
    return rc;
}

static int make_own(struct kafka_state *ks, const struct kafka_state_place *place, struct err *e)
{
    int rc = state_open(&ks->st, place->env, place->dir, STATE_OWN, e);
    if (rc == 0)
        rc = open_own(ks, place, e);
    return rc;
}

int kafka_state_open(struct state **out, const struct kafka_state_place *place, enum state_mode mode, struct err *e)
{
    struct kafka_state *ks = calloc(1, sizeof *ks);
    if (!ks)
        return err_set(e, NO_MEMORY, sizeof *ks);
    ks->opt = *place->opt;
    ks->env = place->env;
    pthread_mutex_init(&ks->mutex, NULL);
    int rc = kafka_state_topic(place->opt, ks->topic, e);
    if (rc == 0)
        rc = (mode == STATE_OWN ? make_own : make_read)(ks, place, e);
    if (rc != 0) {
        struct state *st = ks->st;
        close_copy(ks);
        state_close(st);
        return rc;
    }
    state_set_copy(ks->st, mode == STATE_OWN ? &writing : &reading, ks);
    *out = ks->st;
    return 0;
}
