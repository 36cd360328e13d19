/* Definitions of tables: what real servers print, judged by what their information_schema says of the same tables
 * (tests/golden/create_table, made by collect.py there); then forms and lies that no server prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/create_table.h"

static struct ddl_statement statement(enum flavor flavor, const char *sql, size_t len)
{
    return (struct ddl_statement){
        .sql = sql,
        .len = len,
        .db = "gold",
        .db_len = 4,
        .mode = {.flavor = flavor, .server_version = flavor == FLAVOR_MYSQL ? 90704 : 101119}};
}

/* Backslashes and line breaks as in the golden files. */
static void print_text(struct buf *b, const struct create_text *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->p[i] == '\\')
            buf_text(b, "\\\\");
        else if (text->p[i] == '\n')
            buf_text(b, "\\n");
        else
            buf_byte(b, (uint8_t)text->p[i]);
}

static void print_charset(struct buf *b, const struct create_text *charset, const struct create_text *collation)
{
    buf_printf(b, " charset=%s collation=%s", charset->p ? charset->p : "-", collation->p ? collation->p : "-");
}

static void print_column(struct buf *b, const struct create_column *col)
{
    static const char *const generated[] = {"", " virtual", " stored", " row_start", " row_end"};
    buf_text(b, "column ");
    print_text(b, &col->name);
    buf_text(b, " type=");
    print_text(b, &col->type);
    buf_text(b, col->nullable ? " null" : "");
    print_charset(b, &col->charset, &col->collation);
    buf_printf(b, "%s%s%s\n", generated[col->generated], col->invisible ? " invisible" : "",
               col->compressed ? " compressed" : "");
}

static void print_columns(struct buf *b, const struct create_table *def, const uint16_t *columns, unsigned count)
{
    buf_byte(b, '(');
    for (unsigned i = 0; i < count; i++) {
        buf_text(b, i ? "," : "");
        print_text(b, &def->columns[columns[i]].name);
    }
    buf_byte(b, ')');
}

static void print_key(struct buf *b, const struct create_table *def, const struct create_key *key)
{
    uint16_t columns[64];
    unsigned count = 0;
    if (key->kind > CREATE_UNIQUE)
        return;
    buf_text(b, key->kind == CREATE_PRIMARY ? "primary " : "unique ");
    if (key->kind == CREATE_UNIQUE) {
        print_text(b, &key->name);
        buf_byte(b, ' ');
    }
    for (unsigned i = 0; i < key->part_count; i++)
        if (key->parts[i].column != CREATE_NO_COLUMN)
            columns[count++] = key->parts[i].column;
    print_columns(b, def, columns, count);
    buf_text(b, create_key_is_partial(key) ? " partial\n" : "\n");
}

/* information_schema tells NO ACTION and RESTRICT apart by dialect: both change nothing, and are printed as one. */
static void print_foreign(struct buf *b, const struct create_table *def, const struct create_foreign_key *fk)
{
    static const char *const rules[] = {"restrict", "restrict", "cascade", "set null", "set default"};
    buf_text(b, "foreign ");
    print_text(b, &fk->name);
    buf_byte(b, ' ');
    print_columns(b, def, fk->columns, fk->column_count);
    buf_printf(b, " %s.%s (", fk->parent.db, fk->parent.table);
    for (unsigned i = 0; i < fk->parent_column_count; i++) {
        buf_text(b, i ? "," : "");
        print_text(b, &fk->parent_columns[i]);
    }
    buf_printf(b, ") delete=%s update=%s\n", rules[fk->on_delete], rules[fk->on_update]);
}

static void describe(struct buf *b, const struct create_table *def)
{
    struct create_text name = {def->name.table, def->name.table_len};
    buf_text(b, "table ");
    print_text(b, &name);
    print_charset(b, &def->charset, &def->collation);
    buf_printf(b, "%s%s\n", def->partitioned ? " partitioned" : "", def->versioned ? " versioned" : "");
    for (unsigned i = 0; i < def->column_count; i++)
        print_column(b, &def->columns[i]);
    if (def->primary)
        print_key(b, def, def->primary);
    for (unsigned i = 0; i < def->key_count; i++)
        if (def->keys[i].kind != CREATE_PRIMARY)
            print_key(b, def, &def->keys[i]);
    for (unsigned i = 0; i < def->foreign_count; i++)
        print_foreign(b, def, &def->foreign[i]);
}

