/* What `mode: write` and `mode: stream` write of a row: a JSON object, a hash with a field per column, or a text by a
 * template. Bound to one version of a table.
 *
 *     as: json   {"order_id":17,"note":null}   the values as in sluice's own records (docs/formats.md)
 *     as: hash   order_id 17                    the columns' texts; what is NULL has no field
 *     as: text   17 of {customer}               as templates of keys; a NULL without default leaves no value at all
 */
#ifndef SLUICE_SINK_REDIS_FORM_H
#define SLUICE_SINK_REDIS_FORM_H

#include "change/template.h"
#include "sink/redis/route.h"

#define REDIS_VALUE_MAX ((size_t)512 * 1024 * 1024) /* of one argument: Redis' own limit */

/* Rendered arguments, as they stand in a command. */
struct redis_args {
    struct buf bytes;
    struct buf text; /* the value at work */
    struct arena arena;
};

/* Where those of one value stand in `bytes`. */
struct redis_args_run {
    size_t at, len, count;
};

void redis_args_init(struct redis_args *args);
void redis_args_release(struct redis_args *args);

struct redis_form;

/* `tbl` NULL: of no version, for redis_form_reads. Errors: CONFIG_VALUE (columns), TEMPLATE (text, a missing column),
 * NO_MEMORY. */
int redis_form_new(struct redis_form **out, const struct redis_write_options *opt, const struct table *tbl,
                   struct err *e);
void redis_form_free(struct redis_form *form); /* accepts NULL */

/* The n-th column that it reads; NULL behind the last; SINK_READS_ALL. */
const char *redis_form_reads(const struct redis_form *form, unsigned n);

/* Appends the arguments for one image of the change, *count of them: 1, or 0 when there is no value. Errors:
 * ROW_IMAGE (the image lacks a column), LIMIT, NO_MEMORY, value_read's; what was appended is taken back then. */
int redis_form_render(const struct redis_form *form, const struct change *chg, enum side side, struct redis_args *args,
                      size_t *count, struct err *e);

#endif
