/* Definitions read from a live server, batch by batch. */
#include "schema/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"

#define NAMES_CHUNK ((size_t)16384)

/* A table that was read, or is to be. */
struct reading_table {
    const char *db, *name; /* in the arena */
    size_t before, after;  /* its points; both 0 and `there` false: not read */
    size_t touched;        /* the point behind the last statement that names it; 0: none */
    bool candidate;
    bool there;
};

/* A batch: where its tables' texts lie. */
struct batch {
    struct history_change changes[SNAPSHOT_BATCH];
    size_t at[SNAPSHOT_BATCH];
    size_t count;
    struct buf texts;
};

struct snapshot {
    struct snapshot_options opt;
    struct arena names;
    struct reading_table *list;
    size_t count, size;
    struct position *points; /* [0] is not used */
    size_t point_count, point_size;
    bool case_known;

    const struct history_where *where; /* of the listing */
    size_t settled;                    /* tables before this one have been */
    size_t further;                    /* the point of snapshot_go_on; 0: none */
};

int snapshot_new(struct snapshot **out, const struct snapshot_options *opt, struct err *e)
{
    struct snapshot *snap = calloc(1, sizeof *snap);
    if (!snap)
        return err_set(e, NO_MEMORY, sizeof *snap);
    snap->opt = *opt;
    arena_init(&snap->names, NAMES_CHUNK, 0, 0);
    *out = snap;
    return 0;
}

void snapshot_clear(struct snapshot *snap)
{
    for (size_t i = 1; i < snap->point_count; i++)
        position_release(&snap->points[i]);
    free(snap->points);
    free(snap->list);
    arena_release(&snap->names);
    arena_init(&snap->names, NAMES_CHUNK, 0, 0);
    snap->points = NULL;
    snap->list = NULL;
    snap->count = snap->size = snap->point_count = snap->point_size = snap->settled = snap->further = 0;
    snap->case_known = false;
}

void snapshot_free(struct snapshot *snap)
{
    if (!snap)
        return;
    snapshot_clear(snap);
    arena_release(&snap->names);
    free(snap);
}

/* Points. */

static int add_point(struct snapshot *snap, struct position *pos, size_t *index, struct err *e)
{
    if (snap->point_count == snap->point_size) {
        size_t size = snap->point_size ? snap->point_size * 2 : 8;
        struct position *points = realloc(snap->points, size * sizeof *points);
        if (!points)
            return err_set(e, NO_MEMORY, size * sizeof *points);
        snap->points = points;
        snap->point_size = size;
    }
    if (snap->point_count == 0)
        position_init(&snap->points[snap->point_count++]);
    snap->points[snap->point_count] = *pos;
    *index = snap->point_count++;
    return 0;
}

/* The end of the log; the last point again when the log did not move. A transaction is in the file before its GTID is
 * in the server's set: the later set of one place is the truer one. */
static int note_point(struct snapshot *snap, size_t *index, struct err *e)
{
    struct position now;
    position_init(&now);
    int rc = schema_server_point(snap->opt.server, &now, e);
    if (rc != 0)
        return rc;
    struct position *last = snap->point_count > 1 ? &snap->points[snap->point_count - 1] : NULL;
    if (last && strcmp(last->server_uuid, now.server_uuid) == 0 && strcmp(last->at.file, now.at.file) == 0 &&
        last->at.pos == now.at.pos) {
        position_release(last);
        *last = now;
        *index = snap->point_count - 1;
        return 0;
    }
    rc = add_point(snap, &now, index, e);
    if (rc != 0)
        position_release(&now);
    return rc;
}

const struct position *snapshot_end(const struct snapshot *snap)
{
    size_t end = snap->further;
    for (size_t i = 0; i < snap->count; i++)
        if (snap->list[i].there && snap->list[i].after > end)
            end = snap->list[i].after;
    return end ? &snap->points[end] : NULL;
}

int snapshot_go_on(struct snapshot *snap, struct err *e)
{
    size_t point;
    int rc = note_point(snap, &point, e);
    if (rc == 0)
        snap->further = point;
    return rc;
}

/* The listing. */

/* The names of a table's copies: _T_gho of gh-ost, _T_new, __T_new, … of pt-online-schema-change. */
static bool copy_of_wanted(const struct snapshot *snap, const char *db, const char *name)
{
    static const char *const ends[] = {"_gho", "_new"};
    const struct interest *interest = snap->opt.interest;
    char original[HISTORY_NAME_MAX];
    size_t len = strlen(name), head = strspn(name, "_");
    if (head == 0 || len >= sizeof original)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (len < end + 2 || strcmp(name + len - end, ends[i]) != 0)
            continue;
        /* The table's own name may begin with underscores too. */
        for (size_t skip = 1; skip <= head && skip + end < len; skip++) {
            snprintf(original, sizeof original, "%.*s", (int)(len - end - skip), name + skip);
            if (interest->wants(interest->ctx, db, original))
                return true;
        }
    }
    return false;
}

