/* Letters become items of lanes of their own. */
#include "pipeline/dead_retry.h"

#include <stdlib.h>

#include "change/json_in.h"
#include "partition/lane.h"
#include "sink/runner.h"

/* A sink's end of the spine, made for its first letter. */
struct outlet {
    struct route *list;
    struct routes *routes;
    struct lanes *lanes;
    struct runner *runner;
};

struct dead_retry {
    const struct settings *settings;
    enum sink_purpose purpose;
    const struct env *env;
    struct shape_cache *shapes;
    struct arena arena;
    struct dead_store refused; /* where the runner puts what the sink refuses again */
    struct err *why;           /* of the letter at hand */
    struct outlet outlets[LEDGER_SINKS_MAX];
};

static int note_refused(void *ctx, const char *sink, const struct change *chg, const struct err *why, struct err *e)
{
    const struct dead_retry *retry = ctx;
    (void)sink;
    (void)chg;
    (void)e;
    *retry->why = *why;
    return 0;
}

int dead_retry_new(struct dead_retry **out, const struct settings *settings, enum sink_purpose purpose,
                   const struct env *env, struct err *e)
{
    struct dead_retry *retry = calloc(1, sizeof *retry);
    if (!retry)
        return err_set(e, NO_MEMORY, sizeof *retry);
    *retry =
        (struct dead_retry){.settings = settings, .purpose = purpose, .env = env, .refused = {note_refused, retry}};
    arena_init(&retry->arena, 65536, 0, 0);
    retry->shapes = shape_cache_new();
    if (!retry->shapes) {
        dead_retry_free(retry);
        return err_set(e, NO_MEMORY, sizeof *retry);
    }
    *out = retry;
    return 0;
}

void dead_retry_free(struct dead_retry *retry)
{
    if (!retry)
        return;
    for (unsigned i = 0; i < LEDGER_SINKS_MAX; i++) {
        struct outlet *outlet = &retry->outlets[i];
        runner_free(outlet->runner);
        lanes_free(outlet->lanes);
        routes_free(outlet->routes);
        free(outlet->list);
    }
    shape_cache_free(retry->shapes);
    arena_release(&retry->arena);
    free(retry);
}

/* The configured sink to which a route of the letter's table leads; -1: there is none. */
static int find_sink(const struct settings *settings, const struct change *chg, const struct dead_letter *letter)
{
    for (unsigned s = 0; s < settings->sink_count; s++)
        for (unsigned r = 0; dead_text_is(&letter->sink, settings->sinks[s].name) && r < settings->route_count; r++)
            if (settings->routes[r].sink_mask >> s & 1 && route_matches(&settings->routes[r], chg->db, chg->table))
                return (int)s;
    return -1;
}

/* The routes to this sink, as if it were the only one. */
static int make_routes(struct outlet *outlet, const struct settings *settings, unsigned sink, struct err *e)
{
    unsigned count = 0;
    outlet->list = calloc(settings->route_count, sizeof *outlet->list);
    if (!outlet->list)
        return err_set(e, NO_MEMORY, settings->route_count * sizeof *outlet->list);
    for (unsigned r = 0; r < settings->route_count; r++) {
        if (!(settings->routes[r].sink_mask >> sink & 1))
            continue;
        outlet->list[count] = settings->routes[r];
        outlet->list[count].sink_mask = 1;
        outlet->list[count++].sink_options[0] = settings->routes[r].sink_options[sink];
    }
    return routes_new(&outlet->routes, outlet->list, count, e);
}

