/* Rows as values of Redis. */
#include "sink/redis/form.h"

#include <stdlib.h>
#include <string.h>

#include "sink/redis/connection.h"

#define AS        " as "
#define TEXT_KEPT ((size_t)4 * 1024 * 1024) /* memory that one huge value took is given back */

struct field {
    const char *column;
    struct buf label; /* the field's name; as: json `"name":` */
    unsigned slot;    /* of its value among those of `wanted` */
};

struct redis_form {
    int as; /* enum redis_as */
    struct template *text;
    struct bound_template *bound;
    struct colset wanted;
    uint16_t *index; /* what `wanted` points into */
    char *names;     /* what `column` of the fields points into, where columns are given */
    bool all;        /* no columns were given */
    unsigned count;
    struct field list[];
};

void redis_args_init(struct redis_args *args)
{
    buf_init(&args->bytes, REDIS_OUT_MAX);
    buf_init(&args->text, REDIS_OUT_MAX);
    arena_init(&args->arena, 0, 1024 * 1024, 0);
}

void redis_args_release(struct redis_args *args)
{
    buf_release(&args->bytes);
    buf_release(&args->text);
    arena_release(&args->arena);
}

/* ---------------------------------------------------------------- made */

static void set_label(struct redis_form *form, struct field *field, const char *name)
{
    buf_init(&field->label, 0);
    if (form->as != REDIS_JSON) {
        buf_text(&field->label, name);
        return;
    }
    value_json_string(name, strlen(name), &field->label);
    buf_byte(&field->label, ':');
}

/* "column" or "column as name"; `text` is cut. */
static int add_given(struct redis_form *form, char *text, struct err *e)
{
    char *as = strstr(text, AS), *name = as ? as + sizeof AS - 1 : text;
    if (as)
        *as = '\0';
    if (!*text || !*name || strstr(name, AS) || !value_is_utf8(name, strlen(name)))
        return err_set(e, CONFIG_VALUE, "columns", "each is a column, or: column as name");
    struct field *field = &form->list[form->count++];
    field->column = text;
    set_label(form, field, name);
    for (const struct field *other = form->list; other < field; other++)
        if (other->label.len == field->label.len && memcmp(other->label.p, field->label.p, field->label.len) == 0)
            return err_set(e, CONFIG_VALUE, "columns", "two have one name");
    return 0;
}

static int add_list(struct redis_form *form, const struct option_list *list, struct err *e)
{
    size_t bytes = 0;
    int rc = 0;
    for (size_t i = 0; i < list->count; i++)
        bytes += strlen(list->items[i]) + 1;
    form->names = malloc(bytes);
    if (!form->names)
        return err_set(e, NO_MEMORY, bytes);
    char *at = form->names;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        size_t size = strlen(list->items[i]) + 1;
        memcpy(at, list->items[i], size);
        rc = add_given(form, at, e);
        at += size;
    }
    return rc;
}

static void add_all(struct redis_form *form, const struct table *tbl)
{
    form->all = true;
    for (unsigned i = 0; tbl && i < tbl->column_count; i++) {
        struct field *field = &form->list[form->count++];
        field->column = tbl->columns[i].name;
        set_label(form, field, field->column);
    }
}

