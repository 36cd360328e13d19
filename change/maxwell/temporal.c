/* DATE, DATETIME, TIMESTAMP and TIME as Maxwell writes them: what Java's calendar makes of dates, and java.sql.Time of
 * times. */
#include "change/maxwell/value.h"
#include "value/write.h"

#define HOURS_A_DAY 24
#define US_A_SECOND 1000000u

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year < 1582 || year % 100 != 0 || year % 400 == 0);
    return days[month] + (leap && month == 2 ? 1u : 0u);
}

/* Java's lenient calendar: a day too many rolls over, and the days that the Gregorian change left out are those ten
 * later. False: zero, or a part of it is. */
static bool real_date(struct value *v)
{
    if (v->t.year == 0 || v->t.month == 0 || v->t.day == 0)
        return false;
    unsigned days = days_of(v->t.year, v->t.month);
    if (v->t.day > days) {
        v->t.day = (uint8_t)(v->t.day - days);
        v->t.month++;
    }
    if (v->t.year == 1582 && v->t.month == 10 && v->t.day >= 5 && v->t.day <= 14)
        v->t.day = (uint8_t)(v->t.day + 10);
    return true;
}

static bool put_zero(struct maxwell_out *out, const struct maxwell_cell *cell, bool clock, unsigned scale)
{
    static const char zeros[] = "\"0000-00-00 00:00:00";
    if (cell->null_dates)
        return maxwell_put_null(out);
    if (!maxwell_put(out, zeros, clock ? sizeof zeros - 1 : sizeof "\"0000-00-00" - 1) || !maxwell_room(out, 8))
        return false;
    out->o = write_fraction(out->o, 0, scale);
    *out->o++ = '"';
    return true;
}

bool maxwell_put_date(struct maxwell_out *out, const struct maxwell_cell *cell, struct value *v)
{
    if (!real_date(v))
        return put_zero(out, cell, false, 0);
    if (!maxwell_room(out, WRITE_DATE_MAX + 2))
        return false;
    *out->o = '"';
    out->o = write_date(out->o + 1, v->t.year, v->t.month, v->t.day);
    *out->o++ = '"';
    return true;
}

bool maxwell_put_datetime(struct maxwell_out *out, const struct maxwell_cell *cell, struct value *v)
{
    if (!real_date(v))
        return put_zero(out, cell, true, v->scale);
    if (!maxwell_room(out, WRITE_DATETIME_MAX + 2))
        return false;
    *out->o = '"';
    out->o = write_datetime(out->o + 1, v);
    *out->o++ = '"';
    return true;
}

bool maxwell_put_timestamp(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v)
{
    uint32_t seconds = (uint32_t)v->ts.seconds, of_day = seconds % 86400;
    if (seconds == 0 && v->ts.us == 0)
        return put_zero(out, cell, true, v->scale);
    if (!maxwell_room(out, WRITE_DATETIME_MAX + 2))
        return false;
    uint8_t *o = out->o;
    *o++ = '"';
    o = write_days(o, seconds / 86400);
    *o++ = ' ';
    o = write_fraction(write_clock(o, of_day / 3600, of_day / 60 % 60, of_day % 60), v->ts.us, v->scale);
    *o++ = '"';
    out->o = o;
    return true;
}

/* What java.sql.Time makes of it: hours modulo 24. */
static bool put_clock(struct maxwell_out *out, uint64_t seconds, uint32_t us, unsigned scale)
{
    if (!maxwell_room(out, WRITE_TIME_MAX + 2))
        return false;
    uint8_t *o = out->o;
    seconds += us / US_A_SECOND;
    *o++ = '"';
    o = write_clock(o, (unsigned)(seconds / 3600 % HOURS_A_DAY), (unsigned)(seconds / 60 % 60),
                    (unsigned)(seconds % 60));
    o = write_fraction(o, us % US_A_SECOND, scale);
    *o++ = '"';
    out->o = o;
    return true;
}

static bool put_exact_time(struct maxwell_out *out, const struct value *v)
{
    if (!maxwell_room(out, WRITE_TIME_MAX + 2))
        return false;
    *out->o = '"';
    out->o = write_time(out->o + 1, v);
    *out->o++ = '"';
    return true;
}

/* The connector takes the bytes of a TIME as they are, of a negative one its complement: ten bits of hours, six of
 * minutes, six of seconds, and a fraction that may carry. */
static bool put_raw_time(struct maxwell_out *out, uint32_t clock, uint32_t us, unsigned scale)
{
    return put_clock(out, (clock >> 12 & 1023) * 3600ull + (clock >> 6 & 63) * 60 + (clock & 63), us, scale);
}

bool maxwell_write_peer_time(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    static const uint32_t units[4] = {0, 10000, 100, 1};
    struct value v;
    if (!read_time(p, cell->scale, &v))
        return false;
    return put_raw_time(out, (uint32_t)maxwell_be(p, 3), (uint32_t)maxwell_be(p + 3, len - 3) * units[len - 3],
                        cell->scale);
}

/* The same of a value that was read: the bytes that it had. */
bool maxwell_put_time(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v)
{
    static const uint32_t units[4] = {1, 10000, 100, 1}, counts[4] = {1, 256, 65536, 16777216};
    unsigned bytes = (v->scale + 1u) / 2;
    uint64_t clock = (uint64_t)v->t.hour << 12 | (uint64_t)v->t.minute << 6 | v->t.second;
    uint64_t n = clock * counts[bytes] + v->t.us / units[bytes], zero = (uint64_t)0x800000 * counts[bytes];
    if (cell->exact_time)
        return put_exact_time(out, v);
    n = v->t.negative ? zero - n : zero + n;
    uint32_t fraction = bytes ? (uint32_t)(n % counts[bytes]) * units[bytes] : 0;
    return put_raw_time(out, (uint32_t)(n / counts[bytes]), fraction, v->scale);
}

bool maxwell_write_temporal(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    switch (cell->type->family) {
    case FAMILY_DATE:
        return read_date(p, &v) && maxwell_put_date(out, cell, &v);
    case FAMILY_TIME:
        return read_time(p, cell->scale, &v) && put_exact_time(out, &v);
    case FAMILY_DATETIME:
        return read_datetime(p, cell->scale, &v) && maxwell_put_datetime(out, cell, &v);
    case FAMILY_TIMESTAMP:
        return read_timestamp(p, cell->scale, &v) && maxwell_put_timestamp(out, cell, &v);
    case FAMILY_TIME_OLD:
        return read_time_old(p, cell->scale, &v) && maxwell_put_time(out, cell, &v);
    case FAMILY_DATETIME_OLD:
        return read_datetime_old(p, cell->scale, &v) && maxwell_put_datetime(out, cell, &v);
    default:
        return read_timestamp_old(p, cell->scale, &v) && maxwell_put_timestamp(out, cell, &v);
    }
}
