/* Column types as the binlog codes them: the one table of types (types.c), and what a decoder must know of a column.
 *
 * Sources: MySQL manual, "Table_map_event" (enum_field_types, metadata by type), libs/mysql/binlog/event; MariaDB the
 * same up to its own compressed types (140, 141). Core. All of this is immutable once built and may be read by any
 * thread. */
#ifndef SLUICE_VALUE_TYPES_H
#define SLUICE_VALUE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/err.h"

/* Wire codes. STRING in the TABLE_MAP hides CHAR, BINARY, ENUM and SET: coltype_init resolves that. */
enum wire_type {
    WIRE_DECIMAL_OLD = 0,
    WIRE_TINY = 1,
    WIRE_SHORT = 2,
    WIRE_LONG = 3,
    WIRE_FLOAT = 4,
    WIRE_DOUBLE = 5,
    WIRE_NULL = 6,
    WIRE_TIMESTAMP = 7,
    WIRE_LONGLONG = 8,
    WIRE_INT24 = 9,
    WIRE_DATE_OLD = 10, /* DATE in the log */
    WIRE_TIME = 11,
    WIRE_DATETIME = 12,
    WIRE_YEAR = 13,
    WIRE_NEWDATE = 14,
    WIRE_VARCHAR = 15,
    WIRE_BIT = 16,
    WIRE_TIMESTAMP2 = 17,
    WIRE_DATETIME2 = 18,
    WIRE_TIME2 = 19,
    WIRE_TYPED_ARRAY = 20,
    WIRE_BLOB_COMPRESSED = 140,    /* MariaDB */
    WIRE_VARCHAR_COMPRESSED = 141, /* MariaDB */
    WIRE_VECTOR = 242,
    WIRE_JSON = 245,
    WIRE_NEWDECIMAL = 246,
    WIRE_ENUM = 247,
    WIRE_SET = 248,
    WIRE_TINY_BLOB = 249,
    WIRE_MEDIUM_BLOB = 250,
    WIRE_LONG_BLOB = 251,
    WIRE_BLOB = 252,
    WIRE_VAR_STRING = 253,
    WIRE_STRING = 254,
    WIRE_GEOMETRY = 255
};

enum family {
    FAMILY_NONE, /* unknown: cannot even be walked */
    FAMILY_INTEGER,
    FAMILY_DECIMAL,
    FAMILY_FLOAT,
    FAMILY_BIT,
    FAMILY_YEAR,
    FAMILY_DATE,
    FAMILY_TIME,
    FAMILY_DATETIME,
    FAMILY_TIMESTAMP,
    FAMILY_TIME_OLD, /* before 5.6, and MariaDB with mysql56_temporal_format=OFF */
    FAMILY_DATETIME_OLD,
    FAMILY_TIMESTAMP_OLD,
    FAMILY_STRING, /* CHAR VARCHAR TEXT BINARY VARBINARY BLOB, by charset TEXT or BYTES */
    FAMILY_ENUM,
    FAMILY_SET,
    FAMILY_COMPRESSED, /* MariaDB's VARCHAR, TEXT, BLOB … COMPRESSED */
    FAMILY_UUID,       /* MariaDB's, known by the declared type */
    FAMILY_INET,       /* MariaDB's INET4, INET6 likewise */
    FAMILY_GEOMETRY,
    FAMILY_VECTOR,
    FAMILY_JSON, /* MySQL's; MariaDB's JSON is a TEXT */
    FAMILY_COUNT
};

/* How the bytes of one value are skipped: a plan step, no call per value. */
enum walk { WALK_FIXED, WALK_LEN1, WALK_LEN2, WALK_LEN3, WALK_LEN4 };

