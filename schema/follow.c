/* The tables of a statement: what was known of them, and what is put. */
#include "schema/follow.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "schema/definition.h"
#include "schema/follow_impl.h"

#define REASON_MAX 700

static char *lower_copy(struct arena *arena, const char *text)
{
    char *copy = arena_copy(arena, text, strlen(text));
    for (char *c = copy; c && *c; c++)
        *c = ascii_lower(*c);
    return copy;
}

bool follow_wants_database(struct following *f, const char *db)
{
    const struct interest *interest = f->interest;
    if (!interest->wants_database || interest->wants_database(interest->ctx, db))
        return true;
    const char *low = history_case(f->history) == 0 ? NULL : lower_copy(f->arena, db);
    return low && interest->wants_database(interest->ctx, low);
}

int follow_fold(const struct follow_naming *by, struct ddl_table *name, bool *wanted, struct err *e)
{
    int rule = history_case(by->history);
    const struct interest *interest = by->interest;
    *wanted = rule <= 0 && interest->wants(interest->ctx, name->db, name->name);
    if (*wanted || rule == 0)
        return 0;
    struct ddl_table low = {lower_copy(by->arena, name->db), lower_copy(by->arena, name->name)};
    if (!low.db || !low.name)
        return err_set(e, NO_MEMORY, strlen(name->db) + strlen(name->name));
    *wanted = interest->wants(interest->ctx, low.db, low.name);
    if (*wanted || rule > 0)
        *name = low;
    return 0;
}

struct history_where follow_before(const struct history_where *where)
{
    struct history_where before = *where;
    before.at.pos -= before.at.pos > 0;
    before.gtid = (struct gtid){.flavor = where->gtid.flavor};
    return before;
}

/* It was read from a server without a place, and taken for the whole log: statements have done their work on it. */
static bool is_timeless(const struct history_version *version)
{
    const struct history_place *place = version->place;
    return version->origin == HISTORY_SNAPSHOT && place->file[0] == '\0' && !place->gtids && !gtid_is_set(&place->gtid);
}

static void load(struct following *f, struct follow_table *tbl)
{
    static const enum follow_state states[] = {
        [HISTORY_DEFINED] = FOLLOW_DEFINED, [HISTORY_GONE] = FOLLOW_GONE, [HISTORY_UNKNOWN] = FOLLOW_UNKNOWN};
    const struct history_version *version = history_find(f->history, tbl->db, tbl->name, &f->before);
    tbl->covered = history_covers(f->history, tbl->db, tbl->name, &f->st->where);
    if (!version)
        return;
    tbl->state = states[version->kind];
    tbl->timeless = is_timeless(version);
    tbl->text = version->text;
    tbl->len = version->len;
}

/* A candidate, or a table that was wanted or a candidate under another name or in another run: what the history has
 * stays true. */
static bool is_kept(struct following *f, const char *db, const char *name)
{
    return follow_wants_database(f, db) || history_find(f->history, db, name, &f->before) ||
           history_covers(f->history, db, name, &f->st->where);
}

int follow_table(struct following *f, const char *db, const char *name, bool any, struct follow_table **out)
{
    const struct follow_naming by = {f->history, f->interest, f->arena};
    struct ddl_table folded = {db, name};
    bool wanted;
    int rc = follow_fold(&by, &folded, &wanted, f->e);
    if (rc != 0)
        return rc;
    db = folded.db;
    name = folded.name;
    *out = NULL;
    if (db[0] == '\0' || (!wanted && !any && !is_kept(f, db, name)))
        return 0;
    for (struct follow_table *tbl = f->first; tbl; tbl = tbl->next)
        if (strcmp(tbl->db, db) == 0 && strcmp(tbl->name, name) == 0) {
            *out = tbl;
            return 0;
        }
    struct follow_table *tbl = (struct follow_table *)arena_alloc(f->arena, sizeof *tbl);
    if (!tbl)
        return err_set(f->e, NO_MEMORY, sizeof *tbl);
    *tbl = (struct follow_table){.db = db, .name = name, .wanted = wanted, .text = ""};
    load(f, tbl);
    *f->last = tbl;
    f->last = &tbl->next;
    *out = tbl;
    return 0;
}

void follow_define(struct follow_table *tbl, const struct create_table *def)
{
    tbl->state = FOLLOW_DEFINED;
    tbl->def = def;
    tbl->changed = true;
}

void follow_drop(struct follow_table *tbl)
{
    tbl->state = FOLLOW_GONE;
    tbl->def = NULL;
    tbl->changed = true;
}

int follow_lose(struct following *f, struct follow_table *tbl, const char *reason)
{
    char text[REASON_MAX];
    const struct filepos *at = &f->st->where.at;
    int len = snprintf(text, sizeof text, "%.150s at %s:%llu", reason, at->file, (unsigned long long)at->pos);
    tbl->text = arena_copy(f->arena, text, (size_t)len);
    tbl->len = (size_t)len;
    tbl->state = FOLLOW_UNKNOWN;
    tbl->def = NULL;
    tbl->changed = true;
    return tbl->text ? 0 : err_set(f->e, NO_MEMORY, (size_t)len);
}

int follow_parse(struct following *f, struct follow_table *tbl)
{
    struct err why = ERR_INIT;
    if (tbl->state != FOLLOW_DEFINED || tbl->def)
        return 0;
    struct create_table *def = (struct create_table *)arena_alloc(f->arena, sizeof *def);
    if (!def)
        return err_set(f->e, NO_MEMORY, sizeof *def);
    struct ddl_statement stmt;
    definition_statement(&stmt, tbl->db, tbl->text, tbl->len);
    int rc = create_table_parse(def, &stmt, NULL, f->arena, &why);
    if (rc == -ERR_NO_MEMORY)
        return err_set(f->e, NO_MEMORY, tbl->len);
    if (rc != 0)
        return follow_lose(f, tbl, "its definition cannot be read");
    tbl->def = def;
    return 0;
}

