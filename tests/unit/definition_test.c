/* What only a definition tells of a table: when it comes into shapes, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/definition.h"
#include "schema/schema.h"

#define COLUMNS 5

/* The server behind the reader. */
struct server {
    const char *sql;     /* NULL: it cannot be asked */
    uint64_t pos;        /* of bin.000001, where it is read */
    enum err_code error; /* instead of an answer; ERR_NONE: an answer */
    unsigned reads;
};

static int read_sql(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                    struct err *e)
{
    struct server *server = ctx;
    (void)db;
    (void)table;
    server->reads++;
    if (server->error)
        return err_set_format(e, server->error, "no answer");
    snprintf(out->where.at.file, sizeof out->where.at.file, "bin.000001");
    out->where.at.pos = server->pos;
    buf_text(sql, server->sql);
    return 1;
}

#define TABLE(default, keys)                                                                                           \
    "CREATE TABLE `t` (\n"                                                                                             \
    "  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,\n"                                                            \
    "  `name` varchar(20) CHARACTER SET latin1 DEFAULT " default ",\n"                                                 \
                                                                 "  `flag` tinyint(1) NOT NULL DEFAULT 1,\n"           \
                                                                 "  `f` float(7,3) DEFAULT NULL,\n"                    \
                                                                 "  `z` int(8) unsigned zerofill GENERATED ALWAYS AS " \
                                                                 "(1) VIRTUAL,\n"                                      \
                                                                 "  PRIMARY KEY (`id`)" keys "\n"                      \
                                                                 ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "            \
                                                                 "COLLATE=utf8mb4_bin"
#define KEYS ",\n  UNIQUE KEY `u1` (`name`),\n  UNIQUE KEY `u2` (`flag`,`id`),\n  UNIQUE KEY `u3` (`id`)"

static const char sql_of_t[] = TABLE("'it''s'", KEYS);

static const uint8_t types[] = {8, 15, 1, 4, 3}, metadata[] = {20, 0, 4}, nullable[] = {0x1a};

/* signs; collation 8 (latin1) of the texts; names; primary key (id) */
static const uint8_t full[] = {1,   1,   0x90, 2,   1,   8,   4,   17, 2,   'i', 'd', 4, 'n', 'a',
                               'm', 'e', 4,    'f', 'l', 'a', 'g', 1,  'f', 1,   'z', 8, 1,   0};

static struct wire_table make_wire(bool named)
{
    return (struct wire_table){.table_id = 1,
                               .db = "shop",
                               .db_len = 4,
                               .name = "t",
                               .name_len = 1,
                               .column_count = COLUMNS,
                               .types = types,
                               .metadata = metadata,
                               .metadata_len = sizeof metadata,
                               .nullable = nullable,
                               .optional = named ? full : NULL,
                               .optional_len = named ? sizeof full : 0};
}

struct fixture {
    struct server server;
    struct schema_reader reader;
    struct schema *schema;
};

static void open_schema(struct fixture *fx, const char *sql, bool want)
{
    struct err e = ERR_INIT;
    *fx = (struct fixture){.server = {.sql = sql, .pos = 100}};
    fx->reader = (struct schema_reader){&fx->server, read_sql};
    assert_int_equal(schema_new(&fx->schema, &fx->reader, &e), 0);
    schema_want_definitions(fx->schema, want);
}

static const struct shape *resolve(struct fixture *fx, bool named, uint64_t pos, struct err *e)
{
    const struct shape *shape = NULL;
    struct history_where where = {.server_uuid = NULL};
    struct wire_table wire = make_wire(named);
    snprintf(where.at.file, sizeof where.at.file, "bin.000001");
    where.at.pos = pos;
    int rc = schema_resolve(fx->schema, &wire, &where, &shape, e);
    assert_int_equal(rc, -(int)e->code);
    return shape;
}

