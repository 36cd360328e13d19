/* Reading the log of a history back: what was put is put again, behind the version that it was put behind. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "schema/history_private.h"

struct loading {
    struct history *h;
    const char *dir;
    struct history_point **points; /* by number, from 1; a reference each */
    uint32_t n, size;
    bool own;
    size_t item; /* from 1, for the words of an error */
};

struct text {
    const char *p;
    size_t len;
};

static int corrupt(struct loading *l, const char *why, struct err *e)
{
    int rc = err_set(e, HISTORY_CORRUPT, why);
    err_wrap(e, "%s/%s.log: item %zu", l->dir, HISTORY_LOG_NAME, l->item);
    return rc;
}

/* A name as a text with a NUL behind it. */
static void take_name(struct cursor *cur, char out[HISTORY_NAME_MAX + 1])
{
    size_t len = cursor_u16(cur);
    const uint8_t *p = len <= HISTORY_NAME_MAX ? cursor_take(cur, len) : NULL;
    out[0] = '\0';
    if (!p || memchr(p, '\0', len)) {
        cur->bad = cur->bad || !p || len > 0;
        return;
    }
    memcpy(out, p, len);
    out[len] = '\0';
}

static struct text take_text(struct cursor *cur, size_t max)
{
    size_t len = cursor_u32(cur);
    const uint8_t *p = len <= max ? cursor_take(cur, len) : NULL;
    if (!p && len > 0)
        cur->bad = true;
    return (struct text){(const char *)p, p ? len : 0};
}

static int keep_point(struct loading *l, const struct history_seen *place, struct err *e)
{
    if (l->n == l->size) {
        uint32_t size = l->size ? 2 * l->size : 64;
        struct history_point **points = realloc(l->points, size * sizeof(struct history_point *));
        if (!points)
            return err_set(e, NO_MEMORY, size * sizeof(struct history_point *));
        l->points = points;
        l->size = size;
    }
    struct history_point *point = history_point_take(l->h, place);
    if (!point)
        return err_set(e, NO_MEMORY, sizeof *point);
    l->points[l->n++] = point;
    if (l->own)
        point->log_id = l->n;
    return 0;
}

static int load_gtids(struct loading *l, struct cursor *cur, struct gtid *gtid, struct gtid_set **set, struct err *e)
{
    char name[HISTORY_NAME_MAX + 1];
    struct err why = ERR_INIT;
    unsigned flavor = cursor_u8(cur);
    take_name(cur, name);
    bool has_set = cursor_u8(cur);
    struct text text = take_text(cur, STATE_ENTRY_MAX);
    if (cursor_finish(cur) != 0 || flavor > HISTORY_NO_FLAVOR ||
        (flavor == HISTORY_NO_FLAVOR && (name[0] || has_set)) || (!has_set && text.len))
        return corrupt(l, "a place that cannot be read", e);
    if (name[0] && gtid_parse(gtid, (enum flavor)flavor, name, strlen(name), &why) != 0)
        return corrupt(l, "a GTID that cannot be read", e);
    if (has_set && gtid_set_parse(set, (enum flavor)flavor, text.p ? text.p : "", text.len, &why) != 0)
        return why.code == ERR_NO_MEMORY ? err_set(e, NO_MEMORY, text.len)
                                         : corrupt(l, "a set of GTIDs that cannot be read", e);
    return 0;
}

static int load_point(struct loading *l, struct cursor *cur, struct err *e)
{
    char uuid[HISTORY_NAME_MAX + 1], file[HISTORY_NAME_MAX + 1];
    struct gtid gtid = {.number = 0};
    struct gtid_set *set = NULL;
    uint32_t id = cursor_u32(cur);
    uint64_t pos = cursor_u64(cur);
    take_name(cur, uuid);
    take_name(cur, file);
    if (load_gtids(l, cur, &gtid, &set, e) != 0)
        return err_result(e);
    if (id != l->n + 1 || strlen(file) > FILEPOS_FILE_MAX) {
        gtid_set_free(set);
        return corrupt(l, "a place out of order", e);
    }
    struct history_seen place = {uuid, file, filepos_file_number(file), pos, set, &gtid};
    int rc = keep_point(l, &place, e);
    gtid_set_free(set);
    return rc;
}

/* The place of a number; 0 is none. */
static bool point_of(const struct loading *l, uint32_t id, const struct history_point **out)
{
    *out = id && id <= l->n ? l->points[id - 1] : NULL;
    return id <= l->n;
}

static int put_again(struct loading *l, const struct history_version *v, const struct history_change *change,
                     const struct history_point *after, const struct history_point *seen, struct err *e)
{
    struct history_slot slot = {.entry = NULL};
    struct history_seen at = history_see_point(seen ? seen : history_point_of(v->place));
    const struct history_reading reading = {.found = true, .beside = l->own && l->h->has_base, .after = after};
    int rc = history_stage(l->h, &slot, change, v, &at, &reading, e);
    if (rc == 0)
        history_commit(l->h, &slot);
    else
        history_unstage(l->h, &slot);
    history_trim_candidates(l->h);
    return rc;
}

