/* Servers of sinks: seen, kept, set back. */
#include "pipeline/past.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/log.h"

#define RECORD_NAME    "past"
#define VERSION        1
#define PLACES_MAX     64
#define NOTE_US        1000000
#define STORE_US       10000000
#define NAME_MAX_      1024
#define START_SLACK_US 2000000 /* servers tell their start in whole seconds */

struct place {
    int64_t at_us; /* all before `pos` was applied then */
    struct position pos;
};

struct server {
    char run[SINK_RUN_MAX + 1];  /* "": none was seen */
    char next[SINK_RUN_MAX + 1]; /* that came in its place; "": none */
    int64_t seen_us, kept_us;
    int64_t back_us;      /* with `next`: where to begin again */
    uint64_t failover_ms; /* as told last; UINT64_MAX: not yet */
};

struct one {
    struct past *past;
    const char *name; /* of the sink; NULL: it has no server to tell of */
    struct sink_witness witness;
    struct server server; /* under the lock */
    struct place places[PLACES_MAX];
    unsigned count;
};

struct past {
    const struct env *env;
    struct state *state;
    bool is_brief; /* a replay's: there is no way back */
    pthread_mutex_t lock;
    bool is_new; /* under the lock: something that must be stored soon */
    int64_t noted_us, stored_us;
    unsigned count;
    struct one list[];
};

/* ---------------------------------------------------------------- places */

static void drop_place(struct one *one, unsigned i)
{
    position_release(&one->places[i].pos);
    one->count--;
    memmove(&one->places[i], &one->places[i + 1], (one->count - i) * sizeof *one->places);
}

/* The newest place that is not newer than the time, else the oldest. */
static unsigned place_at(const struct one *one, int64_t at_us)
{
    unsigned i = 0;
    while (i + 1 < one->count && one->places[i + 1].at_us <= at_us)
        i++;
    return i;
}

/* What is older than that is never asked for; of the rest every other goes when there are many. */
static void thin_out(struct one *one, int64_t needed_us)
{
    for (unsigned first = place_at(one, needed_us); first > 0; first--)
        drop_place(one, 0);
    if (one->count < PLACES_MAX)
        return;
    for (unsigned i = 1; i + 1 < one->count; i++)
        drop_place(one, i);
}

static int add_place(struct one *one, int64_t at_us, const struct position *pos, struct err *e)
{
    struct place *place = &one->places[one->count];
    position_init(&place->pos);
    place->at_us = one->count && place[-1].at_us > at_us ? place[-1].at_us : at_us; /* a clock may step back */
    if (position_copy(&place->pos, pos, e) != 0)
        return err_result(e);
    one->count++;
    return 0;
}

static bool is_new_place(const struct one *one, const struct position *pos)
{
    const struct position *last = one->count ? &one->places[one->count - 1].pos : NULL;
    return !last || position_before(last, pos) || position_before(pos, last);
}

/* ---------------------------------------------------------------- met */

static void keep_run(char out[SINK_RUN_MAX + 1], const char *run)
{
    size_t len = strnlen(run, SINK_RUN_MAX);
    memmove(out, run, len);
    out[len] = '\0';
}

/* Of the server that came: since when what was applied may be lost there, and on its disk. One that began before the
 * old one was last seen was a replica of it; one that began since has read what was on a disk. */
static void judge(struct server *server, const struct sink_server *met)
{
    int64_t failover_us = server->seen_us - (int64_t)met->failover_ms * 1000;
    bool has_read = met->started_us + START_SLACK_US >= server->seen_us;
    server->back_us = has_read && server->kept_us < failover_us ? server->kept_us : failover_us;
    if (met->kept_us < server->back_us && !(has_read && met->kept_us == SINK_KEPT_UNKNOWN))
        server->kept_us = met->kept_us;
    else
        server->kept_us = server->back_us;
}

static int meet_other(struct one *one, const struct sink_server *met, int64_t now_us, struct err *e)
{
    struct server *server = &one->server;
    if (one->past->is_brief)
        return err_set(e, SINK_REPLAY_LOST);
    if (strcmp(server->next, met->run) != 0) {
        int64_t before_us = server->next[0] ? server->back_us : INT64_MAX;
        judge(server, met);
        if (before_us < server->back_us)
            server->back_us = before_us;
        keep_run(server->next, met->run);
    }
    return err_set(e, SINK_CAME_BACK, (long long)(now_us - server->back_us) / 1000000);
}

