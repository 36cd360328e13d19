/* sluice dlq list|show|retry|drop: the dead letters of the embedded bus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "cmd/command.h"
#include "pipeline/dead_done.h"
#include "pipeline/dead_log.h"
#include "pipeline/dead_retry.h"

struct dlq_flags {
    const char *config;
    bool all, create;
};

static const struct option flags[] = {FLAG_CONFIG(dlq_flags, config, OPTION_REQUIRED),
                                      {.name = "all",
                                       .type = OPTION_BOOL,
                                       .offset = offsetof(struct dlq_flags, all),
                                       .help = "In the place of an ID: all letters, in their order."},
                                      {.name = "create",
                                       .type = OPTION_BOOL,
                                       .offset = offsetof(struct dlq_flags, create),
                                       .help = "retry: routes to Redis with mode: write make keys that are not there. "
                                               "For letters that are younger than tombstone_ttl_ms: else what was "
                                               "deleted since may come back."},
                                      {.name = NULL}};

enum verb { VERB_LIST, VERB_SHOW, VERB_RETRY, VERB_DROP, VERBS };
static const char *const verbs[VERBS] = {"list", "show", "retry", "drop"};

struct dlq {
    struct env env;
    enum verb verb;
    uint64_t id; /* 0: all */
    bool create;
    struct settings settings;
    struct config *cfg;
    struct state *letters, *own; /* the service's, read only; state_dir/dlq */
    struct numbers done;
    struct dead_retry *retry;
    struct numbers there; /* letters of the log, done or not; rising */
    /* Letters that wait and come first: hashes of sink and key, and the letter's number behind each. */
    struct numbers waiting;
    uint64_t applied, dropped, refused, held;
    bool found;
};

/* ---------------------------------------------------------------- printing */

static void print_line(const struct dead_letter *letter)
{
    char version[VERSION_TEXT_LEN + 1] = "", when[32];
    time_t seconds = (time_t)(letter->at_us / 1000000);
    struct tm tm;
    version_print(&letter->version, version);
    gmtime_r(&seconds, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    printf("%" PRIu64 "\t%s\t%.*s\t%.*s.%.*s\t%s\t%s\t%.*s:%" PRIu64 "\t%.*s\n", letter->number, when,
           (int)letter->sink.len, letter->sink.p, (int)letter->db.len, letter->db.p, (int)letter->table.len,
           letter->table.p, change_op_name(letter->op), version, (int)letter->file.len, letter->file.p, letter->pos,
           (int)letter->reason.len, letter->reason.p);
}

static int print_json(const struct dead_letter *letter, struct err *e)
{
    struct buf line;
    buf_init(&line, 0);
    dead_letter_json(letter, &line);
    int rc = line.failed ? err_set(e, NO_MEMORY, line.len) : 0;
    if (rc == 0)
        fwrite(line.p, 1, line.len, stdout);
    buf_release(&line);
    return rc;
}

/* ---------------------------------------------------------------- retrying */

static uint64_t hash_of(const struct dead_letter *letter)
{
    return hash_bytes(letter->key.p, letter->key.len) ^ 31 * hash_bytes(letter->sink.p, letter->sink.len);
}

/* The letter of the same key and sink that waits before this one; 0: none. */
static uint64_t first_of_key(const struct dlq *dlq, const struct dead_letter *letter)
{
    uint64_t hash = hash_of(letter);
    for (size_t i = 0; i < dlq->waiting.count; i += 2)
        if (dlq->waiting.list[i] == hash)
            return dlq->waiting.list[i + 1];
    return 0;
}

static int let_wait(struct dlq *dlq, const struct dead_letter *letter, struct err *e)
{
    return numbers_add(&dlq->waiting, hash_of(letter), e) == 0 ? numbers_add(&dlq->waiting, letter->number, e)
                                                               : err_result(e);
}

static int retry(struct dlq *dlq, const struct dead_letter *letter, struct err *e)
{
    struct err why = ERR_INIT;
    uint64_t first = first_of_key(dlq, letter);
    if (first && dlq->id)
        return err_set(e, DEAD_LETTER_BEHIND, letter->number, first);
    dlq->held += first != 0;
    int rc = first ? 0 : dead_retry_apply(dlq->retry, letter, &why, e);
    if (rc < 0)
        return rc;
    if (rc == 1) {
        dlq->applied++;
        return dead_done_mark(dlq->own, letter->number, e);
    }
    if (!first) {
        dlq->refused++;
        fprintf(stderr, "sluice dlq: letter %" PRIu64 " is refused again: %s\n", letter->number, why.text);
    }
    return let_wait(dlq, letter, e);
}

/* ---------------------------------------------------------------- letters */

static int take(struct dlq *dlq, const struct dead_letter *letter, struct err *e)
{
    dlq->found = true;
    switch (dlq->verb) {
    case VERB_SHOW:
        return print_json(letter, e);
    case VERB_RETRY:
        return retry(dlq, letter, e);
    case VERB_DROP:
        dlq->dropped++;
        return dead_done_mark(dlq->own, letter->number, e);
    default:
        print_line(letter);
        return 0;
    }
}

static int visit(void *ctx, const struct state_item *item, struct err *e)
{
    struct dlq *dlq = ctx;
    struct dead_letter letter;
    if (dead_letter_read(&letter, item->bytes, item->len, e) != 0)
        return err_result(e);
    if (numbers_has(&dlq->done, letter.number))
        return 0;
    if (!dlq->id || letter.number == dlq->id)
        return take(dlq, &letter, e);
    return dlq->verb == VERB_RETRY && letter.number < dlq->id ? let_wait(dlq, &letter, e) : 0;
}

static int note_number(void *ctx, const struct state_item *item, struct err *e)
{
    struct dead_letter letter;
    if (dead_letter_read(&letter, item->bytes, item->len, e) != 0)
        return err_result(e);
    return numbers_add(ctx, letter.number, e);
}

static bool is_there(void *ctx, uint64_t number)
{
    return numbers_has(ctx, number);
}

/* Numbers of letters that the service has forgotten are of no use. They are never given again. */
static int clean_up(struct dlq *dlq, struct err *e)
{
    size_t used = 0;
    int rc = state_scan(dlq->letters, DEAD_LOG_NAME, note_number, &dlq->there, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < dlq->there.count; i++)
        used += numbers_has(&dlq->done, dlq->there.list[i]);
    return used < dlq->done.count ? dead_done_keep(dlq->own, is_there, &dlq->there, e) : 0;
}

static int open_all(struct dlq *dlq, struct err *e)
{
    const char *dir = dlq->settings.state_dir;
    bool changes = dlq->verb == VERB_RETRY || dlq->verb == VERB_DROP;
    if (dlq->settings.bus.type != BUS_EMBEDDED)
        return err_set(e, USAGE, "dead letters of a bus of type kafka lie in its dead_letter_topic (docs/kafka.md)");
    if (state_open(&dlq->letters, &dlq->env, dir, STATE_READ, e) != 0 ||
        dead_done_open(&dlq->own, &dlq->env, dir, changes ? STATE_OWN : STATE_READ, e) != 0 ||
        dead_done_load(&dlq->done, dlq->own, e) != 0)
        return err_result(e);
    if (changes && clean_up(dlq, e) != 0)
        return err_result(e);
    if (dlq->verb != VERB_RETRY)
        return 0;
    return dead_retry_new(&dlq->retry, &dlq->settings, dlq->create ? SINK_REPLAYS_AND_CREATES : SINK_REPLAYS, &dlq->env,
                          e);
}

static void tell(const struct dlq *dlq)
{
    if (dlq->verb == VERB_DROP)
        fprintf(stderr, "sluice dlq: %" PRIu64 " dropped\n", dlq->dropped);
    if (dlq->verb == VERB_RETRY)
        fprintf(stderr,
                "sluice dlq: %" PRIu64 " applied, %" PRIu64 " refused again, %" PRIu64
                " behind one of the same key that is refused\n",
                dlq->applied, dlq->refused, dlq->held);
}

static int work(struct dlq *dlq, const char *id, struct err *e)
{
    int rc = open_all(dlq, e);
    if (rc == 0)
        rc = state_scan(dlq->letters, DEAD_LOG_NAME, visit, dlq, e);
    if (rc == 0 && dlq->id && !dlq->found)
        rc = err_set(e, DEAD_LETTER_UNKNOWN, (int)strlen(id), id);
    else
        tell(dlq);
    return rc;
}

/* A number from 1; 0: it is none. */
static uint64_t parse_id(const char *text)
{
    uint64_t id = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || id > UINT64_MAX / 10 - 1)
            return 0;
        id = id * 10 + (uint64_t)(*text - '0');
    }
    return id;
}

