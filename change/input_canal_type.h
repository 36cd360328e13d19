/* Canal's "mysqlType": a column's declared type, and its texts by it. Internal to change/. */
#ifndef SLUICE_CHANGE_INPUT_CANAL_TYPE_H
#define SLUICE_CHANGE_INPUT_CANAL_TYPE_H

#include "change/input_parts.h"

enum canal_kind {
    CANAL_INTEGER,
    CANAL_DECIMAL,
    CANAL_FLOAT,
    CANAL_DOUBLE,
    CANAL_TEXT,
    CANAL_JSON,
    CANAL_BYTES,
    CANAL_GEOMETRY,
    CANAL_VECTOR,
    CANAL_ENUM,
    CANAL_SET
};

struct canal_type {
    enum canal_kind kind;
    unsigned scale;     /* DECIMAL */
    unsigned length;    /* BYTES of fixed length, else 0 */
    const char *labels; /* ENUM, SET: behind the opening parenthesis */
};

/* Errors: CORRUPT (a type that is not known). `text` outlives *out. */
int input_canal_type(const struct input_reader *rd, const char *text, struct canal_type *out);

/* The value at the end of rd->scratch. Errors: CORRUPT, NO_MEMORY. */
int input_canal_value(struct input_reader *rd, const struct canal_type *type, const json_t *value);

#endif
