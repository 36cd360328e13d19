/* What a person types for a start or an end, told apart by its form. */
#include <string.h>

#include "position/gtid_set_impl.h"
#include "position/position.h"
#include "position/scan.h"

/* Days from 1970-01-01 of a date of the Gregorian calendar (years counted from March, so that leap days come last). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era_year = year % 400;
    int64_t year_day = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return year / 400 * 146097 + era_year * 365 + era_year / 4 - era_year / 100 + year_day - 719468;
}

/* Takes exactly `n` digits. */
static bool scan_digits(struct scan *s, unsigned n, int64_t *out)
{
    struct scan part = {s->p, s->p + n};
    uint64_t v;
    if ((size_t)(s->end - s->p) < n || !scan_u64(&part, INT32_MAX, &v) || !scan_at_end(&part))
        return false;
    s->p += n;
    *out = (int64_t)v;
    return true;
}

/* Takes `.` and one to six digits as microseconds; 0 when there is no point. */
static bool scan_fraction(struct scan *s, int64_t *us)
{
    *us = 0;
    if (!scan_char(s, '.'))
        return true;
    unsigned digits = 0;
    for (; s->p < s->end && scan_is_digit(*s->p) && digits < 6; digits++)
        *us = *us * 10 + (*s->p++ - '0');
    for (unsigned i = digits; i < 6; i++)
        *us *= 10;
    return digits > 0;
}

static bool date_is_valid(int64_t year, int64_t month, int64_t day)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* True when the text has the form of a date with a time behind it; *ok when it is a valid one. */
static bool scan_time(struct scan s, int64_t *time_us, bool *ok)
{
    int64_t year, month, day, hour, minute, second, us;
    if (!scan_digits(&s, 4, &year) || !scan_char(&s, '-') || !scan_digits(&s, 2, &month) || !scan_char(&s, '-') ||
        !scan_digits(&s, 2, &day) || !(scan_char(&s, 'T') || scan_char(&s, ' ')))
        return false;
    *ok = scan_digits(&s, 2, &hour) && scan_char(&s, ':') && scan_digits(&s, 2, &minute) && scan_char(&s, ':') &&
          scan_digits(&s, 2, &second) && scan_fraction(&s, &us) && (scan_char(&s, 'Z') || true) && scan_at_end(&s) &&
          date_is_valid(year, month, day) && hour < 24 && minute < 60 && second < 60;
    if (*ok)
        *time_us = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + us;
    return true;
}

static bool has_form_of_mysql_set(struct scan s)
{
    uint8_t uuid[16];
    scan_space(&s);
    if (!gtid_scan_uuid(&s, uuid))
        return false;
    scan_space(&s);
    return scan_char(&s, ':');
}

static bool has_form_of_mariadb_set(struct scan s)
{
    if (scan_at_end(&s))
        return false;
    for (; s.p < s.end; s.p++)
        if (!scan_is_digit(*s.p) && !strchr("-, \t\r\n", *s.p))
            return false;
    return true;
}

static int parse_set(struct start *out, enum flavor flavor, const char *text, struct err *e)
{
    struct gtid_set *set;
    int rc = gtid_set_parse(&set, flavor, text, strlen(text), e);
    if (rc)
        return rc;
    *out = (struct start){.kind = START_GTID};
    out->pos.gtids = set;
    return 0;
}

int start_parse(struct start *out, const char *text, struct err *e)
{
    size_t len = strlen(text);
    struct scan s = scan_over(text, len);
    int64_t time_us = 0;
    bool ok = false;
    if (strcmp(text, "current") == 0 || strcmp(text, "earliest") == 0) {
        *out = (struct start){.kind = text[0] == 'c' ? START_CURRENT : START_EARLIEST};
        return 0;
    }
    if (scan_time(s, &time_us, &ok)) {
        if (!ok)
            return scan_error(e, text, len, "a time is 2026-11-22T10:00:00Z, in UTC");
        *out = (struct start){.kind = START_TIME, .time_us = time_us};
        return 0;
    }
    if (has_form_of_mysql_set(s))
        return parse_set(out, FLAVOR_MYSQL, text, e);
    if (has_form_of_mariadb_set(s))
        return parse_set(out, FLAVOR_MARIADB, text, e);
    struct filepos at;
    int rc = filepos_parse(&at, text, len, e);
    if (rc)
        return rc;
    *out = (struct start){.kind = START_FILEPOS};
    out->pos.at = at;
    return 0;
}

int end_parse(struct start *out, const char *text, struct err *e)
{
    if (strcmp(text, "current") == 0 || strcmp(text, "earliest") == 0)
        return scan_error(e, text, strlen(text), "an end is file:pos, a GTID set or a time");
    return start_parse(out, text, e);
}