static int parse(struct dlq *dlq, const struct invocation *inv, struct err *e)
{
    static const char usage[] =
        "write: sluice dlq -c CONFIG list, or show, retry or drop with the ID of a letter or --all";
    const struct dlq_flags *given = inv->flags;
    unsigned verb = 0;
    while (inv->word_count && verb < VERBS && strcmp(inv->words[0], verbs[verb]) != 0)
        verb++;
    bool needs_id = verb != VERB_LIST && !given->all;
    if (!inv->word_count || verb == VERBS || inv->word_count != (needs_id ? 2u : 1u))
        return err_set(e, USAGE, usage);
    if (given->create && verb != VERB_RETRY)
        return err_set(e, USAGE, "--create is for retry");
    dlq->verb = (enum verb)verb;
    dlq->create = given->create;
    dlq->id = needs_id ? parse_id(inv->words[1]) : 0;
    if (needs_id && !dlq->id)
        return err_set(e, DEAD_LETTER_UNKNOWN, (int)strlen(inv->words[1]), inv->words[1]);
    return 0;
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    const struct dlq_flags *given = inv->flags;
    struct dlq dlq = {.env = inv->env};
    if (parse(&dlq, inv, e) != 0 || settings_read(&dlq.settings, &dlq.cfg, &dlq.env,
                                                  &(struct settings_file){given->config, SETTINGS_NO_SOURCE}, e) != 0)
        return err_result(e);
    dlq.env.log = log_new(&inv->env, STDERR_FILENO, LOG_LOGFMT, LOG_INFO);
    if (work(&dlq, dlq.id ? inv->words[1] : "", e) == 0 && dlq.refused)
        *exit_code = EXIT_STOPPED;
    dead_retry_free(dlq.retry);
    numbers_release(&dlq.done);
    state_close(dlq.own);
    state_close(dlq.letters);
    numbers_release(&dlq.there);
    numbers_release(&dlq.waiting);
    log_free(dlq.env.log);
    config_free(dlq.cfg);
    return err_result(e);
}

const struct command command_dlq = {.name = "dlq",
                                    .words = "-c CONFIG list|show|retry|drop ID|--all",
                                    .help = "Dead letters: changes that a sink refused for good.",
                                    .flags = flags,
                                    .flags_size = sizeof(struct dlq_flags),
                                    .run = run};
