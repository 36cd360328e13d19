/* The smallest parts: cursor, arena, buf, hash, err, and the system's env. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/env.h"
#include "base/err.h"
#include "base/hash.h"

static void cursor__integers__have_their_byte_order(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60};
    struct cursor cur = cursor_over(bytes, sizeof bytes);
    assert_int_equal(cursor_u8(&cur), 1);
    assert_int_equal(cursor_u16(&cur), 0x0302);
    assert_int_equal(cursor_be(&cur, 3), 0x040506);
    assert_int_equal(cursor_u32(&cur), 0x10ff0807);
    assert_int_equal(cursor_le(&cur, 5), 0x6050403020);
    assert_int_equal(cursor_finish(&cur), 0);
    cur = cursor_over(bytes, 8);
    assert_true(cursor_u64(&cur) == UINT64_C(0x0807060504030201));
    cur = cursor_over(bytes, 8);
    assert_true(cursor_be(&cur, 8) == UINT64_C(0x0102030405060708));
}

static void cursor__read_past_the_end__is_zero_and_bad_for_good(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3};
    struct cursor cur = cursor_over(bytes, sizeof bytes);
    assert_int_equal(cursor_u32(&cur), 0);
    assert_true(cur.bad);
    assert_int_equal(cursor_left(&cur), 0);
    assert_int_equal(cursor_u8(&cur), 0);
    assert_null(cursor_take(&cur, SIZE_MAX));
    assert_int_equal(cursor_finish(&cur), -1);
    cur = cursor_over(bytes, sizeof bytes);
    cursor_skip(&cur, 2);
    assert_int_equal(cursor_finish(&cur), -1);
    cursor_skip(&cur, 1);
    assert_int_equal(cursor_finish(&cur), 0);
    assert_non_null(cursor_take(&cur, 0));
    cur = cursor_over(NULL, 0);
    assert_int_equal(cursor_u8(&cur), 0);
    assert_int_equal(cursor_finish(&cur), -1);
}

static void cursor__lenenc__follows_the_protocol(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[9];
        size_t len;
        uint64_t expected;
        bool good;
    } rows[] = {
        {{0}, 1, 0, true},
        {{250}, 1, 250, true},
        {{252, 0xfb, 0}, 3, 251, true},
        {{253, 1, 2, 3}, 4, 0x030201, true},
        {{254, 1, 0, 0, 0, 0, 0, 0, 0x80}, 9, UINT64_C(0x8000000000000001), true},
        {{251}, 1, 0, false},
        {{255, 1, 1}, 3, 0, false},
        {{252, 1}, 2, 0, false},
        {{254, 1, 2, 3, 4, 5, 6, 7}, 8, 0, false},
        {{0}, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cursor cur = cursor_over(rows[i].bytes, rows[i].len);
        assert_true(cursor_lenenc(&cur) == rows[i].expected);
        assert_int_equal(cursor_finish(&cur), rows[i].good ? 0 : -1);
    }
}

static void cursor__sub__cannot_leave_its_bytes(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct cursor cur = cursor_over(bytes, sizeof bytes);
    struct cursor sub = cursor_sub(&cur, 2);
    assert_int_equal(cursor_u32(&sub), 0);
    assert_true(sub.bad);
    assert_false(cur.bad);
    assert_int_equal(cursor_u16(&cur), 0x0403);
    cur = cursor_over(bytes, sizeof bytes);
    sub = cursor_sub(&cur, 5);
    assert_true(sub.bad && cur.bad);
    assert_int_equal(cursor_left(&sub), 0);
}

static void arena__allocations__are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    uint8_t *p[200];
    arena_init(&arena, 256, 1024, 0);
    for (size_t i = 0; i < 200; i++) {
        p[i] = arena_alloc(&arena, i);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 8, 0);
        memset(p[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(p[i][j], i);
    arena_reset(&arena);
    assert_true(arena.total <= 1024);
    assert_string_equal(arena_copy(&arena, "ab\0c", 4), "ab");
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    arena_release(&arena);
    assert_int_equal(arena.total, 0);
}

static void arena__reset__keeps_chunks_for_the_same_work(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096, (size_t)1 << 20, 0);
    for (int round = 0; round < 3; round++) {
        size_t before = arena.total;
        for (int i = 0; i < 100; i++)
            assert_non_null(arena_alloc(&arena, 1000));
        if (round > 0)
            assert_int_equal(arena.total, before);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

static void arena__cap__refuses_and_stays_usable(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024, 0, 4096);
    assert_null(arena_alloc(&arena, 5000));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(arena_copy(&arena, "x", SIZE_MAX));
    size_t count = 0;
    while (arena_alloc(&arena, 512))
        count++;
    assert_int_equal(count, 8);
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 4096));
    arena_release(&arena);
}

static void buf__appending__keeps_bytes_and_cap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_add(&b, NULL, 0);
    assert_null(b.p);
    assert_non_null(buf_room(&b, 0));
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "%04d,", i);
    assert_int_equal(b.len, 500);
    assert_memory_equal(b.p + 495, "0099,", 5);
    buf_text(&b, "abc");
    buf_byte(&b, 'd');
    buf_add(&b, NULL, 0);
    assert_memory_equal(b.p + 500, "abcd", 4);
    assert_false(b.failed);
    assert_null(buf_room(&b, 497));
    assert_true(b.failed);
    assert_int_equal(b.len, 504);
    buf_text(&b, "x");
    assert_int_equal(b.len, 504);
    buf_clear(&b);
    assert_false(b.failed);
    assert_non_null(buf_room(&b, 1000));
    assert_null(buf_room(&b, 1001));
    buf_clear(&b);
    assert_null(buf_room(&b, SIZE_MAX));
    buf_release(&b);
    assert_null(b.p);
    buf_text(&b, "again");
    assert_int_equal(b.len, 5);
    buf_release(&b);
}

static void hash__crc32__is_the_ieee_one(void **state)
{
    (void)state;
    assert_int_equal(hash_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(hash_crc32(hash_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(hash_crc32(0, "", 0), 0);
    assert_true(hash_bytes("a", 1) != hash_bytes("b", 1));
    assert_true(hash_bytes("ab", 2) == hash_bytes("ab", 2));
}

static void err__first_error__wins_and_gets_its_places(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_wrap(&e, "nothing"), 0);
    assert_int_equal(err_result(&e), 0);
    assert_int_equal(err_set(&e, CONFIG_VALUE, "port", "bad"), -ERR_CONFIG_VALUE);
    assert_int_equal(err_set(&e, BUG, "later"), -ERR_CONFIG_VALUE);
    assert_int_equal(err_wrap(&e, "%s:%d", "f", 3), -ERR_CONFIG_VALUE);
    assert_int_equal(err_wrap(&e, "outer"), -ERR_CONFIG_VALUE);
    assert_string_equal(e.text, "outer: f:3: port: bad");
    assert_int_equal(err_result(&e), -ERR_CONFIG_VALUE);
    assert_int_equal(err_class(&e), ERR_CLASS_USAGE);
    err_clear(&e);
    assert_string_equal(e.text, "");
    assert_int_equal(err_set(NULL, BUG, "x"), -ERR_BUG);
    assert_int_equal(err_wrap(NULL, "x"), 0);
    assert_int_equal(err_class(NULL), ERR_CLASS_NONE);
    err_clear(NULL);
}

static void err__long_text__is_cut_inside_its_array(void **state)
{
    (void)state;
    char text[2 * ERR_TEXT_MAX];
    struct err e = ERR_INIT;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    (void)err_set(&e, BUG, text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    (void)err_wrap(&e, "place");
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(e.text, "place: internal error: aaa", 26);
    (void)err_wrap(&e, "%s", text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

static void env__system__has_time_random_and_files(void **state)
{
    (void)state;
    struct env env = env_system();
    uint8_t a[16] = {0}, b[16] = {0};
    env.random(env.ctx, a, sizeof a);
    env.random(env.ctx, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(env_now_us(&env) > INT64_C(1700000000000000));
    int64_t before = env_mono_us(&env);
    assert_true(env_mono_us(&env) >= before);
    assert_null(env.log);
    char path[] = "/tmp/sluice_env_XXXXXX", moved[64], bytes[8] = {0};
    close(mkstemp(path));
    snprintf(moved, sizeof moved, "%s.d", path);
    int fd = env.files->open(env.ctx, path, O_RDWR, 0);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(env.files->write(env.ctx, fd, "abcdef", 6), 6);
    assert_int_equal(env.files->truncate(env.ctx, fd, 3), 0);
    assert_int_equal(env.files->sync(env.ctx, fd), 0);
    assert_int_equal(env.files->seek(env.ctx, fd, 1, SEEK_SET), 1);
    assert_int_equal(env.files->read(env.ctx, fd, bytes, sizeof bytes), 2);
    assert_string_equal(bytes, "bc");
    struct stat st;
    assert_int_equal(env.files->stat(env.ctx, fd, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(env.files->lock(env.ctx, fd), 0);
    int other = env.files->open(env.ctx, path, O_RDWR, 0);
    assert_int_equal(env.files->lock(env.ctx, other), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    env.files->close(env.ctx, fd);
    assert_int_equal(env.files->lock(env.ctx, other), 0);
    env.files->close(env.ctx, other);
    assert_int_equal(env.files->rename(env.ctx, path, moved), 0);
    assert_int_equal(env.files->unlink(env.ctx, moved), 0);
    assert_int_equal(env.files->mkdir(env.ctx, moved, 0700), 0);
    assert_int_equal(rmdir(moved), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor__integers__have_their_byte_order),
        cmocka_unit_test(cursor__read_past_the_end__is_zero_and_bad_for_good),
        cmocka_unit_test(cursor__lenenc__follows_the_protocol),
        cmocka_unit_test(cursor__sub__cannot_leave_its_bytes),
        cmocka_unit_test(arena__allocations__are_aligned_and_apart),
        cmocka_unit_test(arena__reset__keeps_chunks_for_the_same_work),
        cmocka_unit_test(arena__cap__refuses_and_stays_usable),
        cmocka_unit_test(buf__appending__keeps_bytes_and_cap),
        cmocka_unit_test(hash__crc32__is_the_ieee_one),
        cmocka_unit_test(err__first_error__wins_and_gets_its_places),
        cmocka_unit_test(err__long_text__is_cut_inside_its_array),
        cmocka_unit_test(env__system__has_time_random_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
