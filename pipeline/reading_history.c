/* The history of definitions under a reading. */
#include "base/log.h"
#include "binlog/source_stream.h"
#include "pipeline/checkpoint.h"
#include "pipeline/reading.h"

/* The furthest of the positions. */
static const struct position *furthest(const struct checkpoint *cp)
{
    const struct position *last = NULL;
    for (unsigned i = 0; i < cp->count; i++)
        if (!last || position_before(last, &cp->entries[i].pos))
            last = &cp->entries[i].pos;
    return last;
}

/* What a person's `position set` left behind goes away when the service begins, but it has to be known until the source
 * has begun: it is kept in a record of its own. */
static int keep_reached(struct state *state, struct buf *kept, bool *found, struct err *e)
{
    struct checkpoint reached = {0};
    int rc = state_get(state, STREAM_FOLLOWED_RECORD, kept, found, e);
    if (rc != 0 || *found)
        return rc;
    rc = checkpoint_reached(&reached, state, e);
    const struct position *last = furthest(&reached);
    if (rc == 0 && last) {
        buf_clear(kept);
        rc = position_encode(last, kept, e);
        if (rc == 0)
            rc = state_put(state, STREAM_FOLLOWED_RECORD, kept->p, kept->len, e);
        *found = rc == 0;
    }
    checkpoint_release(&reached);
    return rc;
}

/* Takes over `pos` when it lies behind what is known. */
static int take_further(struct reading *reading, const struct position *pos, struct err *e)
{
    if (reading->is_followed && !position_before(&reading->followed, pos))
        return 0;
    reading->is_followed = true;
    return position_copy(&reading->followed, pos, e);
}

static int take_own(struct reading *reading, struct state *state, struct err *e)
{
    struct buf kept;
    bool found = false;
    buf_init(&kept, 0);
    int rc = keep_reached(state, &kept, &found, e);
    if (rc == 0 && found) {
        rc = position_decode(&reading->followed, kept.p, kept.len, e);
        reading->is_followed = rc == 0;
    }
    buf_release(&kept);
    struct checkpoint cp = {0};
    if (rc == 0 && !found)
        rc = checkpoint_load(&cp, state, e);
    const struct position *last = furthest(&cp);
    if (rc == 0 && last)
        rc = take_further(reading, last, e);
    checkpoint_release(&cp);
    return rc;
}

int reading_take_followed(struct reading *reading, struct state *state, struct err *e)
{
    struct checkpoint cp = {0};
    int rc = checkpoint_load(&cp, state, e);
    const struct position *last = furthest(&cp);
    if (rc == 0 && last)
        rc = take_further(reading, last, e);
    checkpoint_release(&cp);
    return rc;
}

/* What only a replay from before the stored positions could need is kept up to a limit. */
static int forget_old(struct reading *reading, const struct reading_live_options *opt, struct err *e)
{
    const struct settings *settings = opt->settings;
    const struct history_limits keep = {settings->keep_dropped_tables, settings->keep_table_versions};
    struct checkpoint cp = {0};
    size_t forgotten = 0;
    int rc = checkpoint_load(&cp, opt->state, e);
    const struct checkpoint_entry *oldest = rc == 0 ? checkpoint_oldest(&cp) : NULL;
    if (oldest) {
        const struct history_where where = history_at(&oldest->pos);
        rc = history_trim(reading->history, &where, &keep, &forgotten, e);
    }
    if (rc == 0 && forgotten)
        log_event(opt->env->log, LOG_INFO, "old definitions of tables are forgotten", LOG_UINT("count", forgotten));
    checkpoint_release(&cp);
    return rc;
}

int reading_open_history(struct reading *reading, const struct reading_live_options *opt, struct err *e)
{
    int rc = history_open(&reading->history, opt->base, opt->state, e);
    if (rc == 0 && opt->state)
        rc = take_own(reading, opt->state, e);
    if (rc == 0 && opt->base)
        rc = reading_take_followed(reading, opt->base, e);
    else if (rc == 0 && opt->state)
        rc = forget_old(reading, opt, e);
    return rc;
}
