/* Text of one option → its typed field, within its bounds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config_private.h"

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1}, {"KiB", (uint64_t)1 << 10}, {"MiB", (uint64_t)1 << 20}, {"GiB", (uint64_t)1 << 30}, {NULL, 0}};
static const struct unit duration_units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};

/* Words are at most so long that a message stays readable. */
#define QUOTE "'%.64s'"

static int value_error(const struct option_target *target, struct err *e, const char *text, const char *words)
{
    char line[256];
    snprintf(line, sizeof line, QUOTE " %s", text, words);
    return err_set(e, CONFIG_VALUE, target->place, line);
}

/* Decimal digits from `*p` on, which goes behind them; -1 when there are none or they pass 64 bits. */
static int read_digits(const char **p, uint64_t *out)
{
    const char *s = *p;
    uint64_t v = 0;
    if (*s < '0' || *s > '9')
        return -1;
    for (; *s >= '0' && *s <= '9'; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return -1;
        v = v * 10 + digit;
    }
    *p = s;
    *out = v;
    return 0;
}

void option_number(char out[OPTION_NUMBER_MAX], enum option_type type, uint64_t v)
{
    const struct unit *units = type == OPTION_SIZE ? size_units : type == OPTION_DURATION ? duration_units : NULL;
    const struct unit *best = NULL;
    for (const struct unit *unit = units; unit && unit->suffix; unit++)
        if (v >= unit->factor && v % unit->factor == 0)
            best = unit; /* units rise */
    snprintf(out, OPTION_NUMBER_MAX, "%" PRIu64 "%s", best ? v / best->factor : v, best ? best->suffix : "");
}

static int bound_error(const struct option_target *target, struct err *e, const char *text, const char *side,
                       uint64_t bound)
{
    char number[OPTION_NUMBER_MAX], words[OPTION_NUMBER_MAX + 16];
    option_number(number, target->opt->type, bound);
    snprintf(words, sizeof words, "is %s %s", side, number);
    return value_error(target, e, text, words);
}

static int check_bounds(const struct option_target *target, struct err *e, const char *text, uint64_t v)
{
    const struct option *opt = target->opt;
    if (opt->min > 0 && v < (uint64_t)opt->min)
        return bound_error(target, e, text, "below", (uint64_t)opt->min);
    if (opt->max > 0 && v > (uint64_t)opt->max)
        return bound_error(target, e, text, "above", (uint64_t)opt->max);
    return 0;
}

static int store_unsigned(const struct option_target *target, const char *text, const struct unit *units,
                          const char *wanted, struct err *e)
{
    const char *p = text;
    uint64_t v;
    if (read_digits(&p, &v) != 0)
        return value_error(target, e, text, wanted);
    if (units[1].suffix)
        p += strspn(p, " ");
    const struct unit *unit = units;
    while (unit->suffix && strcmp(unit->suffix, p) != 0)
        unit++;
    if (!unit->suffix || v > UINT64_MAX / unit->factor)
        return value_error(target, e, text, wanted);
    v *= unit->factor;
    int rc = check_bounds(target, e, text, v);
    if (rc == 0)
        *(uint64_t *)target->field = v;
    return rc;
}

static int store_int(const struct option_target *target, const char *text, struct err *e)
{
    const struct option *opt = target->opt;
    bool negative = *text == '-';
    const char *p = text + negative;
    uint64_t v;
    if (read_digits(&p, &v) != 0 || *p || v > (uint64_t)INT64_MAX)
        return value_error(target, e, text, "is not a whole number");
    int64_t number = negative ? -(int64_t)v : (int64_t)v;
    char words[64];
    if ((opt->min != 0 || opt->max != 0) && number < opt->min) {
        snprintf(words, sizeof words, "is below %" PRId64, opt->min);
        return value_error(target, e, text, words);
    }
    if (opt->max > 0 && number > opt->max) {
        snprintf(words, sizeof words, "is above %" PRId64, opt->max);
        return value_error(target, e, text, words);
    }
    *(int64_t *)target->field = number;
    return 0;
}