static int meet(void *ctx, const struct sink_server *met, struct err *e)
{
    struct one *one = ctx;
    struct past *past = one->past;
    struct server *server = &one->server;
    int64_t now_us = env_now_us(past->env);
    int rc = 0;
    pthread_mutex_lock(&past->lock);
    server->failover_ms = met->failover_ms;
    bool is_known = strcmp(server->run, met->run) == 0;
    if (server->run[0] && !is_known && (past->is_brief || !met->is_empty)) {
        rc = meet_other(one, met, now_us, e);
    } else {
        if (!is_known)
            server->kept_us = now_us;
        else if (met->kept_us > server->kept_us)
            server->kept_us = met->kept_us;
        server->seen_us = now_us;
        keep_run(server->run, met->run);
    }
    past->is_new |= !is_known;
    pthread_mutex_unlock(&past->lock);
    return rc;
}

/* ---------------------------------------------------------------- stored */

static void put(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(v >> (8 * i)));
}

static void put_text(struct buf *out, const void *bytes, size_t len)
{
    put(out, len, 4);
    buf_add(out, bytes, len);
}

static int put_one(struct buf *out, const struct one *one, const struct server *server, struct err *e)
{
    struct buf pos;
    int rc = 0;
    buf_init(&pos, 0);
    put_text(out, one->name, strlen(one->name));
    put_text(out, server->run, strlen(server->run));
    put_text(out, server->next, strlen(server->next));
    put(out, (uint64_t)server->seen_us, 8);
    put(out, (uint64_t)server->kept_us, 8);
    put(out, (uint64_t)server->back_us, 8);
    put(out, one->count, 4);
    for (unsigned i = 0; i < one->count && rc == 0; i++) {
        buf_clear(&pos);
        rc = position_encode(&one->places[i].pos, &pos, e);
        put(out, (uint64_t)one->places[i].at_us, 8);
        put_text(out, pos.p, pos.len);
        out->failed |= pos.failed;
    }
    buf_release(&pos);
    return rc;
}

static int store(struct past *past, struct err *e)
{
    struct buf bytes;
    unsigned count = 0;
    int rc = 0;
    buf_init(&bytes, 0);
    for (unsigned i = 0; i < past->count; i++)
        count += past->list[i].name != NULL;
    put(&bytes, VERSION, 4);
    put(&bytes, count, 4);
    for (unsigned i = 0; i < past->count && rc == 0; i++) {
        struct one *one = &past->list[i];
        if (!one->name)
            continue;
        pthread_mutex_lock(&past->lock);
        struct server server = one->server;
        pthread_mutex_unlock(&past->lock);
        rc = put_one(&bytes, one, &server, e);
    }
    if (rc == 0 && bytes.failed)
        rc = err_set(e, NO_MEMORY, bytes.len);
    if (rc == 0)
        rc = state_put_soon(past->state, RECORD_NAME, bytes.p, bytes.len, e);
    buf_release(&bytes);
    return rc;
}

static bool take_text(struct cursor *cur, char *out, size_t size)
{
    size_t len = cursor_u32(cur);
    const uint8_t *p = cursor_take(cur, len);
    if (!p || len >= size || memchr(p, '\0', len))
        return false;
    memcpy(out, p, len);
    out[len] = '\0';
    return true;
}

static struct one *find(struct past *past, const char *name)
{
    for (unsigned i = 0; i < past->count; i++)
        if (past->list[i].name && strcmp(past->list[i].name, name) == 0)
            return &past->list[i];
    return NULL;
}

static int take_places(struct one *one, struct cursor *cur, struct err *e)
{
    unsigned count = cursor_u32(cur);
    for (unsigned i = 0; i < count; i++) {
        int64_t at_us = (int64_t)cursor_u64(cur);
        size_t len = cursor_u32(cur);
        const uint8_t *p = cursor_take(cur, len);
        struct position pos;
        position_init(&pos);
        if (!p || one->count == PLACES_MAX)
            return err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged place");
        if (position_decode(&pos, p, len, e) != 0)
            return err_wrap(e, RECORD_NAME);
        one->places[one->count++] = (struct place){.at_us = at_us, .pos = pos};
    }
    return 0;
}