static int load_version(struct loading *l, struct cursor *cur, struct err *e)
{
    char db[HISTORY_NAME_MAX + 1], table[HISTORY_NAME_MAX + 1];
    const struct history_point *place, *window, *after, *seen;
    unsigned kind = cursor_u8(cur), origin = cursor_u8(cur), flags = cursor_u8(cur);
    bool known = point_of(l, cursor_u32(cur), &place);
    known &= point_of(l, cursor_u32(cur), &window);
    known &= point_of(l, cursor_u32(cur), &after);
    known &= point_of(l, cursor_u32(cur), &seen);
    take_name(cur, db);
    take_name(cur, table);
    struct text text = take_text(cur, HISTORY_TEXT_MAX);
    if (cursor_finish(cur) != 0 || kind > HISTORY_UNKNOWN || origin > HISTORY_IMPORT || flags > HISTORY_FLAGS)
        return corrupt(l, "a version that cannot be read", e);
    if (!known || !place || (kind == HISTORY_GONE && text.len))
        return corrupt(l, "a version without a place", e);
    const struct history_change change = {.db = db,
                                          .table = table,
                                          .kind = (enum history_kind)kind,
                                          .candidate = (flags & HISTORY_CANDIDATE) != 0,
                                          .created = (flags & HISTORY_CREATED) != 0};
    const struct history_version v = {.kind = (enum history_kind)kind,
                                      .origin = (enum history_origin)origin,
                                      .text = text.p,
                                      .len = text.len,
                                      .place = &place->pub,
                                      .window = window ? &window->pub : NULL};
    return put_again(l, &v, &change, after, seen, e);
}

static int load_cut(struct loading *l, struct cursor *cur, struct err *e)
{
    const struct history_point *kept;
    uint32_t id = cursor_u32(cur);
    if (cursor_finish(cur) != 0 || !point_of(l, id, &kept) || !kept)
        return corrupt(l, "a cut that cannot be read", e);
    struct history_seen at = history_see_point(kept);
    return history_apply_cut(l->h, &at, e);
}

static int load_forgotten(struct loading *l, struct cursor *cur, struct err *e)
{
    char db[HISTORY_NAME_MAX + 1], table[HISTORY_NAME_MAX + 1];
    unsigned what = cursor_u8(cur);
    take_name(cur, db);
    take_name(cur, table);
    if (cursor_finish(cur) != 0 || what > HISTORY_TABLE)
        return corrupt(l, "a table to forget that cannot be read", e);
    history_apply_forget(l->h, what == HISTORY_ALL ? NULL : db, what == HISTORY_TABLE ? table : NULL);
    return 0;
}

static int load_floor(struct loading *l, struct cursor *cur, struct err *e)
{
    const struct history_point *floor;
    uint32_t id = cursor_u32(cur);
    if (cursor_finish(cur) != 0 || !point_of(l, id, &floor) || !floor)
        return corrupt(l, "a place before which was forgotten that cannot be read", e);
    history_point_share(l->h, floor);
    history_set_floor(l->h, history_point_own(l->h, floor));
    return 0;
}

static int load_case(struct loading *l, struct cursor *cur, struct err *e)
{
    unsigned mode = cursor_u8(cur);
    if (cursor_finish(cur) != 0 || (mode > 2 && mode != HISTORY_CASE_NONE))
        return corrupt(l, "a case rule that cannot be read", e);
    l->h->lower_case = mode == HISTORY_CASE_NONE ? HISTORY_CASE_UNKNOWN : (int)mode;
    return 0;
}

static int visit(void *ctx, const struct state_item *item, struct err *e)
{
    struct loading *l = ctx;
    struct cursor cur = cursor_over(item->bytes, item->len);
    unsigned format = cursor_u8(&cur);
    l->item++;
    if (l->own)
        l->h->log_bytes += item->len;
    if (format > HISTORY_FORMAT) {
        int rc = err_set(e, STATE_VERSION, HISTORY_LOG_NAME ".log", format, (unsigned)HISTORY_FORMAT);
        err_wrap(e, "%s", l->dir);
        return rc;
    }
    switch (format == HISTORY_FORMAT ? cursor_u8(&cur) : 0) {
    case 'P':
        return load_point(l, &cur, e);
    case 'V':
        return load_version(l, &cur, e);
    case 'C':
        return load_cut(l, &cur, e);
    case 'F':
        return load_forgotten(l, &cur, e);
    case 'T':
        return load_floor(l, &cur, e);
    case 'M':
        return load_case(l, &cur, e);
    default:
        return corrupt(l, "of a kind that is not known", e);
    }
}

int history_log_load(struct history *h, struct state *state, bool own, struct err *e)
{
    struct loading l = {.h = h, .dir = state_dir(state), .own = own};
    struct err why = ERR_INIT;
    int rc = state_scan(state, HISTORY_LOG_NAME, visit, &l, &why);
    if (rc != 0 && why.code == ERR_STATE_CORRUPT)
        rc = err_set(e, HISTORY_CORRUPT, why.text);
    else if (rc != 0 && e && e->code == ERR_NONE)
        *e = why;
    if (own)
        h->log_ids = l.n;
    for (uint32_t i = 0; i < l.n; i++)
        history_point_drop(h, l.points[i]);
    free(l.points);
    return rc;
}
