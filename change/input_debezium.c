/* Debezium's change events as JsonConverter writes them, with schemas or without.
 *
 *     {"before":{…},"after":{…},"source":{"db":…,"table":…,"file":…,"pos":…,"gtid":…,"ts_us":…},"op":"u"}
 *     {"schema":{"fields":[{"field":"before","fields":[{"field":"id","type":"int32"},…]},…]},"payload":{…}}
 *     key {"id":1}, or with its schema
 *
 * Tombstones, heartbeats and messages about transactions say nothing of rows; messages about definitions have "ddl".
 * Rules of the values: docs/peers/debezium.md. */
#include <string.h>

#include "change/input_debezium.h"

struct debezium_message {
    struct input_json payload;
    const json_t *schema; /* NULL: none */
};

/* What JsonConverter with schemas.enable wraps. */
static struct debezium_message unwrap(const struct input_json *root)
{
    struct debezium_message msg = {.payload = *root};
    const json_t *schema = json_object_get(root->json, "schema");
    if (!schema || !json_object_get(root->json, "payload"))
        return msg;
    msg.payload = input_member(root, "payload");
    msg.schema = json_is_null(schema) ? NULL : schema;
    return msg;
}

/* The schemas of an image's columns; NULL: none. */
static const json_t *fields_of(const json_t *schema, const char *image)
{
    const json_t *fields = json_object_get(schema, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "field"));
        if (name && strcmp(name, image) == 0)
            return json_object_get(field, "fields");
    }
    return NULL;
}

/* Columns stand in the order of their schemas, but where some are left out. */
static const json_t *field_schema(const json_t *fields, const char *name, size_t *next)
{
    size_t count = json_array_size(fields);
    for (size_t i = 0; i < count; i++) {
        const json_t *field = json_array_get(fields, (*next + i) % count);
        const char *found = json_string_value(json_object_get(field, "field"));
        if (found && strcmp(found, name) == 0) {
            *next = (*next + i + 1) % count;
            return field;
        }
    }
    return NULL;
}

static bool is_unavailable(const struct input_json *value)
{
    const char *text = json_string_value(value->json);
    return text && strcmp(text, DEBEZIUM_UNAVAILABLE) == 0;
}

static int take_image(struct input_reader *rd, const struct debezium_message *msg, enum side side,
                      struct input_columns *columns)
{
    const char *field = side == SIDE_BEFORE ? "before" : "after", *name;
    struct input_json image = input_member(&msg->payload, field), value;
    const json_t *fields = msg->schema ? fields_of(msg->schema, field) : NULL;
    struct input_walk walk = input_walk(&image);
    size_t next = 0;
    if (!json_is_object(image.json))
        return input_wrong(rd, field, "missing, or no object");
    while (input_next(&walk, &name, &value)) {
        if (is_unavailable(&value))
            continue;
        const json_t *schema = msg->schema ? field_schema(fields, name, &next) : NULL;
        struct input_column *column = input_column(rd, columns, name);
        if (!column)
            return err_result(rd->e);
        int rc = 0;
        if (input_is_null(&value))
            buf_text(&rd->scratch, "null");
        else if (msg->schema && !schema)
            rc = input_wrong(rd, "schema", "it does not tell of a column");
        else
            rc = input_debezium_value(rd, schema, &value, column);
        if (rc == 0)
            rc = input_take(rd, &column->value[side]);
        if (rc != 0)
            return err_wrap(rd->e, "column %s", name);
    }
    return 0;
}

/* A record key that is no object of columns tells of none. */
static int take_key(struct input_reader *rd, const struct input_record *record, struct input_key *out)
{
    json_t *root = NULL;
    struct input_json key;
    if (!record->key || input_load(record->key, record->key_len, &root, &key, NULL) != 0)
        return 0;
    struct debezium_message msg = unwrap(&key);
    int rc = json_is_object(msg.payload.json) ? input_key_names(rd, msg.payload.json, out) : 0;
    json_decref(root);
    return rc;
}

