/* Small queries and what the server says of itself. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/client_impl.h"

#define QUERY_NAME_MAX 64 /* characters of a statement that stand in an error */

static int query_fail(struct client *cli, const char *sql, struct err *e)
{
    char what[QUERY_NAME_MAX + 1];
    size_t len = strnlen(sql, QUERY_NAME_MAX);
    memcpy(what, sql, len);
    what[len] = '\0';
    return client_fail(cli, CLIENT_QUERY, what, e);
}

/* Cells while rows arrive: offsets, because the bytes move as they grow. */
struct collected {
    struct buf bytes;
    struct buf offsets; /* size_t per cell: offset + 1, 0 = NULL; then its length */
    size_t rows;
};

static bool collect_row(struct collected *got, MYSQL_RES *res, MYSQL_ROW row, unsigned columns)
{
    const unsigned long *lengths = mysql_fetch_lengths(res);
    for (unsigned i = 0; i < columns; i++) {
        size_t cell[2] = {row[i] ? got->bytes.len + 1 : 0, row[i] ? lengths[i] : 0};
        buf_add(&got->offsets, cell, sizeof cell);
        if (row[i]) {
            buf_add(&got->bytes, row[i], lengths[i]);
            buf_byte(&got->bytes, 0);
        }
    }
    got->rows++;
    return !got->bytes.failed && !got->offsets.failed;
}

/* One allocation: cells, then bytes. */
static int make_result(const struct collected *got, unsigned columns, struct client_result *out, struct err *e)
{
    size_t count = got->rows * columns, cells_len = count * sizeof(struct client_cell);
    uint8_t *memory = malloc(cells_len + got->bytes.len + 1);
    if (!memory)
        return err_set(e, NO_MEMORY, cells_len + got->bytes.len);
    struct client_cell *cells = (struct client_cell *)(void *)memory;
    char *bytes = (char *)memory + cells_len;
    if (got->bytes.len)
        memcpy(bytes, got->bytes.p, got->bytes.len);
    for (size_t i = 0; i < count; i++) {
        size_t cell[2];
        memcpy(cell, got->offsets.p + i * sizeof cell, sizeof cell);
        cells[i].p = cell[0] ? bytes + cell[0] - 1 : NULL;
        cells[i].len = cell[1];
    }
    *out = (struct client_result){.columns = columns, .rows = got->rows, .cells = cells, .memory = memory};
    return 0;
}

static int fetch_all(struct client *cli, const char *sql, MYSQL_RES *res, struct client_result *out, struct err *e)
{
    struct collected got = {.rows = 0};
    buf_init(&got.bytes, CLIENT_RESULT_MAX);
    buf_init(&got.offsets, CLIENT_RESULT_MAX);
    unsigned columns = mysql_num_fields(res);
    MYSQL_ROW row;
    int rc = 0;
    while (rc == 0 && (row = mysql_fetch_row(res)) != NULL)
        if (!collect_row(&got, res, row, columns)) {
            rc = err_set(e, LIMIT, "a query's result", got.bytes.len, CLIENT_RESULT_MAX);
            client_interrupt(cli); /* else freeing the result would read the rest */
        }
    if (rc == 0 && mysql_errno(cli->mysql) != 0)
        rc = query_fail(cli, sql, e);
    if (rc == 0)
        rc = make_result(&got, columns, out, e);
    buf_release(&got.bytes);
    buf_release(&got.offsets);
    return rc;
}

int client_query(struct client *cli, const char *sql, struct client_result *out, struct err *e)
{
    if (mysql_real_query(cli->mysql, sql, (unsigned long)strlen(sql)) != 0)
        return query_fail(cli, sql, e);
    MYSQL_RES *res = mysql_use_result(cli->mysql);
    if (!res) {
        if (mysql_errno(cli->mysql) != 0)
            return query_fail(cli, sql, e);
        *out = (struct client_result){0};
        return 0;
    }
    int rc = fetch_all(cli, sql, res, out, e);
    mysql_free_result(res);
    return rc;
}

void client_result_free(struct client_result *result)
{
    free(result->memory);
    *result = (struct client_result){0};
}

int client_execute(struct client *cli, const char *sql, struct err *e)
{
    struct client_result result = {0};
    int rc = client_query(cli, sql, &result, e);
    client_result_free(&result);
    return rc;
}

