/* Which row of errors.def a server's or library's error becomes, per stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/client_error.h"

struct row {
    unsigned number;
    enum client_stage stage;
    const char *text;
    enum err_code code;
};

/* Texts as MySQL 8.0, 8.4, 9.7 and MariaDB 10.5 to 11.4 send them. */
static const struct row rows[] = {
    {2002, CLIENT_LOGIN, "Can't connect to local server through socket '/x' (2)", ERR_CONNECT},
    {2003, CLIENT_LOGIN, "Can't connect to server on '127.0.0.1' (111)", ERR_CONNECT},
    {2005, CLIENT_LOGIN, "Unknown server host 'db'", ERR_CONNECT},
    {2006, CLIENT_QUERY, "Server has gone away", ERR_CONNECT},
    {2013, CLIENT_DUMP, "Lost connection to server during query", ERR_CONNECT},
    {0, CLIENT_DUMP, "", ERR_CONNECT},
    {1040, CLIENT_LOGIN, "Too many connections", ERR_CONNECT},
    {1053, CLIENT_QUERY, "Server shutdown in progress", ERR_CONNECT},
    {1317, CLIENT_DUMP, "Query execution was interrupted", ERR_CONNECT},
    {1927, CLIENT_DUMP, "Connection was killed", ERR_CONNECT},
    {1045, CLIENT_LOGIN, "Access denied for user 'sluice'@'localhost' (using password: YES)", ERR_LOGIN_DENIED},
    {1045, CLIENT_DUMP, "Access denied for user 'sluice'@'localhost' (using password: YES)", ERR_LOGIN_DENIED},
    {1130, CLIENT_LOGIN, "Host '10.0.0.9' is not allowed to connect to this MySQL server", ERR_LOGIN_DENIED},
    {2061, CLIENT_LOGIN, "RSA Encryption not supported", ERR_LOGIN_DENIED},
    {5010, CLIENT_LOGIN, "Plugin mysql_clear_password is not in the list of allowed plugins", ERR_LOGIN_DENIED},
    {1227, CLIENT_DUMP, "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)",
     ERR_GRANT_MISSING},
    {1044, CLIENT_QUERY, "Access denied for user 'sluice'@'%' to database 'shop'", ERR_GRANT_MISSING},
    {1142, CLIENT_QUERY, "SELECT command denied to user 'sluice'@'%' for table 'orders'", ERR_GRANT_MISSING},
    {2026, CLIENT_LOGIN, "TLS/SSL error: self-signed certificate in certificate chain", ERR_TLS_FAILED},
    {2026, CLIENT_LOGIN, "TLS/SSL error: certificate has expired", ERR_TLS_FAILED},
    {2026, CLIENT_LOGIN, "TLS/SSL error: SSL is required, but the server does not support it", ERR_TLS_FAILED},
    {2026, CLIENT_LOGIN, "TLS/SSL error: unexpected eof while reading", ERR_CONNECT},
    {2026, CLIENT_LOGIN, "TLS/SSL error: Connection reset by peer (104)", ERR_CONNECT},
    {2026, CLIENT_DUMP, "TLS/SSL error: Resource temporarily unavailable (11)", ERR_CONNECT},
    {3159, CLIENT_LOGIN, "Connections using insecure transport are prohibited", ERR_TLS_FAILED},
    {2020, CLIENT_DUMP, "Got packet bigger than 'max_allowed_packet' bytes", ERR_LIMIT},
    {1146, CLIENT_QUERY, "Table 'shop.x' doesn't exist", ERR_QUERY_FAILED},
    {1236, CLIENT_DUMP, "Could not find first log file name in binary log index file", ERR_BINLOG_PURGED},
    {1236, CLIENT_DUMP, "could not find next log; the first event '.' at 4, the last event read from 'bin.2' at 9",
     ERR_CONNECT},
    {1236, CLIENT_DUMP,
     "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from "
     "elsewhere, or provision a new replica from backup.",
     ERR_BINLOG_PURGED},
    {1236, CLIENT_DUMP,
     "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs "
     "containing GTIDs that the slave requires.",
     ERR_BINLOG_PURGED},
    {1236, CLIENT_DUMP,
     "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and "
     "required binlog files have been purged.",
     ERR_BINLOG_PURGED},
    {1236, CLIENT_DUMP, "Client requested source to start replication from position > file size", ERR_BINLOG_PURGED},
    {1236, CLIENT_DUMP,
     "Client requested master to start replication from impossible position; the first event 'bin.000002' at 99999",
     ERR_BINLOG_PURGED},
    {1236, CLIENT_DUMP,
     "Error: connecting slave requested to start from GTID 0-1-100, which is not in the master's binlog",
     ERR_GTID_SURPLUS},
    {1236, CLIENT_DUMP,
     "Slave has more GTIDs than the master has, using the master's SERVER_UUID. This may indicate that the end of the "
     "binary log was truncated",
     ERR_GTID_SURPLUS},
    {1236, CLIENT_DUMP, "A slave with the same server_uuid/server_id as this slave has connected to the master",
     ERR_SERVER_ID_DUPLICATE},
    {1236, CLIENT_DUMP, "A replica with the same server_uuid/server_id as this replica has connected to the source",
     ERR_SERVER_ID_DUPLICATE},
    {4052, CLIENT_DUMP,
     "A slave with the same server_uuid/server_id is already connected; the first event 'bin.1' at 4",
     ERR_SERVER_ID_DUPLICATE},
    {1236, CLIENT_DUMP, "Binary log is not open", ERR_BINLOG_OFF},
    {1236, CLIENT_DUMP, "bogus data in log event", ERR_DUMP_REFUSED},
    {1236, CLIENT_DUMP, "log event entry exceeded max_allowed_packet", ERR_DUMP_REFUSED},
    {9999, CLIENT_DUMP, "an error of the year 2030", ERR_DUMP_REFUSED},
};

static void client_error__number_and_text__one_row_of_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        const struct client_failure failure = {.number = rows[i].number,
                                               .text = rows[i].text,
                                               .stage = rows[i].stage,
                                               .what = "bin.000001:4",
                                               .server_id = 7};
        int rc = client_error_set(&failure, &e);
        if (e.code != rows[i].code)
            fail_msg("%u \"%s\": %s", rows[i].number, rows[i].text, err_code_name(e.code));
        assert_int_equal(rc, -(int)rows[i].code);
    }
}

static void client_error__only_lost_connections__are_retried(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(err_code_class(rows[i].code) == ERR_CLASS_RETRY, rows[i].code == ERR_CONNECT);
}

static void client_error__text_with_percent__is_no_format(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const struct client_failure failure = {.number = 2003, .text = "%s%s%n", .stage = CLIENT_LOGIN};
    assert_int_equal(client_error_set(&failure, &e), -(int)ERR_CONNECT);
    assert_string_equal(e.text, "error 2003: %s%s%n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_error__number_and_text__one_row_of_errors),
        cmocka_unit_test(client_error__only_lost_connections__are_retried),
        cmocka_unit_test(client_error__text_with_percent__is_no_format),
    };
    return cmocka_run_group_tests_name("client_error", tests, NULL, NULL);
}
