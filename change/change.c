/* The values of a change. */
#include "change/change.h"

static void all_absent(struct value *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        out[i] = (struct value){.kind = VALUE_ABSENT};
}

/* Unchanged columns of an update: those that its after image lacks, from the before image. */
static int fill_from_before(const struct change *chg, const struct colset *wanted, struct value *out, unsigned count,
                            struct arena *arena, struct err *e)
{
    unsigned missing = 0;
    for (unsigned i = 0; i < count; i++)
        missing += out[i].kind == VALUE_ABSENT;
    if (missing == 0)
        return 0;
    uint16_t *index = arena_alloc(arena, sizeof *index * missing);
    struct value *values = arena_alloc(arena, sizeof *values * missing);
    if (!index || !values)
        return err_set(e, NO_MEMORY, (sizeof *index + sizeof *values) * missing);
    unsigned n = 0;
    for (unsigned i = 0; i < count; i++)
        if (out[i].kind == VALUE_ABSENT)
            index[n++] = wanted ? wanted->index[i] : (uint16_t)i;
    struct colset set = {index, missing};
    int rc = chg->shape->codec->values(chg->shape, &chg->before, NULL, &set, values, arena, e);
    if (rc != 0)
        return rc;
    n = 0;
    for (unsigned i = 0; i < count; i++)
        if (out[i].kind == VALUE_ABSENT)
            out[i] = values[n++];
    return 0;
}

static unsigned wanted_count(const struct change *chg, const struct colset *wanted)
{
    return wanted ? wanted->count : chg->shape ? chg->shape->tbl->column_count : 0;
}

int change_image_values(const struct change *chg, enum side side, const struct colset *wanted, struct value *out,
                        struct arena *arena, struct err *e)
{
    const struct image *image = side == SIDE_BEFORE ? &chg->before : &chg->after;
    if (!image->bytes) {
        all_absent(out, wanted_count(chg, wanted));
        return 0;
    }
    return chg->shape->codec->values(chg->shape, image, &chg->before, wanted, out, arena, e);
}

int change_values(const struct change *chg, enum side side, const struct colset *wanted, struct value *out,
                  struct arena *arena, struct err *e)
{
    unsigned count = wanted_count(chg, wanted);
    int rc = change_image_values(chg, side, wanted, out, arena, e);
    if (side == SIDE_BEFORE || rc != 0)
        return rc;
    if (chg->op == CHANGE_UPDATE && chg->before.bytes && chg->after.bytes)
        rc = fill_from_before(chg, wanted, out, count, arena, e);
    for (unsigned i = 0; rc == 0 && chg->after.partial && i < count; i++)
        if (out[i].kind == VALUE_JSON_DIFF)
            out[i] = (struct value){.kind = VALUE_ABSENT};
    return rc;
}

const char *change_op_name(enum change_op op)
{
    static const char *const names[] = {
        [CHANGE_INSERT] = "insert", [CHANGE_UPDATE] = "update",     [CHANGE_DELETE] = "delete",
        [CHANGE_READ] = "read",     [CHANGE_TRUNCATE] = "truncate", [CHANGE_STATEMENT] = "statement",
        [CHANGE_BEGIN] = "begin",   [CHANGE_END] = "end",
    };
    return names[op];
}
