/* Connect, login and the binlog dump of a server; queries are in query.c. */
#include "client/client.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/client_impl.h"
#include "client/greeting.h"

#define EVENT_BYTES_LIMIT ((uint64_t)1 << 30) /* the server's own limit of a packet */
#define PACKET_OVERHEAD   65536               /* around an event of that size */
#define COMMAND_BYTES_MAX ((size_t)512 << 20)

static bool given(const char *text)
{
    return text && text[0] != '\0';
}

bool client_is_loopback(const char *host)
{
    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host);
}

enum client_tls client_tls_resolve(const struct client_options *opt)
{
    if (opt->tls != CLIENT_TLS_DEFAULT)
        return opt->tls;
    if (given(opt->socket))
        return CLIENT_TLS_DISABLED;
    return !given(opt->host) || client_is_loopback(opt->host) ? CLIENT_TLS_PREFERRED : CLIENT_TLS_VERIFY_IDENTITY;
}

int client_fail(struct client *cli, enum client_stage stage, const char *what, struct err *e)
{
    if (atomic_load(&cli->interrupted))
        return err_set(e, INTERRUPTED);
    const struct client_failure failure = {.number = mysql_errno(cli->mysql),
                                           .text = mysql_error(cli->mysql),
                                           .stage = stage,
                                           .what = what,
                                           .server_id = cli->server_id};
    return client_error_set(&failure, e);
}

/* mysql_init does this lazily and not safely for two threads at once. */
static void start_library(void)
{
    mysql_library_init(0, NULL, NULL);
}

static unsigned seconds(unsigned ms)
{
    return ms / 1000 + (ms % 1000 != 0);
}

static int set_options(MYSQL *mysql, const struct client_options *opt, struct err *e)
{
    unsigned off = 0;
    unsigned connect_s = seconds(opt->connect_timeout_ms), read_s = seconds(opt->read_timeout_ms);
    unsigned long packet = (unsigned long)(opt->max_event_bytes ? opt->max_event_bytes : EVENT_BYTES_LIMIT);
    unsigned protocol = given(opt->socket) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    packet += PACKET_OVERHEAD;
    bool ok = mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off) == 0 &&
              mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol) == 0 &&
              mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet) == 0 &&
              mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
              (connect_s == 0 || mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0) &&
              (read_s == 0 || (mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read_s) == 0 &&
                               mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &read_s) == 0));
    if (!ok)
        return err_set(e, BUG, "the client library refuses an option");
    bool trusted = given(opt->socket) || !given(opt->host) || client_is_loopback(opt->host);
    return backend_prepare(mysql, opt, client_tls_resolve(opt), trusted, e);
}

static int no_tls(struct err *e)
{
    return err_set(e, TLS_FAILED, "TLS is required, but the server does not offer it");
}

/* Before the login, where the library would log in without. */
static int look_for_tls(const struct client_options *opt, struct err *e)
{
    if (!backend_logs_in_without(client_tls_resolve(opt)))
        return 0;
    return greeting_look(opt, CLIENT_PORT_DEFAULT) == GREETING_PLAIN ? no_tls(e) : 0;
}

/* And after it, against a server that offers it one time and not the next. */
static int check_tls(struct client *cli, const struct client_options *opt, struct err *e)
{
    cli->server.tls = mysql_get_ssl_cipher(cli->mysql) != NULL;
    enum client_tls mode = client_tls_resolve(opt);
    if (mode >= CLIENT_TLS_REQUIRED && !cli->server.tls)
        return no_tls(e);
    return 0;
}

static int login(struct client *cli, const struct client_options *opt, struct err *e)
{
    int rc = look_for_tls(opt, e);
    if (rc == 0)
        rc = set_options(cli->mysql, opt, e);
    if (rc != 0)
        return rc;
    bool by_socket = given(opt->socket);
    const char *host = by_socket ? "localhost" : given(opt->host) ? opt->host : "127.0.0.1";
    if (!mysql_real_connect(cli->mysql, host, opt->user, opt->password, NULL,
                            opt->port ? opt->port : CLIENT_PORT_DEFAULT, by_socket ? opt->socket : NULL,
                            CLIENT_REMEMBER_OPTIONS))
        return client_fail(cli, CLIENT_LOGIN, NULL, e);
    rc = check_tls(cli, opt, e);
    if (rc != 0)
        return rc;
    cli->wake_fd = dup(backend_socket(cli->mysql));
    if (cli->wake_fd < 0)
        return err_set(e, CONNECT, "no file descriptor left");
    return client_identify(cli, e);
}

