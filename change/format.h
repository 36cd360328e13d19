/* Formats: how changes become records. Our own JSON and that of Canal, Maxwell and Debezium, each one const struct
 * format_ops in change/<name>/<name>.c (ours: change/format_sluice.c), listed in change/formats.c. docs/formats.md
 * tells them field by field.
 *
 * A record is what one message of a bus, or one line of standard output, holds. Formats write its text into one buffer;
 * a sink takes it from there. A format instance belongs to one worker thread; what is bound is the worker's too. */
#ifndef SLUICE_CHANGE_FORMAT_H
#define SLUICE_CHANGE_FORMAT_H

#include "base/buf.h"
#include "change/change.h"
#include "config/option.h"

enum record_kind {
    RECORD_ROW,       /* of one row, or of several rows of one event */
    RECORD_STATEMENT, /* of DDL: peers have a topic of its own for it */
    RECORD_TX         /* begin or end of a transaction: likewise */
};

#define RECORD_NONE SIZE_MAX

/* Where a record lies in the buffer: offsets, as the buffer grows. Texts without a line end. */
struct record {
    enum record_kind kind;
    size_t item;        /* number of the change that it belongs to, as given to add */
    size_t at;          /* begin of its key, behind which lie its headers and its value */
    size_t key_len;     /* RECORD_NONE: it has no key */
    size_t headers_len; /* of a JSON object; 0: none */
    size_t value_len;   /* RECORD_NONE: a tombstone, null */
};

struct record_list {
    struct buf text;
    struct record *list;
    size_t count, size;
    bool wants_keys; /* keys and headers are asked for, else they need not be written */
    int64_t now_us;  /* Unix time that the sink asked for this batch: what peers write as the time of a message */
};

void records_init(struct record_list *records, size_t cap);
void records_release(struct record_list *records);
void records_clear(struct record_list *records);

/* A new record: its text is what is written to records->text from here on, first its key and headers, then its value;
 * records_end closes it. Valid until the next one; NULL: no memory. */
struct record *records_begin(struct record_list *records, enum record_kind kind, size_t item);

/* What was written since the begin, or since the last of these, is the record's key, its headers, its value. A record
 * without records_key has no key, one without records_value is a tombstone. Behind a value stands a line end, which
 * does not count: a list without keys and tombstones is ready to be printed. */
void records_key(struct record_list *records);
void records_headers(struct record_list *records);
void records_value(struct record_list *records);

/* Takes the record that is open back, with its text: after an error. */
void records_drop(struct record_list *records);

/* What a format asks of the reader beside rows. */
enum format_need {
    FORMAT_NEEDS_DEFINITIONS = 1,  /* struct column_definition where it can be known */
    FORMAT_NEEDS_STATEMENTS = 2,   /* CHANGE_STATEMENT */
    FORMAT_NEEDS_TRANSACTIONS = 4, /* CHANGE_BEGIN and CHANGE_END: one lane only */
    FORMAT_NEEDS_QUERY = 8,        /* the text behind rows */
    FORMAT_NEEDS_WHOLE_EVENTS = 16 /* all rows of an event and lane in one batch, where it holds them */
};

/* What the key of a format's record names. */
enum format_key {
    FORMAT_KEY_NONE,     /* nothing: records have none */
    FORMAT_KEY_ROW,      /* a row by its primary key, without its table */
    FORMAT_KEY_TABLE_ROW /* with it */
};

/* A format that was chosen by name, with its options as "name=value". */
struct format_choice {
    const char *name;
    struct option_list given;
    const struct format_ops *ops; /* from here on filled by format_choose */
    const void *options;
};

struct format; /* an instance; first member of each format's own struct */

struct format_ops {
    const char *name;
    const char *help;             /* one sentence for the reference */
    size_t options_size;          /* of the struct that the table fills */
    const struct option *options; /* named as the peer names them; table ends as config/option.h says */

    /* Checks what the option table cannot; USAGE class. NULL = nothing to check. */
    int (*check)(const void *opt, struct err *e);

    /* enum format_need, by the options. NULL = nothing. */
    unsigned (*needs)(const void *opt);

    /* What its records' keys name. NULL = FORMAT_KEY_NONE. */
    enum format_key (*key)(const void *opt);

    /* True when it writes tombstones. NULL = never. */
    bool (*tombstones)(const void *opt);

    /* Compiles what does not change from row to row of one table version. NULL = nothing. Errors: USAGE class (a named
     * column is missing), NO_MEMORY. `opt` outlives it. */
    int (*bind)(void **out, const void *opt, const struct table *tbl, struct err *e);
    void (*unbind)(void *bind); /* accepts NULL */

    int (*open)(struct format **out, const void *opt, struct err *e);
    void (*close)(struct format *format); /* accepts NULL */

    /* Writes the records of a change, or keeps it for the record that its event becomes. `bind` is of its shape; NULL
     * where it has none. Errors: as value_read, wrapped with db.table and column; NO_MEMORY. */
    int (*add)(struct format *format, const struct change *chg, const void *bind, size_t item, struct record_list *out,
               struct err *e);

    /* Writes what is kept: at the end of a batch. Nothing is kept afterwards, even after an error. What a change
     * borrowed is gone then. NULL = nothing is kept. */
    int (*flush)(struct format *format, struct record_list *out, struct err *e);

    /* Before a batch: notes what goes from batch to batch (counts, the statement that was written last). NO_MEMORY.
     * NULL = nothing does, and nothing is kept. */
    int (*mark)(struct format *format, struct err *e);

    /* After a batch that failed, whose records count for nothing: all is as at the mark, and rows that were kept are
     * gone. Once per mark. NULL where `mark` is. */
    void (*restore)(struct format *format);
};

struct format {
    const struct format_ops *ops;
};

/* All formats, ended by NULL, in alphabetical order. */
extern const struct format_ops *const format_registry[];

/* By name; NULL when there is none. */
const struct format_ops *format_find(const char *name);

/* Finds the format and reads its options, which live in `cfg`. Errors: USAGE, CONFIG_VALUE, the format's check. */
int format_choose(struct format_choice *choice, struct config *cfg, struct err *e);

#endif