static int take_row(struct input_reader *rd, const struct debezium_message *msg, const struct input_record *record,
                    enum change_op op, struct input *out)
{
    struct input_columns columns = {.count = 0};
    struct input_key key = {.count = 0};
    struct input_row *row = arena_alloc(rd->in->arena, sizeof *row);
    if (!row)
        return err_set(rd->e, NO_MEMORY, sizeof *row);
    *row = (struct input_row){.op = op};
    int rc = take_key(rd, record, &key);
    if (rc == 0 && op != CHANGE_DELETE)
        rc = take_image(rd, msg, SIDE_AFTER, &columns);
    if (rc == 0 && (op == CHANGE_UPDATE || op == CHANGE_DELETE))
        rc = take_image(rd, msg, SIDE_BEFORE, &columns);
    if (rc == 0)
        rc = input_row(rd, out, &columns, &key, row);
    out->kind = INPUT_ROWS;
    out->rows = row;
    out->count = 1;
    return rc;
}

static int take_place(struct input_reader *rd, const struct input_json *source, struct input *out)
{
    const char *gtid = input_text(rd, source, "gtid"), *file = input_text(rd, source, "file");
    int64_t us = input_time_us(source, "ts_us", 1);
    out->tx.commit_us = us > 0 ? us : input_time_us(source, "ts_ms", 1000);
    out->tx.commit_in_us = out->tx.commit_us % 1000000 != 0;
    out->pos = (uint64_t)input_integer(source, "pos", 0);
    return input_place(rd, gtid ? gtid : "", file ? file : "", out);
}

static int take_change(struct input_reader *rd, const struct debezium_message *msg, const struct input_record *record,
                       struct input *out)
{
    static const char letters[] = "cudr";
    static const enum change_op ops[] = {CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_READ};
    const char *op = json_string_value(json_object_get(msg->payload.json, "op"));
    const char *known = op && op[0] && !op[1] ? strchr(letters, op[0]) : NULL;
    struct input_json source = input_member(&msg->payload, "source");
    if (!json_is_object(source.json))
        return input_wrong(rd, "source", "missing: no envelope of Debezium");
    if (!known && (!op || strcmp(op, "t") != 0))
        return input_wrong(rd, "op", "not an operation on rows");
    int rc = input_table(rd, &source, "db", "table", out);
    if (rc <= 0)
        return rc;
    rc = take_place(rd, &source, out);
    if (rc == 0 && known)
        return take_row(rd, msg, record, ops[known - letters], out);
    out->kind = INPUT_TRUNCATE;
    return rc;
}

static int take_statement(struct input_reader *rd, const struct input_json *payload, struct input *out)
{
    struct input_json source = input_member(payload, "source");
    out->db = input_text(rd, payload, "databaseName");
    out->text = input_text(rd, payload, "ddl");
    out->table = "";
    if (!out->db || !out->text || !*out->text)
        return input_wrong(rd, "ddl", "missing, or no text");
    out->text_len = strlen(out->text);
    out->kind = INPUT_STATEMENT;
    return take_place(rd, &source, out);
}

static int read_message(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                        struct input *out)
{
    struct debezium_message msg = unwrap(root);
    const json_t *payload = msg.payload.json;
    if (json_is_null(payload))
        return 0; /* a tombstone of a converter that writes null */
    if (!json_is_object(payload))
        return input_wrong(rd, "payload", "message is no object");
    if (json_object_get(payload, "op"))
        return take_change(rd, &msg, record, out);
    if (json_object_get(payload, "ddl"))
        return take_statement(rd, &msg.payload, out);
    if (json_object_get(payload, "status") && json_object_get(payload, "event_count"))
        return 0; /* begin or end of a transaction */
    if (json_object_get(payload, "ts_ms") && json_object_size(payload) <= 3 && !json_object_get(payload, "source"))
        return 0; /* a heartbeat: ts_ms, with ts_us and ts_ns in newer versions */
    return input_wrong(rd, "op", "missing: no envelope of Debezium");
}

static int parse(const struct input_record *record, const struct input_context *in, struct input *out, struct err *e)
{
    return input_parse(record, in, read_message, out, e);
}

const struct input_ops input_debezium = {.name = "debezium", .parse = parse};
