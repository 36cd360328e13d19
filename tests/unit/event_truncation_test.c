/* No truncated event of any golden log becomes a rowset: neither one that is shorter than its header says, nor one
 * whose header and checksum were made to fit, where its layout is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "binlog/log_reader.h"
#include "tools/event_any.h"

#define LOG_BYTES_MAX ((size_t)1 << 20)

struct log {
    char name[300];
    uint8_t *bytes;
    size_t len;
    char *definition; /* beside it; NULL: the log has the names */
};

static void *read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *bytes = calloc(1, LOG_BYTES_MAX + 1);
    assert_non_null(bytes);
    *len = fread(bytes, 1, LOG_BYTES_MAX, in);
    fclose(in);
    return bytes;
}

static void each_log(void (*check)(const struct log *log))
{
    static const char *const folders[] = {"mariadb", "mysql", "old"};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[900];
        snprintf(path, sizeof path, "%s/binlog/%s", SLUICE_TEST_DATA, folders[i]);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        for (const struct dirent *file; (file = readdir(dir)) != NULL;) {
            struct log log = {.len = 0};
            size_t name_len = strlen(file->d_name), unused;
            if (name_len < 8 || strcmp(file->d_name + name_len - 7, ".binlog") != 0)
                continue;
            snprintf(log.name, sizeof log.name, "%s/%s", folders[i], file->d_name);
            snprintf(path, sizeof path, "%s/binlog/%s", SLUICE_TEST_DATA, log.name);
            log.bytes = read_file(path, &log.len);
            snprintf(path + strlen(path) - 6, 5, "sql");
            log.definition = read_file(path, &unused);
            assert_non_null(log.bytes);
            check(&log);
            count++;
            free(log.bytes);
            free(log.definition);
        }
        closedir(dir);
    }
    assert_true(count > 40);
}

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

static int read_definition(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                           struct err *e)
{
    (void)db;
    (void)table;
    (void)out;
    (void)e;
    buf_text(sql, (const char *)ctx);
    return 1;
}

static size_t event_len(const struct log *log, size_t at)
{
    struct event_header header;
    struct err e = ERR_INIT;
    if (log->len - at < EVENT_HEADER_LEN)
        return 0;
    assert_int_equal(event_header_read(&header, log->bytes + at, log->len - at, 0, &e), 0);
    return header.len;
}

/* ---------------------------------------------------------------- through the log reader */

/* Feeds the first `events` events whole; false when one of them stops. */
static bool feed_before(struct log_reader *reader, const struct log *log, unsigned events, size_t *at)
{
    *at = EVENT_FILE_MAGIC_LEN;
    for (unsigned i = 0; i < events; i++) {
        struct rowset rs;
        struct err e = ERR_INIT;
        size_t len = event_len(log, *at);
        int rc;
        do
            rc = log_reader_feed(reader, log->bytes + *at, len, &rs, &e);
        while (rc == LOG_READER_AGAIN);
        if (rc < 0)
            return false;
        *at += len;
    }
    return true;
}

static void cut_one(const struct log *log, unsigned n, bool *more)
{
    const struct interest interest = {.wants = wants};
    const struct schema_reader server = {.ctx = log->definition, .read = read_definition};
    struct schema *schema;
    struct err e = ERR_INIT;
    struct position begin;
    size_t at = 0, cut = 0, len = 1;
    position_init(&begin);
    begin.at = (struct filepos){.file = "bin.000001", .pos = EVENT_FILE_MAGIC_LEN};
    assert_int_equal(schema_new(&schema, log->definition ? &server : NULL, &e), 0);
    struct log_reader_options opt = {
        .interest = &interest, .schema = schema, .on_statement = ON_STATEMENT_WARN, .whole_files = true};
    struct log_reader *reader;
    assert_int_equal(log_reader_new(&reader, &opt, &e), 0);
    for (; cut < len; cut++) {
        struct rowset rs;
        err_clear(&e);
        /* A refused event leaves nothing behind, but a reader that stopped is begun anew. */
        assert_int_equal(log_reader_start(reader, &begin, &e), 0);
        *more = feed_before(reader, log, n, &at) && (len = event_len(log, at)) > 0;
        if (!*more)
            break;
        uint8_t *exact = malloc(cut + 1);
        assert_non_null(exact);
        memcpy(exact, log->bytes + at, cut);
        if (log_reader_feed(reader, exact, cut, &rs, &e) >= 0)
            fail_msg("%s: the event at %zu, cut at %zu, was taken", log->name, at, cut);
        free(exact);
    }
    log_reader_free(reader);
    schema_free(schema);
    position_release(&begin);
}

static void cut_each(const struct log *log)
{
    bool more = true;
    for (unsigned n = 0; more; n++)
        cut_one(log, n, &more);
}

static void log_reader__event_cut_anywhere__error_and_no_rowset(void **state)
{
    (void)state;
    each_log(cut_each);
}

/* ---------------------------------------------------------------- with a header and checksum that fit */

