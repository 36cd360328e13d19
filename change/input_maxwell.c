/* Maxwell's row messages: numbers as numbers, everything else as text, no types.
 *
 *     {"database":…,"table":…,"type":"update","ts":seconds,"xid":…,"position":"file:pos","gtid":…,
 *      "primary_key_columns":["id"],"data":{"id":1,…},"old":{"a":"x"}}
 *     key {"database":…,"table":…,"pk.id":1} or ["db","table",[{"id":1}]]
 *
 * "data" is the after image, of a delete the one before; "old" has the columns that changed. As of Canal, partial row
 * images cannot be seen from the message but where there is no "old". A number with a point and without an exponent is
 * taken for a DECIMAL: all its digits are kept. Rules of the values: docs/peers/maxwell.md. */
#include <stdlib.h>
#include <string.h>

#include "change/input_parts.h"

static int put_number(struct input_reader *rd, const struct json_span *text, struct input_column *column)
{
    char copy[400];
    if (!memchr(text->p, '.', text->len) && input_put_integer(rd, text->p, text->len))
        return 0;
    if (!memchr(text->p, 'e', text->len) && !memchr(text->p, 'E', text->len)) {
        column->decimal = true;
        input_put_text(rd, text->p, text->len);
        return 0;
    }
    if (text->len >= sizeof copy)
        return input_wrong(rd, "data", "a number of too many digits");
    memcpy(copy, text->p, text->len);
    copy[text->len] = '\0';
    return input_put_real(rd, copy, false) ? 0 : input_wrong(rd, "data", "not a number");
}

static int put_value(struct input_reader *rd, const struct input_json *value, struct input_column *column)
{
    if (json_is_number(value->json))
        return put_number(rd, &value->text, column);
    if (json_is_object(value->json) || json_is_array(value->json))
        input_put_document(rd, value->text.p, value->text.len);
    else if (json_is_boolean(value->json))
        input_put_text(rd, value->text.p, value->text.len);
    else
        buf_add(&rd->scratch, value->text.p, value->text.len); /* a string or null */
    return 0;
}

static int take_image(struct input_reader *rd, const struct input_json *image, enum side side,
                      struct input_columns *columns)
{
    struct input_walk walk = input_walk(image);
    struct input_json value;
    const char *name;
    while (input_next(&walk, &name, &value)) {
        struct input_column *column = input_column(rd, columns, name);
        if (!column)
            return err_result(rd->e);
        int rc = put_value(rd, &value, column);
        if (rc == 0)
            rc = input_take(rd, &column->value[side]);
        if (rc != 0)
            return err_wrap(rd->e, "column %s", name);
    }
    return 0;
}

static int take_key(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                    struct input_key *out)
{
    static const char prefix[] = "pk.";
    const json_t *columns = json_object_get(root->json, "primary_key_columns");
    json_t *key = NULL;
    struct input_json all;
    int rc = 0;
    if (columns)
        return input_key_names(rd, columns, out);
    if (!record->key || input_load(record->key, record->key_len, &key, &all, NULL) != 0)
        return 0;
    if (json_is_array(key)) { /* [{"k":1},{"id":2}] is the third */
        const json_t *list = json_array_get(key, 2);
        json_t *names = json_object();
        for (size_t i = 0; names && i < json_array_size(list); i++)
            if (json_object_update(names, json_array_get(list, i)) != 0)
                break;
        rc = names ? input_key_names(rd, names, out) : err_set(rd->e, NO_MEMORY, sizeof *out);
        json_decref(names);
    } else {
        rc = input_key_names(rd, key, out);
        unsigned kept = 0;
        for (unsigned i = 0; rc == 0 && i < out->count; i++)
            if (strncmp(out->names[i], prefix, strlen(prefix)) == 0)
                out->names[kept++] = out->names[i] + strlen(prefix);
        out->count = kept;
    }
    json_decref(key);
    return rc;
}

