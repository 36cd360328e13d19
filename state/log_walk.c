/* An append is one write of one entry, and nothing is written behind it before its fsync returned. So only the last
 * entry can be cut by a crash: the file ends inside it, or it reaches to the end of the file and one of its sectors
 * never reached the disk and reads as zeros. Everything else that is wrong was whole once: damage. */
#include "state/log_walk.h"

#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"

#define SECTOR_BYTES 512
#define SEARCH_BYTES 65536

static bool all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i])
            return false;
    return true;
}

/* Whether one of the sectors that the header lies in (two at most) was never written. */
static bool header_lost(const uint8_t header[ENTRY_HEADER_BYTES], uint64_t offset)
{
    size_t first = SECTOR_BYTES - (size_t)(offset % SECTOR_BYTES);
    if (first >= ENTRY_HEADER_BYTES)
        return all_zero(header, ENTRY_HEADER_BYTES);
    return all_zero(header, first) || all_zero(header + first, ENTRY_HEADER_BYTES - first);
}

static int io_error(const struct log_walk *walk, struct err *e)
{
    return state_io_error(walk->path, "read", e);
}

/* Whether a good header stands anywhere behind `offset`. */
static int find_entry_behind(const struct log_walk *walk, uint64_t offset, uint64_t size, bool *found, struct err *e)
{
    uint8_t window[SEARCH_BYTES];
    *found = false;
    for (uint64_t at = offset + 1; at + ENTRY_HEADER_BYTES <= size; at += SEARCH_BYTES - ENTRY_HEADER_BYTES + 1) {
        size_t len = size - at < SEARCH_BYTES ? (size_t)(size - at) : SEARCH_BYTES;
        ssize_t n = file_read_at(walk->env, walk->fd, at, window, len);
        if (n < 0)
            return io_error(walk, e);
        for (size_t i = 0; i + ENTRY_HEADER_BYTES <= (size_t)n; i++) {
            struct entry_header header;
            uint32_t version;
            if (window[i] == 's' && entry_read_header(window + i, ENTRY_LOG, &header, &version) != ENTRY_BAD) {
                *found = true;
                return 0;
            }
        }
    }
    return 0;
}

/* 0: the entry at `offset` was cut and ends the log. */
static int judge_bad_header(const struct log_walk *walk, const uint8_t *header, uint64_t offset, uint64_t size,
                            struct err *e)
{
    if (!header_lost(header, offset))
        return state_corrupt(walk->path, offset, "no entry begins here", e);
    bool found;
    int rc = find_entry_behind(walk, offset, size, &found, e);
    if (rc == 0 && found)
        return state_corrupt(walk->path, offset, "an entry is lost and others follow it", e);
    return rc;
}

static int visit_items(const struct log_walk *walk, const struct buf *payload, uint64_t offset, struct err *e)
{
    struct cursor cur = cursor_over(payload->p, payload->len);
    struct state_item item;
    while (state_take_item(&cur, &item)) {
        int rc = walk->visit ? walk->visit(walk->ctx, &item, e) : 0;
        if (rc != 0)
            return rc;
    }
    return cur.bad ? state_corrupt(walk->path, offset, "the items do not fill their entry", e) : 0;
}

static int read_payload(const struct log_walk *walk, uint64_t offset, size_t len, struct buf *payload, struct err *e)
{
    buf_clear(payload);
    uint8_t *room = buf_room(payload, len + 1);
    if (!room)
        return err_set(e, NO_MEMORY, len);
    ssize_t n = file_read_at(walk->env, walk->fd, offset, room, len);
    if (n < 0)
        return io_error(walk, e);
    payload->len = (size_t)n;
    return 0;
}

int log_walk_entry(const struct log_walk *walk, uint64_t size, uint64_t *offset, struct buf *payload, bool *cut,
                   struct err *e)
{
    uint8_t bytes[ENTRY_HEADER_BYTES];
    struct entry_header header;
    uint32_t version = 0;
    uint64_t left = size - *offset;
    *cut = left < ENTRY_HEADER_BYTES;
    if (*cut)
        return 0;
    ssize_t n = file_read_at(walk->env, walk->fd, *offset, bytes, sizeof bytes);
    if (n < 0)
        return io_error(walk, e);
    *cut = (size_t)n < sizeof bytes;
    if (*cut)
        return 0;
    enum entry_check check = entry_read_header(bytes, ENTRY_LOG, &header, &version);
    if (check == ENTRY_NEWER)
        return err_set(e, STATE_VERSION, walk->path, version, (unsigned)ENTRY_VERSION);
    if (check == ENTRY_BAD) {
        *cut = true;
        return judge_bad_header(walk, bytes, *offset, size, e);
    }
    left -= ENTRY_HEADER_BYTES;
    *cut = header.len > left;
    if (*cut)
        return 0;
    int rc = read_payload(walk, *offset + ENTRY_HEADER_BYTES, header.len, payload, e);
    if (rc != 0)
        return rc;
    if (payload->len < header.len || header.crc != hash_crc32(0, payload->p, payload->len)) {
        *cut = header.len == left;
        return *cut ? 0 : state_corrupt(walk->path, *offset, "the entry does not match its CRC", e);
    }
    rc = visit_items(walk, payload, *offset, e);
    if (rc == 0)
        *offset += ENTRY_HEADER_BYTES + (uint64_t)header.len;
    return rc;
}

int log_walk(const struct log_walk *walk, uint64_t size, uint64_t *end, struct err *e)
{
    struct buf payload;
    buf_init(&payload, 0);
    uint64_t offset = 0;
    bool cut = false;
    int rc = 0;
    while (rc == 0 && !cut && offset < size)
        rc = log_walk_entry(walk, size, &offset, &payload, &cut, e);
    buf_release(&payload);
    if (rc == 0)
        *end = offset;
    return rc;
}
