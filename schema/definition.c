/* Columns of a CREATE TABLE beside columns of a TABLE_MAP. */
#include "schema/definition_private.h"
#include "value/charset.h"

#define DEFINITION_CHUNK ((size_t)4096)
#define DEFINITION_CAP   ((size_t)64 << 20)
#define BINARY_COLLATION 63
#define WHAT_MAX         160

/* Names that MariaDB gives the two hidden columns of WITH SYSTEM VERSIONING. */
static const char *const history_names[] = {"row_start", "row_end"};
#define HISTORY_COUNT 2

/* Words of types and how the log codes them; a second code is that of older or compressed columns. */
static const struct {
    const char *word;
    uint8_t wire, other;
} words[] = {
    {"tinyint", WIRE_TINY, WIRE_TINY},
    {"bool", WIRE_TINY, WIRE_TINY},
    {"boolean", WIRE_TINY, WIRE_TINY},
    {"smallint", WIRE_SHORT, WIRE_SHORT},
    {"mediumint", WIRE_INT24, WIRE_INT24},
    {"int", WIRE_LONG, WIRE_LONG},
    {"integer", WIRE_LONG, WIRE_LONG},
    {"bigint", WIRE_LONGLONG, WIRE_LONGLONG},
    {"decimal", WIRE_NEWDECIMAL, WIRE_NEWDECIMAL},
    {"numeric", WIRE_NEWDECIMAL, WIRE_NEWDECIMAL},
    {"float", WIRE_FLOAT, WIRE_DOUBLE},
    {"double", WIRE_DOUBLE, WIRE_DOUBLE},
    {"real", WIRE_DOUBLE, WIRE_FLOAT},
    {"bit", WIRE_BIT, WIRE_BIT},
    {"year", WIRE_YEAR, WIRE_YEAR},
    {"date", WIRE_DATE_OLD, WIRE_NEWDATE},
    {"time", WIRE_TIME2, WIRE_TIME},
    {"datetime", WIRE_DATETIME2, WIRE_DATETIME},
    {"timestamp", WIRE_TIMESTAMP2, WIRE_TIMESTAMP},
    {"char", WIRE_STRING, WIRE_STRING},
    {"varchar", WIRE_VARCHAR, WIRE_VARCHAR_COMPRESSED},
    {"binary", WIRE_STRING, WIRE_STRING},
    {"varbinary", WIRE_VARCHAR, WIRE_VARCHAR_COMPRESSED},
    {"tinytext", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"text", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"mediumtext", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"longtext", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"tinyblob", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"blob", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"mediumblob", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"longblob", WIRE_BLOB, WIRE_BLOB_COMPRESSED},
    {"enum", WIRE_ENUM, WIRE_ENUM},
    {"set", WIRE_SET, WIRE_SET},
    {"json", WIRE_JSON, WIRE_BLOB},
    {"uuid", WIRE_STRING, WIRE_STRING},
    {"inet4", WIRE_STRING, WIRE_STRING},
    {"inet6", WIRE_STRING, WIRE_STRING},
    {"vector", WIRE_VECTOR, WIRE_VARCHAR},
    {"geometry", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"point", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"linestring", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"polygon", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"multipoint", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"multilinestring", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"multipolygon", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"geometrycollection", WIRE_GEOMETRY, WIRE_GEOMETRY},
    {"geomcollection", WIRE_GEOMETRY, WIRE_GEOMETRY},
};

/* Index into `words`, -1: not there. */
static int find_word(const struct create_column *col)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == col->word.len && memcmp(words[i].word, col->word.p, col->word.len) == 0)
            return (int)i;
    return -1;
}

static bool is_numeric(uint8_t wire)
{
    return wire == WIRE_TINY || wire == WIRE_SHORT || wire == WIRE_INT24 || wire == WIRE_LONG ||
           wire == WIRE_LONGLONG || wire == WIRE_NEWDECIMAL || wire == WIRE_FLOAT || wire == WIRE_DOUBLE;
}

static bool has_charset(uint8_t family)
{
    return family == FAMILY_STRING || family == FAMILY_COMPRESSED || family == FAMILY_ENUM || family == FAMILY_SET;
}

static unsigned collation_of(const struct create_column *col)
{
    unsigned id = 0;
    if (col->charset_unknown)
        return 0;
    if (!col->charset.p)
        return BINARY_COLLATION;
    if (col->collation.p)
        id = charset_find_collation(col->collation.p, col->collation.len);
    return id ? id : charset_find_collation(col->charset.p, col->charset.len);
}

