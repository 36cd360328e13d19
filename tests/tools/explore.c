/* Depth-first search over states. */
#include "tools/explore.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define STACK_BYTES (128u * 1024)
#define DEPTH_MAX   8192
#define REGIONS_MAX 64

enum thread_state { READY, WAITING, DONE };

/* The compiler's own setjmp: no system call, and the library's fortified longjmp refuses to change stacks. */
struct place {
    void *words[5];
};

struct thread {
    uint64_t known;                                  /* hash of its operation and what it read in it */
    bool *flag;                                      /* what it waits for: this … */
    bool (*ready)(const void *ctx, unsigned thread); /* … or this */
    enum thread_state state;
    bool begun;
    char *low; /* live bytes of its stack begin here */
    struct place at;
};

struct node {
    unsigned char *bytes; /* of the state */
    size_t size;
    unsigned char left;  /* bits: threads to be tried from here */
    unsigned char taken; /* the one that is being tried */
};

static struct {
    const struct explore_spec *spec;
    struct place scheduler;
    ucontext_t home, context; /* for the first step of a thread */
    struct thread threads[EXPLORE_THREADS_MAX];
    char *stacks[EXPLORE_THREADS_MAX];
    unsigned current;
    bool inside; /* a body runs */
    struct {
        void *p;
        size_t len;
    } regions[REGIONS_MAX];
    unsigned region_count;
    struct node *nodes;
    unsigned depth;
    uint64_t *seen; /* hashes of states, open addressing; 0 = empty */
    uint64_t seen_mask, seen_count;
} x;

void explore_region(void *p, size_t len)
{
    if (x.region_count == REGIONS_MAX)
        abort();
    x.regions[x.region_count].p = p;
    x.regions[x.region_count++].len = len;
}

void explore_check(bool cond, const char *format, ...)
{
    if (cond)
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", x.spec->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nschedule:");
    for (unsigned i = 0; i < x.depth; i++)
        fprintf(stderr, " %u", x.nodes[i].taken);
    fprintf(stderr, "\n");
    va_end(args);
    abort();
}

/* ---------------------------------------------------------------- threads */

/* The jump must not be in the function that marked the place. */
static __attribute__((noinline, noreturn)) void leave(void)
{
    x.threads[x.current].low = __builtin_frame_address(0);
    x.inside = false;
    __builtin_longjmp(x.scheduler.words, 1);
}

static __attribute__((noinline, noreturn)) void go(struct place *place)
{
    __builtin_longjmp(place->words, 1);
}

static __attribute__((noinline)) void yield(void)
{
    if (__builtin_setjmp(x.threads[x.current].at.words) == 0)
        leave();
    x.inside = true;
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 31;
    h *= 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

void explore_point(void)
{
    if (!x.inside)
        return;
    x.threads[x.current].known = mix(x.threads[x.current].known + 1);
    yield();
}

void explore_read(uint64_t value)
{
    if (x.inside)
        x.threads[x.current].known = mix(x.threads[x.current].known ^ mix(value));
}

void explore_op(uint64_t id)
{
    x.threads[x.current].known = mix(~id);
}

void explore_wait(bool *flag)
{
    x.threads[x.current].flag = flag;
    x.threads[x.current].ready = NULL;
    x.threads[x.current].state = WAITING;
    explore_point();
    *flag = false;
}

void explore_until(bool (*ready)(const void *ctx, unsigned thread))
{
    x.threads[x.current].ready = ready;
    x.threads[x.current].state = WAITING;
    explore_point();
}

static void run_body(void)
{
    x.spec->body(x.spec->ctx, x.current);
    x.threads[x.current].state = DONE;
    leave();
}

/* Goes on with the thread until its next point. */
static __attribute__((noinline)) void resume(struct thread *thread)
{
    x.inside = true;
    thread->state = READY;
    if (__builtin_setjmp(x.scheduler.words) != 0)
        return;
    if (thread->begun)
        go(&thread->at);
    thread->begun = true;
    getcontext(&x.context);
    x.context.uc_stack.ss_sp = x.stacks[x.current];
    x.context.uc_stack.ss_size = STACK_BYTES;
    x.context.uc_link = NULL;
    makecontext(&x.context, run_body, 0);
    swapcontext(&x.home, &x.context);
}

/* ---------------------------------------------------------------- states */

/* A plain loop: what it copies may be redzones of frames that ASan marked. */
static __attribute__((no_sanitize("address"))) void copy(void *to, const void *from, size_t len)
{
    uint64_t *t = to;
    const uint64_t *f = from;
    for (size_t i = 0; i < len / 8; i++)
        t[i] = f[i];
}

static char *stack_top(unsigned thread)
{
    return x.stacks[thread] + STACK_BYTES;
}

static size_t live(unsigned thread)
{
    const struct thread *t = &x.threads[thread];
    return t->begun && t->state != DONE ? (size_t)(stack_top(thread) - t->low) : 0;
}

static size_t region_bytes(void)
{
    size_t size = 0;
    for (unsigned i = 0; i < x.region_count; i++)
        size += (x.regions[i].len + 7) & ~(size_t)7;
    return size;
}

static size_t state_size(void)
{
    size_t size = sizeof x.threads + region_bytes();
    for (unsigned i = 0; i < x.spec->threads; i++)
        size += live(i);
    return size;
}

static void save(struct node *node)
{
    size_t size = state_size();
    if (size > node->size) {
        free(node->bytes);
        node->bytes = aligned_alloc(64, (size + 4095) / 4096 * 4096);
        node->size = (size + 4095) / 4096 * 4096;
        if (!node->bytes)
            abort();
    }
    unsigned char *p = node->bytes;
    for (unsigned i = 0; i < x.spec->threads; i++)
        if (x.threads[i].state == DONE) /* nothing of a thread that is done makes a difference */
            x.threads[i] = (struct thread){.state = DONE, .begun = true};
    memcpy(p, x.threads, sizeof x.threads);
    p += sizeof x.threads;
    for (unsigned i = 0; i < x.region_count; i++) {
        size_t len = (x.regions[i].len + 7) & ~(size_t)7;
        memset(p + len - 8, 0, 8);
        memcpy(p, x.regions[i].p, x.regions[i].len);
        p += len;
    }
    for (unsigned i = 0; i < x.spec->threads; i++) {
        copy(p, x.threads[i].low, live(i));
        p += live(i);
    }
}

static void restore(const struct node *node)
{
    const unsigned char *p = node->bytes;
    memcpy(x.threads, p, sizeof x.threads);
    p += sizeof x.threads;
    for (unsigned i = 0; i < x.region_count; i++) {
        memcpy(x.regions[i].p, p, x.regions[i].len);
        p += (x.regions[i].len + 7) & ~(size_t)7;
    }
    for (unsigned i = 0; i < x.spec->threads; i++) {
        size_t len = live(i);
        if (len == 0)
            continue;
#ifdef HAS_ASAN
        __asan_unpoison_memory_region(x.stacks[i], STACK_BYTES);
#endif
        copy(x.threads[i].low, p, len);
        p += len;
    }
}

static uint64_t hash_state(const struct node *node)
{
    const uint64_t *p = (const uint64_t *)(const void *)(node->bytes + sizeof x.threads);
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < x.spec->threads; i++)
        h = mix(h + x.threads[i].known + x.threads[i].state);
    for (size_t n = region_bytes() / 8; n > 0; n--) {
        h = (h ^ *p++) * 0xff51afd7ed558ccdu;
        h ^= h >> 29;
    }
    h = mix(h);
    return h ? h : 1;
}

