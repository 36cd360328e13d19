/* Any bytes as a log behind its magic number: events by the lengths they say, checksums not verified; the rows of what
 * comes out are walked and decoded. */
#include <stdlib.h>
#include <string.h>

#include "binlog/log_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define EVENT_MAX   65536
#define COLUMNS_MAX 64

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "other") != 0;
}

static void decode(const struct rowset *rs)
{
    struct row_iter it = {0};
    struct row_view row;
    struct value values[COLUMNS_MAX];
    struct arena arena;
    arena_init(&arena, 4096, 0, 1 << 22);
    while (rowset_next_row(rs, &it, &row, NULL, NULL, NULL, NULL) == 1) {
        struct err e = ERR_INIT;
        if (rs->shape->tbl->column_count > COLUMNS_MAX)
            break;
        if (row.before.bytes)
            (void)rs->shape->codec->values(rs->shape, &row.before, NULL, NULL, values, &arena, &e);
        if (row.after.bytes)
            (void)rs->shape->codec->values(rs->shape, &row.after, &row.before, NULL, values, &arena, &e);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

static void play(struct log_reader *reader, const uint8_t *bytes, size_t len)
{
    struct rowset rs;
    struct err e = ERR_INIT;
    for (size_t at = 0; at + EVENT_HEADER_LEN <= len;) {
        struct cursor cur = cursor_over(bytes + at + 9, 4);
        size_t whole = cursor_u32(&cur);
        if (whole > len - at || whole < EVENT_HEADER_LEN)
            whole = len - at;
        uint8_t *event = malloc(whole); /* exact: a read beyond it is seen */
        if (!event)
            return;
        memcpy(event, bytes + at, whole);
        int rc = log_reader_feed(reader, event, whole, &rs, &e);
        bool more = rc == LOG_READER_MORE;
        if (rc > 0 && !more && rs.kind == ROWSET_ROWS)
            decode(&rs);
        free(event);
        if (rc < 0)
            return;
        if (rc != LOG_READER_AGAIN && !more)
            at += whole;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct interest interest = {.wants = wants};
    struct schema *schema;
    struct log_reader *reader;
    struct position start;
    if (len < 4 || schema_new(&schema, NULL, NULL) != 0)
        return 0;
    struct log_reader_options opt = {.interest = &interest,
                                     .schema = schema,
                                     .max_event_bytes = EVENT_MAX,
                                     .skip_checksums = true,
                                     .whole_files = bytes[0] & 1,
                                     .on_statement = ON_STATEMENT_WARN};
    position_init(&start);
    start.at.pos = 4;
    if (log_reader_new(&reader, &opt, NULL) == 0) {
        if (log_reader_start(reader, &start, NULL) == 0)
            play(reader, bytes + 4, len - 4);
        log_reader_free(reader);
    }
    schema_free(schema);
    return 0;
}
