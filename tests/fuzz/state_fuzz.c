/* State files, in a file system in memory.
 *
 * Raw (first byte even): any bytes as the file of a record and of a log: read, or a named error; a log that could be
 * read can be appended to and holds the same and the new item. With bit 1 the checksums are made right first. Damaged
 * (odd): a record and a log are written from the input, then one byte is changed or the end is cut off: what is read is
 * what was written, for a log without the last entry or those that were cut, or STATE_CORRUPT. Layout then: kind of
 * damage, its place (2), what is changed, items: { length · 2 + 1 when it begins an entry, bytes }. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "state/state.h"
#include "tools/memfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

#define RECORD       "/s/r.rec"
#define LOG          "/s/l.log"
#define ITEMS_MAX    64
#define HEADER_BYTES 20

static struct state *open_state(struct memfs *fs, struct env *env, enum state_mode mode)
{
    struct state *st = NULL;
    *env = memfs_env(fs);
    MUST(state_open(&st, env, "/s", mode, NULL) == 0);
    return st;
}

static void put_u32(uint8_t *out, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> 8 * i);
}

/* Where a header stands, its checksums become those of its bytes. */
static void repair(uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at + HEADER_BYTES <= len;) {
        uint8_t *header = bytes + at;
        struct cursor cur = cursor_over(header + 8, 4);
        size_t payload = cursor_u32(&cur), left = len - at - HEADER_BYTES;
        if (memcmp(header, "slu", 3) != 0) {
            at++;
            continue;
        }
        if (payload <= left)
            put_u32(header + 12, hash_crc32(0, header + HEADER_BYTES, payload));
        put_u32(header + 16, hash_crc32(0, header, 16));
        at += HEADER_BYTES + (payload <= left ? payload : 0);
    }
}

static void set_file(struct memfs *fs, const char *path, bool repaired, const uint8_t *bytes, size_t len)
{
    size_t size;
    memfs_resize(fs, path, len);
    uint8_t *file = memfs_bytes(fs, path, &size);
    MUST(size == len);
    if (len)
        memcpy(file, bytes, len);
    if (repaired)
        repair(file, len);
}

static bool is_damage(int rc, const struct err *e)
{
    return rc == -(int)e->code && (e->code == ERR_STATE_CORRUPT || e->code == ERR_STATE_VERSION);
}

/* All items of the log, each behind its length; false: the log is damaged. */
static int collect(void *ctx, const struct state_item *item, struct err *e)
{
    (void)e;
    buf_add(ctx, &item->len, sizeof item->len);
    buf_add(ctx, item->bytes, item->len);
    return 0;
}

static bool scan(struct state *st, struct buf *out)
{
    struct err e = ERR_INIT;
    buf_clear(out);
    int rc = state_scan(st, "l", collect, out, &e);
    MUST(rc == 0 || is_damage(rc, &e));
    return rc == 0;
}

