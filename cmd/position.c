/* sluice position show|set|reset: the positions from which the service starts again. */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "pipeline/checkpoint.h"
#include "pipeline/service_state.h"

struct position_flags {
    const char *config;
};

static const struct option flags[] = {FLAG_CONFIG(position_flags, config, OPTION_REQUIRED), {.name = NULL}};

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

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    (void)exit_code;
    const struct position_flags *given = inv->flags;
    const char *verb = inv->word_count ? inv->words[0] : "";
    bool is_show = strcmp(verb, "show") == 0, is_set = strcmp(verb, "set") == 0, is_reset = strcmp(verb, "reset") == 0;
    if ((!is_show && !is_set && !is_reset) || inv->word_count != (is_set ? 2u : 1u))
        return err_set(e, USAGE, "write: sluice position -c CONFIG show, set POSITION, or reset");
    struct settings settings;
    struct config *cfg;
    struct state *state;
    if (settings_read(&settings, &cfg, &inv->env, &(struct settings_file){given->config, SETTINGS_WHOLE}, e) != 0)
        return err_result(e);
    if (settings.bus.type == BUS_KAFKA && settings_of_reader(&settings, cfg, e) != 0) {
        config_free(cfg);
        return err_result(e);
    }
    if (service_state_open(&state, &settings, &inv->env, is_show ? STATE_READ : STATE_OWN, e) == 0) {
        if (is_show)
            (void)show(&settings, state, e);
        else if (is_set)
            (void)set_all(&settings, state, inv->words[1], e);
        else
            (void)checkpoint_reset(state, e);
        state_close(state);
    }
    config_free(cfg);
    return err_result(e);
}

const struct command command_position = {.name = "position",
                                         .words = "-c CONFIG show|set POSITION|reset",
                                         .help = "Shows or sets where the service starts again.",
                                         .flags = flags,
                                         .flags_size = sizeof(struct position_flags),
                                         .run = run};
