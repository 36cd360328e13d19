/* A stream source that is read as text, for tests. Failures end the test. */
#ifndef SLUICE_TOOLS_STREAM_READING_H
#define SLUICE_TOOLS_STREAM_READING_H

#include "binlog/source_stream.h"

struct stream_reading {
    struct source *src;
    struct position from;
    struct buf text; /* of the transactions, without MARK and NOTE */
    unsigned lost, noted;
    struct err last_note;
    struct filepos end;
};

/* An interest in the tables of the database shop. */
bool stream_reading_wants_shop(void *ctx, const char *db, const char *table);

/* Opens a stream at `start`, a text as --from has it: the result of open. To be closed in any case. */
int stream_reading_try(struct stream_reading *rd, const struct stream_options *opt, const char *start, struct err *e);
void stream_reading_open(struct stream_reading *rd, const struct stream_options *opt, const char *start);
void stream_reading_close(struct stream_reading *rd);

/* Adds a rowset to the text: only what does not differ from run to run. */
void stream_reading_add(struct stream_reading *rd, const struct rowset *rs);

/* One rowset; its kind. */
enum rowset_kind stream_reading_turn(struct stream_reading *rd);

/* Reads until `count` transactions with rows have ended. */
void stream_reading_transactions(struct stream_reading *rd, unsigned count);

/* The text so far, which is emptied. */
void stream_reading_expect(struct stream_reading *rd, const char *wanted);

#endif
