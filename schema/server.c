/* What a live server says of its tables. */
#include "schema/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "schema/foreign_key.h"

enum {
    ER_BAD_DB = 1049,
    ER_TABLEACCESS_DENIED = 1142,
    ER_NO_SUCH_TABLE = 1146,
    ER_LOCK_WAIT_TIMEOUT = 1205,
    ER_WRONG_OBJECT = 1347,
    ER_VIEW_INVALID = 1356
};

#define SQL_TEXT_MAX            ((size_t)1 << 20)
#define SQL_SETTING_MAX         64
#define CASCADES_LOGGED_SINCE   90600
#define BINARY_LOG_STATUS_SINCE 80200

struct schema_server {
    struct client_options opt;
    struct schema_reader reader;
    pthread_mutex_t lock; /* over `cli` as a pointer, for interrupt */
    struct client *cli;
    bool interrupted;
    schema_server_waits *waits; /* NULL: nobody hears it */
    void *waits_ctx;
    struct position before, noted; /* in front of the last definition that the reader gave, and behind it */
};

static int read_definition(void *ctx, const char *db, const char *table, struct buf *create_sql,
                           struct schema_reading *out, struct err *e);

int schema_server_new(struct schema_server **out, const struct client_options *opt, struct err *e)
{
    struct schema_server *srv = calloc(1, sizeof *srv);
    if (!srv)
        return err_set(e, NO_MEMORY, sizeof *srv);
    pthread_mutex_init(&srv->lock, NULL);
    position_init(&srv->before);
    position_init(&srv->noted);
    srv->reader = (struct schema_reader){.ctx = srv, .read = read_definition};
    schema_server_move(srv, opt);
    *out = srv;
    return 0;
}

void schema_server_free(struct schema_server *srv)
{
    if (!srv)
        return;
    schema_server_rest(srv);
    position_release(&srv->before);
    position_release(&srv->noted);
    pthread_mutex_destroy(&srv->lock);
    free(srv);
}

void schema_server_move(struct schema_server *srv, const struct client_options *opt)
{
    schema_server_rest(srv);
    srv->opt = *opt;
    srv->opt.read_timeout_ms = SCHEMA_SERVER_WAIT_MS;
}

void schema_server_rest(struct schema_server *srv)
{
    pthread_mutex_lock(&srv->lock);
    struct client *cli = srv->cli;
    srv->cli = NULL;
    pthread_mutex_unlock(&srv->lock);
    client_close(cli);
}

void schema_server_tell_waiting(struct schema_server *srv, schema_server_waits *waits, void *ctx)
{
    srv->waits = waits;
    srv->waits_ctx = ctx;
}

void schema_server_interrupt(struct schema_server *srv)
{
    pthread_mutex_lock(&srv->lock);
    srv->interrupted = true;
    if (srv->cli)
        client_interrupt(srv->cli);
    pthread_mutex_unlock(&srv->lock);
}

const struct schema_reader *schema_server_reader(struct schema_server *srv)
{
    return &srv->reader;
}

/* Definitions are printed in one form whatever the server's sql_mode is, and with the hidden primary key that the log
 * has too. */
static int prepare_session(struct client *cli, struct err *e)
{
    const struct client_server *server = client_server(cli);
    char locks[SQL_SETTING_MAX];
    snprintf(locks, sizeof locks, "SET SESSION lock_wait_timeout=%d", SCHEMA_SERVER_WAIT_TOLD_S);
    int rc = client_execute(cli, "SET SESSION sql_mode='', sql_quote_show_create=1", e);
    if (rc == 0)
        rc = client_execute(cli, locks, e);
    if (rc == 0 && server->flavor == FLAVOR_MYSQL && server->version >= 80030)
        rc = client_execute(cli, "SET SESSION show_gipk_in_create_table_and_information_schema=ON", e);
    return rc;
}

static int connected(struct schema_server *srv, struct err *e)
{
    if (srv->cli)
        return 0;
    struct client *cli = NULL;
    int rc = client_connect(&cli, &srv->opt, e);
    if (rc == 0)
        rc = prepare_session(cli, e);
    if (rc != 0) {
        client_close(cli);
        return rc;
    }
    pthread_mutex_lock(&srv->lock);
    bool interrupted = srv->interrupted;
    if (!interrupted)
        srv->cli = cli;
    pthread_mutex_unlock(&srv->lock);
    if (!interrupted)
        return 0;
    client_close(cli);
    return err_set(e, INTERRUPTED);
}

