/* Inputs: topics that Canal, Maxwell or Debezium wrote, back into changes. One const struct input_ops per peer in
 * change/input_<peer>.c, listed in change/input.c; our own JSON is change/json_in.h.
 *
 * A parser turns the values of a message into the images of our own JSON, by the types that the message tells: what
 * comes out is of the JSON codec, and renders as a line of our own would. What the message does not tell is not
 * guessed: docs/kafka.md has what is then an error, and what stays as the peer wrote it. Core. */
#ifndef SLUICE_CHANGE_INPUT_H
#define SLUICE_CHANGE_INPUT_H

#include "change/source.h"

/* One record of a topic. */
struct input_record {
    const char *key; /* NULL: none */
    size_t key_len;
    const char *value; /* NULL: a tombstone */
    size_t value_len;
};

enum input_kind {
    INPUT_NOTHING,   /* of a table that is not wanted, or none of rows: tombstone, heartbeat, end of a transaction */
    INPUT_ROWS,      /* `rows` */
    INPUT_STATEMENT, /* a DDL statement: `text`, `db` the session's database */
    INPUT_TRUNCATE,  /* the rows of db.table are gone */
    INPUT_UNLOGGED   /* rows of db.table were changed by the statement `text`, without row images */
};

struct input_row {
    enum change_op op; /* INSERT, UPDATE, DELETE, READ */
    const struct shape *shape;
    const uint8_t *decimals; /* bitmap by column: values that are DECIMAL, which the codec reads as text */
    struct image before, after;
};

/* What a record says. Memory of the arena; shapes are the cache's. */
struct input {
    enum input_kind kind;
    struct tx tx; /* commit time; gtid and file where the peer tells them, else none and "" */
    uint64_t pos; /* in tx.file; 0: not told */
    const char *db, *table;
    const char *text; /* UTF-8, not NUL-terminated */
    size_t text_len;
    const struct input_row *rows;
    unsigned count;
};

/* Borrowed for the call; tables that are not wanted are not looked at. */
struct input_context {
    struct shape_cache *shapes;
    struct interest interest;
    struct arena *arena;
};

struct input_ops {
    const char *name; /* of the format */
    /* Errors: CORRUPT with what is wrong or not known (wrapped with the field or column), NO_MEMORY, LIMIT. */
    int (*parse)(const struct input_record *record, const struct input_context *in, struct input *out, struct err *e);
};

extern const struct input_ops input_canal, input_maxwell, input_debezium;

/* By the name of the format; NULL when its topics are not read by an input. */
const struct input_ops *input_find(const char *name);

#endif
