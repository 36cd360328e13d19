/* Any bytes as two GTID sets: each an error, or a set whose text and wire form are read back as it; and the laws of the
 * algebra. First byte: how they are written; second: where the one ends and the other begins, in 1/256 of the rest. */
#include <stdlib.h>
#include <string.h>

#include "position/gtid.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static struct gtid_set *read_set(enum flavor flavor, bool wire, const uint8_t *bytes, size_t len)
{
    struct gtid_set *set = NULL;
    struct err e = ERR_INIT;
    uint8_t *exact = malloc(len ? len : 1); /* a read beyond it is seen */
    MUST(exact);
    if (len)
        memcpy(exact, bytes, len);
    int rc = wire ? gtid_set_decode(&set, exact, len, &e) : gtid_set_parse(&set, flavor, (const char *)exact, len, &e);
    free(exact);
    MUST((rc == 0) == (set != NULL));
    MUST(rc == -(int)e.code && (rc == 0 || e.code == (wire ? ERR_CORRUPT : ERR_POSITION_SYNTAX)));
    return set;
}

static void check_round_trips(const struct gtid_set *set)
{
    struct buf out;
    buf_init(&out, 0);
    gtid_set_print(set, &out);
    struct gtid_set *again = read_set(gtid_set_flavor(set), false, out.p, out.len);
    MUST(again && gtid_set_equal(set, again));
    gtid_set_free(again);
    buf_clear(&out);
    if (gtid_set_flavor(set) == FLAVOR_MYSQL) {
        MUST(gtid_set_encode(set, true, &out, NULL) == 0);
        again = read_set(FLAVOR_MYSQL, true, out.p, out.len);
        MUST(again && gtid_set_equal(set, again));
        gtid_set_free(again);
    }
    buf_release(&out);
}

typedef int change_fn(struct gtid_set *set, const struct gtid_set *other, struct err *e);

static struct gtid_set *result_of(change_fn *change, const struct gtid_set *a, const struct gtid_set *b)
{
    struct gtid_set *set = gtid_set_copy(a);
    MUST(set && gtid_set_equal(set, a));
    MUST(change(set, b, NULL) == 0);
    return set;
}

static void check_laws(const struct gtid_set *a, const struct gtid_set *b)
{
    struct gtid_set *sum = result_of(gtid_set_union, a, b), *rest = result_of(gtid_set_subtract, a, b);
    struct gtid_set *common = result_of(gtid_set_intersect, a, b), *other = result_of(gtid_set_intersect, b, a);
    struct gtid_set *whole = result_of(gtid_set_union, rest, common);
    MUST(gtid_set_equal(whole, a));
    MUST(gtid_set_contains_set(sum, a) && gtid_set_contains_set(sum, b));
    MUST(gtid_set_contains_set(a, rest));
    MUST(gtid_set_contains_set(a, common) && gtid_set_contains_set(b, common));
    MUST(gtid_set_contains_set(common, other) && gtid_set_contains_set(other, common));
    MUST(gtid_set_contains_set(b, a) == gtid_set_is_empty(rest));
    if (gtid_set_flavor(a) == FLAVOR_MYSQL) {
        MUST(gtid_set_equal(common, other));
        MUST(gtid_set_intersect(rest, b, NULL) == 0 && gtid_set_is_empty(rest));
        MUST(gtid_set_equal(a, b) == (gtid_set_contains_set(a, b) && gtid_set_contains_set(b, a)));
        MUST(gtid_set_subtract(sum, b, NULL) == 0 && gtid_set_contains_set(a, sum));
    }
    check_round_trips(common);
    gtid_set_free(sum);
    gtid_set_free(rest);
    gtid_set_free(common);
    gtid_set_free(other);
    gtid_set_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 2)
        return 0;
    bool wire_a = bytes[0] & 1, wire_b = bytes[0] & 2;
    enum flavor flavor = !wire_a && !wire_b && bytes[0] & 4 ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    size_t split = (len - 2) * bytes[1] / 255;
    struct gtid_set *a = read_set(flavor, wire_a, bytes + 2, split);
    struct gtid_set *b = read_set(flavor, wire_b, bytes + 2 + split, len - 2 - split);
    if (a)
        check_round_trips(a);
    if (a && b)
        check_laws(a, b);
    gtid_set_free(a);
    gtid_set_free(b);
    return 0;
}
