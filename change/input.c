/* The list of inputs, and what they share about messages. */
#include "change/input.h"

#include <stdlib.h>
#include <string.h>

#include "change/input_parts.h"

static const struct input_ops *const inputs[] = {&input_canal, &input_debezium, &input_maxwell};

const struct input_ops *input_find(const char *name)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(inputs[i]->name, name) == 0)
            return inputs[i];
    return NULL;
}

int input_wrong(const struct input_reader *rd, const char *field, const char *what)
{
    err_set(rd->e, CORRUPT, what);
    err_wrap(rd->e, "field %s", field);
    return -(int)ERR_CORRUPT;
}

int input_load(const char *text, size_t len, json_t **root, struct input_json *out, struct err *e)
{
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    *root = json_loadb(text, len, flags, &error);
    if (!*root) {
        err_set(e, CORRUPT, error.text);
        err_wrap(e, "message is not JSON, byte %d", error.position);
        return -(int)ERR_CORRUPT;
    }
    *out = (struct input_json){*root, {text, len}};
    return 0;
}

struct input_walk input_walk(const struct input_json *object)
{
    struct input_walk walk = {.at = NULL};
    if (object->json && json_is_object(object->json) && json_scan_open(&walk.scan, object->text.p, object->text.len)) {
        walk.object = (json_t *)(uintptr_t)object->json; /* jansson iterates without const */
        walk.at = json_object_iter(walk.object);
    }
    return walk;
}

bool input_next(struct input_walk *walk, const char **name, struct input_json *value)
{
    struct json_span spelled;
    if (!walk->at || !json_scan_next(&walk->scan, &spelled, &value->text))
        return false;
    *name = json_object_iter_key(walk->at);
    value->json = json_object_iter_value(walk->at);
    walk->at = json_object_iter_next(walk->object, walk->at);
    return true;
}

struct input_json input_member(const struct input_json *object, const char *name)
{
    struct input_walk walk = input_walk(object);
    struct input_json value;
    const char *found;
    if (walk.object && json_object_get(object->json, name))
        while (input_next(&walk, &found, &value))
            if (strcmp(found, name) == 0)
                return value;
    return (struct input_json){.json = NULL};
}

const char *input_text(const struct input_reader *rd, const struct input_json *object, const char *name)
{
    const json_t *v = json_is_object(object->json) ? json_object_get(object->json, name) : NULL;
    if (!v || json_is_null(v))
        return "";
    if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
        return NULL;
    return arena_copy(rd->in->arena, json_string_value(v), json_string_length(v));
}

int64_t input_integer(const struct input_json *object, const char *name, int64_t otherwise)
{
    char copy[24], *end = copy;
    struct input_json v = input_member(object, name);
    if (!json_is_number(v.json) || v.text.len >= sizeof copy)
        return otherwise;
    memcpy(copy, v.text.p, v.text.len);
    copy[v.text.len] = '\0';
    long long number = strtoll(copy, &end, 10);
    return *end ? otherwise : number;
}

int64_t input_time_us(const struct input_json *object, const char *name, int64_t unit_us)
{
    int64_t n = input_integer(object, name, 0);
    return n < 0 || n > INT64_MAX / unit_us ? 0 : n * unit_us;
}

int input_table(const struct input_reader *rd, const struct input_json *object, const char *db, const char *table,
                struct input *out)
{
    out->db = input_text(rd, object, db);
    out->table = input_text(rd, object, table);
    if (!out->db)
        return input_wrong(rd, db, "not a name");
    if (!out->table)
        return input_wrong(rd, table, "not a name");
    return rd->in->interest.wants(rd->in->interest.ctx, out->db, out->table);
}

int input_place(const struct input_reader *rd, const char *gtid, const char *file, struct input *out)
{
    if (gtid_parse(&out->tx.gtid, strchr(gtid, ':') ? FLAVOR_MYSQL : FLAVOR_MARIADB, gtid, strlen(gtid), NULL) != 0)
        memset(&out->tx.gtid, 0, sizeof out->tx.gtid);
    out->tx.file = arena_copy(rd->in->arena, file, strlen(file));
    return out->tx.file ? 0 : err_set(rd->e, NO_MEMORY, strlen(file));
}

int input_parse(const struct input_record *record, const struct input_context *in,
                int (*read)(struct input_reader *rd, const struct input_json *root, const struct input_record *record,
                            struct input *out),
                struct input *out, struct err *e)
{
    struct err own = ERR_INIT;
    struct input_reader rd = {.in = in, .e = e ? e : &own};
    struct input found = {.kind = INPUT_NOTHING};
    struct input_json message;
    json_t *root = NULL;
    int rc = record->value ? input_load(record->value, record->value_len, &root, &message, rd.e) : 0;
    if (rc != 0)
        return rc;
    buf_init(&rd.scratch, 0);
    if (root)
        rc = read(&rd, &message, record, &found);
    buf_release(&rd.scratch);
    json_decref(root);
    if (rc == 0)
        *out = found;
    return rc;
}
