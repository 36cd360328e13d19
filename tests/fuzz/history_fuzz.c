/* The log of the history of definitions. The input is items, each behind its length (2): they are the log of a state,
 * which opens or is named damaged. What opened can be asked, put to, and gives the same again when it is read again,
 * rewritten or not. */
#include <stdlib.h>
#include <string.h>

#include "schema/history_private.h"
#include "tools/memfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

#define ITEMS_MAX 256

static void write_log(struct state *st, const uint8_t *bytes, size_t len)
{
    struct state_item items[ITEMS_MAX];
    size_t n = 0;
    while (len >= 2 && n < ITEMS_MAX) {
        size_t want = bytes[0] | (size_t)bytes[1] << 8, have = want < len - 2 ? want : len - 2;
        items[n++] = (struct state_item){bytes + 2, have};
        bytes += 2 + have;
        len -= 2 + have;
    }
    if (n)
        MUST(state_append_all(st, HISTORY_LOG_NAME, items, n, NULL) == 0);
}

static struct history *open_again(struct state *st)
{
    struct err e = ERR_INIT;
    struct history *h = NULL;
    int rc = history_open(&h, NULL, st, &e);
    MUST(rc == 0 || e.code == ERR_HISTORY_CORRUPT || e.code == ERR_STATE_VERSION);
    return h;
}

static void print_all(struct history *h, struct buf *out)
{
    struct history_table table;
    buf_clear(out);
    for (size_t i = 0; history_table(h, i, &table); i++)
        for (size_t n = 0; !table.candidate && n < table.versions; n++) {
            const struct history_version *v = history_version(h, i, n);
            buf_printf(out, "%s.%s %d %d %s:%s:%llu ", table.db, table.table, (int)v->kind, (int)v->origin,
                       v->place->server_uuid, v->place->file, (unsigned long long)v->place->pos);
            buf_add(out, v->text, v->len);
            buf_byte(out, '\n');
        }
}

static void use(struct state *st, struct history *h)
{
    struct buf before, after;
    const struct history_where where = {.server_uuid = "u", .at = {"b.000009", 4}};
    const struct history_change change = {.db = "d", .table = "t", .text = "x", .len = 1};
    buf_init(&before, 0);
    buf_init(&after, 0);
    MUST(history_put(h, &where, HISTORY_LOG, NULL, &change, 1, NULL) == 0);
    (void)history_find(h, "d", "t", &where);
    print_all(h, &before);
    history_free(h);
    h = open_again(st);
    MUST(h);
    print_all(h, &after);
    MUST(before.len == after.len && (before.len == 0 || memcmp(before.p, after.p, before.len) == 0));
    h->log_limit = 0;
    MUST(history_compact(h, NULL) == 0);
    history_free(h);
    h = open_again(st);
    MUST(h);
    history_free(h);
    buf_release(&before);
    buf_release(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct memfs *fs = memfs_new();
    struct state *st = NULL;
    struct env env = memfs_env(fs);
    MUST(state_open(&st, &env, "/s", STATE_OWN, NULL) == 0);
    write_log(st, bytes, len);
    struct history *h = open_again(st);
    if (h)
        use(st, h);
    state_close(st);
    memfs_free(fs);
    return 0;
}
