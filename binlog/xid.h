/* The identifier of an XA transaction: a format number and two byte strings, as the log writes them. Core; plain data.
 *
 * In text, in QUERY events of both flavours: X'<gtrid in hex>',X'<bqual in hex>',<format>. In the XA_PREPARE event: see
 * event_xa_prepare.c. Sources: MySQL manual "XA Transaction SQL Statements", xid_t::serialize and
 * XA_prepare_log_event of both servers. */
#ifndef SLUICE_BINLOG_XID_H
#define SLUICE_BINLOG_XID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#define XID_PART_MAX 64
#define XID_TEXT_MAX (2 * 2 * XID_PART_MAX + 24) /* with its NUL */

struct xid {
    uint32_t format;
    uint8_t gtrid_len, bqual_len;
    uint8_t bytes[2 * XID_PART_MAX]; /* gtrid, then bqual; 0 behind them */
};

static inline bool xid_equal(const struct xid *a, const struct xid *b)
{
    return a->format == b->format && a->gtrid_len == b->gtrid_len && a->bqual_len == b->bqual_len &&
           memcmp(a->bytes, b->bytes, (size_t)a->gtrid_len + a->bqual_len) == 0;
}

/* Takes the text of a statement behind XA START, END, COMMIT or ROLLBACK, up to its end. Errors: CORRUPT. */
int xid_parse(struct xid *out, const char *text, size_t len, struct err *e);

/* Writes the same text and a NUL; returns its length. */
size_t xid_print(const struct xid *xid, char out[XID_TEXT_MAX]);

#endif
