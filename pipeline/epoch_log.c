/* The epochs' log: opened, extended, written, rewritten when it has grown. */
#include "pipeline/epoch_log.h"

#include <stdlib.h>
#include <string.h>

/* Lines one behind the other, and where each ends. */
struct lines {
    struct buf text;
    size_t *ends;
    size_t count, size;
};

static void lines_release(struct lines *lines)
{
    buf_release(&lines->text);
    free(lines->ends);
}

static bool lines_add(struct lines *lines, const char *line)
{
    if (lines->count == lines->size) {
        size_t size = lines->size ? lines->size * 2 : 64;
        size_t *grown = realloc(lines->ends, size * sizeof *grown);
        if (!grown)
            return false;
        lines->ends = grown;
        lines->size = size;
    }
    buf_text(&lines->text, line);
    lines->ends[lines->count++] = lines->text.len;
    return !lines->text.failed;
}

/* The table as few lines; false without memory. */
static bool lines_of(struct lines *lines, struct epochs *epochs)
{
    bool failed = false;
    const char *line;
    while ((line = epochs_line(epochs, lines->count, &failed)) != NULL)
        if (!lines_add(lines, line))
            return false;
    return !failed;
}

static int replace_lines(struct epoch_log *log, const struct lines *lines, struct err *e)
{
    struct state_item *items = malloc((lines->count + 1) * sizeof *items);
    if (!items)
        return err_set(e, NO_MEMORY, (lines->count + 1) * sizeof *items);
    for (size_t i = 0, start = 0; i < lines->count; start = lines->ends[i++])
        items[i] = (struct state_item){lines->text.p + start, lines->ends[i] - start};
    int rc = state_replace(log->state, EPOCH_LOG_NAME, items, lines->count, e);
    free(items);
    return rc;
}

/* Rewrites the log when it has more than twice the lines that it needs. */
static int shrink(struct epoch_log *log, struct err *e)
{
    struct lines lines = {.count = 0};
    int rc = 0;
    if (!log->state || log->lines <= log->limit)
        return 0;
    buf_init(&lines.text, 0);
    if (!lines_of(&lines, log->epochs)) {
        rc = err_set(e, NO_MEMORY, lines.text.len);
    } else if (log->lines > 2 * lines.count) {
        rc = replace_lines(log, &lines, e);
        if (rc == 0)
            log->lines = lines.count;
    }
    if (rc == 0)
        log->limit = 2 * lines.count > EPOCH_LOG_LINES_MIN ? 2 * lines.count : EPOCH_LOG_LINES_MIN;
    lines_release(&lines);
    return rc;
}

static int store(struct epoch_log *log, const char *line, struct err *e)
{
    if (!line || !log->state)
        return 0;
    log->lines++;
    return state_append(log->state, EPOCH_LOG_NAME, line, strlen(line), e);
}

static int visit(void *ctx, const struct state_item *item, struct err *e)
{
    struct epoch_log *log = ctx;
    log->lines++;
    return epochs_load(log->epochs, item->bytes, item->len, e);
}

/* Each position was reached by a sink: what lies before it was published, so its epoch's begin is in the log. */
static int extend(struct epochs *epochs, const struct checkpoint *reached, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < reached->count && rc == 0; i++)
        rc = epochs_extend(epochs, &reached->entries[i].pos, e);
    return rc;
}

/* The checkpoint is read before the log: whatever the service stores meanwhile, the log has the epochs up to there. */
static int open_frozen(struct epoch_log *log, struct state *state, struct err *e)
{
    struct checkpoint now = {0}, reached = {0};
    int rc = checkpoint_load(&now, state, e);
    if (rc == 0)
        rc = checkpoint_reached(&reached, state, e);
    if (rc == 0)
        rc = state_scan(state, EPOCH_LOG_NAME, visit, log, e);
    if (rc == 0)
        rc = extend(log->epochs, reached.count ? &reached : &now, e);
    checkpoint_release(&now);
    checkpoint_release(&reached);
    return rc;
}

/* After sluice position reset what is read is new, whatever its numbers are. */
static int reset(struct epoch_log *log, struct err *e)
{
    const char *line = NULL;
    bool was = false;
    if (checkpoint_was_reset(log->state, &was, e) != 0 || !was)
        return err_result(e);
    if (epochs_reset(log->epochs, &line, e) != 0 || store(log, line, e) != 0)
        return err_result(e);
    return checkpoint_reset_done(log->state, e);
}

int epoch_log_reset(struct epoch_log *log, struct state *state, struct err *e)
{
    if (checkpoint_mark_reset(state, e) != 0)
        return err_result(e);
    return log->epochs ? reset(log, e) : 0;
}

static int open_own(struct epoch_log *log, const struct checkpoint *begin, struct err *e)
{
    struct checkpoint reached = {0};
    const char *line = NULL;
    int rc = checkpoint_reached(&reached, log->state, e);
    if (rc == 0)
        rc = state_scan(log->state, EPOCH_LOG_NAME, visit, log, e);
    if (rc == 0)
        rc = reset(log, e);
    if (rc == 0)
        rc = extend(log->epochs, reached.count ? &reached : begin, e);
    if (rc == 0)
        rc = store(log, epochs_progress(log->epochs), e);
    if (rc == 0 && reached.count)
        rc = checkpoint_reached_done(log->state, e);
    checkpoint_release(&reached);
    if (rc == 0)
        rc = epochs_begin(log->epochs, &checkpoint_oldest(begin)->pos, &line, e);
    if (rc == 0)
        rc = store(log, line, e);
    return rc == 0 ? shrink(log, e) : rc;
}

int epoch_log_open(struct epoch_log *log, const struct epoch_log_options *opt, struct err *e)
{
    struct epoch_log opened = {.epochs = epochs_new(opt->flavor), .limit = EPOCH_LOG_LINES_MIN};
    int rc = 0;
    if (!opened.epochs)
        return err_set(e, NO_MEMORY, (size_t)1);
    if (opt->state && opt->write) {
        opened.state = opt->state;
        rc = open_own(&opened, opt->begin, e);
    } else {
        if (opt->state)
            rc = open_frozen(&opened, opt->state, e);
        epochs_freeze(opened.epochs);
    }
    if (rc != 0)
        epoch_log_release(&opened);
    else
        *log = opened;
    return rc;
}

void epoch_log_release(struct epoch_log *log)
{
    epochs_free(log->epochs);
    *log = (struct epoch_log){.epochs = NULL};
}

int epoch_log_assign(struct epoch_log *log, const struct epoch_tx *tx, struct version *out, struct err *e)
{
    const char *line = NULL;
    int rc = epochs_assign(log->epochs, tx, out, &line, e);
    return rc == 0 ? store(log, line, e) : rc;
}

int epoch_log_progress(struct epoch_log *log, struct err *e)
{
    if (!log->epochs || !log->state)
        return 0;
    int rc = store(log, epochs_progress(log->epochs), e);
    return rc == 0 ? shrink(log, e) : rc;
}
