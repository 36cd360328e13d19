/* How fast rows of an `orders` table in memory become records of each format, and how fast they are walked:
 * format_bench [NAME ...], all formats without names.
 *
 * order_id bigint unsigned, user_id bigint unsigned, status tinyint, amount decimal(12,2), currency char(3), address
 * varchar(255), note text, created_at datetime(3), updated_at timestamp(6). One thread; figures per CPU second. "x16":
 * sixteen rows to an event, else one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "change/format.h"
#include "change/source.h"

#define ROWS   4096u
#define ROUNDS 200u

static const struct shape *orders(struct shape_cache *cache)
{
    static const char *const names[] = {"order_id", "user_id", "status",     "amount",    "currency",
                                        "address",  "note",    "created_at", "updated_at"};
    static const char *const declared[] = {"bigint unsigned", "bigint unsigned", "tinyint", "decimal(12,2)",
                                           "char(3)",         "varchar(255)",    "text",    "datetime(3)",
                                           "timestamp(6)"};
    static const uint8_t wires[] = {WIRE_LONGLONG, WIRE_LONGLONG, WIRE_TINY,      WIRE_NEWDECIMAL, WIRE_STRING,
                                    WIRE_VARCHAR,  WIRE_BLOB,     WIRE_DATETIME2, WIRE_TIMESTAMP2};
    static const uint8_t metadata[] = {12, 2, WIRE_STRING, 12, 0xfc, 0x03, 2, 3, 6};
    static const uint16_t pk[] = {0};
    struct arena *arena = malloc(sizeof *arena);
    if (!arena)
        return NULL;
    arena_init(arena, 4096, 0, 0);
    struct column *columns = arena_alloc(arena, sizeof *columns * 9);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    struct cursor cur = cursor_over(metadata, sizeof metadata);
    const struct shape *shape = NULL;
    for (unsigned i = 0; columns && i < 9; i++) {
        columns[i] = (struct column){.name = names[i], .name_len = (uint32_t)strlen(names[i])};
        columns[i].declared = declared[i];
        if (coltype_init(&columns[i].type, wires[i], &cur, NULL) != 0)
            return NULL;
        columns[i].type.sign_known = true;
        columns[i].type.is_unsigned = i < 2;
        columns[i].type.collation = 45;
        columns[i].type.charset = CHARSET_UTF8;
    }
    if (!columns || !tbl)
        return NULL;
    *tbl = (struct table){.db = "shop", .name = "orders", .columns = columns, .column_count = 9, .pk = pk};
    tbl->pk_count = 1;
    tbl->pk_known = true;
    return shape_cache_take(cache, arena, tbl, &shape, NULL) == 0 ? shape : NULL;
}

static uint8_t *put(uint8_t *o, uint64_t v, unsigned bytes, bool big)
{
    for (unsigned i = 0; i < bytes; i++)
        o[i] = (uint8_t)(v >> 8 * (big ? bytes - 1 - i : i));
    return o + bytes;
}

static uint8_t *put_text(uint8_t *o, const char *text, unsigned prefix)
{
    size_t len = strlen(text);
    o = put(o, len, prefix, false);
    memcpy(o, text, len);
    return o + len;
}

static size_t make_row(uint8_t *out, uint32_t n)
{
    char text[128];
    uint8_t *o = put(out, 0, 2, false);
    o = put(o, 1000000 + n, 8, false);
    o = put(o, n * 7919u % 100000, 8, false);
    o = put(o, n % 6, 1, false);
    o = put(o, 0x8000000000u | n % 9000000, 5, true); /* ten digits before the point in 5 bytes */
    o = put(o, n % 100, 1, true);
    o = put_text(o, n % 3 ? "EUR" : "USD", 1);
    snprintf(text, sizeof text, "%u Example Street, 1%04u Berlin", n % 300, n % 10000);
    o = put_text(o, text, 2);
    snprintf(text, sizeof text, "please ring %u times, then leave it at the door", n % 10);
    o = put_text(o, text, 2);
    o = put(o, (uint64_t)1 << 39 | (uint64_t)(2026 * 13 + 1 + n % 12) << 22 | (1 + n % 28) << 17 | 0xd38f, 5, true);
    o = put(o, n % 1000 * 10, 2, true);
    o = put(o, 1795353255 + n, 4, true);
    o = put(o, n * 31 % 1000000, 3, true);
    return (size_t)(o - out);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct bench {
    struct change chg;
    struct tx tx;
    struct image images[ROWS];
};

/* One format, chosen and bound. */
struct writer {
    struct config *cfg;
    struct format_choice choice;
    struct format *format;
    void *bind;
    struct record_list records;
};

static int writer_open(struct writer *w, const char *name, const struct table *tbl, struct err *e)
{
    const struct format_ops *ops;
    *w = (struct writer){.choice.name = name};
    records_init(&w->records, 0);
    w->records.now_us = 1795353255123456;
    int rc = config_parse(&w->cfg, NULL, "bench", "", e);
    if (rc == 0)
        rc = format_choose(&w->choice, w->cfg, e);
    if (rc != 0)
        return rc;
    ops = w->choice.ops;
    if (ops->bind)
        rc = ops->bind(&w->bind, w->choice.options, tbl, e);
    return rc == 0 ? ops->open(&w->format, w->choice.options, e) : rc;
}