static bool get(struct state *st, struct buf *out)
{
    struct err e = ERR_INIT;
    bool found = false;
    int rc = state_get(st, "r", out, &found, &e);
    MUST(rc == 0 ? found : is_damage(rc, &e));
    return rc == 0;
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

/* Whether b begins as a does. */
static bool begins(const struct buf *a, const struct buf *b)
{
    return a->len <= b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

static void raw(struct memfs *fs, bool repaired, const uint8_t *bytes, size_t len)
{
    struct env env;
    struct buf before, after;
    buf_init(&before, 0);
    buf_init(&after, 0);
    struct state *st = open_state(fs, &env, STATE_OWN);
    MUST(state_put(st, "r", "", 0, NULL) == 0 && state_append(st, "l", "", 0, NULL) == 0);
    state_close(st);
    set_file(fs, RECORD, repaired, bytes, len);
    set_file(fs, LOG, repaired, bytes, len);
    st = open_state(fs, &env, STATE_READ);
    (void)get(st, &before);
    bool readable = scan(st, &before);
    state_close(st);
    st = open_state(fs, &env, STATE_OWN);
    MUST(scan(st, &after) == readable);
    if (readable) {
        const struct state_item item = {"new", 3};
        MUST(same(&before, &after));
        MUST(state_append(st, "l", item.bytes, item.len, NULL) == 0);
        (void)collect(&before, &item, NULL);
        MUST(scan(st, &after) && same(&before, &after));
    }
    state_close(st);
    buf_release(&before);
    buf_release(&after);
}

/* What was written, and how much of it each entry reaches. */
struct written {
    struct buf record, items;
    size_t ends[ITEMS_MAX + 1]; /* in `items` */
    size_t entries;
};

static void write_log(struct state *st, struct written *w, const uint8_t *bytes, size_t len)
{
    struct state_item list[ITEMS_MAX];
    size_t n = 0;
    while (len && w->entries < ITEMS_MAX) {
        size_t want = bytes[0] >> 1, have = want < len - 1 ? want : len - 1;
        if (n && (bytes[0] & 1 || n == ITEMS_MAX)) {
            MUST(state_append_all(st, "l", list, n, NULL) == 0);
            w->ends[++w->entries] = w->items.len;
            n = 0;
        }
        if (w->entries == ITEMS_MAX)
            break;
        list[n] = (struct state_item){bytes + 1, have};
        (void)collect(&w->items, &list[n++], NULL);
        bytes += 1 + have;
        len -= 1 + have;
    }
    if (n && w->entries < ITEMS_MAX) {
        MUST(state_append_all(st, "l", list, n, NULL) == 0);
        w->ends[++w->entries] = w->items.len;
    }
}

/* Changes one byte, or cuts the end off; true when anything is different now. */
static bool damage(struct memfs *fs, const char *path, const uint8_t *how)
{
    size_t size;
    uint8_t *file = memfs_bytes(fs, path, &size);
    size_t at = file && size ? (how[1] | (size_t)how[2] << 8) % size : 0;
    if (!file || size == 0)
        return false;
    if (how[0] & 1) {
        memfs_resize(fs, path, at);
        return true;
    }
    file[at] ^= how[3];
    return how[3] != 0;
}

static void check_log(const struct written *w, const struct buf *found, bool cut)
{
    size_t entries = 0;
    while (entries <= w->entries && w->ends[entries] != found->len)
        entries++;
    MUST(entries <= w->entries && begins(found, &w->items));
    MUST(cut || entries + 1 >= w->entries);
}

static void damaged(struct memfs *fs, const uint8_t *bytes, size_t len)
{
    struct env env;
    struct written w = {.entries = 0};
    struct buf found;
    buf_init(&w.record, 0);
    buf_init(&w.items, 0);
    buf_init(&found, 0);
    struct state *st = open_state(fs, &env, STATE_OWN);
    buf_add(&w.record, bytes + 4, len - 4);
    MUST(state_put(st, "r", w.record.p, w.record.len, NULL) == 0);
    write_log(st, &w, bytes + 4, len - 4);
    state_close(st);
    bool record_hurt = damage(fs, RECORD, bytes), log_hurt = damage(fs, LOG, bytes);
    for (int mode = STATE_READ; mode >= (int)STATE_OWN; mode--) {
        st = open_state(fs, &env, (enum state_mode)mode);
        if (get(st, &found))
            MUST(!record_hurt && same(&found, &w.record));
        else
            MUST(record_hurt);
        if (scan(st, &found))
            check_log(&w, &found, bytes[0] & 1);
        else
            MUST(log_hurt);
        state_close(st);
    }
    buf_release(&w.record);
    buf_release(&w.items);
    buf_release(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 5)
        return 0;
    struct memfs *fs = memfs_new();
    MUST(fs);
    if (bytes[0] & 1)
        damaged(fs, bytes + 1, len - 1);
    else
        raw(fs, bytes[0] & 2, bytes + 1, len - 1);
    memfs_free(fs);
    return 0;
}
