/* A configuration document: YAML read into a small tree of nodes with line numbers, for option tables (option.h) to be
 * applied to and for the settings code to walk.
 *
 * Read by libyaml, then made strict: one document of at most CONFIG_BYTES_MAX bytes, CONFIG_DEPTH_MAX deep, keys are
 * plain text and unique in their mapping, no NUL byte, no anchors, aliases, tags or merge keys. In scalar values (not
 * in keys) `${NAME}` is replaced by the environment variable, an unset one is an error; `$$` is `$`; any other `$`
 * stands. (YAML itself wants quotes around `${NAME}` between `{ }` or `[ ]`.)
 *
 * Ownership: nodes, their strings, and all strings and lists in structs that option_parse() fills live in the
 * document's arena until config_free(). All strings end with NUL and hold no other. Every error in the text reads
 * `file:line: …`.
 *
 * Threads: one at a time (it is used before the threads start); what was filled in may be read by all. */
#ifndef SLUICE_CONFIG_CONFIG_H
#define SLUICE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"

#define CONFIG_BYTES_MAX   ((size_t)1 << 20)
#define CONFIG_DEPTH_MAX   16
#define CONFIG_ENTRIES_MAX 4096 /* in one mapping */

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

/* Plain data, read only. NODE_NULL is an unquoted empty value, `~` or `null`. */
struct node {
    enum node_kind kind;
    unsigned line;            /* of the value (of the key for a value inside a mapping), from 1 */
    const char *file;         /* as given to config_read */
    const char *path;         /* "source.port", "sinks.cache", "routes[2].to"; "" for the root */
    const char *key;          /* in a mapping: its key; else NULL */
    const char *text;         /* NODE_SCALAR: the expanded text; else NULL */
    const struct node *first; /* NODE_SEQUENCE, NODE_MAPPING: first child in file order */
    const struct node *next;  /* the next sibling */
    size_t count;             /* children */
};

struct config;

/* Reads and parses the file by env's file operations; `env` is borrowed for the document's life. Errors: CONFIG_READ,
 * CONFIG_SYNTAX (all that makes it no document as described above), CONFIG_VALUE (unset variable), NO_MEMORY. */
int config_read(struct config **out, const struct env *env, const char *path, struct err *e)
    __attribute__((warn_unused_result));

/* The same over the NUL-terminated `text`; `name` stands for the file in messages. "" is an empty mapping (a command
 * that has no file). */
int config_parse(struct config **out, const struct env *env, const char *name, const char *text, struct err *e)
    __attribute__((warn_unused_result));

/* Accepts NULL. */
void config_free(struct config *cfg);

/* The top mapping; never NULL (an empty file is an empty mapping). */
const struct node *config_root(const struct config *cfg);

/* The document's arena, for strings that must live as long as the settings. */
struct arena *config_arena(struct config *cfg);

/* The value under `key`, or NULL when `map` is no mapping or has no such key. */
const struct node *node_child(const struct node *map, const char *key);

/* The mapping under `key`. Absent or null: an empty mapping with the right path and the parent's line, so that defaults
 * and "required" errors work the same. Another kind: CONFIG_VALUE. */
int config_section(struct config *cfg, const struct node *map, const char *key, const struct node **out, struct err *e)
    __attribute__((warn_unused_result));

/* The sequence under `key`, empty when absent or null; another kind: CONFIG_VALUE. */
int config_sequence(struct config *cfg, const struct node *map, const char *key, const struct node **out, struct err *e)
    __attribute__((warn_unused_result));

/* Walks children: for (const struct node *n = node_first(map); n; n = n->next) … n->key … n->line. NULL for a scalar.
 */
static inline const struct node *node_first(const struct node *node)
{
    return node->kind == NODE_MAPPING || node->kind == NODE_SEQUENCE ? node->first : NULL;
}

/* CONFIG_VALUE with `file:line: path: ` and the given words; for checks that the settings code makes itself. */
int node_error(const struct node *node, struct err *e, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Of `count` words the one nearest to `word` (one or two letters added, lost, changed or swapped), or NULL when none is
 * near: for "did you mean". */
const char *config_nearest(const char *word, const char *const *words, size_t count);

#endif
