/* Sets of GTIDs: storage and the operations. Union, difference and intersection are linear merges into a new set, so
 * that a failure leaves the old one as it was. */
#include <stdlib.h>

#include "position/gtid_set_impl.h"

int gtid_source_compare(const struct gtid_source *a, const struct gtid_source *b)
{
    int order = memcmp(a->uuid, b->uuid, sizeof a->uuid);
    return order ? order : strcmp(a->tag, b->tag);
}

struct gtid_set *gtid_set_new(enum flavor flavor)
{
    struct gtid_set *set = calloc(1, sizeof *set);
    if (set)
        set->flavor = flavor;
    return set;
}

static void release_content(struct gtid_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free(set->runs[i].iv);
    free(set->runs);
    free(set->domains);
}

void gtid_set_free(struct gtid_set *set)
{
    if (!set)
        return;
    release_content(set);
    free(set);
}

enum flavor gtid_set_flavor(const struct gtid_set *set)
{
    return set->flavor;
}

bool gtid_set_is_empty(const struct gtid_set *set)
{
    return set->n == 0 && set->n_domains == 0;
}

/* Index of the run of `source`, or where it belongs. */
static size_t find_run(const struct gtid_set *set, const struct gtid_source *source, bool *found)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = gtid_source_compare(&set->runs[mid].source, source);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = false;
    return low;
}

static size_t find_domain(const struct gtid_set *set, uint32_t domain, bool *found)
{
    size_t low = 0, high = set->n_domains;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->domains[mid].domain < domain)
            low = mid + 1;
        else
            high = mid;
    }
    *found = low < set->n_domains && set->domains[low].domain == domain;
    return low;
}

void *gtid_room_for_one(void *array, size_t n, size_t *size, size_t elem)
{
    if (n < *size)
        return array;
    size_t want = *size ? *size * 2 : 1;
    void *p = realloc(array, want * elem);
    if (p)
        *size = want;
    return p;
}

static int no_memory(struct err *e, size_t len)
{
    return err_set(e, NO_MEMORY, len);
}

int gtid_set_check_limit(size_t intervals, struct err *e)
{
    if (intervals <= GTID_SET_INTERVALS_MAX)
        return 0;
    return err_set(e, LIMIT, "GTID set (16 bytes per interval)", intervals * sizeof(struct gtid_interval),
                   GTID_SET_INTERVALS_MAX * sizeof(struct gtid_interval));
}

static int insert_run(struct gtid_set *set, size_t at, const struct gtid_source *source, struct gtid_interval iv,
                      struct err *e)
{
    struct gtid_run *runs = gtid_room_for_one(set->runs, set->n, &set->size, sizeof *runs);
    if (!runs)
        return no_memory(e, sizeof *runs);
    set->runs = runs;
    struct gtid_interval *list = malloc(sizeof *list);
    if (!list)
        return no_memory(e, sizeof *list);
    list[0] = iv;
    memmove(runs + at + 1, runs + at, (set->n - at) * sizeof *runs);
    runs[at] = (struct gtid_run){.source = *source, .iv = list, .n = 1, .size = 1};
    set->n++;
    set->intervals++;
    return 0;
}

static int insert_interval(struct gtid_set *set, struct gtid_run *run, size_t at, struct gtid_interval iv,
                           struct err *e)
{
    int rc = gtid_set_check_limit(set->intervals + 1, e);
    if (rc)
        return rc;
    struct gtid_interval *list = gtid_room_for_one(run->iv, run->n, &run->size, sizeof *list);
    if (!list)
        return no_memory(e, sizeof *list);
    run->iv = list;
    memmove(list + at + 1, list + at, (run->n - at) * sizeof *list);
    list[at] = iv;
    run->n++;
    set->intervals++;
    return 0;
}

