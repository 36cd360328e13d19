/* The server side of the MySQL protocol, as little of it as a script needs.
 *
 * A packet: length 3, sequence 1, payload. Source: MySQL internals manual "Client/Server Protocol". */
#include "tools/scripted_mysql.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#define PACKET_MAX      65536
#define CONNECTIONS_MAX 64
#define CAPABILITIES                                                                                                   \
    (0x1u | 0x4u | 0x80u /* LOCAL_FILES */ | 0x200u | 0x2000u | 0x8000u | 0x80000u /* PLUGIN_AUTH */ | 0x200000u)

enum { COM_QUIT = 1, COM_QUERY = 3, COM_BINLOG_DUMP = 0x12, COM_BINLOG_DUMP_GTID = 0x1e };

struct connection {
    struct scripted_mysql *srv;
    const struct mysql_script *script;
    pthread_t thread;
    int fd;
    uint8_t sequence;
    size_t sent;
    bool cut;
};

struct scripted_mysql {
    const struct mysql_script *script;
    int listener;
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock; /* over `received` */
    struct buf received;
    struct connection connections[CONNECTIONS_MAX];
    unsigned count;
};

static void send_bytes(struct connection *con, const uint8_t *p, size_t len)
{
    size_t limit = con->script->close_after;
    if (limit && con->sent + len > limit) {
        len = limit > con->sent ? limit - con->sent : 0;
        con->cut = true;
    }
    con->sent += len;
    while (len > 0) {
        ssize_t n = send(con->fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            con->cut = true;
            return;
        }
        p += n;
        len -= (size_t)n;
    }
}

static void send_packet(struct connection *con, const void *payload, size_t len)
{
    const uint8_t head[4] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16), con->sequence++};
    send_bytes(con, head, sizeof head);
    if (!con->cut)
        send_bytes(con, payload, len);
}

static bool receive(struct connection *con, uint8_t *to, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(con->fd, to + got, len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* The next packet of the client into `payload`; its length, or -1 when the client has gone. */
static int receive_packet(struct connection *con, uint8_t payload[PACKET_MAX])
{
    uint8_t head[4];
    if (con->cut || !receive(con, head, sizeof head))
        return -1;
    size_t len = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (len > PACKET_MAX || !receive(con, payload, len))
        return -1;
    con->sequence = (uint8_t)(head[3] + 1);
    pthread_mutex_lock(&con->srv->lock);
    buf_add(&con->srv->received, payload, len);
    pthread_mutex_unlock(&con->srv->lock);
    return (int)len;
}

static void send_ok(struct connection *con)
{
    static const uint8_t ok[] = {0, 0, 0, 2, 0, 0, 0};
    send_packet(con, ok, sizeof ok);
}

static void add_le(struct buf *out, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(value >> (8 * i)));
}

static void add_text(struct buf *out, const char *text)
{
    buf_byte(out, (uint8_t)strlen(text));
    buf_text(out, text);
}

static void send_buf(struct connection *con, struct buf *payload)
{
    send_packet(con, payload->p, payload->len);
    buf_clear(payload);
}

static void greet(struct connection *con)
{
    struct buf hello;
    buf_init(&hello, 0);
    buf_byte(&hello, 10);
    buf_add(&hello, "8.0.36", 7);
    add_le(&hello, 7, 4);
    buf_add(&hello, "abcdefgh", 9);
    add_le(&hello, CAPABILITIES & 0xffff, 2);
    buf_byte(&hello, 45);
    add_le(&hello, 2, 2);
    add_le(&hello, CAPABILITIES >> 16, 2);
    buf_byte(&hello, 21);
    buf_add(&hello, "\0\0\0\0\0\0\0\0\0\0", 10);
    buf_add(&hello, "ijklmnopqrst", 13);
    buf_add(&hello, "mysql_native_password", 22);
    con->sequence = 0;
    send_buf(con, &hello);
    buf_release(&hello);
}

/* True when the client is in. */
static bool let_in(struct connection *con, uint8_t packet[PACKET_MAX])
{
    greet(con);
    if (receive_packet(con, packet) < 0)
        return false;
    if (con->script->switch_to) {
        struct buf ask;
        buf_init(&ask, 0);
        buf_byte(&ask, 0xFE);
        buf_add(&ask, con->script->switch_to, strlen(con->script->switch_to) + 1);
        buf_add(&ask, "abcdefghijklmnopqrst", 21);
        send_buf(con, &ask);
        buf_release(&ask);
        if (receive_packet(con, packet) < 0)
            return false;
    }
    if (con->script->full_login) {
        send_packet(con, "\x01\x04", 2);
        if (receive_packet(con, packet) < 0)
            return false;
    }
    send_ok(con);
    return true;
}

static void send_column(struct connection *con, struct buf *out, const char *name)
{
    add_text(out, "def");
    add_text(out, "");
    add_text(out, "");
    add_text(out, "");
    add_text(out, name);
    add_text(out, "");
    buf_byte(out, 0x0c);
    add_le(out, 45, 2);
    add_le(out, 1024, 4);
    buf_byte(out, 0xfd);
    add_le(out, 0, 2);
    buf_byte(out, 0);
    add_le(out, 0, 2);
    send_buf(con, out);
}

static void send_variables(struct connection *con)
{
    const char *const rows[][2] = {{"version", "8.0.36"},      {"server_uuid", "3e11fa47-71ca-11e1-9e33-c80aa9429562"},
                                   {"server_id", "99"},        {"gtid_mode", con->script->gtid_on ? "ON" : "OFF"},
                                   {"log_bin", "ON"},          {"binlog_format", "ROW"},
                                   {"binlog_checksum", "NONE"}};
    static const uint8_t eof[] = {0xFE, 0, 0, 2, 0};
    struct buf out;
    buf_init(&out, 0);
    send_packet(con, "\x02", 1);
    send_column(con, &out, "Variable_name");
    send_column(con, &out, "Value");
    send_packet(con, eof, sizeof eof);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_text(&out, rows[i][0]);
        add_text(&out, rows[i][1]);
        send_buf(con, &out);
    }
    send_packet(con, eof, sizeof eof);
    buf_release(&out);
}

