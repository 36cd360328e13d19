"""Random DDL, made from what information_schema says of the tables there are. Shares nothing with sluice.

A Generator makes one step after the other: a list of statements that are run in one session. Most are valid, some are
meant to fail. What a statement contains is counted by its words, so that a test can demand that all of them came up.
"""

import collections
import dataclasses

from ddl_columns import CHARSETS, CODECS, COLLATIONS, COLUMNS, DATABASES, KEY, MODES, TABLES, WIDE, Writer

# What a test demands to have seen, where the server has it.
FEATURES = {"CREATE", "LIKE", "SELECT", "ADD", "FIRST", "AFTER", "DROP COLUMN", "CHANGE", "MODIFY", "RENAME COLUMN", "CONVERT",
            "DEFAULT CHARSET", "SET DEFAULT", "ADD KEY", "ADD PRIMARY", "DROP PRIMARY", "DROP KEY", "ENGINE", "ROW_FORMAT",
            "AUTO_INCREMENT", "PARTITION", "CREATE INDEX", "DROP INDEX", "RENAME", "SWAP", "DROP", "TRUNCATE", "DATABASE",
            "TEMPORARY", "MENTION", "FAIL", "IF NOT EXISTS", "INVISIBLE", "GENERATED", "SERIAL", "COMMENT", "ANSI_QUOTES",
            "NO_BACKSLASH_ESCAPES", "gbk", "latin1", "FULLTEXT", "FOREIGN KEY"}


Step = collections.namedtuple("Step", "statements db mode charset words")


