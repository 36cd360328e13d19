/* Sets of GTIDs from lists in any order: text, wire, and the list at the head of a MariaDB file. What is appended is
 * sorted once at the end, so that a list which somebody else wrote costs O(n log n) whatever its order. */
#include <stdlib.h>

#include "position/gtid_set_impl.h"

int gtid_set_append_interval(struct gtid_set *set, const struct gtid_source *source, struct gtid_interval iv,
                             struct err *e)
{
    int rc = gtid_set_check_limit(set->intervals + 1, e);
    if (rc)
        return rc;
    struct gtid_run *run = set->n ? &set->runs[set->n - 1] : NULL;
    if (!run || gtid_source_compare(&run->source, source) != 0) {
        struct gtid_run *runs = gtid_room_for_one(set->runs, set->n, &set->size, sizeof *runs);
        if (!runs)
            return err_set(e, NO_MEMORY, sizeof *runs);
        set->runs = runs;
        run = &runs[set->n++];
        *run = (struct gtid_run){.source = *source};
    }
    struct gtid_interval *list = gtid_room_for_one(run->iv, run->n, &run->size, sizeof *list);
    if (!list)
        return err_set(e, NO_MEMORY, sizeof *list);
    run->iv = list;
    list[run->n++] = iv;
    set->intervals++;
    return 0;
}

static int append_domain(struct gtid_set *set, const struct gtid *gtid, struct err *e)
{
    int rc = gtid_set_check_limit(set->n_domains + 1, e);
    if (rc)
        return rc;
    struct gtid *domains = gtid_room_for_one(set->domains, set->n_domains, &set->domains_size, sizeof *domains);
    if (!domains)
        return err_set(e, NO_MEMORY, sizeof *domains);
    set->domains = domains;
    domains[set->n_domains++] = *gtid;
    return 0;
}

int gtid_set_append(struct gtid_set *set, const struct gtid *gtid, struct err *e)
{
    int rc = gtid_set_check_gtid(set, gtid, e);
    if (rc || set->flavor == FLAVOR_MARIADB)
        return rc ? rc : append_domain(set, gtid, e);
    struct gtid_source source = gtid_source_of(gtid);
    return gtid_set_append_interval(set, &source, (struct gtid_interval){gtid->number, gtid->number}, e);
}

static int compare_runs(const void *a, const void *b)
{
    return gtid_source_compare(&((const struct gtid_run *)a)->source, &((const struct gtid_run *)b)->source);
}

static int compare_intervals(const void *a, const void *b)
{
    uint64_t x = ((const struct gtid_interval *)a)->first, y = ((const struct gtid_interval *)b)->first;
    return (x > y) - (x < y);
}

static bool runs_rise(const struct gtid_set *set)
{
    for (size_t i = 1; i < set->n; i++)
        if (gtid_source_compare(&set->runs[i - 1].source, &set->runs[i].source) >= 0)
            return false;
    return true;
}

/* Moves the intervals of runs[from + 1 … to - 1], all of one source, behind those of runs[from]. */
static int join_runs(struct gtid_set *set, size_t from, size_t to, struct err *e)
{
    struct gtid_run *into = &set->runs[from];
    size_t total = 0;
    for (size_t i = from; i < to; i++)
        total += set->runs[i].n;
    struct gtid_interval *list = realloc(into->iv, total * sizeof *list);
    if (!list)
        return err_set(e, NO_MEMORY, total * sizeof *list);
    into->iv = list;
    into->size = total;
    for (size_t i = from + 1; i < to; i++) {
        struct gtid_run *run = &set->runs[i];
        memcpy(list + into->n, run->iv, run->n * sizeof *list);
        into->n += run->n;
        free(run->iv);
        *run = (struct gtid_run){.iv = NULL};
    }
    return 0;
}

static int join_sources(struct gtid_set *set, struct err *e)
{
    if (runs_rise(set))
        return 0;
    qsort(set->runs, set->n, sizeof *set->runs, compare_runs);
    for (size_t i = 0, next; i < set->n; i = next) {
        for (next = i + 1; next < set->n && compare_runs(&set->runs[i], &set->runs[next]) == 0;)
            next++;
        int rc = next > i + 1 ? join_runs(set, i, next, e) : 0;
        if (rc)
            return rc;
    }
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++)
        if (set->runs[i].n)
            set->runs[kept++] = set->runs[i];
    set->n = kept;
    return 0;
}

static void settle_run(struct gtid_run *run)
{
    bool rising = true;
    for (size_t i = 1; i < run->n && rising; i++)
        rising = run->iv[i].first > run->iv[i - 1].last + 1;
    if (rising)
        return;
    qsort(run->iv, run->n, sizeof *run->iv, compare_intervals);
    size_t n = run->n;
    run->n = 0;
    for (size_t i = 0; i < n; i++)
        gtid_run_push(run, run->iv[i]);
}

/* Where a domain was named. */
struct naming {
    uint32_t domain;
    size_t index;
};

static int compare_namings(const void *a, const void *b)
{
    const struct naming *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Sorts the domains; of several GTIDs of one the last stays. */
static int settle_domains(struct gtid_set *set, struct err *e)
{
    size_t n = set->n_domains, kept = 0;
    bool rising = true;
    for (size_t i = 1; i < n && rising; i++)
        rising = set->domains[i].domain > set->domains[i - 1].domain;
    if (rising)
        return 0;
    struct naming *order = malloc(n * sizeof *order);
    struct gtid *domains = malloc(n * sizeof *domains);
    if (!order || !domains) {
        free(order);
        free(domains);
        return err_set(e, NO_MEMORY, n * sizeof *domains);
    }
    for (size_t i = 0; i < n; i++)
        order[i] = (struct naming){set->domains[i].domain, i};
    qsort(order, n, sizeof *order, compare_namings);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || order[i + 1].domain != order[i].domain)
            domains[kept++] = set->domains[order[i].index];
    free(order);
    free(set->domains);
    set->domains = domains;
    set->n_domains = kept;
    set->domains_size = n;
    return 0;
}

int gtid_set_settle(struct gtid_set *set, struct err *e)
{
    int rc = settle_domains(set, e);
    if (rc == 0)
        rc = join_sources(set, e);
    if (rc)
        return rc;
    set->intervals = 0;
    set->recent = 0;
    for (size_t i = 0; i < set->n; i++) {
        settle_run(&set->runs[i]);
        set->intervals += set->runs[i].n;
    }
    return 0;
}
