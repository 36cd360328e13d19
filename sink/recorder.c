/* A diagnostic sink: writes down what it was given, in the order it was given, and fails when told to. Tests of order
 * read it; it is of no use in production.
 *
 * Each instance makes a file of its own, PATH.N with the first N that is free, so that a key's changes stand in order
 * in the files in order of N: a key has one worker at a time, and whoever opens later takes a higher N. One line per
 * change that was done:
 *     {"version":"…","op":"update","half":"from","again":true,"db":"shop","table":"orders","key":"17","at_us":9}
 * half and again stand only where they apply; a key that is not UTF-8 is {"base64":"…"}. A batch is written by one
 * write(2) before it counts as done. at_us, the machine's monotonic clock before the write, orders the batches of all
 * processes: what is done before another begins has the lesser one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/kinds.h"

#define RECORDER_BUFFER_MAX ((size_t)64 * 1024 * 1024)
#define RECORDER_FILES_MAX  100000
#define RECORDER_PATH_MAX   4096

struct recorder_options {
    const char *path;
    uint64_t fail_every;
    uint64_t poison_every;
    uint64_t down_every;
    uint64_t down_ms;
};

#define FIELD(name_) .offset = offsetof(struct recorder_options, name_)
static const struct option recorder_options[] = {
    {.name = "path",
     .type = OPTION_STRING,
     FIELD(path),
     .flags = OPTION_REQUIRED,
     .help = "Lines go to PATH.N, one file per worker and opening."},
    {.name = "fail_every",
     .type = OPTION_UINT,
     FIELD(fail_every),
     .help = "Every n-th change is refused for now: its key waits. 0: never."},
    {.name = "poison_every",
     .type = OPTION_UINT,
     FIELD(poison_every),
     .help = "Every n-th change is refused for good. 0: never."},
    {.name = "down_every",
     .type = OPTION_UINT,
     FIELD(down_every),
     .help = "Every n-th batch finds the sink down. 0: never."},
    {.name = "down_ms",
     .type = OPTION_DURATION,
     FIELD(down_ms),
     .max = 3600000,
     .help = "How long a batch that finds the sink down takes to fail."},
    {.name = NULL},
};

struct recorder {
    struct sink base;
    const struct env *env;
    const struct recorder_options *opt;
    int fd;
    uint64_t items, batches;
    struct buf lines;
    struct refused { /* of this batch: its later changes with the same key are refused too */
        const char *key;
        size_t len;
    } * refused;
    size_t refused_count, refused_size;
};

