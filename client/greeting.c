/* A first look at a server: connect, read the greeting, hang up.
 *
 *   bytes  field of the greeting
 *       4  packet header: length 3, sequence 1
 *       1  protocol version, 10
 *     n+1  server version, NUL-terminated
 *       4  connection id
 *       8  first part of the challenge
 *       1  filler
 *       2  capabilities, lower half */
#include "client/greeting.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"

#define PROTOCOL_VERSION   10
#define HEADER_LEN         4
#define CAPABILITY_TLS     0x0800u
#define TIMEOUT_DEFAULT_MS 10000

enum greeting greeting_read(const uint8_t *bytes, size_t len)
{
    struct cursor cur = cursor_over(bytes, len);
    cursor_skip(&cur, HEADER_LEN);
    if (cursor_u8(&cur) != PROTOCOL_VERSION)
        return GREETING_NONE;
    while (cursor_u8(&cur) != 0)
        ;
    cursor_skip(&cur, 4 + 8 + 1);
    unsigned capabilities = cursor_u16(&cur);
    if (cur.bad)
        return GREETING_NONE;
    return capabilities & CAPABILITY_TLS ? GREETING_TLS : GREETING_PLAIN;
}

static int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - mono_ms();
    struct pollfd ready = {.fd = fd, .events = events};
    return left_ms > 0 && poll(&ready, 1, (int)left_ms) > 0;
}

/* The socket, or -1. */
static int open_socket(int family, const struct sockaddr *address, socklen_t len, int64_t deadline_ms)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
    socklen_t error_len = sizeof error;
    if (fd < 0)
        return -1;
    bool open = connect(fd, address, len) == 0;
    if (!open && errno == EINPROGRESS && wait_for(fd, POLLOUT, deadline_ms))
        open = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 && error == 0;
    if (open)
        return fd;
    close(fd);
    return -1;
}

static int open_unix(const char *path, int64_t deadline_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return open_socket(AF_UNIX, (const struct sockaddr *)&address, sizeof address, deadline_ms);
}

static int open_tcp(const char *host, unsigned port, int64_t deadline_ms)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];
    int fd = -1;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &wanted, &found) != 0)
        return -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = open_socket(at->ai_family, at->ai_addr, at->ai_addrlen, deadline_ms);
    freeaddrinfo(found);
    return fd;
}

/* Reads until the capabilities are there. */
static enum greeting receive(int fd, int64_t deadline_ms)
{
    uint8_t bytes[GREETING_BYTES_MAX];
    size_t len = 0;
    enum greeting said = GREETING_NONE;
    while (said == GREETING_NONE && len < sizeof bytes && wait_for(fd, POLLIN, deadline_ms)) {
        ssize_t got = recv(fd, bytes + len, sizeof bytes - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
        said = greeting_read(bytes, len);
    }
    return said;
}

enum greeting greeting_look(const struct client_options *opt, unsigned port_default)
{
    int64_t deadline_ms = mono_ms() + (opt->connect_timeout_ms ? opt->connect_timeout_ms : TIMEOUT_DEFAULT_MS);
    bool by_socket = opt->socket && opt->socket[0];
    const char *host = opt->host && opt->host[0] ? opt->host : "127.0.0.1";
    int fd = by_socket ? open_unix(opt->socket, deadline_ms)
                       : open_tcp(host, opt->port ? opt->port : port_default, deadline_ms);
    if (fd < 0)
        return GREETING_NONE;
    enum greeting said = receive(fd, deadline_ms);
    close(fd);
    return said;
}
