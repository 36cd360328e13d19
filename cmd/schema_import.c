/* sluice schema import: definitions that a person gives, into the history of the service. */
#include <stdio.h>
#include <string.h>

#include "cmd/import_file.h"
#include "cmd/schema_command.h"
#include "pipeline/service_state.h"

static void print_place(const struct history_where *place)
{
    char at[FILEPOS_TEXT_MAX];
    struct buf set;
    buf_init(&set, 0);
    if (place->gtids)
        gtid_set_print(place->gtids, &set);
    if (place->at.file[0]) {
        filepos_print(&place->at, at);
        printf("they hold from %s", at);
    }
    if (set.len)
        printf("%s %.*s", place->at.file[0] ? "," : "they hold from gtid", (int)set.len, (const char *)set.p);
    puts(place->at.file[0] || set.len ? "" : "they hold before the first change that is known");
    buf_release(&set);
}

static enum flavor flavor_of(const struct history_where *place)
{
    bool mariadb = place->gtids ? gtid_set_flavor(place->gtids) == FLAVOR_MARIADB
                                : strncmp(place->server_uuid, "server_id-", strlen("server_id-")) == 0;
    return mariadb ? FLAVOR_MARIADB : FLAVOR_MYSQL;
}

static int import_into(struct schema_run *run, struct state *state, struct err *e)
{
    const struct interest interest = routes_interest(run->tables.routes);
    struct history *history = NULL;
    struct schema_imported done = {0};
    struct history_where place;
    struct position pos;
    position_init(&pos);
    int rc = schema_place(run->given->from, state, &pos, &place, e);
    if (rc == 0)
        rc = history_open(&history, NULL, state, e);
    if (rc == 0)
        rc = import_file(history, &run->env,
                         &(struct import_source){run->words[0], flavor_of(&place), &interest, &place}, &done, e);
    if (rc == 0) {
        printf("%zu definitions are imported; ", done.tables);
        print_place(&place);
        if (done.unknown)
            fprintf(stderr, "sluice schema: %zu tables are not told by the file, first %s: %s\n", done.unknown,
                    done.unknown_name, done.why);
    }
    history_free(history);
    position_release(&pos);
    return rc;
}

int schema_import_file(struct schema_run *run, struct err *e)
{
    struct state *state = NULL;
    if (run->word_count != 1)
        return err_set(e, USAGE, "name the one file to import");
    int rc = schema_tables(run, e);
    if (rc == 0)
        rc = service_state_open(&state, &run->settings, &run->env, STATE_OWN, e);
    if (rc == 0)
        rc = import_into(run, state, e);
    state_close(state);
    return rc;
}
