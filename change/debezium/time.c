/* Dates and times as Debezium writes them: numbers since 1970 in the unit of time.precision.mode, or ISO texts. */
#include "change/debezium/debezium.h"
#include "value/write.h"

#define DAY_SECONDS 86400
#define DAY_US      ((int64_t)DAY_SECONDS * 1000000)

/* Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years from March, so that the leap day is the
 * last. */
static int32_t days_of(int32_t year, int32_t month, int32_t day)
{
    year -= month <= 2;
    int32_t era = year / 400, of_era = year - era * 400,
            of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The year of a day that exists, two digits as the peer reads them; 0: there is no such day. */
static unsigned real_year(const struct debezium_cell *cell, const struct value *v)
{
    static const uint8_t month_days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = v->t.year;
    if (year == 0 || v->t.month == 0 || v->t.day == 0)
        return 0;
    if (cell->adjust_years && year < 100)
        year += year < 70 ? 2000 : 1900;
    unsigned last = v->t.month == 2 && is_leap(year) ? 29 : month_days[v->t.month];
    return v->t.day <= last ? year : 0;
}

static int64_t clock_us(const struct value *v)
{
    return ((v->t.hour * (int64_t)60 + v->t.minute) * 60 + v->t.second) * 1000000 + v->t.us;
}

static int64_t floor_ms(int64_t us)
{
    return us / 1000 - (us % 1000 < 0);
}

static uint8_t *show_date(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    unsigned year = real_year(cell, v);
    return year ? write_int(o, days_of((int32_t)year, v->t.month, v->t.day)) : piece_copy(o, &cell->zero);
}

/* Since 1970 as if UTC; false when there is no such day. */
static bool datetime_us(const struct debezium_cell *cell, const struct value *v, int64_t *us)
{
    unsigned year = real_year(cell, v);
    if (year)
        *us = days_of((int32_t)year, v->t.month, v->t.day) * DAY_US + clock_us(v);
    return year != 0;
}

static uint8_t *show_datetime_ms(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    int64_t us;
    return datetime_us(cell, v, &us) ? write_int(o, floor_ms(us)) : piece_copy(o, &cell->zero);
}

static uint8_t *show_datetime_us(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    int64_t us;
    return datetime_us(cell, v, &us) ? write_int(o, us) : piece_copy(o, &cell->zero);
}

/* Beyond 1677 … 2262 it wraps. */
static uint8_t *show_datetime_ns(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    int64_t us;
    return datetime_us(cell, v, &us) ? write_int(o, (int64_t)((uint64_t)us * 1000)) : piece_copy(o, &cell->zero);
}

static int64_t signed_us(const struct value *v)
{
    return v->t.negative ? -clock_us(v) : clock_us(v);
}

static uint8_t *show_time_us(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    (void)cell;
    return write_int(o, signed_us(v));
}

static uint8_t *show_time_ns(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    (void)cell;
    return write_int(o, signed_us(v) * 1000);
}

/* A time of day, 24:00:00 too. */
static bool is_of_day(const struct value *v)
{
    int64_t us = signed_us(v);
    return us >= 0 && us <= DAY_US;
}

static uint8_t *show_time_ms(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    return is_of_day(v) ? write_int(o, signed_us(v) / 1000) : piece_copy(o, &cell->null);
}

static uint8_t *write_iso_clock(uint8_t *o, const struct value *v)
{
    unsigned digits = 6;
    o = write_clock(o, v->t.hour % 24u, v->t.minute, v->t.second);
    if (v->t.us == 0)
        return o;
    for (uint32_t left = v->t.us; left % 10 == 0; left /= 10)
        digits--;
    return write_fraction(o, v->t.us, digits);
}

static uint8_t *show_date_iso(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    unsigned year = real_year(cell, v);
    if (!year)
        return piece_copy(o, &cell->zero);
    *o++ = '"';
    o = write_date(o, year, v->t.month, v->t.day);
    *o++ = 'Z';
    *o++ = '"';
    return o;
}

static uint8_t *show_datetime_iso(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    unsigned year = real_year(cell, v);
    if (!year)
        return piece_copy(o, &cell->zero);
    *o++ = '"';
    o = write_date(o, year, v->t.month, v->t.day);
    *o++ = 'T';
    o = write_iso_clock(o, v);
    *o++ = 'Z';
    *o++ = '"';
    return o;
}

static uint8_t *show_time_iso(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    if (!is_of_day(v))
        return piece_copy(o, &cell->null);
    *o++ = '"';
    o = write_iso_clock(o, v);
    *o++ = 'Z';
    *o++ = '"';
    return o;
}

/* The zero timestamp is the epoch. */
static uint8_t *show_timestamp(uint8_t *o, const struct debezium_cell *cell, const struct value *v)
{
    uint32_t seconds = (uint32_t)v->ts.seconds, of_day = seconds % DAY_SECONDS;
    (void)cell;
    *o++ = '"';
    o = write_days(o, seconds / DAY_SECONDS);
    *o++ = 'T';
    o = write_fraction(write_clock(o, of_day / 3600, of_day / 60 % 60, of_day % 60), v->ts.us, v->scale);
    *o++ = 'Z';
    *o++ = '"';
    return o;
}

static bool read_date_scaled(const uint8_t *p, unsigned scale, struct value *v)
{
    (void)scale;
    return read_date(p, v);
}

void debezium_choose_time(struct debezium_cell *cell, const struct coltype *type, const struct debezium_options *opt)
{
    static debezium_show_fn *const dates[] = {
        [TIMES_ADAPTIVE] = show_date,     [TIMES_CONNECT] = show_date,     [TIMES_ISOSTRING] = show_date_iso,
        [TIMES_MICROSECONDS] = show_date, [TIMES_NANOSECONDS] = show_date,
    };
    static debezium_show_fn *const times[] = {
        [TIMES_ADAPTIVE] = show_time_us,     [TIMES_CONNECT] = show_time_ms,     [TIMES_ISOSTRING] = show_time_iso,
        [TIMES_MICROSECONDS] = show_time_us, [TIMES_NANOSECONDS] = show_time_ns,
    };
    static debezium_show_fn *const datetimes[] = {
        [TIMES_ADAPTIVE] = show_datetime_us,    [TIMES_CONNECT] = show_datetime_ms,
        [TIMES_ISOSTRING] = show_datetime_iso,  [TIMES_MICROSECONDS] = show_datetime_us,
        [TIMES_NANOSECONDS] = show_datetime_ns,
    };
    static const struct {
        debezium_read_fn *read;
        debezium_show_fn *const *shows;
    } of_family[FAMILY_COUNT] = {
        [FAMILY_DATE] = {read_date_scaled, dates},           [FAMILY_TIME] = {read_time, times},
        [FAMILY_DATETIME] = {read_datetime, datetimes},      [FAMILY_TIMESTAMP] = {read_timestamp, NULL},
        [FAMILY_TIME_OLD] = {read_time_old, times},          [FAMILY_DATETIME_OLD] = {read_datetime_old, datetimes},
        [FAMILY_TIMESTAMP_OLD] = {read_timestamp_old, NULL},
    };
    bool is_datetime = of_family[type->family].shows == datetimes;
    cell->read = of_family[type->family].read;
    cell->show = of_family[type->family].shows ? of_family[type->family].shows[opt->times] : show_timestamp;
    if (is_datetime && opt->times == TIMES_ADAPTIVE && cell->scale <= 3)
        cell->show = show_datetime_ms;
}

uint8_t *debezium_write_time(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return cell->read(p, cell->scale, &v) ? cell->show(o, cell, &v) : NULL;
}
