/* The recording sink, the source that names transactions, and the spine around them. */
#include "tools/spine_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/format_sluice.h"
#include "partition/route.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"

static void lines_add(struct spine_lines *lines, const struct change *chg)
{
    struct buf out;
    struct arena arena;
    buf_init(&out, 0);
    arena_init(&arena, 4096, 0, 0);
    assert_int_equal(format_sluice(chg, &out, &arena, NULL), 0);
    arena_release(&arena);
    if (lines->count == lines->size) {
        lines->size = lines->size ? lines->size * 2 : 256;
        lines->list = realloc(lines->list, lines->size * sizeof *lines->list);
        assert_non_null(lines->list);
    }
    lines->list[lines->count++] = (struct spine_line){chg->version, (char *)out.p, out.len};
}

void spine_lines_release(struct spine_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->list[i].text);
    free(lines->list);
    *lines = (struct spine_lines){0};
}

static int by_version(const void *a, const void *b)
{
    return version_compare(&((const struct spine_line *)a)->version, &((const struct spine_line *)b)->version);
}

bool spine_line_equal(const struct spine_line *a, const struct spine_line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

void spine_lines_sort(struct spine_lines *lines)
{
    if (lines->count > 1)
        qsort(lines->list, lines->count, sizeof *lines->list, by_version);
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (kept > 0 && by_version(&lines->list[kept - 1], &lines->list[i]) == 0) {
            assert_true(spine_line_equal(&lines->list[kept - 1], &lines->list[i])); /* one version, one content */
            free(lines->list[i].text);
            continue;
        }
        lines->list[kept++] = lines->list[i];
    }
    lines->count = kept;
}

struct keep_options {
    struct spine_lines *lines;
};

struct keep_sink {
    struct sink base;
    struct spine_lines *lines;
};

static int keep_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e);

static int keep_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    (void)e;
    for (size_t i = 0; i < count; i++) {
        lines_add(((struct keep_sink *)snk)->lines, items[i].chg);
        items[i].verdict = V_DONE;
    }
    return 0;
}

static void keep_close(struct sink *snk)
{
    free(snk);
}

static const struct sink_ops keep = {.kind = "keep", .open = keep_open, .apply = keep_apply, .close = keep_close};

static int keep_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    (void)e;
    struct keep_sink *snk = calloc(1, sizeof *snk);
    assert_non_null(snk);
    *snk = (struct keep_sink){{&keep}, ((const struct keep_options *)opt)->lines};
    *out = &snk->base;
    return 0;
}

/* ---------------------------------------------------------------- a log with GTIDs of changing writers */

/* The writer changes at some transactions, and one writer's numbers begin again: epochs. */
static void name_transaction(struct tx *tx)
{
    static const struct {
        unsigned begin, writer, number;
    } stretches[] = {{0, 1, 100}, {5, 2, 1}, {9, 1, 105}, {15, 1, 1}, {19, 3, 7}};
    unsigned n = (unsigned)(tx->pos / SPINE_TX_BYTES) - 1, i = 0;
    while (i + 1 < sizeof stretches / sizeof *stretches && stretches[i + 1].begin <= n)
        i++;
    tx->gtid = (struct gtid){.flavor = FLAVOR_MARIADB, .server = stretches[i].writer};
    tx->gtid.domain = stretches[i].writer / 3;
    tx->gtid.number = stretches[i].number + n - stretches[i].begin;
    tx->commit_us = (1700000000 + (int64_t)n * 10) * 1000000;
}

struct named_source {
    struct source base;
    struct source *shop;
};

static int named_open(struct source *src, const struct start *at, struct position *from, struct err *e)
{
    struct source *shop = ((struct named_source *)src)->shop;
    return shop->ops->open(shop, at, from, e);
}

static int named_next(struct source *src, struct rowset *out, struct err *e)
{
    struct source *shop = ((struct named_source *)src)->shop;
    int rc = shop->ops->next(shop, out, e);
    if (rc == 0 && out->kind == ROWSET_BEGIN)
        name_transaction(&out->tx);
    return rc;
}

static bool named_would_block(struct source *src)
{
    struct source *shop = ((struct named_source *)src)->shop;
    return shop->ops->would_block(shop);
}

static void named_interrupt(struct source *src)
{
    struct source *shop = ((struct named_source *)src)->shop;
    shop->ops->interrupt(shop);
}

static void named_close(struct source *src)
{
    struct named_source *named = (struct named_source *)src;
    if (!named)
        return;
    named->shop->ops->close(named->shop);
    free(named);
}

static const struct source_ops named_ops = {.kind = "named",
                                            .open = named_open,
                                            .next = named_next,
                                            .would_block = named_would_block,
                                            .interrupt = named_interrupt,
                                            .close = named_close};

struct source *named_source_new(struct shop_log *log, unsigned end_tx)
{
    struct named_source *named = calloc(1, sizeof *named);
    assert_non_null(named);
    *named = (struct named_source){{&named_ops}, shop_source_new(log, end_tx)};
    return &named->base;
}

/* ---------------------------------------------------------------- readings */

void spine_read(const struct spine_reading *reading, struct spine_lines *out)
{
    static const struct route list[] = {
        {.db = "*", .table = "*", .keyless = true, .sink_mask = 1, .on_truncate = ON_TRUNCATE_IGNORE}};
    struct err e = ERR_INIT;
    struct env env = env_system();
    struct routes *routes = NULL;
    struct pipeline *pipe = NULL;
    struct keep_options options = {out};
    struct pipeline_sink sink = {.name = "keep", .ops = &keep, .options = &options, .workers = 0};
    assert_int_equal(routes_new(&routes, list, 1, &e), 0);
    struct pipeline_spec spec = {.env = &env,
                                 .source = reading->source,
                                 .routes = routes,
                                 .sinks = &sink,
                                 .sink_count = 1,
                                 .lanes = reading->lanes,
                                 .buffer_bytes = reading->buffer_bytes,
                                 .max_event_bytes = 1 << 20,
                                 .state = reading->state,
                                 .epoch_state = reading->epoch_state,
                                 .start = &reading->start,
                                 .ends = true,
                                 .checkpoint_ms = 1,
                                 .shutdown_ms = 60000};
    int rc = pipeline_open(&pipe, &spec, &e);
    if (rc == 0)
        rc = pipeline_run(pipe, NULL, &e);
    if (rc != 0)
        print_error("from %llu: %s\n", (unsigned long long)reading->start.pos.at.pos, e.text);
    assert_int_equal(rc, 0);
    pipeline_close(pipe);
    routes_free(routes);
}
