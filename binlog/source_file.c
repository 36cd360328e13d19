/* Files one after the other: each is read through the event buffer and fed to the log reader. */
#include "binlog/source_file.h"

#include <stdatomic.h>

#include "binlog/bounds.h"
#include "binlog/event_buffer.h"
#include "schema/gap.h"

struct source_file {
    struct source base;
    struct source_file_options opt;
    struct log_reader *reader;
    struct event_buffer buffer;
    struct bounds bounds;
    struct start from;    /* owned copy of what open() got, for the bounds */
    size_t next_path;     /* the file to open next */
    const uint8_t *event; /* to be fed (again); NULL = read the next one */
    size_t event_len;
    bool file_open;
    bool noted;     /* the open file was told to be a live copy */
    bool gap_noted; /* the next file was told not to follow */
    bool joined;    /* nothing is `followed`, or it was seen whether it reaches as far as the start */
    bool finished;
    atomic_bool interrupted;
};

static struct source_file *self(struct source *src)
{
    return (struct source_file *)src;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* An error of the buffer, which knows no place. */
static int wrap(struct source_file *file, int rc, struct err *e)
{
    if (rc < 0 && e && e->code == ERR_CORRUPT)
        err_wrap(e, "%s:%llu", log_reader_at(file->reader)->file, (unsigned long long)file->buffer.pos);
    return rc;
}

/* Opens the next file and stands behind its magic number, with the GTIDs that are known so far. */
static int open_next(struct source_file *file, struct position *known, struct err *e)
{
    const char *path = file->opt.paths[file->next_path], *name = base_name(path);
    if (strlen(name) > FILEPOS_FILE_MAX)
        return err_set(e, FILE_READ, path, "the name is too long");
    int rc = event_buffer_open(&file->buffer, path, e);
    if (rc != 0)
        return rc;
    snprintf(known->at.file, sizeof known->at.file, "%s", name);
    known->at.pos = EVENT_FILE_MAGIC_LEN;
    file->next_path++;
    file->file_open = true;
    file->noted = file->gap_noted = false;
    rc = log_reader_start(file->reader, known, e);
    if (rc == 0 && file->opt.statements_only)
        log_reader_scan(file->reader, true);
    return rc;
}

/* Feeds the events up to and with the FORMAT event, so that reading can go on anywhere in the file. */
static int read_format(struct source_file *file, struct err *e)
{
    struct rowset unused;
    while (!log_reader_format(file->reader)) {
        int rc = event_buffer_next(&file->buffer, &file->event, &file->event_len, e);
        if (rc == 0)
            rc = err_set(e, CORRUPT, "the file has no FORMAT_DESCRIPTION event");
        if (rc < 0)
            return wrap(file, rc, e);
        rc = log_reader_feed(file->reader, file->event, file->event_len, &unused, e);
        if (rc < 0)
            return rc;
    }
    file->event = NULL;
    return 0;
}

static int find_path(const struct source_file *file, const struct filepos *at, size_t *index, struct err *e)
{
    for (size_t i = 0; i < file->opt.path_count; i++) {
        if (strcmp(base_name(file->opt.paths[i]), at->file) == 0) {
            *index = i;
            return 0;
        }
    }
    return err_set(e, POSITION_SYNTAX, (int)strlen(at->file), at->file, "the file is not among those given");
}

static int go_to(struct source_file *file, const struct start *at, struct position *known, struct err *e)
{
    if (at->kind == START_FILEPOS) {
        int rc = find_path(file, &at->pos.at, &file->next_path, e);
        if (rc != 0)
            return rc;
    }
    int rc = open_next(file, known, e);
    if (rc != 0 || at->kind != START_FILEPOS || at->pos.at.pos <= EVENT_FILE_MAGIC_LEN)
        return rc;
    if (file->opt.to && file->opt.to->kind == START_GTID)
        return err_set(e, USAGE, "an end by GTID needs a start at the head of a file");
    rc = read_format(file, e);
    if (rc != 0 || at->pos.at.pos <= file->buffer.pos)
        return rc;
    rc = event_buffer_seek(&file->buffer, at->pos.at.pos, e);
    if (rc != 0) {
        err_wrap(e, "%s:%llu", at->pos.at.file, (unsigned long long)at->pos.at.pos);
        return rc;
    }
    log_reader_seek(file->reader, at->pos.at.pos);
    return 0;
}

static int file_open(struct source *src, const struct start *at, struct position *from, struct err *e)
{
    struct source_file *file = self(src);
    struct position known;
    position_init(&known);
    if (file->opt.server_uuid)
        snprintf(known.server_uuid, sizeof known.server_uuid, "%s", file->opt.server_uuid);
    file->next_path = 0;
    file->joined = file->opt.followed == NULL;
    file->finished = false;
    file->event = NULL;
    file->from.kind = at->kind;
    file->from.time_us = at->time_us;
    int rc = position_copy(&file->from.pos, &at->pos, e);
    if (rc == 0)
        rc = go_to(file, at, &known, e);
    if (rc == 0)
        rc = position_copy(from, log_reader_boundary(file->reader), e);
    position_release(&known);
    file->bounds = (struct bounds){.from = &file->from, .to = file->opt.to};
    return rc;
}

static int end_of_log(struct source_file *file, struct rowset *out)
{
    if (log_reader_abandon(file->reader, out) == 1)
        return 0;
    memset(out, 0, offsetof(struct rowset, note));
    err_clear(&out->note);
    out->kind = ROWSET_EOF;
    file->finished = true;
    return 0;
}

/* A file that a running server still writes. */
static void note_live_copy(struct source_file *file, struct rowset *out)
{
    const struct filepos *at = log_reader_at(file->reader);
    memset(out, 0, offsetof(struct rowset, note));
    out->kind = ROWSET_NOTE;
    out->server_uuid = log_reader_boundary(file->reader)->server_uuid;
    out->note.code = ERR_NONE;
    snprintf(out->note.text, sizeof out->note.text, "%s is a live copy: it ends at %llu without being closed", at->file,
             (unsigned long long)at->pos);
    file->noted = true;
}

/* True with a NOTE when the file that ended goes on in another than the next one: changes are missing in between. */
static bool note_gap(struct source_file *file, struct rowset *out)
{
    const char *next = base_name(file->opt.paths[file->next_path]);
    const struct filepos *at = log_reader_at(file->reader);
    const struct event_format *format = log_reader_format(file->reader);
    if (file->gap_noted || !format || !log_reader_file_ended(file->reader) || strcmp(at->file, next) == 0 ||
        at->pos != EVENT_FILE_MAGIC_LEN)
        return false;
    memset(out, 0, offsetof(struct rowset, note));
    out->kind = ROWSET_NOTE;
    out->server_uuid = log_reader_boundary(file->reader)->server_uuid;
    out->note.code = ERR_NONE;
    snprintf(out->note.text, sizeof out->note.text,
             "the log goes on in %.200s, which is not given: %.200s is read next", at->file, next);
    file->gap_noted = true;
    return true;
}

static int put_gap(struct source_file *file, const struct position *from, struct err *e)
{
    const struct history_where where = history_at(from);
    return gap_put(schema_history(file->opt.reader.schema), &where, e);
}

/* Files tell no server: their place in a log that was read before is known by its GTIDs, from the first head on. */
static int join(struct source_file *file, struct err *e)
{
    const struct position *here = log_reader_boundary(file->reader);
    if (!here->gtids)
        return 0;
    file->joined = true;
    return gap_is_none(here, file->opt.followed) ? 0 : put_gap(file, file->opt.followed, e);
}

/* At the end of a file: 1 with a rowset to hand out, 0 to read on. */
static int next_file(struct source_file *file, struct rowset *out, struct err *e)
{
    const struct event_format *format = log_reader_format(file->reader);
    if (file->file_open && !file->noted && format && format->in_use && !log_reader_file_ended(file->reader)) {
        if (log_reader_abandon(file->reader, out) != 1)
            note_live_copy(file, out);
        return 1;
    }
    if (file->next_path == file->opt.path_count) {
        end_of_log(file, out);
        return 1;
    }
    if (log_reader_abandon(file->reader, out) == 1 || note_gap(file, out))
        return 1;
    struct position known;
    position_init(&known);
    int rc = file->gap_noted ? put_gap(file, log_reader_boundary(file->reader), e) : 0;
    if (rc == 0)
        rc = position_copy(&known, log_reader_boundary(file->reader), e);
    if (rc == 0)
        rc = open_next(file, &known, e);
    position_release(&known);
    return rc;
}

/* One event, or a part of it: 1 with a rowset, 0 without, or the end of the file's part in next_file. */
static int step(struct source_file *file, struct rowset *out, struct err *e)
{
    if (!file->event) {
        int rc = event_buffer_next(&file->buffer, &file->event, &file->event_len, e);
        if (rc <= 0)
            file->event = NULL;
        if (rc < 0)
            return wrap(file, rc, e);
        if (rc == 0)
            return next_file(file, out, e);
    }
    int rc = log_reader_feed(file->reader, file->event, file->event_len, out, e);
    if (rc == LOG_READER_MORE)
        return 0;
    if (rc != LOG_READER_AGAIN)
        file->event = NULL;
    if (rc == LOG_READER_NONE && !file->joined)
        rc = join(file, e);
    if (rc > 0 && out->kind == ROWSET_DDL) {
        int failed = log_reader_refresh(file->reader, e);
        if (failed != 0)
            return failed;
    }
    return rc;
}

static int file_next(struct source *src, struct rowset *out, struct err *e)
{
    struct source_file *file = self(src);
    while (!file->finished) {
        if (atomic_load_explicit(&file->interrupted, memory_order_relaxed))
            return err_set(e, INTERRUPTED);
        const struct position *boundary = log_reader_boundary(file->reader);
        if (!log_reader_in_transaction(file->reader) &&
            bounds_reached(&file->bounds, log_reader_at(file->reader), boundary->gtids))
            return end_of_log(file, out);
        int rc = step(file, out, e);
        if (rc < 0)
            return rc;
        if (file->finished)
            return 0;
        enum bounds_verdict verdict = rc == 0 ? BOUNDS_SKIP : bounds_take(&file->bounds, out);
        if (verdict == BOUNDS_PASS)
            return 0;
        if (verdict == BOUNDS_END) {
            struct rowset dropped;
            (void)log_reader_abandon(file->reader, &dropped);
            return end_of_log(file, out);
        }
    }
    return end_of_log(file, out);
}

static bool file_would_block(struct source *src)
{
    (void)src;
    return false;
}

static void file_interrupt(struct source *src)
{
    atomic_store_explicit(&self(src)->interrupted, true, memory_order_relaxed);
}

static void file_close(struct source *src)
{
    struct source_file *file = self(src);
    if (!file)
        return;
    event_buffer_release(&file->buffer);
    log_reader_free(file->reader);
    position_release(&file->from.pos);
    free(file);
}

static const struct source_ops file_ops = {
    .kind = "file",
    .open = file_open,
    .next = file_next,
    .would_block = file_would_block,
    .interrupt = file_interrupt,
    .close = file_close,
};

static int check_paths(const struct source_file_options *opt, struct err *e)
{
    if (opt->path_count == 0)
        return err_set(e, USAGE, "no binlog file is named");
    for (size_t i = 1; i < opt->path_count; i++) {
        uint64_t before = filepos_file_number(base_name(opt->paths[i - 1]));
        if (filepos_file_number(base_name(opt->paths[i])) <= before) {
            char text[320];
            snprintf(text, sizeof text,
                     "%.200s does not follow the file before it: name them in the order of their numbers",
                     base_name(opt->paths[i]));
            return err_set(e, USAGE, text);
        }
    }
    return 0;
}

int source_file_new(struct source **out, const struct source_file_options *opt, struct err *e)
{
    int rc = check_paths(opt, e);
    if (rc != 0)
        return rc;
    struct source_file *file = (struct source_file *)calloc(1, sizeof *file);
    if (!file)
        return err_set(e, NO_MEMORY, sizeof *file);
    file->base.ops = &file_ops;
    file->opt = *opt;
    file->opt.reader.whole_files = true;
    if (file->opt.reader.max_event_bytes == 0)
        file->opt.reader.max_event_bytes = EVENT_BYTES_MAX;
    event_buffer_init(&file->buffer, opt->env, file->opt.reader.max_event_bytes);
    position_init(&file->from.pos);
    rc = log_reader_new(&file->reader, &file->opt.reader, e);
    if (rc != 0) {
        free(file);
        return rc;
    }
    *out = &file->base;
    return 0;
}
