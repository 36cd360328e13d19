/* Is it still the log that was read? Three things tell that it was begun anew, or lost its end, although its server is
 * the same and its GTIDs have come as far as ours again: the newest file lies before ours, our file is shorter than the
 * place, or our file was begun at another second. */
#include "binlog/stream_private.h"

static size_t base_len(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot ? (size_t)(dot - file) : strlen(file);
}

bool stream_same_base(const char *a, const char *b)
{
    return base_len(a) == base_len(b) && memcmp(a, b, base_len(a)) == 0;
}

static void judge_files(const struct source_stream *st, const struct client_result *logs, char reason[200])
{
    const struct filepos *at = &st->place.at;
    const char *newest = "";
    for (size_t i = 0; logs->columns >= 2 && i < logs->rows; i++) {
        const struct client_cell *row = &logs->cells[i * logs->columns];
        if (!row[0].p || !row[1].p)
            continue;
        newest = row[0].p;
        unsigned long long size = strtoull(row[1].p, NULL, 10);
        if (strcmp(row[0].p, at->file) == 0 && size < at->pos)
            snprintf(reason, 200, "%.100s ends at %llu now, and was read up to %llu", at->file, size,
                     (unsigned long long)at->pos);
    }
    if (stream_same_base(newest, at->file) && filepos_file_number(newest) < filepos_file_number(at->file))
        snprintf(reason, 200, "its log was begun anew: %.60s is the newest file, and %.60s was read", newest, at->file);
}

int stream_check_log(struct source_stream *st, char reason[200], struct err *e)
{
    const char *uuid = client_server(st->cli)->uuid;
    reason[0] = '\0';
    if (strcmp(st->place.server_uuid, uuid) != 0)
        return 0;
    if (st->log_is_new)
        snprintf(reason, 200, "its log was begun anew");
    if (st->log_is_new || st->place.at.file[0] == '\0')
        return 0;
    struct client_result logs = {0};
    int rc = client_query(st->cli, "SHOW BINARY LOGS", &logs, e);
    if (rc != 0)
        return rc;
    judge_files(st, &logs, reason);
    client_result_free(&logs);
    return 0;
}

int stream_check_head(struct source_stream *st, struct err *e)
{
    const char *uuid = client_server(st->cli)->uuid, *file = log_reader_at(st->reader)->file;
    struct cursor cur = cursor_over(st->event, st->event_len);
    uint32_t second = cursor_u32(&cur);
    bool known = strcmp(st->head.file, file) == 0 && strcmp(st->head_of, uuid) == 0 && file[0];
    bool same = !known || st->head_second == second;
    memcpy(st->head.file, file, sizeof st->head.file);
    memcpy(st->head_of, uuid, sizeof st->head_of);
    st->head_second = second;
    if (same)
        return stream_note_log(st, file, second, e);
    char name[300], reason[200];
    stream_host_name(st, name);
    snprintf(reason, sizeof reason, "its log was begun anew: %.100s is another file than the one that was read", file);
    if (!st->opt.on_lost_continue)
        return err_set(e, GTID_SURPLUS, name, reason);
    st->log_is_new = true;
    return err_set(e, CONNECT, reason);
}