/* How the bytes of text are read: the character sets of both servers, utf8mb3 and utf8mb4 as one. */
enum charset {
    CHARSET_UNKNOWN,
    CHARSET_BINARY,
    CHARSET_UTF8,
    CHARSET_ASCII,
    CHARSET_LATIN1,
    CHARSET_ARMSCII8,
    CHARSET_CP1250,
    CHARSET_CP1251,
    CHARSET_CP1256,
    CHARSET_CP1257,
    CHARSET_CP850,
    CHARSET_CP852,
    CHARSET_CP866,
    CHARSET_DEC8,
    CHARSET_GEOSTD8,
    CHARSET_GREEK,
    CHARSET_HEBREW,
    CHARSET_HP8,
    CHARSET_KEYBCS2,
    CHARSET_KOI8R,
    CHARSET_KOI8U,
    CHARSET_LATIN2,
    CHARSET_LATIN5,
    CHARSET_LATIN7,
    CHARSET_MACCE,
    CHARSET_MACROMAN,
    CHARSET_SWE7,
    CHARSET_TIS620,
    CHARSET_BIG5,
    CHARSET_CP932,
    CHARSET_EUCJPMS,
    CHARSET_EUCKR,
    CHARSET_GB18030,
    CHARSET_GB2312,
    CHARSET_GBK,
    CHARSET_SJIS,
    CHARSET_UJIS,
    CHARSET_UCS2,
    CHARSET_UTF16,
    CHARSET_UTF16LE,
    CHARSET_UTF32,
    CHARSET_COUNT
};

struct label {
    const char *text; /* UTF-8 */
    uint32_t len;
};

/* Everything that decoding one value needs. Labels are borrowed from the table's arena. */
struct coltype {
    uint8_t wire;   /* enum wire_type, resolved */
    uint8_t family; /* enum family */
    uint8_t walk;   /* enum walk */
    uint8_t charset;
    bool is_unsigned;
    bool sign_known;    /* false: neither metadata nor history told the sign */
    uint16_t fixed;     /* WALK_FIXED: bytes; UUID, INET: bytes without those that the log leaves out */
    uint16_t meta;      /* as in the TABLE_MAP, little-endian pair: see types.c per type; of the temporal types before
                           5.6 the fraction digits, or COLTYPE_SCALE_UNKNOWN */
    uint16_t collation; /* id; 0 = not known */
    uint32_t label_count;
    const struct label *labels; /* ENUM and SET; NULL = not known */
};

#define COLTYPE_SCALE_UNKNOWN 0xffff

/* One row of the table of types. */
struct type_row {
    uint8_t wire;
    uint8_t family;
    uint8_t meta_bytes;    /* in the TABLE_MAP's metadata block */
    const char *sql_names; /* for documents and messages: "TINYINT" */
    const char *metadata;  /* what the metadata bytes mean */
};

/* NULL for a code that is not in the table. */
const struct type_row *type_row(uint8_t wire);
size_t type_rows(const struct type_row **out);

/* Fills wire, family, walk, fixed and meta from the TABLE_MAP's type byte and its metadata, taken from `metadata`.
 * Sign, collation and labels are left unknown. Errors: CORRUPT (metadata out of range), VALUE_UNSUPPORTED (type not in
 * the table: its rows cannot even be walked). */
int coltype_init(struct coltype *out, uint8_t wire, struct cursor *metadata, struct err *e);

/* What the declared SQL type tells beyond the TABLE_MAP: `word` is its first word in lower case ("uuid"), `number` the
 * one in its parentheses, 0 when there is none. Sets family and size of MariaDB's UUID, INET4, INET6 and VECTOR, and
 * the fraction digits of the temporal types before 5.6. False when the type does not fit the log's bytes. */
bool coltype_declare(struct coltype *type, const char *word, uint32_t number);

/* True when the bytes may mean something else once the declared type is known; and when they cannot even be walked
 * before it is. */
bool coltype_is_vague(const struct coltype *type);
bool coltype_needs_scale(const struct coltype *type);

/* Most bytes that a stored value of FAMILY_STRING may have without its length prefix: the n of BINARY(n), bytes of
 * VARCHAR(n); 2^(8 * length bytes) - 1 of BLOB and TEXT; likewise of FAMILY_COMPRESSED after inflating. 0 for other
 * families. */
uint32_t coltype_max_bytes(const struct coltype *type);

/* SQL-like text for messages: "DECIMAL(12,2)", "VARCHAR(255 bytes)". `out` is always terminated. */
void coltype_print(const struct coltype *type, char *out, size_t size);

/* charset of a collation id, with its name in *name when asked (static); CHARSET_UNKNOWN for 0 and unlisted ids. */
enum charset charset_of_collation(unsigned collation, const char **name);

/* Whether the collation tells case and accents apart: those named …_bin, …_cs and "binary". False when not listed. */
bool charset_tells_case(unsigned collation);

/* The default collation id of a character set or the id of a collation, by its SQL name; 0 when it is not listed. */
unsigned charset_find_collation(const char *name, size_t len);

#endif
