/* The linker's --wrap gives __wrap_X for every call of X, and __real_X for X itself. */
#include "tools/alloc_fault.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static unsigned left;
static bool met;

void alloc_fault_arm(unsigned n)
{
    left = n;
    met = false;
}

bool alloc_fault_met(void)
{
    return met;
}

static bool strikes(void)
{
    if (left == 0 || --left > 0)
        return false;
    met = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return strikes() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return strikes() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return strikes() ? NULL : __real_realloc(p, size);
}