static void writer_close(struct writer *w)
{
    const struct format_ops *ops = w->choice.ops;
    if (ops && w->format)
        ops->close(w->format);
    if (ops && ops->unbind)
        ops->unbind(w->bind);
    records_release(&w->records);
    config_free(w->cfg);
}

static int end_batch(struct writer *w, size_t *bytes, struct err *e)
{
    const struct format_ops *ops = w->choice.ops;
    int rc = ops->flush ? ops->flush(w->format, &w->records, e) : 0;
    *bytes += w->records.text.len;
    records_clear(&w->records);
    return rc;
}

struct workload {
    const char *name;
    bool update;
    unsigned rows_per_event;
};

static int format_all(struct bench *b, struct writer *w, const struct workload *load, struct err *e)
{
    size_t bytes = 0;
    int rc = 0;
    double start = cpu_seconds();
    b->chg.op = load->update ? CHANGE_UPDATE : CHANGE_INSERT;
    for (unsigned n = 0; n < ROWS * ROUNDS && rc == 0; n++) {
        unsigned i = n % ROWS;
        bool last = (i + 1) % load->rows_per_event == 0;
        b->chg.before = load->update ? b->images[i ^ 1] : (struct image){.bytes = NULL, .len = 0};
        b->chg.after = b->images[i];
        b->chg.version.row = version_row(i / load->rows_per_event, i % load->rows_per_event, 0);
        b->chg.flags = last ? CHANGE_LAST_IN_EVENT : 0;
        b->chg.row_of_tx = i;
        b->chg.pos = 1000 + i;
        rc = w->choice.ops->add(w->format, &b->chg, w->bind, i, &w->records, e);
        if (rc == 0 && i % 256 == 255)
            rc = end_batch(w, &bytes, e);
    }
    double seconds = cpu_seconds() - start;
    if (rc == 0)
        printf("%-9s %-10s %.2f M rows/CPU-s, %.0f MB/s out, %.0f ns/row\n", w->choice.name, load->name,
               ROWS * ROUNDS / seconds / 1e6, (double)bytes / seconds / 1e6, seconds / (ROWS * ROUNDS) * 1e9);
    return rc;
}

static int run_format(struct bench *b, const char *name)
{
    static const struct workload loads[] = {
        {"insert", false, 1}, {"insert x16", false, 16}, {"update", true, 1}, {"update x16", true, 16}};
    struct err e = ERR_INIT;
    struct writer w;
    int rc = writer_open(&w, name, b->chg.shape->tbl, &e);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0] && rc == 0; i++)
        rc = format_all(b, &w, &loads[i], &e);
    if (rc != 0)
        fprintf(stderr, "format_bench: %s: %s\n", name, e.text);
    writer_close(&w);
    return rc;
}

static int run_formats(struct bench *b, int count, char **names)
{
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++)
        rc = run_format(b, names[i]);
    for (size_t i = 0; count == 0 && format_registry[i] && rc == 0; i++)
        rc = run_format(b, format_registry[i]->name);
    return rc;
}

static int walk_all(const struct bench *b, const struct colset *wanted)
{
    size_t bytes = 0;
    double start = cpu_seconds();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < ROWS; i++) {
            struct found found[1];
            const struct image *image = &b->images[i];
            size_t size = shape_walk(b->chg.shape, NULL, image->bytes, image->bytes + image->len, wanted, found);
            if (size != image->len)
                return -1;
            bytes += size;
        }
    double seconds = cpu_seconds() - start;
    printf("walk%s  %.1f M rows/CPU-s, %.0f MB/s in\n", wanted ? "+1" : "  ", ROWS * ROUNDS / seconds / 1e6,
           (double)bytes / seconds / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    static const uint16_t user_id[] = {1};
    static const struct colset wanted = {user_id, 1};
    struct shape_cache *cache = shape_cache_new();
    struct bench *b = calloc(1, sizeof *b);
    uint8_t *rows = malloc(ROWS * 512u), *o = rows;
    int rc = -1;
    if (cache && b && rows) {
        b->tx = (struct tx){.file = "bin.000004", .commit_us = 1795353255000000, .xid = 77, .has_xid = true};
        b->tx.gtid = (struct gtid){.flavor = FLAVOR_MARIADB, .domain = 0, .server = 1, .number = 123456};
        b->chg = (struct change){.shape = orders(cache), .tx = &b->tx, .db = "shop", .table = "orders"};
        b->chg.key = "1000123";
        b->chg.key_len = 7;
        b->chg.event_time = 1795353255;
        b->chg.version = (struct version){1, 123456, 0};
        for (uint32_t i = 0; i < ROWS; i++) {
            b->images[i] = (struct image){.bytes = o, .len = make_row(o, i)};
            o += b->images[i].len;
        }
        if (b->chg.shape && run_formats(b, argc - 1, argv + 1) == 0 && walk_all(b, NULL) == 0)
            rc = walk_all(b, &wanted);
    }
    shape_cache_free(cache);
    free(rows);
    free(b);
    return rc == 0 ? 0 : 1;
}
