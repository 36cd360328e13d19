/* A file of definitions, read by env's file operations. Private to cmd/. */
#ifndef SLUICE_CMD_IMPORT_FILE_H
#define SLUICE_CMD_IMPORT_FILE_H

#include "base/env.h"
#include "schema/import.h"

/* Definitions in a file; all borrowed. */
struct import_source {
    const char *path;
    enum flavor flavor; /* of the server that the file is from, when it does not tell */
    const struct interest *interest;
    const struct history_where *place;
};

/* By env's file operations. Errors: SQL_FILE_READ, schema_import's. */
int import_file(struct history *history, const struct env *env, const struct import_source *source,
                struct schema_imported *out, struct err *e);

#endif
