/* Which log was read: per server the newest file of it and the second in which that was begun, kept in the state beside
 * the history. What is known by file and offset holds in that log only, and a RESET makes another one of the same
 * names. The record is "log_read=1\n", then a line "SECOND UUID FILE\n" per server, the one that changed last behind.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "binlog/stream_private.h"

#define RECORD_HEAD "log_read=1\n"

static int corrupt(struct err *e)
{
    return err_set(e, STATE_CORRUPT, STREAM_LOG_RECORD, "not a list of logs of this version");
}

/* The text up to `stop`, which is passed over; empty texts and those that do not fit are none. */
static bool take_text(const char **p, const char *end, char stop, char *out, size_t size)
{
    const char *at = memchr(*p, stop, (size_t)(end - *p));
    size_t len = at ? (size_t)(at - *p) : 0;
    if (len == 0 || len >= size)
        return false;
    memcpy(out, *p, len);
    out[len] = '\0';
    *p = at + 1;
    return true;
}

static bool take_log(const char **p, const char *end, struct stream_log *out)
{
    char second[11], *rest;
    if (!take_text(p, end, ' ', second, sizeof second) || !take_text(p, end, ' ', out->uuid, sizeof out->uuid) ||
        !take_text(p, end, '\n', out->file, sizeof out->file))
        return false;
    unsigned long long value = strtoull(second, &rest, 10);
    out->second = (uint32_t)value;
    return *rest == '\0' && value <= UINT32_MAX;
}

int stream_load_logs(struct stream_logs *logs, struct state *state, struct err *e)
{
    struct buf text;
    bool found = false;
    logs->count = 0;
    if (!state)
        return 0;
    buf_init(&text, 0);
    int rc = state_get(state, STREAM_LOG_RECORD, &text, &found, e);
    if (rc == 0 && found) {
        const char *p = (const char *)text.p, *end = p + text.len;
        size_t head = strlen(RECORD_HEAD);
        bool good = text.len >= head && memcmp(p, RECORD_HEAD, head) == 0;
        for (p += good ? head : 0; good && p < end;)
            good = logs->count < STREAM_LOGS_MAX && take_log(&p, end, &logs->list[logs->count++]);
        rc = good ? 0 : corrupt(e);
    }
    buf_release(&text);
    return rc;
}

static int store_logs(const struct stream_logs *logs, struct state *state, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    buf_text(&text, RECORD_HEAD);
    for (unsigned i = 0; i < logs->count; i++)
        buf_printf(&text, "%" PRIu32 " %s %s\n", logs->list[i].second, logs->list[i].uuid, logs->list[i].file);
    int rc = text.failed ? err_set(e, NO_MEMORY, text.len) : state_put(state, STREAM_LOG_RECORD, text.p, text.len, e);
    buf_release(&text);
    return rc;
}

static struct stream_log *find_log(struct stream_logs *logs, const char *uuid)
{
    for (unsigned i = 0; i < logs->count; i++)
        if (strcmp(logs->list[i].uuid, uuid) == 0)
            return &logs->list[i];
    return NULL;
}

static void drop_log(struct stream_logs *logs, const char *uuid)
{
    const struct stream_log *log = find_log(logs, uuid);
    if (!log)
        return;
    unsigned i = (unsigned)(log - logs->list);
    memmove(&logs->list[i], &logs->list[i + 1], (--logs->count - i) * sizeof *logs->list);
}

