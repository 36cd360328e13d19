/* The foreign keys of a table, out of the text of SHOW CREATE TABLE: information_schema hides them on MariaDB from a
 * user that has SELECT only. Core; pure. Format: each constraint is a line of its own,
 *   CONSTRAINT `name` FOREIGN KEY (`col`, …) REFERENCES [`db`.]`table` (`col`, …) [ON DELETE rule] [ON UPDATE rule] */
#ifndef SLUICE_SCHEMA_FOREIGN_KEY_H
#define SLUICE_SCHEMA_FOREIGN_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define FOREIGN_KEY_NAME_MAX 256

struct foreign_key {
    char name[FOREIGN_KEY_NAME_MAX + 1];
    char parent_db[FOREIGN_KEY_NAME_MAX + 1]; /* "" = the child's */
    char parent[FOREIGN_KEY_NAME_MAX + 1];
    bool cascades; /* ON DELETE or ON UPDATE is CASCADE, SET NULL or SET DEFAULT: it changes rows of the child */
};

/* The next foreign key at or behind *at (an offset into the text, 0 to begin), which moves behind it. False: no more.
 */
bool foreign_key_next(const char *create_sql, size_t len, size_t *at, struct foreign_key *out);

#endif
