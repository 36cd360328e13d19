/* Names of columns from a line: four lists, each in table order, merged into one. */
#include "change/json_table.h"

#include <string.h>

#define LISTS 4

struct name_list {
    const uint16_t *ids;
    unsigned count, at;
};

struct merge {
    struct arena *arena;
    json_t *ids; /* name → number */
    const char *names[TABLE_COLUMNS_MAX];
    unsigned name_count;
    struct name_list lists[LISTS];
    uint8_t in_lists[TABLE_COLUMNS_MAX]; /* lists that hold the name */
    uint8_t at_head[TABLE_COLUMNS_MAX];  /* lists whose next one it is */
};

static int wrong(const char *field, const char *what, struct err *e)
{
    err_set(e, CORRUPT, what);
    err_wrap(e, "field %s", field);
    return -(int)ERR_CORRUPT;
}

/* The number of a name, a new one when it is new; -1: too many, -2: no memory. */
static int name_id(struct merge *m, const char *name)
{
    const json_t *known = json_object_get(m->ids, name);
    if (known)
        return (int)json_integer_value(known);
    if (m->name_count == TABLE_COLUMNS_MAX)
        return -1;
    if (json_object_set_new(m->ids, name, json_integer(m->name_count)) != 0)
        return -2;
    m->names[m->name_count] = name;
    return (int)m->name_count++;
}

static int add_name(struct merge *m, const char *field, const char *name, uint16_t *out, struct err *e)
{
    int id = name_id(m, name);
    if (id == -2)
        return err_set(e, NO_MEMORY, strlen(name));
    if (id < 0)
        return wrong(field, "more columns than a table may have", e);
    m->in_lists[id]++;
    *out = (uint16_t)id;
    return 0;
}

/* The members of an object or the strings of a list. */
static int read_list(struct merge *m, const json_t *line, const char *field, struct name_list *out, struct err *e)
{
    json_t *from = json_object_get(line, field), *value = NULL;
    size_t count = json_is_object(from) ? json_object_size(from) : json_array_size(from), i = 0;
    const char *name = NULL;
    int rc = 0;
    if (!from)
        return 0;
    uint16_t *ids = arena_alloc(m->arena, sizeof *ids * count);
    if (!ids)
        return err_set(e, NO_MEMORY, sizeof *ids * count);
    if (json_is_object(from)) {
        json_object_foreach(from, name, value) if (rc == 0) rc = add_name(m, field, name, &ids[i++], e);
    } else {
        for (; rc == 0 && i < count; i++) {
            name = json_string_value(json_array_get(from, i));
            rc = name ? add_name(m, field, name, &ids[i], e) : wrong(field, "not a list of names", e);
        }
    }
    *out = (struct name_list){ids, (unsigned)count, 0};
    return rc;
}

static void step(struct merge *m, struct name_list *list)
{
    if (list->at < list->count)
        m->at_head[list->ids[list->at]]++;
}

/* Takes a name that is next in every list that holds it; false when there is none. */
static bool take_next(struct merge *m, uint16_t *out)
{
    for (unsigned i = 0; i < LISTS; i++) {
        if (m->lists[i].at == m->lists[i].count)
            continue;
        uint16_t id = m->lists[i].ids[m->lists[i].at];
        if (m->at_head[id] != m->in_lists[id])
            continue;
        for (unsigned k = i; k < LISTS; k++)
            if (m->lists[k].at < m->lists[k].count && m->lists[k].ids[m->lists[k].at] == id) {
                m->lists[k].at++;
                step(m, &m->lists[k]);
            }
        *out = id;
        return true;
    }
    return false;
}

static int build_columns(struct merge *m, struct table *tbl, uint16_t *place, struct err *e)
{
    size_t bytes = sizeof(struct column) * m->name_count;
    struct column *columns = arena_alloc(m->arena, bytes);
    if (!columns)
        return err_set(e, NO_MEMORY, bytes);
    for (unsigned i = 0; i < LISTS; i++)
        step(m, &m->lists[i]);
    for (unsigned i = 0; i < m->name_count; i++) {
        uint16_t id = 0;
        if (!take_next(m, &id))
            return wrong("after", "its columns and those of before are in different orders", e);
        place[id] = (uint16_t)i;
        columns[i] = (struct column){.name_len = (uint32_t)strlen(m->names[id]), .nullable = true};
        columns[i].name = arena_copy(m->arena, m->names[id], columns[i].name_len);
        if (!columns[i].name)
            return err_set(e, NO_MEMORY, (size_t)columns[i].name_len);
    }
    tbl->columns = columns;
    tbl->column_count = m->name_count;
    return 0;
}

static int build_pk(struct merge *m, struct table *tbl, const json_t *line, const uint16_t *place, struct err *e)
{
    json_t *pk = json_object_get(line, "pk"), *value = NULL;
    size_t count = json_object_size(pk), i = 0;
    const char *name = NULL;
    if (count == 0)
        return 0;
    uint16_t *index = arena_alloc(m->arena, sizeof *index * count);
    if (!index)
        return err_set(e, NO_MEMORY, sizeof *index * count);
    json_object_foreach(pk, name, value)
    {
        const json_t *known = json_object_get(m->ids, name);
        if (!known)
            return wrong("pk", "a column that no image holds", e);
        index[i++] = place[json_integer_value(known)];
    }
    tbl->pk = index;
    tbl->pk_count = (unsigned)count;
    tbl->pk_known = true;
    return 0;
}

static int build(struct merge *m, struct table *tbl, const json_t *line, struct err *e)
{
    static const char *const fields[LISTS] = {"after", "before", "absent_after", "absent_before"};
    const char *db = json_string_value(json_object_get(line, "db"));
    const char *name = json_string_value(json_object_get(line, "table"));
    int rc = 0;
    if (!db || !name)
        return wrong(db ? "table" : "db", "missing, or not a string", e);
    *tbl = (struct table){.db = arena_copy(m->arena, db, strlen(db)), .name = arena_copy(m->arena, name, strlen(name))};
    uint16_t *place = arena_alloc(m->arena, sizeof *place * TABLE_COLUMNS_MAX);
    if (!tbl->db || !tbl->name || !place)
        return err_set(e, NO_MEMORY, sizeof *place * TABLE_COLUMNS_MAX);
    for (unsigned i = 0; rc == 0 && i < LISTS; i++)
        rc = read_list(m, line, fields[i], &m->lists[i], e);
    if (rc == 0)
        rc = build_columns(m, tbl, place, e);
    if (rc == 0)
        rc = build_pk(m, tbl, line, place, e);
    return rc;
}

int json_table(const struct table **out, const json_t *line, struct arena *arena, struct err *e)
{
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    struct merge *m = arena_alloc(arena, sizeof *m);
    if (!tbl || !m)
        return err_set(e, NO_MEMORY, sizeof *m);
    memset(m, 0, sizeof *m);
    m->arena = arena;
    m->ids = json_object();
    int rc = m->ids ? build(m, tbl, line, e) : err_set(e, NO_MEMORY, sizeof *m);
    json_decref(m->ids);
    if (rc == 0)
        *out = tbl;
    return rc;
}
