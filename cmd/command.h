/* A subcommand: flags → pipeline_spec → exit code. */
#ifndef SLUICE_CMD_COMMAND_H
#define SLUICE_CMD_COMMAND_H

#include "base/env.h"
#include "config/flags.h"
#include "config/option.h"
#include "pipeline/settings.h"

enum exit_code { EXIT_FINE = 0, EXIT_AGAIN = 1, EXIT_USAGE = 2, EXIT_DIFFERENT = 3, EXIT_STOPPED = 4 };

/* What a command runs with. */
struct invocation {
    struct env env;
    const void *flags;        /* the command's filled flag struct */
    const char *const *words; /* arguments that are no flags */
    size_t word_count;
};

struct command {
    const char *name;
    const char *words; /* of the usage line: "NAME", "FILE... | -c CONFIG" */
    const char *help;
    const struct option *flags;
    size_t flags_size;
    /* 0 or negative with an error; *exit_code is EXIT_FINE before and may be set for ends that are no errors. */
    int (*run)(const struct invocation *inv, int *exit_code, struct err *e);
};

/* All commands, ended by NULL (commands.c). */
extern const struct command *const commands[];

/* support.c: the tables of docs/support.md. */
void support_print_reference(FILE *out);

extern const struct command command_run, command_dump, command_replay, command_position, command_schema, command_status,
    command_dlq;

/* The row of the flag -c, --config, at a field of the command's own struct. */
#define FLAG_CONFIG(struct_, field_, flags_)                                                                           \
    {                                                                                                                  \
        .name = "config", .type = OPTION_STRING, .offset = offsetof(struct struct_, field_), .flags = (flags_),        \
        .help = "Configuration file, YAML; short: -c."                                                                 \
    }

#endif
