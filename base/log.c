/* Log lines as logfmt or JSON. A line is built in one fixed buffer, so that logging works without memory too. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"

/* An error's text at its longest, every byte escaped, with room for the other fields. */
#define LINE_MAX_BYTES 8192
#define LINE_RESERVE   16 /* closes a string and the object, whatever was cut */

struct log {
    const struct env *env;
    int fd;
    enum log_format format;
    enum log_level level;
    const char *key, *name; /* in every line; NULL: no such field */
};

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool cut; /* something did not fit; what follows is left out */
};

struct log *log_new(const struct env *env, int fd, enum log_format format, enum log_level level)
{
    struct log *log = malloc(sizeof *log);
    if (log)
        *log = (struct log){.env = env, .fd = fd, .format = format, .level = level};
    return log;
}

struct log *log_new_part(const struct log *log, const char *key, const char *name)
{
    struct log *part = log ? malloc(sizeof *part) : NULL;
    if (part) {
        *part = *log;
        part->key = key;
        part->name = name;
    }
    return part;
}

void log_free(struct log *log)
{
    free(log);
}

/* All or nothing, so that no escape and no character is halved. */
static void put(struct line *line, const char *bytes, size_t len)
{
    if (line->cut || line->len + len > sizeof line->text - LINE_RESERVE) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Closing marks go into the reserve. */
static void put_close(struct line *line, char mark)
{
    line->text[line->len++] = mark;
}

/* Length of the well-formed UTF-8 character at `p` (RFC 3629), 0 when there is none. */
static size_t utf8_length(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : len;
}

/* JSON's escapes, which logfmt readers know too; bytes that are no UTF-8 become U+FFFD. */
static void put_escaped(struct line *line, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        size_t len = utf8_length(p);
        char escape[8];
        if (len == 0) {
            put_text(line, "\xef\xbf\xbd");
            len = 1;
        } else if (*p == '"' || *p == '\\') {
            put(line, (const char[]){'\\', (char)*p}, 2);
        } else if (*p == '\n' || *p == '\t' || *p == '\r') {
            put(line, (const char[]){'\\', *p == '\n' ? 'n' : *p == '\t' ? 't' : 'r'}, 2);
        } else if (*p < 0x20 || *p == 0x7f) {
            snprintf(escape, sizeof escape, "\\u%04x", *p);
            put_text(line, escape);
        } else {
            put(line, (const char *)p, len);
        }
        p += len;
    }
}

static void put_quoted(struct line *line, const char *text)
{
    put(line, "\"", 1);
    if (line->cut)
        return;
    put_escaped(line, text);
    put_close(line, '"');
}

/* Whether logfmt takes the value as it is. */
static bool is_bare(const char *text)
{
    if (!*text)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '=' || *p == '"' || *p == '\\')
            return false;
    return true;
}

static void put_string(const struct log *log, struct line *line, const char *text)
{
    if (!text)
        text = "";
    if (log->format == LOG_LOGFMT && is_bare(text))
        put_text(line, text);
    else
        put_quoted(line, text);
}

static void put_value(const struct log *log, struct line *line, const struct log_field *field)
{
    char number[400]; /* DBL_MAX has 309 digits */
    switch (field->kind) {
    case LOG_FIELD_STR:
        put_string(log, line, field->v.str);
        return;
    case LOG_FIELD_INT:
        snprintf(number, sizeof number, "%" PRId64, field->v.i);
        break;
    case LOG_FIELD_UINT:
        snprintf(number, sizeof number, "%" PRIu64, field->v.u);
        break;
    case LOG_FIELD_REAL:
        if (isfinite(field->v.real))
            snprintf(number, sizeof number, "%.3f", field->v.real);
        else
            snprintf(number, sizeof number, "null");
        break;
    case LOG_FIELD_END:
        return;
    }
    put_text(line, number);
}

/* A field that does not fit as a whole is left out, but for a string, which is cut at a character. */
static void put_field(const struct log *log, struct line *line, const struct log_field *field)
{
    size_t start = line->len;
    bool first = start <= 1;
    if (log->format == LOG_JSON) {
        put_text(line, first ? "" : ",");
        put_quoted(line, field->key);
        put(line, ":", 1);
    } else {
        put_text(line, first ? "" : " ");
        put_text(line, field->key);
        put(line, "=", 1);
    }
    bool name_fits = !line->cut;
    size_t value = line->len;
    put_value(log, line, field);
    if (!name_fits || line->len == value)
        line->len = start;
}

static void format_time(const struct log *log, char out[40])
{
    int64_t now_us = env_now_us(log->env);
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    size_t len = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, 40 - len, ".%03uZ", (unsigned)(now_us / 1000 % 1000));
}

static void write_line(const struct log *log, const struct line *line)
{
    size_t done = 0;
    while (done < line->len) {
        ssize_t n = write(log->fd, line->text + done, line->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere to tell */
        done += (size_t)n;
    }
}

void log_fields(struct log *log, enum log_level level, const char *msg, const struct log_field *fields)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    if (!log || level < log->level)
        return;
    struct line line = {.len = 0};
    char ts[40];
    format_time(log, ts);
    if (log->format == LOG_JSON)
        put(&line, "{", 1);
    const struct log_field head[] = {LOG_STR("ts", ts), LOG_STR("level", levels[level]), LOG_STR("msg", msg)};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        put_field(log, &line, &head[i]);
    if (log->key)
        put_field(log, &line, &LOG_STR(log->key, log->name));
    for (; fields->kind != LOG_FIELD_END; fields++)
        put_field(log, &line, fields);
    if (log->format == LOG_JSON)
        put_close(&line, '}');
    put_close(&line, '\n');
    write_line(log, &line);
}

void log_error(struct log *log, const char *msg, const struct err *e)
{
    enum log_level level = err_class(e) == ERR_CLASS_RETRY ? LOG_WARN : LOG_ERROR;
    if (!e || e->code == ERR_NONE) {
        log_event(log, level, msg);
        return;
    }
    const char *todo = err_code_todo(e->code);
    struct log_field fields[] = {LOG_STR("err", err_code_name(e->code)), LOG_STR("text", e->text), LOG_END, LOG_END};
    if (todo[0])
        fields[2] = LOG_STR("todo", todo);
    log_fields(log, level, msg, fields);
}
