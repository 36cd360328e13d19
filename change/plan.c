/* The steps of a shape, compiled from its table. */
#include "change/plan.h"

int plan_build(const struct shape_plan **out, struct arena *arena, const struct table *tbl, struct err *e)
{
    size_t bytes = sizeof(struct plan_column) * tbl->column_count;
    struct shape_plan *plan = arena_alloc(arena, sizeof *plan);
    struct plan_column *columns = arena_alloc(arena, bytes);
    if (!plan || !columns)
        return err_set(e, NO_MEMORY, sizeof *plan + bytes);
    *plan = (struct shape_plan){
        .columns = columns, .column_count = tbl->column_count, .bitmap_bytes = (tbl->column_count + 7u) / 8};
    for (unsigned i = 0; i < tbl->column_count; i++) {
        const struct coltype *type = &tbl->columns[i].type;
        columns[i] = (struct plan_column){.fixed = type->fixed, .walk = type->walk};
        if (type->walk == WALK_FIXED)
            plan->fixed_bytes += type->fixed;
    }
    *out = plan;
    return 0;
}