/* One sink's part; it goes when there is no such sink any more. */
static int take_one(struct past *past, struct cursor *cur, struct err *e)
{
    char name[NAME_MAX_];
    struct one gone = {.count = 0};
    if (!take_text(cur, name, sizeof name))
        return err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged name of a sink");
    struct one *one = find(past, name);
    if (!one)
        one = &gone;
    if (!take_text(cur, one->server.run, sizeof one->server.run) ||
        !take_text(cur, one->server.next, sizeof one->server.next))
        return err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged name of a server");
    one->server.seen_us = (int64_t)cursor_u64(cur);
    one->server.kept_us = (int64_t)cursor_u64(cur);
    one->server.back_us = (int64_t)cursor_u64(cur);
    int rc = take_places(one, cur, e);
    while (gone.count)
        drop_place(&gone, 0);
    return rc;
}

static int load(struct past *past, struct err *e)
{
    struct buf bytes;
    bool found = false;
    buf_init(&bytes, 0);
    int rc = state_get(past->state, RECORD_NAME, &bytes, &found, e);
    struct cursor cur = cursor_over(bytes.p, bytes.len);
    if (rc == 0 && found && cursor_u32(&cur) != VERSION)
        rc = err_set(e, STATE_CORRUPT, RECORD_NAME, "not of this version");
    unsigned count = rc == 0 && found ? cursor_u32(&cur) : 0;
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = take_one(past, &cur, e);
    if (rc == 0 && found && cursor_finish(&cur) != 0)
        rc = err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged");
    buf_release(&bytes);
    return rc;
}

/* ---------------------------------------------------------------- set back */

/* 1: the sink's entry is another now. */
static int set_back(struct one *one, struct checkpoint *cp, const struct env *env, struct err *e)
{
    struct checkpoint_entry *entry = checkpoint_find(cp, one->name);
    unsigned at = place_at(one, one->server.back_us);
    if (!entry || one->count == 0) {
        log_event(env->log, LOG_WARN,
                  "the sink's server came back, but no place is known to set it back to: what it may have lost is not "
                  "applied again; replay it",
                  LOG_STR("sink", one->name));
        return 0;
    }
    if (!position_before(&one->places[at].pos, &entry->pos))
        return 0;
    char text[FILEPOS_TEXT_MAX];
    filepos_print(&one->places[at].pos.at, text);
    log_event(env->log, LOG_WARN, "the sink's server came back: what it may have lost is applied again",
              LOG_STR("sink", one->name), LOG_STR("from", text),
              LOG_INT("seconds", (env_now_us(env) - one->places[at].at_us) / 1000000));
    return position_copy(&entry->pos, &one->places[at].pos, e) == 0 ? 1 : err_result(e);
}

static int settle(struct past *past, struct checkpoint *cp, struct err *e)
{
    bool changed = false, met = false;
    for (unsigned i = 0; i < past->count; i++) {
        struct one *one = &past->list[i];
        if (!one->name || !one->server.next[0])
            continue;
        int rc = set_back(one, cp, past->env, e);
        if (rc < 0)
            return rc;
        changed |= rc == 1;
        met = true;
    }
    if (changed && checkpoint_set_back(cp, past->state, e) != 0)
        return err_result(e);
    for (unsigned i = 0; i < past->count; i++) {
        struct one *one = &past->list[i];
        if (!one->name || !one->server.next[0])
            continue;
        for (unsigned last = place_at(one, one->server.back_us) + 1; one->count > last;)
            drop_place(one, last);
        keep_run(one->server.run, one->server.next);
        one->server.next[0] = '\0';
    }
    return met ? store(past, e) : 0;
}

/* ---------------------------------------------------------------- used */

/* Where sinks stood before a person set them elsewhere is no way back. */
static int forget_places(struct past *past, struct err *e)
{
    bool was_reset = false, was_set = false;
    if (checkpoint_was_reset(past->state, &was_reset, e) != 0 || checkpoint_was_set(past->state, &was_set, e) != 0)
        return err_result(e);
    for (unsigned i = 0; (was_reset || was_set) && i < past->count; i++)
        while (past->list[i].count)
            drop_place(&past->list[i], 0);
    return 0;
}

