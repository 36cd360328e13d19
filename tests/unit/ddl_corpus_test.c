/* Statements of the manuals of both servers and of their tools, judged by what a real server's SHOW CREATE TABLE said
 * after each (tests/golden/ddl, made by collect.py there). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/create_table.h"
#include "schema/definition.h"
#include "schema/follow.h"

#define CORPUS_MAX (1 << 20)
#define TABLES_MAX 64
#define PARTS_MAX  32
#define TEXT_MAX   256

#define UTF8MB4_0900_AI_CI 255

/* `%% tag argument` and the lines behind it. */
struct part {
    const char *tag, *arg, *text;
    size_t tag_len, arg_len, text_len;
};

struct named {
    const char *name; /* "db.table" */
    size_t name_len;
    const char *text;
    size_t len;
};

struct figures {
    unsigned statements, changed, refused, compared, wrong;
};

/* A page as it stands after the statements so far. */
struct page {
    enum flavor flavor;
    uint64_t sql_mode;
    uint32_t server_version;
    bool harmless; /* what has no effect here is NONE */
    bool implicit_timestamps;
    uint16_t server_collation;
    struct history *history;
    struct schema *schema;
    unsigned number; /* of the last statement */
    struct figures figures;
    struct named tables[TABLES_MAX];
    size_t table_count;
};

/* One statement and what the server made of it. */
struct row {
    struct part statement;
    struct part effects[PARTS_MAX]; /* is, gone */
    size_t effect_count;
    struct part logged[PARTS_MAX]; /* as the log has it, when that is another text */
    size_t logged_count;
    bool refused, unlogged;
};

static char *read_corpus(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/ddl/%s", SLUICE_TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(CORPUS_MAX);
    size_t len = fread(text, 1, CORPUS_MAX - 1, file);
    assert_true(len > 0 && len < CORPUS_MAX - 1);
    text[len] = '\0';
    fclose(file);
    return text;
}

static bool next_part(const char **at, struct part *out)
{
    const char *p = strstr(*at, "%% ");
    if (!p)
        return false;
    const char *line = strchr(p, '\n'), *tag = p + 3;
    assert_non_null(line);
    const char *next = strstr(line, "\n%% "), *end = next ? next : line + strlen(line);
    *at = next ? next + 1 : end;
    while (end > line && end[-1] == '\n')
        end--;
    out->tag = tag;
    out->tag_len = strcspn(tag, " \n");
    out->arg = tag + out->tag_len + (tag[out->tag_len] == ' ');
    out->arg_len = (size_t)(line - out->arg);
    out->text = end > line ? line + 1 : end;
    out->text_len = (size_t)(end - out->text);
    return true;
}

static bool is_tag(const struct part *part, const char *tag)
{
    return part->tag_len == strlen(tag) && memcmp(part->tag, tag, part->tag_len) == 0;
}

static struct named *find_table(struct page *page, const char *name, size_t len)
{
    for (size_t i = 0; i < page->table_count; i++)
        if (page->tables[i].name_len == len && memcmp(page->tables[i].name, name, len) == 0)
            return &page->tables[i];
    return NULL;
}

/* What the server has now. */
static void take_effect(struct page *page, const struct part *effect)
{
    struct named *table = find_table(page, effect->arg, effect->arg_len);
    if (is_tag(effect, "gone")) {
        assert_non_null(table);
        *table = page->tables[--page->table_count];
        return;
    }
    if (!table) {
        assert_true(page->table_count < TABLES_MAX);
        table = &page->tables[page->table_count++];
    }
    *table = (struct named){effect->arg, effect->arg_len, effect->text, effect->text_len};
}

static struct ddl_statement statement_of(const struct page *page, const struct part *part)
{
    return (struct ddl_statement){
        .sql = part->text,
        .len = part->text_len,
        .db = "shop",
        .db_len = 4,
        .mode = {.flavor = page->flavor, .server_version = page->server_version, .sql_mode = page->sql_mode}};
}

