/* Standard output with a format that keeps rows: what a failed batch leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/canal/canal.h"
#include "sink/kinds.h"

/* What is written, in memory. */
static ssize_t write_memory(void *ctx, int fd, const void *bytes, size_t len)
{
    (void)fd;
    buf_add(ctx, bytes, len);
    return (ssize_t)len;
}

static int64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct file_ops memory = {.write = write_memory};

struct scene {
    struct buf written;
    struct env env;
    struct column column;
    struct table tbl;
    struct shape *shape;
    struct sink *snk;
    void *bind;
    struct change changes[2];
    struct item items[2];
};

/* Two rows of one event, of a DATE. */
static void scene_init(struct scene *s)
{
    static max_align_t zeroes[8]; /* the defaults of all options */
    static const struct format_choice choice = {.name = "canal", .ops = &format_canal, .options = zeroes};
    static const struct tx tx = {.file = "bin.1"};
    struct arena *arena = malloc(sizeof *arena);
    struct cursor none = cursor_over(NULL, 0);
    assert_non_null(arena);
    *s = (struct scene){.column = {.name = "d", .name_len = 1}};
    arena_init(arena, 4096, 0, 0);
    buf_init(&s->written, 0);
    s->env = (struct env){.ctx = &s->written, .now_us = no_time, .files = &memory};
    assert_int_equal(coltype_init(&s->column.type, WIRE_DATE_OLD, &none, NULL), 0);
    s->tbl = (struct table){.db = "shop", .name = "t", .columns = &s->column, .column_count = 1};
    assert_int_equal(shape_new(&s->shape, arena, &s->tbl, 0, NULL), 0);
    assert_int_equal(sink_stdout.open(&s->snk, zeroes, &(struct sink_place){.env = &s->env}, NULL), 0);
    assert_int_equal(sink_stdout.bind(&s->bind, zeroes, &choice, &s->tbl, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        s->changes[i] = (struct change){.op = CHANGE_INSERT, .shape = s->shape, .tx = &tx, .db = "shop", .table = "t"};
        s->changes[i].version.row = version_row(0, i, 0);
        s->changes[i].flags = i == 1 ? CHANGE_LAST_IN_EVENT : 0;
        s->changes[i].after = (struct image){.bytes = (const uint8_t *)"\0\0\0\0", .len = 4};
        s->items[i] = (struct item){.chg = &s->changes[i], .bind = s->bind};
    }
}

static void scene_release(struct scene *s)
{
    sink_stdout.unbind(s->bind);
    sink_stdout.close(s->snk);
    shape_free(s->shape);
    buf_release(&s->written);
}

static void sink_stdout__batch_comes_again_after_an_error__has_each_row_once(void **state)
{
    (void)state;
    static const char expected[] = "{\"data\":[{\"d\":\"0000-00-00\"},{\"d\":\"0000-00-00\"}],";
    struct scene s;
    scene_init(&s);
    s.changes[1].after.len = 2;
    assert_int_equal(sink_stdout.apply(s.snk, s.items, 2, NULL), -(int)ERR_CORRUPT);
    assert_int_equal(s.written.len, 0);
    s.changes[1].after.len = 4;
    assert_int_equal(sink_stdout.apply(s.snk, s.items, 2, NULL), 0);
    assert_true(s.written.len > sizeof expected);
    assert_memory_equal(s.written.p, expected, sizeof expected - 1);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sink_stdout__batch_comes_again_after_an_error__has_each_row_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