static int open_outlet(struct dead_retry *retry, unsigned sink, struct err *e)
{
    const struct settings *settings = retry->settings;
    const struct pipeline_sink *to = &settings->sinks[sink];
    struct outlet *outlet = &retry->outlets[sink];
    const struct lanes_options lanes = {.lanes = (unsigned)settings->partitions,
                                        .sinks = 1,
                                        .buffer_bytes = settings->buffer_bytes,
                                        .max_item_bytes = LANE_ITEM_BYTES_MAX};
    int rc = make_routes(outlet, settings, sink, e);
    if (rc == 0)
        rc = lanes_new(&outlet->lanes, &lanes, e);
    if (rc != 0)
        return rc;
    const struct runner_options runner = {.ops = to->ops,
                                          .options = to->options,
                                          .name = to->name,
                                          .needs = runner_needs(to->ops, 0, outlet->routes),
                                          .lanes = outlet->lanes,
                                          .routes = outlet->routes,
                                          .env = retry->env,
                                          .purpose = retry->purpose,
                                          .dead = &retry->refused};
    return runner_new(&outlet->runner, &runner, e);
}

static int add_row(struct lanes *lanes, const struct change *chg, struct err *e)
{
    const struct lane_row row = {.op = chg->op,
                                 .flags = chg->flags,
                                 .sink_mask = 1,
                                 .version_row = chg->version.row,
                                 .event_pos = chg->pos,
                                 .shape = chg->shape,
                                 .key = chg->key,
                                 .key_len = chg->key_len,
                                 .before = chg->before,
                                 .after = chg->after};
    uint64_t ordinal;
    return lanes_add(lanes, key_lane(chg->key, chg->key_len, lanes_count(lanes)), &row, &ordinal, e);
}

static int add_truncate(struct lanes *lanes, const struct change *chg, struct err *e)
{
    const struct lane_truncate truncate = {
        .db = chg->db, .table = chg->table, .sink_mask = 1, .version_row = chg->version.row, .event_pos = chg->pos};
    uint64_t ordinal;
    return lanes_truncate_lane(lanes, 0, &truncate, &ordinal, e);
}

/* The change as a transaction of its own. Each is acknowledged before the next, so there is room. */
static int add(struct lanes *lanes, const struct change *chg, const struct tx *tx, struct err *e)
{
    struct boundary at = {.commit_us = tx->commit_us};
    int rc;
    lanes_begin(lanes, tx);
    do
        rc = chg->op == CHANGE_TRUNCATE ? add_truncate(lanes, chg, e) : add_row(lanes, chg, e);
    while (rc == LANES_FULL && lanes_make_room(lanes));
    if (rc == 0) {
        lanes_event_end(lanes);
        rc = lanes_end(lanes, &at);
    }
    if (rc == LANES_FULL)
        return err_set(e, BUG, "no room for one dead letter");
    if (rc == 0)
        lanes_publish(lanes);
    return rc;
}

/* The boundary leaves the ring, which a keeper would see to. */
static int consume(struct lanes *lanes, struct err *e)
{
    struct position pos;
    position_init(&pos);
    int rc = ledger_consume(lanes_ledger(lanes), 0, &pos, e);
    position_release(&pos);
    return rc < 0 ? rc : 0;
}

int dead_retry_apply(struct dead_retry *retry, const struct dead_letter *letter, struct err *why, struct err *e)
{
    struct change chg;
    struct tx tx;
    arena_reset(&retry->arena);
    retry->why = why;
    int rc = json_in_change(letter->change.p, letter->change.len, retry->shapes, &chg, &tx, &retry->arena, e);
    if (rc != 0)
        return err_wrap(e, "dead letter %" PRIu64, letter->number);
    int sink = find_sink(retry->settings, &chg, letter);
    if (sink < 0)
        return err_set(e, DEAD_LETTER_ROUTE, letter->number, (int)letter->db.len, letter->db.p, (int)letter->table.len,
                       letter->table.p, (int)letter->sink.len, letter->sink.p);
    struct outlet *outlet = &retry->outlets[sink];
    rc = outlet->runner ? 0 : open_outlet(retry, (unsigned)sink, e);
    if (rc == 0)
        rc = add(outlet->lanes, &chg, &tx, e);
    if (rc == 0)
        rc = runner_step(outlet->runner, e);
    if (rc == 0)
        rc = consume(outlet->lanes, e);
    return rc != 0 ? err_wrap(e, "dead letter %" PRIu64, letter->number) : err_class(why) == ERR_CLASS_NONE;
}
