/* Replaces the atomic operations of <stdatomic.h>, for sources included behind it, by the same ones with a possible
 * change of threads before each: tools/explore.h. One thread runs at a time, so plain accesses do. */
#ifndef SLUICE_TESTS_STEPPED_H
#define SLUICE_TESTS_STEPPED_H

#include <stdatomic.h>

#include "tools/explore.h"

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_fetch_or

/* The comma drops _Atomic. */
#define STEPPED_TYPE(p) __typeof__((void)0, *(p))

/* Relaxed: a word of the thread's own, which nobody else writes or which nobody waits for. */
#define atomic_load_explicit(p, order)                                                                                 \
    __extension__({                                                                                                    \
        if ((order) != memory_order_relaxed)                                                                           \
            explore_point();                                                                                           \
        STEPPED_TYPE(p) read_ = *(p);                                                                                  \
        explore_read((uint64_t)read_);                                                                                 \
        read_;                                                                                                         \
    })
#define atomic_store_explicit(p, value, order)                                                                         \
    __extension__({                                                                                                    \
        if ((order) != memory_order_relaxed)                                                                           \
            explore_point();                                                                                           \
        *(p) = (value);                                                                                                \
    })
#define atomic_exchange(p, value)                                                                                      \
    __extension__({                                                                                                    \
        explore_point();                                                                                               \
        STEPPED_TYPE(p) old_ = *(p);                                                                                   \
        explore_read((uint64_t)old_);                                                                                  \
        *(p) = (value);                                                                                                \
        old_;                                                                                                          \
    })
#define atomic_fetch_or(p, bits)                                                                                       \
    __extension__({                                                                                                    \
        explore_point();                                                                                               \
        STEPPED_TYPE(p) old_ = *(p);                                                                                   \
        explore_read((uint64_t)old_);                                                                                  \
        *(p) = old_ | (bits);                                                                                          \
        old_;                                                                                                          \
    })
#define atomic_load(p)         atomic_load_explicit(p, memory_order_seq_cst)
#define atomic_store(p, value) atomic_store_explicit(p, value, memory_order_seq_cst)

#endif