static void check_column(const struct column *column, const char *declared, const struct column_definition *expected)
{
    const struct column_definition *got = column->definition;
    assert_string_equal(column->declared, declared);
    assert_non_null(got);
    assert_string_equal(got->word, expected->word);
    assert_int_equal(got->length, expected->length);
    assert_int_equal(got->decimals, expected->decimals);
    assert_int_equal(got->has_length, expected->has_length);
    assert_int_equal(got->has_decimals, expected->has_decimals);
    assert_int_equal(got->zerofill, expected->zerofill);
    assert_int_equal(got->auto_increment, expected->auto_increment);
    assert_int_equal(got->generated, expected->generated);
    const char *const texts[][2] = {
        {got->initial, expected->initial}, {got->charset, expected->charset}, {got->collation, expected->collation}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(!texts[i][0], !texts[i][1]);
        if (texts[i][0])
            assert_string_equal(texts[i][0], texts[i][1]);
    }
}

static void check_described(const struct table *tbl)
{
    const struct column_definition expected[COLUMNS] = {
        {.word = "bigint", .length = 20, .has_length = true, .auto_increment = true},
        {.word = "varchar", .length = 20, .has_length = true, .initial = "'it''s'", .charset = "latin1"},
        {.word = "tinyint", .length = 1, .has_length = true, .initial = "1"},
        {.word = "float", .length = 7, .decimals = 3, .has_length = true, .has_decimals = true, .initial = "NULL"},
        {.word = "int", .length = 8, .has_length = true, .zerofill = true, .generated = true},
    };
    static const char *const declared[COLUMNS] = {"bigint(20) unsigned", "varchar(20)", "tinyint(1)", "float(7,3)",
                                                  "int(8) unsigned zerofill"};
    for (unsigned i = 0; i < COLUMNS; i++)
        check_column(&tbl->columns[i], declared[i], &expected[i]);
    assert_int_equal(tbl->unique_count, 2);
    assert_int_equal(tbl->unique[0], 2);
    assert_int_equal(tbl->unique[1], 0);
    assert_string_equal(tbl->charset, "utf8mb4");
}

static void check_bare(const struct table *tbl)
{
    for (unsigned i = 0; i < tbl->column_count; i++)
        assert_null(tbl->columns[i].definition);
    assert_null(tbl->unique);
    assert_int_equal(tbl->unique_count, 0);
    assert_null(tbl->charset);
}

static void definition_table__all_parts__told(void **state)
{
    (void)state;
    struct definition *def;
    assert_int_equal(definition_new(&def, "shop", sql_of_t, strlen(sql_of_t), NULL), 0);
    check_described(definition_table(def));
    definition_free(def);
}

static void definition_table__texts__have_their_collations(void **state)
{
    (void)state;
    static const char sql[] = "CREATE TABLE t (a char(1), b text COLLATE latin1_bin, c enum('x') CHARACTER SET greek, "
                              "d blob, e set('y')) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    static const char *const expected[][2] = {{"utf8mb4", "utf8mb4_bin"},
                                              {"latin1", "latin1_bin"},
                                              {"greek", NULL},
                                              {NULL, NULL},
                                              {"utf8mb4", "utf8mb4_bin"}};
    struct definition *def;
    assert_int_equal(definition_new(&def, "shop", sql, strlen(sql), NULL), 0);
    for (unsigned i = 0; i < 5; i++) {
        const struct column_definition *col = definition_table(def)->columns[i].definition;
        const char *const got[] = {col->charset, col->collation};
        for (unsigned k = 0; k < 2; k++) {
            assert_int_equal(!got[k], !expected[i][k]);
            if (got[k])
                assert_string_equal(got[k], expected[i][k]);
        }
    }
    definition_free(def);
}