unsigned client_last_number(const struct client *cli)
{
    return mysql_errno(cli->mysql);
}

void client_quote_name(const char *name, struct buf *out)
{
    buf_byte(out, '`');
    for (; *name; name++) {
        if (*name == '`')
            buf_byte(out, '`');
        buf_byte(out, (uint8_t)*name);
    }
    buf_byte(out, '`');
}

/* As a hexadecimal literal: no quoting rule and no sql_mode can change its meaning. */
void client_quote_text(const char *text, struct buf *out)
{
    if (*text == '\0') {
        buf_text(out, "''");
        return;
    }
    buf_text(out, "_utf8mb4 x'");
    for (; *text; text++)
        buf_printf(out, "%02x", (uint8_t)*text);
    buf_byte(out, '\'');
}

static void copy_cell(char *to, size_t size, const struct client_cell *cell)
{
    size_t len = cell->p ? cell->len : 0;
    if (len > size - 1)
        len = size - 1;
    if (len)
        memcpy(to, cell->p, len);
    to[len] = '\0';
}

/* "10.11.19-MariaDB" → 101119, "8.4.6" → 80406. */
static unsigned version_number(const char *text)
{
    unsigned part[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        for (; *text >= '0' && *text <= '9' && part[i] < 1000; text++)
            part[i] = part[i] * 10 + (unsigned)(*text - '0');
        if (*text == '.')
            text++;
    }
    return part[0] * 10000 + part[1] * 100 + part[2];
}

static void take_variable(struct client_server *s, const char *name, const struct client_cell *value)
{
    const char *text = value->p ? value->p : "";
    if (strcasecmp(name, "version") == 0) {
        copy_cell(s->version_text, sizeof s->version_text, value);
        s->version = version_number(text);
    } else if (strcasecmp(name, "gtid_domain_id") == 0)
        s->flavor = FLAVOR_MARIADB;
    else if (strcasecmp(name, "server_uuid") == 0)
        copy_cell(s->uuid, sizeof s->uuid, value);
    else if (strcasecmp(name, "server_id") == 0)
        s->server_id = (uint32_t)strtoul(text, NULL, 10);
    else if (strcasecmp(name, "gtid_mode") == 0)
        s->gtid_on = strcasecmp(text, "ON") == 0;
    else if (strcasecmp(name, "log_bin") == 0)
        s->log_bin = strcasecmp(text, "ON") == 0;
    else if (strcasecmp(name, "binlog_format") == 0)
        copy_cell(s->binlog_format, sizeof s->binlog_format, value);
    else if (strcasecmp(name, "binlog_checksum") == 0)
        copy_cell(s->binlog_checksum, sizeof s->binlog_checksum, value);
    else if (strcasecmp(name, "binlog_row_image") == 0)
        copy_cell(s->binlog_row_image, sizeof s->binlog_row_image, value);
    else if (strcasecmp(name, "binlog_row_metadata") == 0)
        copy_cell(s->binlog_row_metadata, sizeof s->binlog_row_metadata, value);
}

int client_identify(struct client *cli, struct err *e)
{
    static const char sql[] = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_uuid', 'server_id', "
                              "'gtid_mode', 'gtid_domain_id', 'log_bin', 'binlog_format', 'binlog_checksum', "
                              "'binlog_row_image', 'binlog_row_metadata')";
    struct client_result result = {0};
    int rc = client_query(cli, sql, &result, e);
    if (rc != 0)
        return rc;
    struct client_server *s = &cli->server;
    s->flavor = FLAVOR_MYSQL;
    for (size_t i = 0; i < result.rows && result.columns == 2; i++)
        if (result.cells[2 * i].p)
            take_variable(s, result.cells[2 * i].p, &result.cells[2 * i + 1]);
    client_result_free(&result);
    bool mariadb = s->flavor == FLAVOR_MARIADB;
    if (mariadb) {
        s->gtid_on = true;
        snprintf(s->uuid, sizeof s->uuid, "server_id-%u", s->server_id);
    }
    if (s->version < (mariadb ? 100500u : 80000u))
        return err_set_format(e, ERR_SERVER_UNSUPPORTED, "the server is %s %s", mariadb ? "MariaDB" : "MySQL",
                              s->version_text[0] ? s->version_text : "of an unknown version");
    return 0;
}
