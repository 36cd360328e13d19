/* Calls of malloc and of locks between lane and sink, counted over a million rows: none per row. The counters replace
 * malloc and pthread_mutex_lock of the whole process, so libraries count too; only this thread's calls do. */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/redis.h"
#include "tools/fault_sink.h"
#include "tools/rig.h"
#include "tools/scripted_redis.h"

#define ROWS    1000000
#define PORTION 10000

static _Thread_local bool is_counting;
static _Thread_local uint64_t calls;

/* The sanitizers bring their own malloc. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS 0
#endif
#endif
#ifndef COUNTS
#define COUNTS 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
    calls += is_counting;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls += is_counting;
    return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    calls += is_counting;
    return __libc_realloc(p, size);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static _Atomic(void *) real;
    void *found = atomic_load(&real);
    if (!found)
        atomic_store(&real, found = dlsym(RTLD_NEXT, "pthread_mutex_lock"));
    calls += is_counting;
    int (*lock)(pthread_mutex_t *);
    memcpy(&lock, &found, sizeof lock);
    return lock(mutex);
}
#endif

/* Runs the rows through and returns the calls after the first portions, which warm up. */
static uint64_t run(struct rig *rig)
{
    calls = 0;
    for (int row = 0; row < ROWS;) {
        for (int i = 0; i < PORTION; i++)
            rig_add(rig, row++ % 7919, 1);
        rig_publish(rig);
        is_counting = row > 5 * PORTION;
        struct err e = ERR_INIT;
        if (runner_step(rig->runner, &e) != 0)
            fail_msg("%s", e.text);
        is_counting = false;
    }
    assert_true(runner_idle(rig->runner));
    assert_int_equal(metric_get(&runner_worker_stats(rig->runner, 0)->rows_total), ROWS);
    return calls;
}

static void hot_path__counter_itself__counts(void **state)
{
    (void)state;
    if (!COUNTS)
        skip();
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    calls = 0;
    is_counting = true;
    pthread_mutex_lock(&lock);
    void *volatile p = malloc(10);
    is_counting = false;
    free(p);
    pthread_mutex_unlock(&lock);
    assert_int_equal(calls, 2);
}

static void hot_path__million_rows_to_a_counter__no_malloc_and_no_lock(void **state)
{
    (void)state;
    if (!COUNTS)
        skip();
    struct rig rig;
    const struct rig_options opt = {.lanes = 3, .runner = {.ops = &sink_counter}};
    rig_init(&rig, &opt);
    assert_int_equal(run(&rig), 0);
    rig_release(&rig);
}

static void hot_path__million_rows_to_redis__no_malloc_and_no_lock_per_row(void **state)
{
    (void)state;
    if (!COUNTS)
        skip();
    static const char *const templates[] = {"order:{order_id}", "user:{user_id}:orders"};
    static const struct redis_route_options route_options = {.invalidate = {templates, NULL, 2}};
    static const struct route route = {
        .line = 1, .db = "shop", .table = "orders", .sink_mask = 1, .sink_options = {&route_options}};
    struct scripted_redis *server = scripted_redis_start(NULL, SIZE_MAX);
    char url[64];
    snprintf(url, sizeof url, "redis://127.0.0.1:%u", (unsigned)scripted_redis_port(server));
    const struct redis_options redis = {
        .url = url, .connect_timeout_ms = 60000, .timeout_ms = 60000, .unlink_keys = 256, .pipeline = 32};
    struct rig rig;
    const struct rig_options opt = {
        .lanes = 3, .runner = {.ops = &sink_redis, .options = &redis}, .routes = &route, .route_count = 1};
    rig_init(&rig, &opt);
    assert_in_range(run(&rig), 0, 50); /* the reply parser's buffer grows now and then */
    assert_true(scripted_redis_commands(server, "UNLINK") > 0);
    rig_release(&rig);
    scripted_redis_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hot_path__counter_itself__counts),
        cmocka_unit_test(hot_path__million_rows_to_a_counter__no_malloc_and_no_lock),
        cmocka_unit_test(hot_path__million_rows_to_redis__no_malloc_and_no_lock_per_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