int client_connect(struct client **out, const struct client_options *opt, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    struct client *cli = calloc(1, sizeof *cli);
    if (!cli)
        return err_set(e, NO_MEMORY, sizeof *cli);
    cli->wake_fd = -1;
    cli->max_event_bytes = opt->max_event_bytes ? opt->max_event_bytes : EVENT_BYTES_LIMIT;
    cli->mysql = mysql_init(NULL);
    int rc = cli->mysql ? login(cli, opt, e) : err_set(e, NO_MEMORY, sizeof(MYSQL));
    if (rc != 0) {
        if (given(opt->socket))
            err_wrap(e, "%s", opt->socket);
        else
            err_wrap(e, "%s:%u", given(opt->host) ? opt->host : "127.0.0.1",
                     opt->port ? opt->port : CLIENT_PORT_DEFAULT);
        client_close(cli);
        return rc;
    }
    *out = cli;
    return 0;
}

void client_close(struct client *cli)
{
    if (!cli)
        return;
    /* A dump has no end that the server would wait for: cut it, so that the library's farewell cannot block. */
    if (cli->dump && cli->wake_fd >= 0)
        shutdown(cli->wake_fd, SHUT_RDWR);
    backend_dump_close(cli->dump);
    if (cli->mysql) {
        backend_release(cli->mysql);
        mysql_close(cli->mysql);
    }
    if (cli->wake_fd >= 0)
        close(cli->wake_fd);
    free(cli);
}

const struct client_server *client_server(const struct client *cli)
{
    return &cli->server;
}

void client_interrupt(struct client *cli)
{
    atomic_store(&cli->interrupted, true);
    if (cli->wake_fd >= 0)
        shutdown(cli->wake_fd, SHUT_RDWR);
}

static int prepare_session(struct client *cli, const struct client_dump *dump, struct err *e)
{
    struct buf sql;
    buf_init(&sql, COMMAND_BYTES_MAX);
    int rc = 0;
    for (unsigned n = 0; rc == 0 && dump_command_session(n, &cli->server, dump, &sql); n++) {
        rc = sql.failed ? err_set(e, NO_MEMORY, sql.len) : client_execute(cli, (const char *)sql.p, e);
        buf_clear(&sql);
    }
    buf_release(&sql);
    return rc;
}

int client_dump_start(struct client *cli, const struct client_dump *dump, struct err *e)
{
    cli->server_id = dump->server_id;
    if (dump->gtids)
        memcpy(cli->start, "the GTID position", sizeof "the GTID position");
    else if (dump->at)
        filepos_print(dump->at, cli->start);
    int rc = prepare_session(cli, dump, e);
    if (rc != 0)
        return rc;
    struct dump_command cmd;
    rc = dump_command_init(&cmd, &cli->server, dump, e);
    if (rc != 0)
        return rc;
    if (backend_dump_open(&cli->dump, cli->mysql, &cmd) != 0)
        rc = client_fail(cli, CLIENT_DUMP, cli->start, e);
    buf_release(&cmd.gtids);
    return rc;
}

static int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int dump_failed(struct client *cli, unsigned timeout_ms, int64_t since_ms, struct err *e)
{
    unsigned number = mysql_errno(cli->mysql);
    bool lost = number == 0 || (number >= 2000 && number < 3000);
    if (lost && since_ms && !atomic_load(&cli->interrupted) && mono_ms() - since_ms >= timeout_ms) {
        return err_set_format(e, ERR_CONNECT, "the server was silent for %u ms", timeout_ms);
    }
    return client_fail(cli, CLIENT_DUMP, cli->start, e);
}

int client_dump_read(struct client *cli, unsigned timeout_ms, const uint8_t **event, size_t *len, struct err *e)
{
    const uint8_t *packet = NULL;
    size_t packet_len = 0;
    if (atomic_load_explicit(&cli->interrupted, memory_order_relaxed))
        return err_set(e, INTERRUPTED);
    int64_t since_ms = backend_dump_buffered(cli->dump) ? 0 : mono_ms();
    int got = backend_dump_read(cli->dump, timeout_ms, &packet, &packet_len);
    if (got < 0)
        return dump_failed(cli, timeout_ms, since_ms, e);
    if (got == 0)
        return err_set(e, CONNECT, "the server ended the dump (it shuts down)");
    if (packet_len < 2 || packet[0] != 0)
        return err_set(e, CORRUPT, "the server sent a packet that is no event");
    if (packet_len - 1 > cli->max_event_bytes)
        return err_set(e, LIMIT, "max_event_bytes", packet_len - 1, (size_t)cli->max_event_bytes);
    *event = packet + 1;
    *len = packet_len - 1;
    return 0;
}

bool client_dump_ready(struct client *cli)
{
    if (backend_dump_buffered(cli->dump))
        return true;
    struct pollfd fd = {.fd = cli->wake_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}
