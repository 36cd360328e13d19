/* The parts of Maxwell's row JSON: options, cells, the text they write. docs/peers/maxwell.md has the rules. Internal
 * to change/; as a format, a worker's own. */
#ifndef SLUICE_CHANGE_MAXWELL_PARTS_H
#define SLUICE_CHANGE_MAXWELL_PARTS_H

#include "change/format.h"
#include "change/plan.h"

enum maxwell_naming { MAXWELL_NAMES_PLAIN, MAXWELL_NAMES_CAMELCASE };
enum maxwell_key_format { MAXWELL_KEY_HASH, MAXWELL_KEY_ARRAY };

struct maxwell_options {
    bool binlog_position, gtid_position, commit_info, xoffset, nulls, server_id, thread_id, schema_id, push_timestamp;
    bool row_query, primary_keys, primary_key_columns, null_zerodates, ddl, ddl_alias, exact_time;
    uint64_t row_query_max_length;
    int naming, key_format;
    struct option_list exclude_columns;
};

/* The end of a buffer that text is written to, without a call per value; maxwell_out_close gives it back. */
struct maxwell_out {
    struct buf *buf;
    uint8_t *o, *end;
    struct arena *arena; /* for what is rare */
};

/* False without memory; maxwell_out_close is for one that was opened. */
bool maxwell_out_open(struct maxwell_out *out, struct buf *buf, struct arena *arena);
void maxwell_out_close(struct maxwell_out *out);
bool maxwell_out_grow(struct maxwell_out *out, size_t bytes);

static inline bool maxwell_room(struct maxwell_out *out, size_t bytes)
{
    return (size_t)(out->end - out->o) >= bytes || maxwell_out_grow(out, bytes);
}

/* Appending; false without memory. */
static inline bool maxwell_put(struct maxwell_out *out, const char *p, size_t len)
{
    if (!maxwell_room(out, len))
        return false;
    if (len)
        memcpy(out->o, p, len);
    out->o += len;
    return true;
}
#define MAXWELL_PUT(out, text) maxwell_put((out), (text), sizeof(text) - 1)

bool maxwell_put_uint(struct maxwell_out *out, uint64_t v);

/* A string of UTF-8 as Jackson writes it; what is no UTF-8 becomes U+FFFD. */
bool maxwell_put_text(struct maxwell_out *out, const char *p, size_t len);
bool maxwell_put_escaped(struct maxwell_out *out, const uint8_t *p, size_t len);

static inline bool maxwell_put_piece(struct maxwell_out *out, const struct piece *piece)
{
    if (!maxwell_room(out, piece->len + PIECE_SLACK))
        return false;
    out->o = piece_copy(out->o, piece);
    return true;
}

/* One column, compiled: how the bytes of its value become Maxwell's. */
struct maxwell_cell {
    /* The value's bytes without their length prefix. False: out of range, or no memory (out->buf->failed). */
    bool (*write)(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
    const struct coltype *type;
    struct piece name;          /* "name": */
    const struct piece *labels; /* of ENUM and SET, with quotes */
    uint32_t max_bytes;         /* of strings */
    uint8_t walk;
    uint8_t precision; /* DECIMAL; bits of BIT */
    uint8_t scale;     /* DECIMAL; fraction digits */
    uint8_t charset;
    bool excluded;    /* by exclude_columns */
    bool null_dates;  /* output_null_zerodates */
    bool may_be_null; /* a value may be written as null, and then is a null */
    bool stored_json; /* MariaDB's JSON: text that stands in the line as it is */
    bool exact_time;
};

/* Fills what the type and the options tell; the name and `excluded` are the caller's. Pieces come from `arena`; false
 * without memory. */
bool maxwell_cell_init(struct maxwell_cell *cell, const struct column *column, const struct maxwell_options *opt,
                       struct arena *arena);

/* A value that was read before, of a row that is not one of the log. Not of ABSENT and JSON_DIFF. */
bool maxwell_put_value(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v);

/* A piece in the arena with its slack; false without memory. */
bool maxwell_piece(struct piece *out, const struct buf *text, struct arena *arena);

/* The geometry behind its SRID as JTS prints it: "POINT (1 2)", in quotes. False, with nothing written, when it is no
 * well-formed one of finite numbers. */
bool maxwell_put_wkt(struct maxwell_out *out, const uint8_t *wkb, size_t len);

/* True when the bytes are a JSON value of UTF-8 with nothing behind it. */
bool maxwell_is_json(const uint8_t *p, size_t len);

/* Maxwell's output_naming_strategy=underscore_to_camelcase. */
void maxwell_camelcase(const char *name, size_t len, struct buf *out);
void maxwell_lower_case(const char *name, size_t len, struct buf *out);

/* "position", "gtid" and so on, as `,"name":value`. */
bool maxwell_put_position(struct maxwell_out *out, const char *name, const struct change *chg);
bool maxwell_put_gtid(struct maxwell_out *out, const struct change *chg);

/* A UUID that stands for Maxwell's random ones: made of the version and of the record's number under it, so that a
 * replay makes the same. */
#define MAXWELL_UUID_LEN 36
void maxwell_uuid(const struct version *version, uint64_t number, char out[MAXWELL_UUID_LEN]);

/* A column's text in data, to compare that of old with. */
struct maxwell_shown {
    size_t at, len;
    bool there, null;
};

/* What is bound: a table version's cells, and scratch of the one thread that it belongs to. */
struct maxwell_bind {
    const struct maxwell_options *opt;
    const struct table *tbl;
    unsigned count;
    const struct maxwell_cell *cells;
    struct colset all;
    struct piece head;     /* {"database":"d","table":"t" */
    struct piece key_head; /* of the record's key */
    struct piece *pk;      /* in front of the value of each column of the key */
    struct piece pk_names; /* ["a","b"] */
    struct found *before, *after;
    struct maxwell_shown *shown;
    struct arena arena;
};

int maxwell_bind(void **out, const void *opt, const struct table *tbl, struct err *e);
void maxwell_unbind(void *bind);

/* Whether exclude_columns names the column; with NULL only whether its items can be read. Errors: CONFIG_VALUE. */
int maxwell_is_excluded(const struct maxwell_options *opt, const struct column *column, bool *out, struct err *e);

/* The record of a row, begun by the caller. Errors: as value_read with the column's name, NO_MEMORY, LIMIT. */
int maxwell_row(struct arena *arena, const struct change *chg, const struct maxwell_bind *bind,
                struct record_list *records, struct err *e);

/* The records of a DDL statement. Errors: NO_MEMORY, LIMIT. */
int maxwell_statement(const struct change *chg, const struct maxwell_options *opt, size_t item,
                      struct record_list *records, struct arena *arena, struct err *e);

/* What a buffer that failed means. */
int maxwell_no_room(const struct buf *buf, struct err *e);

#endif