/* A query on the connection, which is closed when it broke, so that the next call opens a new one. */
static int ask(struct schema_server *srv, const char *sql, struct client_result *out, struct err *e)
{
    int rc = connected(srv, e);
    if (rc != 0)
        return rc;
    struct err failed = ERR_INIT;
    rc = client_query(srv->cli, sql, out, &failed);
    if (rc != 0) {
        if (err_class(&failed) == ERR_CLASS_RETRY)
            schema_server_rest(srv);
        return err_set_format(e, failed.code, "%s", failed.text);
    }
    return 0;
}

/* Whether the answer says that there is no table of that name: a view is none, and its definition needs another grant.
 */
static bool is_no_table(const struct err *failed, unsigned number)
{
    if (number == ER_TABLEACCESS_DENIED)
        return strstr(failed->text, "SHOW VIEW command denied") != NULL;
    return failed->code == ERR_QUERY_FAILED && (number == ER_NO_SUCH_TABLE || number == ER_BAD_DB ||
                                                number == ER_VIEW_INVALID || number == ER_WRONG_OBJECT);
}

static bool is_interrupted(struct schema_server *srv)
{
    pthread_mutex_lock(&srv->lock);
    bool interrupted = srv->interrupted;
    pthread_mutex_unlock(&srv->lock);
    return interrupted;
}

/* Asks until the lock of the table's metadata is free. */
static int ask_patiently(struct schema_server *srv, const struct ddl_table *table, const char *sql,
                         struct client_result *out, struct err *e)
{
    unsigned waited_s = 0;
    for (;;) {
        struct err failed = ERR_INIT, waits = ERR_INIT;
        int rc = ask(srv, sql, out, &failed);
        if (rc == 0)
            return 0;
        if (failed.code != ERR_QUERY_FAILED || !srv->cli || client_last_number(srv->cli) != ER_LOCK_WAIT_TIMEOUT)
            return err_set_format(e, failed.code, "%s", failed.text);
        if (is_interrupted(srv))
            return err_set(e, INTERRUPTED);
        waited_s += SCHEMA_SERVER_WAIT_TOLD_S;
        if (waited_s >= SCHEMA_SERVER_WAIT_MS / 1000)
            return err_set(e, SCHEMA_WAITS, table->db, table->name, waited_s);
        (void)err_set(&waits, SCHEMA_WAITS, table->db, table->name, waited_s);
        if (srv->waits && (waited_s == SCHEMA_SERVER_WAIT_TOLD_S || waited_s % SCHEMA_SERVER_WAIT_AGAIN_S == 0))
            srv->waits(srv->waits_ctx, &waits);
    }
}

/* A statement about a table: 1 with its result, 0 when there is no such table. */
static int ask_of_table(struct schema_server *srv, const char *words, const struct ddl_table *table, const char *more,
                        struct client_result *out, struct err *e)
{
    struct buf sql;
    buf_init(&sql, SQL_TEXT_MAX);
    buf_text(&sql, words);
    client_quote_name(table->db, &sql);
    buf_byte(&sql, '.');
    client_quote_name(table->name, &sql);
    buf_text(&sql, more);
    buf_byte(&sql, 0);
    struct err failed = ERR_INIT;
    int rc = sql.failed ? err_set(&failed, NO_MEMORY, sql.len)
                        : ask_patiently(srv, table, (const char *)sql.p, out, &failed);
    buf_release(&sql);
    if (rc == 0)
        return 1;
    unsigned number = srv->cli ? client_last_number(srv->cli) : 0;
    if (is_no_table(&failed, number))
        return 0;
    return err_set_format(e, failed.code, "%s", failed.text);
}

int schema_server_definition(struct schema_server *srv, const char *db, const char *table, struct buf *text,
                             struct err *e)
{
    const struct ddl_table name = {.db = db, .name = table};
    struct client_result result = {0};
    int rc = ask_of_table(srv, "SHOW CREATE TABLE ", &name, "", &result, e);
    if (rc <= 0)
        return rc;
    /* A table gives two columns, a view four. */
    bool is_table = result.rows == 1 && result.columns == 2 && result.cells[1].p;
    if (is_table)
        buf_add(text, result.cells[1].p, result.cells[1].len);
    client_result_free(&result);
    if (text->failed)
        return err_set(e, NO_MEMORY, text->len);
    return is_table ? 1 : 0;
}

static int read_definition(void *ctx, const char *db, const char *table, struct buf *create_sql,
                           struct schema_reading *out, struct err *e)
{
    struct schema_server *srv = ctx;
    int rc = schema_server_point(srv, &srv->before, e);
    int found = rc == 0 ? schema_server_definition(srv, db, table, create_sql, e) : rc;
    if (found >= 0)
        rc = schema_server_point(srv, &srv->noted, e);
    if (found < 0 || rc != 0)
        return rc == 0 ? found : rc;
    out->where = history_at(&srv->noted);
    if (filepos_compare(&srv->before.at, &srv->noted.at) != 0)
        out->before = history_at(&srv->before);
    return found;
}

