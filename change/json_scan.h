/* A scanner over the text of our own JSON that is known to be valid (jansson has parsed it): where a member's value
 * begins and ends, and the value of a column in it. Internal to change/. */
#ifndef SLUICE_CHANGE_JSON_SCAN_H
#define SLUICE_CHANGE_JSON_SCAN_H

#include "base/arena.h"
#include "value/value.h"

struct json_span {
    const char *p;
    size_t len;
};

/* The members of an object, one after the other. */
struct json_scan {
    const char *p, *end;
};

/* Starts inside an object's braces; false when the text is not an object. */
bool json_scan_open(struct json_scan *scan, const char *p, size_t len);

/* The next member: its name without the quotes, as escaped in the text, and its value's text. False at the end, or
 * where the text is not JSON. */
bool json_scan_next(struct json_scan *scan, struct json_span *name, struct json_span *value);

/* The same of an array: its elements, one after the other. */
bool json_scan_array(struct json_scan *scan, const struct json_span *text);
bool json_scan_element(struct json_scan *scan, struct json_span *value);

/* A column's value: null, a number, a string, {"base64":"…"}, {"wkb":"…","srid":…} or an array of numbers. Errors:
 * CORRUPT, NO_MEMORY. */
int json_scan_value(const struct json_span *text, struct value *out, struct arena *arena, struct err *e);

#endif