static int add_table(struct snapshot *snap, const char *db, const char *name, bool candidate, struct err *e)
{
    if (snap->count == snap->size) {
        size_t size = snap->size ? snap->size * 2 : 16;
        struct reading_table *list = realloc(snap->list, size * sizeof *list);
        if (!list)
            return err_set(e, NO_MEMORY, size * sizeof *list);
        snap->list = list;
        snap->size = size;
    }
    /* The listing is sorted: a database's name is kept once. */
    const struct reading_table *last = snap->count ? &snap->list[snap->count - 1] : NULL;
    struct reading_table tbl = {.candidate = candidate};
    tbl.db = last && strcmp(last->db, db) == 0 ? last->db : arena_copy(&snap->names, db, strlen(db));
    tbl.name = arena_copy(&snap->names, name, strlen(name));
    if (!tbl.db || !tbl.name)
        return err_set(e, NO_MEMORY, strlen(db) + strlen(name));
    snap->list[snap->count++] = tbl;
    return 0;
}

static bool known(const struct snapshot *snap, const char *db, const char *name)
{
    const struct history_version *version = history_find(snap->opt.history, db, name, snap->where);
    return version && version->kind != HISTORY_UNKNOWN;
}

static int list_table(void *ctx, const char *db, const char *name, struct err *e)
{
    struct snapshot *snap = ctx;
    const struct interest *interest = snap->opt.interest;
    bool wanted = interest->wants(interest->ctx, db, name);
    if ((!wanted && !copy_of_wanted(snap, db, name)) || known(snap, db, name))
        return 0;
    return add_table(snap, db, name, !wanted, e);
}

/* Reading. */

static int put_batch(struct snapshot *snap, struct batch *batch, size_t before, size_t after, struct err *e)
{
    if (batch->texts.failed)
        return err_set(e, NO_MEMORY, batch->texts.len);
    for (size_t i = 0; i < batch->count; i++)
        batch->changes[i].text = (const char *)batch->texts.p + batch->at[i];
    struct history_where place = history_at(&snap->points[after]), window = history_at(&snap->points[before]);
    int rc = batch->count ? history_put(snap->opt.history, &place, HISTORY_SNAPSHOT, before == after ? NULL : &window,
                                        batch->changes, batch->count, e)
                          : 0;
    batch->count = 0;
    buf_clear(&batch->texts);
    return rc;
}

/* One table's text into the batch. */
static int read_table(struct snapshot *snap, struct reading_table *tbl, struct batch *batch, struct err *e)
{
    size_t at = batch->texts.len;
    int rc = schema_server_definition(snap->opt.server, tbl->db, tbl->name, &batch->texts, e);
    if (rc <= 0)
        return rc;
    batch->at[batch->count] = at;
    batch->changes[batch->count++] = (struct history_change){.db = tbl->db,
                                                             .table = tbl->name,
                                                             .kind = HISTORY_DEFINED,
                                                             .len = batch->texts.len - at,
                                                             .candidate = tbl->candidate};
    tbl->there = true;
    return 0;
}

static int read_held(struct snapshot *snap, struct reading_table *tbl, struct batch *batch, size_t *point,
                     struct err *e)
{
    int rc = schema_server_hold(snap->opt.server, tbl->db, tbl->name, e);
    if (rc == 0)
        rc = note_point(snap, point, e);
    tbl->before = *point;
    if (rc == 0)
        rc = read_table(snap, tbl, batch, e);
    if (rc == 0)
        rc = note_point(snap, point, e);
    tbl->after = *point;
    int let_go = schema_server_let_go(snap->opt.server, rc == 0 ? e : NULL);
    if (rc == 0)
        rc = let_go;
    return rc == 0 ? put_batch(snap, batch, tbl->before, tbl->after, e) : rc;
}