int stream_note_log(struct source_stream *st, const char *file, uint32_t second, struct err *e)
{
    const char *uuid = client_server(st->cli)->uuid;
    bool storable = file[0] && !strpbrk(file, "\r\n") && uuid[0] && !strpbrk(uuid, " \r\n");
    if (!st->opt.state || !storable)
        return 0;
    if (st->other_log && stream_forget_log(st, e) != 0)
        return err_result(e);
    const struct stream_log *known = find_log(&st->logs, uuid);
    if (known && stream_same_base(known->file, file) && filepos_file_number(known->file) >= filepos_file_number(file))
        return 0;
    drop_log(&st->logs, uuid);
    if (st->logs.count == STREAM_LOGS_MAX)
        drop_log(&st->logs, st->logs.list[0].uuid);
    struct stream_log *log = &st->logs.list[st->logs.count++];
    log->second = second;
    snprintf(log->uuid, sizeof log->uuid, "%s", uuid);
    snprintf(log->file, sizeof log->file, "%s", file);
    return store_logs(&st->logs, st->opt.state, e);
}

/* What became of a log that was read. */
enum fate {
    FATE_SAME,  /* the file is there as it was */
    FATE_OTHER, /* it is not, and its log neither */
    FATE_UNTOLD /* it is gone, as by purging */
};

static bool listed(const struct client_result *logs, const char *file)
{
    for (size_t i = 0; logs->columns > 0 && i < logs->rows; i++)
        if (logs->cells[i * logs->columns].p && strcmp(logs->cells[i * logs->columns].p, file) == 0)
            return true;
    return false;
}

static int judge(struct source_stream *st, const struct stream_log *log, enum fate *out, struct err *e)
{
    struct client_result logs = {0};
    int rc = client_query(st->cli, "SHOW BINARY LOGS", &logs, e);
    if (rc != 0)
        return rc;
    bool there = listed(&logs, log->file), place = listed(&logs, st->place.at.file);
    client_result_free(&logs);
    /* Files are purged from the oldest on. */
    bool before = place && stream_same_base(st->place.at.file, log->file) &&
                  filepos_file_number(st->place.at.file) < filepos_file_number(log->file);
    *out = before ? FATE_OTHER : FATE_UNTOLD;
    if (!there)
        return 0;
    const struct filepos head = {.file = "", .pos = EVENT_FILE_MAGIC_LEN};
    struct filepos at = head;
    uint32_t second = 0;
    memcpy(at.file, log->file, sizeof at.file);
    rc = stream_file_begun(st, &at, &second, e);
    *out = second == log->second ? FATE_SAME : FATE_OTHER;
    return rc;
}

/* A place that was stored, on the server whose log it is in: the caller of stream_choose decides about the loss. */
static bool of_this_log(const struct source_stream *st, bool stored)
{
    return stored && strcmp(st->place.server_uuid, client_server(st->cli)->uuid) == 0;
}

int stream_check_known(struct source_stream *st, bool stored, struct err *e)
{
    const char *uuid = client_server(st->cli)->uuid;
    const struct stream_log *own = find_log(&st->logs, uuid), *base = find_log(&st->base_logs, uuid);
    enum fate fate = FATE_SAME, base_fate = FATE_SAME;
    st->other_log = false; /* what was found on another host, which did not begin */
    int rc = own ? judge(st, own, &fate, e) : 0;
    if (rc == 0 && base)
        rc = judge(st, base, &base_fate, e);
    if (rc != 0)
        return rc;
    if (fate == FATE_OTHER && of_this_log(st, stored))
        st->log_is_new = true;
    bool other = fate == FATE_OTHER || base_fate == FATE_OTHER;
    bool untold = fate == FATE_UNTOLD || base_fate == FATE_UNTOLD;
    if (!other && (!untold || of_this_log(st, stored)))
        return 0;
    st->head.file[0] = '\0';
    st->other_log = true;
    return 0;
}

int stream_forget_log(struct source_stream *st, struct err *e)
{
    const char *uuid = client_server(st->cli)->uuid;
    st->other_log = false;
    schema_forget(st->schema, NULL, NULL);
    if (history_forget(st->history, NULL, NULL, e) != 0)
        return err_result(e);
    drop_log(&st->logs, uuid);
    drop_log(&st->base_logs, uuid);
    stream_note(st, ERR_NONE,
                "the binlog of server %s is another one than was read before: what was known of the tables' "
                "definitions is forgotten",
                uuid);
    return 0;
}