/* Servers print labels by way of utf8mb3: a character beyond the BMP is shown as '?'. Where the column's character set
 * has such characters, a label with '?' may be another one. */
static bool labels_certain(const struct coltype *type, const struct create_column *col)
{
    static const char *const beyond[] = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"};
    const char *name = NULL;
    bool marked = false, wide = false;
    for (unsigned i = 0; i < col->label_count && !marked; i++)
        marked = memchr(col->labels[i].p, '?', col->labels[i].len) != NULL;
    if (!marked)
        return true;
    charset_of_collation(type->collation, &name);
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0] && name && !wide; i++)
        wide = strcmp(name, beyond[i]) == 0;
    return name && !wide;
}

static int copy_labels(struct coltype *type, const struct create_column *col, struct arena *arena, struct err *e)
{
    struct label *labels = (struct label *)arena_alloc(arena, col->label_count * sizeof *labels);
    if (!labels)
        return err_set(e, NO_MEMORY, col->label_count * sizeof *labels);
    for (unsigned i = 0; i < col->label_count; i++) {
        labels[i] =
            (struct label){arena_copy(arena, col->labels[i].p, col->labels[i].len), (uint32_t)col->labels[i].len};
        if (!labels[i].text)
            return err_set(e, NO_MEMORY, col->labels[i].len);
    }
    type->labels = labels;
    type->label_count = col->label_count;
    return 0;
}

/* What the type's wire code does not say, where the log has not said it. */
static int complete_type(struct coltype *type, const struct create_column *col, struct arena *arena, struct err *e)
{
    if (!type->sign_known && (is_numeric(type->wire) || type->wire == WIRE_YEAR)) {
        type->is_unsigned = col->is_unsigned || type->wire == WIRE_YEAR;
        type->sign_known = true;
    }
    if (type->collation == 0 && has_charset(type->family)) {
        type->collation = (uint16_t)collation_of(col);
        type->charset = (uint8_t)charset_of_collation(type->collation, NULL);
    }
    bool labelled = type->family == FAMILY_ENUM || type->family == FAMILY_SET;
    bool missing = labelled && !type->labels && labels_certain(type, col);
    return missing ? copy_labels(type, col, arena, e) : 0;
}

static int copy_names(struct column *column, const struct create_column *col, struct arena *arena, struct err *e)
{
    char *name = arena_copy(arena, col->name.p, col->name.len);
    char *declared = arena_copy(arena, col->type.p, col->type.len);
    if (!name || !declared)
        return err_set(e, NO_MEMORY, col->name.len + col->type.len);
    column->name = name;
    column->name_len = (uint32_t)col->name.len;
    column->declared = declared;
    return 0;
}

/* The server puts a hidden row_end behind the columns of the primary key, and says so in the log's metadata. */
static int copy_key(struct table *tbl, const struct create_table *create, unsigned hidden, struct arena *arena,
                    struct err *e)
{
    tbl->pk_known = true;
    tbl->pk = NULL;
    tbl->pk_count = 0;
    if (!create->primary)
        return 0;
    unsigned count = 0;
    size_t bytes = (create->primary->part_count + 1) * sizeof(uint16_t);
    uint16_t *pk = (uint16_t *)arena_alloc(arena, bytes);
    if (!pk)
        return err_set(e, NO_MEMORY, bytes);
    for (unsigned i = 0; i < create->primary->part_count; i++)
        if (create->primary->parts[i].column != CREATE_NO_COLUMN)
            pk[count++] = create->primary->parts[i].column;
    if (hidden)
        pk[count++] = (uint16_t)(create->column_count + hidden - 1);
    tbl->pk = pk;
    tbl->pk_count = count;
    return 0;
}

/* The columns without a log: wire codes as a server of today uses them. */
static int make_table(struct table *tbl, struct column **out, const struct create_table *create, struct arena *arena,
                      struct err *e)
{
    struct column *columns = (struct column *)arena_alloc(arena, create->column_count * sizeof *columns);
    if (!columns)
        return err_set(e, NO_MEMORY, create->column_count * sizeof *columns);
    for (unsigned i = 0; i < create->column_count; i++) {
        const struct create_column *col = &create->columns[i];
        int word = find_word(col);
        columns[i] = (struct column){.nullable = col->nullable};
        if (word >= 0) {
            const struct type_row *row = type_row(words[word].wire);
            columns[i].type.wire = words[word].wire;
            columns[i].type.family = row ? row->family : FAMILY_NONE;
        }
        int rc = copy_names(&columns[i], col, arena, e);
        if (rc == 0)
            rc = complete_type(&columns[i].type, col, arena, e);
        if (rc != 0)
            return rc;
    }
    *tbl = (struct table){.db = create->name.db, .name = create->name.table, .columns = columns};
    tbl->column_count = create->column_count;
    *out = columns;
    int rc = definition_describe(create, tbl, columns, arena, e);
    return rc == 0 ? copy_key(tbl, create, 0, arena, e) : rc;
}