class Generator(Writer):
    """Its state is renewed by the caller; step() works on it."""

    # CREATE TABLE.
    def options(self):
        found = []
        if self.chance(0.4):
            charset = self.of(CHARSETS)
            found.append(self.pick("", "DEFAULT ") + self.pick("CHARACTER SET", "CHARSET") + self.pick(" ", "=", " = ") + charset)
            if self.chance(0.4):
                found.append(f"COLLATE{self.pick(' ', '=')}{self.of(COLLATIONS[charset])}")
        elif self.chance(0.15):
            found.append(f"DEFAULT COLLATE {self.of(COLLATIONS[self.of(CHARSETS)])}")
        if self.chance(0.3):
            self.word("ENGINE")
            found.append(f"ENGINE{self.pick('=', ' ')}{self.engine()}")
        if self.chance(0.1):
            found.append(f"COMMENT={self.text('of a table; (x')}")
        if self.chance(0.1):
            found.append(f"AUTO_INCREMENT={self.rng.randint(1, 50)}")
        if self.chance(0.1):
            found.append(f"ROW_FORMAT={self.pick('DYNAMIC', 'COMPACT')}")
        self.rng.shuffle(found)
        return self.pick(" ", ", ").join(found)

    def engine(self):
        return self.pick("InnoDB", "innodb", "MyISAM", *(["Aria"] if self.maria else []))

    def body(self):
        names = self.rng.sample(COLUMNS, self.rng.randint(2, 7))
        parts, serial, numbered = [], False, []
        for number, name in enumerate(names):
            # MariaDB makes the values of generated columns before it gives the row its number.
            others = [other for other in names[:number] if other != "Id" and other not in numbered]
            part = self.definition(name, others)
            if part.endswith("SERIAL"):
                if serial:
                    continue
                serial = True
                numbered.append(name)
            parts.append(part)
        if not serial:
            roll = self.rng.random()
            first = self.name("id")
            if roll < 0.4:
                how = self.pick(" PRIMARY KEY", " AUTO_INCREMENT PRIMARY KEY", " NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)", " KEY",
                                " UNIQUE", " UNIQUE KEY", " NOT NULL UNIQUE")
                parts = [part for part in parts if not part.lower().strip("`\"").startswith("id")]
                parts.insert(self.rng.randint(0, len(parts)), f"{first} {self.pick('INT', 'BIGINT UNSIGNED', 'SMALLINT')}{how}")
            elif roll < 0.6:
                parts = [part for part in parts if not part.lower().strip("`\"").startswith("id")]
                parts.append(f"{first} INT")
                parts.append(self.pick("PRIMARY KEY (id)", "CONSTRAINT c1 PRIMARY KEY USING BTREE (id)", "UNIQUE (id)",
                                       "UNIQUE KEY k1 (id)", "CONSTRAINT cu UNIQUE (id)", "INDEX (id DESC)", "KEY k2 (id), KEY (id)"))
        if self.keyed:
            parts.insert(self.rng.randint(0, len(parts)), f"{KEY} INT")
        if self.chance(0.05):
            parts.append("CONSTRAINT ck CHECK (1 = 1)")
        return "(" + self.pick(", ", ",\n  ").join(parts) + ")"

    def existing(self):
        return self.of(self.state)

    def new_table(self, db=None):
        """A name that is not there, with lower_case_table_names=1 too."""
        there = {(db.lower(), table.lower()) for db, table in self.state}
        free = [(d, t) for d in self.databases for t in TABLES if (d.lower(), t.lower()) not in there]
        return self.of([name for name in free if name[0] == db] or free)

    def create(self):
        self.word("CREATE")
        table = self.new_table()
        exists = self.pick("", "", "", "IF NOT EXISTS ")
        replace = ""
        if self.maria and self.chance(0.15):
            replace, exists = "OR REPLACE ", ""
            if self.chance(0.5) and self.state:
                table = self.existing()
        if self.chance(0.05):
            self.word("PARTITION")
            return f"CREATE {replace}TABLE {exists}{self.full(table)} (a INT, {KEY} INT) PARTITION BY HASH (a) PARTITIONS 3"
        body = self.body()
        # With engine and character set MySQL's own text, which it logs for some, is that of a dump.
        plain = "b\\c" in body and "NO_BACKSLASH_ESCAPES" in self.mode
        return f"CREATE {replace}TABLE {exists}{self.full(table)} {body} {'' if plain else self.options()}"

    def create_like(self):
        self.word("LIKE")
        form = self.pick("LIKE {}", "(LIKE {})")
        return f"CREATE TABLE {self.pick('', 'IF NOT EXISTS ')}{self.full(self.new_table())} {form.format(self.full(self.existing()))}"

    def create_select(self):
        self.word("SELECT")
        model = self.existing()
        columns = [c for c in self.state[model].columns if c.kind not in ("point", "geometry", "geometrycollection")
                   and not ("\\" in c.type and self.maria and "NO_BACKSLASH_ESCAPES" in self.mode)]
        if not columns:
            return self.create()
        chosen = self.rng.sample(columns, min(len(columns), self.rng.randint(1, 4))) or columns
        listed = []
        for number, column in enumerate(chosen):
            listed.append(self.column(column.name) + self.pick("", "", f" AS {self.name('s' + str(number))}"))
        listed += self.rng.sample(["1 AS one", "'x' AS tx", "NULL AS nn", "NOW() AS w", "1.5 AS de", "CONCAT('a', 'b') AS cc"],
                                  self.pick(0, 0, 1, 2))
        own = ""
        if self.chance(0.5):
            extra = self.of([n for n in COLUMNS if n not in [c.name for c in chosen]])
            own = f"({self.definition(extra, table_new=False)}) " if self.chance(0.7) else f"({self.name('s0')} BIGINT) "
        whole = len(columns) == len(self.state[model].columns) and not any(c.invisible for c in columns)
        star = "*" if self.chance(0.2) and whole else ", ".join(listed)
        if star == "*":
            own = ""
        elif self.keyed:
            star = ", ".join([KEY, *(name for name in listed if KEY not in name.lower())])
        self.selected, replace = self.new_table(), ""
        if self.maria and self.chance(0.3):
            others = [name for name in self.state if name != model]
            replace, self.selected = "OR REPLACE ", self.of(others) if others and self.chance(0.7) else self.selected
        return (f"CREATE {replace}TABLE {self.full(self.selected)} {own}{self.options()} {self.pick('', 'AS ')}"
                f"SELECT {star} FROM {self.full(model)}")

    # ALTER TABLE.
    def alter(self):
        self.altered = name = self.existing()
        table = dataclasses.replace(self.state[name], keys=dict(self.state[name].keys))
        left = [column for column in table.columns if column.name != KEY]
        used = {column.name.lower() for column in table.columns}
        clauses = []
        for _ in range(self.pick(1, 1, 1, 2, 2, 3, 4)):
            clause = self.clause(table, left, used)
            if clause:
                clauses.append(clause)
        if not clauses:
            clauses = ["FORCE"]
        if self.chance(0.08):
            clauses.append(self.pick("ALGORITHM=COPY", "ALGORITHM = DEFAULT", "LOCK=DEFAULT"))
        # MariaDB loses the table when it fails in the middle of such a one with another engine, and leaves the old one
        # where it was when its name has other letters.
        plain = all(part.isascii() and part.isidentifier() for part in name)
        if self.chance(0.04) and (plain or not self.maria) and not any("ENGINE" in clause for clause in clauses):
            self.word("RENAME")
            clauses.append(f"RENAME {self.pick('TO ', 'AS ', '')}{self.full(self.new_table())}")
        return f"ALTER TABLE {self.full(name)} {self.pick(', ', ',').join(clauses)}"

    def place(self, left):
        roll = self.rng.random()
        if roll < 0.2:
            self.word("FIRST")
            return " FIRST"
        if roll < 0.5 and left:
            self.word("AFTER")
            return f" AFTER {self.column(self.of(left).name)}"
        return ""

    def unused(self, used):
        name = self.of([name for name in COLUMNS if name.lower() not in used])
        used.add(name.lower())
        return name

    def take(self, left):
        column = self.of(left)
        left.remove(column)
        return column

    def clause(self, table, left, used):
        kinds = [(10, self.add), (6, self.drop_column), (6, self.change), (7, self.modify), (5, self.rename_column),
                 (2, self.swap_columns), (2, self.convert), (2, self.default_charset), (3, self.set_default), (5, self.add_key),
                 (2, self.add_odd_key), (2, self.add_primary), (3, self.drop_key), (4, self.drop_primary), (1, self.rename_key), (6, self.table_option),
                 (1, self.visibility), (1, self.check)]
        make = self.rng.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
        return make(table, left, used)

    def add(self, _table, left, used):
        if len(used) > 12:
            return None
        self.word("ADD")
        exists = " IF NOT EXISTS" if self.maria and self.chance(0.1) else ""
        others = [c.name for c in left if not c.auto]  # MariaDB takes the number's column, before it has its number
        if self.chance(0.15):
            some = ", ".join(self.definition(self.unused(used), table_new=False) for _ in range(2))
            return f"ADD{self.pick('', ' COLUMN')} ({some})"
        return f"ADD{self.pick('', ' COLUMN')}{exists} {self.definition(self.unused(used), others, False)}{self.place(left)}"

    def drop_column(self, _table, left, _used):
        if len(left) < 3:
            return None
        self.word("DROP COLUMN")
        exists = "IF EXISTS " if self.maria and self.chance(0.2) else ""
        return f"DROP {self.pick('COLUMN ', '') if not exists else 'COLUMN '}{exists}{self.name(self.take(left).name, True)}"

    def again(self, column, name):
        """A definition for a column that is there: sometimes the type that it has."""
        if column.auto or column.generated or self.chance(0.4):
            if column.generated:
                return None
            null = "" if column.nullable else " NOT NULL"
            kind = column.type if column.charset is None else column.type + f" CHARACTER SET {column.charset}"
            if "COMPRESSED" in kind:
                return None
            if column.charset is not None and column.kind in ("enum", "set"):
                return None
            return f"{self.name(name)} {kind}{null}{' AUTO_INCREMENT' if column.auto else ''}"
        definition = self.definition(name, table_new=False)
        # SELECT leaves out what is no character when bytes became a text of them; the log and sluice do not.
        wide = any(word in definition for word in (*WIDE, "UNICODE")) and ("binary" in column.kind or "blob" in column.kind)
        # MySQL takes the text of what was there for the bytes of a vector, however many they are.
        return None if wide or " VECTOR(" in definition and column.kind != "vector" else definition

    def change(self, _table, left, used):
        if len(left) < 2:
            return None
        column = self.take(left)
        new = column.name if self.chance(0.3) else self.unused(used)
        definition = self.again(column, new)
        self.word("CHANGE")
        return definition and f"CHANGE {self.pick('COLUMN ', '')}{self.column(column.name)} {definition}{self.place(left)}"

    def modify(self, _table, left, _used):
        if len(left) < 2:
            return None
        column = self.take(left)
        definition = self.again(column, column.name)
        self.word("MODIFY")
        exists = "IF EXISTS " if self.maria and self.chance(0.1) else ""
        return definition and f"MODIFY {self.pick('COLUMN ', '')}{exists}{definition}{self.place(left)}"

    def rename_column(self, _table, left, used):
        if not left or any(column.generated for column in left):
            return None
        self.word("RENAME COLUMN")
        return f"RENAME COLUMN {self.column(self.take(left).name)} TO {self.name(self.unused(used))}"

    def swap_columns(self, _table, left, _used):
        if len(left) < 3 or any(column.generated for column in left):
            return None
        self.word("RENAME COLUMN")
        one, two = self.take(left).name, self.take(left).name
        return f"RENAME COLUMN {self.column(one)} TO {self.name(two)}, RENAME COLUMN {self.column(two)} TO {self.name(one)}"

    def keeps_labels(self, column, charset):
        """Whether they can be told afterwards: MySQL takes their bytes for those of the new set, MariaDB garbles some."""
        if column.charset in WIDE or (self.maria and not column.type.isascii()):
            return False
        codecs = {"latin1": "cp1252", "latin2": "iso8859_2"}
        try:
            column.type.encode(codecs.get(column.charset, "utf-8")).decode(codecs.get(charset, "utf-8"))
            return True
        except UnicodeError:
            return False

    def convert(self, table, _left, _used):
        charset = self.of(CHARSETS)
        if any(column.kind in ("enum", "set") and not self.keeps_labels(column, charset) for column in table.columns):
            return None
        self.word("CONVERT")
        collate = f" COLLATE {self.of(COLLATIONS[charset])}" if self.chance(0.4) else ""
        return f"CONVERT TO {self.pick('CHARACTER SET', 'CHARSET')} {charset}{collate}"

    def default_charset(self, _table, _left, _used):
        self.word("DEFAULT CHARSET")
        charset = self.of(CHARSETS)
        return f"{self.pick('DEFAULT ', '')}{self.pick('CHARACTER SET', 'CHARSET')}{self.pick(' ', '=')}{charset}"

    def set_default(self, _table, left, _used):
        integers = [c for c in left if c.kind in ("int", "bigint", "smallint", "tinyint") and not c.auto and not c.generated]
        if not integers:
            return None
        self.word("SET DEFAULT")
        return f"ALTER {self.pick('COLUMN ', '')}{self.column(self.of(integers).name)} {self.pick('SET DEFAULT 3', 'DROP DEFAULT')}"

    def add_key(self, table, left, _used):
        parts, chosen = self.key_parts(left)
        if not parts:
            return None
        self.word("ADD KEY")
        for column in chosen:
            left.remove(column)
        kind = self.pick("INDEX", "KEY", "INDEX", "UNIQUE", "UNIQUE KEY", "CONSTRAINT UNIQUE")
        key = self.fresh_key(table) if self.chance(0.5) else None
        name = f" {self.name(key)}" if key else ""
        return f"ADD {kind}{name} ({parts})"

    def add_odd_key(self, table, left, _used):
        """Of a text's words, of an expression, of a whole BLOB, and that of a foreign key, which brings one along."""
        roll = self.rng.random()
        key = self.fresh_key(table) if self.chance(0.5) else None
        name = f" {self.name(key)}" if key else ""
        if roll < 0.3:
            texts = [c for c in left if c.kind in ("varchar", "text", "longtext") and not c.generated and "COMPRESSED" not in c.type]
            if not texts:
                return None
            self.word("FULLTEXT")
            return f"ADD FULLTEXT {self.pick('', 'INDEX', 'KEY')}{name} ({self.column(self.of(texts).name)})"
        if roll < 0.6:
            pairs = [(one, other) for one in left for other in left if one is not other and one.type == other.type
                     and one.kind in ("int", "bigint", "smallint", "tinyint") and not one.generated and not other.generated
                     and any(columns[:1] == [other.name] for _, columns in table.keys.values())]
            if not pairs or table.engine != "InnoDB" or table.partitions:
                return None
            self.word("FOREIGN KEY")
            one, other = self.of(pairs)
            constraint = f"CONSTRAINT fk{self.rng.randint(1, 999999)} " if self.chance(0.5) else ""
            left.remove(one), left.remove(other)
            return (f"ADD {constraint}FOREIGN KEY ({self.column(one.name)}) "
                    f"REFERENCES {self.full(self.altered)} ({self.column(other.name)})")
        if self.maria:
            blobs = [c for c in left if c.kind in ("blob", "text", "mediumtext", "longblob") and "COMPRESSED" not in c.type]
            self.word("HASH KEY")
            return f"ADD UNIQUE{name} ({self.column(self.of(blobs).name)})" if blobs and not table.partitions else None
        integers = [c for c in left if c.kind in ("int", "bigint", "smallint", "tinyint") and not c.auto]
        if not integers:
            return None
        self.word("EXPRESSION KEY")
        column = self.take(integers)
        left.remove(column)
        return f"ADD {self.pick('INDEX', 'KEY')}{name} (({self.column(column.name)} DIV 2))"

    def add_primary(self, table, left, _used):
        if "PRIMARY" in table.keys:
            return None
        fitting = [c for c in left if c.kind in ("int", "bigint", "smallint", "varchar", "date", "decimal") and not c.generated]
        if not fitting:
            return None
        self.word("ADD PRIMARY")
        column = self.of(fitting)
        left.remove(column)
        return f"ADD {self.pick('', 'CONSTRAINT ')}PRIMARY KEY ({self.column(column.name)})"

    def drop_key(self, table, left, _used):
        there = [key for key in table.keys if key != "PRIMARY"]
        auto = [c.name for c in table.columns if c.auto]
        there = [key for key in there if not set(auto) & set(table.keys[key][1])]
        if not there:
            return None
        self.word("DROP KEY")
        key = self.of(there)
        del table.keys[key]
        return f"DROP {self.pick('INDEX', 'KEY')} {self.column(key)}"

    def drop_primary(self, table, left, _used):
        if "PRIMARY" not in table.keys or any(c.auto for c in table.columns):
            return None
        self.word("DROP PRIMARY")
        del table.keys["PRIMARY"]
        return "DROP PRIMARY KEY"

    def rename_key(self, table, _left, _used):
        there = [key for key in table.keys if key != "PRIMARY"]
        new = self.fresh_key(table)
        if not there or not new:
            return None
        key = self.of(there)
        del table.keys[key]
        return f"RENAME {self.pick('INDEX', 'KEY')} {self.name(key)} TO {self.name(new)}"

    def table_option(self, _table, _left, _used):
        roll = self.rng.random()
        if roll < 0.3:
            self.word("ENGINE")
            return f"ENGINE={self.engine()}"
        if roll < 0.5:
            self.word("ROW_FORMAT")
            return f"ROW_FORMAT={self.pick('DYNAMIC', 'COMPACT', 'DEFAULT')}"
        if roll < 0.7:
            self.word("AUTO_INCREMENT")
            return f"AUTO_INCREMENT={self.rng.randint(1, 99)}"
        return self.pick("FORCE", f"COMMENT={self.text('c,)')}", "STATS_PERSISTENT=0", "MAX_ROWS=100")

    def visibility(self, table, left, _used):
        if self.maria:
            there = [key for key in table.keys if key != "PRIMARY"]
            return f"ALTER INDEX {self.name(self.of(there))} {self.pick('IGNORED', 'NOT IGNORED')}" if there else None
        shown = [c for c in left if not c.invisible]
        if len(shown) < 3:
            return None
        self.word("INVISIBLE")
        column = self.take(left)
        return f"ALTER COLUMN {self.column(column.name)} SET {self.pick('INVISIBLE', 'VISIBLE')}"

    def check(self, _table, _left, _used):
        return "ADD CHECK (2 > 1)"

    def partition_statement(self):
        """Clauses of their own: they go with no other."""
        there = [name for name, table in self.state.items() if table.partitions]
        self.word("PARTITION")
        if not there:
            fitting = [(name, c) for name, table in self.state.items() if not table.keys and table.engine == "InnoDB"
                       for c in table.columns if c.kind in ("int", "bigint", "smallint") and not c.generated]
            if not fitting:
                return self.create()
            name, column = self.of(fitting)
            return f"ALTER TABLE {self.full(name)} PARTITION BY HASH ({self.column(column.name)}) PARTITIONS 2"
        name = self.of(there)
        return f"ALTER TABLE {self.full(name)} " + self.pick("REMOVE PARTITIONING", "ADD PARTITION PARTITIONS 1", "REBUILD PARTITION ALL",
                                                            "COALESCE PARTITION 1", "TRUNCATE PARTITION p0")

    # Keys, names, tables, databases.
    def create_index(self):
        name = self.existing()
        table = self.state[name]
        key = self.fresh_key(table)
        parts, _ = self.key_parts(table.columns)
        if not key or not parts:
            return self.alter()
        self.word("CREATE INDEX")
        replace = self.pick("", "OR REPLACE ") if self.maria and self.chance(0.3) else ""
        kind = self.pick("", "", "UNIQUE ")
        return f"CREATE {replace}{kind}INDEX {self.name(key)}{self.pick('', ' USING BTREE')} ON {self.full(name)} ({parts})"

    def drop_index(self):
        fitting = [(name, key) for name, table in self.state.items() for key in table.keys
                   if key != "PRIMARY" and not any(c.auto for c in table.columns)]
        if not fitting:
            return self.create_index()
        self.word("DROP INDEX")
        name, key = self.of(fitting)
        return f"DROP INDEX {self.pick('', 'IF EXISTS ') if self.maria else ''}{self.name(key)} ON {self.full(name)}"

    def rename(self):
        names = self.rng.sample(list(self.state), min(len(self.state), self.pick(1, 2, 2, 3)))
        if len(names) == 1 or self.chance(0.4):
            self.word("RENAME")
            pairs, taken = [], set()
            for name in names:
                new = self.new_table()
                if (new[0].lower(), new[1].lower()) not in taken:
                    taken.add((new[0].lower(), new[1].lower()))
                    pairs.append((name, new))
        else:
            self.word("SWAP")
            spare = (self.of(self.databases), "spare")
            pairs = [(names[0], spare), *zip(names[1:], names[:-1]), (spare, names[-1])]
        exists = "IF EXISTS " if self.maria and self.chance(0.2) else ""
        return f"RENAME TABLE {exists}" + ", ".join(f"{self.full(old)} TO {self.full(new)}" for old, new in pairs)

    def drop(self):
        self.word("DROP")
        names = self.rng.sample(list(self.state), 1 if len(self.state) < 4 or self.chance(0.7) else 2)
        exists = self.pick("", "IF EXISTS ")
        listed = [self.full(name) for name in names] + ([self.full(self.new_table())] if exists and self.chance(0.2) else [])
        return f"DROP TABLE {exists}{', '.join(listed)}{self.pick('', '', ' CASCADE', ' RESTRICT')}"

    def truncate(self):
        self.word("TRUNCATE")
        return f"TRUNCATE {self.pick('TABLE ', '')}{self.full(self.existing())}"

    def database(self):
        self.word("DATABASE")
        word = self.pick("DATABASE", "SCHEMA")
        charset = self.of(CHARSETS)
        options = self.pick(f"CHARACTER SET {charset}", f"DEFAULT CHARACTER SET = {charset} COLLATE {self.of(COLLATIONS[charset])}",
                            f"COLLATE {self.of(COLLATIONS[charset])}")
        gone = [name for name in DATABASES if name not in self.databases]
        if gone:
            exists = self.pick("", "IF NOT EXISTS ")
            return f"CREATE {word} {exists}{self.name(gone[0])} {self.pick(options, '')}"
        if self.chance(0.25):
            return f"DROP {word} {self.pick('', 'IF EXISTS ')}{self.name(self.of(self.databases))}"
        target = self.of(self.databases)
        return f"ALTER {word} {'' if target == self.db and self.chance(0.5) else self.name(target) + ' '}{options}"

    def temporary(self):
        """Statements on a table that the log and other sessions know nothing of; it may hide one that they know."""
        self.word("TEMPORARY")
        table = self.existing() if self.chance(0.6) else self.new_table()
        shown = self.full(table)
        create = self.pick(f"CREATE TEMPORARY TABLE {shown} (z1 INT, z2 VARCHAR(5))",
                           f"CREATE TEMPORARY TABLE {shown} AS SELECT 1 AS z1, 'x' AS z2")
        changes = [f"INSERT INTO {shown} VALUES (1, 'q')", f"ALTER TABLE {shown} ADD z3 INT FIRST", f"TRUNCATE TABLE {shown}",
                   f"CREATE INDEX kz ON {shown} (z1)", f"ALTER TABLE {shown} DROP COLUMN z2",
                   # Of the same database: the log does not tell the character set of the model.
                   f"CREATE TABLE IF NOT EXISTS {self.full(self.new_table(table[0]))} LIKE {shown}"]
        if self.keyed:
            changes.pop()
        chosen = [changes[number] for number in sorted(self.rng.sample(range(len(changes)), self.rng.randint(0, 4)))]
        drop = self.pick(f"DROP TEMPORARY TABLE {shown}", f"DROP TABLE {shown}", f"DROP /*!40005 TEMPORARY */ TABLE IF EXISTS {shown}")
        return [create, *chosen, drop]

    def mention(self):
        """Statements that look like DDL of a table and are none."""
        self.word("MENTION")
        shown = self.full(self.existing())
        db = self.name(self.of(self.databases))
        body = self.text(f"CREATE TABLE {shown} (zz INT)")
        return self.pick(
            [f"CREATE PROCEDURE {db}.p1() BEGIN CREATE TABLE {shown} (zz INT); ALTER TABLE {shown} ADD zz INT; DROP TABLE {shown}; END",
             f"DROP PROCEDURE {db}.p1"],
            [f"CREATE FUNCTION {db}.f1() RETURNS INT DETERMINISTIC BEGIN DROP TEMPORARY TABLE IF EXISTS {shown}; RETURN 1; END",
             f"DROP FUNCTION IF EXISTS {db}.f1"],
            [f"CREATE VIEW {db}.v1 AS SELECT {body} AS x", f"RENAME TABLE {db}.v1 TO {db}.v2", f"DROP VIEW {db}.v2"],
            [f"CREATE EVENT {db}.e1 ON SCHEDULE EVERY 1 DAY DISABLE DO ALTER TABLE {shown} ADD zz INT", f"DROP EVENT {db}.e1"],
            [f"CREATE USER u1@localhost IDENTIFIED BY {self.text('drop table t1')}", "ALTER USER u1@localhost ACCOUNT LOCK",
             f"GRANT SELECT, ALTER, DROP ON {shown} TO u1@localhost", "DROP USER u1@localhost"],
            [f"ANALYZE TABLE {shown}", f"OPTIMIZE TABLE {shown}", "FLUSH TABLES"],
        )

    def bystanders(self):
        """MariaDB's sequences and versioned tables, in the database that the judges leave out: their statements and the
        rows that those write must disturb no other table."""
        self.word("BYSTANDER")
        return self.pick(
            ["CREATE OR REPLACE SEQUENCE zz.sq START WITH 5 INCREMENT BY 2", "DO NEXTVAL(zz.sq)", "ALTER SEQUENCE zz.sq RESTART 50",
             "DO SETVAL(zz.sq, 70)",
             "RENAME TABLE zz.sq TO zz.sr", "CREATE SEQUENCE IF NOT EXISTS zz.sr", "DROP SEQUENCE IF EXISTS zz.sr, zz.sq"],
            ["CREATE OR REPLACE TABLE zz.v (a INT, rid INT) WITH SYSTEM VERSIONING", "INSERT INTO zz.v VALUES (1, 2), (3, 4)",
             "UPDATE zz.v SET a = a + 1", "SET system_versioning_alter_history = KEEP", "ALTER TABLE zz.v ADD b INT FIRST",
             "DELETE FROM zz.v LIMIT 1", "ALTER TABLE zz.v DROP SYSTEM VERSIONING", "INSERT INTO zz.v VALUES (5, 6, 7)",
             "ALTER TABLE zz.v ADD SYSTEM VERSIONING, CHANGE a c BIGINT", "DELETE HISTORY FROM zz.v", "DROP TABLE zz.v"],
            ["CREATE OR REPLACE TABLE zz.p (a INT, f DATE, t DATE, rid INT, PERIOD FOR pd (f, t))",
             "INSERT INTO zz.p VALUES (1, '2020-01-01', '2021-01-01', 1)",
             "DELETE FROM zz.p FOR PORTION OF pd FROM '2020-03-01' TO '2020-04-01'",
             "ALTER TABLE zz.p DROP PERIOD FOR pd, ADD b INT FIRST",
             "UPDATE zz.p SET b = 2", "ALTER TABLE zz.p ADD PERIOD FOR pe (f, t)", "DROP TABLE zz.p"])

    def failing(self):
        self.word("FAIL")
        name = self.existing()
        shown, missing = self.full(name), self.name("nowhere")
        return self.pick(
            f"CREATE TABLE {shown} (a INT)", f"DROP TABLE {missing}", f"ALTER TABLE {shown} DROP COLUMN {missing}",
            f"ALTER TABLE {shown} ADD n9 INT, ADD n9 INT", f"RENAME TABLE {shown} TO {self.full(self.new_table())}, {missing} TO x1",
            f"ALTER TABLE {shown} ADD n9 INT AFTER {missing}", f"CREATE TABLE {self.full(self.new_table())} (a INT, A INT)",
            f"CREATE TABLE {self.full(self.new_table())} LIKE {missing}", f"CREATE TABLE {self.full(self.new_table())} AS SELECT 1 AS a, 2 AS A",
            f"ALTER TABLE {shown} ADD n9 INT, ALGORITHM=NONE", f"DROP TABLE {shown}, {missing}", f"CREATE TABLE {shown}")

    def nothing(self):
        """Statements that find what they would make."""
        self.word("IF NOT EXISTS")
        name = self.existing()
        shown = self.full(name)
        some = [f"CREATE TABLE IF NOT EXISTS {shown} (zz INT, yy TEXT)",
                f"CREATE TABLE IF NOT EXISTS {shown} LIKE {self.full(self.existing())}",
                f"DROP TABLE IF EXISTS {self.full(self.new_table())}", f"CREATE DATABASE IF NOT EXISTS {self.name(self.of(self.databases))}"]
        if self.maria:
            column = self.name(self.of(self.state[name].columns).name)
            some += [f"ALTER TABLE {shown} ADD COLUMN IF NOT EXISTS {column} TEXT", f"ALTER TABLE {shown} DROP COLUMN IF EXISTS zz",
                     f"ALTER TABLE IF EXISTS {self.full(self.new_table())} ADD q INT", f"DROP INDEX IF EXISTS nokey ON {shown}"]
        return self.of(some)

    # Statements as people write them.
    def dressed(self, statement):
        roll = self.rng.random()
        if roll < 0.06:
            self.word("COMMENT")
            return f"/* ALTER TABLE x ADD y; */ {statement}"
        if roll < 0.1:
            self.word("COMMENT")
            return f"-- a note: 'it\n# and `this\n{statement} /* end */"
        if roll < 0.15:
            head, _, tail = statement.partition(" ")
            number = "50000" if not self.maria else self.pick("50000", "100000")
            marker = self.pick("/*!", f"/*!{number} ", *(["/*M!", "/*M!100101 "] if self.maria else []))
            if "/*" not in tail:
                return f"{marker} {statement} */"
        if roll < 0.22:
            head, _, tail = statement.partition(" ")
            return f"{head.lower()}\n\t{tail}"
        if roll < 0.26:
            head, _, tail = statement.partition(" ")
            return f"{head.capitalize()} /* x */ {tail} ;" if not tail.rstrip().endswith(";") else statement
        return statement

    def session(self):
        self.mode = ",".join(self.rng.sample(MODES, self.pick(0, 0, 1, 2)))
        self.charset = self.pick("utf8mb4", "utf8mb4", "utf8mb4", "latin1", "gbk", "utf8mb3", "cp932")
        self.db = self.pick(None, *self.databases, *self.databases) if self.databases else None

    def step(self):
        """The next step on the state as it is now."""
        self.words, self.selected = set(), None  # the table of CREATE … SELECT
        self.session()
        few = len(self.state) < 3
        many = len(self.state) > 9
        kinds = [(25 if few else 0 if many else 7, self.create), (32, self.alter), (3, self.create_index), (2, self.drop_index),
                 (6, self.rename), (12 if many else 3, self.drop), (3, self.truncate), (3, self.database), (2, self.temporary),
                 (2, self.mention), (3, self.failing), (3, self.nothing), (2, self.partition_statement)]
        if self.maria and not self.keyed:  # a sequence has no column KEY
            kinds.append((2, self.bystanders))
        if not many:
            kinds += [(3, self.create_like), (5, self.create_select)]
        if not self.state:
            kinds = [(1, self.create)]
        if len(self.databases) < 2:
            kinds = [(1, self.database)]
        make = self.rng.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
        made = make()
        if isinstance(made, str):
            made = [made if "FAIL" in self.words else self.dressed(made)]
        elif self.db is None:
            self.db = self.of(self.databases)
        # A name that the client's character set lacks is sent in another.
        try:
            for statement in made:
                statement.encode(CODECS[self.charset])
        except UnicodeEncodeError:
            self.charset = "utf8mb4"
        self.words.update(self.mode.split(","), [self.charset])
        return Step(made, self.db, self.mode, self.charset, frozenset(self.words - {""}))