/* All that is wrong is told, then the test fails. */
__attribute__((format(printf, 3, 4))) static void report(struct page *page, const struct part *text, const char *format,
                                                         ...)
{
    char what[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    print_error("%.*s: %s\n", (int)text->text_len, text->text, what);
    page->figures.wrong++;
}

static bool is_named(const struct ddl_name *name, const struct part *effect)
{
    return effect->arg_len == name->db_len + 1 + name->table_len && memcmp(effect->arg, name->db, name->db_len) == 0 &&
           effect->arg[name->db_len] == '.' &&
           memcmp(effect->arg + name->db_len + 1, name->table, name->table_len) == 0;
}

static bool is_in_database(const struct ddl_name *name, const struct part *effect)
{
    return effect->arg_len > name->db_len && memcmp(effect->arg, name->db, name->db_len) == 0 &&
           effect->arg[name->db_len] == '.';
}

/* A foreign key names its parent by the parent's new name. */
static bool refers_to(const struct part *effect, const struct ddl_name *parent)
{
    char key[256];
    int len = snprintf(key, sizeof key, "REFERENCES `%s`", parent->table);
    return len > 0 && memmem(effect->text, effect->text_len, key, (size_t)len) != NULL;
}

/* Whether the action accounts for the effect on a table that was there (`known`) or not. */
static bool explains(const struct ddl_action *action, const struct part *effect, bool known)
{
    bool gone = is_tag(effect, "gone"), this = is_named(&action->table, effect);
    switch ((int)action->kind) {
    case DDL_CREATE:
        return this && !gone;
    case DDL_ALTER:
        return this && !gone && known;
    case DDL_DISCARD:
        return this && !gone;
    case DDL_DROP:
        return this && gone;
    case DDL_RENAME:
        return (this && gone) ||
               (!gone && (is_named(&action->to, effect) || (known && refers_to(effect, &action->to))));
    case DDL_DATABASE_DROP:
        return gone && is_in_database(&action->table, effect);
    default:
        return false;
    }
}

/* Whether the server's answer to the action may be that nothing changed. */
static bool may_do_nothing(const struct ddl_action *action, bool harmless)
{
    switch ((int)action->kind) {
    case DDL_CREATE:
    case DDL_DROP:
    case DDL_RENAME:
    case DDL_DATABASE_DROP:
        return action->if_exists;
    case DDL_UNKNOWN:
    case DDL_DML:
        return false;
    default:
        return action->kind == DDL_NONE || !harmless;
    }
}

/* Every effect has an action that explains it; without an effect no action claims one. */
static void judge_actions(struct page *page, const struct row *row, const struct ddl_action *actions, size_t count)
{
    for (size_t i = 0; i < row->effect_count; i++) {
        const struct part *effect = &row->effects[i];
        bool known = find_table(page, effect->arg, effect->arg_len) != NULL, explained = false;
        for (size_t j = 0; j < count; j++)
            explained |= explains(&actions[j], effect, known);
        if (!explained)
            report(page, &row->statement, "does not tell that %.*s %.*s", (int)effect->arg_len, effect->arg,
                   (int)effect->tag_len, effect->tag);
    }
    for (size_t i = 0; i < count && row->effect_count == 0; i++) {
        /* The same again. */
        bool replaced = i > 0 && actions[i].kind == DDL_CREATE && actions[i - 1].kind == DDL_DROP;
        if (!replaced && !may_do_nothing(&actions[i], page->harmless))
            report(page, &row->statement, "%s, the server changed nothing", ddl_kind_name(actions[i].kind));
    }
}

/* The actions of some texts, one after the other. */
static size_t classify(const struct page *page, const struct part *texts, size_t count, struct ddl_action *out,
                       struct arena *arena)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct ddl_statement stmt = statement_of(page, &texts[i]);
        struct ddl ddl;
        assert_int_equal(ddl_classify(&ddl, &stmt, arena, NULL), 0);
        for (size_t j = 0; j < ddl.count; j++) {
            assert_true(n < PARTS_MAX);
            out[n++] = ddl.actions[j];
        }
    }
    return n;
}

/* A statement as it was sent may be one that the log never has (EXECUTE, BEGIN NOT ATOMIC), or of a temporary table. */
static bool is_never_logged(const struct row *row, const struct ddl_action *actions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (actions[i].kind == DDL_UNKNOWN || (row->unlogged && actions[i].kind == DDL_DROP))
            return true;
    return false;
}

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return db[0] != '\0' && table[0] != '\0';
}

static struct history_where place_of(unsigned number)
{
    return (struct history_where){.server_uuid = "s", .at = {.file = "bin.000001", .pos = number * 100}};
}

