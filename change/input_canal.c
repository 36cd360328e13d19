/* Canal's flat messages: all rows of one event, values as text, types by the declared ones ("mysqlType").
 *
 *     {"data":[{"id":"1",…},…],"database":…,"table":…,"type":"UPDATE","isDdl":false,"es":ms,"gtid":"",
 *      "mysqlType":{"id":"int",…},"old":[{"a":"x"},…],"pkNames":["id"],"sql":""}
 *
 * "data" is the after image, of DELETE the one before; "old" has the columns that changed, so what an update does not
 * name there was the same before. With partial row images that is not so, and cannot be seen from the message but
 * where "old" names nothing. Rules of the values: docs/peers/canal.md. */
#include <string.h>

#include "change/input_canal_type.h"

static int column_type(const struct input_reader *rd, const json_t *types, const char *name, struct canal_type *out)
{
    const char *text = json_string_value(json_object_get(types, name));
    if (!text)
        return input_wrong(rd, "mysqlType", "it does not tell the type of a column");
    return input_canal_type(rd, text, out);
}

/* Puts the members of an object of texts on one side. */
static int take_image(struct input_reader *rd, const json_t *types, const struct input_json *image, enum side side,
                      struct input_columns *columns)
{
    struct input_walk walk = input_walk(image);
    struct input_json value;
    const char *name;
    if (!json_is_object(image->json))
        return input_wrong(rd, "data", "a row that is no object");
    while (input_next(&walk, &name, &value)) {
        struct canal_type type;
        struct input_column *column = input_column(rd, columns, name);
        if (!column)
            return err_result(rd->e);
        int rc = 0;
        if (input_is_null(&value))
            buf_text(&rd->scratch, "null");
        else if ((rc = column_type(rd, types, name, &type)) == 0)
            rc = input_canal_value(rd, &type, value.json);
        if (rc == 0)
            rc = input_take(rd, &column->value[side]);
        if (rc != 0)
            return err_wrap(rd->e, "column %s", name);
        if (!input_is_null(&value))
            column->decimal |= type.kind == CANAL_DECIMAL;
    }
    return 0;
}

/* What "old" does not name was the same. */
static int take_old(struct input_reader *rd, const json_t *types, const struct input_json *old,
                    struct input_columns *columns)
{
    if (!json_is_object(old->json) || json_object_size(old->json) == 0)
        return input_wrong(rd, "old", "an update without a former value: the server's row images are not FULL");
    int rc = take_image(rd, types, old, SIDE_BEFORE, columns);
    for (unsigned i = 0; rc == 0 && i < columns->count; i++)
        if (!columns->list[i].value[SIDE_BEFORE].p)
            columns->list[i].value[SIDE_BEFORE] = columns->list[i].value[SIDE_AFTER];
    return rc;
}

struct canal_message {
    struct input_json root;
    const json_t *types;
    struct input_key key;
    enum change_op op;
};

static int take_row(struct input_reader *rd, const struct canal_message *msg, const struct input *to,
                    const struct input_json images[2], struct input_row *row)
{
    struct input_columns columns = {.count = 0};
    *row = (struct input_row){.op = msg->op};
    int rc = take_image(rd, msg->types, &images[1], msg->op == CHANGE_DELETE ? SIDE_BEFORE : SIDE_AFTER, &columns);
    if (rc == 0 && msg->op == CHANGE_UPDATE)
        rc = take_old(rd, msg->types, &images[0], &columns);
    return rc == 0 ? input_row(rd, to, &columns, &msg->key, row) : rc;
}

/* The next element of an array of objects, whose text lies behind `at`. */
static struct input_json element(const json_t *array, size_t i, struct json_scan *at)
{
    struct input_json out = {.json = json_array_get(array, i)};
    if (!json_scan_element(at, &out.text))
        out.json = NULL;
    return out;
}

static int take_rows(struct input_reader *rd, const struct canal_message *msg, struct input *out)
{
    struct input_json data = input_member(&msg->root, "data"), old = input_member(&msg->root, "old");
    size_t count = json_array_size(data.json);
    struct json_scan data_at, old_at;
    if (count == 0 || count > VERSION_ROWS_IN_EVENT_MAX)
        return input_wrong(rd, "data", "no list of rows");
    if (msg->op == CHANGE_UPDATE && json_array_size(old.json) != count)
        return input_wrong(rd, "old", "not as many rows as data");
    struct input_row *rows = arena_alloc(rd->in->arena, count * sizeof *rows);
    if (!rows)
        return err_set(rd->e, NO_MEMORY, count * sizeof *rows);
    (void)json_scan_array(&data_at, &data.text);
    if (msg->op == CHANGE_UPDATE)
        (void)json_scan_array(&old_at, &old.text);
    for (size_t i = 0; i < count; i++) {
        struct input_json images[2] = {{.json = NULL}, element(data.json, i, &data_at)};
        if (msg->op == CHANGE_UPDATE)
            images[0] = element(old.json, i, &old_at);
        int rc = take_row(rd, msg, out, images, &rows[i]);
        if (rc != 0)
            return err_wrap(rd->e, "row %zu", i);
    }
    out->kind = INPUT_ROWS;
    out->rows = rows;
    out->count = (unsigned)count;
    return 0;
}

static int take_statement(struct input_reader *rd, const struct canal_message *msg, const char *type, struct input *out)
{
    bool is_ddl = json_is_true(json_object_get(msg->root.json, "isDdl"));
    if (!is_ddl && strcmp(type, "QUERY") == 0)
        return 0; /* the text of rows that follow */
    out->text = input_text(rd, &msg->root, "sql");
    if (!out->text || !*out->text)
        return input_wrong(rd, "sql", "missing, though there are no rows");
    out->text_len = strlen(out->text);
    out->kind = is_ddl ? INPUT_STATEMENT : INPUT_UNLOGGED;
    return 0;
}

static int read_message(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                        struct input *out)
{
    struct canal_message msg = {.root = *root};
    (void)record;
    if (!json_is_object(root->json))
        return input_wrong(rd, "type", "message is no object");
    static const char *const ops[] = {
        [CHANGE_INSERT] = "INSERT", [CHANGE_UPDATE] = "UPDATE", [CHANGE_DELETE] = "DELETE"};
    const char *type = input_text(rd, &msg.root, "type"), *gtid = input_text(rd, &msg.root, "gtid");
    int wanted = input_table(rd, &msg.root, "database", "table", out);
    if (wanted < 0)
        return wanted;
    if (!type || !*type)
        return input_wrong(rd, "type", "missing: no flat message of Canal");
    out->tx.commit_us = input_time_us(&msg.root, "es", 1000);
    int rc = input_place(rd, gtid ? gtid : "", "", out);
    if (rc != 0)
        return rc;
    const json_t *data = json_object_get(msg.root.json, "data");
    if (!data || json_is_null(data))
        return take_statement(rd, &msg, type, out);
    for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
        if (strcmp(type, ops[op]) != 0)
            continue;
        if (!wanted)
            return 0;
        msg.op = (enum change_op)op;
        msg.types = json_object_get(msg.root.json, "mysqlType");
        rc = input_key_names(rd, json_object_get(msg.root.json, "pkNames"), &msg.key);
        return rc == 0 ? take_rows(rd, &msg, out) : rc;
    }
    return input_wrong(rd, "type", "rows of an unknown operation");
}

static int parse(const struct input_record *record, const struct input_context *in, struct input *out, struct err *e)
{
    return input_parse(record, in, read_message, out, e);
}

const struct input_ops input_canal = {.name = "canal", .parse = parse};
