/* A change becomes a dead letter. */
#include "pipeline/dead_items.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "change/format_sluice.h"
#include "sink/kafka/dead_letters.h"
#include "sink/kafka/headers.h"

#define WAIT_MS 1000     /* in one put: then the worker looks whether it is to end */
#define TELL_US 10000000 /* between two lines */

struct dead_items {
    const struct pipeline_bus *bus;
    const struct env *env;
    unsigned lanes;
    struct dead_store store;
    pthread_mutex_t lock; /* of all below */
    struct kafka_dead_letters *letters;
    struct kafka_scratch scratch;
    struct arena arena;
    struct buf line;
    int64_t told_us; /* 0: never */
    uint64_t untold;
};

static void tell(struct dead_items *dead, const char *sink, const struct change *chg, const struct err *why)
{
    int64_t now_us = env_mono_us(dead->env);
    if (dead->told_us && now_us - dead->told_us < TELL_US) {
        dead->untold++;
        return;
    }
    log_event(dead->env->log, LOG_WARN, "a change that a sink refuses for good went to the dead letters",
              LOG_STR("sink", sink), LOG_STR("topic", dead->bus->topic), LOG_UINT("partition", chg->lane),
              LOG_INT("offset", chg->tx->offset),
              LOG_STR("dead_letter_topic", dead->bus->dead_letters->dead_letter_topic), LOG_STR("text", why->text),
              LOG_UINT("untold", dead->untold));
    dead->told_us = now_us;
    dead->untold = 0;
}

static int write_letter(struct dead_items *dead, const struct kafka_dead_letter *letter, struct err *e)
{
    int rc = kafka_dead_letters_put(dead->letters, letter, WAIT_MS, e);
    if (rc == KAFKA_DEAD_WAITS)
        return kafka_dead_letters_why(dead->letters, e);
    return rc == KAFKA_DEAD_DURABLE ? 0 : rc;
}

static int put_locked(struct dead_items *dead, const char *sink, const struct change *chg, const struct err *why,
                      struct err *e)
{
    rd_kafka_headers_t *headers = NULL;
    int rc = 0;
    if (!dead->letters)
        rc = kafka_dead_letters_open(&dead->letters, dead->bus->dead_letters, dead->lanes, dead->env, e);
    arena_reset(&dead->arena);
    buf_clear(&dead->line);
    if (rc == 0)
        rc = format_sluice(chg, &dead->line, &dead->arena, e);
    if (rc == 0)
        rc = kafka_headers_own(&headers, chg, &dead->scratch, e);
    if (rc != 0)
        return rc;
    const struct kafka_dead_letter letter = {.origin = {.reason = why->code,
                                                        .text = why->text,
                                                        .topic = dead->bus->topic,
                                                        .partition = (int32_t)chg->lane,
                                                        .offset = chg->tx->offset,
                                                        .sink = sink},
                                             .id = chg->version.row,
                                             .key = chg->key,
                                             .key_len = chg->key_len,
                                             .value = dead->line.p,
                                             .value_len = dead->line.len - 1, /* without its line end */
                                             .headers = headers};
    rc = write_letter(dead, &letter, e);
    rd_kafka_headers_destroy(headers);
    if (rc == 0)
        tell(dead, sink, chg, why);
    return rc;
}

static int put(void *ctx, const char *sink, const struct change *chg, const struct err *why, struct err *e)
{
    struct dead_items *dead = ctx;
    pthread_mutex_lock(&dead->lock);
    int rc = put_locked(dead, sink, chg, why, e);
    pthread_mutex_unlock(&dead->lock);
    return rc;
}

int dead_items_new(struct dead_items **out, const struct pipeline_bus *bus, unsigned lanes, const struct env *env,
                   struct err *e)
{
    struct dead_items *dead = calloc(1, sizeof *dead);
    if (!dead)
        return err_set(e, NO_MEMORY, sizeof *dead);
    *dead = (struct dead_items){.bus = bus, .env = env, .lanes = lanes, .store = {put, dead}};
    pthread_mutex_init(&dead->lock, NULL);
    kafka_scratch_init(&dead->scratch);
    arena_init(&dead->arena, 4096, 0, 0);
    buf_init(&dead->line, 0);
    *out = dead;
    return 0;
}

void dead_items_free(struct dead_items *dead)
{
    if (!dead)
        return;
    kafka_dead_letters_close(dead->letters);
    kafka_scratch_release(&dead->scratch);
    arena_release(&dead->arena);
    buf_release(&dead->line);
    pthread_mutex_destroy(&dead->lock);
    free(dead);
}

const struct dead_store *dead_items_store(const struct dead_items *dead)
{
    return &dead->store;
}
