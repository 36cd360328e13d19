/* A compiled template. Internal to change/. */
#ifndef SLUICE_CHANGE_TEMPLATE_PARTS_H
#define SLUICE_CHANGE_TEMPLATE_PARTS_H

#include "change/template.h"

#define TEMPLATE_STEPS_MAX 8

enum template_filter { TEMPLATE_LOWER, TEMPLATE_UPPER, TEMPLATE_TRIM, TEMPLATE_HEX, TEMPLATE_DEFAULT };

struct template_step {
    enum template_filter filter;
    const char *text; /* TEMPLATE_DEFAULT */
    size_t len;
};

/* A literal, or a column with its filters. */
struct template_piece {
    bool is_column, is_list;
    unsigned column; /* number in the template's list of columns */
    const char *text;
    size_t len;
    unsigned step_count;
    struct template_step steps[TEMPLATE_STEPS_MAX];
};

struct template
{
    struct arena arena; /* owns all below */
    const char *source;
    struct template_piece *pieces;
    unsigned piece_count;
    unsigned column_count;
    const char *columns[TEMPLATE_COLUMNS_MAX];
    const struct template_piece *list; /* NULL: it has none */
};

struct bound_template {
    const struct template *tpl;
    struct colset set;
    uint16_t index[TEMPLATE_COLUMNS_MAX];
    uint8_t slot[TEMPLATE_COLUMNS_MAX]; /* of each column of the template: its place in `set` */
};

/* Renders with `element`, NULL for none, in the place of the list. Results as template_render. */
int template_render_with(const struct bound_template *bound, const struct value *values, const struct value *element,
                         struct buf *out, struct err *e);

#endif
