/* Law: what an input reads of a peer's message is what our own JSON says of the same change: the same rows, the same
 * values but for the families that the peer's messages do not tell, the same text of the key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/canal/canal.h"
#include "change/canal/parts.h"
#include "change/debezium/debezium.h"
#include "change/format_sluice.h"
#include "change/input.h"
#include "change/json_in.h"
#include "change/maxwell/maxwell.h"
#include "change/maxwell/parts.h"
#include "partition/key.h"
#include "tools/random_row.h"

#define ROUNDS      3000
#define BIT(family) (1u << (family))

static const struct canal_options canal_options = {.convert_text = true};
static const struct maxwell_options maxwell_options = {
    .nulls = true, .commit_info = true, .exact_time = true, .primary_key_columns = true};
static const struct debezium_options debezium_options = {.prefix = "dbz", .skipped = "t", .decimals = DECIMALS_STRING};

/* Families whose text differs by what the peer writes: docs/kafka.md names them. */
static const struct peer {
    const struct format_ops *format;
    const struct input_ops *input;
    const void *options;
    uint32_t differ;
    bool bytes_differ; /* strings of bytes come as text */
} peers[] = {
    {&format_canal, &input_canal, &canal_options, BIT(FAMILY_TIMESTAMP) | BIT(FAMILY_TIMESTAMP_OLD) | BIT(FAMILY_JSON),
     false},
    {&format_maxwell, &input_maxwell, &maxwell_options,
     BIT(FAMILY_TIMESTAMP) | BIT(FAMILY_TIMESTAMP_OLD) | BIT(FAMILY_JSON) | BIT(FAMILY_VECTOR) | BIT(FAMILY_FLOAT) |
         BIT(FAMILY_SET) | BIT(FAMILY_GEOMETRY) | BIT(FAMILY_COMPRESSED) | BIT(FAMILY_DATE) | BIT(FAMILY_DATETIME) |
         BIT(FAMILY_DATETIME_OLD),
     true},
    {&format_debezium, &input_debezium, &debezium_options,
     ~(BIT(FAMILY_INTEGER) | BIT(FAMILY_DECIMAL) | BIT(FAMILY_YEAR) | BIT(FAMILY_STRING) | BIT(FAMILY_GEOMETRY)), true},
};

struct scene {
    struct rng rng;
    const struct peer *peer;
    struct shape_cache *cache, *peer_cache, *own_cache;
    const struct shape *shape;
    struct format *format;
    void *bind;
    struct record_list records;
    struct arena arena;
    struct buf line;
    struct random_change made;
    unsigned compared;
};

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)db;
    (void)table;
    return true;
}

/* A change with whole images. */
static void make_change(struct scene *s)
{
    struct random_change *made = &s->made;
    random_change(&s->rng, s->shape, made, 0);
    struct change *chg = &made->chg;
    chg->op = (enum change_op)rng_below(&s->rng, CHANGE_DELETE + 1);
    chg->flags = 0;
    chg->before = chg->after = (struct image){.bytes = NULL};
    if (chg->op != CHANGE_INSERT)
        chg->before = random_image(&s->rng, s->shape, NULL, made->before_bytes, 0);
    if (chg->op != CHANGE_DELETE)
        chg->after = random_image(&s->rng, s->shape, NULL, made->after_bytes, 0);
}

static bool is_told(const struct scene *s, const struct coltype *type)
{
    if (s->peer->input == &input_debezium && type->wire == WIRE_LONGLONG && type->is_unsigned)
        return false; /* 64 bits with a sign */
    bool text = type->family == FAMILY_STRING && type->charset != CHARSET_BINARY;
    return !(s->peer->differ & BIT(type->family)) && (type->family != FAMILY_STRING || text || !s->peer->bytes_differ);
}

static void same_side(struct scene *s, const struct change *own, const struct input_row *row, enum side side)
{
    struct change chg = {.op = row->op, .shape = row->shape, .before = row->before, .after = row->after};
    struct value a[64], b[64];
    const struct table *tbl = own->shape->tbl;
    assert_int_equal(change_values(own, side, NULL, a, &s->arena, NULL), 0);
    assert_int_equal(change_values(&chg, side, NULL, b, &s->arena, NULL), 0);
    for (unsigned i = 0; i < tbl->column_count; i++) {
        const struct column *column = &s->shape->tbl->columns[i];
        int k = table_find_column(row->shape->tbl, tbl->columns[i].name, tbl->columns[i].name_len);
        assert_true(k >= 0);
        bool no_text = a[i].kind == VALUE_BYTES && column->type.charset != CHARSET_BINARY;
        bool year_0 = column->type.family == FAMILY_YEAR && a[i].kind == VALUE_UINT && a[i].u == 0;      /* 1900 */
        bool invalid = column->type.family == FAMILY_ENUM && a[i].kind == VALUE_TEXT && a[i].s.len == 0; /* null */
        if (!is_told(s, &column->type) || no_text || (invalid && s->peer->input == &input_maxwell) ||
            (year_0 && s->peer->input != &input_canal))
            continue;
        struct buf one, two;
        buf_init(&one, 0);
        buf_init(&two, 0);
        assert_int_equal(a[i].kind == VALUE_NULL, b[k].kind == VALUE_NULL);
        value_text(&a[i], &one);
        value_text(&b[k], &two);
        while (column->type.wire == WIRE_STRING && two.len > one.len && two.p[two.len - 1] == ' ')
            two.len--; /* of CHAR, which servers log without them */
        bool zero = column->type.family == FAMILY_DECIMAL && memchr("-0", one.len ? *one.p : 'x', 2) &&
                    strspn((char *)one.p, "-0.") >= one.len; /* no server stores -0 */
        if (zero)
            two.len = one.len = 0;
        if (one.len != two.len || (one.len && memcmp(one.p, two.p, one.len) != 0))
            fail_msg("%s: column of family %d (%zu, %zu bytes): %.*s, %.*s", s->peer->input->name, column->type.family,
                     one.len, two.len, (int)one.len, (char *)one.p, (int)two.len, (char *)two.p);
        buf_release(&one);
        buf_release(&two);
        s->compared++;
    }
}

