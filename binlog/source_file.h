/* Source over one or more binlog files, read to their end in the order given, without a server.
 *
 * Reads through a bounded buffer that grows up to max_event_bytes for one event. A file that ends inside an event is
 * CORRUPT with its position; one that ends between events without ROTATE or STOP while its in-use flag is set is told
 * as a NOTE ("live copy") and is complete; so is told when the file that a ROTATE names is not the next one:
 * definitions of tables do not hold behind such a gap. One thread, but interrupt. */
#ifndef SLUICE_BINLOG_SOURCE_FILE_H
#define SLUICE_BINLOG_SOURCE_FILE_H

#include "base/env.h"
#include "binlog/log_reader.h"

/* All borrowed for the life of the source. */
struct source_file_options {
    const struct env *env;
    const char *const *paths; /* with rising number suffixes */
    size_t path_count;
    const char *server_uuid;         /* whose files these are; NULL or "" = not known */
    bool statements_only;            /* rows are passed over: see log_reader_scan */
    const struct position *followed; /* up to here the statements of the log are in the schema's history, by an earlier
                                      * reading: a start behind it leaves a gap. NULL: there was none, or it goes on */
    const struct start *to;          /* where to end, see binlog/bounds.h; NULL = at the end of the last file */
    struct log_reader_options reader;
};

/* Makes a source, to be opened by its ops. open() takes every kind of start: START_CURRENT and START_EARLIEST are the
 * begin of the first file, START_FILEPOS names one of the files and a boundary in it, START_GTID skips the transactions
 * that are in the set, START_TIME those that were committed before.
 * Errors here: NO_MEMORY, USAGE (no paths; numbers that do not rise); in open: FILE_READ, FILE_ENCRYPTED, CORRUPT (not
 * a binlog), POSITION_SYNTAX (a file that is not among them, or a set of the other flavour); in next: those of
 * log_reader_feed, FILE_READ, INTERRUPTED. */
int source_file_new(struct source **out, const struct source_file_options *opt, struct err *e);

#endif