void definition_statement(struct ddl_statement *out, const char *db, const char *sql, size_t len)
{
    *out = (struct ddl_statement){.sql = sql, .len = len, .db = db, .db_len = strlen(db)};
    /* Only MariaDB prints comments of this form; the others mean the same to both. */
    out->mode.flavor = memmem(sql, len, "/*M!", 4) ? FLAVOR_MARIADB : FLAVOR_MYSQL;
}

/* The text parsed, and the table that it makes, both in the arena. */
static int read_definition(struct create_table *create, struct table *tbl, struct column **columns,
                           const struct ddl_statement *stmt, struct arena *arena, struct err *e)
{
    int rc = create_table_parse(create, stmt, NULL, arena, e);
    return rc == 0 ? make_table(tbl, columns, create, arena, e) : rc;
}

int definition_new(struct definition **out, const char *db, const char *sql, size_t len, struct err *e)
{
    struct definition *def = (struct definition *)calloc(1, sizeof *def);
    if (!def)
        return err_set(e, NO_MEMORY, sizeof *def);
    arena_init(&def->arena, DEFINITION_CHUNK, 0, DEFINITION_CAP);
    struct ddl_statement stmt;
    definition_statement(&stmt, db, sql, len);
    int rc = read_definition(&def->create, &def->tbl, &def->columns, &stmt, &def->arena, e);
    if (rc != 0) {
        definition_free(def);
        return rc;
    }
    *out = def;
    return 0;
}

int definition_read(struct table **out, const char *db, const char *sql, size_t len, struct arena *arena, struct err *e)
{
    struct create_table create;
    struct column *columns;
    struct ddl_statement stmt;
    struct table *tbl = (struct table *)arena_alloc(arena, sizeof *tbl);
    char *owner = arena_copy(arena, db, strlen(db));
    if (!tbl || !owner)
        return err_set(e, NO_MEMORY, sizeof *tbl + strlen(db));
    definition_statement(&stmt, owner, sql, len);
    int rc = read_definition(&create, tbl, &columns, &stmt, arena, e);
    *out = tbl;
    return rc;
}

void definition_free(struct definition *def)
{
    if (!def)
        return;
    arena_release(&def->arena);
    free(def);
}

const struct table *definition_table(const struct definition *def)
{
    return &def->tbl;
}

static int mismatch(const struct table *tbl, const char *log, const char *definition, struct err *e)
{
    return err_set(e, SCHEMA_MISMATCH, tbl->db, tbl->name, log, definition);
}

bool definition_fits(const struct coltype *type, const struct create_column *col)
{
    int word = find_word(col);
    if (word < 0 || (words[word].wire != type->wire && words[word].other != type->wire))
        return false;
    if (type->wire == WIRE_NEWDECIMAL && col->has_length)
        return (type->meta & 0xff) == col->length && type->meta >> 8 == col->decimals;
    if (type->wire == WIRE_TIME2 || type->wire == WIRE_DATETIME2 || type->wire == WIRE_TIMESTAMP2)
        return (type->meta & 0xff) == (col->has_length ? col->length : 0);
    if (is_numeric(type->wire) && type->sign_known)
        return type->is_unsigned == col->is_unsigned;
    if (type->labels)
        return type->label_count == col->label_count;
    return true;
}

static int column_mismatch(const struct table *tbl, unsigned i, const struct create_column *col, struct err *e)
{
    const struct column *column = &tbl->columns[i];
    char type[64], log[WHAT_MAX], definition[WHAT_MAX];
    coltype_print(&column->type, type, sizeof type);
    snprintf(log, sizeof log, "%s%s as column %u", type, column->nullable ? "" : " NOT NULL", i + 1);
    snprintf(definition, sizeof definition, "%.60s %.60s%s", col->name.p, col->type.p,
             col->nullable ? "" : " NOT NULL");
    return mismatch(tbl, log, definition, e);
}

static int check_column(const struct table *tbl, unsigned i, const struct create_column *col, struct err *e)
{
    const struct column *column = &tbl->columns[i];
    if (definition_fits(&column->type, col) && column->nullable == col->nullable)
        return 0;
    return column_mismatch(tbl, i, col, e);
}

