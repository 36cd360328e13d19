/* Any bytes as a table, its definition and the images of a row, through every format with options of the input's
 * choice: what it writes is JSON in UTF-8, or it is an error. First byte: number of columns; the second picks op and
 * flags; the third the options; then for each column its four bytes and one for its definition; then the length of
 * the before image, and both images. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "change/format.h"
#include "change/shape.h"
#include "change/statement.h"
#include "tools/fuzz_table.h"
#include "value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define HEAD_BYTES   3
#define COLUMN_BYTES (FUZZ_COLUMN_BYTES + 1)
#define OPTIONS_MAX  8

struct input {
    const uint8_t *p;
    size_t len;
    unsigned count;
};

/* Options of all formats; those of another one are left out. */
static const char *const options[] = {
    "ddl=true",
    "convert_text=true",
    "query_dml=true",
    "gtid=true",
    "output_exact_time=true",
    "output_primary_keys=true",
    "output_nulls=false",
    "output_null_zerodates=true",
    "output_naming_strategy=underscore_to_camelcase",
    "exclude_columns=b,/[d-f]/",
    "kafka_key_format=array",
    "output_row_query=true",
    "output_binlog_position=true",
    "decimal.handling.mode=string",
    "decimal.handling.mode=double",
    "time.precision.mode=connect",
    "time.precision.mode=isostring",
    "time.precision.mode=nanoseconds",
    "bigint.unsigned.handling.mode=precise",
    "binary.handling.mode=hex",
    "skipped.operations=none",
    "enable.time.adjuster=false",
    "value.converter.replace.null.with.default=false",
    "provide.transaction.metadata=true",
    "geometry=geojson",
};
#define OPTION_COUNT (sizeof options / sizeof options[0])

static const char *const defaults[] = {
    NULL, "'it''s'", "-1.50", "NULL", "b'101'", "x'00FF'", "current_timestamp(6)", "'0000-00-00'", "(a + 1)", "'one'"};
static const char *const declared[] = {NULL,           "tinyint(1)", "float(7,3)", "point",
                                       "decimal(9,4)", "text",       "json",       "int(10) unsigned zerofill"};

static void define(struct column *column, struct column_definition *def, uint8_t spec)
{
    static const char *const words[] = {"int", "float", "point", "decimal"};
    column->nullable = spec & 1;
    column->declared = declared[spec >> 1 & 7];
    *def = (struct column_definition){.word = words[spec & 3],
                                      .length = 7,
                                      .decimals = spec & 3,
                                      .has_length = spec & 1,
                                      .has_decimals = spec & 2,
                                      .initial = defaults[spec >> 4 < 10 ? spec >> 4 : 0]};
    column->definition = spec & 64 ? def : NULL;
}

/* The table in an arena of its own, which the cache takes. */
static const struct shape *make_shape(const struct input *in, struct shape_cache *cache)
{
    static const uint16_t key[] = {0, 1};
    const struct shape *shape = NULL;
    struct arena *arena = malloc(sizeof *arena);
    if (!arena)
        abort();
    arena_init(arena, 4096, 0, 0);
    struct column *columns = arena_alloc(arena, in->count * sizeof *columns);
    struct column_definition *defs = arena_alloc(arena, in->count * sizeof *defs);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    if (!columns || !defs || !tbl)
        abort();
    bool made = true;
    for (unsigned i = 0; made && i < in->count; i++) {
        const uint8_t *spec = in->p + HEAD_BYTES + COLUMN_BYTES * i;
        made = fuzz_column(&columns[i], i, spec);
        define(&columns[i], &defs[i], spec[FUZZ_COLUMN_BYTES]);
    }
    *tbl = (struct table){.db = "d`b", .name = "t", .columns = columns, .column_count = in->count, .pk_known = true};
    unsigned key_count = in->count < 2 ? in->count : 2;
    if (in->p[0] & 64) {
        tbl->pk = key;
        tbl->pk_count = key_count;
        tbl->pk_is_unique = in->p[0] & 32;
    } else if (in->p[0] & 128) {
        tbl->unique = key;
        tbl->unique_count = key_count;
    }
    if (made && shape_cache_take(cache, arena, tbl, &shape, NULL) == 0)
        return shape;
    arena_release(arena);
    free(arena);
    return NULL;
}

