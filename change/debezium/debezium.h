/* Debezium's JSON, the parts: what options choose, and what is compiled per table version. docs/peers/debezium.md has
 * the rules with their sources. Internal to change/. */
#ifndef SLUICE_CHANGE_DEBEZIUM_H
#define SLUICE_CHANGE_DEBEZIUM_H

#include "change/format.h"
#include "change/plan.h"

extern const struct format_ops format_debezium;

enum debezium_connector { CONNECTOR_AUTO, CONNECTOR_MYSQL, CONNECTOR_MARIADB, CONNECTOR_COUNT };
enum debezium_decimal { DECIMALS_PRECISE, DECIMALS_STRING, DECIMALS_DOUBLE };
enum debezium_time { TIMES_ADAPTIVE, TIMES_CONNECT, TIMES_ISOSTRING, TIMES_MICROSECONDS, TIMES_NANOSECONDS };
enum debezium_bigint { BIGINTS_LONG, BIGINTS_PRECISE };
enum debezium_binary { BINARIES_BASE64, BINARIES_URL_SAFE, BINARIES_HEX };

struct debezium_options {
    const char *prefix;
    const char *skipped;
    int connector, decimals, times, bigints, binaries;
    bool tombstones, transactions, query, adjust_years, defaults, ddl;
};

/* What a cell writes instead of the stored bytes, made in front of it. */
enum debezium_need {
    NEED_NOTHING,
    NEED_DOCUMENT, /* the document's text */
    NEED_VALUE     /* the text or bytes behind what is compressed */
};

struct debezium_cell;
typedef uint8_t *debezium_write_fn(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len);
typedef uint8_t *debezium_show_fn(uint8_t *o, const struct debezium_cell *cell, const struct value *v);
typedef bool debezium_read_fn(const uint8_t *p, unsigned scale, struct value *v);

/* One column. Of its bytes, as shape_walk finds them, `write` makes JSON; NULL: they are out of range. Of temporal
 * types `read` and `show` are its halves. */
struct debezium_cell {
    debezium_write_fn *write;
    debezium_read_fn *read;
    debezium_show_fn *show;
    struct piece name;          /* "name": */
    struct piece null;          /* of a NULL: the default, or null */
    struct piece zero;          /* of a date that is none, likewise */
    const struct piece *labels; /* ENUM: of index 0 … label_count, with quotes; SET: of each bit, without */
    uint32_t label_count;
    uint32_t max, each; /* room for its JSON: max + each · length */
    uint32_t max_bytes; /* of strings: the most stored ones; of UUID and INET all of them */
    uint8_t need;       /* enum debezium_need */
    uint8_t walk;       /* bytes in front of the text of a string */
    uint8_t wire;
    uint8_t charset;
    uint8_t precision; /* DECIMAL; bits of BIT */
    uint8_t scale;     /* DECIMAL; fraction digits */
    uint8_t binaries;
    bool is_uuid;
    bool adjust_years;
};

/* The parts of "source" that are the same in all messages of a table. */
struct debezium_source {
    struct piece head[CONNECTOR_COUNT]; /* "source":{ … "ts_ms": by connector; [AUTO] is not set */
    struct piece middle;                /* ,"snapshot": … "ts_us": */
    struct piece table;                 /* ,"table": … "server_id": */
};

struct debezium_bind {
    struct arena arena; /* owns all below */
    struct debezium_source source;
    struct debezium_cell *cells;
    struct colset all;
    const uint16_t *key; /* columns of the record key, in its order */
    unsigned key_count;
    size_t max; /* room of all cells without their bytes */
};

/* A table of a transaction. */
struct debezium_table {
    char *name; /* db.table */
    uint64_t rows;
};

/* The transaction that is under way, for provide.transaction.metadata. */
struct debezium_tx {
    bool open;
    uint64_t rows;
    struct debezium_table *tables; /* in the order of their first row */
    size_t count, size;
    size_t last;   /* the table of the last row */
    struct buf id; /* as a JSON string */
};

/* The GTID that was printed last. */
struct debezium_gtid {
    struct gtid of;
    size_t len; /* 0: none yet */
    char text[GTID_TEXT_MAX];
};

struct debezium {
    struct format base;
    const struct debezium_options *options;
    unsigned skipped; /* bit by letter - 'a' */
    struct arena arena;
    struct found *found; /* twice `columns`: before, after */
    unsigned columns;
    struct buf keys[2];            /* before, after */
    struct debezium_tx tx, marked; /* as it is, and as it was before the batch */
    struct debezium_gtid gtid;
    uint32_t last_row;                     /* of the last row message */
    struct piece context[CONNECTOR_COUNT]; /* headers of all messages, with the closing brace */
    struct arena own;                      /* of context */
    unsigned bad;                          /* the column that could not be written */
};