static void same_change(struct scene *s, const struct input *found)
{
    struct change own;
    struct tx tx;
    struct err e = ERR_INIT;
    buf_clear(&s->line);
    assert_int_equal(format_sluice(&s->made.chg, &s->line, &s->arena, &e), 0);
    assert_int_equal(json_in_change((char *)s->line.p, s->line.len, s->own_cache, &own, &tx, &s->arena, &e), 0);
    assert_int_equal(found->kind, INPUT_ROWS);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->db, own.db);
    assert_string_equal(found->table, own.table);
    assert_int_equal(found->rows[0].op, own.op);
    if (own.op != CHANGE_INSERT)
        same_side(s, &own, &found->rows[0], SIDE_BEFORE);
    if (own.op != CHANGE_DELETE)
        same_side(s, &own, &found->rows[0], SIDE_AFTER);
}

/* The peer's records of the change, each parsed. */
static void check_change(struct scene *s, unsigned round)
{
    struct err e = ERR_INIT;
    make_change(s);
    arena_reset(&s->arena);
    records_clear(&s->records);
    int rc = s->peer->format->add(s->format, &s->made.chg, s->bind, 0, &s->records, &e);
    if (rc == 0 && s->peer->format->flush)
        rc = s->peer->format->flush(s->format, &s->records, &e);
    if (rc != 0)
        fail_msg("%s: %s", s->peer->format->name, e.text);
    for (size_t i = 0; i < s->records.count; i++) {
        const struct record *record = &s->records.list[i];
        const char *key = (const char *)s->records.text.p + record->at;
        size_t key_len = record->key_len == RECORD_NONE ? 0 : record->key_len;
        struct input_record in = {.key = record->key_len == RECORD_NONE ? NULL : key, .key_len = key_len};
        struct input_context context = {.shapes = s->peer_cache, .interest = {.wants = wants}, .arena = &s->arena};
        struct input found;
        if (record->value_len != RECORD_NONE) {
            in.value = key + key_len + record->headers_len;
            in.value_len = record->value_len;
        }
        bool read = s->peer->input->parse(&in, &context, &found, &e) == 0;
        if (!read && s->made.chg.op == CHANGE_UPDATE && strstr(e.text, "row images are not FULL"))
            continue; /* an update that changes nothing */
        if (!read && (strstr(e.text, "VECTOR") || strstr(e.text, "vector") || strstr(e.text, "too short")))
            continue; /* random bytes that no server stores */
        if (!read)
            fail_msg("round %u: %s\n%.*s", round, e.text, (int)in.value_len, in.value);
        if (s->records.count == 1)
            same_change(s, &found);
    }
}

static void check_peer(const struct peer *peer)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->peer = peer;
    s->rng.state = 20261123;
    s->cache = shape_cache_new();
    s->own_cache = shape_cache_new();
    s->peer_cache = shape_cache_new();
    arena_init(&s->arena, 65536, 1 << 20, 0);
    buf_init(&s->line, 0);
    records_init(&s->records, 0);
    s->records.wants_keys = true;
    assert_int_equal(peer->format->open(&s->format, peer->options, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % 20 == 0) {
            if (peer->format->unbind && s->bind)
                peer->format->unbind(s->bind);
            s->bind = NULL;
            s->shape = random_shape(&s->rng, s->cache);
            assert_int_equal(peer->format->bind(&s->bind, peer->options, s->shape->tbl, NULL), 0);
        }
        check_change(s, i);
    }
    assert_true(s->compared > ROUNDS);
    peer->format->unbind(s->bind);
    peer->format->close(s->format);
    records_release(&s->records);
    buf_release(&s->line);
    arena_release(&s->arena);
    shape_cache_free(s->cache);
    shape_cache_free(s->own_cache);
    shape_cache_free(s->peer_cache);
    free(s);
}

static void law_input_canal__random_rows__say_what_our_own_lines_say(void **state)
{
    (void)state;
    check_peer(&peers[0]);
}

static void law_input_maxwell__random_rows__say_what_our_own_lines_say(void **state)
{
    (void)state;
    check_peer(&peers[1]);
}

static void law_input_debezium__random_rows__say_what_our_own_lines_say(void **state)
{
    (void)state;
    check_peer(&peers[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_input_canal__random_rows__say_what_our_own_lines_say),
        cmocka_unit_test(law_input_maxwell__random_rows__say_what_our_own_lines_say),
        cmocka_unit_test(law_input_debezium__random_rows__say_what_our_own_lines_say),
    };
    return cmocka_run_group_tests_name("law_inputs", tests, NULL, NULL);
}
