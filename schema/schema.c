/* Merges the layers of a table into shapes. */
#include "schema/schema.h"

#include "schema/definition.h"
#include "schema/metadata.h"

#define TABLE_CHUNK ((size_t)4096)
#define TABLE_CAP   ((size_t)64 << 20) /* bytes of one table's names and labels */
#define SQL_CAP     ((size_t)16 << 20) /* bytes of one definition */

/* A wanted table that was met. */
struct known {
    char *db;
    char *name;
    struct table bare;        /* names only */
    const struct table *last; /* of the last shape since it was forgotten; NULL before */
    struct definition *def;   /* NULL: none was read, or it is not trusted any more */
    struct filepos noted;     /* def is trusted from here on; file "" = everywhere */
    bool tried;               /* the reader has been asked since it was forgotten */
    struct err why;           /* the definition that came cannot be parsed */
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
        definition_free(schema->list[i].def);
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

/* Reads the definition of an entry anew. What cannot be parsed is told when it is needed. */
static int refresh(struct schema *schema, struct known *known, struct err *e)
{
    struct buf sql;
    struct filepos noted = {0};
    buf_init(&sql, SQL_CAP);
    int rc = schema->reader->read(schema->reader->ctx, known->db, known->name, &sql, &noted, e);
    if (rc >= 0) {
        known->tried = true;
        err_clear(&known->why);
        definition_free(known->def);
        known->def = NULL;
    }
    if (rc == 1) {
        struct definition *def = NULL;
        if (sql.failed)
            rc = err_set(&known->why, LIMIT, "definition of a table", sql.len, (size_t)SQL_CAP);
        else
            rc = definition_new(&def, known->db, (const char *)sql.p, sql.len, &known->why);
        known->def = rc == 0 ? def : NULL;
        known->noted = noted;
        rc = 0;
    }
    buf_release(&sql);
    return rc;
}

static bool trusted(const struct known *known, const struct filepos *at)
{
    return known->def && (known->noted.file[0] == '\0' || filepos_compare(at, &known->noted) >= 0);
}

/* Why there are no names: the last part of SCHEMA_UNKNOWN. */
static void reason(const struct schema *schema, const struct known *known, char *out, size_t size)
{
    if (!schema->reader)
        snprintf(out, size, "the log does not hold them, and neither a server nor a definition is at hand");
    else if (known->def)
        snprintf(out, size, "its definition was read at %.255s:%llu, and what it was before is not known",
                 known->noted.file, (unsigned long long)known->noted.pos);
    else if (known->why.code != ERR_NONE)
        snprintf(out, size, "%.300s", known->why.text);
    else
        snprintf(out, size, "the server does not have the table any more");
}

/* The second layer when the log has no names. */
static int add_definition(struct schema *schema, struct table *tbl, struct column *columns, const struct filepos *at,
                          struct arena *arena, struct err *e)
{
    struct known *known;
    char why[400];
    int rc = know(schema, tbl->db, tbl->name, &known, e);
    if (rc == 0 && !trusted(known, at) && schema->reader && !known->tried)
        rc = refresh(schema, known, e);
    if (rc != 0)
        return rc;
    if (trusted(known, at))
        return definition_merge(known->def, tbl, columns, arena, e);
    reason(schema, known, why, sizeof why);
    return err_set(e, SCHEMA_UNKNOWN, tbl->db, tbl->name, why);
}

static bool any_column(const struct table *tbl, bool (*is)(const struct coltype *type), unsigned *out)
{
    for (*out = 0; *out < tbl->column_count; ++*out)
        if (is(&tbl->columns[*out].type))
            return true;
    return false;
}

/* The second layer when the log has names, but a declared type matters. */
static int add_declared(struct schema *schema, struct table *tbl, struct column *columns, const struct filepos *at,
                        struct err *e)
{
    struct known *known;
    unsigned column;
    char type[64];
    int rc = know(schema, tbl->db, tbl->name, &known, e);
    if (rc == 0 && !trusted(known, at) && schema->reader && !known->tried)
        rc = refresh(schema, known, e);
    if (rc != 0)
        return rc;
    if (known->def)
        definition_declare(known->def, tbl, columns, trusted(known, at));
    if (!any_column(tbl, coltype_needs_scale, &column))
        return 0;
    coltype_print(&columns[column].type, type, sizeof type);
    err_set(e, TYPE_UNCERTAIN, "fraction", type);
    return err_wrap(e, "%s.%s: column %u (%s)", tbl->db, tbl->name, column + 1, columns[column].name);
}

static int merge(struct schema *schema, const struct wire_table *wire, const struct filepos *at, struct arena *arena,
                 struct table **out, struct err *e)
{
    struct metadata metadata = {0};
    struct table *tbl = (struct table *)arena_alloc(arena, sizeof *tbl);
    struct column *columns = (struct column *)arena_alloc(arena, wire->column_count * sizeof *columns);
    if (!tbl || !columns)
        return err_set(e, NO_MEMORY, wire->column_count * sizeof *columns);
    int rc = from_wire(tbl, columns, wire, arena, e);
    if (rc == 0)
        rc = metadata_read(&metadata, columns, wire, arena, e);
    if (rc != 0) {
        err_wrap(e, "%.*s.%.*s", (int)wire->db_len, wire->db, (int)wire->name_len, wire->name);
        return rc;
    }
    if (metadata.has_names) {
        tbl->pk = metadata.pk;
        tbl->pk_count = metadata.pk_count;
        tbl->pk_known = true;
        unsigned vague;
        if (any_column(tbl, coltype_is_vague, &vague))
            rc = add_declared(schema, tbl, columns, at, e);
    } else {
        rc = add_definition(schema, tbl, columns, at, arena, e);
    }
    if (rc == 0)
        *out = tbl;
    return rc;
}

int schema_resolve(struct schema *schema, const struct wire_table *wire, const struct filepos *at,
                   const struct shape **out, struct err *e)
{
    struct table *tbl = NULL;
    struct known *known = NULL;
    const struct shape *shape = NULL;
    struct arena *arena = (struct arena *)malloc(sizeof *arena);
    if (!arena)
        return err_set(e, NO_MEMORY, sizeof *arena);
    arena_init(arena, TABLE_CHUNK, 0, TABLE_CAP);
    int rc = merge(schema, wire, at, arena, &tbl, e);
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
    struct known *known;
    if (!schema->reader)
        return 0;
    int rc = know(schema, db, table, &known, e);
    return rc == 0 ? refresh(schema, known, e) : rc;
}

void schema_forget(struct schema *schema, const char *db, const char *table)
{
    for (size_t i = 0; i < schema->count; i++) {
        struct known *known = &schema->list[i];
        if ((db && strcmp(known->db, db) != 0) || (table && strcmp(known->name, table) != 0))
            continue;
        definition_free(known->def);
        known->def = NULL;
        known->last = NULL;
        known->tried = false;
        err_clear(&known->why);
    }
}

static const struct table *current(const struct known *known)
{
    return known->def ? definition_table(known->def) : known->last;
}

const struct table *schema_known(struct schema *schema, size_t index)
{
    if (index >= schema->count)
        return NULL;
    const struct table *tbl = current(&schema->list[index]);
    return tbl ? tbl : &schema->list[index].bare;
}

const struct table *schema_current(struct schema *schema, const char *db, const char *table)
{
    bool there;
    size_t at = place(schema, db, table, &there);
    return there ? current(&schema->list[at]) : NULL;
}
