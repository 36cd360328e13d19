/* The inside of struct gtid_set. Private to this folder: gtid_set*.c, epoch*.c.
 *
 * MySQL: `runs` sorted by (uuid, tag); the intervals of a run are sorted, disjoint, not adjacent, at least one.
 * MariaDB: `domains` sorted by domain, one each. */
#ifndef SLUICE_POSITION_GTID_SET_IMPL_H
#define SLUICE_POSITION_GTID_SET_IMPL_H

#include "position/gtid.h"
#include "position/scan.h"

/* The largest gno: MySQL's GNO_END is 2^63-1 and stands one behind it. */
#define GTID_NUMBER_MAX (((uint64_t)1 << 63) - 2)

struct gtid_interval {
    uint64_t first, last; /* closed */
};

struct gtid_source {
    uint8_t uuid[16];
    char tag[GTID_TAG_MAX + 1]; /* NUL-padded */
};

struct gtid_run {
    struct gtid_source source;
    struct gtid_interval *iv;
    size_t n, size;
};

struct gtid_set {
    enum flavor flavor;
    struct gtid_run *runs;
    size_t n, size;
    size_t intervals; /* of all runs */
    size_t recent;    /* the run of the last add */
    struct gtid *domains;
    size_t n_domains, domains_size;
};

/* <0, 0, >0 in the order of the text: UUID, then tag. */
int gtid_source_compare(const struct gtid_source *a, const struct gtid_source *b);

/* Adds the closed interval [first, last], 1 <= first <= last <= GTID_NUMBER_MAX. Errors: NO_MEMORY, LIMIT. */
int gtid_set_add_interval(struct gtid_set *set, const struct gtid_source *source, struct gtid_interval iv,
                          struct err *e);

/* Building from a list in any order: appends in O(1). Until gtid_set_settle() nothing else but this and free. Errors:
 * NO_MEMORY, LIMIT. */
int gtid_set_append_interval(struct gtid_set *set, const struct gtid_source *source, struct gtid_interval iv,
                             struct err *e);

/* Appends to a list being built in order of `first`, joining with its last one; the room is there. */
void gtid_run_push(struct gtid_run *run, struct gtid_interval iv);

struct gtid_source gtid_source_of(const struct gtid *gtid);

/* Whether the GTID may be a member: BUG, CORRUPT. */
int gtid_set_check_gtid(const struct gtid_set *set, const struct gtid *gtid, struct err *e);

/* LIMIT beyond GTID_SET_INTERVALS_MAX. */
int gtid_set_check_limit(size_t intervals, struct err *e);

/* Room for one more element of `elem` bytes in an array of *size; the new address or NULL. */
void *gtid_room_for_one(void *array, size_t n, size_t *size, size_t elem);

/* Whether `number` of `source` is in the set. */
bool gtid_set_has(const struct gtid_set *set, const struct gtid_source *source, uint64_t number);

/* Takes a UUID of 36 characters, or a tag (stored lower-case). */
bool gtid_scan_uuid(struct scan *s, uint8_t uuid[16]);
bool gtid_scan_tag(struct scan *s, char tag[GTID_TAG_MAX + 1]);

/* Takes `domain-server-seq`. */
bool gtid_scan_mariadb(struct scan *s, struct gtid *out);

#define UUID_TEXT_LEN 36
void gtid_uuid_print(const uint8_t uuid[16], char out[UUID_TEXT_LEN]);

#endif