static unsigned hidden_history(const struct create_table *create)
{
    if (!create->versioned)
        return 0;
    for (unsigned i = 0; i < create->column_count; i++)
        if (create->columns[i].generated == CREATE_ROW_START)
            return 0;
    return HISTORY_COUNT;
}

bool definition_find_hidden(const struct create_table *create, unsigned in_log, struct hidden *out)
{
    unsigned hashed = 0;
    *out = (struct hidden){.history = hidden_history(create)};
    for (unsigned i = 0; i < create->key_count; i++)
        hashed += create->keys[i].kind == CREATE_UNIQUE && create->keys[i].hashed;
    if (in_log < create->column_count + out->history)
        return false;
    out->hashes = in_log - create->column_count - out->history;
    return out->hashes <= hashed;
}

static int name_history(struct table *tbl, struct column *columns, unsigned from, struct err *e)
{
    for (unsigned i = 0; i < HISTORY_COUNT; i++) {
        struct column *column = &columns[from + i];
        if (column->type.wire != WIRE_TIMESTAMP2 && column->type.wire != WIRE_LONGLONG)
            return mismatch(tbl, "no hidden columns of a versioned table", "SYSTEM VERSIONING", e);
        column->name = history_names[i];
        column->name_len = (uint32_t)strlen(history_names[i]);
        column->type.is_unsigned = true;
        column->type.sign_known = true;
    }
    return 0;
}

/* DB_ROW_HASH_1, DB_ROW_HASH_2, …: numbers whose name a column has already are left out, as the server does. */
static int name_hashes(const struct create_table *create, struct table *tbl, struct column *columns, unsigned from,
                       struct arena *arena, struct err *e)
{
    unsigned number = 1;
    for (unsigned i = from; i < tbl->column_count; i++, number++) {
        char name[32];
        if (columns[i].type.wire != WIRE_LONGLONG)
            return mismatch(tbl, "no hidden column of a hash", "UNIQUE … USING HASH", e);
        int len = snprintf(name, sizeof name, "DB_ROW_HASH_%u", number);
        while (create_table_find_column(create, name, (size_t)len) >= 0)
            len = snprintf(name, sizeof name, "DB_ROW_HASH_%u", ++number);
        columns[i].name = arena_copy(arena, name, (size_t)len);
        if (!columns[i].name)
            return err_set(e, NO_MEMORY, (size_t)len);
        columns[i].name_len = (uint32_t)len;
        columns[i].type.is_unsigned = true;
        columns[i].type.sign_known = true;
    }
    return 0;
}

int definition_merge(const struct definition *def, struct table *tbl, struct column *columns, struct arena *arena,
                     struct err *e)
{
    const struct create_table *create = &def->create;
    struct hidden hidden;
    if (!definition_find_hidden(create, tbl->column_count, &hidden)) {
        char log[32], definition[32];
        snprintf(log, sizeof log, "%u columns", tbl->column_count);
        snprintf(definition, sizeof definition, "%u", create->column_count + hidden.history);
        return mismatch(tbl, log, definition, e);
    }
    for (unsigned i = 0; i < create->column_count; i++) {
        int rc = check_column(tbl, i, &create->columns[i], e);
        if (rc == 0)
            rc = copy_names(&columns[i], &create->columns[i], arena, e);
        if (rc == 0)
            rc = complete_type(&columns[i].type, &create->columns[i], arena, e);
        if (rc == 0 && !coltype_declare(&columns[i].type, create->columns[i].word.p, create->columns[i].length))
            rc = column_mismatch(tbl, i, &create->columns[i], e);
        if (rc != 0)
            return rc;
    }
    int rc = hidden.history ? name_history(tbl, columns, create->column_count, e) : 0;
    if (rc == 0)
        rc = name_hashes(create, tbl, columns, create->column_count + hidden.history, arena, e);
    return rc == 0 ? copy_key(tbl, create, hidden.history, arena, e) : rc;
}

void definition_declare(const struct definition *def, struct table *tbl, struct column *columns, bool certain)
{
    for (unsigned i = 0; i < tbl->column_count; i++) {
        struct coltype *type = &columns[i].type;
        int at = create_table_find_column(&def->create, columns[i].name, columns[i].name_len);
        if (at < 0 || !coltype_is_vague(type) || !definition_fits(type, &def->create.columns[at]))
            continue;
        if (certain || !coltype_needs_scale(type))
            (void)coltype_declare(type, def->create.columns[at].word.p, def->create.columns[at].length);
    }
}
