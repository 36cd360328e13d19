/* Where a source stands or starts: file and offset and GTID set, both kept whatever gtid_mode is. Core. */
#ifndef SLUICE_POSITION_POSITION_H
#define SLUICE_POSITION_POSITION_H

#include "position/filepos.h"
#include "position/gtid.h"

#define SERVER_UUID_MAX 36

/* A boundary between two transactions: all before it is done. Owns `gtids`. */
struct position {
    struct filepos at;                     /* at.file "" = not known */
    struct gtid_set *gtids;                /* NULL = not known (gtid_mode OFF) */
    char server_uuid[SERVER_UUID_MAX + 1]; /* whose files `at` names; MariaDB: "server_id-N"; "" = not known */
    int64_t commit_us;                     /* commit time of the last transaction before it; 0 = not known */
};

void position_init(struct position *pos);
void position_release(struct position *pos);

/* Deep copy into an initialised or released `to` (its old content is released). Errors: NO_MEMORY. */
int position_copy(struct position *to, const struct position *from, struct err *e);

enum start_kind { START_CURRENT, START_EARLIEST, START_FILEPOS, START_GTID, START_TIME };

/* What a person types for a start or (but for the first two) an end: `current`, `earliest`, `file:pos`, a GTID set of
 * either flavour (told apart by its form), or a time `2026-11-22T10:00:00Z` (UTC; a space for the T and a missing Z are
 * accepted). */
struct start {
    enum start_kind kind;
    struct position pos; /* START_FILEPOS: pos.at; START_GTID: pos.gtids; owned */
    int64_t time_us;     /* START_TIME */
};

/* Errors: POSITION_SYNTAX, NO_MEMORY. On success the caller releases out->pos. */
int start_parse(struct start *out, const char *text, struct err *e);

/* As start_parse, of an end. */
int end_parse(struct start *out, const char *text, struct err *e);

/* Durable text form of a position ("key=value" lines, format version first; laid out at the top of position.c), and
 * back into storage that owns nothing. Errors: STATE_CORRUPT, NO_MEMORY. */
int position_encode(const struct position *pos, struct buf *out, struct err *e);
int position_decode(struct position *out, const uint8_t *bytes, size_t len, struct err *e);

#endif
