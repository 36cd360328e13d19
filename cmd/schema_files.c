/* sluice schema show FILE...: the history that binlog files tell by themselves. */
#include "base/log.h"
#include "cmd/schema_command.h"
#include "pipeline/reading.h"

#define FILES_BUFFER_BYTES  ((size_t)4 << 20)
#define FILES_CHECKPOINT_MS 200

struct files {
    struct schema_run *run;
    struct config *sink_cfg;
    struct pipeline_sink counter;
    struct start from;
    struct reading reading;
    struct pipeline *pipe;
};

static int read_files(struct files *files, struct err *e)
{
    struct schema_run *run = files->run;
    struct reading_files opt = {.paths = run->words,
                                .count = run->word_count,
                                .statements_only = true,
                                .on_statement = ON_STATEMENT_WARN,
                                .on_unknown_xa = ON_UNKNOWN_XA_WARN};
    if (settings_own_sink(&files->counter, &(struct settings_own_sink){.kind = "counter"}, &files->sink_cfg, &run->env,
                          e) != 0 ||
        reading_from_files(&files->reading, &opt, run->tables.routes, &run->env, e) != 0)
        return err_result(e);
    struct pipeline_spec spec = {
        .env = &run->env,
        .source = reading_take_source(&files->reading),
        .routes = run->tables.routes,
        .sinks = &files->counter,
        .sink_count = 1,
        .lanes = 1,
        .buffer_bytes = FILES_BUFFER_BYTES,
        .max_event_bytes = UINT32_MAX,
        .start = &files->from,
        .ends = true,
        .checkpoint_ms = FILES_CHECKPOINT_MS,
    };
    int rc = pipeline_open(&files->pipe, &spec, e);
    return rc == 0 ? pipeline_run(files->pipe, NULL, e) : rc;
}

int schema_of_files(struct schema_run *run, schema_use_history *use, void *ctx, struct err *e)
{
    struct files files = {.run = run, .from = {.kind = START_EARLIEST}};
    position_init(&files.from.pos);
    reading_init(&files.reading);
    int rc = read_files(&files, e);
    if (rc == 0)
        rc = use(ctx, schema_history(files.reading.schema), e);
    pipeline_close(files.pipe);
    reading_release(&files.reading);
    config_free(files.sink_cfg);
    return rc;
}
