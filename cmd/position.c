/* sluice position show|set|reset|recover: the positions from which the service starts again. */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "pipeline/checkpoint.h"
#include "pipeline/recover.h"
#include "pipeline/service_state.h"

struct position_flags {
    const char *config;
    bool skip_empty;
};

static const struct option flags[] = {
    FLAG_CONFIG(position_flags, config, OPTION_REQUIRED),
    {.name = "skip_empty",
     .type = OPTION_BOOL,
     .offset = offsetof(struct position_flags, skip_empty),
     .help = "recover: partitions without a record do not count. Only where no change was on its way to them."},
    {.name = NULL}};

enum verb { VERB_SHOW, VERB_SET, VERB_RESET, VERB_RECOVER, VERBS };
static const char *const verbs[VERBS] = {"show", "set", "reset", "recover"};

static int show(const struct settings *settings, struct state *state, struct err *e)
{
    struct checkpoint cp = {0};
    if (checkpoint_load(&cp, state, e) != 0)
        return err_result(e);
    if (cp.count == 0)
        printf("no position is stored in %s: the service starts at %s\n", settings->state_dir, settings->source.start);
    for (unsigned i = 0; i < cp.count; i++) {
        char at[FILEPOS_TEXT_MAX];
        struct buf set;
        buf_init(&set, 0);
        if (cp.entries[i].pos.gtids)
            gtid_set_print(cp.entries[i].pos.gtids, &set);
        if (cp.entries[i].pos.at.file[0])
            filepos_print(&cp.entries[i].pos.at, at);
        else
            snprintf(at, sizeof at, "-");
        printf("%s\t%s\t%.*s\n", cp.entries[i].name, at, (int)set.len, set.len ? (const char *)set.p : "");
        buf_release(&set);
    }
    checkpoint_release(&cp);
    return 0;
}

/* Every configured sink gets the same position. */
static int set_all(const struct settings *settings, struct state *state, const char *text, struct err *e)
{
    struct start start;
    if (start_parse(&start, text, e) != 0)
        return err_result(e);
    struct checkpoint_entry entries[LEDGER_SINKS_MAX];
    struct checkpoint cp = {.entries = entries};
    for (unsigned i = 0; i < settings->sink_count; i++)
        entries[cp.count++] =
            (struct checkpoint_entry){.name = (char *)(uintptr_t)settings->sinks[i].name, .pos = start.pos};
    int rc = start.kind == START_FILEPOS || start.kind == START_GTID
                 ? checkpoint_set(&cp, state, e)
                 : err_set(e, POSITION_SYNTAX, (int)strlen(text), text, "file:pos or a GTID set is needed here");
    position_release(&start.pos);
    return rc;
}

/* The state is opened last: that fences a reader that runs. */
static int recover(const struct settings *settings, const struct invocation *inv, struct err *e)
{
    const struct position_flags *given = inv->flags;
    const struct recover_options opt = {.settings = settings, .env = &inv->env, .skip_empty = given->skip_empty};
    struct recovered found;
    struct state *state = NULL;
    if (settings->bus.type != BUS_KAFKA)
        return err_set(e, USAGE, "recover is for a configuration with a bus of type kafka");
    if (recover_find(&found, &opt, e) != 0)
        return err_result(e);
    int rc = service_state_open(&state, settings, &inv->env, STATE_OWN, e);
    if (rc == 0)
        rc = recover_store(&found, settings, state, e);
    if (rc == 0)
        rc = show(settings, state, e);
    if (rc == 0 && found.empty)
        fprintf(stderr, "sluice position: %u partitions without a record were passed over\n", found.empty);
    state_close(state);
    position_release(&found.pos);
    return rc;
}

static int use_state(const struct settings *settings, enum verb verb, const struct invocation *inv, struct err *e)
{
    struct state *state;
    if (verb == VERB_RECOVER)
        return recover(settings, inv, e);
    int rc = service_state_open(&state, settings, &inv->env, verb == VERB_SHOW ? STATE_READ : STATE_OWN, e);
    if (rc != 0)
        return rc;
    if (verb == VERB_SHOW)
        rc = show(settings, state, e);
    else if (verb == VERB_SET)
        rc = set_all(settings, state, inv->words[1], e);
    else
        rc = checkpoint_reset(state, e);
    state_close(state);
    return rc;
}

static enum verb verb_of(const struct invocation *inv)
{
    unsigned verb = 0;
    while (inv->word_count && verb < VERBS && strcmp(inv->words[0], verbs[verb]) != 0)
        verb++;
    return inv->word_count == (verb == VERB_SET ? 2u : 1u) ? (enum verb)verb : VERBS;
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    (void)exit_code;
    const struct position_flags *given = inv->flags;
    enum verb verb = verb_of(inv);
    if (verb == VERBS)
        return err_set(e, USAGE, "write: sluice position -c CONFIG show, set POSITION, reset, or recover");
    struct settings settings;
    struct config *cfg;
    if (settings_read(&settings, &cfg, &inv->env, &(struct settings_file){given->config, SETTINGS_WHOLE}, e) != 0)
        return err_result(e);
    if (settings.bus.type != BUS_KAFKA || settings_of_reader(&settings, cfg, e) == 0)
        (void)use_state(&settings, verb, inv, e);
    config_free(cfg);
    return err_result(e);
}

const struct command command_position = {.name = "position",
                                         .words = "-c CONFIG show|set POSITION|reset|recover",
                                         .help = "Shows, sets or finds again where the service starts again.",
                                         .flags = flags,
                                         .flags_size = sizeof(struct position_flags),
                                         .run = run};
