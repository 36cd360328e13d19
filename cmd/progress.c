/* One line that is drawn over itself: a bar when the share is known (the end is a place in the same file), rows and
 * place always. */
#include "cmd/progress.h"

#include "position/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 30

void progress_init(struct progress *progress, const struct start *to)
{
    *progress = (struct progress){.terminal = isatty(STDERR_FILENO) == 1, .to = to};
}

/* Per mille of the way, -1 when it cannot be told. */
static int share(struct progress *progress, const struct position *at)
{
    const struct filepos *end = &progress->to->pos.at;
    if (!end->file[0] || !at->at.file[0])
        return -1;
    uint64_t here = filepos_sequence(&at->at), there = filepos_sequence(end);
    if (progress->first == 0)
        progress->first = here;
    if (here >= there || there <= progress->first)
        return 1000;
    return (int)((double)(here - progress->first) * 1000.0 / (double)(there - progress->first));
}

void progress_draw(void *ctx, const struct pipeline_stats *stats, const struct position *at)
{
    struct progress *progress = ctx;
    char place[FILEPOS_TEXT_MAX] = "", bar[BAR_WIDTH + 1] = "";
    if (!at)
        return;
    filepos_print(&at->at, place);
    int mille = share(progress, at);
    for (int i = 0; i < BAR_WIDTH && mille >= 0; i++)
        bar[i] = i * 1000 < mille * BAR_WIDTH ? '#' : '.';
    if (mille >= 0)
        fprintf(stderr, "\r\033[K[%s] %3d%%  %" PRIu64 " rows  %s", bar, mille / 10, stats->rows_total, place);
    else
        fprintf(stderr, "\r\033[K%" PRIu64 " rows  %s", stats->rows_total, place);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal)
        fputc('\n', stderr);
}
