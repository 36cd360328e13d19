#include "tools/log_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/rowset_text.h"

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return strcmp(db, "shop") == 0 && (table[0] == 't' || table[0] == 'u' || table[0] == 'T') && table[1] == '\0';
}

void log_reading_options(struct log_reading *f, struct log_reader_options opt)
{
    log_reader_free(f->reader);
    f->reader = NULL;
    opt.interest = &f->interest;
    opt.schema = f->schema;
    assert_int_equal(log_reader_new(&f->reader, &opt, &f->e), 0);
    assert_int_equal(log_reader_start(f->reader, &f->at, &f->e), 0);
}

void log_reading_init(struct log_reading *f, bool mariadb, bool crc, enum on_statement on_statement)
{
    memset(f, 0, sizeof *f);
    event_builder_init(&f->b, mariadb, crc);
    f->interest.wants = wants;
    assert_int_equal(schema_new(&f->schema, NULL, &f->e), 0);
    position_init(&f->at);
    f->at.at = (struct filepos){.file = "bin.000001", .pos = EVENT_FILE_MAGIC_LEN};
    log_reading_options(f, (struct log_reader_options){.on_statement = on_statement});
    buf_init(&f->text, 0);
}

void log_reading_release(struct log_reading *f)
{
    log_reader_free(f->reader);
    schema_free(f->schema);
    position_release(&f->at);
    event_builder_release(&f->b);
    buf_release(&f->text);
}

int log_reading_feed(struct log_reading *f)
{
    const uint8_t *event;
    size_t len;
    int rc = 0;
    while (rc >= 0 && built_event(&f->b, f->fed, &event, &len)) {
        struct rowset rs;
        uint8_t *exact = malloc(len); /* so that a read beyond the event is seen */
        assert_non_null(exact);
        memcpy(exact, event, len);
        rc = log_reader_feed(f->reader, exact, len, &rs, &f->e);
        if (rc > 0 && rc != LOG_READER_MORE)
            rowset_text(&rs, &f->text);
        if (rc != LOG_READER_AGAIN && rc != LOG_READER_MORE)
            f->fed++;
        free(exact);
    }
    return rc;
}

void log_reading_expect(struct log_reading *f, const char *want)
{
    buf_byte(&f->text, 0);
    assert_string_equal((const char *)f->text.p, want);
    f->text.len = 0;
}

void log_reading_expect_stop(struct log_reading *f, enum err_code code, const char *text)
{
    assert_int_equal(log_reading_feed(f), -(int)code);
    assert_int_equal(f->e.code, code);
    if (!strstr(f->e.text, text))
        fail_msg("'%s' is not in '%s'", text, f->e.text);
}

void log_reading_begin(struct log_reading *f, uint64_t number)
{
    build_gtid(&f->b, number);
    if (!f->b.mariadb)
        build_query(&f->b, "shop", "BEGIN");
}
