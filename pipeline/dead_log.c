/* A change becomes an item of the log. */
#include "pipeline/dead_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "change/format_sluice.h"
#include "pipeline/dead_done.h"
#include "pipeline/dead_letter.h"

#define TELL_US 10000000 /* between two lines */

/* One letter of the log. */
struct known {
    uint64_t number;
    struct version version;
    enum change_op op;
    unsigned sink; /* index of its name */
};

struct dead_log {
    struct state *state;
    const struct env *env;
    uint64_t max;
    struct dead_store store;
    pthread_mutex_t lock; /* of all below */
    char **sinks;         /* names that letters have */
    unsigned sink_count;
    struct known *known;
    size_t known_count, known_size;
    uint64_t next; /* number */
    uint64_t waiting;
    struct arena arena;
    struct buf line, item;
    int64_t told_us; /* 0: never */
    uint64_t untold;
};

/* The index of the name; -1 without memory. */
static int sink_index(struct dead_log *log, const struct dead_text *name)
{
    for (unsigned i = 0; i < log->sink_count; i++)
        if (dead_text_is(name, log->sinks[i]))
            return (int)i;
    char **grown = realloc(log->sinks, (log->sink_count + 1) * sizeof(char *));
    if (!grown)
        return -1;
    log->sinks = grown;
    grown[log->sink_count] = strndup(name->p, name->len);
    return grown[log->sink_count] ? (int)log->sink_count++ : -1;
}

/* Room for one more, before anything is written. */
static int reserve(struct dead_log *log, struct err *e)
{
    if (log->known_count < log->known_size)
        return 0;
    size_t size = log->known_size ? 2 * log->known_size : 64;
    struct known *grown = realloc(log->known, size * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, size * sizeof *grown);
    log->known = grown;
    log->known_size = size;
    return 0;
}

static int note(void *ctx, const struct state_item *item, struct err *e)
{
    struct dead_log *log = ctx;
    struct dead_letter letter;
    if (dead_letter_read(&letter, item->bytes, item->len, e) != 0 || reserve(log, e) != 0)
        return err_result(e);
    int sink = sink_index(log, &letter.sink);
    if (sink < 0)
        return err_set(e, NO_MEMORY, letter.sink.len);
    log->known[log->known_count++] = (struct known){letter.number, letter.version, letter.op, (unsigned)sink};
    if (letter.number >= log->next)
        log->next = letter.number + 1;
    return 0;
}

/* ---------------------------------------------------------------- letters that are done */

static bool is_open(void *ctx, const struct state_item *item)
{
    struct dead_letter letter;
    return dead_letter_read(&letter, item->bytes, item->len, NULL) != 0 || !numbers_has(ctx, letter.number);
}

static int store_next(struct dead_log *log, struct err *e)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(log->next >> (8 * i));
    return state_put(log->state, DEAD_NUMBERS_NAME, bytes, sizeof bytes, e);
}

static size_t count_open(const struct dead_log *log, const struct numbers *done)
{
    size_t count = 0;
    for (size_t i = 0; i < log->known_count; i++)
        count += !numbers_has(done, log->known[i].number);
    return count;
}

static int forget(struct dead_log *log, struct numbers *done, struct err *e)
{
    size_t left = 0;
    if (count_open(log, done) == log->known_count)
        return 0;
    int rc = store_next(log, e);
    if (rc == 0)
        rc = state_compact(log->state, DEAD_LOG_NAME, is_open, done, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < log->known_count; i++)
        if (!numbers_has(done, log->known[i].number))
            log->known[left++] = log->known[i];
    log->known_count = left;
    return 0;
}

/* The caller releases `done`, also after a failure. */
static int load_done(const struct dead_log *log, struct numbers *done, struct err *e)
{
    struct state *dlq = NULL;
    *done = (struct numbers){.list = NULL};
    int rc = dead_done_open(&dlq, log->env, state_dir(log->state), STATE_READ, e);
    if (rc == 0)
        rc = dead_done_load(done, dlq, e);
    state_close(dlq);
    return rc;
}

static int clean_up(struct dead_log *log, struct err *e)
{
    struct numbers done;
    int rc = load_done(log, &done, e);
    if (rc == 0 && done.count)
        rc = forget(log, &done, e);
    numbers_release(&done);
    return rc;
}

uint64_t dead_log_waiting(struct dead_log *log)
{
    struct numbers done;
    pthread_mutex_lock(&log->lock);
    if (load_done(log, &done, NULL) == 0)
        log->waiting = count_open(log, &done);
    uint64_t waiting = log->waiting;
    numbers_release(&done);
    pthread_mutex_unlock(&log->lock);
    return waiting;
}

/* ---------------------------------------------------------------- putting */

static void tell(struct dead_log *log, const struct dead_letter *letter, const char *sink, const struct change *chg)
{
    char version[VERSION_TEXT_LEN + 1] = "";
    int64_t now_us = env_mono_us(log->env);
    if (log->told_us && now_us - log->told_us < TELL_US) {
        log->untold++;
        return;
    }
    version_print(&letter->version, version);
    log_event(log->env->log, LOG_WARN, "a change that a sink refuses for good went to the dead letters",
              LOG_STR("sink", sink), LOG_UINT("letter", letter->number), LOG_STR("db", chg->db),
              LOG_STR("table", chg->table), LOG_STR("version", version), LOG_STR("text", letter->text.p),
              LOG_UINT("untold", log->untold));
    log->told_us = now_us;
    log->untold = 0;
}

