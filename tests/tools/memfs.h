/* A file system in memory behind struct env, with an operation that fails on demand and with power failures.
 *
 * It keeps for each file what was written and what an fsync made durable, and for each directory the same of its names,
 * so that memfs_crash() can put together what a disk may show after the lights went out. The clock stands still but for
 * memfs_advance(); random bytes come from a fixed seed. One thread. */
#ifndef SLUICE_TESTS_MEMFS_H
#define SLUICE_TESTS_MEMFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

struct memfs;

/* What happens at the chosen operation; the operations before it work. */
enum memfs_fault {
    MEMFS_NONE,
    MEMFS_ERROR, /* it fails with EIO and has no effect; those after it work */
    MEMFS_TORN,  /* as MEMFS_ERROR, but a write has stored its first half before it fails */
    MEMFS_POWER  /* it and all after it fail; a write has stored its first half */
};

/* Which bytes written since the last fsync survive. */
enum memfs_bytes {
    MEMFS_BYTES_ALL,
    MEMFS_BYTES_DURABLE, /* none: the file is as at its last fsync */
    MEMFS_BYTES_HALF,    /* the first half of what was appended */
    MEMFS_BYTES_ZEROS,   /* the length, but zeros instead of bytes */
    MEMFS_BYTES_HOLES,   /* as ZEROS, but only in every other sector of 512 */
    MEMFS_BYTES_COUNT
};

struct memfs *memfs_new(void);
void memfs_free(struct memfs *fs);
struct env memfs_env(struct memfs *fs);

/* Arms a fault at the n-th operation from now on, from 1. */
void memfs_fault(struct memfs *fs, enum memfs_fault fault, unsigned n);

/* Operations since the last memfs_fault(), and whether its fault was met. */
unsigned memfs_operations(const struct memfs *fs);
bool memfs_fault_met(const struct memfs *fs);

/* The lights go out and come back: open files and locks are gone, unsynced bytes survive as said; names changed since
 * the last fsync of their directory survive when `names`. Disarms the fault. */
void memfs_crash(struct memfs *fs, enum memfs_bytes bytes, bool names);

/* The bytes of a file, for tests that damage it; NULL when there is none. A write through the pointer is durable. */
uint8_t *memfs_bytes(struct memfs *fs, const char *path, size_t *len);
void memfs_resize(struct memfs *fs, const char *path, size_t len);
bool memfs_exists(struct memfs *fs, const char *path);
mode_t memfs_mode(struct memfs *fs, const char *path);
unsigned memfs_open_count(const struct memfs *fs);

void memfs_advance(struct memfs *fs, int64_t us);

/* The clock, not the monotonic one, is set forward or back. */
void memfs_step(struct memfs *fs, int64_t us);

#endif
