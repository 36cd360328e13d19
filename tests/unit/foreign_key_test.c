/* Foreign keys out of SHOW CREATE TABLE, as MySQL 9.7 and MariaDB 10.11 print it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schema/foreign_key.h"

struct row {
    const char *line;
    const char *name; /* NULL: the line is no foreign key */
    const char *db, *parent;
    bool cascades;
};

static const struct row rows[] = {
    {"  CONSTRAINT `c_fk` FOREIGN KEY (`pid`) REFERENCES `p` (`id`) ON DELETE CASCADE ON UPDATE SET NULL", "c_fk", "",
     "p", true},
    {"  CONSTRAINT `c_fk` FOREIGN KEY (`pid`) REFERENCES `p` (`id`),", "c_fk", "", "p", false},
    {"  CONSTRAINT `c_fk` FOREIGN KEY (`a`, `b`) REFERENCES `other`.`p` (`x`, `y`) ON UPDATE CASCADE,", "c_fk", "other",
     "p", true},
    {"  CONSTRAINT `c_fk` FOREIGN KEY (`a`) REFERENCES `p` (`x`) ON DELETE SET NULL", "c_fk", "", "p", true},
    {"  CONSTRAINT `c_fk` FOREIGN KEY (`a`) REFERENCES `p` (`x`) ON DELETE SET DEFAULT", "c_fk", "", "p", true},
    {"  CONSTRAINT `c_fk` FOREIGN KEY (`a`) REFERENCES `p` (`x`) ON DELETE NO ACTION ON UPDATE RESTRICT", "c_fk", "",
     "p", false},
    {"  CONSTRAINT `odd``name` FOREIGN KEY (`a``)`) REFERENCES `p` (`x`) ON DELETE CASCADE", "odd`name", "", "p", true},
    {"  CONSTRAINT `chk` CHECK (`a` > 0)", NULL, NULL, NULL, false},
    {"  `CONSTRAINT` int(11) DEFAULT NULL COMMENT ' FOREIGN KEY ON DELETE CASCADE',", NULL, NULL, NULL, false},
    {"  KEY `c_fk` (`pid`),", NULL, NULL, NULL, false},
    {"  CONSTRAINT `cut` FOREIGN KEY (`a", NULL, NULL, NULL, false},
    {"", NULL, NULL, NULL, false},
};

static void foreign_key__one_line__name_parent_and_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct foreign_key key;
        size_t at = 0;
        bool found = foreign_key_next(rows[i].line, strlen(rows[i].line), &at, &key);
        if (found != (rows[i].name != NULL))
            fail_msg("%s", rows[i].line);
        if (!found)
            continue;
        assert_string_equal(key.name, rows[i].name);
        assert_string_equal(key.parent_db, rows[i].db);
        assert_string_equal(key.parent, rows[i].parent);
        assert_int_equal(key.cascades, rows[i].cascades);
    }
}

static void foreign_key__whole_definition__each_key_once(void **state)
{
    (void)state;
    static const char sql[] = "CREATE TABLE `c` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`),\n"
                              "  CONSTRAINT `one` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON DELETE CASCADE,\n"
                              "  CONSTRAINT `two` FOREIGN KEY (`b`) REFERENCES `q` (`id`)\n) ENGINE=InnoDB";
    struct foreign_key key;
    size_t at = 0;
    assert_true(foreign_key_next(sql, sizeof sql - 1, &at, &key));
    assert_string_equal(key.name, "one");
    assert_true(foreign_key_next(sql, sizeof sql - 1, &at, &key));
    assert_string_equal(key.name, "two");
    assert_false(foreign_key_next(sql, sizeof sql - 1, &at, &key));
}

static void foreign_key__cut_anywhere__no_key_with_a_rule_that_was_cut(void **state)
{
    (void)state;
    const char *line = rows[0].line;
    for (size_t len = 0; len < strlen("  CONSTRAINT `c_fk` FOREIGN KEY (`pid`) REFERENCES `p`"); len++) {
        struct foreign_key key;
        size_t at = 0;
        assert_false(foreign_key_next(line, len, &at, &key));
        assert_int_equal(at, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_key__one_line__name_parent_and_rule),
        cmocka_unit_test(foreign_key__whole_definition__each_key_once),
        cmocka_unit_test(foreign_key__cut_anywhere__no_key_with_a_rule_that_was_cut),
    };
    return cmocka_run_group_tests_name("foreign_key", tests, NULL, NULL);
}
