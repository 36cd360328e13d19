/* A log that is built event by event, and the log reader on it; what comes out as lines of text (rowset_text.h). The
 * tables t, u and T of the database shop are wanted. Every failure fails the test. */
#ifndef SLUICE_TESTS_LOG_READING_H
#define SLUICE_TESTS_LOG_READING_H

#include "binlog/log_reader.h"
#include "tools/event_builder.h"

struct log_reading {
    struct event_builder b;
    struct schema *schema;
    struct log_reader *reader;
    struct interest interest;
    struct buf text;
    struct err e;
    struct position at; /* where the reader starts: bin.000001:4 */
    unsigned fed;       /* events so far */
};

void log_reading_init(struct log_reading *f, bool mariadb, bool crc, enum on_statement on_statement);
void log_reading_release(struct log_reading *f);

/* Another reader in the place of the first, started at `at`; interest and schema are filled in. */
void log_reading_options(struct log_reading *f, struct log_reader_options opt);

/* Feeds what was built since the last call; the result of the last feed. */
int log_reading_feed(struct log_reading *f);

/* The whole text so far, which is forgotten. */
void log_reading_expect(struct log_reading *f, const char *want);

/* Feeds, and the reader stops with the code and a text in which `text` is. */
void log_reading_expect_stop(struct log_reading *f, enum err_code code, const char *text);

/* The begin of a transaction as the server writes it. */
void log_reading_begin(struct log_reading *f, uint64_t number);

#endif