static int open_file(struct recorder *rec, struct err *e)
{
    const struct file_ops *files = rec->env->files;
    char path[RECORDER_PATH_MAX];
    for (unsigned n = 0; n < RECORDER_FILES_MAX; n++) {
        snprintf(path, sizeof path, "%s.%u", rec->opt->path, n);
        rec->fd = files->open(rec->env->ctx, path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (rec->fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return err_set(e, SINK_WRITE, path, strerror(errno));
}

static void recorder_close(struct sink *snk)
{
    struct recorder *rec = (struct recorder *)snk;
    if (!rec)
        return;
    if (rec->fd >= 0)
        rec->env->files->close(rec->env->ctx, rec->fd);
    buf_release(&rec->lines);
    free(rec->refused);
    free(rec);
}

static int recorder_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    struct recorder *rec = calloc(1, sizeof *rec);
    if (!rec)
        return err_set(e, NO_MEMORY, sizeof *rec);
    *rec = (struct recorder){.base.ops = &sink_recorder, .env = place->env, .opt = opt, .fd = -1};
    buf_init(&rec->lines, RECORDER_BUFFER_MAX);
    int rc = open_file(rec, e);
    if (rc != 0) {
        recorder_close(&rec->base);
        return rc;
    }
    *out = &rec->base;
    return 0;
}

static bool is_refused(const struct recorder *rec, const struct change *chg)
{
    for (size_t i = 0; i < rec->refused_count; i++)
        if (rec->refused[i].len == chg->key_len && memcmp(rec->refused[i].key, chg->key, chg->key_len) == 0)
            return true;
    return false;
}

static int refuse(struct recorder *rec, const struct change *chg, struct err *e)
{
    if (rec->refused_count == rec->refused_size) {
        size_t size = rec->refused_size ? rec->refused_size * 2 : 64;
        struct refused *grown = realloc(rec->refused, size * sizeof *grown);
        if (!grown)
            return err_set(e, NO_MEMORY, size * sizeof *grown);
        rec->refused = grown;
        rec->refused_size = size;
    }
    rec->refused[rec->refused_count++] = (struct refused){chg->key, chg->key_len};
    return 0;
}

static void add_line(struct recorder *rec, const struct change *chg, int64_t at_us)
{
    struct buf *out = &rec->lines;
    char version[VERSION_TEXT_LEN], tail[40];
    version_print(&chg->version, version);
    buf_text(out, "{\"version\":\"");
    buf_add(out, version, sizeof version);
    buf_text(out, "\",\"op\":\"");
    buf_text(out, change_op_name(chg->op));
    if (chg->flags & (CHANGE_FROM | CHANGE_TO))
        buf_text(out, chg->flags & CHANGE_FROM ? "\",\"half\":\"from" : "\",\"half\":\"to");
    buf_text(out, chg->flags & CHANGE_AGAIN ? "\",\"again\":true,\"db\":" : "\",\"db\":");
    value_json_string(chg->db, strlen(chg->db), out);
    buf_text(out, ",\"table\":");
    value_json_string(chg->table, strlen(chg->table), out);
    buf_text(out, ",\"key\":");
    if (value_is_utf8(chg->key, chg->key_len)) {
        value_json_string(chg->key, chg->key_len, out);
    } else {
        value_json_base64(chg->key, chg->key_len, out);
    }
    snprintf(tail, sizeof tail, ",\"at_us\":%" PRId64 "}\n", at_us);
    buf_text(out, tail);
}

static int write_lines(struct recorder *rec, struct err *e)
{
    for (size_t done = 0; done < rec->lines.len;) {
        ssize_t n = rec->env->files->write(rec->env->ctx, rec->fd, rec->lines.p + done, rec->lines.len - done);
        if (n < 0 && errno != EINTR)
            return err_set(e, SINK_WRITE, rec->opt->path, strerror(errno));
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

static bool is_nth(uint64_t number, uint64_t every)
{
    return every && number % every == 0;
}

static int recorder_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct recorder *rec = (struct recorder *)snk;
    const struct recorder_options *opt = rec->opt;
    int64_t at_us = env_mono_us(rec->env);
    int rc = 0;
    if (opt->down_every && ++rec->batches % opt->down_every == 0) {
        (void)poll(NULL, 0, (int)opt->down_ms);
        return err_set(e, SINK_DOWN, "recorder", "told to be down");
    }
    buf_clear(&rec->lines);
    rec->refused_count = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct change *chg = items[i].chg;
        bool behind = rec->refused_count && is_refused(rec, chg);
        rec->items += !behind;
        items[i].verdict = V_DONE;
        if (!behind && is_nth(rec->items, opt->poison_every)) {
            items[i].verdict = V_POISON;
        } else if (behind || is_nth(rec->items, opt->fail_every)) {
            items[i].verdict = V_RETRY;
            rc = behind ? 0 : refuse(rec, chg, e);
        } else {
            add_line(rec, chg, at_us);
        }
    }
    if (rc == 0 && rec->lines.failed)
        rc = err_set(e, NO_MEMORY, rec->lines.len);
    return rc == 0 ? write_lines(rec, e) : rc;
}

const struct sink_ops sink_recorder = {
    .kind = "recorder",
    .flags = SINK_CAN_SWEEP,
    .options_size = sizeof(struct recorder_options),
    .options = recorder_options,
    .open = recorder_open,
    .apply = recorder_apply,
    .close = recorder_close,
};