static bool is_there(const struct dead_log *log, const struct change *chg, unsigned sink)
{
    for (size_t i = log->known_count; i-- > 0;) {
        const struct known *at = &log->known[i];
        if (at->sink == sink && at->op == chg->op && version_compare(&at->version, &chg->version) == 0)
            return true;
    }
    return false;
}

static struct dead_text text_of(const char *text)
{
    return (struct dead_text){text, strlen(text)};
}

static int append(struct dead_log *log, const struct dead_letter *letter, struct err *e)
{
    buf_clear(&log->item);
    dead_letter_write(letter, &log->item);
    if (log->item.failed)
        return err_set(e, NO_MEMORY, log->item.len);
    return state_append(log->state, DEAD_LOG_NAME, log->item.p, log->item.len, e);
}

static int write_letter(struct dead_log *log, unsigned sink, const struct change *chg, const struct err *why,
                        struct err *e)
{
    char gtid[GTID_TEXT_MAX];
    arena_reset(&log->arena);
    buf_clear(&log->line);
    if (reserve(log, e) != 0 || format_sluice(chg, &log->line, &log->arena, e) != 0)
        return err_result(e);
    struct dead_letter letter = {
        .number = log->next,
        .at_us = env_now_us(log->env),
        .op = chg->op,
        .version = chg->version,
        .pos = chg->pos,
        .sink = text_of(log->sinks[sink]),
        .reason = text_of(err_code_name(why->code)),
        .text = text_of(why->text),
        .db = text_of(chg->db),
        .table = text_of(chg->table),
        .key = {chg->key, chg->key_len},
        .file = text_of(chg->tx->file),
        .gtid = {gtid, gtid_is_set(&chg->tx->gtid) ? gtid_print(&chg->tx->gtid, gtid) : 0},
        .change = {(const char *)log->line.p, log->line.len - 1},
    };
    int rc = append(log, &letter, e);
    if (rc != 0)
        return rc;
    log->known[log->known_count++] = (struct known){log->next++, chg->version, chg->op, sink};
    tell(log, &letter, log->sinks[sink], chg);
    return 0;
}

static int put_locked(struct dead_log *log, const char *name, const struct change *chg, const struct err *why,
                      struct err *e)
{
    const struct dead_text text = text_of(name);
    int rc = 0, sink = sink_index(log, &text);
    if (sink < 0)
        return err_set(e, NO_MEMORY, text.len);
    if (chg->op > CHANGE_TRUNCATE)
        return err_set(e, SINK_POISON);
    if (is_there(log, chg, (unsigned)sink))
        return 0;
    if (log->known_count >= log->max)
        rc = clean_up(log, e);
    if (rc == 0 && log->known_count >= log->max)
        rc = err_set(e, DEAD_LETTERS_FULL, log->known_count, state_dir(log->state));
    return rc == 0 ? write_letter(log, (unsigned)sink, chg, why, e) : rc;
}

static int put(void *ctx, const char *sink, const struct change *chg, const struct err *why, struct err *e)
{
    struct dead_log *log = ctx;
    pthread_mutex_lock(&log->lock);
    int rc = put_locked(log, sink, chg, why, e);
    pthread_mutex_unlock(&log->lock);
    return rc;
}

/* ---------------------------------------------------------------- life */

static int load_next(struct dead_log *log, struct err *e)
{
    bool found = false;
    log->next = 1;
    int rc = state_get(log->state, DEAD_NUMBERS_NAME, &log->item, &found, e);
    if (rc != 0 || !found)
        return rc;
    struct cursor cur = cursor_over(log->item.p, log->item.len);
    uint64_t next = cursor_u64(&cur);
    if (cursor_finish(&cur) != 0 || next == 0)
        return err_set(e, STATE_CORRUPT, DEAD_NUMBERS_NAME, "a number that cannot be read");
    log->next = next;
    return 0;
}

int dead_log_open(struct dead_log **out, struct state *state, const struct env *env, uint64_t max, struct err *e)
{
    struct dead_log *log = calloc(1, sizeof *log);
    if (!log)
        return err_set(e, NO_MEMORY, sizeof *log);
    *log = (struct dead_log){.state = state, .env = env, .max = max, .store = {put, log}};
    pthread_mutex_init(&log->lock, NULL);
    arena_init(&log->arena, 4096, 0, 0);
    buf_init(&log->line, 0);
    buf_init(&log->item, 0);
    int rc = load_next(log, e);
    if (rc == 0)
        rc = state_scan(state, DEAD_LOG_NAME, note, log, e);
    if (rc == 0)
        rc = clean_up(log, e);
    if (rc != 0) {
        dead_log_close(log);
        return rc;
    }
    *out = log;
    return 0;
}

void dead_log_close(struct dead_log *log)
{
    if (!log)
        return;
    for (unsigned i = 0; i < log->sink_count; i++)
        free(log->sinks[i]);
    free(log->sinks);
    free(log->known);
    arena_release(&log->arena);
    buf_release(&log->line);
    buf_release(&log->item);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

const struct dead_store *dead_log_store(const struct dead_log *log)
{
    return &log->store;
}
