/* A progress bar on a terminal's standard error. */
#ifndef SLUICE_CMD_PROGRESS_H
#define SLUICE_CMD_PROGRESS_H

#include "pipeline/pipeline.h"

struct progress {
    bool terminal; /* false: draw nothing */
    const struct start *to;
    uint64_t first; /* place of the first call, as filepos_sequence; 0 before */
};

/* `to` is borrowed. */
void progress_init(struct progress *progress, const struct start *to);

/* As pipeline_spec.progress; ctx is a struct progress. */
void progress_draw(void *ctx, const struct pipeline_stats *stats, const struct position *at);

/* Ends the line. */
void progress_end(struct progress *progress);

#endif
