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
    const struct table *last; /* of the last shape since it changed; NULL before */
    bool tried;               /* the reader has been asked since then */
};

struct schema {
    const struct schema_reader *reader;
    struct shape_cache *shapes;
    struct history *history;
    bool owns_history;
    bool definitions;   /* formats ask for them */
    struct known *list; /* sorted by database and name */
    size_t count;
    size_t size;
    struct definition *current; /* the one that was read last; NULL: none */
    size_t current_of;          /* its table in the list */
};

int schema_new_upon(struct schema **out, struct history *history, const struct schema_reader *reader, struct err *e)
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
    schema->history = history;
    *out = schema;
    return 0;
}

int schema_new(struct schema **out, const struct schema_reader *reader, struct err *e)
{
    struct history *history = NULL;
    int rc = history_open(&history, NULL, NULL, e);
    if (rc == 0)
        rc = schema_new_upon(out, history, reader, e);
    if (rc != 0) {
        history_free(history);
        return rc;
    }
    (*out)->owns_history = true;
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
    definition_free(schema->current);
    if (schema->owns_history)
        history_free(schema->history);
    shape_cache_free(schema->shapes);
    free(schema);
}

void schema_want_definitions(struct schema *schema, bool want)
{
    schema->definitions = want;
}

struct history *schema_history(struct schema *schema)
{
    return schema->history;
}

