/* Figures that modules keep: a struct of atomics per thread and a const table beside it that names them. Stats line,
 * `status`, and whatever prints figures later, are printers of these tables. Each counter has one writer. */
#ifndef SLUICE_BASE_METRIC_H
#define SLUICE_BASE_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric_row {
    const char *name; /* snake_case with unit last: "rows_total", "lag_ms" */
    const char *unit;
    enum metric_type type;
    size_t offset; /* of an _Atomic uint64_t in the module's stats struct */
    const char *help;
};

/* Ends a table. */
#define METRIC_END                                                                                                     \
    {                                                                                                                  \
        NULL, NULL, METRIC_COUNTER, 0, NULL                                                                            \
    }

static inline void metric_add(_Atomic uint64_t *metric, uint64_t n)
{
    atomic_store_explicit(metric, atomic_load_explicit(metric, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void metric_set(_Atomic uint64_t *metric, uint64_t n)
{
    atomic_store_explicit(metric, n, memory_order_relaxed);
}

static inline uint64_t metric_get(const _Atomic uint64_t *metric)
{
    return atomic_load_explicit(metric, memory_order_relaxed);
}

/* The value of one row of a stats struct. */
static inline uint64_t metric_read(const void *stats, const struct metric_row *row)
{
    return metric_get((const _Atomic uint64_t *)(const void *)((const char *)stats + row->offset));
}

#endif
