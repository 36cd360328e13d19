/* Read-only files that are bytes in memory, behind struct env. */
#ifndef SLUICE_TESTS_BYTES_ENV_H
#define SLUICE_TESTS_BYTES_ENV_H

#include "base/env.h"

#define BYTES_FILES_MAX 8

struct bytes_file {
    const char *path;
    const uint8_t *bytes;
    size_t len;
};

struct bytes_env {
    struct bytes_file files[BYTES_FILES_MAX];
    size_t at[BYTES_FILES_MAX];
    size_t read_max;  /* most bytes that one read gives; 0: all */
    unsigned fail_at; /* the n-th read from 1 fails with EIO; 0: none */
    unsigned reads;
};

/* An env over `files`, which is the caller's. */
struct env bytes_env(struct bytes_env *files);

#endif