int schema_server_tables(struct schema_server *srv, schema_server_visit *visit, void *ctx, struct err *e)
{
    static const char sql[] = "SELECT table_schema, table_name FROM information_schema.tables "
                              "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN "
                              "('mysql', 'information_schema', 'performance_schema', 'sys') "
                              "ORDER BY table_schema, table_name";
    struct client_result result = {0};
    int rc = ask(srv, sql, &result, e);
    for (size_t i = 0; rc == 0 && i < result.rows; i++)
        if (result.cells[2 * i].p && result.cells[2 * i + 1].p)
            rc = visit(ctx, result.cells[2 * i].p, result.cells[2 * i + 1].p, e);
    client_result_free(&result);
    return rc;
}

int schema_server_databases(struct schema_server *srv, schema_server_visit_database *visit, void *ctx, struct err *e)
{
    static const char sql[] = "SELECT schema_name, default_character_set_name, default_collation_name FROM "
                              "information_schema.schemata WHERE schema_name NOT IN "
                              "('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY schema_name";
    struct client_result result = {0};
    int rc = ask(srv, sql, &result, e);
    for (size_t i = 0; rc == 0 && i < result.rows; i++) {
        const struct client_cell *row = &result.cells[3 * i];
        if (row[0].p && row[1].p && row[2].p)
            rc = visit(ctx, row[0].p, row[1].p, row[2].p, e);
    }
    client_result_free(&result);
    return rc;
}

int schema_server_name_case(struct schema_server *srv, unsigned *lower_case, struct err *e)
{
    struct client_result result = {0};
    int rc = ask(srv, "SELECT @@global.lower_case_table_names", &result, e);
    if (rc != 0)
        return rc;
    if (result.rows == 1 && result.cells[0].p)
        *lower_case = (unsigned)strtoul(result.cells[0].p, NULL, 10);
    client_result_free(&result);
    return 0;
}

/* A SELECT keeps the table's metadata lock until the transaction ends. */
int schema_server_hold(struct schema_server *srv, const char *db, const char *table, struct err *e)
{
    const struct ddl_table name = {.db = db, .name = table};
    struct client_result result = {0};
    /* Should we vanish without a word, the server lets go by itself. */
    int rc = ask(srv, "SET SESSION wait_timeout=60", &result, e);
    client_result_free(&result);
    if (rc == 0)
        rc = ask(srv, "START TRANSACTION READ ONLY", &result, e);
    client_result_free(&result);
    if (rc != 0)
        return rc;
    rc = ask_of_table(srv, "SELECT 1 FROM ", &name, " LIMIT 0", &result, e);
    client_result_free(&result);
    return rc < 0 ? rc : 0;
}

int schema_server_let_go(struct schema_server *srv, struct err *e)
{
    struct client_result result = {0};
    int rc = srv->cli ? ask(srv, "COMMIT", &result, e) : 0;
    client_result_free(&result);
    if (rc == 0 && srv->cli)
        rc = ask(srv, "SET SESSION wait_timeout=DEFAULT", &result, e);
    client_result_free(&result);
    return rc;
}

int schema_server_logs_cascades(struct schema_server *srv, bool *logs, struct err *e)
{
    struct client_result result = {0};
    int rc = ask(srv, "SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'", &result, e);
    if (rc != 0)
        return rc;
    const struct client_server *server = client_server(srv->cli);
    bool native = result.rows == 1 && result.cells[1].p && strcasecmp(result.cells[1].p, "OFF") != 0;
    *logs = server->flavor == FLAVOR_MYSQL && server->version >= CASCADES_LOGGED_SINCE && !native;
    client_result_free(&result);
    return 0;
}

static bool is_accepted(const char *const *accepted, const struct ddl_table *child, const char *constraint)
{
    size_t db_len = strlen(child->db), table_len = strlen(child->name);
    for (; accepted && *accepted; accepted++) {
        const char *text = *accepted;
        if (strcmp(text, constraint) == 0)
            return true;
        if (strncmp(text, child->db, db_len) == 0 && text[db_len] == '.' &&
            strncmp(text + db_len + 1, child->name, table_len) == 0 && text[db_len + 1 + table_len] == '.' &&
            strcmp(text + db_len + table_len + 2, constraint) == 0)
            return true;
    }
    return false;
}