static void drop_current(struct schema *schema)
{
    definition_free(schema->current);
    schema->current = NULL;
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
        schema->current_of += schema->current_of >= at;
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

/* What the reader told of a table becomes a version: UNKNOWN when it cannot be parsed. */
static int put_reading(struct schema *schema, struct known *known, const struct buf *sql, int found,
                       const struct schema_reading *reading, struct err *e)
{
    struct history_change change = {.db = known->db, .table = known->name, .kind = HISTORY_GONE};
    struct err why = ERR_INIT;
    drop_current(schema);
    if (found == 1) {
        int rc = sql->failed ? err_set(&why, LIMIT, "definition of a table", sql->len, (size_t)SQL_CAP)
                             : definition_new(&schema->current, known->db, (const char *)sql->p, sql->len, &why);
        if (rc == -ERR_NO_MEMORY)
            return err_set(e, NO_MEMORY, sql->len);
        schema->current_of = (size_t)(known - schema->list);
        change.kind = rc == 0 ? HISTORY_DEFINED : HISTORY_UNKNOWN;
        change.text = rc == 0 ? (const char *)sql->p : why.text;
        change.len = rc == 0 ? sql->len : strlen(why.text);
    }
    return history_put(schema->history, &reading->where, HISTORY_SNAPSHOT,
                       reading->before.at.file[0] ? &reading->before : NULL, &change, 1, e);
}

static int refresh(struct schema *schema, struct known *known, struct err *e)
{
    struct buf sql;
    struct schema_reading reading = {.before = {.server_uuid = NULL}};
    buf_init(&sql, SQL_CAP);
    int rc = schema->reader->read(schema->reader->ctx, known->db, known->name, &sql, &reading, e);
    if (rc >= 0) {
        known->tried = true;
        rc = put_reading(schema, known, &sql, rc, &reading, e);
    }
    buf_release(&sql);
    return rc;
}

/* The version that holds; where none is DEFINED the reader is asked once. *out NULL: nothing is known. */
static int find(struct schema *schema, const struct table *tbl, const struct history_where *where,
                const struct history_version **out, struct err *e)
{
    struct known *known;
    int rc = know(schema, tbl->db, tbl->name, &known, e);
    if (rc != 0)
        return rc;
    *out = history_find(schema->history, tbl->db, tbl->name, where);
    if ((*out && (*out)->kind == HISTORY_DEFINED) || !schema->reader || known->tried)
        return 0;
    rc = refresh(schema, known, e);
    if (rc == 0)
        *out = history_find(schema->history, tbl->db, tbl->name, where);
    return rc;
}

/* The first definition of a table that is not known yet; NULL: none. */
static const struct history_version *known_later(const struct schema *schema, const struct table *tbl)
{
    const struct history_version *version = NULL;
    for (size_t n = 0; (version = history_named_version(schema->history, tbl->db, tbl->name, n)) != NULL; n++)
        if (version->kind == HISTORY_DEFINED)
            break;
    return version;
}

/* Why there are no names: the last part of SCHEMA_UNKNOWN. */
static void reason(const struct schema *schema, const struct table *tbl, const struct history_where *where,
                   const struct history_version *version, char *out, size_t size)
{
    const struct history_place *floor = history_floor(schema->history, where);
    const struct history_version *later = version ? NULL : known_later(schema, tbl);
    if (version && version->kind == HISTORY_UNKNOWN)
        snprintf(out, size, "%.300s", version->text);
    else if (version && version->origin == HISTORY_LOG)
        snprintf(out, size, "it was dropped at %.255s:%llu", version->place->file,
                 (unsigned long long)version->place->pos);
    else if (version)
        snprintf(out, size, "the server does not have the table any more");
    else if (later)
        snprintf(out, size, "they are known from %.255s:%llu on, and what they were before is not", later->place->file,
                 (unsigned long long)later->place->pos);
    else if (floor)
        snprintf(out, size,
                 "definitions from before %.255s:%llu were forgotten in part (keep_dropped_tables, "
                 "keep_table_versions)",
                 floor->file, (unsigned long long)floor->pos);
    else if (!schema->reader)
        snprintf(out, size, "the log does not hold them, and neither a server nor a definition is at hand");
    else
        snprintf(out, size, "the server does not have the table any more");
}

static int unknown(const struct schema *schema, const struct table *tbl, const struct history_where *where,
                   const struct history_version *version, struct err *e)
{
    char why[400], from[FILEPOS_TEXT_MAX + 16] = "";
    reason(schema, tbl, where, version, why, sizeof why);
    /* What is told of another place would not count: the version of this one does. */
    if (version && version->place->file[0])
        snprintf(from, sizeof from, " --from %.255s:%llu", version->place->file,
                 (unsigned long long)version->place->pos);
    return err_set(e, SCHEMA_UNKNOWN, tbl->db, tbl->name, why, tbl->db, tbl->name, from);
}

/* The second layer when the log has no names. */
static int add_definition(struct schema *schema, struct table *tbl, struct column *columns,
                          const struct history_where *where, struct arena *arena, struct err *e)
{
    const struct history_version *version;
    struct definition *def = NULL;
    int rc = find(schema, tbl, where, &version, e);
    if (rc != 0)
        return rc;
    if (!version || version->kind != HISTORY_DEFINED)
        return unknown(schema, tbl, where, version, e);
    rc = definition_new(&def, tbl->db, version->text, version->len, e);
    if (rc == 0)
        rc = definition_merge(def, tbl, columns, arena, e);
    if (rc == 0 && schema->definitions)
        rc = definition_attach(def, tbl, columns, arena, e);
    definition_free(def);
    return rc;
}

static bool any_column(const struct table *tbl, bool (*is)(const struct coltype *type), unsigned *out)
{
    for (*out = 0; *out < tbl->column_count; ++*out)
        if (is(&tbl->columns[*out].type))
            return true;
    return false;
}

/* Of a definition that is younger than the row serves what only says how a value is printed. */
static int declare(struct schema *schema, struct table *tbl, struct column *columns, const struct history_where *where,
                   struct arena *arena, struct err *e)
{
    const struct history_version *version;
    struct definition *def = NULL;
    int rc = find(schema, tbl, where, &version, e);
    bool certain = rc == 0 && version && version->kind == HISTORY_DEFINED;
    if (rc == 0 && !certain)
        version = known_later(schema, tbl);
    if (rc == 0 && version)
        rc = definition_new(&def, tbl->db, version->text, version->len, e);
    if (rc == 0 && def)
        definition_declare(def, tbl, columns, certain);
    if (rc == 0 && def && certain && schema->definitions)
        rc = definition_attach(def, tbl, columns, arena, e);
    definition_free(def);
    return rc;
}

/* The second layer when the log has names, but a declared type matters, or formats would like to know more: then what
 * cannot be had is left out. */
static int add_declared(struct schema *schema, struct table *tbl, struct column *columns,
                        const struct history_where *where, struct arena *arena, struct err *e)
{
    unsigned column;
    char type[64];
    struct err failed = ERR_INIT;
    bool needed = any_column(tbl, coltype_is_vague, &column);
    if (!needed && !schema->definitions)
        return 0;
    int rc = declare(schema, tbl, columns, where, arena, &failed);
    if (rc != 0 && (needed || failed.code == ERR_NO_MEMORY || err_class(&failed) == ERR_CLASS_RETRY))
        return err_set_format(e, failed.code, "%s", failed.text);
    if (!any_column(tbl, coltype_needs_scale, &column))
        return 0;
    coltype_print(&columns[column].type, type, sizeof type);
    err_set(e, TYPE_UNCERTAIN, "fraction", type);
    return err_wrap(e, "%s.%s: column %u (%s)", tbl->db, tbl->name, column + 1, columns[column].name);
}

static int merge(struct schema *schema, const struct wire_table *wire, const struct history_where *where,
                 struct arena *arena, struct table **out, struct err *e)
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
        rc = add_declared(schema, tbl, columns, where, arena, e);
    } else {
        rc = add_definition(schema, tbl, columns, where, arena, e);
    }
    if (rc == 0)
        *out = tbl;
    return rc;
}

