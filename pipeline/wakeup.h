/* An eventfd that one thread sleeps on and others ring. A ring before the sleep is not lost. */
#ifndef SLUICE_PIPELINE_WAKEUP_H
#define SLUICE_PIPELINE_WAKEUP_H

#include "base/err.h"

struct wakeup {
    int fd; /* readable when rung; may be polled beside others */
};

/* Errors: NO_MEMORY (descriptors). */
int wakeup_init(struct wakeup *wake, struct err *e);
void wakeup_release(struct wakeup *wake);

/* Any thread. */
void wakeup_ring(struct wakeup *wake);

/* Sleeps until rung or the time is over (-1: no limit) and takes the ring. */
void wakeup_wait(struct wakeup *wake, int timeout_ms);

/* Takes the ring without sleeping. */
void wakeup_take(struct wakeup *wake);

#endif