int schema_server_check_cascades(struct schema_server *srv, const struct ddl_table *child, const char *const *accepted,
                                 struct err *e)
{
    struct buf text;
    buf_init(&text, CLIENT_RESULT_MAX);
    int rc = schema_server_definition(srv, child->db, child->name, &text, e);
    struct foreign_key key;
    size_t at = 0;
    bool known = false, logs = false;
    while (rc > 0 && foreign_key_next((const char *)text.p, text.len, &at, &key)) {
        if (!key.cascades || is_accepted(accepted, child, key.name))
            continue;
        if (!known) {
            int asked = schema_server_logs_cascades(srv, &logs, e);
            if (asked != 0) {
                rc = asked;
                break;
            }
            known = true;
        }
        if (!logs)
            rc = err_set(e, CASCADE_UNLOGGED, child->db, child->name, key.name);
    }
    buf_release(&text);
    return rc < 0 ? rc : 0;
}

static int binlog_status(struct client *cli, struct client_result *out, struct err *e)
{
    const struct client_server *server = client_server(cli);
    bool new_words = server->flavor == FLAVOR_MYSQL && server->version >= BINARY_LOG_STATUS_SINCE;
    return client_query(cli, new_words ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS", out, e);
}

int schema_server_binlog_end(struct client *cli, struct filepos *end, struct buf *gtids, struct err *e)
{
    struct client_result result = {0};
    int rc = binlog_status(cli, &result, e);
    if (rc != 0)
        return rc;
    if (result.rows < 1 || result.columns < 4 || !result.cells[0].p || !result.cells[1].p ||
        result.cells[0].len > FILEPOS_FILE_MAX) {
        client_result_free(&result);
        return err_set(e, BINLOG_OFF);
    }
    struct filepos at = {.pos = strtoull(result.cells[1].p, NULL, 10)};
    memcpy(at.file, result.cells[0].p, result.cells[0].len + 1);
    if (gtids && result.columns > 4 && result.cells[4].p)
        buf_add(gtids, result.cells[4].p, result.cells[4].len);
    client_result_free(&result);
    *end = at;
    return 0;
}

static int gtids_of(struct schema_server *srv, const struct buf *text, struct gtid_set **out, struct err *e)
{
    const struct client_server *server = client_server(srv->cli);
    if (server->flavor == FLAVOR_MYSQL && !server->gtid_on && text->len == 0)
        return 0;
    if (server->flavor == FLAVOR_MYSQL)
        return gtid_set_parse(out, FLAVOR_MYSQL, text->p ? (const char *)text->p : "", text->len, e);
    struct client_result result = {0};
    int rc = ask(srv, "SELECT @@global.gtid_binlog_pos", &result, e);
    if (rc == 0 && result.rows == 1 && result.cells[0].p)
        rc = gtid_set_parse(out, FLAVOR_MARIADB, result.cells[0].p, result.cells[0].len, e);
    client_result_free(&result);
    return rc;
}

int schema_server_point(struct schema_server *srv, struct position *out, struct err *e)
{
    struct position pos;
    struct buf text;
    position_init(&pos);
    buf_init(&text, CLIENT_RESULT_MAX);
    int rc = connected(srv, e);
    if (rc == 0)
        rc = schema_server_binlog_end(srv->cli, &pos.at, &text, e);
    if (rc == 0) {
        memcpy(pos.server_uuid, client_server(srv->cli)->uuid, sizeof pos.server_uuid);
        rc = gtids_of(srv, &text, &pos.gtids, e);
    }
    buf_release(&text);
    if (rc != 0) {
        position_release(&pos);
        if (err_class(e) == ERR_CLASS_RETRY)
            schema_server_rest(srv);
        return rc;
    }
    position_release(out);
    *out = pos;
    return 0;
}

/* Whether the comma-separated list names the database. */
static bool list_has(const struct client_cell *list, const char *db)
{
    size_t len = strlen(db);
    const char *p = list->p ? list->p : "";
    while (*p) {
        size_t word = strcspn(p, ",");
        if (word == len && memcmp(p, db, len) == 0)
            return true;
        p += word + (p[word] == ',');
    }
    return false;
}

int schema_server_check_filters(struct schema_server *srv, const struct ddl_table *tables, size_t count, struct err *e)
{
    int rc = connected(srv, e);
    struct client_result result = {0};
    if (rc == 0)
        rc = binlog_status(srv->cli, &result, e);
    if (rc == 0 && (result.rows < 1 || result.columns < 4))
        rc = err_set(e, BINLOG_OFF);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct client_cell *only = &result.cells[2], *ignored = &result.cells[3];
        bool hidden = (only->len > 0 && !list_has(only, tables[i].db)) || list_has(ignored, tables[i].db);
        if (hidden)
            rc = err_set(e, BINLOG_FILTERED, tables[i].db);
    }
    client_result_free(&result);
    return rc;
}
