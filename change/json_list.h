/* The elements of a JSON array of strings and numbers, one after the other, from text of a column that nobody has
 * checked (MariaDB's JSON is a LONGTEXT). RFC 8259, strictly; no memory, no recursion. Core; pure functions, any
 * thread.
 *
 *     string        its text, escapes resolved
 *     number        as it is written: 1.50 and 1.5 differ
 *     true, false   "true", "false"
 *     null          JSON_LIST_NULL
 *     [ {           refused: JSON_LIST_BAD
 *
 * A document that is `null` is an array without elements. */
#ifndef SLUICE_CHANGE_JSON_LIST_H
#define SLUICE_CHANGE_JSON_LIST_H

#include "base/buf.h"

struct json_list {
    const char *p, *end;
    bool begun;
    const char *why; /* behind JSON_LIST_BAD: what is wrong, a phrase; static */
};

enum json_list_found { JSON_LIST_END, JSON_LIST_TEXT, JSON_LIST_NULL, JSON_LIST_BAD };

/* Borrows the text. */
void json_list_open(struct json_list *list, const char *text, size_t len);

/* The next element; its text is appended to `out`, whose `failed` the caller asks. END is told only when the whole
 * document was well-formed. After END and BAD it must not be called again. */
enum json_list_found json_list_next(struct json_list *list, struct buf *out);

#endif