/* The tables from `first` on. */
static int read_all(struct snapshot *snap, size_t first, bool hold, struct err *e)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return err_set(e, NO_MEMORY, sizeof *batch);
    buf_init(&batch->texts, CLIENT_RESULT_MAX);
    size_t before, after = 0, begin = first;
    int rc = note_point(snap, &before, e);
    for (size_t i = first; rc == 0 && i < snap->count; i++) {
        if (hold) {
            rc = read_held(snap, &snap->list[i], batch, &after, e);
            continue;
        }
        rc = read_table(snap, &snap->list[i], batch, e);
        bool full = i - begin + 1 == SNAPSHOT_BATCH || batch->texts.len >= SNAPSHOT_BATCH_BYTES;
        if (rc != 0 || (!full && i + 1 < snap->count))
            continue;
        rc = note_point(snap, &after, e);
        if (rc == 0)
            rc = put_batch(snap, batch, before, after, e);
        for (; begin <= i; begin++) {
            snap->list[begin].before = before;
            snap->list[begin].after = after;
        }
        before = after;
    }
    buf_release(&batch->texts);
    free(batch);
    return rc;
}

/* Databases. */

struct databases {
    struct snapshot *snap;
    struct history_change *changes; /* NULL: they are only counted */
    size_t count, size;
};

static bool wants_database(const struct snapshot *snap, const char *db)
{
    const struct interest *interest = snap->opt.interest;
    return !interest->wants_database || interest->wants_database(interest->ctx, db);
}

static int take_database(void *ctx, const char *db, const char *charset, const char *collation, struct err *e)
{
    struct databases *dbs = ctx;
    struct snapshot *snap = dbs->snap;
    if (!wants_database(snap, db) || known(snap, db, ""))
        return 0;
    if (!dbs->changes || dbs->count == dbs->size) {
        dbs->count += !dbs->changes;
        return 0;
    }
    char text[256];
    int len = snprintf(text, sizeof text, "%s %s", charset, collation);
    struct history_change *change = &dbs->changes[dbs->count++];
    *change = (struct history_change){.table = "", .kind = HISTORY_DEFINED, .len = (size_t)len};
    change->db = arena_copy(&snap->names, db, strlen(db));
    change->text = arena_copy(&snap->names, text, (size_t)len);
    return change->db && change->text ? 0 : err_set(e, NO_MEMORY, sizeof text);
}

/* The defaults of databases that may have wanted tables. */
static int read_databases(struct snapshot *snap, struct err *e)
{
    struct databases dbs = {.snap = snap};
    size_t before, after;
    int rc = schema_server_databases(snap->opt.server, take_database, &dbs, e);
    if (rc != 0 || dbs.count == 0)
        return rc;
    dbs.size = dbs.count;
    dbs.count = 0;
    dbs.changes = calloc(dbs.size, sizeof *dbs.changes);
    if (!dbs.changes)
        return err_set(e, NO_MEMORY, dbs.size * sizeof *dbs.changes);
    rc = note_point(snap, &before, e);
    if (rc == 0)
        rc = schema_server_databases(snap->opt.server, take_database, &dbs, e);
    if (rc == 0)
        rc = note_point(snap, &after, e);
    if (rc == 0 && dbs.count > 0) {
        struct history_where place = history_at(&snap->points[after]);
        struct history_where window = history_at(&snap->points[before]);
        rc = history_put(snap->opt.history, &place, HISTORY_SNAPSHOT, before == after ? NULL : &window, dbs.changes,
                         dbs.count, e);
    }
    free(dbs.changes);
    return rc;
}

static int read_case(struct snapshot *snap, struct err *e)
{
    unsigned lower_case;
    int rc = schema_server_name_case(snap->opt.server, &lower_case, e);
    if (rc == 0 && history_case(snap->opt.history) != (int)lower_case)
        rc = history_set_case(snap->opt.history, (int)lower_case, e);
    snap->case_known = rc == 0;
    return rc;
}

int snapshot_read(struct snapshot *snap, const struct history_where *where, bool hold, size_t *count, struct err *e)
{
    size_t first = snap->count;
    *count = 0;
    snap->where = where;
    int rc = snap->case_known ? 0 : read_case(snap, e);
    if (rc == 0)
        rc = schema_server_tables(snap->opt.server, list_table, snap, e);
    if (rc == 0)
        rc = read_databases(snap, e);
    snap->where = NULL;
    if (rc != 0 || snap->count == first)
        return rc;
    rc = read_all(snap, first, hold, e);
    for (size_t i = first; i < snap->count; i++)
        *count += snap->list[i].there;
    return rc;
}

/* Settling. */

