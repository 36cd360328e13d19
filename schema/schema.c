/* Merges the layers of a table into shapes. */
#include "schema/schema.h"

#include "schema/metadata.h"

#define TABLE_CHUNK ((size_t)4096)
#define TABLE_CAP   ((size_t)64 << 20) /* bytes of one table's names and labels */

/* A wanted table that was met. */
struct known {
    char *db;
    char *name;
    struct table bare;        /* names only */
    const struct table *last; /* of the last shape; NULL before */
};

struct schema {
    const struct schema_reader *reader;
    struct shape_cache *shapes;
    struct known *list; /* sorted by database and name */
    size_t count;
    size_t size;
};

int schema_new(struct schema **out, const struct schema_reader *reader, struct err *e)
{
    struct schema *schema = (struct schema *)calloc(1, sizeof *schema);
    struct shape_cache *shapes = shape_cache_new();
    if (!schema || !shapes) {
        free(schema);
        shape_cache_free(shapes);
        return err_set(e, NO_MEMORY, sizeof *schema);
    }
    schema->reader = reader;
    schema->shapes = shapes;
    *out = schema;
    return 0;
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->count; i++) {
        free(schema->list[i].db);
        free(schema->list[i].name);
    }
    free(schema->list);
    shape_cache_free(schema->shapes);
    free(schema);
}

/* Where the table is, or would be, in the list. */
static size_t place(const struct schema *schema, const char *db, const char *name, bool *there)
{
    size_t low = 0, high = schema->count;
    *there = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(schema->list[mid].db, db);
        if (order == 0)
            order = strcmp(schema->list[mid].name, name);
        if (order == 0) {
            *there = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int make_room(struct schema *schema, struct err *e)
{
    if (schema->count < schema->size)
        return 0;
    size_t size = schema->size ? schema->size * 2 : 16;
    struct known *list = (struct known *)realloc(schema->list, size * sizeof *list);
    if (!list)
        return err_set(e, NO_MEMORY, size * sizeof *list);
    schema->list = list;
    schema->size = size;
    return 0;
}

/* The entry of a table, made when it is not there. Valid until the next call. */
static int know(struct schema *schema, const char *db, const char *name, struct known **out, struct err *e)
{
    bool there;
    size_t at = place(schema, db, name, &there);
    if (!there) {
        int rc = make_room(schema, e);
        if (rc != 0)
            return rc;
        struct known fresh = {.db = strdup(db), .name = strdup(name)};
        if (!fresh.db || !fresh.name) {
            free(fresh.db);
            free(fresh.name);
            return err_set(e, NO_MEMORY, strlen(db) + strlen(name));
        }
        fresh.bare = (struct table){.db = fresh.db, .name = fresh.name};
        memmove(&schema->list[at + 1], &schema->list[at], (schema->count - at) * sizeof fresh);
        schema->list[at] = fresh;
        schema->count++;
    }
    *out = &schema->list[at];
    return 0;
}

/* The first layer: types, nullability, names of table and database. */
static int from_wire(struct table *tbl, struct column *columns, const struct wire_table *wire, struct arena *arena,
                     struct err *e)
{
    struct cursor metadata = cursor_over(wire->metadata, wire->metadata_len);
    for (unsigned i = 0; i < wire->column_count; i++) {
        columns[i] = (struct column){.nullable = wire->nullable[i / 8] >> (i % 8) & 1};
        int rc = coltype_init(&columns[i].type, wire->types[i], &metadata, e);
        if (rc != 0) {
            err_wrap(e, "column %u", i + 1);
            return rc;
        }
    }
    if (cursor_finish(&metadata) != 0)
        return err_set(e, CORRUPT, "TABLE_MAP event: metadata do not fit the column types");
    *tbl = (struct table){.columns = columns, .column_count = wire->column_count};
    tbl->db = arena_copy(arena, wire->db, wire->db_len);
    tbl->name = arena_copy(arena, wire->name, wire->name_len);
    return tbl->db && tbl->name ? 0 : err_set(e, NO_MEMORY, wire->db_len + wire->name_len);
}

static int merge(const struct wire_table *wire, struct arena *arena, struct table **out, struct err *e)
{
    struct metadata metadata = {0};
    struct table *tbl = (struct table *)arena_alloc(arena, sizeof *tbl);
    struct column *columns = (struct column *)arena_alloc(arena, wire->column_count * sizeof *columns);
    if (!tbl || !columns)
        return err_set(e, NO_MEMORY, wire->column_count * sizeof *columns);
    int rc = from_wire(tbl, columns, wire, arena, e);
    if (rc == 0)
        rc = metadata_read(&metadata, columns, wire->column_count,
                           cursor_over(wire->optional, wire->optional ? wire->optional_len : 0), arena, e);
    if (rc != 0)
        return rc;
    if (!metadata.has_names)
        return err_set(e, SCHEMA_UNKNOWN, tbl->db, tbl->name, "the log has no names and no definition is at hand");
    tbl->pk = metadata.pk;
    tbl->pk_count = metadata.pk_count;
    tbl->pk_known = true;
    *out = tbl;
    return 0;
}

int schema_resolve(struct schema *schema, const struct wire_table *wire, const struct filepos *at,
                   const struct shape **out, struct err *e)
{
    struct table *tbl = NULL;
    struct arena *arena = (struct arena *)malloc(sizeof *arena);
    (void)at;
    if (!arena)
        return err_set(e, NO_MEMORY, sizeof *arena);
    arena_init(arena, TABLE_CHUNK, 0, TABLE_CAP);
    int rc = merge(wire, arena, &tbl, e);
    if (rc != 0 && e && e->code != ERR_SCHEMA_UNKNOWN)
        err_wrap(e, "%.*s.%.*s", (int)wire->db_len, wire->db, (int)wire->name_len, wire->name);
    struct known *known = NULL;
    const struct shape *shape = NULL;
    if (rc == 0)
        rc = know(schema, tbl->db, tbl->name, &known, e);
    if (rc == 0)
        rc = shape_cache_take(schema->shapes, arena, tbl, &shape, e);
    if (rc != 0) {
        arena_release(arena);
        free(arena);
        return rc;
    }
    known->last = shape->tbl;
    *out = shape;
    return 0;
}

int schema_refresh(struct schema *schema, const char *db, const char *table, struct err *e)
{
    (void)schema;
    (void)db;
    (void)table;
    (void)e;
    return 0;
}

void schema_forget(struct schema *schema, const char *db, const char *table)
{
    (void)schema;
    (void)db;
    (void)table;
}

const struct table *schema_known(struct schema *schema, size_t index)
{
    if (index >= schema->count)
        return NULL;
    const struct known *known = &schema->list[index];
    return known->last ? known->last : &known->bare;
}

const struct table *schema_current(struct schema *schema, const char *db, const char *table)
{
    bool there;
    size_t at = place(schema, db, table, &there);
    return there ? schema->list[at].last : NULL;
}
