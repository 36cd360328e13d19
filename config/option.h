/* Option tables: a module describes each of its settings in one row, and from these rows come parsing, defaults, range
 * and spelling errors with their line, `--help` and the reference in docs/configuration.md.
 *
 *     struct redis_options { const char *url; const char *password; uint64_t timeout_ms; };
 *     #define FIELD(name) .offset = offsetof(struct redis_options, name)
 *     static const struct option redis_options[] = {
 *         {.name = "url", .type = OPTION_STRING, FIELD(url), .flags = OPTION_REQUIRED, .help = "redis://host:port/db"},
 *         {.name = "password", .type = OPTION_SECRET, FIELD(password), .help = "password of the user"},
 *         {.name = "timeout", .type = OPTION_DURATION, FIELD(timeout_ms), .text = "1s", .min = 1, .help = "…"},
 *         {.name = NULL}};
 *
 * The table ends with a row whose name is NULL. A source file that includes this header cannot include <getopt.h>,
 * which has another `struct option`; flags of commands come from tables too (flags.h). */
#ifndef SLUICE_CONFIG_OPTION_H
#define SLUICE_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "config/config.h"

enum option_type {
    OPTION_STRING,   /* const char *; NULL when not given and no default */
    OPTION_BOOL,     /* bool: true false yes no on off */
    OPTION_INT,      /* int64_t */
    OPTION_UINT,     /* uint64_t */
    OPTION_SIZE,     /* uint64_t bytes: 65536, 64KiB, 8MiB, 1GiB */
    OPTION_DURATION, /* uint64_t milliseconds: 200, 200ms, 10s, 5m, 1h; a bare number is milliseconds */
    OPTION_ENUM,     /* int: the value beside the name in `names` */
    OPTION_LIST,     /* struct option_list: a scalar (one item) or a sequence of scalars */
    OPTION_SECRET,   /* const char *: given as `name: text` or `name_file: path`; never printed */
    OPTION_PORT      /* uint16_t, 1 to 65535 */
};

enum { OPTION_REQUIRED = 1u << 0 };

/* Names of an enum; the list ends with {NULL, 0}. */
struct option_name {
    const char *name;
    int value;
};

struct option_list {
    const char *const *items;
    const unsigned *lines; /* of each item in the file; 0 for a default */
    size_t count;
};

struct option {
    const char *name; /* snake_case; ends in the unit when the unit is fixed (checkpoint_ms) */
    enum option_type type;
    size_t offset; /* of the field in the caller's struct */
    unsigned flags;
    const char *text; /* the default, written as in YAML; NULL: zero, false, NULL, empty list */
    int64_t min, max; /* bounds of numbers, sizes (bytes) and durations (ms), both ends included; max 0: the type's */
    const struct option_name *names; /* OPTION_ENUM */
    const char *help;                /* one or two sentences, no final newline */
};

/* Fills the caller's struct: first every field of the table with its default, then what `map` gives. Keys of `map` that
 * the table does not have are left alone (option_check_keys). A value that is null, of the wrong kind, out of bounds or
 * not of its type: CONFIG_VALUE; a required option that is missing: CONFIG_MISSING; a secret given twice, or whose file
 * cannot be read, is empty, is larger than 64 KiB, holds a NUL, or has a mode beyond 0600 (below /run/secrets
 * beyond 0644): CONFIG_SECRET. One trailing
 * newline of a secret file is cut. After an error the struct's contents are undefined. */
int option_parse(struct config *cfg, const struct option *table, const struct node *map, void *values, struct err *e)
    __attribute__((warn_unused_result));

/* Only the first half: every field of the table gets its default. BUG when the table's own default is out of its
 * bounds; NO_MEMORY. */
int option_defaults(struct config *cfg, const struct option *table, void *values, struct err *e)
    __attribute__((warn_unused_result));

/* Fails with CONFIG_UNKNOWN, file:line and the nearest known name at the first key of `map` that is in none of the
 * tables (an array ended by NULL) and not in `also` (names ended by NULL; may be NULL). So a mapping may be read by
 * several tables: a route by the route's own and those of each sink kind that it names. */
int option_check_keys(const struct node *map, const struct option *const *tables, const char *const *also,
                      struct err *e) __attribute__((warn_unused_result));

/* Sets one option of the table from text (a flag of the command line), as option_parse would; `place` stands in
 * messages
 * ("--port"). Lists grow by one item per call. USAGE when the table has no such name; CONFIG_VALUE otherwise. */
struct option_text {
    const char *place;
    const char *name;
    const char *text;
};
int option_set(struct config *cfg, const struct option *table, void *values, const struct option_text *given,
               struct err *e) __attribute__((warn_unused_result));

/* True when every field of the table is the same in both structs. */
bool option_equal(const struct option *table, const void *a, const void *b);

/* The row called `name`, or NULL. */
const struct option *option_find(const struct option *table, const char *name);

/* The name of an enum value, or "?". */
const char *option_enum_name(const struct option_name *names, int value);

/* Prints the table as the lines of a `--help` text: `prefix` is "--" for flags, "" for keys of the file. */
void option_print_help(FILE *out, const char *prefix, const struct option *table);

/* Prints the table as a Markdown table: key, type and bounds, default, meaning. */
void option_print_markdown(FILE *out, const struct option *table);

#endif
