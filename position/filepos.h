/* A place in the binlog: file name and 64-bit byte offset. Plain data, core. */
#ifndef SLUICE_POSITION_FILEPOS_H
#define SLUICE_POSITION_FILEPOS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FILEPOS_FILE_MAX 511
#define FILEPOS_TEXT_MAX (FILEPOS_FILE_MAX + 24)

struct filepos {
    char file[FILEPOS_FILE_MAX + 1]; /* without folder, NUL-terminated; "" = none */
    uint64_t pos;                    /* of the next byte to read; >= 4 in a real file */
};

/* "file:pos". Errors: POSITION_SYNTAX. */
int filepos_parse(struct filepos *out, const char *text, size_t len, struct err *e);
size_t filepos_print(const struct filepos *at, char out[FILEPOS_TEXT_MAX]);

/* The number behind the last dot, of any length (…999999 → 1000000); 0 when there is none. */
uint64_t filepos_file_number(const char *file);

/* Order in the log: by file number, then offset. <0, 0, >0. The base names are not compared. */
int filepos_compare(const struct filepos *a, const struct filepos *b);

/* The place as one rising number: file number · 2^40 + offset. */
uint64_t filepos_sequence(const struct filepos *at);

/* The 64-bit end of an event: `start` is where it begins (or where the one before ended), `event_len` its length,
 * `log_pos` the header's 32 bits, which wrap beyond 4 GiB and may be 0 (MariaDB 11.4 inside transactions). When log_pos
 * agrees with start + event_len, or is 0, that sum; else (the server skipped events) the smallest value not below the
 * sum whose low 32 bits are log_pos. */
uint64_t filepos_event_end(uint64_t start, uint32_t event_len, uint32_t log_pos);

#endif
