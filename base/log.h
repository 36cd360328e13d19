/* Log lines for people and machines: logfmt or JSON, one line per event, written whole by one write(2).
 *
 * Only the main loops of threads log (code below pipeline/ returns errors and changes of state instead). Lines carry
 * `ts` (RFC 3339, UTC, milliseconds), `level`, `msg` and the given fields; no row data, no secret. Any thread. */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdint.h>

#include "base/err.h"

struct env;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log;

/* Lines of at least `level` go to `fd`, which stays the caller's. `env` (borrowed) gives the time. NULL: no memory. */
struct log *log_new(const struct env *env, int fd, enum log_format format, enum log_level level);
void log_free(struct log *log);

/* One that writes what `log` writes, with a field of its own in every line, behind `msg`. `name` is borrowed until it
 * is freed; `log` may go before. NULL: no memory, or `log` is NULL. */
struct log *log_new_part(const struct log *log, const char *key, const char *name);

/* One field of a line; made by the LOG_* macros below. Strings are borrowed for the call, escaped by the writer. */
struct log_field {
    const char *key;
    enum { LOG_FIELD_END, LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_REAL } kind;
    union {
        const char *str;
        int64_t i;
        uint64_t u;
        double real;
    } v;
};

#define LOG_STR(key_, value)  ((struct log_field){.key = (key_), .kind = LOG_FIELD_STR, .v.str = (value)})
#define LOG_INT(key_, value)  ((struct log_field){.key = (key_), .kind = LOG_FIELD_INT, .v.i = (int64_t)(value)})
#define LOG_UINT(key_, value) ((struct log_field){.key = (key_), .kind = LOG_FIELD_UINT, .v.u = (uint64_t)(value)})
#define LOG_REAL(key_, value) ((struct log_field){.key = (key_), .kind = LOG_FIELD_REAL, .v.real = (value)})
#define LOG_END               ((struct log_field){.kind = LOG_FIELD_END})

/* log_event(log, LOG_INFO, "connected", LOG_STR("host", host), LOG_UINT("port", port)). A NULL log is silent. */
#define log_event(log, level, msg, ...)                                                                                \
    log_fields((log), (level), (msg), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_END})

void log_fields(struct log *log, enum log_level level, const char *msg, const struct log_field *fields);

/* An error as one line: msg, err=<name>, text, and `todo` when its row has one. Level by class: RETRY warns. */
void log_error(struct log *log, const char *msg, const struct err *e);

#endif
