/* GNU long options of a command by an option table: `--name=value`, `--name value`, `--bool`, `--no-bool`, `--` ends
 * them. In a flag's name `-` stands for the table's `_`. One short form exists: `-c FILE` for `--config FILE`. */
#ifndef SLUICE_CONFIG_FLAGS_H
#define SLUICE_CONFIG_FLAGS_H

#include "config/option.h"

/* The command line without the program's and the subcommand's name; flags_parse fills in the words that are no flags,
 * in order: the strings are argv's, the array lives in cfg's arena. */
struct flags_line {
    int argc;
    char *const *argv;
    const char *const *words;
    size_t word_count;
};

/* Fills `values` with the table's defaults, then with the flags of the line, wherever they stand among the words. A
 * flag given again replaces the former; of a list option it adds one item. Errors: USAGE (unknown flag, with the
 * nearest; value missing), CONFIG_VALUE, CONFIG_MISSING and CONFIG_SECRET as option_parse. When the
 * table has a boolean `help` and it is given, nothing else is required. */
int flags_parse(struct config *cfg, const struct option *table, struct flags_line *line, void *values, struct err *e)
    __attribute__((warn_unused_result));

#endif