static void check_part(const uint8_t *p, size_t len)
{
    if (len == 0 || len == RECORD_NONE)
        return;
    json_error_t why;
    json_t *made = json_loadb((const char *)p, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
    /* Numbers of 309 digits and more are beyond what jansson holds. */
    if (!value_is_utf8((const char *)p, len) || (!made && json_error_code(&why) != json_error_numeric_overflow)) {
        fprintf(stderr, "%s: %.*s\n", made ? "not UTF-8" : why.text, (int)len, (const char *)p);
        abort();
    }
    json_decref(made);
}

static void check_records(const struct record_list *records)
{
    for (size_t i = 0; i < records->count; i++) {
        const struct record *r = &records->list[i];
        const uint8_t *p = records->text.p + r->at;
        size_t key_len = r->key_len == RECORD_NONE ? 0 : r->key_len;
        if (r->kind != RECORD_STATEMENT) /* Maxwell's is no JSON there */
            check_part(p, r->key_len);
        check_part(p + key_len, r->headers_len);
        check_part(p + key_len + r->headers_len, r->value_len);
    }
}

/* The changes of one input: marks around the row, the row itself, a statement. `needs` of the format with its options.
 */
static void feed(struct format *format, unsigned needs, const struct change *row, const void *bind,
                 struct record_list *out)
{
    static const enum change_op ops[] = {CHANGE_BEGIN, CHANGE_INSERT, CHANGE_STATEMENT, CHANGE_TRUNCATE, CHANGE_END};
    const struct statement_table tables[] = {
        {.db = "d", .name = "t", .before = row->shape->tbl, .after = row->shape->tbl}};
    const struct statement statement = {.kind = STATEMENT_ALTER_TABLE,
                                        .text = "alter table t",
                                        .len = 13,
                                        .db = "d",
                                        .tables = tables,
                                        .table_count = 1};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct change chg = *row;
        struct err e = ERR_INIT;
        if (ops[i] != CHANGE_INSERT) {
            chg.op = ops[i];
            chg.shape = NULL;
            chg.before = chg.after = (struct image){0};
            chg.statement = ops[i] == CHANGE_STATEMENT ? &statement : NULL;
        }
        bool asked = ops[i] == CHANGE_STATEMENT
                         ? needs & FORMAT_NEEDS_STATEMENTS
                         : ops[i] == CHANGE_INSERT || ops[i] == CHANGE_TRUNCATE || needs & FORMAT_NEEDS_TRANSACTIONS;
        const void *bound = chg.shape ? bind : NULL;
        if (asked && format->ops->add(format, &chg, bound, i, out, &e) != 0 && e.code == ERR_NONE)
            abort();
    }
}

static void run_format(const struct format_ops *ops, const struct input *in, const struct change *row)
{
    const char *given[OPTIONS_MAX];
    struct format_choice choice = {.name = ops->name, .given = {.items = given}};
    struct config *cfg = NULL;
    struct env env = {0};
    struct record_list records;
    struct format *format = NULL;
    void *bind = NULL;
    for (unsigned i = 0; i < 3; i++) {
        const char *option = options[(in->p[2] + i * 7u) % OPTION_COUNT];
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(option, "="), option);
        if (option_find(ops->options, name))
            given[choice.given.count++] = option;
    }
    if (config_parse(&cfg, &env, "fuzz", "", NULL) != 0 || format_choose(&choice, cfg, NULL) != 0)
        abort();
    records_init(&records, (size_t)64 << 20);
    records.wants_keys = in->p[1] & 128;
    int rc = ops->bind ? ops->bind(&bind, choice.options, row->shape->tbl, NULL) : 0;
    if (rc == 0 && ops->open(&format, choice.options, NULL) == 0) {
        feed(format, ops->needs ? ops->needs(choice.options) : 0, row, bind, &records);
        if (ops->flush && ops->flush(format, &records, NULL) != 0 && !records.text.failed)
            abort();
        check_records(&records);
        ops->close(format);
    }
    if (ops->unbind)
        ops->unbind(bind);
    records_release(&records);
    config_free(cfg);
}

/* An image of the row at *p, which it moves behind; false when the bytes are not of one. */
static bool take_image(const struct shape *shape, const uint8_t **p, const uint8_t *end, struct image *out)
{
    size_t size = shape_walk(shape, NULL, *p, end, NULL, NULL);
    if (size == SIZE_MAX)
        return false;
    *out = (struct image){.bytes = *p, .len = size};
    *p += size;
    return true;
}

static void run(const struct input *in, const struct shape *shape)
{
    static const enum change_op ops[] = {CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_READ};
    const uint8_t *p = in->p + HEAD_BYTES + COLUMN_BYTES * in->count, *end = in->p + in->len;
    const struct row_query query = {.text = "update t \xe9", .len = 10, .whole_bytes = 10};
    struct tx tx = {.file = "b.1", .commit_us = 1, .origin_us = in->p[1] & 64 ? 5 : 0, .has_xid = in->p[1] & 32};
    struct change row = {.op = ops[in->p[1] & 3], .shape = shape, .tx = &tx, .key = "k", .key_len = 1};
    row.db = shape->tbl->db;
    row.table = shape->tbl->name;
    row.query = in->p[1] & 4 ? &query : NULL;
    row.flags = in->p[1] & 8 ? CHANGE_LAST_IN_EVENT | CHANGE_LAST_IN_TX | CHANGE_LAST_OF_TX : 0;
    bool has_before = row.op == CHANGE_UPDATE || row.op == CHANGE_DELETE, has_after = row.op != CHANGE_DELETE;
    if ((has_before && !take_image(shape, &p, end, &row.before)) ||
        (has_after && !take_image(shape, &p, end, &row.after)))
        return;
    if (row.op == CHANGE_UPDATE && in->p[1] & 16)
        row.flags |= in->p[1] & 8 ? CHANGE_FROM : CHANGE_TO;
    for (const struct format_ops *const *ops_of = format_registry; *ops_of; ops_of++)
        run_format(*ops_of, in, &row);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct input in = {.p = bytes, .len = len, .count = len ? 1 + bytes[0] % FUZZ_COLUMNS_MAX : 0};
    if (in.count == 0 || len < HEAD_BYTES + (size_t)COLUMN_BYTES * in.count)
        return 0;
    struct shape_cache *cache = shape_cache_new();
    if (!cache)
        abort();
    const struct shape *shape = make_shape(&in, cache);
    if (shape)
        run(&in, shape);
    shape_cache_free(cache);
    return 0;
}
