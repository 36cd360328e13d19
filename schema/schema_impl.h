/* Private to schema/. */
#ifndef SLUICE_SCHEMA_SCHEMA_IMPL_H
#define SLUICE_SCHEMA_SCHEMA_IMPL_H

#include "schema/schema.h"

/* A statement of the log changed the table: what was known outside the history is no longer true. */
void schema_changed(struct schema *schema, const char *db, const char *table);

#endif
