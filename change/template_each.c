/* All renderings of a template for one row. */
#include "change/template_parts.h"

void template_each_begin(struct template_each *each, const struct bound_template *bound, const struct value *values,
                         struct buf *text)
{
    *each = (struct template_each){.bound = bound, .values = values, .text = text};
}

static int refused(const struct template_each *each, const char *why, struct err *e)
{
    const struct template *tpl = each->bound->tpl;
    return err_set(e, KEY_LIST, tpl->columns[tpl->list->column], why);
}

/* The column that has the list: 1, 0 when it has none. */
static int open_list(struct template_each *each, struct err *e)
{
    const struct template *tpl = each->bound->tpl;
    const struct value *v = &each->values[each->bound->slot[tpl->list->column]];
    switch (v->kind) {
    case VALUE_NULL:
        return 0;
    case VALUE_ABSENT:
        return err_set(e, ROW_IMAGE, tpl->columns[tpl->list->column], "row");
    case VALUE_TEXT:
    case VALUE_JSON:
    case VALUE_BYTES:
        json_list_open(&each->list, v->s.p, v->s.len);
        return 1;
    default:
        return refused(each, "it is no JSON array", e);
    }
}

static int render_element(struct template_each *each, struct buf *out, struct err *e)
{
    struct value element = {.kind = VALUE_TEXT};
    if (++each->count > TEMPLATE_LIST_MAX)
        return refused(each, "it has more than 65536 elements", e);
    if (each->text->failed)
        return err_set(e, NO_MEMORY, each->text->len);
    element.s.p = (const char *)each->text->p;
    element.s.len = each->text->len;
    return template_render_with(each->bound, each->values, &element, out, e);
}

static int next_element(struct template_each *each, struct buf *out, struct err *e)
{
    int rc = 0;
    while (rc == 0) {
        buf_clear(each->text);
        switch (json_list_next(&each->list, each->text)) {
        case JSON_LIST_END:
            return 0;
        case JSON_LIST_BAD:
            return refused(each, each->list.why, e);
        case JSON_LIST_NULL:
            continue;
        case JSON_LIST_TEXT:
            rc = render_element(each, out, e);
        }
    }
    return rc;
}

int template_each_next(struct template_each *each, struct buf *out, struct err *e)
{
    bool has_list = each->bound->tpl->list != NULL;
    int rc = 1;
    if (each->ended)
        return 0;
    if (has_list && !each->list.p)
        rc = open_list(each, e);
    if (rc > 0)
        rc = has_list ? next_element(each, out, e) : template_render(each->bound, each->values, out, e);
    each->ended = !has_list || rc <= 0;
    return rc;
}
