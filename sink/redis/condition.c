/* Conditions of a route. */
#include "sink/redis/condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* ---------------------------------------------------------------- reading */

static int wrong(const char *source, struct err *e)
{
    err_set(e, CONFIG_VALUE, "when",
            "a condition is: COLUMN changed, COLUMN = TEXT, COLUMN != TEXT, COLUMN in TEXT, TEXT, COLUMN is null, "
            "COLUMN is not null");
    return err_wrap(e, "\"%s\"", source);
}

/* The text without blanks around it, ended in place. */
static char *trimmed(char *text)
{
    text += strspn(text, BLANKS);
    size_t len = strlen(text);
    while (len && strchr(BLANKS, text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* "a, b" becomes texts, in place. */
static int take_texts(struct redis_condition *out, char *list, bool one, const char *source, struct err *e)
{
    unsigned count = 1;
    for (const char *p = list; !one && *p; p++)
        count += *p == ',';
    out->texts = calloc(count, sizeof *out->texts);
    if (!out->texts)
        return err_set(e, NO_MEMORY, count * sizeof *out->texts);
    for (char *next; out->count < count; list = next) {
        char *end = one ? NULL : strchr(list, ',');
        next = end ? end + 1 : list;
        if (end)
            *end = '\0';
        out->texts[out->count++] = trimmed(list);
        if (!*out->texts[out->count - 1])
            return wrong(source, e);
    }
    return 0;
}

/* The words behind the column. */
static int take_rest(struct redis_condition *out, char *rest, const char *source, struct err *e)
{
    static const char *no_text[] = {NULL};
    if (strcmp(rest, "changed") == 0) {
        out->kind = REDIS_CHANGED;
        return 0;
    }
    bool is_null = strcmp(rest, "is null") == 0, is_not_null = strcmp(rest, "is not null") == 0;
    bool equal = rest[0] == '=', unequal = rest[0] == '!' && rest[1] == '=';
    bool is_in = strncmp(rest, "in", 2) == 0 && rest[2] && strchr(BLANKS, rest[2]);
    out->kind = unequal || is_not_null ? REDIS_NOT_IN : REDIS_IN;
    if (is_null || is_not_null) {
        out->texts = malloc(sizeof no_text);
        out->count = 1;
        return out->texts ? (memcpy(out->texts, no_text, sizeof no_text), 0) : err_set(e, NO_MEMORY, sizeof no_text);
    }
    if (!equal && !unequal && !is_in)
        return wrong(source, e);
    return take_texts(out, rest + (equal ? 1 : 2), !is_in, source, e);
}

static int compile(struct redis_condition *out, const char *source, struct err *e)
{
    out->text = strdup(source);
    if (!out->text)
        return err_set(e, NO_MEMORY, strlen(source));
    char *column = trimmed(out->text);
    size_t len = strcspn(column, BLANKS "=!");
    char *rest = trimmed(column + len);
    char *tpl = len ? malloc(len + 3) : NULL;
    if (len && !tpl)
        return err_set(e, NO_MEMORY, len);
    if (!len || !*rest)
        return free(tpl), wrong(source, e);
    snprintf(tpl, len + 3, "{%.*s}", (int)len, column);
    int rc = template_compile(&out->tpl, tpl, e);
    free(tpl);
    return rc == 0 ? take_rest(out, rest, source, e) : rc;
}

int redis_condition_compile(struct redis_condition *out, const char *source, struct err *e)
{
    *out = (struct redis_condition){.count = 0};
    int rc = compile(out, source, e);
    if (rc != 0)
        redis_condition_release(out);
    return rc;
}

void redis_condition_release(struct redis_condition *condition)
{
    bound_template_free(condition->bound);
    template_free(condition->tpl);
    free(condition->texts);
    free(condition->text);
    *condition = (struct redis_condition){.count = 0};
}

int redis_condition_bind(struct redis_condition *condition, const struct table *tbl, struct err *e)
{
    return template_bind(&condition->bound, condition->tpl, tbl, e);
}

/* ---------------------------------------------------------------- at work */

enum has { HAS_TEXT, HAS_NULL, HAS_NOTHING };

/* The column's text on one side, behind what `text` holds. Negative: an error. */
static int find(const struct redis_condition *condition, const struct change *chg, enum side side, struct arena *arena,
                struct buf *text, struct err *e)
{
    const struct colset *column = bound_template_columns(condition->bound);
    struct value value;
    arena_reset(arena);
    int rc = change_values(chg, side, column, &value, arena, e);
    if (rc != 0)
        return rc;
    if (value.kind == VALUE_ABSENT || value.kind == VALUE_JSON_DIFF)
        return HAS_NOTHING;
    rc = template_render(condition->bound, &value, text, e);
    return rc < 0 ? rc : rc ? HAS_TEXT : HAS_NULL;
}

/* 1: the images differ, or may. */
static int has_changed(const struct redis_condition *condition, const struct change *chg, struct arena *arena,
                       struct buf *text, struct err *e)
{
    if (chg->op != CHANGE_UPDATE)
        return 1;
    struct value after;
    buf_clear(text);
    arena_reset(arena);
    int rc = change_image_values(chg, SIDE_AFTER, bound_template_columns(condition->bound), &after, arena, e);
    if (rc != 0)
        return rc;
    if (after.kind == VALUE_ABSENT)
        return 0;
    int before = find(condition, chg, SIDE_BEFORE, arena, text, e);
    size_t len = text->len;
    int behind = before < 0 ? before : find(condition, chg, SIDE_AFTER, arena, text, e);
    if (before < 0 || behind < 0)
        return before < 0 ? before : behind;
    if (before == HAS_NOTHING || behind == HAS_NOTHING || before != behind)
        return 1;
    return text->len != 2 * len || (len && memcmp(text->p, text->p + len, len) != 0);
}

static bool is_listed(const struct redis_condition *condition, bool is_null, const struct buf *text)
{
    for (unsigned i = 0; i < condition->count; i++) {
        const char *one = condition->texts[i];
        if (!one ? is_null : !is_null && strlen(one) == text->len && memcmp(one, text->p, text->len) == 0)
            return true;
    }
    return false;
}

static int holds_in(const struct redis_condition *condition, const struct change *chg, enum side side,
                    struct arena *arena, struct buf *text, struct err *e)
{
    if (!(side == SIDE_BEFORE ? &chg->before : &chg->after)->bytes)
        return 0;
    buf_clear(text);
    int found = find(condition, chg, side, arena, text, e);
    if (found < 0 || found == HAS_NOTHING)
        return found < 0 ? found : 1;
    return is_listed(condition, found == HAS_NULL, text) == (condition->kind == REDIS_IN);
}

int redis_conditions_hold(const struct redis_condition *list, unsigned count, const struct change *chg,
                          struct arena *arena, struct buf *text, struct err *e)
{
    int rc = 1;
    for (unsigned i = 0; i < count && rc > 0; i++) {
        if (list[i].kind == REDIS_CHANGED) {
            rc = has_changed(&list[i], chg, arena, text, e);
            continue;
        }
        rc = holds_in(&list[i], chg, SIDE_BEFORE, arena, text, e);
        if (rc == 0)
            rc = holds_in(&list[i], chg, SIDE_AFTER, arena, text, e);
    }
    arena_reset(arena);
    return rc;
}

int redis_conditions_changed(const struct redis_condition *list, unsigned count, const struct change *chg,
                             struct arena *arena, struct buf *text, struct err *e)
{
    int rc = 1;
    for (unsigned i = 0; i < count && rc > 0; i++)
        if (list[i].kind == REDIS_CHANGED)
            rc = has_changed(&list[i], chg, arena, text, e);
    arena_reset(arena);
    return rc;
}

int redis_conditions_hold_on(const struct redis_condition *list, unsigned count, const struct change *chg,
                             enum side side, struct arena *arena, struct buf *text, struct err *e)
{
    int rc = 1;
    for (unsigned i = 0; i < count && rc > 0; i++)
        if (list[i].kind != REDIS_CHANGED)
            rc = holds_in(&list[i], chg, side, arena, text, e);
    arena_reset(arena);
    return rc;
}
