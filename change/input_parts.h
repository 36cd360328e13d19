/* What the inputs share: members of JSON objects with their text, and rows out of columns. Internal to change/. */
#ifndef SLUICE_CHANGE_INPUT_PARTS_H
#define SLUICE_CHANGE_INPUT_PARTS_H

#include <jansson.h>

#include "change/input.h"
#include "change/json_scan.h"

/* A value with its text in the message: jansson keeps no digits of a number, the text does. `json` NULL: there is no
 * such member. */
struct input_json {
    const json_t *json;
    struct json_span text;
};

/* A message that is being read. */
struct input_reader {
    const struct input_context *in;
    struct buf scratch;
    struct err *e;
};

/* CORRUPT, of a field. */
int input_wrong(const struct input_reader *rd, const char *field, const char *what);

/* Parses a text; *root is freed by the caller (json_decref). Numbers of any size pass. Errors: CORRUPT. */
int input_load(const char *text, size_t len, json_t **root, struct input_json *out, struct err *e);

/* The frame of all parsers: a tombstone is nothing, of anything else `read` fills what is found. Errors: as parse. */
int input_parse(const struct input_record *record, const struct input_context *in,
                int (*read)(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                            struct input *out),
                struct input *out, struct err *e);

static inline bool input_is_null(const struct input_json *v)
{
    return !v->json || json_is_null(v->json);
}

/* The members of an object in their order; none of what is no object. */
struct input_walk {
    struct json_scan scan;
    void *at;
    json_t *object;
};
struct input_walk input_walk(const struct input_json *object);
bool input_next(struct input_walk *walk, const char **name, struct input_json *value);

/* A member by name. */
struct input_json input_member(const struct input_json *object, const char *name);

/* A string, copied into the arena; "" when it is missing or null. NULL: it is something else, or no memory. */
const char *input_text(const struct input_reader *rd, const struct input_json *object, const char *name);

/* A whole number; `otherwise` when it is missing, null or none. */
int64_t input_integer(const struct input_json *object, const char *name, int64_t otherwise);

/* A time in units of so many microseconds, as microseconds; 0 when it is missing or out of range. */
int64_t input_time_us(const struct input_json *object, const char *name, int64_t unit_us);

/* Gives the database and the table: 1 when they are wanted, 0 when not, or CORRUPT. */
int input_table(const struct input_reader *rd, const struct input_json *object, const char *db, const char *table,
                struct input *out);

/* Sets the GTID when the text is one, and copies the file. Errors: NO_MEMORY. */
int input_place(const struct input_reader *rd, const char *gtid, const char *file, struct input *out);

/* ---------------------------------------------------------------- columns */

/* A column of a row: the JSON of its values as our own JSON has them, in the arena; p NULL: the image has none. */
struct input_column {
    const char *name;
    struct json_span value[2]; /* by enum side */
    bool decimal;
};

struct input_columns {
    struct input_column *list;
    unsigned count, size, last; /* last: where the last name was found */
};

/* The column of this name, a new one when it is new. NULL: no memory, or too many (*e is set). */
struct input_column *input_column(const struct input_reader *rd, struct input_columns *columns, const char *name);

/* Takes what was written to rd->scratch as the value. Errors: CORRUPT, NO_MEMORY. */
int input_take(struct input_reader *rd, struct json_span *out);

/* Makes the row; `key` names the columns of the primary key. Errors: CORRUPT, NO_MEMORY, LIMIT. */
struct input_key {
    const char **names;
    unsigned count;
};
int input_row(const struct input_reader *rd, const struct input *to, const struct input_columns *columns,
              const struct input_key *key, struct input_row *row);

/* The names in an array of strings, or of the members of an object. Errors: CORRUPT, NO_MEMORY. */
int input_key_names(const struct input_reader *rd, const json_t *from, struct input_key *out);

/* ---------------------------------------------------------------- values, at the end of rd->scratch */

/* A string, of UTF-8. */
static inline void input_put_text(struct input_reader *rd, const char *p, size_t len)
{
    value_json_string(p, len, &rd->scratch);
}

static inline void input_put_value(struct input_reader *rd, const struct value *v)
{
    value_json(v, &rd->scratch);
}

/* A whole number in decimal, without zeros in front; a string beyond 2^53 - 1. False: it is none. */
bool input_put_integer(struct input_reader *rd, const char *p, size_t len);

/* FLOAT or DOUBLE. False: no finite number. */
bool input_put_real(struct input_reader *rd, const char *text, bool single);

/* The text of a document, with the blanks that the servers print. */
void input_put_document(struct input_reader *rd, const char *p, size_t len);

/* {"wkb":…,"srid":…}; wkb is a JSON string with base64. False: it is none, or srid is no number. */
bool input_put_geometry(struct input_reader *rd, const struct input_json *object);

#endif