static char *read_golden(const char *name, size_t *len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/create_table/%s", SLUICE_TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(1 << 20);
    *len = fread(text, 1, (1 << 20) - 1, file);
    text[*len] = '\0';
    fclose(file);
    return text;
}

/* The next part of a golden file: `separator` between them. */
static size_t part_len(const char *text, const char *separator)
{
    const char *end = strstr(text, separator);
    return end ? (size_t)(end - text) : strlen(text);
}

/* What is printed of a definition is read as the same one. */
static void check_print(const struct create_table *def, struct arena *arena)
{
    struct create_table again;
    struct err e = ERR_INIT;
    struct buf text;
    buf_init(&text, 0);
    assert_int_equal(create_table_print(def, &text, &e), 0);
    struct ddl_statement stmt = {.sql = (const char *)text.p, .len = text.len};
    if (create_table_parse(&again, &stmt, NULL, arena, &e) != 0 || !create_table_equal(def, &again))
        fail_msg("%s\n%.*s", e.text, (int)text.len, (const char *)text.p);
    buf_release(&text);
}

static void check_table(enum flavor flavor, const char *sql, size_t len, const char *expected, size_t expected_len)
{
    struct ddl_statement stmt = statement(flavor, sql, len);
    struct create_table def;
    struct arena arena;
    struct buf b;
    struct err e = ERR_INIT;
    arena_init(&arena, 65536, 0, 0);
    buf_init(&b, 0);
    if (create_table_parse(&def, &stmt, NULL, &arena, &e) != 0)
        fail_msg("%s", e.text);
    describe(&b, &def);
    check_print(&def, &arena);
    if (b.len != expected_len + 1 || memcmp(b.p, expected, expected_len) != 0)
        fail_msg("found:\n%.*s\nexpected:\n%.*s", (int)b.len, (char *)b.p, (int)expected_len, expected);
    buf_release(&b);
    arena_release(&arena);
}

static unsigned check_golden(enum flavor flavor, const char *sql_name, const char *text_name)
{
    size_t len;
    char *sqls = read_golden(sql_name, &len), *texts = read_golden(text_name, &len);
    const char *sql = sqls, *text = texts;
    unsigned tables = 0;
    texts[len - 1] = '\0';
    for (; *sql; tables++) {
        size_t sql_len = part_len(sql, ";\n\n"), text_len = part_len(text, "\n\n");
        check_table(flavor, sql, sql_len, text, text_len);
        sql += sql_len + (sql[sql_len] ? 3 : 0);
        text += text_len + (text[text_len] ? 2 : 0);
    }
    assert_int_equal(*text, 0);
    free(sqls);
    free(texts);
    return tables;
}

static void create_table__what_mariadb_prints__as_its_information_schema(void **state)
{
    (void)state;
    assert_true(check_golden(FLAVOR_MARIADB, "mariadb.sql", "mariadb.txt") >= 40);
}

static void create_table__what_mysql_prints__as_its_information_schema(void **state)
{
    (void)state;
    assert_true(check_golden(FLAVOR_MYSQL, "mysql.sql", "mysql.txt") >= 40);
}

static int parse(struct create_table *def, enum flavor flavor, const char *sql, size_t len, struct arena *arena,
                 struct err *e)
{
    struct ddl_statement stmt = statement(flavor, sql, len);
    return create_table_parse(def, &stmt, NULL, arena, e);
}

