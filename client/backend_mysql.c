/* Genuine libmysqlclient (8.0 and later): mysql_binlog_open, _fetch, _close. */
#include <errmsg.h>
#include <stdlib.h>
#include <string.h>

#include "client/backend.h"

struct backend_dump {
    MYSQL *mysql;
    MYSQL_RPL rpl;
    uint8_t *gtids; /* the encoded set, as the library takes it at open */
};

static int set_string(MYSQL *mysql, enum mysql_option option, const char *value)
{
    return value && value[0] ? mysql_options(mysql, option, value) : 0;
}

static unsigned ssl_mode(enum client_tls tls)
{
    switch (tls) {
    case CLIENT_TLS_DISABLED:
        return SSL_MODE_DISABLED;
    case CLIENT_TLS_REQUIRED:
        return SSL_MODE_REQUIRED;
    case CLIENT_TLS_VERIFY_CA:
        return SSL_MODE_VERIFY_CA;
    case CLIENT_TLS_VERIFY_IDENTITY:
        return SSL_MODE_VERIFY_IDENTITY;
    default:
        return SSL_MODE_PREFERRED;
    }
}

/* The clear-text plugin is off unless asked for; the public key is requested from a trusted place only. */
int backend_prepare(MYSQL *mysql, const struct client_options *opt, enum client_tls tls, bool trusted, struct err *e)
{
    bool get_key = trusted, clear_text = false;
    int rc = mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &get_key) |
             mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &clear_text);
    if (tls != CLIENT_TLS_DISABLED)
        rc |= set_string(mysql, MYSQL_OPT_SSL_CERT, opt->tls_cert) | set_string(mysql, MYSQL_OPT_SSL_KEY, opt->tls_key);
    if (tls >= CLIENT_TLS_VERIFY_CA) {
        bool own = opt->tls_ca && opt->tls_ca[0];
        rc |= own ? mysql_options(mysql, MYSQL_OPT_SSL_CA, opt->tls_ca)
                  : mysql_options(mysql, MYSQL_OPT_SSL_CAPATH, BACKEND_SYSTEM_CA_DIR);
    }
    unsigned mode = ssl_mode(tls); /* last: giving a CA raises the mode by itself */
    rc |= mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    return rc == 0 ? 0 : err_set(e, TLS_FAILED, "the client library refuses a TLS option");
}

bool backend_logs_in_without(enum client_tls tls)
{
    (void)tls;
    return false;
}

void backend_release(MYSQL *mysql)
{
    (void)mysql;
}

int backend_socket(MYSQL *mysql)
{
    return (int)mysql->net.fd;
}

static void copy_gtids(MYSQL_RPL *rpl, unsigned char *packet_gtid_set)
{
    memcpy(packet_gtid_set, rpl->gtid_set_arg, rpl->gtid_set_encoded_size);
}

int backend_dump_open(struct backend_dump **out, MYSQL *mysql, const struct dump_command *cmd)
{
    struct backend_dump *dump = calloc(1, sizeof *dump);
    if (!dump)
        return -1;
    dump->mysql = mysql;
    dump->rpl.file_name = cmd->file;
    dump->rpl.file_name_length = strlen(cmd->file);
    dump->rpl.start_position = cmd->pos;
    dump->rpl.server_id = cmd->server_id;
    dump->rpl.flags = cmd->flags;
    if (cmd->code == DUMP_COMMAND_BY_GTID) {
        dump->gtids = malloc(cmd->gtids.len + 1);
        if (dump->gtids && cmd->gtids.len)
            memcpy(dump->gtids, cmd->gtids.p, cmd->gtids.len);
        dump->rpl.flags |= MYSQL_RPL_GTID;
        dump->rpl.gtid_set_encoded_size = cmd->gtids.len;
        dump->rpl.fix_gtid_set = copy_gtids;
        dump->rpl.gtid_set_arg = dump->gtids;
    }
    if ((cmd->code == DUMP_COMMAND_BY_GTID && !dump->gtids) || mysql_binlog_open(mysql, &dump->rpl) != 0) {
        free(dump->gtids);
        free(dump);
        return -1;
    }
    dump->rpl.file_name = ""; /* the caller's string ends with this call */
    dump->rpl.file_name_length = 0;
    *out = dump;
    return 0;
}

int backend_dump_read(struct backend_dump *dump, unsigned timeout_ms, const uint8_t **packet, size_t *len)
{
    (void)timeout_ms; /* fixed at connect: MYSQL_OPT_READ_TIMEOUT */
    if (mysql_binlog_fetch(dump->mysql, &dump->rpl) != 0)
        return -1;
    if (dump->rpl.size == 0)
        return 0;
    *packet = dump->rpl.buffer;
    *len = dump->rpl.size;
    return 1;
}

bool backend_dump_buffered(const struct backend_dump *dump)
{
    (void)dump; /* its read buffer cannot be seen from outside */
    return false;
}

void backend_dump_close(struct backend_dump *dump)
{
    if (!dump)
        return;
    mysql_binlog_close(dump->mysql, &dump->rpl);
    free(dump->gtids);
    free(dump);
}
