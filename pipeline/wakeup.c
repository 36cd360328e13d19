/* A thread's bell. */
#include "pipeline/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wakeup_init(struct wakeup *wake, struct err *e)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_set(e, NO_MEMORY, sizeof(eventfd_t));
    wake->fd = fd;
    return 0;
}

void wakeup_release(struct wakeup *wake)
{
    if (wake->fd >= 0)
        close(wake->fd);
    wake->fd = -1;
}

void wakeup_ring(struct wakeup *wake)
{
    /* Full means rung already. */
    (void)eventfd_write(wake->fd, 1);
}

void wakeup_take(struct wakeup *wake)
{
    eventfd_t count;
    (void)eventfd_read(wake->fd, &count);
}

void wakeup_wait(struct wakeup *wake, int timeout_ms)
{
    struct pollfd pfd = {.fd = wake->fd, .events = POLLIN};
    if (poll(&pfd, 1, timeout_ms) > 0)
        wakeup_take(wake);
}