/* Every truncation is an error, but those that only lack options. */
static void create_table__cut_before_its_columns_end__table_definition(void **state)
{
    (void)state;
    static const char *const files[] = {"mariadb.sql", "mysql.sql"};
    struct arena arena;
    arena_init(&arena, 65536, 1 << 20, 0);
    for (int f = 0; f < 2; f++) {
        size_t len;
        char *sqls = read_golden(files[f], &len);
        for (const char *sql = sqls; *sql;) {
            size_t sql_len = part_len(sql, ";\n\n");
            size_t body = (size_t)((const char *)memmem(sql, sql_len, "\n)", 2) - sql);
            for (size_t cut = 0; cut <= sql_len; cut++) {
                struct create_table def;
                struct err e = ERR_INIT;
                char *copy = malloc(cut + 1);
                memcpy(copy, sql, cut);
                int rc = parse(&def, f ? FLAVOR_MYSQL : FLAVOR_MARIADB, copy, cut, &arena, &e);
                if (cut <= body && rc != -(int)ERR_TABLE_DEFINITION)
                    fail_msg("accepted: %.*s", (int)cut, sql);
                free(copy);
                arena_reset(&arena);
            }
            sql += sql_len + (sql[sql_len] ? 3 : 0);
        }
        free(sqls);
    }
    arena_release(&arena);
}

static void create_table__labels__unescaped_in_order(void **state)
{
    (void)state;
    static const char sql[] = "CREATE TABLE `t` (`a` enum('x','y''z','back\\\\slash','with,comma','with)paren',"
                              "'line\\nbreak','','\\0\\\\%\\_'), `b` set('a','\xc3\xbc'))";
    static const struct create_text labels[] = {
        {"x", 1}, {"y'z", 3},     {"back\\slash", 10}, {"with,comma", 10}, {"with)paren", 10}, {"line\nbreak", 10},
        {"", 0},  {"\0\\%\\_", 5}};
    struct create_table def;
    struct arena arena;
    arena_init(&arena, 4096, 0, 0);
    assert_int_equal(parse(&def, FLAVOR_MYSQL, sql, sizeof sql - 1, &arena, NULL), 0);
    assert_int_equal(def.columns[0].label_count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(def.columns[0].labels[i].len, labels[i].len);
        assert_memory_equal(def.columns[0].labels[i].p, labels[i].p, labels[i].len);
    }
    assert_int_equal(def.columns[1].label_count, 2);
    assert_string_equal(def.columns[1].labels[1].p, "\xc3\xbc");
    arena_release(&arena);
}

static void create_table__numbers_of_types__length_decimals_and_sign(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *word, *type;
        uint32_t length, decimals;
        bool has_length, has_decimals, is_unsigned, zerofill;
    } rows[] = {
        {"int(10) unsigned zerofill", "int", "int(10) unsigned zerofill", 10, 0, true, false, true, true},
        {"INT ZEROFILL", "int", "INT ZEROFILL", 0, 0, false, false, true, true},
        {"tinyint(1)", "tinyint", "tinyint(1)", 1, 0, true, false, false, false},
        {"decimal(10,2)", "decimal", "decimal(10,2)", 10, 2, true, true, false, false},
        {"decimal( 10 , 2 ) unsigned", "decimal", "decimal( 10 , 2 ) unsigned", 10, 2, true, true, true, false},
        {"double precision", "double", "double precision", 0, 0, false, false, false, false},
        {"datetime(6)", "datetime", "datetime(6)", 6, 0, true, false, false, false},
        {"year", "year", "year", 0, 0, false, false, false, false},
        {"vector(2048)", "vector", "vector(2048)", 2048, 0, true, false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sql[256];
        struct create_table def;
        struct arena arena;
        int len = snprintf(sql, sizeof sql, "CREATE TABLE t (a %s NOT NULL)", rows[i].sql);
        arena_init(&arena, 4096, 0, 0);
        assert_int_equal(parse(&def, FLAVOR_MYSQL, sql, (size_t)len, &arena, NULL), 0);
        const struct create_column *col = &def.columns[0];
        assert_string_equal(col->word.p, rows[i].word);
        assert_string_equal(col->type.p, rows[i].type);
        assert_int_equal(col->length, rows[i].length);
        assert_int_equal(col->decimals, rows[i].decimals);
        assert_int_equal(col->has_length, rows[i].has_length);
        assert_int_equal(col->has_decimals, rows[i].has_decimals);
        assert_int_equal(col->is_unsigned, rows[i].is_unsigned);
        assert_int_equal(col->zerofill, rows[i].zerofill);
        assert_false(col->nullable);
        arena_release(&arena);
    }
}

