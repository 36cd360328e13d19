/* One answer per connection. */
#include "admin/status_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG          16
#define ANSWER_MAX_BYTES (1024 * 1024)
#define ASK_TIMEOUT_S    5

struct status_socket {
    int dir_fd, fd;
    bool bound;
    const struct pipelines *pipes;
    struct pipeline_service service;
};

/* The socket's address by way of the folder's descriptor: a sun_path is short, a state_dir may be long. */
static void address(int dir_fd, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", dir_fd, STATUS_SOCKET_NAME);
}

static void answer(void *ctx)
{
    struct status_socket *sock = ctx;
    int fd = accept4(sock->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct buf text;
    buf_init(&text, ANSWER_MAX_BYTES);
    pipelines_status(sock->pipes, &text);
    if (!text.failed)
        (void)send(fd, text.p, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_release(&text);
    close(fd);
}

static bool listen_at(struct status_socket *sock)
{
    struct sockaddr_un addr;
    address(sock->dir_fd, &addr);
    (void)unlinkat(sock->dir_fd, STATUS_SOCKET_NAME, 0);
    sock->bound = bind(sock->fd, (const struct sockaddr *)&addr, sizeof addr) == 0;
    return sock->bound && fchmodat(sock->dir_fd, STATUS_SOCKET_NAME, 0600, 0) == 0 && listen(sock->fd, BACKLOG) == 0;
}

int status_socket_open(struct status_socket **out, const char *dir, const struct pipelines *pipes, struct err *e)
{
    struct status_socket *sock = calloc(1, sizeof *sock);
    if (!sock)
        return err_set(e, NO_MEMORY, sizeof *sock);
    *sock = (struct status_socket){.dir_fd = -1, .fd = -1, .pipes = pipes};
    sock->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sock->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock->dir_fd < 0 || sock->fd < 0 || !listen_at(sock)) {
        err_set(e, STATE_IO, dir, STATUS_SOCKET_NAME, strerror(errno));
        status_socket_close(sock);
        return err_result(e);
    }
    sock->service = (struct pipeline_service){.fd = sock->fd, .ready = answer, .ctx = sock};
    *out = sock;
    return 0;
}

const struct pipeline_service *status_socket_service(struct status_socket *sock)
{
    return &sock->service;
}

void status_socket_close(struct status_socket *sock)
{
    if (!sock)
        return;
    if (sock->bound)
        (void)unlinkat(sock->dir_fd, STATUS_SOCKET_NAME, 0);
    if (sock->fd >= 0)
        close(sock->fd);
    if (sock->dir_fd >= 0)
        close(sock->dir_fd);
    free(sock);
}

static int read_answer(int fd, struct buf *out)
{
    for (;;) {
        uint8_t *room = buf_room(out, 4096);
        if (!room)
            return -1;
        ssize_t n = read(fd, room, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : 0;
        out->len += (size_t)n;
    }
}

int status_socket_ask(const char *dir, struct buf *out, struct err *e)
{
    struct sockaddr_un addr;
    struct timeval limit = {.tv_sec = ASK_TIMEOUT_S};
    size_t begin = out->len;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = dir_fd >= 0 && fd >= 0;
    if (ok) {
        address(dir_fd, &addr);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ok = connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0 && read_answer(fd, out) == 0 &&
             out->len > begin;
    }
    if (!ok)
        err_set(e, STATUS_NOT_RUNNING, dir, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (dir_fd >= 0)
        close(dir_fd);
    return ok ? 0 : err_result(e);
}
