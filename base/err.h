/* Errors: one fixed-size object that never allocates, filled at the cause and completed with the place on the way up.
 *
 * Every error is a row of errors.def: name, class, what (a printf format), what to do. A fallible function returns 0 or
 * a negative code, takes `struct err *e` last, and leaves its out-parameters untouched on failure. `e` may be NULL.
 * Nobody parses the text: code and tests decide by `code` or by class. An err belongs to one thread at a time. */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include <inttypes.h>
#include <stddef.h>

#define ERR_TEXT_MAX 768

enum err_class {
    ERR_CLASS_NONE,
    ERR_CLASS_RETRY,  /* the same call may work later: reconnect, back off */
    ERR_CLASS_STOP,   /* a person must act; exit code 4 */
    ERR_CLASS_POISON, /* this one item cannot be applied, others can */
    ERR_CLASS_USAGE,  /* command line or configuration; exit code 2 */
    ERR_CLASS_BUG     /* ours: exit code 4 */
};

enum err_code {
    ERR_NONE = 0,
#define ERR(name, cls, what, todo) ERR_##name,
#include "base/errors.def"
#undef ERR
    ERR_CODE_COUNT
};

/* The formats as arrays, so that the compiler checks the arguments of err_set against the row. */
#define ERR(name, cls, what, todo) static const char err_format_##name[] __attribute__((unused)) = what;
#include "base/errors.def"
#undef ERR

struct err {
    enum err_code code;      /* ERR_NONE: no error */
    char text[ERR_TEXT_MAX]; /* NUL-terminated; cut at the end when too long */
};

#define ERR_INIT                                                                                                       \
    {                                                                                                                  \
        ERR_NONE,                                                                                                      \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/* Records the error `name` with the arguments of its format and returns -(int)ERR_name. The first error wins: an `e`
 * that already holds one keeps it, and its code is returned. */
#define err_set(e, name, ...) err_set_format((e), ERR_##name, err_format_##name, ##__VA_ARGS__)

int err_set_format(struct err *e, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prepends "place: " to the text of a set error and returns its negative code (0 when none is set), so that the whole
 * reads as a sentence: `binlog.000042:1337: shop.orders: column 3 (amount): need 8 bytes, 5 left`. */
int err_wrap(struct err *e, const char *place_format, ...) __attribute__((format(printf, 2, 3)));

/* Empties the error for the next use. */
void err_clear(struct err *e);

/* The negative code of a set error, 0 when none is set. */
int err_result(const struct err *e);

enum err_class err_class(const struct err *e);
enum err_class err_code_class(enum err_code code);
const char *err_class_name(enum err_class cls);

/* Lower-case name ("binlog_purged"); valid until the next call in this thread. */
const char *err_code_name(enum err_code code);

/* What to do about it, one phrase, static; "" when there is none. */
const char *err_code_todo(enum err_code code);

/* Reverse of err_code_name; ERR_NONE when there is no such name. */
enum err_code err_code_find(const char *name);

#endif
