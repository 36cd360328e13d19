/* A start at the end of the log while XA transactions are prepared: their rows lie before it, their XA COMMIT behind.
 */
#include <stdlib.h>

#include "binlog/stream_private.h"

#define SHOWN_MAX 3

static uint8_t part_len(const struct client_cell *cell)
{
    unsigned long len = cell->p ? strtoul(cell->p, NULL, 10) : 0;
    return len <= XID_PART_MAX ? (uint8_t)len : 0;
}

/* One row of XA RECOVER: format, length of gtrid, length of bqual, both. */
static void xid_of(const struct client_cell *row, struct xid *out)
{
    *out = (struct xid){.format = row[0].p ? (uint32_t)strtoul(row[0].p, NULL, 10) : 0};
    out->gtrid_len = part_len(&row[1]);
    out->bqual_len = part_len(&row[2]);
    size_t len = (size_t)out->gtrid_len + out->bqual_len;
    if (row[3].p && row[3].len >= len)
        memcpy(out->bytes, row[3].p, len);
}

void stream_note_prepared(struct source_stream *st)
{
    struct client_result result = {0};
    struct err unused = ERR_INIT;
    if (client_query(st->cli, "XA RECOVER", &result, &unused) != 0)
        return;
    char names[SHOWN_MAX * (XID_TEXT_MAX + 2) + 8] = "";
    size_t len = 0;
    for (size_t i = 0; result.columns >= 4 && i < result.rows && i < SHOWN_MAX; i++) {
        struct xid xid;
        xid_of(&result.cells[i * result.columns], &xid);
        if (i > 0) {
            memcpy(names + len, "; ", 2);
            len += 2;
        }
        len += xid_print(&xid, names + len);
    }
    if (result.rows > SHOWN_MAX)
        snprintf(names + len, sizeof names - len, "; …");
    if (result.rows > 0)
        stream_note(st, ERR_XA_PREPARED, err_format_XA_PREPARED, result.rows, names);
    client_result_free(&result);
}
