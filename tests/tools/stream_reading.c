#include "tools/stream_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/rowset_text.h"

#define TURNS_MAX 10000

bool stream_reading_wants_shop(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

int stream_reading_try(struct stream_reading *rd, const struct stream_options *opt, const char *start, struct err *e)
{
    struct start at;
    memset(rd, 0, sizeof *rd);
    position_init(&rd->from);
    buf_init(&rd->text, 0);
    assert_int_equal(start_parse(&at, start, e), 0);
    assert_int_equal(source_stream_new(&rd->src, opt, e), 0);
    int rc = rd->src->ops->open(rd->src, &at, &rd->from, e);
    position_release(&at.pos);
    return rc;
}

void stream_reading_open(struct stream_reading *rd, const struct stream_options *opt, const char *start)
{
    struct err e = ERR_INIT;
    if (stream_reading_try(rd, opt, start, &e) != 0)
        fail_msg("open at %s: %s", start, e.text);
}

void stream_reading_close(struct stream_reading *rd)
{
    if (rd->src)
        rd->src->ops->close(rd->src);
    position_release(&rd->from);
    buf_release(&rd->text);
}

void stream_reading_add(struct stream_reading *rd, const struct rowset *rs)
{
    struct buf line;
    buf_init(&line, 0);
    rowset_text(rs, &line);
    if (rs->kind == ROWSET_ROWS) {
        const uint8_t *rows = memchr(line.p, '\n', line.len);
        buf_printf(&rd->text, "%s %s", rs->shape->tbl->name, change_op_name(rs->op));
        buf_add(&rd->text, rows + 1, line.len - (size_t)(rows + 1 - line.p) - 1);
        buf_text(&rd->text, ";");
    } else if (rs->kind == ROWSET_END)
        buf_text(&rd->text, "END;");
    else if (rs->kind == ROWSET_LOST)
        buf_text(&rd->text, "LOST;");
    buf_release(&line);
}

enum rowset_kind stream_reading_turn(struct stream_reading *rd)
{
    struct rowset rs;
    struct err e = ERR_INIT;
    if (rd->src->ops->next(rd->src, &rs, &e) != 0)
        fail_msg("next: %s: %s", err_code_name(e.code), e.text);
    stream_reading_add(rd, &rs);
    rd->lost += rs.kind == ROWSET_LOST;
    if (rs.kind == ROWSET_NOTE || rs.kind == ROWSET_LOST) {
        rd->noted++;
        rd->last_note = rs.note;
    }
    if (rs.end.file[0])
        rd->end = rs.end;
    return rs.kind;
}

void stream_reading_transactions(struct stream_reading *rd, unsigned count)
{
    for (unsigned turns = 0; count > 0; turns++) {
        assert_true(turns < TURNS_MAX);
        if (stream_reading_turn(rd) == ROWSET_END)
            count--;
    }
}

void stream_reading_expect(struct stream_reading *rd, const char *wanted)
{
    buf_byte(&rd->text, 0);
    assert_string_equal((const char *)rd->text.p, wanted);
    buf_clear(&rd->text);
}
