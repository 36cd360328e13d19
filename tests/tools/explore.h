/* All interleavings of small threads at their atomic operations, on the real code: a model checker that keeps states.
 *
 * Threads are coroutines in one thread. A state is the bytes of the registered regions and of the threads' stacks, and
 * the search can go back to it. Each different state is left once by every thread that can go on, so it ends although
 * the schedules are too many to count. Stacks hold bytes that mean nothing any more; so two states are the same when
 * the regions are, and each thread is in the same operation (explore_op) and has read the same in it so far.
 * Sequentially consistent interleavings only: weaker orders are TSan's and the comments' matter.
 *
 * Code under test is compiled behind tools/stepped.h, whose atomic operations call explore_point first. Between two
 * points a body runs undisturbed. */
#ifndef SLUICE_TESTS_EXPLORE_H
#define SLUICE_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_THREADS_MAX 8

struct explore_spec {
    const char *name;
    unsigned threads;
    void (*body)(void *ctx, unsigned thread); /* returns when the thread is done; must not allocate or free */
    void (*finish)(void *ctx);                /* all threads are done: the last checks, which may change the world */
    void *ctx;
    uint64_t states_max; /* ends the test as failed beyond it */
};

struct explore_result {
    uint64_t states; /* different ones */
    uint64_t steps;
    uint64_t ends; /* different last states */
};

/* Before explore: bytes that a body may change. All of them must be named, the stacks excepted. */
void explore_region(void *p, size_t len);

/* Fails the test (with the schedule) on a deadlock, that is when every thread that is not done waits. Forgets the
 * regions. */
void explore(const struct explore_spec *spec, struct explore_result *out);

/* In a body: waits until *flag is true, and clears it. */
void explore_wait(bool *flag);

/* In a body: waits until `ready` says so of the regions. */
void explore_until(bool (*ready)(const void *ctx, unsigned thread));

/* In a body or in finish: prints the text and the schedule and ends the program when `cond` is false. */
void explore_check(bool cond, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* In a body: begins an operation. Where the body stands and what its variables hold must follow from `id` and the
 * regions. */
void explore_op(uint64_t id);

/* For tools/stepped.h; nothing outside of a body. explore_read: what was read behind a point. */
void explore_point(void);
void explore_read(uint64_t value);

#endif