/* A statement of the log; what cannot be read is reported. */
static void follow(struct page *page, const struct part *text)
{
    static const struct interest interest = {.wants = wants};
    const struct ddl_statement stmt = statement_of(page, text);
    struct arena arena;
    struct ddl ddl;
    struct schema_followed followed;
    struct err e = ERR_INIT;
    arena_init(&arena, 65536, 0, 0);
    assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
    const struct schema_statement st = {.stmt = &stmt,
                                        .ddl = &ddl,
                                        .where = place_of(++page->number),
                                        .server_collation = page->server_collation,
                                        .utf8mb4_collation = page->flavor == FLAVOR_MYSQL ? UTF8MB4_0900_AI_CI : 0,
                                        .explicit_timestamps = !page->implicit_timestamps,
                                        .ddl_xid = page->flavor == FLAVOR_MYSQL};
    if (schema_follow(page->schema, &st, &interest, &arena, &followed, &e) != 0)
        report(page, text, "%s", e.text);
    arena_release(&arena);
}

/* RENAME of a parent changes what the server shows of its children: their rows are the same. */
static bool same_but_parents(struct create_table *ours, const struct create_table *server)
{
    if (ours->foreign_count != server->foreign_count)
        return false;
    struct create_foreign_key foreign[PARTS_MAX];
    assert_true(ours->foreign_count <= PARTS_MAX);
    for (unsigned i = 0; i < ours->foreign_count; i++) {
        foreign[i] = ours->foreign[i];
        foreign[i].parent = server->foreign[i].parent;
    }
    ours->foreign = foreign;
    return create_table_equal(ours, server);
}

/* What the history has of a table behind the last statement is what the server says. */
static void compare_table(struct page *page, const struct part *text, const struct named *named)
{
    char db[TEXT_MAX], table[TEXT_MAX];
    const char *dot = memchr(named->name, '.', named->name_len);
    const struct history_where where = place_of(page->number + 1);
    struct ddl_statement stmt;
    struct create_table ours, server;
    struct arena arena;
    struct err e = ERR_INIT;
    snprintf(db, sizeof db, "%.*s", (int)(dot - named->name), named->name);
    snprintf(table, sizeof table, "%.*s", (int)(named->name + named->name_len - dot - 1), dot + 1);
    const struct history_version *version = history_find(schema_history(page->schema), db, table, &where);
    if (!version || version->kind != HISTORY_DEFINED) {
        report(page, text, "%s.%s: %.*s", db, table, version ? (int)version->len : 4, version ? version->text : "none");
        return;
    }
    arena_init(&arena, 65536, 0, 0);
    definition_statement(&stmt, db, version->text, version->len);
    assert_int_equal(create_table_parse(&ours, &stmt, NULL, &arena, &e), 0);
    definition_statement(&stmt, db, named->text, named->len);
    stmt.mode.flavor = page->flavor;
    stmt.mode.server_version = page->server_version;
    if (create_table_parse(&server, &stmt, NULL, &arena, &e) != 0)
        report(page, text, "%.*s: %s", (int)named->len, named->text, e.text);
    else if (!same_but_parents(&ours, &server))
        report(page, text, "is\n%.*s\non the server\n%.*s", (int)version->len, version->text, (int)named->len,
               named->text);
    page->figures.compared++;
    arena_release(&arena);
}

/* Tables that the server has no more are gone. */
static void check_gone(struct page *page, const struct part *text)
{
    struct history_table table;
    const struct history_where where = place_of(page->number + 1);
    for (size_t i = 0; history_table(schema_history(page->schema), i, &table); i++) {
        char name[2 * TEXT_MAX];
        int len = snprintf(name, sizeof name, "%s.%s", table.db, table.table);
        const struct history_version *version =
            history_find(schema_history(page->schema), table.db, table.table, &where);
        if (table.table[0] && version && version->kind == HISTORY_DEFINED && !find_table(page, name, (size_t)len))
            report(page, text, "%s is still there", name);
    }
}

/* The whole page as the server has it, behind a statement. */
static void compare_page(struct page *page, const struct part *text)
{
    for (size_t i = 0; i < page->table_count; i++)
        compare_table(page, text, &page->tables[i]);
    check_gone(page, text);
}

static bool is_rows_only(const struct row *row)
{
    return row->unlogged && row->effect_count == 0 && row->statement.text_len > 6 &&
           memcmp(row->statement.text, "INSERT", 6) == 0;
}

static void check_row(struct page *page, const struct row *row)
{
    if (row->refused || is_rows_only(row))
        return;
    struct ddl_action actions[PARTS_MAX];
    struct arena arena;
    arena_init(&arena, 4096, 0, 0);
    size_t count = classify(page, &row->statement, 1, actions, &arena);
    bool in_log = row->logged_count == 0 && !row->unlogged;
    if (in_log || !is_never_logged(row, actions, count))
        judge_actions(page, row, actions, count);
    count = classify(page, row->logged, row->logged_count, actions, &arena);
    if (count)
        judge_actions(page, row, actions, count);
    arena_release(&arena);
    for (size_t i = 0; i < row->logged_count; i++)
        follow(page, &row->logged[i]);
    if (in_log)
        follow(page, &row->statement);
}