static void seen_grow(void)
{
    uint64_t *old = x.seen, size = x.seen ? x.seen_mask + 1 : 0;
    x.seen_mask = size ? size * 2 - 1 : (1u << 16) - 1;
    x.seen = calloc(x.seen_mask + 1, sizeof *x.seen);
    if (!x.seen)
        abort();
    for (uint64_t i = 0; i < size; i++) {
        uint64_t slot = old[i] & x.seen_mask;
        while (old[i] && x.seen[slot])
            slot = (slot + 1) & x.seen_mask;
        if (old[i])
            x.seen[slot] = old[i];
    }
    free(old);
}

/* True when the state is new. */
static bool see(uint64_t state)
{
    if (!x.seen || x.seen_count * 2 > x.seen_mask)
        seen_grow();
    uint64_t slot = state & x.seen_mask;
    while (x.seen[slot] && x.seen[slot] != state)
        slot = (slot + 1) & x.seen_mask;
    if (x.seen[slot])
        return false;
    x.seen[slot] = state;
    x.seen_count++;
    return true;
}

/* ---------------------------------------------------------------- search */

/* Bits of the threads that can go on. */
static unsigned char enabled(bool *done)
{
    unsigned bits = 0;
    *done = true;
    for (unsigned i = 0; i < x.spec->threads; i++) {
        const struct thread *thread = &x.threads[i];
        *done &= thread->state == DONE;
        bool go_on = thread->state == READY;
        if (thread->state == WAITING)
            go_on = thread->ready ? thread->ready(x.spec->ctx, i) : *thread->flag;
        bits |= (unsigned)go_on << i;
    }
    return (unsigned char)bits;
}

/* Enters the state that the world is in: a new node on the path, unless it was seen before or is an end. */
static void enter(struct explore_result *out)
{
    bool done;
    struct node *node = &x.nodes[x.depth];
    save(node);
    if (!see(hash_state(node)))
        return;
    explore_check(x.seen_count <= x.spec->states_max, "more states than %llu", (unsigned long long)x.spec->states_max);
    node->left = enabled(&done);
    if (done) {
        out->ends++;
        x.spec->finish(x.spec->ctx);
        return;
    }
    explore_check(node->left != 0, "deadlock: every thread waits");
    explore_check(x.depth < DEPTH_MAX - 1, "more steps than %u", DEPTH_MAX);
    x.depth++;
}

static void search(struct explore_result *out)
{
    enter(out);
    while (x.depth > 0) {
        struct node *node = &x.nodes[x.depth - 1];
        if (node->left == 0) {
            x.depth--;
            continue;
        }
        restore(node);
        node->taken = (unsigned char)__builtin_ctz(node->left);
        node->left &= (unsigned char)(node->left - 1);
        x.current = node->taken;
        resume(&x.threads[node->taken]);
        out->steps++;
        enter(out);
    }
}

void explore(const struct explore_spec *spec, struct explore_result *out)
{
    *out = (struct explore_result){0};
    x.spec = spec;
    memset(x.threads, 0, sizeof x.threads);
    x.nodes = calloc(DEPTH_MAX, sizeof *x.nodes);
    if (!x.nodes || spec->threads > EXPLORE_THREADS_MAX)
        abort();
    for (unsigned i = 0; i < spec->threads; i++) {
        x.stacks[i] = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (x.stacks[i] == MAP_FAILED)
            abort();
    }
    search(out);
    out->states = x.seen_count;
    for (unsigned i = 0; i < spec->threads; i++)
        munmap(x.stacks[i], STACK_BYTES);
    for (unsigned i = 0; i < DEPTH_MAX; i++)
        free(x.nodes[i].bytes);
    free(x.nodes);
    free(x.seen);
    memset(&x, 0, sizeof x);
}
