/* The state of a service. */
#include "pipeline/service_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"

#define BACKOFF_MS     200
#define BACKOFF_MAX_MS 5000

static int open_in_kafka(struct state **out, const struct settings *settings, const struct env *env,
                         enum state_mode mode, struct kafka_takeover *takeover, struct err *e)
{
    size_t size = strlen(settings->state_dir) + sizeof "/reader";
    char *dir = malloc(size);
    if (!dir)
        return err_set(e, NO_MEMORY, size);
    snprintf(dir, size, "%s/reader", settings->state_dir);
    const struct kafka_state_place place = {
        .opt = settings->bus.sink.options, .env = env, .dir = dir, .takeover = takeover};
    int rc = kafka_state_open(out, &place, mode, e);
    free(dir);
    return rc;
}

int service_state_open(struct state **out, const struct settings *settings, const struct env *env, enum state_mode mode,
                       struct err *e)
{
    return settings->bus.type == BUS_KAFKA ? open_in_kafka(out, settings, env, mode, NULL, e)
                                           : state_open(out, env, settings->state_dir, mode, e);
}

int service_state_take(struct state **out, const struct settings *settings, const struct env *env,
                       struct kafka_takeover *takeover, const struct service_pause *pause, struct err *e)
{
    struct backoff backoff;
    backoff_init(&backoff, BACKOFF_MS, BACKOFF_MAX_MS);
    while (open_in_kafka(out, settings, env, STATE_OWN, takeover, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY)
            return err_result(e);
        log_error(env->log, "the state cannot be read, trying again", e);
        err_clear(e);
        if (pause->wait(pause->ctx, (int)backoff_next(&backoff, env)))
            return err_set(e, INTERRUPTED);
    }
    return 0;
}
