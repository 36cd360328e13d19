/* Global transaction identifiers and sets of them, both flavours. Core: no I/O; a set belongs to one thread at a time.
 *
 * MySQL: uuid[:tag]:gno; a set is, per (uuid, tag), a list of closed intervals. Text as the server prints it: UUIDs and
 * tags lower-case and sorted, intervals merged, `uuid:1-3:7,uuid2:tag:1`. gno is 1 … 2^63-2.
 *
 * MariaDB: domain-server-seq; a "set" is the replication position, the last GTID of each domain: `0-1-100,1-1-7`.
 *
 * Sources: MySQL manual "GTID Format and Storage", Gtid_set::encode in sql/rpl_gtid_set.cc for the wire form; MariaDB
 * manual "GTID". Limits: GTID_TAG_MAX, GTID_SET_INTERVALS_MAX. */
#ifndef SLUICE_POSITION_GTID_H
#define SLUICE_POSITION_GTID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define GTID_TAG_MAX           32
#define GTID_SET_INTERVALS_MAX 10000000
#define GTID_TEXT_MAX          96 /* of one GTID, with its NUL */

enum flavor { FLAVOR_MYSQL, FLAVOR_MARIADB };

/* One GTID; plain data. number 0: none (anonymous transaction). */
struct gtid {
    enum flavor flavor;
    uint8_t uuid[16];           /* MySQL */
    char tag[GTID_TAG_MAX + 1]; /* MySQL >= 8.3, lower case; "" without */
    uint32_t domain;            /* MariaDB */
    uint32_t server;            /* MariaDB */
    uint64_t number;            /* gno or seq_no */
};

static inline bool gtid_is_set(const struct gtid *gtid)
{
    return gtid->number != 0;
}

/* Writes the text and a NUL; returns its length, 0 with "" for none. */
size_t gtid_print(const struct gtid *gtid, char out[GTID_TEXT_MAX]);

/* Parses exactly one GTID of the flavour. Errors: POSITION_SYNTAX. */
int gtid_parse(struct gtid *out, enum flavor flavor, const char *text, size_t len, struct err *e);

bool gtid_equal(const struct gtid *a, const struct gtid *b);

/* True when both come from the same writer: UUID and tag, or domain (and server is not compared). */
bool gtid_same_writer(const struct gtid *a, const struct gtid *b);

struct gtid_set;

/* Empty set; NULL without memory. Freed by the owner; free accepts NULL. */
struct gtid_set *gtid_set_new(enum flavor flavor);
void gtid_set_free(struct gtid_set *set);
struct gtid_set *gtid_set_copy(const struct gtid_set *set);
enum flavor gtid_set_flavor(const struct gtid_set *set);
bool gtid_set_is_empty(const struct gtid_set *set);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);

/* Text (whitespace and newlines allowed, "" = empty set) → new set. Errors: POSITION_SYNTAX, NO_MEMORY, LIMIT. */
int gtid_set_parse(struct gtid_set **out, enum flavor flavor, const char *text, size_t len, struct err *e);

/* Appends the canonical text. */
void gtid_set_print(const struct gtid_set *set, struct buf *out);

/* Adds one GTID (MariaDB: replaces the domain's, whatever its number: the log order decides). Amortised O(1) for
 * numbers that rise. Errors: NO_MEMORY, LIMIT, CORRUPT (MySQL: number beyond 2^63-2), BUG (other flavour, or no
 * number). */
int gtid_set_add(struct gtid_set *set, const struct gtid *gtid, struct err *e);

/* As gtid_set_add, for a list of any length in any order: O(1) each, and gtid_set_settle sorts once, in O(n log n). In
 * between, and after a failure, the set may only be appended to, settled or freed. */
int gtid_set_append(struct gtid_set *set, const struct gtid *gtid, struct err *e);
int gtid_set_settle(struct gtid_set *set, struct err *e);

/* set := set ∪ other (MySQL); MariaDB: per domain the one with the higher sequence number. Linear; MySQL: a failure
 * leaves the set as it was. Errors, here and below: NO_MEMORY, LIMIT, BUG (other flavour). */
int gtid_set_union(struct gtid_set *set, const struct gtid_set *other, struct err *e);

/* MySQL: set := set \ other. MariaDB: removes the domains whose sequence number is <= other's. */
int gtid_set_subtract(struct gtid_set *set, const struct gtid_set *other, struct err *e);

/* MySQL: set := set ∩ other. MariaDB: the domains that both have, each with the lower sequence number. */
int gtid_set_intersect(struct gtid_set *set, const struct gtid_set *other, struct err *e);

/* MySQL: in one of the intervals. MariaDB: the domain's sequence number is >= the GTID's. */
bool gtid_set_contains(const struct gtid_set *set, const struct gtid *gtid);

/* True when every GTID of `inner` is in `set`. */
bool gtid_set_contains_set(const struct gtid_set *set, const struct gtid_set *inner);

/* Appends the wire form of COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS_LOG_EVENT; `tagged` selects the form of MySQL >= 8.3
 * (needed when a tag is in the set; MySQL flavour only). Errors: BUG when a tag is present and `tagged` is false. */
int gtid_set_encode(const struct gtid_set *set, bool tagged, struct buf *out, struct err *e);

/* Reads that wire form, either kind. Errors: CORRUPT, NO_MEMORY, LIMIT. */
int gtid_set_decode(struct gtid_set **out, const uint8_t *bytes, size_t len, struct err *e);

#endif