static void create_table__written_by_hand__the_same(void **state)
{
    (void)state;
    static const char sql[] =
        "create table if not exists other.t (id serial primary key, a int unique, b int not null default -1.5e-3 "
        "references p (x) on delete cascade, c varchar(10) charset latin1 default _utf8'x' 'y' comment 'z', "
        "d text collate utf8mb4_bin check (d <> ')') not enforced, unique index u using btree (a, b desc), "
        "constraint unique (c), index (b), constraint fk foreign key k (a, b) references x.p match full "
        "on update set default) default character set = utf8mb4;\n";
    static const char expected[] = "table t charset=utf8mb4 collation=-\n"
                                   "column id type=serial charset=- collation=-\n"
                                   "column a type=int null charset=- collation=-\n"
                                   "column b type=int charset=- collation=-\n"
                                   "column c type=varchar(10) null charset=latin1 collation=-\n"
                                   "column d type=text null charset=utf8mb4 collation=utf8mb4_bin\n"
                                   "primary (id)\n"
                                   "unique a (a)\n"
                                   "unique u (a,b)\n"
                                   "unique c (c)\n"
                                   "foreign  (b) gold.p (x) delete=cascade update=restrict\n"
                                   "foreign fk (a,b) x.p () delete=restrict update=set default\n";
    check_table(FLAVOR_MYSQL, sql, sizeof sql - 1, expected, sizeof expected - 2);
}

static void create_table__number_that_ends_in_a_point__not_more(void **state)
{
    (void)state;
    static const char sql[] =
        "CREATE TABLE t (a decimal(3,1) DEFAULT 1. NOT NULL, b int DEFAULT 2. COMMENT 'x', c decimal(3,2) DEFAULT 1.5 "
        "NOT NULL, d double DEFAULT .5 NOT NULL, e double DEFAULT 1.e3 NOT NULL, f int DEFAULT 3.)";
    static const char expected[] = "table t charset=- collation=-\n"
                                   "column a type=decimal(3,1) charset=- collation=-\n"
                                   "column b type=int null charset=- collation=-\n"
                                   "column c type=decimal(3,2) charset=- collation=-\n"
                                   "column d type=double charset=- collation=-\n"
                                   "column e type=double charset=- collation=-\n"
                                   "column f type=int null charset=- collation=-\n";
    check_table(FLAVOR_MYSQL, sql, sizeof sql - 1, expected, sizeof expected - 2);
}