static void definition_table__unique_keys__first_that_tells_rows_apart(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        unsigned count;
        uint16_t columns[2];
    } cases[] = {
        {"", 0, {0}},
        {", UNIQUE KEY a (name)", 0, {0}},
        {", UNIQUE KEY a (flag, name)", 0, {0}},
        {", KEY a (flag)", 0, {0}},
        {", UNIQUE KEY a (name), UNIQUE KEY b (flag), UNIQUE KEY c (id)", 1, {2}},
        {", UNIQUE KEY a (flag, id)", 2, {2, 0}},
        {", UNIQUE KEY a ((flag + 1)), UNIQUE KEY b (id, (flag + 1)), UNIQUE KEY c (id)", 1, {0}},
        {", UNIQUE KEY a (code(3))", 1, {3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[300];
        struct definition *def;
        snprintf(sql, sizeof sql, "CREATE TABLE t (id int NOT NULL, name int, flag int NOT NULL, code text NOT NULL%s)",
                 cases[i].keys);
        assert_int_equal(definition_new(&def, "shop", sql, strlen(sql), NULL), 0);
        const struct table *tbl = definition_table(def);
        if (tbl->unique_count != cases[i].count || memcmp(tbl->unique ? tbl->unique : cases[i].columns,
                                                          cases[i].columns, cases[i].count * sizeof(uint16_t)) != 0)
            fail_msg("%s: %u columns", cases[i].keys, tbl->unique_count);
        definition_free(def);
    }
}

static void definition_table__json_of_mariadb__known_by_its_check(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        bool json;
    } cases[] = {
        {"`a b` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`a b`))", true},
        {"a longtext NOT NULL CHECK (JSON_VALID(A)) COMMENT 'c'", true},
        {"a longtext CHECK (json_valid(`b`))", false},
        {"a longtext CHECK (json_valid(a) or a is null)", false},
        {"a longtext CHECK (json_valid('a'))", false},
        {"a longtext CHECK (length(a) > 1)", false},
        {"a text CHECK (json_valid(a))", false},
        {"a json", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[200];
        struct definition *def;
        snprintf(sql, sizeof sql, "CREATE TABLE t (%s)", cases[i].column);
        assert_int_equal(definition_new(&def, "shop", sql, strlen(sql), NULL), 0);
        if (definition_table(def)->columns[0].definition->json != cases[i].json)
            fail_msg("%s: %d", cases[i].column, !cases[i].json);
        definition_free(def);
    }
}

/* As the history keeps what a statement of the log made. */
static void definition_table__json_of_a_statement__kept_by_the_history(void **state)
{
    (void)state;
    static const char sql[] = "CREATE TABLE t (a JSON, b LONGTEXT, c JSON NOT NULL DEFAULT '{}')";
    static const struct {
        enum flavor flavor;
        const char *word;
    } cases[] = {{FLAVOR_MARIADB, "longtext"}, {FLAVOR_MYSQL, "json"}};
    for (size_t i = 0; i < 2; i++) {
        const struct create_context ctx = {.charset = {"latin1", 6}};
        struct ddl_statement stmt = {.sql = sql, .len = strlen(sql), .db = "shop", .db_len = 4};
        struct create_table create;
        struct definition *def;
        struct arena arena;
        struct buf text;
        stmt.mode.flavor = cases[i].flavor;
        arena_init(&arena, 4096, 0, 0);
        buf_init(&text, 0);
        assert_int_equal(create_table_parse(&create, &stmt, &ctx, &arena, NULL), 0);
        assert_int_equal(create_table_print(&create, &text, NULL), 0);
        assert_int_equal(definition_new(&def, "shop", (const char *)text.p, text.len, NULL), 0);
        for (unsigned k = 0; k < 3; k++) {
            const struct column_definition *col = definition_table(def)->columns[k].definition;
            assert_string_equal(col->word, k == 1 ? "longtext" : cases[i].word);
            assert_int_equal(col->json, k != 1 && cases[i].flavor == FLAVOR_MARIADB);
        }
        definition_free(def);
        buf_release(&text);
        arena_release(&arena);
    }
}

static void definition_attach__asked_for__in_every_mode(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct fixture fx;
        struct err e = ERR_INIT;
        open_schema(&fx, sql_of_t, true);
        const struct shape *shape = resolve(&fx, named, 100, &e);
        if (!shape)
            fail_msg("%s", e.text);
        check_described(shape->tbl);
        assert_int_equal(shape->tbl->pk_count, 1);
        assert_ptr_equal(resolve(&fx, named, 200, &e), shape);
        assert_int_equal(fx.server.reads, 1);
        schema_free(fx.schema);
    }
}

