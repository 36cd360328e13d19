/* What a checkpoint tells about the newest epoch. All before the newest is complete by the line that begins it, so what
 * no line covers is the newest's own, or older than the table.
 *
 * MySQL's set says exactly which transactions were read. MariaDB's names only the last of each domain; epochs_assign
 * hands out a line whenever an epoch's numbers do not go on one by one from one server, so what is missing lies in a
 * row behind the last number. In an epoch that is numbered by position all up to the checkpoint's place is its own. */
#include "position/epoch_impl.h"

static struct epoch *newest(struct epochs *epochs)
{
    return &epochs->list[epochs->n - 1];
}

static int add(struct gtid_set *set, const struct gtid_source *source, uint64_t first, uint64_t last, struct err *e)
{
    return first > last ? 0 : gtid_set_add_interval(set, source, (struct gtid_interval){first, last}, e);
}

/* The writer's numbers behind the last one. */
static int mysql_by_number(struct epochs *epochs, const struct gtid_set *upto, struct gtid_set *out, struct err *e)
{
    const struct epoch *now = newest(epochs);
    struct gtid_source source = gtid_source_for(&now->writer);
    for (size_t i = 0; i < upto->n; i++) {
        const struct gtid_run *run = &upto->runs[i];
        if (gtid_source_compare(&run->source, &source) != 0)
            continue;
        for (size_t k = 0; k < run->n; k++) {
            uint64_t first = run->iv[k].first > now->last ? run->iv[k].first : now->last + 1;
            if (add(out, &source, first, run->iv[k].last, e) != 0)
                return err_result(e);
        }
    }
    return 0;
}

/* Without a base nobody knows what is older than the table: places alone tell then. */
static int mysql_by_switch(struct epochs *epochs, const struct gtid_set *upto, struct gtid_set *out, struct err *e)
{
    return epochs->has_base && epochs->base.gtids ? gtid_set_union(out, upto, e) : 0;
}

static bool in_another_epoch(const struct epochs *epochs, const struct gtid *gtid)
{
    struct gtid_source source = gtid_source_for(gtid);
    for (size_t i = 0; i + 1 < epochs->n; i++)
        if (gtid_set_has(epochs->list[i].seen, &source, gtid->number))
            return true;
    return false;
}

static const struct gtid *of_domain(const struct gtid_set *set, uint32_t domain)
{
    for (size_t i = 0; set && i < set->n_domains; i++)
        if (set->domains[i].domain == domain)
            return &set->domains[i];
    return NULL;
}

static int mariadb_by_number(struct epochs *epochs, const struct gtid_set *upto, struct gtid_set *out, struct err *e)
{
    const struct epoch *now = newest(epochs);
    const struct gtid *last = of_domain(upto, now->writer.domain);
    const struct gtid *old = of_domain(epochs->base.gtids, now->writer.domain);
    if (!last || last->number <= now->last || last->number > GTID_NUMBER_MAX || (old && gtid_equal(old, last)) ||
        in_another_epoch(epochs, last))
        return 0;
    struct gtid_source source = gtid_source_for(last);
    bool in_a_row = gtid_set_has(now->seen, &source, now->last);
    /* Lines were held back (EPOCH_LINES_PER_HOUR_MAX): any of the epoch's servers may have written them. */
    for (size_t i = 0; i < now->seen->n && !in_a_row; i++)
        if (add(out, &now->seen->runs[i].source, now->last + 1, last->number, e) != 0)
            return err_result(e);
    return add(out, &source, now->last + 1, last->number, e);
}

/* Only so that a replay from another server stops: on the recorded one the place tells. */
static int mariadb_by_switch(struct epochs *epochs, const struct gtid_set *upto, struct gtid_set *out, struct err *e)
{
    for (size_t i = 0; i < upto->n_domains; i++) {
        const struct gtid *last = &upto->domains[i], *old = of_domain(epochs->base.gtids, last->domain);
        uint64_t known = old ? old->number : 0;
        for (size_t k = 0; k < epochs->n; k++) {
            uint64_t high = epochs_highest(epochs->list[k].seen, last);
            known = high > known ? high : known;
        }
        struct gtid_source source = gtid_source_for(last);
        if (last->number <= GTID_NUMBER_MAX && add(out, &source, known + 1, last->number, e) != 0)
            return err_result(e);
    }
    return 0;
}

/* Removes what other epochs have and what is older than the table. */
static int remove_known(struct epochs *epochs, struct gtid_set *set, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i + 1 < epochs->n && rc == 0 && !gtid_set_is_empty(set); i++)
        rc = gtid_set_subtract(set, epochs->list[i].seen, e);
    if (rc == 0 && epochs->flavor == FLAVOR_MYSQL && epochs->base.gtids)
        rc = gtid_set_subtract(set, epochs->base.gtids, e);
    return rc;
}

static int take(struct epochs *epochs, const struct gtid_set *set, struct err *e)
{
    struct epoch *now = newest(epochs);
    if (gtid_set_is_empty(set))
        return 0;
    if (gtid_set_union(epochs->fresh, set, e) != 0 || gtid_set_union(now->seen, set, e) != 0)
        return err_result(e);
    uint64_t last = epoch_is_by_position(now) ? 0 : epochs_highest(set, &now->writer);
    if (last > now->last)
        now->last = last;
    epochs->dirty = true;
    epochs->high_known = false;
    return 0;
}

static int extend_gtids(struct epochs *epochs, const struct gtid_set *upto, struct err *e)
{
    static int (*const find[2][2])(struct epochs *, const struct gtid_set *, struct gtid_set *, struct err *) = {
        [FLAVOR_MYSQL] = {mysql_by_number, mysql_by_switch}, [FLAVOR_MARIADB] = {mariadb_by_number, mariadb_by_switch}};
    enum epoch_numbering by = newest(epochs)->by;
    if (by == EPOCH_BY_POSITION)
        return 0;
    struct gtid_set *missing = gtid_set_new(FLAVOR_MYSQL);
    if (!missing)
        return err_set(e, NO_MEMORY, sizeof(void *));
    int rc = find[epochs->flavor][by == EPOCH_BY_SWITCH](epochs, upto, missing, e);
    if (rc == 0)
        rc = remove_known(epochs, missing, e);
    if (rc == 0)
        rc = take(epochs, missing, e);
    gtid_set_free(missing);
    return rc;
}

static void extend_place(struct epochs *epochs, const struct position *upto)
{
    struct epoch *now = newest(epochs);
    uint64_t end = filepos_sequence(&upto->at);
    if (!epoch_is_by_position(now) || !upto->at.file[0] || strcmp(upto->server_uuid, now->server) != 0 ||
        end <= now->last + 1)
        return;
    now->last = end - 1;
    epochs->dirty = true;
    epochs->high_known = false;
}

int epochs_extend(struct epochs *epochs, const struct position *upto, struct err *e)
{
    if (epochs->n == 0 || epochs->cut)
        return 0;
    extend_place(epochs, upto);
    return upto->gtids && upto->gtids->flavor == epochs->flavor ? extend_gtids(epochs, upto->gtids, e) : 0;
}