static int compare_indexes(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Finds the columns, and for each field its place among them. */
static int bind_fields(struct redis_form *form, const struct table *tbl, struct err *e)
{
    uint16_t *at = calloc(form->count + 1, sizeof *at);
    form->index = calloc(form->count + 1, sizeof *form->index);
    if (!at || !form->index) {
        free(at);
        return err_set(e, NO_MEMORY, form->count * sizeof *at);
    }
    int rc = 0;
    for (unsigned i = 0; i < form->count && rc == 0; i++) {
        int found = form->all ? (int)i : table_find_column(tbl, form->list[i].column, strlen(form->list[i].column));
        if (found < 0)
            rc = err_set(e, CONFIG_VALUE, form->list[i].column, "the table has no such column");
        at[i] = form->index[i] = (uint16_t)found;
    }
    qsort(form->index, form->count, sizeof *form->index, compare_indexes);
    unsigned kept = 0;
    for (unsigned i = 0; i < form->count && rc == 0; i++)
        if (i == 0 || form->index[i] != form->index[kept - 1])
            form->index[kept++] = form->index[i];
    form->wanted = (struct colset){.count = kept, .index = form->index};
    for (unsigned i = 0; i < form->count && rc == 0; i++) {
        const uint16_t *slot = bsearch(&at[i], form->index, kept, sizeof *at, compare_indexes);
        form->list[i].slot = (unsigned)(slot - form->index);
    }
    free(at);
    return rc;
}

int redis_form_new(struct redis_form **out, const struct redis_write_options *opt, const struct table *tbl,
                   struct err *e)
{
    size_t most = opt->columns.count ? opt->columns.count : tbl ? tbl->column_count : 0;
    size_t bytes = sizeof(struct redis_form) + most * sizeof(struct field);
    struct redis_form *form = calloc(1, bytes);
    if (!form)
        return err_set(e, NO_MEMORY, bytes);
    form->as = opt->as;
    int rc = 0;
    if (form->as == REDIS_TEXT)
        rc = template_compile(&form->text, opt->text, e);
    else if (opt->columns.count)
        rc = add_list(form, &opt->columns, e);
    else
        add_all(form, tbl);
    if (rc == 0 && tbl)
        rc = form->text ? template_bind(&form->bound, form->text, tbl, e) : bind_fields(form, tbl, e);
    for (unsigned i = 0; i < form->count && rc == 0; i++)
        if (form->list[i].label.failed)
            rc = err_set(e, NO_MEMORY, form->list[i].label.len);
    if (rc != 0) {
        redis_form_free(form);
        return rc;
    }
    *out = form;
    return 0;
}

void redis_form_free(struct redis_form *form)
{
    if (!form)
        return;
    for (unsigned i = 0; i < form->count; i++)
        buf_release(&form->list[i].label);
    bound_template_free(form->bound);
    template_free(form->text);
    free(form->index);
    free(form->names);
    free(form);
}

const char *redis_form_reads(const struct redis_form *form, unsigned n)
{
    const char *const *names;
    if (form->text)
        return n < template_columns(form->text, &names) ? names[n] : NULL;
    if (form->all)
        return n == 0 ? SINK_READS_ALL : NULL;
    return n < form->count ? form->list[n].column : NULL;
}

/* ---------------------------------------------------------------- at work */

static int read_values(const struct colset *wanted, const struct change *chg, enum side side, struct redis_args *args,
                       struct value **out, struct err *e)
{
    arena_reset(&args->arena);
    struct value *values = arena_alloc(&args->arena, (wanted->count + 1) * sizeof *values);
    if (!values)
        return err_set(e, NO_MEMORY, wanted->count * sizeof *values);
    int rc = change_values(chg, side, wanted, values, &args->arena, e);
    for (unsigned i = 0; i < wanted->count && rc == 0; i++)
        if (values[i].kind == VALUE_ABSENT || values[i].kind == VALUE_JSON_DIFF)
            rc = err_set(e, ROW_IMAGE, chg->shape->tbl->columns[wanted->index[i]].name,
                         side == SIDE_BEFORE ? "before" : "after");
    *out = values;
    return rc;
}

static void add_json(const struct redis_form *form, const struct value *values, struct buf *out)
{
    buf_byte(out, '{');
    for (unsigned i = 0; i < form->count; i++) {
        const struct field *field = &form->list[i];
        if (i)
            buf_byte(out, ',');
        buf_add(out, field->label.p, field->label.len);
        value_json(&values[field->slot], out);
    }
    buf_byte(out, '}');
}

/* The text that was rendered becomes an argument. */
static int take_text(struct redis_args *args, struct err *e)
{
    struct buf *text = &args->text;
    if (text->failed || text->len > REDIS_VALUE_MAX)
        return err_set(e, LIMIT, "a value for Redis", text->len, REDIS_VALUE_MAX);
    redis_add_argument(&args->bytes, text->p, text->len);
    buf_clear(text);
    return 0;
}

static int add_hash(const struct redis_form *form, const struct value *values, struct redis_args *args, size_t *count,
                    struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < form->count && rc == 0; i++) {
        const struct field *field = &form->list[i];
        const struct value *value = &values[field->slot];
        if (value->kind == VALUE_NULL)
            continue;
        redis_add_argument(&args->bytes, field->label.p, field->label.len);
        value_text(value, &args->text);
        rc = take_text(args, e);
        *count += 2;
    }
    return rc;
}

static int render(const struct redis_form *form, const struct change *chg, enum side side, struct redis_args *args,
                  size_t *count, struct err *e)
{
    struct value *values = NULL;
    int rc =
        read_values(form->bound ? bound_template_columns(form->bound) : &form->wanted, chg, side, args, &values, e);
    if (rc != 0)
        return rc;
    *count = 0;
    buf_clear(&args->text);
    if (form->as == REDIS_HASH)
        return add_hash(form, values, args, count, e) == 0 ? 1 : err_result(e);
    if (form->bound)
        rc = template_render(form->bound, values, &args->text, e);
    else
        add_json(form, values, &args->text);
    if (form->bound && rc <= 0)
        return rc;
    *count = 1;
    return take_text(args, e) == 0 ? 1 : err_result(e);
}

int redis_form_render(const struct redis_form *form, const struct change *chg, enum side side, struct redis_args *args,
                      size_t *count, struct err *e)
{
    size_t at = args->bytes.len;
    int rc = render(form, chg, side, args, count, e);
    arena_reset(&args->arena);
    if (rc > 0 && args->bytes.failed)
        rc = err_set(e, LIMIT, "the rows of a batch for Redis", args->bytes.len, REDIS_OUT_MAX);
    if (rc <= 0) {
        args->bytes.len = at;
        args->bytes.failed = false;
    }
    if (args->text.size > TEXT_KEPT)
        buf_release(&args->text);
    return rc;
}