int past_open(struct past **out, struct state *state, const struct pipeline_spec *spec, struct checkpoint *cp,
              struct err *e)
{
    bool some = false;
    *out = NULL;
    for (unsigned i = 0; i < spec->sink_count; i++)
        some |= (sink_flags(spec->sinks[i].ops, spec->sinks[i].options) & SINK_MAY_COME_BACK) != 0;
    bool is_brief = spec->purpose != SINK_FOLLOWS;
    if (!some || spec->bus || !state)
        return 0;
    size_t size = sizeof(struct past) + spec->sink_count * sizeof(struct one);
    struct past *past = calloc(1, size);
    if (!past)
        return err_set(e, NO_MEMORY, size);
    past->env = spec->env;
    past->state = state;
    past->is_brief = is_brief;
    past->count = spec->sink_count;
    pthread_mutex_init(&past->lock, NULL);
    for (unsigned i = 0; i < past->count; i++) {
        struct one *one = &past->list[i];
        one->past = past;
        one->server.failover_ms = UINT64_MAX;
        one->witness = (struct sink_witness){.ctx = one, .meet = meet};
        if (sink_flags(spec->sinks[i].ops, spec->sinks[i].options) & SINK_MAY_COME_BACK)
            one->name = spec->sinks[i].name;
    }
    int rc = is_brief && cp->count == 0 ? 0 : load(past, e);
    if (rc == 0)
        rc = forget_places(past, e);
    if (rc == 0 && !is_brief)
        rc = settle(past, cp, e);
    if (rc != 0) {
        past_free(past);
        return rc;
    }
    *out = past;
    return 0;
}

void past_free(struct past *past)
{
    if (!past)
        return;
    for (unsigned i = 0; i < past->count; i++)
        while (past->list[i].count)
            drop_place(&past->list[i], 0);
    pthread_mutex_destroy(&past->lock);
    free(past);
}

const struct sink_witness *past_witness(const struct past *past, unsigned sink)
{
    return past && past->list[sink].name ? &past->list[sink].witness : NULL;
}

/* No way back is longer: to what the server has on its disk, or to what a replica has that takes its place. */
static int64_t needed_of(struct past *past, struct one *one)
{
    pthread_mutex_lock(&past->lock);
    const struct server *server = &one->server;
    int64_t needed_us = SINK_KEPT_UNKNOWN;
    if (server->run[0] && server->failover_ms != UINT64_MAX) {
        needed_us = server->seen_us - (int64_t)server->failover_ms * 1000;
        needed_us = server->kept_us < needed_us ? server->kept_us : needed_us;
    }
    pthread_mutex_unlock(&past->lock);
    return needed_us;
}

/* Something must be stored soon. */
static bool take_new(struct past *past)
{
    pthread_mutex_lock(&past->lock);
    bool is_new = past->is_new;
    past->is_new = false;
    pthread_mutex_unlock(&past->lock);
    return is_new;
}

static int note_places(struct past *past, const struct checkpoint *positions, int64_t now_us, struct err *e)
{
    for (unsigned i = 0; i < past->count; i++) {
        struct one *one = &past->list[i];
        if (!one->name || !is_new_place(one, &positions->entries[i].pos))
            continue;
        thin_out(one, needed_of(past, one));
        if (add_place(one, now_us, &positions->entries[i].pos, e) != 0)
            return err_result(e);
    }
    return 0;
}

int past_note(struct past *past, const struct checkpoint *positions, bool last, struct err *e)
{
    if (!past)
        return 0;
    int64_t now_us = env_now_us(past->env), mono_us = env_mono_us(past->env);
    bool is_due = last || take_new(past) || mono_us >= past->stored_us + STORE_US;
    if (!past->is_brief && (last || mono_us >= past->noted_us + NOTE_US)) {
        if (note_places(past, positions, now_us, e) != 0)
            return err_result(e);
        past->noted_us = mono_us;
    }
    if (!is_due)
        return 0;
    past->stored_us = mono_us;
    int rc = store(past, e);
    if (rc != 0 && err_class(e) == ERR_CLASS_RETRY) { /* at the next turn */
        err_clear(e);
        past->stored_us = mono_us - STORE_US + NOTE_US;
        return 0;
    }
    return rc;
}

const struct position *past_oldest(const struct past *past)
{
    const struct position *oldest = NULL;
    for (unsigned i = 0; past && i < past->count; i++) {
        const struct one *one = &past->list[i];
        if (one->count && (!oldest || position_before(&one->places[0].pos, oldest)))
            oldest = &one->places[0].pos;
    }
    return oldest;
}