int schema_resolve(struct schema *schema, const struct wire_table *wire, const struct history_where *where,
                   const struct shape **out, struct err *e)
{
    struct table *tbl = NULL;
    struct known *known = NULL;
    const struct shape *shape = NULL;
    struct arena *arena = (struct arena *)malloc(sizeof *arena);
    if (!arena)
        return err_set(e, NO_MEMORY, sizeof *arena);
    arena_init(arena, TABLE_CHUNK, 0, TABLE_CAP);
    int rc = merge(schema, wire, where, arena, &tbl, e);
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

int schema_defined(struct schema *schema, const char *db, const char *table, const struct history_where *where,
                   const struct table **out, struct err *e)
{
    const struct history_version *version = history_find(schema->history, db, table, where);
    const struct shape *shape = NULL;
    struct table *tbl = NULL;
    *out = NULL;
    if (!version || version->kind != HISTORY_DEFINED)
        return 0;
    struct arena *arena = (struct arena *)malloc(sizeof *arena);
    if (!arena)
        return err_set(e, NO_MEMORY, sizeof *arena);
    arena_init(arena, TABLE_CHUNK, 0, TABLE_CAP);
    int rc = definition_read(&tbl, db, version->text, version->len, arena, e);
    bool readable = rc != -(int)ERR_TABLE_DEFINITION;
    if (rc == 0)
        rc = shape_cache_take(schema->shapes, arena, tbl, &shape, e);
    if (rc != 0) {
        arena_release(arena);
        free(arena);
        if (!readable)
            err_clear(e);
        return readable ? rc : 0;
    }
    *out = shape->tbl;
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
    bool there;
    for (size_t i = db ? place(schema, db, table ? table : "", &there) : 0; i < schema->count; i++) {
        struct known *known = &schema->list[i];
        if ((db && strcmp(known->db, db) != 0) || (table && strcmp(known->name, table) != 0))
            break;
        if (i == schema->current_of)
            drop_current(schema);
        known->last = NULL;
        known->tried = false;
    }
}

bool schema_known(struct schema *schema, size_t index, struct ddl_table *out)
{
    struct history_table entry;
    if (index < schema->count) {
        *out = (struct ddl_table){schema->list[index].db, schema->list[index].name};
        return true;
    }
    if (!history_table(schema->history, index - schema->count, &entry))
        return false;
    *out = (struct ddl_table){entry.db, entry.table};
    return true;
}

const struct table *schema_current(struct schema *schema, const char *db, const char *table)
{
    bool there;
    size_t at = place(schema, db, table, &there);
    if (!there)
        return NULL;
    return schema->current && schema->current_of == at ? definition_table(schema->current) : schema->list[at].last;
}
