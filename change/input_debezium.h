/* Values of Debezium's messages, by their Connect schemas where the message has them. Internal to change/. */
#ifndef SLUICE_CHANGE_INPUT_DEBEZIUM_H
#define SLUICE_CHANGE_INPUT_DEBEZIUM_H

#include "change/input_parts.h"

/* The value that stands for one that Debezium does not know. */
#define DEBEZIUM_UNAVAILABLE "__debezium_unavailable_value"

/* Writes the value to rd->scratch; `schema` is the field's, NULL: the message has none, and the value stays as it is
 * but for booleans and geometries. Not for null. Errors: CORRUPT (a schema that is not known, or does not fit). */
int input_debezium_value(struct input_reader *rd, const json_t *schema, const struct input_json *value,
                         struct input_column *column);

#endif
