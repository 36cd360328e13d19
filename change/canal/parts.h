/* Canal's flat message, its columns: the steps by which the bytes of a column become text. Internal to change/. */
#ifndef SLUICE_CHANGE_CANAL_PARTS_H
#define SLUICE_CHANGE_CANAL_PARTS_H

#include "base/buf.h"
#include "change/plan.h"

struct canal_options {
    bool ddl;
    bool query_dml;
    bool gtid;
    bool convert_text;
};

struct canal_cell;

/* Writes a JSON string of a value that is present and not NULL, from its bytes without their length; at most
 * fixed + each * len bytes. NULL: out of range, or what only value_read can tell. */
typedef uint8_t *canal_write_fn(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len);

#define CANAL_NO_SIGN 0xff

struct canal_cell {
    canal_write_fn *write; /* NULL: from the value */
    struct piece name;     /* "name": */
    struct piece type;     /* "decimal(10,2)" with its quotes: mysqlType */
    uint32_t max_bytes;
    uint32_t fixed;
    uint8_t each;
    uint8_t walk;
    uint8_t precision; /* DECIMAL; bits of BIT */
    uint8_t scale;
    uint8_t sign;   /* byte whose top bit makes an unsigned integer one of the next larger type, or CANAL_NO_SIGN */
    bool is_key;    /* in pkNames */
    int16_t sql;    /* java.sql.Types */
    int16_t larger; /* of an integer whose top bit is set */
    int16_t null;   /* of NULL */
};

/* Everything but the pieces. */
void canal_cell_init(struct canal_cell *cell, const struct column *column, const struct canal_options *options);

/* Appends what value_read makes of the bytes. Errors: as value_read. */
int canal_cell_slow(const struct canal_cell *cell, const struct coltype *type, struct bytes bytes, struct buf *out,
                    struct arena *arena, struct err *e);

/* Appends the value of the bytes, as value_size found them. A failed buffer is for the caller to see at its end.
 * Errors: as value_read. */
static inline int canal_cell_write(const struct canal_cell *cell, const struct coltype *type, struct bytes bytes,
                                   struct buf *out, struct arena *arena, struct err *e)
{
    if (cell->write) {
        size_t len = bytes.len - cell->walk;
        uint8_t *o = buf_room(out, cell->fixed + cell->each * len);
        uint8_t *end = o ? cell->write(o, cell, bytes.p + cell->walk, len) : NULL;
        if (end) {
            out->len += (size_t)(end - o);
            return 0;
        }
    }
    return canal_cell_slow(cell, type, bytes, out, arena, e);
}

/* Appends the JSON string of a value that is not ABSENT, null of NULL. */
void canal_value(const struct value *v, struct buf *out);

/* Appends a JSON string of bytes read as UTF-8 as Java does it: what is not well-formed becomes U+FFFD, one for each
 * longest part that may begin a character. */
void canal_text(const char *p, size_t len, struct buf *out);

/* A name as Canal has it of a statement in which it is quoted: without the quotes, but a backtick in it still doubled.
 */
void canal_name(const char *p, size_t len, struct buf *out);

/* Appends the SQL type as a server of today names it, in lower case: of a column whose declared type is not known. */
void canal_type_text(const struct coltype *type, struct buf *out);

#endif