/* Bytes of a body that no shorter event of the type can lack; `len` where the layout is closed. */
static size_t least_body(uint8_t type, const uint8_t *body, size_t len, const struct event_format *format)
{
    struct wire_table wire;
    struct event_query query;
    struct event_rows rows;
    struct err e = ERR_INIT;
    struct cursor cur = cursor_over(body, len);
    switch (type) {
    case EVENT_QUERY:
        assert_int_equal(event_query_read(&query, cur, &e), 0);
        return (size_t)((const uint8_t *)query.statement - body);
    case EVENT_TABLE_MAP:
        assert_int_equal(event_table_map_read(&wire, cur, format, &e), 0);
        return len - wire.optional_len;
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
        assert_int_equal(event_rows_read(&rows, cur, type, format, &e), 0);
        return (size_t)(rows.rows - body); /* the rows: rows_cut_anywhere below */
    case EVENT_ROTATE:
        return 9;
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
        return 25;
    case EVENT_MARIADB_GTID:
        return body[12] & MARIADB_GTID_GROUP_COMMIT_ID ? 21 : 19;
    case EVENT_ROWS_QUERY:
        return 1;
    case EVENT_USER_VAR:
        return len - 1; /* its flags came later */
    case EVENT_GTID_LIST:
        return body[0] || body[1] || body[2] ? len : 4; /* an empty list may be padded */
    case EVENT_XID:
    case EVENT_INTVAR:
    case EVENT_RAND:
    case EVENT_PREVIOUS_GTIDS:
    case EVENT_GTID_TAGGED:
        return len;
    default:
        return 0;
    }
}

static unsigned closed; /* bodies that were cut */

static void cut_bodies(const struct log *log)
{
    struct event_format format = {.checksum = CHECKSUM_OFF};
    size_t at = EVENT_FILE_MAGIC_LEN, len;
    for (; (len = event_len(log, at)) > 0; at += len) {
        uint8_t type = log->bytes[at + 4];
        struct err e = ERR_INIT;
        if (type == EVENT_START_V3)
            return;
        if (type == EVENT_FORMAT)
            assert_int_equal(event_format_read(&format, log->bytes + at, len, &e), 0);
        const uint8_t *body = log->bytes + at + EVENT_HEADER_LEN;
        size_t body_len = len - EVENT_HEADER_LEN - (format.checksum == CHECKSUM_CRC32 ? EVENT_CHECKSUM_LEN : 0);
        size_t least = type == EVENT_FORMAT ? 0 : least_body(type, body, body_len, &format);
        for (size_t cut = 0; cut < least; cut++, closed++) {
            uint8_t *exact = malloc(cut + 1);
            assert_non_null(exact);
            memcpy(exact, body, cut);
            err_clear(&e);
            if (event_any_read(type, exact, cut, &format, &e) == 0)
                fail_msg("%s: the body of the event at %zu (type %u), cut at %zu, was read", log->name, at, type, cut);
            free(exact);
        }
    }
}

static void event__body_cut_anywhere__error_where_the_layout_is_closed(void **state)
{
    (void)state;
    each_log(cut_bodies);
    assert_true(closed > 10000);
}

/* Rows up to the end or an error; -1: an error. */
static int count_rows(const struct rowset *rs)
{
    struct row_iter it = {.p = rs->rows};
    struct row_view view;
    struct err e = ERR_INIT;
    int rc, count = 0;
    while ((rc = rowset_next_row(rs, &it, &view, NULL, NULL, NULL, &e)) == 1)
        count++;
    return rc < 0 ? -1 : count;
}

static unsigned cut_rows;

/* Plays the log; each ROWS rowset's rows are cut at every byte, as if the event's header and checksum fitted. */
static void rows_cut_anywhere(const struct log *log)
{
    const struct interest interest = {.wants = wants};
    const struct schema_reader server = {.ctx = log->definition, .read = read_definition};
    struct schema *schema;
    struct err e = ERR_INIT;
    struct position begin;
    position_init(&begin);
    begin.at = (struct filepos){.file = "bin.000001", .pos = EVENT_FILE_MAGIC_LEN};
    assert_int_equal(schema_new(&schema, log->definition ? &server : NULL, &e), 0);
    struct log_reader_options opt = {
        .interest = &interest, .schema = schema, .on_statement = ON_STATEMENT_WARN, .whole_files = true};
    struct log_reader *reader;
    assert_int_equal(log_reader_new(&reader, &opt, &e), 0);
    assert_int_equal(log_reader_start(reader, &begin, &e), 0);
    size_t len;
    int rc = 0;
    for (size_t at = EVENT_FILE_MAGIC_LEN; rc >= 0 && (len = event_len(log, at)) > 0;
         at += rc == LOG_READER_AGAIN ? 0 : len) {
        struct rowset rs;
        rc = log_reader_feed(reader, log->bytes + at, len, &rs, &e);
        if (rc <= 0 || rs.kind != ROWSET_ROWS)
            continue;
        int all = count_rows(&rs), whole = 0;
        assert_true(all > 0);
        size_t rows_len = (size_t)(rs.rows_end - rs.rows);
        for (size_t cut = 1; cut < rows_len; cut++, cut_rows++) {
            uint8_t *exact = malloc(cut);
            assert_non_null(exact);
            memcpy(exact, rs.rows, cut);
            struct rowset less = rs;
            less.rows = exact;
            less.rows_end = exact + cut;
            int count = count_rows(&less);
            if (count >= 0 && count != ++whole)
                fail_msg("%s: rows of the event at %zu, cut at %zu, were taken", log->name, at, cut);
            free(exact);
        }
        assert_int_equal(whole, all - 1); /* only the ends of rows are no error */
    }
    log_reader_free(reader);
    schema_free(schema);
    position_release(&begin);
}

static void rowset__rows_cut_anywhere__error_but_at_the_end_of_a_row(void **state)
{
    (void)state;
    each_log(rows_cut_anywhere);
    assert_true(cut_rows > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__event_cut_anywhere__error_and_no_rowset),
        cmocka_unit_test(event__body_cut_anywhere__error_where_the_layout_is_closed),
        cmocka_unit_test(rowset__rows_cut_anywhere__error_but_at_the_end_of_a_row),
    };
    return cmocka_run_group_tests_name("event_truncation", tests, NULL, NULL);
}