/* debezium/text.c: a JSON string of UTF-8; what is none becomes U+FFFD. Most bytes: 6 · len + 2. */
uint8_t *debezium_write_text(uint8_t *o, const uint8_t *p, size_t len);

/* The same at the end of `out`; text NULL is null. */
void debezium_add_string(struct buf *out, const char *p, size_t len);
void debezium_add_text(struct buf *out, const char *text);

debezium_write_fn debezium_write_string, debezium_write_bytes;

/* The same of what is no stored value: without length, conversion and padding. */
debezium_write_fn debezium_write_plain;

/* debezium/time.c: DATE, TIME, DATETIME and TIMESTAMP by time.precision.mode. */
debezium_write_fn debezium_write_time;
void debezium_choose_time(struct debezium_cell *cell, const struct coltype *type, const struct debezium_options *opt);

/* debezium/value.c: picks the writer of a column. Errors: NO_MEMORY. */
int debezium_cell(struct debezium_cell *cell, const struct column *column, const struct debezium_options *opt,
                  struct arena *arena, struct err *e);

/* debezium/default.c: what stands for NULL and for zero dates. Errors: NO_MEMORY. */
int debezium_nulls(struct debezium_cell *cell, const struct column *column, const struct debezium_options *opt,
                   struct arena *arena, struct err *e);

/* A copy with the slack behind it; false without memory. */
bool debezium_piece(struct piece *out, const void *bytes, size_t len, struct arena *arena);

/* debezium/source.c. Of a message: */
struct debezium_place {
    enum debezium_connector connector;
    uint32_t row;
    uint32_t thread; /* 0: null */
    const struct row_query *query;
};

#define DEBEZIUM_PLACE_MAX 512 /* of a source and the times of a message without its pieces, file and query */

/* `table` NULL is null. Errors: NO_MEMORY. */
int debezium_source(struct debezium_source *out, const struct debezium_options *opt, const char *db, const char *table,
                    struct arena *arena, struct err *e);
size_t debezium_pieces_len(const struct debezium_source *source, enum debezium_connector connector);
uint8_t *debezium_write_source(uint8_t *o, struct debezium *to, const struct debezium_source *source,
                               const struct change *chg, const struct debezium_place *place);

/* "ts_ms":…,"ts_us":…,"ts_ns":… */
uint8_t *debezium_write_times(uint8_t *o, int64_t us);

/* Unix time of the change for "source", µs; of begin and end, which have no time of their own, that of the commit. */
int64_t debezium_event_us(const struct change *chg);

enum debezium_connector debezium_connector(const struct debezium *to, const struct change *chg);

/* The headers of all messages: to->context. Errors: NO_MEMORY. */
int debezium_context(struct debezium *to, struct err *e);

/* debezium/tx.c: provide.transaction.metadata. XA has none. Errors: NO_MEMORY, LIMIT. */
int debezium_begin(struct debezium *to, const struct change *chg, size_t item, struct record_list *out, struct err *e);
int debezium_end(struct debezium *to, const struct change *chg, size_t item, struct record_list *out, struct err *e);

/* Counts a row message; its table's entry, NULL outside of a transaction (*e is set then without memory). */
int debezium_count(struct debezium *to, const struct change *chg, const struct debezium_table **table, struct err *e);

void debezium_tx_release(struct debezium_tx *tx);

/* Makes `to` the same as `from`; NO_MEMORY. */
int debezium_tx_copy(struct debezium_tx *to, const struct debezium_tx *from, struct err *e);

/* A name and its number among those given. */
struct debezium_hashed {
    const char *name;
    size_t number;
    size_t bucket; /* filled */
};

/* Sorts names as a Java HashMap with these keys has them: by bucket, within one by number. */
void debezium_hash_order(struct debezium_hashed *names, size_t count);

/* What `out` could not hold: NO_MEMORY or LIMIT. */
int debezium_no_room(const struct buf *out, struct err *e);

/* debezium/row.c: the records of a row, and of TRUNCATE. Errors: as format_ops.add. */
int debezium_add_row(struct debezium *to, const struct change *chg, const struct debezium_bind *b, size_t item,
                     struct record_list *out, struct err *e);
int debezium_add_truncate(struct debezium *to, const struct change *chg, size_t item, struct record_list *out,
                          struct err *e);

/* debezium/table.c: {"defaultCharsetName":… }. Errors: NO_MEMORY. */
int debezium_add_table(struct buf *out, const struct table *tbl, struct arena *arena, struct err *e);

/* debezium/ddl.c: the records of a statement. Errors: NO_MEMORY, LIMIT. */
int debezium_statement(struct debezium *to, const struct change *chg, size_t item, struct record_list *out,
                       struct err *e);

#endif
