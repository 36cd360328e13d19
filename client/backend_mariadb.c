/* MariaDB Connector/C (3.3 and later). Its replication API knows no MySQL GTIDs, so the dump command is sent by the
 * library's own command function and the packets are read by its exported packet reader. */
#include <errmsg.h>
#include <ma_pvio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "client/backend.h"

#define COMMAND_BYTES_MAX ((size_t)512 << 20)

/* No plugin that sends the password in clear: the library would follow any server that asks for it. */
static const char login_plugins[] = "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec";

struct backend_dump {
    MYSQL *mysql;
    unsigned timeout_ms; /* set on the socket */
};

static int set_string(MYSQL *mysql, enum mysql_option option, const char *value)
{
    return value && value[0] ? mysql_optionsv(mysql, option, value) : 0;
}

/* The library checks the chain as soon as a CA is given, and the name with SSL_VERIFY_SERVER_CERT. "required" and
 * "preferred" take any certificate, as they do with the genuine library. */
int backend_prepare(MYSQL *mysql, const struct client_options *opt, enum client_tls tls, bool trusted, struct err *e)
{
    my_bool enforce = tls != CLIENT_TLS_DISABLED;
    my_bool verify_name = tls == CLIENT_TLS_VERIFY_IDENTITY;
    int rc = mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce) |
             mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify_name) |
             mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, login_plugins);
    if (enforce)
        rc |= set_string(mysql, MYSQL_OPT_SSL_CERT, opt->tls_cert) | set_string(mysql, MYSQL_OPT_SSL_KEY, opt->tls_key);
    if (tls >= CLIENT_TLS_VERIFY_CA) {
        bool own = opt->tls_ca && opt->tls_ca[0];
        rc |= own ? mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, opt->tls_ca)
                  : mysql_optionsv(mysql, MYSQL_OPT_SSL_CAPATH, BACKEND_SYSTEM_CA_DIR);
    }
    /* Without TLS the library would ask whoever answers for a public key and encrypt the password with it. A key file
     * that holds no key ends such a login instead. */
    if (!trusted)
        rc |= mysql_optionsv(mysql, MYSQL_SERVER_PUBLIC_KEY, "/dev/null");
    return rc == 0 ? 0 : err_set(e, TLS_FAILED, "the client library refuses a TLS option");
}

/* With the name to be verified the library insists by itself. */
bool backend_logs_in_without(enum client_tls tls)
{
    return tls == CLIENT_TLS_REQUIRED || tls == CLIENT_TLS_VERIFY_CA;
}

/* mysql_close frees every option but this one. */
void backend_release(MYSQL *mysql)
{
    mysql_optionsv(mysql, MYSQL_SERVER_PUBLIC_KEY, NULL);
}

int backend_socket(MYSQL *mysql)
{
    return mysql->net.pvio ? (int)mysql_get_socket(mysql) : -1;
}

int backend_dump_open(struct backend_dump **out, MYSQL *mysql, const struct dump_command *cmd)
{
    struct backend_dump *dump = calloc(1, sizeof *dump);
    struct buf body;
    buf_init(&body, COMMAND_BYTES_MAX);
    dump_command_encode(cmd, &body);
    int rc = -1;
    if (!dump || body.failed)
        mysql->methods->set_error(mysql, CR_OUT_OF_MEMORY, "HY001", 0);
    else
        rc = mysql->methods->db_command(mysql, (enum enum_server_command)cmd->code, (const char *)body.p, body.len, 1,
                                        NULL);
    buf_release(&body);
    if (rc != 0) {
        free(dump);
        return -1;
    }
    dump->mysql = mysql;
    *out = dump;
    return 0;
}

/* The library takes whole seconds only; its plain reader polls with this field, its TLS reader blocks in recv. */
static void set_timeout(struct backend_dump *dump, unsigned timeout_ms)
{
    struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    MARIADB_PVIO *pvio = dump->mysql->net.pvio;
    dump->timeout_ms = timeout_ms;
    pvio->timeout[PVIO_READ_TIMEOUT] = timeout_ms ? (int)timeout_ms : -1;
    setsockopt((int)mysql_get_socket(dump->mysql), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
}

int backend_dump_read(struct backend_dump *dump, unsigned timeout_ms, const uint8_t **packet, size_t *len)
{
    MYSQL *mysql = dump->mysql;
    if (mysql->net.pvio && timeout_ms != dump->timeout_ms)
        set_timeout(dump, timeout_ms);
    unsigned long got = mysql_net_read_packet(mysql);
    if (got == packet_error)
        return -1;
    if (got < 8 && mysql->net.read_pos[0] == 0xFE)
        return 0;
    *packet = mysql->net.read_pos;
    *len = got;
    return 1;
}

bool backend_dump_buffered(const struct backend_dump *dump)
{
    const MARIADB_PVIO *pvio = dump->mysql->net.pvio;
    return pvio && pvio->cache && pvio->cache + pvio->cache_size > pvio->cache_pos;
}

void backend_dump_close(struct backend_dump *dump)
{
    free(dump);
}