static void answer_query(struct connection *con, const uint8_t *text, size_t len)
{
    static const char variables[] = "SHOW GLOBAL VARIABLES";
    if (con->script->infile) {
        struct buf ask;
        buf_init(&ask, 0);
        buf_byte(&ask, 0xFB);
        buf_text(&ask, con->script->infile);
        send_buf(con, &ask);
        buf_release(&ask);
        uint8_t *packet = malloc(PACKET_MAX);
        while (packet && receive_packet(con, packet) > 0) /* the file, ended by an empty packet */
            ;
        free(packet);
        send_ok(con);
    } else if (len >= sizeof variables - 1 && memcmp(text, variables, sizeof variables - 1) == 0)
        send_variables(con);
    else
        send_ok(con);
}

static void serve(struct connection *con, uint8_t packet[PACKET_MAX])
{
    if (!let_in(con, packet))
        return;
    for (int len; (len = receive_packet(con, packet)) > 0 && packet[0] != COM_QUIT;) {
        if (packet[0] == COM_QUERY) {
            answer_query(con, packet + 1, (size_t)len - 1);
            continue;
        }
        const struct scripted_packet *dump = con->script->dump;
        for (; dump && dump->bytes; dump++)
            send_packet(con, dump->bytes, dump->len);
    }
}

static void *serve_loop(void *arg)
{
    struct connection *con = arg;
    uint8_t *packet = malloc(PACKET_MAX);
    if (packet)
        serve(con, packet);
    free(packet);
    shutdown(con->fd, SHUT_RDWR);
    return NULL;
}

static void *listen_loop(void *arg)
{
    struct scripted_mysql *srv = arg;
    const int on = 1;
    int fd;
    while (srv->count < CONNECTIONS_MAX && (fd = accept(srv->listener, NULL, NULL)) >= 0) {
        struct connection *con = &srv->connections[srv->count];
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        *con = (struct connection){.srv = srv, .script = srv->script, .fd = fd};
        if (pthread_create(&con->thread, NULL, serve_loop, con) != 0) {
            close(fd);
            break;
        }
        srv->count++;
    }
    return NULL;
}

struct scripted_mysql *scripted_mysql_start(const struct mysql_script *script)
{
    struct scripted_mysql *srv = calloc(1, sizeof *srv);
    assert_non_null(srv);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    srv->script = script;
    buf_init(&srv->received, 0);
    pthread_mutex_init(&srv->lock, NULL);
    srv->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(srv->listener >= 0);
    assert_int_equal(bind(srv->listener, (const struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(srv->listener, 16), 0);
    assert_int_equal(getsockname(srv->listener, (struct sockaddr *)&at, &len), 0);
    srv->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&srv->thread, NULL, listen_loop, srv), 0);
    return srv;
}

unsigned scripted_mysql_port(const struct scripted_mysql *srv)
{
    return srv->port;
}

void scripted_mysql_stop(struct scripted_mysql *srv)
{
    shutdown(srv->listener, SHUT_RDWR);
    pthread_join(srv->thread, NULL);
    for (unsigned i = 0; i < srv->count; i++) {
        shutdown(srv->connections[i].fd, SHUT_RDWR);
        pthread_join(srv->connections[i].thread, NULL);
        close(srv->connections[i].fd);
    }
    close(srv->listener);
}

bool scripted_mysql_received(const struct scripted_mysql *srv, const void *bytes, size_t len)
{
    return srv->received.len && memmem(srv->received.p, srv->received.len, bytes, len) != NULL;
}

size_t scripted_mysql_sent(const struct scripted_mysql *srv)
{
    return srv->count ? srv->connections[srv->count - 1].sent : 0;
}

void scripted_mysql_free(struct scripted_mysql *srv)
{
    pthread_mutex_destroy(&srv->lock);
    buf_release(&srv->received);
    free(srv);
}