static void definition_attach__not_asked_for__shapes_stay_small(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct fixture fx;
        struct err e = ERR_INIT;
        open_schema(&fx, sql_of_t, false);
        const struct shape *shape = resolve(&fx, named, 100, &e);
        assert_non_null(shape);
        check_bare(shape->tbl);
        assert_int_equal(shape->tbl->columns[0].declared == NULL, named);
        assert_int_equal(fx.server.reads, !named);
        schema_free(fx.schema);
    }
}

static void definition_attach__younger_than_the_row__nothing(void **state)
{
    (void)state;
    struct fixture fx;
    struct err e = ERR_INIT;
    open_schema(&fx, sql_of_t, true);
    const struct shape *shape = resolve(&fx, true, 99, &e);
    assert_non_null(shape);
    check_bare(shape->tbl);
    assert_non_null(resolve(&fx, true, 99, &e));
    assert_int_equal(fx.server.reads, 1);
    check_described(resolve(&fx, true, 100, &e)->tbl);
    schema_free(fx.schema);
}

static void definition_attach__other_columns__nothing(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "CREATE TABLE t (id bigint unsigned NOT NULL, name varchar(20), flag tinyint NOT NULL, f float)",
        "CREATE TABLE t (id bigint unsigned NOT NULL, name varchar(20), flag tinyint NOT NULL, f float, z int "
        "unsigned, "
        "y int)",
        "CREATE TABLE t (id bigint unsigned NOT NULL, other varchar(20), flag tinyint NOT NULL, f float, z int "
        "unsigned)",
        "CREATE TABLE t (id bigint NOT NULL, name varchar(20), flag tinyint NOT NULL, f float, z int unsigned)",
        "CREATE TABLE t (id bigint unsigned NOT NULL, name varchar(20), flag smallint NOT NULL, f float, z int "
        "unsigned)",
        "CREATE TABLE t (id bigint unsigned NOT NULL, name varchar(20), flag tinyint, f float, z int unsigned)",
        "CREATE TABLE t (id bigint unsigned NOT NULL, flag tinyint NOT NULL, name varchar(20), f float, z int "
        "unsigned)",
        "CREATE VIEW t AS SELECT 1",
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct fixture fx;
        struct err e = ERR_INIT;
        open_schema(&fx, tables[i], true);
        const struct shape *shape = resolve(&fx, true, 100, &e);
        if (!shape || shape->tbl->columns[0].definition)
            fail_msg("%s: %s", tables[i], shape ? "attached" : e.text);
        check_bare(shape->tbl);
        schema_free(fx.schema);
    }
}

static void definition_attach__name_in_other_case__is_the_column(void **state)
{
    (void)state;
    struct fixture fx;
    struct err e = ERR_INIT;
    open_schema(&fx,
                "CREATE TABLE t (ID bigint unsigned NOT NULL, Name varchar(20), flag tinyint NOT NULL, f float, z int "
                "unsigned)",
                true);
    const struct shape *shape = resolve(&fx, true, 100, &e);
    assert_non_null(shape);
    assert_string_equal(shape->tbl->columns[0].definition->word, "bigint");
    assert_string_equal(shape->tbl->columns[0].name, "id");
    schema_free(fx.schema);
}