static int take_row(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                    enum change_op op, struct input *out)
{
    struct input_columns columns = {.count = 0};
    struct input_key key = {.count = 0};
    struct input_row *row = arena_alloc(rd->in->arena, sizeof *row);
    struct input_json data = input_member(root, "data"), old = input_member(root, "old");
    if (!row)
        return err_set(rd->e, NO_MEMORY, sizeof *row);
    *row = (struct input_row){.op = op};
    if (!json_is_object(data.json))
        return input_wrong(rd, "data", "missing, or no object");
    if (op == CHANGE_UPDATE && (!json_is_object(old.json) || json_object_size(old.json) == 0))
        return input_wrong(rd, "old", "an update without a former value: the server's row images are not FULL");
    int rc = take_key(rd, root, record, &key);
    if (rc == 0)
        rc = take_image(rd, &data, op == CHANGE_DELETE ? SIDE_BEFORE : SIDE_AFTER, &columns);
    if (rc == 0 && op == CHANGE_UPDATE)
        rc = take_image(rd, &old, SIDE_BEFORE, &columns);
    for (unsigned i = 0; op == CHANGE_UPDATE && i < columns.count; i++)
        if (!columns.list[i].value[SIDE_BEFORE].p)
            columns.list[i].value[SIDE_BEFORE] = columns.list[i].value[SIDE_AFTER];
    if (rc == 0)
        rc = input_row(rd, out, &columns, &key, row);
    out->kind = INPUT_ROWS;
    out->rows = row;
    out->count = 1;
    return rc;
}

/* "position": "binlog.000012:4711" */
static int take_place(struct input_reader *rd, const struct input_json *root, struct input *out)
{
    const char *gtid = input_text(rd, root, "gtid"), *position = input_text(rd, root, "position");
    const char *colon = position ? strrchr(position, ':') : NULL;
    char *file = colon ? arena_copy(rd->in->arena, position, (size_t)(colon - position)) : NULL;
    out->tx.commit_us = input_time_us(root, "ts", 1000000);
    out->pos = file ? strtoull(colon + 1, NULL, 10) : 0;
    return input_place(rd, gtid ? gtid : "", file ? file : "", out);
}

static int take_statement(struct input_reader *rd, const struct input_json *root, struct input *out)
{
    out->text = input_text(rd, root, "sql");
    if (!out->text || !*out->text)
        return input_wrong(rd, "sql", "missing in a message about a definition");
    out->text_len = strlen(out->text);
    out->kind = INPUT_STATEMENT;
    return 0;
}

static int read_message(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                        struct input *out)
{
    static const struct {
        const char *type;
        int op; /* -1: nothing, -2: a statement */
    } types[] = {{"insert", CHANGE_INSERT},
                 {"update", CHANGE_UPDATE},
                 {"delete", CHANGE_DELETE},
                 {"bootstrap-start", -1},
                 {"bootstrap-insert", CHANGE_READ},
                 {"bootstrap-complete", -1},
                 {"table-create", -2},
                 {"table-alter", -2},
                 {"table-drop", -2},
                 {"database-create", -2},
                 {"database-alter", -2},
                 {"database-drop", -2}};
    if (!json_is_object(root->json))
        return input_wrong(rd, "type", "message is no object");
    const char *type = input_text(rd, root, "type");
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].type) != 0)
            continue;
        if (types[i].op == -1)
            return 0;
        int rc = input_table(rd, root, "database", "table", out);
        if (rc < 0 || (rc == 0 && types[i].op >= 0))
            return rc;
        rc = take_place(rd, root, out);
        if (rc != 0)
            return rc;
        return types[i].op == -2 ? take_statement(rd, root, out)
                                 : take_row(rd, root, record, (enum change_op)types[i].op, out);
    }
    return input_wrong(rd, "type", "missing, or not one of Maxwell's");
}

static int parse(const struct input_record *record, const struct input_context *in, struct input *out, struct err *e)
{
    return input_parse(record, in, read_message, out, e);
}

const struct input_ops input_maxwell = {.name = "maxwell", .parse = parse};
