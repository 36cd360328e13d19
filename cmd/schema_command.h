/* What the files of `sluice schema` share. Private to cmd/. */
#ifndef SLUICE_CMD_SCHEMA_COMMAND_H
#define SLUICE_CMD_SCHEMA_COMMAND_H

#include "cmd/command.h"
#include "cmd/tables.h"
#include "schema/history.h"

struct schema_flags {
    const char *config, *at, *from, *format;
    struct option_list tables;
    bool all;
};

/* One run of the command; `words` are those behind the verb. */
struct schema_run {
    const struct schema_flags *given;
    struct env env;
    const char *const *words;
    size_t word_count;
    struct config *cfg; /* NULL: no configuration was given */
    struct settings settings;
    struct tables tables;
};

int schema_show(struct schema_run *run, struct err *e);
int schema_import_file(struct schema_run *run, struct err *e);
int schema_rebuild(struct schema_run *run, struct err *e);

/* Reads the statements of the binlog files that run->words name, and hands over what they tell of the tables. */
typedef int schema_use_history(void *ctx, struct history *history, struct err *e);
int schema_of_files(struct schema_run *run, schema_use_history *use, void *ctx, struct err *e);

/* The tables of the flags, else those of the routes, into run->tables. */
int schema_tables(struct schema_run *run, struct err *e);

/* The place that a person names, or NULL for the oldest stored position, as a place of the service's log. The strings
 * are borrowed from `pos`, which the caller has initialised and releases. All empty when nothing is stored. */
int schema_place(const char *text, struct state *state, struct position *pos, struct history_where *out, struct err *e);

#endif
