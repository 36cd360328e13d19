/* Sinks that keep their own position: their marks at the start, and the boundaries that they store. */
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "pipeline/pipeline_private.h"

#define LOAD_BACKOFF_MS     200
#define LOAD_BACKOFF_MAX_MS 10000

static bool keeps(const struct pipeline *pipe, unsigned sink)
{
    const struct pipeline_sink *own = &pipe->spec.sinks[sink];
    return sink_flags(own->ops, own->options) & SINK_KEEPS_POSITION;
}

static bool some_keep(const struct pipeline *pipe)
{
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        if (keeps(pipe, i))
            return true;
    return false;
}

/* ---------------------------------------------------------------- boundaries */

int kept_init(struct pipeline *pipe, struct err *e)
{
    if (!some_keep(pipe))
        return 0;
    pipe->boundaries = calloc(pipe->spec.sink_count, sizeof *pipe->boundaries);
    if (!pipe->boundaries)
        return err_set(e, NO_MEMORY, pipe->spec.sink_count * sizeof *pipe->boundaries);
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        position_init(&pipe->boundaries[i]);
    return 0;
}

void kept_release(struct pipeline *pipe)
{
    for (unsigned i = 0; pipe->boundaries && i < pipe->spec.sink_count; i++)
        position_release(&pipe->boundaries[i]);
    free(pipe->boundaries);
}

int kept_note(struct pipeline *pipe, struct err *e)
{
    int rc = 0;
    if (!pipe->boundaries)
        return 0;
    pthread_mutex_lock(&pipe->stored_lock);
    for (unsigned i = 0; i < pipe->positions.count && rc == 0; i++)
        rc = position_copy(&pipe->boundaries[i], &pipe->positions.entries[i].pos, e);
    pthread_mutex_unlock(&pipe->stored_lock);
    return rc;
}

static bool same_place(const struct position *a, const struct position *b)
{
    if (filepos_compare(&a->at, &b->at) != 0 || !a->gtids != !b->gtids)
        return false;
    return !a->gtids || gtid_set_equal(a->gtids, b->gtids);
}

int kept_boundary(void *ctx, unsigned sink, struct position *out, struct err *e)
{
    struct pipeline *pipe = ctx;
    pthread_mutex_lock(&pipe->stored_lock);
    const struct position *at = &pipe->boundaries[sink];
    int rc = (at->at.file[0] || at->gtids) && !same_place(at, out);
    if (rc == 1 && position_copy(out, at, e) != 0)
        rc = err_result(e);
    pthread_mutex_unlock(&pipe->stored_lock);
    return rc;
}

/* ---------------------------------------------------------------- start */

/* A person has set or reset the position since the service ran: what sinks have stored counts for nothing. */
static int is_overruled(struct pipeline *pipe, bool *overruled, struct err *e)
{
    bool was_set = false;
    *overruled = false;
    if (!pipe->spec.state)
        return 0;
    if (checkpoint_was_reset(pipe->spec.state, overruled, e) != 0 ||
        checkpoint_was_set(pipe->spec.state, &was_set, e) != 0)
        return err_result(e);
    *overruled = *overruled || was_set;
    return 0;
}

/* The sink's own position takes the place of the checkpoint's. */
static int take_place(struct pipeline *pipe, const char *name, const struct position *at, struct err *e)
{
    struct checkpoint_entry *known = checkpoint_find(&pipe->begin, name);
    return known ? position_copy(&known->pos, at, e) : checkpoint_add(&pipe->begin, name, strlen(name), at, e);
}

static int load_once(struct pipeline *pipe, unsigned sink, bool overruled, struct err *e)
{
    const char *name = pipe->spec.sinks[sink].name;
    const struct checkpoint_entry *known = checkpoint_find(&pipe->begin, name);
    struct position at;
    position_init(&at);
    int rc = runner_load(pipe->runners[sink], overruled, known ? &known->pos : NULL, &at, e);
    if (rc == 1 && (at.at.file[0] || at.gtids))
        rc = take_place(pipe, name, &at, e);
    position_release(&at);
    return rc < 0 ? rc : 0;
}

static int load(struct pipeline *pipe, unsigned sink, bool overruled, struct err *e)
{
    struct backoff backoff;
    backoff_init(&backoff, LOAD_BACKOFF_MS, LOAD_BACKOFF_MAX_MS);
    while (load_once(pipe, sink, overruled, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY || pipe->spec.ends || atomic_load(&pipe->stopping))
            return err_result(e);
        log_error(pipe->spec.env->log, "a sink's own position cannot be read, trying again", e);
        err_clear(e);
        wakeup_wait(&pipe->open_wake, (int)backoff_next(&backoff, pipe->spec.env));
    }
    return 0;
}

int kept_load(struct pipeline *pipe, struct err *e)
{
    bool overruled = false;
    int rc = pipe->boundaries ? is_overruled(pipe, &overruled, e) : 0;
    for (unsigned i = 0; pipe->boundaries && i < pipe->spec.sink_count && rc == 0; i++)
        rc = keeps(pipe, i) ? load(pipe, i, overruled, e) : 0;
    return rc;
}
