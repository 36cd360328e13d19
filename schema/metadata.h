/* The optional metadata of a TABLE_MAP event: what it tells of columns beyond their wire types. Core; pure functions.
 *
 * With binlog_row_metadata=MINIMAL it holds signs and charsets only, with FULL names, labels and the primary key too;
 * MariaDB's default NO_LOG sends none. */
#ifndef SLUICE_SCHEMA_METADATA_H
#define SLUICE_SCHEMA_METADATA_H

#include "change/table.h"

#define METADATA_LABELS_MAX 65535 /* of one ENUM, as the server's */

struct metadata {
    bool has_names; /* FULL: names, and the primary key or that there is none, are told */
    const uint16_t *pk;
    unsigned pk_count;
};

/* Completes the types (filled by coltype_init) of the columns of `wire` by its optional metadata and, with FULL
 * metadata, their names; strings and arrays come from `arena`. Labels in a charset that cannot be converted stay
 * unknown. Errors: CORRUPT, NO_MEMORY.
 */
int metadata_read(struct metadata *out, struct column *columns, const struct wire_table *wire, struct arena *arena,
                  struct err *e);

#endif