/* Index of the first interval that ends at `number` or later. */
static size_t first_ending_from(const struct gtid_run *run, uint64_t number)
{
    size_t low = 0, high = run->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (run->iv[mid].last < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int add_to_run(struct gtid_set *set, struct gtid_run *run, struct gtid_interval iv, struct err *e)
{
    struct gtid_interval *tail = &run->iv[run->n - 1];
    if (iv.first == tail->last + 1) {
        tail->last = iv.last;
        return 0;
    }
    if (iv.first > tail->last)
        return insert_interval(set, run, run->n, iv, e);
    size_t low = first_ending_from(run, iv.first - 1), high = low;
    while (high < run->n && run->iv[high].first <= iv.last + 1)
        high++;
    if (low == high)
        return insert_interval(set, run, low, iv, e);
    struct gtid_interval *into = &run->iv[low];
    if (into->first > iv.first)
        into->first = iv.first;
    uint64_t last = run->iv[high - 1].last;
    into->last = last > iv.last ? last : iv.last;
    memmove(into + 1, run->iv + high, (run->n - high) * sizeof *into);
    run->n -= high - low - 1;
    set->intervals -= high - low - 1;
    return 0;
}

int gtid_set_add_interval(struct gtid_set *set, const struct gtid_source *source, struct gtid_interval iv,
                          struct err *e)
{
    bool found = set->recent < set->n && gtid_source_compare(&set->runs[set->recent].source, source) == 0;
    size_t at = found ? set->recent : find_run(set, source, &found);
    if (found) {
        set->recent = at;
        return add_to_run(set, &set->runs[at], iv, e);
    }
    int rc = gtid_set_check_limit(set->intervals + 1, e);
    if (rc == 0)
        rc = insert_run(set, at, source, iv, e);
    if (rc == 0)
        set->recent = at;
    return rc;
}

static int add_domain(struct gtid_set *set, const struct gtid *gtid, struct err *e)
{
    bool found;
    size_t at = find_domain(set, gtid->domain, &found);
    if (!found) {
        int rc = gtid_set_check_limit(set->n_domains + 1, e);
        if (rc)
            return rc;
        struct gtid *domains = gtid_room_for_one(set->domains, set->n_domains, &set->domains_size, sizeof *domains);
        if (!domains)
            return no_memory(e, sizeof *domains);
        set->domains = domains;
        memmove(domains + at + 1, domains + at, (set->n_domains - at) * sizeof *domains);
        set->n_domains++;
    }
    set->domains[at] = *gtid;
    return 0;
}

struct gtid_source gtid_source_of(const struct gtid *gtid)
{
    struct gtid_source source = {{0}, {0}};
    memcpy(source.uuid, gtid->uuid, sizeof source.uuid);
    memcpy(source.tag, gtid->tag, strnlen(gtid->tag, GTID_TAG_MAX));
    return source;
}

int gtid_set_check_gtid(const struct gtid_set *set, const struct gtid *gtid, struct err *e)
{
    if (gtid->flavor != set->flavor)
        return err_set(e, BUG, "a GTID of the other flavour is added to a set");
    if (!gtid_is_set(gtid))
        return err_set(e, BUG, "an anonymous transaction is added to a GTID set");
    if (set->flavor == FLAVOR_MYSQL && gtid->number > GTID_NUMBER_MAX)
        return err_set(e, CORRUPT, "a GTID's number is beyond 2^63-2");
    return 0;
}

int gtid_set_add(struct gtid_set *set, const struct gtid *gtid, struct err *e)
{
    int rc = gtid_set_check_gtid(set, gtid, e);
    if (rc || set->flavor == FLAVOR_MARIADB)
        return rc ? rc : add_domain(set, gtid, e);
    struct gtid_source source = gtid_source_of(gtid);
    return gtid_set_add_interval(set, &source, (struct gtid_interval){gtid->number, gtid->number}, e);
}

void gtid_run_push(struct gtid_run *run, struct gtid_interval iv)
{
    struct gtid_interval *tail = run->n ? &run->iv[run->n - 1] : NULL;
    if (tail && iv.first <= tail->last + 1) {
        if (tail->last < iv.last)
            tail->last = iv.last;
        return;
    }
    run->iv[run->n++] = iv;
}

static void merge_union(struct gtid_run *out, const struct gtid_run *a, const struct gtid_run *b)
{
    size_t i = 0, j = 0;
    while (i < a->n || j < b->n) {
        bool from_a = j == b->n || (i < a->n && a->iv[i].first <= b->iv[j].first);
        gtid_run_push(out, from_a ? a->iv[i++] : b->iv[j++]);
    }
}

static void merge_subtract(struct gtid_run *out, const struct gtid_run *a, const struct gtid_run *b)
{
    size_t j = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct gtid_interval rest = a->iv[i];
        bool empty = false;
        while (j < b->n && b->iv[j].last < rest.first)
            j++;
        for (size_t k = j; k < b->n && b->iv[k].first <= rest.last && !empty; k++) {
            if (b->iv[k].first > rest.first)
                out->iv[out->n++] = (struct gtid_interval){rest.first, b->iv[k].first - 1};
            empty = b->iv[k].last >= rest.last;
            rest.first = b->iv[k].last + 1;
        }
        if (!empty)
            out->iv[out->n++] = rest;
    }
}

static void merge_intersect(struct gtid_run *out, const struct gtid_run *a, const struct gtid_run *b)
{
    size_t i = 0, j = 0;
    while (i < a->n && j < b->n) {
        const struct gtid_interval *x = &a->iv[i], *y = &b->iv[j];
        uint64_t first = x->first > y->first ? x->first : y->first;
        uint64_t last = x->last < y->last ? x->last : y->last;
        if (first <= last)
            out->iv[out->n++] = (struct gtid_interval){first, last};
        if (x->last < y->last)
            i++;
        else
            j++;
    }
}

typedef void merge_fn(struct gtid_run *out, const struct gtid_run *a, const struct gtid_run *b);

/* Appends merge(a, b) to `out` unless it is empty. */
static int append_merged(struct gtid_set *out, const struct gtid_run *a, const struct gtid_run *b, merge_fn *merge,
                         struct err *e)
{
    struct gtid_run run = {.source = a->n ? a->source : b->source, .size = a->n + b->n};
    run.iv = malloc(run.size * sizeof *run.iv);
    if (!run.iv)
        return no_memory(e, run.size * sizeof *run.iv);
    merge(&run, a, b);
    int rc = gtid_set_check_limit(out->intervals + run.n, e);
    if (rc || run.n == 0) {
        free(run.iv);
        return rc;
    }
    out->runs[out->n++] = run;
    out->intervals += run.n;
    return 0;
}

/* set := merge(set, other), run by run. */
static int combine(struct gtid_set *set, const struct gtid_set *other, merge_fn *merge, struct err *e)
{
    static const struct gtid_run none;
    struct gtid_set out = {.flavor = set->flavor};
    if (set->n + other->n == 0)
        return 0;
    out.size = set->n + other->n;
    out.runs = malloc(out.size * sizeof *out.runs);
    if (!out.runs)
        return no_memory(e, out.size * sizeof *out.runs);
    size_t i = 0, j = 0;
    int rc = 0;
    while (rc == 0 && (i < set->n || j < other->n)) {
        int order = i == set->n     ? 1
                    : j == other->n ? -1
                                    : gtid_source_compare(&set->runs[i].source, &other->runs[j].source);
        const struct gtid_run *a = order <= 0 ? &set->runs[i++] : &none;
        const struct gtid_run *b = order >= 0 ? &other->runs[j++] : &none;
        rc = append_merged(&out, a, b, merge, e);
    }
    if (rc) {
        release_content(&out);
        return rc;
    }
    release_content(set);
    *set = out;
    return 0;
}

static int check_flavors(const struct gtid_set *a, const struct gtid_set *b, struct err *e)
{
    return a->flavor == b->flavor ? 0 : err_set(e, BUG, "GTID sets of two flavours are combined");
}

int gtid_set_union(struct gtid_set *set, const struct gtid_set *other, struct err *e)
{
    int rc = check_flavors(set, other, e);
    if (rc || set->flavor == FLAVOR_MYSQL)
        return rc ? rc : combine(set, other, merge_union, e);
    for (size_t i = 0; i < other->n_domains && rc == 0; i++) {
        bool found;
        size_t at = find_domain(set, other->domains[i].domain, &found);
        if (!found || set->domains[at].number < other->domains[i].number)
            rc = add_domain(set, &other->domains[i], e);
    }
    return rc;
}

int gtid_set_subtract(struct gtid_set *set, const struct gtid_set *other, struct err *e)
{
    int rc = check_flavors(set, other, e);
    if (rc || set->flavor == FLAVOR_MYSQL)
        return rc ? rc : combine(set, other, merge_subtract, e);
    size_t kept = 0;
    for (size_t i = 0; i < set->n_domains; i++)
        if (!gtid_set_contains(other, &set->domains[i]))
            set->domains[kept++] = set->domains[i];
    set->n_domains = kept;
    return 0;
}

int gtid_set_intersect(struct gtid_set *set, const struct gtid_set *other, struct err *e)
{
    int rc = check_flavors(set, other, e);
    if (rc || set->flavor == FLAVOR_MYSQL)
        return rc ? rc : combine(set, other, merge_intersect, e);
    size_t kept = 0;
    for (size_t i = 0; i < set->n_domains; i++) {
        bool found;
        size_t at = find_domain(other, set->domains[i].domain, &found);
        if (!found)
            continue;
        bool lower = set->domains[i].number <= other->domains[at].number;
        set->domains[kept++] = lower ? set->domains[i] : other->domains[at];
    }
    set->n_domains = kept;
    return 0;
}

struct gtid_set *gtid_set_copy(const struct gtid_set *set)
{
    struct gtid_set *copy = gtid_set_new(set->flavor);
    if (copy && gtid_set_union(copy, set, NULL) != 0) {
        gtid_set_free(copy);
        return NULL;
    }
    return copy;
}

bool gtid_set_has(const struct gtid_set *set, const struct gtid_source *source, uint64_t number)
{
    bool found;
    size_t at = find_run(set, source, &found);
    if (!found)
        return false;
    const struct gtid_run *run = &set->runs[at];
    size_t i = first_ending_from(run, number);
    return i < run->n && run->iv[i].first <= number;
}

bool gtid_set_contains(const struct gtid_set *set, const struct gtid *gtid)
{
    bool found;
    if (set->flavor != gtid->flavor)
        return false;
    if (set->flavor == FLAVOR_MARIADB) {
        size_t at = find_domain(set, gtid->domain, &found);
        return found && set->domains[at].number >= gtid->number;
    }
    struct gtid_source source = gtid_source_of(gtid);
    return gtid_set_has(set, &source, gtid->number);
}

static bool run_contains_run(const struct gtid_run *run, const struct gtid_run *inner)
{
    size_t i = 0;
    for (size_t j = 0; j < inner->n; j++) {
        while (i < run->n && run->iv[i].last < inner->iv[j].last)
            i++;
        if (i == run->n || run->iv[i].first > inner->iv[j].first)
            return false;
    }
    return true;
}

bool gtid_set_contains_set(const struct gtid_set *set, const struct gtid_set *inner)
{
    if (set->flavor != inner->flavor)
        return gtid_set_is_empty(inner);
    for (size_t i = 0; i < inner->n_domains; i++)
        if (!gtid_set_contains(set, &inner->domains[i]))
            return false;
    for (size_t i = 0; i < inner->n; i++) {
        bool found;
        size_t at = find_run(set, &inner->runs[i].source, &found);
        if (!found || !run_contains_run(&set->runs[at], &inner->runs[i]))
            return false;
    }
    return true;
}

bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    if (a->flavor != b->flavor || a->n != b->n || a->n_domains != b->n_domains)
        return false;
    for (size_t i = 0; i < a->n_domains; i++)
        if (!gtid_equal(&a->domains[i], &b->domains[i]))
            return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct gtid_run *x = &a->runs[i], *y = &b->runs[i];
        if (gtid_source_compare(&x->source, &y->source) != 0 || x->n != y->n ||
            memcmp(x->iv, y->iv, x->n * sizeof *x->iv) != 0)
            return false;
    }
    return true;
}