static void create_table__what_is_no_table_or_not_known__table_definition(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "CREATE ALGORITHM=UNDEFINED VIEW `v` AS select 1 AS `1`",
        "CREATE SEQUENCE `s` start with 1",
        "CREATE TABLE t SELECT 1",
        "CREATE TABLE t LIKE b",
        "CREATE TABLE t ()",
        "CREATE TABLE t (PRIMARY KEY (a))",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a int,)",
        "CREATE TABLE t (a int frobnicated)",
        "CREATE TABLE t (a int NOT)",
        "CREATE TABLE t (a int, b int, a int)",
        "CREATE TABLE t (a int) SELECT 1 AS b",
        "CREATE TABLE t (a int) PARTITION BY HASH (a) AS SELECT 1",
        "CREATE TABLE t (a int(x))",
        "CREATE TABLE t (a int(99999999999))",
        "CREATE TABLE t (a int(4294967296))",
        "CREATE TABLE t (a enum(x))",
        "CREATE TABLE t (a enum('x)",
        "CREATE TABLE t ('a' int)",
        "CREATE TABLE t (a int DEFAULT)",
        "CREATE TABLE t (a int DEFAULT x.)",
        "CREATE TABLE t (a int ON DELETE)",
        "CREATE TABLE t (a int GENERATED BY DEFAULT AS (1))",
        "CREATE TABLE t (a int, PRIMARY KEY (b))",
        "CREATE TABLE t (a int, PRIMARY KEY (a), PRIMARY KEY (a))",
        "CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a))",
        "CREATE TABLE t (a int, UNIQUE KEY u)",
        "CREATE TABLE t (a int, UNIQUE KEY u (a",
        "CREATE TABLE t (a int, KEY k (a)",
        "CREATE TABLE t (a int, CONSTRAINT c FOREIGN KEY (b) REFERENCES p (x))",
        "CREATE TABLE t (a int, CONSTRAINT c FOREIGN KEY (a) REFERENCES p (x) ON DELETE EXPLODE)",
        "CREATE TABLE t (a int, CONSTRAINT c FOREIGN KEY (a))",
        "CREATE TABLE t (a int, CONSTRAINT c WONDER (a))",
        "CREATE TABLE t (a int) ; DROP TABLE t",
        "CREATE TABLE t (a int) CHARACTER SET 'utf8mb3' COLLATE ''",
        "CREATE TABLE t (a char(1) CHARACTER SET '')",
        "CREATE TABLE t (a int) COMMENT='x",
        "CREATE TABLE t (a int) /*!50100 PARTITION BY HASH (a)",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct create_table def;
        struct arena arena;
        struct err e = ERR_INIT;
        arena_init(&arena, 4096, 0, 0);
        if (parse(&def, FLAVOR_MYSQL, rows[i], strlen(rows[i]), &arena, &e) != -(int)ERR_TABLE_DEFINITION)
            fail_msg("accepted: %s", rows[i]);
        arena_release(&arena);
    }
}

static void create_table__no_memory_at_any_allocation__no_memory(void **state)
{
    (void)state;
    size_t len;
    char *sqls = read_golden("mariadb.sql", &len);
    size_t sql_len = part_len(sqls, ";\n\n"), failures = 0;
    for (size_t cap = 64;; cap += 64) {
        struct create_table def;
        struct arena arena;
        struct err e = ERR_INIT;
        arena_init(&arena, 64, 0, cap);
        int rc = parse(&def, FLAVOR_MARIADB, sqls, sql_len, &arena, &e);
        arena_release(&arena);
        if (rc == 0)
            break;
        assert_int_equal(rc, -(int)ERR_NO_MEMORY);
        failures++;
    }
    assert_true(failures > 10);
    free(sqls);
}

static void create_table__column_by_name__exact_then_any_case(void **state)
{
    (void)state;
    struct create_table def;
    struct arena arena;
    arena_init(&arena, 4096, 0, 0);
    assert_int_equal(parse(&def, FLAVOR_MYSQL, "CREATE TABLE t (Ab int, aB int, c int)", 38, &arena, NULL), 0);
    assert_int_equal(create_table_find_column(&def, "aB", 2), 1);
    assert_int_equal(create_table_find_column(&def, "AB", 2), 0);
    assert_int_equal(create_table_find_column(&def, "C", 1), 2);
    assert_int_equal(create_table_find_column(&def, "d", 1), -1);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_table__what_mariadb_prints__as_its_information_schema),
        cmocka_unit_test(create_table__what_mysql_prints__as_its_information_schema),
        cmocka_unit_test(create_table__cut_before_its_columns_end__table_definition),
        cmocka_unit_test(create_table__labels__unescaped_in_order),
        cmocka_unit_test(create_table__numbers_of_types__length_decimals_and_sign),
        cmocka_unit_test(create_table__written_by_hand__the_same),
        cmocka_unit_test(create_table__number_that_ends_in_a_point__not_more),
        cmocka_unit_test(create_table__what_is_no_table_or_not_known__table_definition),
        cmocka_unit_test(create_table__no_memory_at_any_allocation__no_memory),
        cmocka_unit_test(create_table__column_by_name__exact_then_any_case),
    };
    return cmocka_run_group_tests_name("create_table", tests, NULL, NULL);
}