/* The text of a table as it is now, under the name that it has now. */
static int print(struct following *f, struct follow_table *tbl)
{
    struct buf text;
    struct create_table def = *tbl->def;
    def.name =
        (struct ddl_name){.db = tbl->db, .db_len = strlen(tbl->db), .table = tbl->name, .table_len = strlen(tbl->name)};
    buf_init(&text, HISTORY_TEXT_MAX);
    int rc = create_table_print(&def, &text, f->e);
    if (rc == 0) {
        tbl->text = arena_copy(f->arena, text.p, text.len);
        tbl->len = text.len;
        rc = tbl->text ? 0 : err_set(f->e, NO_MEMORY, text.len);
    }
    buf_release(&text);
    return rc;
}

/* Whether the history is told of it: not of tables that nobody wants and that it never heard of. */
static bool is_told(struct following *f, const struct follow_table *tbl)
{
    if (!tbl->changed || tbl->covered)
        return false;
    return tbl->wanted || tbl->state == FOLLOW_DEFINED ||
           history_find(f->history, tbl->db, tbl->name, &f->before) != NULL;
}

static int describe(struct following *f, struct follow_table *tbl, struct history_change *out)
{
    static const enum history_kind kinds[] = {
        [FOLLOW_DEFINED] = HISTORY_DEFINED, [FOLLOW_GONE] = HISTORY_GONE, [FOLLOW_UNKNOWN] = HISTORY_UNKNOWN};
    int rc = tbl->state == FOLLOW_DEFINED ? print(f, tbl) : 0;
    *out = (struct history_change){.db = tbl->db,
                                   .table = tbl->name,
                                   .kind = kinds[tbl->state],
                                   .text = tbl->state == FOLLOW_GONE ? NULL : tbl->text,
                                   .len = tbl->state == FOLLOW_GONE ? 0 : tbl->len,
                                   .candidate = !tbl->wanted,
                                   .created = tbl->created};
    return rc;
}

static void describe_database(const struct follow_database *db, struct history_change *out)
{
    *out = (struct history_change){.db = db->db,
                                   .table = "",
                                   .kind = db->kind,
                                   .text = db->text,
                                   .len = db->text ? strlen(db->text) : 0,
                                   .created = db->created};
}

static size_t count_all(const struct following *f)
{
    size_t count = 0;
    for (const struct follow_table *tbl = f->first; tbl; tbl = tbl->next)
        count++;
    for (const struct follow_database *db = f->databases; db; db = db->next)
        count++;
    return count;
}

static int put(struct following *f, struct schema_followed *out)
{
    size_t room = count_all(f), count = 0;
    if (room == 0)
        return 0;
    struct history_change *changes = (struct history_change *)arena_alloc(f->arena, room * sizeof *changes);
    struct ddl_table *names = (struct ddl_table *)arena_alloc(f->arena, 2 * room * sizeof *names), *lost = names + room;
    if (!changes || !names)
        return err_set(f->e, NO_MEMORY, room * sizeof *changes);
    out->changed = names;
    out->unknown = lost;
    for (struct follow_table *tbl = f->first; tbl; tbl = tbl->next) {
        if (tbl->wanted && tbl->changed)
            names[out->changed_count++] = (struct ddl_table){tbl->db, tbl->name};
        if (tbl->wanted && tbl->changed && tbl->state == FOLLOW_UNKNOWN && !tbl->covered)
            lost[out->unknown_count++] = (struct ddl_table){tbl->db, tbl->name};
        int rc = is_told(f, tbl) ? describe(f, tbl, &changes[count++]) : 0;
        if (rc != 0)
            return rc;
    }
    for (const struct follow_database *db = f->databases; db; db = db->next)
        describe_database(db, &changes[count++]);
    return count ? history_put(f->history, &f->st->where, HISTORY_LOG, NULL, changes, count, f->e) : 0;
}

/* What was put is there: what failed behind it is a word only. */
static int tell_complaint(struct following *f)
{
    struct err failed = ERR_INIT;
    char note[sizeof failed.text + 100];
    if (f->note || !history_complaint(f->history, &failed))
        return 0;
    int len = snprintf(note, sizeof note, "the history of the tables was not made smaller, to be tried again later: %s",
                       failed.text);
    f->note = arena_copy(f->arena, note, (size_t)len);
    return f->note ? 0 : err_set(f->e, NO_MEMORY, (size_t)len);
}

int schema_follow(struct schema *schema, const struct schema_statement *st, const struct interest *interest,
                  struct arena *arena, struct schema_followed *out, struct err *e)
{
    struct following f = {.history = schema_history(schema),
                          .st = st,
                          .interest = interest,
                          .arena = arena,
                          .before = follow_before(&st->where),
                          .e = e};
    struct schema_followed followed = {.note = NULL};
    f.last = &f.first;
    f.stmt = *st->stmt;
    f.stmt.sql += st->ddl->begin;
    f.stmt.len -= st->ddl->begin;
    int rc = 0;
    for (size_t i = 0; i < st->ddl->count && rc == 0; i++)
        if (!st->failed || st->ddl->actions[i].kind == DDL_DROP)
            rc = follow_action(&f, &st->ddl->actions[i]);
    if (rc == 0)
        rc = put(&f, &followed);
    if (rc != 0)
        return rc;
    if (tell_complaint(&f) != 0)
        return err_result(e);
    followed.note = f.note;
    for (unsigned i = 0; i < followed.changed_count; i++)
        schema_forget(schema, followed.changed[i].db, followed.changed[i].name);
    *out = followed;
    return 0;
}