static void definition_attach__no_answer__only_an_error_that_passes_is_one(void **state)
{
    (void)state;
    static const struct {
        enum err_code error;
        bool fails;
    } cases[] = {{ERR_QUERY_FAILED, false}, {ERR_CONNECT, true}, {ERR_NO_MEMORY, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fx;
        struct err e = ERR_INIT;
        open_schema(&fx, NULL, true);
        fx.server.error = cases[i].error;
        const struct shape *shape = resolve(&fx, true, 100, &e);
        assert_int_equal(shape == NULL, cases[i].fails);
        if (shape)
            check_bare(shape->tbl);
        else
            assert_int_equal(e.code, cases[i].error);
        schema_free(fx.schema);
    }
}

static void definition_attach__each_allocation_fails__no_memory(void **state)
{
    (void)state;
    struct definition *def;
    bool done = false;
    unsigned failures = 0;
    assert_int_equal(definition_new(&def, "shop", sql_of_t, strlen(sql_of_t), NULL), 0);
    for (size_t cap = 16; !done; cap += 16) {
        struct err e = ERR_INIT;
        struct column columns[COLUMNS];
        struct table tbl = {.db = "shop", .name = "t", .columns = columns, .column_count = COLUMNS};
        struct arena arena;
        for (unsigned i = 0; i < COLUMNS; i++) {
            columns[i] = definition_table(def)->columns[i];
            columns[i].definition = NULL;
            columns[i].declared = NULL;
        }
        arena_init(&arena, 16, 0, cap);
        done = definition_attach(def, &tbl, columns, &arena, &e) == 0;
        if (done)
            check_described(&tbl);
        else
            assert_int_equal(e.code, ERR_NO_MEMORY);
        failures += !done;
        arena_release(&arena);
    }
    assert_true(failures > 10);
    definition_free(def);
}

/* Of a table that was read again behind each change. */
static void definition_attach__another_definition__another_shape(void **state)
{
    (void)state;
    static const char *const tables[] = {TABLE("'it''s'", KEYS),
                                         TABLE("'its'", KEYS),
                                         TABLE("NULL", KEYS),
                                         TABLE("'it''s' COLLATE latin1_bin", KEYS),
                                         TABLE("'it''s'", ", UNIQUE KEY u (id)"),
                                         TABLE("'it''s'", "")};
    const struct shape *shapes[sizeof tables / sizeof tables[0]];
    struct fixture fx;
    struct err e = ERR_INIT;
    open_schema(&fx, NULL, true);
    for (size_t i = 0; i <= sizeof tables / sizeof tables[0]; i++) {
        size_t n = i % (sizeof tables / sizeof tables[0]);
        fx.server.sql = tables[n];
        fx.server.pos = 100 * (i + 1);
        assert_int_equal(schema_refresh(fx.schema, "shop", "t", &e), 0);
        const struct shape *shape = resolve(&fx, true, fx.server.pos, &e);
        assert_non_null(shape);
        if (i > 0 && n == 0)
            assert_ptr_equal(shape, shapes[0]);
        shapes[n] = shape;
        for (size_t k = 0; k < n; k++)
            assert_ptr_not_equal(shape, shapes[k]);
    }
    schema_free(fx.schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition_table__all_parts__told),
        cmocka_unit_test(definition_table__texts__have_their_collations),
        cmocka_unit_test(definition_table__unique_keys__first_that_tells_rows_apart),
        cmocka_unit_test(definition_table__json_of_mariadb__known_by_its_check),
        cmocka_unit_test(definition_table__json_of_a_statement__kept_by_the_history),
        cmocka_unit_test(definition_attach__asked_for__in_every_mode),
        cmocka_unit_test(definition_attach__not_asked_for__shapes_stay_small),
        cmocka_unit_test(definition_attach__younger_than_the_row__nothing),
        cmocka_unit_test(definition_attach__other_columns__nothing),
        cmocka_unit_test(definition_attach__name_in_other_case__is_the_column),
        cmocka_unit_test(definition_attach__no_answer__only_an_error_that_passes_is_one),
        cmocka_unit_test(definition_attach__each_allocation_fails__no_memory),
        cmocka_unit_test(definition_attach__another_definition__another_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