int snapshot_touch(struct snapshot *snap, const char *db, const char *table, const struct position *behind,
                   struct err *e)
{
    struct position copy;
    position_init(&copy);
    size_t point = 0;
    for (size_t i = snap->settled; i < snap->count; i++) {
        struct reading_table *tbl = &snap->list[i];
        /* Another table of the same name in another case is taken for it: then less is known, and nothing is wrong. */
        if (!tbl->there || strcasecmp(tbl->name, table) != 0 || strcasecmp(tbl->db, db) != 0 ||
            filepos_compare(&behind->at, &snap->points[tbl->before].at) > 0)
            continue;
        if (point == 0) {
            int rc = position_copy(&copy, behind, e);
            if (rc == 0)
                rc = add_point(snap, &copy, &point, e);
            if (rc != 0) {
                position_release(&copy);
                return rc;
            }
        }
        snap->list[i].touched = point;
    }
    return 0;
}

/* From where on the table is what was read; false: only from the reading on. */
static bool settled_from(struct snapshot *snap, const struct reading_table *tbl, const struct history_where *from,
                         struct history_where *out)
{
    struct history *h = snap->opt.history;
    /* A statement begins before the point; what was read may hold at it. */
    struct history_where before = history_at(&snap->points[tbl->before]);
    before.at.pos--;
    const struct history_version *then = history_find(h, tbl->db, tbl->name, from);
    const struct history_version *later = history_find(h, tbl->db, tbl->name, &before);
    if (tbl->touched) {
        *out = history_at(&snap->points[tbl->touched]);
        return true;
    }
    *out = *from;
    return then == later;
}

/* What was read at `place`, when it is not void. */
static const struct history_version *still_there(struct snapshot *snap, const struct reading_table *tbl,
                                                 const struct history_where *place)
{
    const struct history_version *found = history_find(snap->opt.history, tbl->db, tbl->name, place);
    bool mine = found && found->origin == HISTORY_SNAPSHOT && found->kind == HISTORY_DEFINED &&
                found->place->pos == place->at.pos && strcmp(found->place->file, place->at.file) == 0;
    return mine ? found : NULL;
}

/* What is put at one place together. */
struct settling {
    struct history_where since;
    struct batch batch;
};

static int put_settled(struct snapshot *snap, struct settling *settling, struct err *e)
{
    struct batch *batch = &settling->batch;
    if (batch->texts.failed)
        return err_set(e, NO_MEMORY, batch->texts.len);
    for (size_t i = 0; i < batch->count; i++)
        batch->changes[i].text = (const char *)batch->texts.p + batch->at[i];
    int rc = batch->count ? history_put(snap->opt.history, &settling->since, HISTORY_SNAPSHOT, NULL, batch->changes,
                                        batch->count, e)
                          : 0;
    batch->count = 0;
    buf_clear(&batch->texts);
    return rc;
}

static bool same_place(const struct history_where *a, const struct history_where *b)
{
    return a->gtids == b->gtids && a->at.pos == b->at.pos && strcmp(a->at.file, b->at.file) == 0;
}

static int settle(struct snapshot *snap, const struct reading_table *tbl, const struct history_where *from,
                  struct settling *settling, struct err *e)
{
    struct batch *batch = &settling->batch;
    struct history_where place = history_at(&snap->points[tbl->after]), since;
    const struct history_version *found = still_there(snap, tbl, &place);
    if (!found || !settled_from(snap, tbl, from, &since))
        return 0;
    if (batch->count == SNAPSHOT_BATCH || (batch->count > 0 && !same_place(&since, &settling->since))) {
        int rc = put_settled(snap, settling, e);
        if (rc != 0)
            return rc;
        found = still_there(snap, tbl, &place);
        if (!found)
            return 0;
    }
    settling->since = since;
    batch->at[batch->count] = batch->texts.len;
    batch->changes[batch->count++] = (struct history_change){
        .db = tbl->db, .table = tbl->name, .kind = HISTORY_DEFINED, .len = found->len, .candidate = tbl->candidate};
    buf_add(&batch->texts, found->text, found->len);
    return 0;
}

int snapshot_settle(struct snapshot *snap, const struct history_where *from, struct err *e)
{
    struct settling *settling = calloc(1, sizeof *settling);
    if (!settling)
        return err_set(e, NO_MEMORY, sizeof *settling);
    buf_init(&settling->batch.texts, CLIENT_RESULT_MAX);
    int rc = 0;
    for (; rc == 0 && snap->settled < snap->count; snap->settled++)
        if (snap->list[snap->settled].there)
            rc = settle(snap, &snap->list[snap->settled], from, settling, e);
    if (rc == 0)
        rc = put_settled(snap, settling, e);
    buf_release(&settling->batch.texts);
    free(settling);
    return rc;
}
