/* Readings of a log by the whole spine, inline, and the JSON lines that came out: all of each change. */
#ifndef SLUICE_TESTS_SPINE_LINES_H
#define SLUICE_TESTS_SPINE_LINES_H

#include "change/change.h"
#include "change/source.h"
#include "state/state.h"
#include "tools/shop_source.h"

struct spine_line {
    struct version version;
    char *text;
    size_t len;
};

struct spine_lines {
    struct spine_line *list;
    size_t count, size;
};

void spine_lines_release(struct spine_lines *lines);
bool spine_line_equal(const struct spine_line *a, const struct spine_line *b);

/* In the order of versions, which is the order of the log whatever order the lanes were served in; what came twice
 * counts once and must be equal. */
void spine_lines_sort(struct spine_lines *lines);

struct spine_reading {
    struct source *source; /* taken */
    struct start start;
    unsigned lanes;
    uint64_t buffer_bytes;
    struct state *state, *epoch_state; /* as in pipeline_spec */
};

/* Reads all tables to the source's end; appends in the order of arrival. */
void spine_read(const struct spine_reading *reading, struct spine_lines *out);

/* Transaction n of the made-up log begins at (n + 1) * SPINE_TX_BYTES and ends one byte before the next. */
#define SPINE_TX_BYTES 1000000u

/* The made-up log with GTIDs: numbers fall at transactions 5 and 15, the domain changes at 19, so it has four epochs.
 * Ends at `end_tx` (0: at the log's end). */
struct source *named_source_new(struct shop_log *log, unsigned end_tx);

#endif
