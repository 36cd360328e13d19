/* Key templates such as "user:{user_id|lower}:orders": compiled once, bound to a table version, rendered per row. Core.
 *
 * Syntax: text; {column}; {column|filter|filter:argument}; {{ and }} for braces. Filters: lower, upper, trim (Unicode:
 * ASCII letters and ASCII white space only), hex (lower-case hex of the bytes), default:TEXT (for NULL). A NULL without
 * default makes the whole template render nothing: no such cache key exists. Filters apply from left to right; on NULL
 * those before the first default do not apply. Column text is value_text's.
 *
 * A template of keys (template_compile_keys) may have one list, {column[*]}: a column that holds a JSON array, which
 * renders once for each element (change/json_list.h). NULL, JSON's null and [] have none, and an element that is null
 * renders nothing. A default is no part of a list. */
#ifndef SLUICE_CHANGE_TEMPLATE_H
#define SLUICE_CHANGE_TEMPLATE_H

#include "change/change.h"
#include "change/json_list.h"

#define TEMPLATE_COLUMNS_MAX  64
#define TEMPLATE_RENDERED_MAX (64u * 1024 * 1024)
#define TEMPLATE_LIST_MAX     65536 /* elements of one list */

struct template;

/* Errors: TEMPLATE (syntax, unknown filter, a list where none may be), NO_MEMORY. */
int template_compile(struct template **out, const char *text, struct err *e);
int template_compile_keys(struct template **out, const char *text, struct err *e);
void template_free(struct template *tpl);

/* The source text, and its column names in order of first use. */
const char *template_source(const struct template *tpl);
unsigned template_columns(const struct template *tpl, const char *const **names);

/* A template bound to one table version; borrows `tpl`, which must outlive it, and nothing of `tbl`. Errors:
 * ROUTE_COLUMN style TEMPLATE error that names the missing column and the table. */
struct bound_template;
int template_bind(struct bound_template **out, const struct template *tpl, const struct table *tbl, struct err *e);
void bound_template_free(struct bound_template *bound);

/* The columns it reads, sorted. */
const struct colset *bound_template_columns(const struct bound_template *bound);

/* Of a template without a list: renders from the values of bound_template_columns, in that order, appending to `out`.
 * Returns 1 when something was rendered, 0 when a NULL without default leaves nothing, negative: ROW_IMAGE (a column is
 * ABSENT; named), LIMIT, NO_MEMORY. */
int template_render(const struct bound_template *bound, const struct value *values, struct buf *out, struct err *e);

/* All that a template renders for one row: once, or once for each element of its list. */
struct template_each {
    const struct bound_template *bound;
    const struct value *values;
    struct json_list list;
    struct buf *text; /* an element */
    unsigned count;
    bool ended;
};

/* Borrows all, until the last call of next; what `text` holds is lost. */
void template_each_begin(struct template_each *each, const struct bound_template *bound, const struct value *values,
                         struct buf *text);

/* The next rendering, appended to `out`: 1, 0 behind the last, negative: as template_render, KEY_LIST (what the column
 * holds is no list of strings and numbers, or too long). */
int template_each_next(struct template_each *each, struct buf *out, struct err *e);

/* SCAN MATCH pattern of everything the template can render: placeholders as *, glob characters of literals escaped.
 * Returns false when the template does not begin with a literal (it cannot sweep). */
bool template_glob(const struct template *tpl, struct buf *out);

#endif