static void end_row(struct page *page, struct row *row)
{
    if (!row->statement.tag)
        return;
    check_row(page, row);
    for (size_t i = 0; i < row->effect_count; i++)
        take_effect(page, &row->effects[i]);
    compare_page(page, &row->statement);
    page->figures.statements++;
    page->figures.changed += row->effect_count > 0;
    page->figures.refused += row->refused;
    *row = (struct row){0};
}

static void end_page(struct page *page)
{
    schema_free(page->schema);
    history_free(page->history);
}

static void begin_page(struct page *page)
{
    struct err e = ERR_INIT;
    end_page(page);
    *page = (struct page){.flavor = page->flavor, .figures = page->figures};
    assert_int_equal(history_open(&page->history, NULL, NULL, &e), 0);
    assert_int_equal(schema_new_upon(&page->schema, page->history, NULL, &e), 0);
}

/* "name charset collation": made before the page begins. */
static void make_database(struct page *page, const struct part *part)
{
    char name[TEXT_MAX], charset[TEXT_MAX], collation[TEXT_MAX], sql[4 * TEXT_MAX];
    assert_int_equal(sscanf(part->arg, "%255s %255s %255s", name, charset, collation), 3);
    int len = snprintf(sql, sizeof sql, "CREATE DATABASE %s CHARACTER SET %s COLLATE %s", name, charset, collation);
    const struct part text = {.text = sql, .text_len = (size_t)len};
    follow(page, &text);
}

static void take_part(struct page *page, struct row *row, const struct part *part)
{
    if (is_tag(part, "page")) {
        end_row(page, row);
        begin_page(page);
    } else if (is_tag(part, "statement")) {
        end_row(page, row);
        row->statement = *part;
    } else if (is_tag(part, "mode"))
        page->sql_mode = strtoull(part->arg, NULL, 10);
    else if (is_tag(part, "server"))
        page->server_version = (uint32_t)strtoul(part->arg, NULL, 10);
    else if (is_tag(part, "implicit_timestamps"))
        page->implicit_timestamps = true;
    else if (is_tag(part, "database") && !row->statement.tag)
        make_database(page, part);
    else if (is_tag(part, "collation"))
        page->server_collation = (uint16_t)strtoul(part->arg, NULL, 10);
    else if (is_tag(part, "harmless"))
        page->harmless = true;
    else if (is_tag(part, "refused"))
        row->refused = true;
    else if (is_tag(part, "unlogged"))
        row->unlogged = true;
    else if (is_tag(part, "logged")) {
        assert_true(row->logged_count < PARTS_MAX);
        row->logged[row->logged_count++] = *part;
    } else if (is_tag(part, "is") || is_tag(part, "gone")) {
        assert_true(row->effect_count < PARTS_MAX);
        row->effects[row->effect_count++] = *part;
    }
}

static void check_corpus(enum flavor flavor, const char *file)
{
    char *text = read_corpus(file);
    const char *at = text;
    struct page page = {.flavor = flavor};
    struct row row = {0};
    struct part part;
    const struct figures *figures = &page.figures;
    while (next_part(&at, &part))
        take_part(&page, &row, &part);
    end_row(&page, &row);
    end_page(&page);
    print_message("%s: %u statements, %u change a table, %u refused, %u definitions compared\n", file,
                  figures->statements, figures->changed, figures->refused, figures->compared);
    assert_true(figures->statements - figures->refused >= 300);
    assert_int_equal(figures->wrong, 0);
    free(text);
}

static void ddl_corpus__statements_of_the_manuals_on_mariadb__as_the_server(void **state)
{
    (void)state;
    check_corpus(FLAVOR_MARIADB, "mariadb.txt");
}

static void ddl_corpus__statements_of_the_manuals_on_mysql__as_the_server(void **state)
{
    (void)state;
    check_corpus(FLAVOR_MYSQL, "mysql.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ddl_corpus__statements_of_the_manuals_on_mariadb__as_the_server),
        cmocka_unit_test(ddl_corpus__statements_of_the_manuals_on_mysql__as_the_server),
    };
    return cmocka_run_group_tests_name("ddl_corpus", tests, NULL, NULL);
}