static int store_port(const struct option_target *target, const char *text, struct err *e)
{
    const char *p = text;
    uint64_t v;
    if (read_digits(&p, &v) != 0 || *p || v < 1 || v > 65535)
        return value_error(target, e, text, "is not a port, 1 to 65535");
    *(uint16_t *)target->field = (uint16_t)v;
    return 0;
}

static int store_bool(const struct option_target *target, const char *text, struct err *e)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *(bool *)target->field = i >= 3;
            return 0;
        }
    return value_error(target, e, text, "is not true or false");
}

static int store_enum(const struct option_target *target, const char *text, struct err *e)
{
    struct buf words;
    buf_init(&words, 512);
    buf_text(&words, "is none of");
    for (const struct option_name *n = target->opt->names; n->name; n++) {
        if (strcmp(n->name, text) == 0) {
            *(int *)target->field = n->value;
            buf_release(&words);
            return 0;
        }
        buf_printf(&words, "%s %s", n == target->opt->names ? "" : ",", n->name);
    }
    buf_byte(&words, '\0');
    int rc = value_error(target, e, text, words.failed ? "is not a known name" : (const char *)words.p);
    buf_release(&words);
    return rc;
}

static int store_string(const struct option_target *target, const char *text, struct err *e)
{
    return config_copy(target->cfg, text, strlen(text), (const char **)target->field, e);
}

/* Room for one item more: the arrays hold the next power of two, so they are full when the count is one. */
static int grow_list(const struct option_target *target, struct option_list *list, struct err *e)
{
    if ((list->count & (list->count - 1)) != 0)
        return 0;
    size_t room = list->count ? 2 * list->count : 1;
    const char **items = arena_alloc(&target->cfg->arena, room * sizeof *items);
    unsigned *lines = arena_alloc(&target->cfg->arena, room * sizeof *lines);
    if (!items || !lines)
        return err_set(e, NO_MEMORY, room * sizeof *items);
    if (list->count) {
        memcpy(items, list->items, list->count * sizeof *items);
        memcpy(lines, list->lines, list->count * sizeof *lines);
    }
    list->items = items;
    list->lines = lines;
    return 0;
}

/* Both arrays are the arena's own, made by grow_list. */
static int store_item(const struct option_target *target, const char *text, struct err *e)
{
    struct option_list *list = target->field;
    const char *copy = NULL;
    int rc = grow_list(target, list, e);
    if (rc == 0)
        rc = config_copy(target->cfg, text, strlen(text), &copy, e);
    if (rc != 0)
        return rc;
    ((const char **)list->items)[list->count] = copy;
    ((unsigned *)list->lines)[list->count] = target->line;
    list->count++;
    return 0;
}

int option_store(const struct option_target *target, const char *text, struct err *e)
{
    static const struct unit none[] = {{"", 1}, {NULL, 0}};
    switch (target->opt->type) {
    case OPTION_STRING:
    case OPTION_SECRET:
        return store_string(target, text, e);
    case OPTION_BOOL:
        return store_bool(target, text, e);
    case OPTION_INT:
        return store_int(target, text, e);
    case OPTION_UINT:
        return store_unsigned(target, text, none, "is not a whole number of 0 or more", e);
    case OPTION_SIZE:
        return store_unsigned(target, text, size_units, "is not a size (65536, 64KiB, 8MiB, 1GiB)", e);
    case OPTION_DURATION:
        return store_unsigned(target, text, duration_units, "is not a duration (200ms, 10s, 5m, 1h)", e);
    case OPTION_ENUM:
        return store_enum(target, text, e);
    case OPTION_LIST:
        return store_item(target, text, e);
    case OPTION_PORT:
        return store_port(target, text, e);
    }
    return err_set(e, BUG, "an option table has an unknown type");
}
