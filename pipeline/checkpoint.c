/* Text of the record: a first line `checkpoint 1`, then per sink a line `NAME LENGTH` and LENGTH bytes of
 * position_encode with a newline behind them. */
#include "pipeline/checkpoint.h"

#include "binlog/spool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_NAME   "checkpoint"
#define RESET_NAME    "epoch-reset"
#define REACHED_NAME  "checkpoint-reached" /* the same text */
#define BACK_NAME     "checkpoint-back"    /* likewise */
#define RECORD_HEADER "checkpoint 1\n"
#define SINKS_MAX     1024
#define NAME_MAX_LEN  256

void checkpoint_release(struct checkpoint *cp)
{
    for (unsigned i = 0; i < cp->count; i++) {
        free(cp->entries[i].name);
        position_release(&cp->entries[i].pos);
    }
    free(cp->entries);
    *cp = (struct checkpoint){0};
}

/* Takes the text up to `stop`; false when it is not there. */
static bool take_until(const char **p, const char *end, char stop, const char **word, size_t *len)
{
    const char *at = memchr(*p, stop, (size_t)(end - *p));
    if (!at)
        return false;
    *word = *p;
    *len = (size_t)(at - *p);
    *p = at + 1;
    return true;
}

int checkpoint_add(struct checkpoint *cp, const char *name, size_t name_len, const struct position *pos, struct err *e)
{
    struct checkpoint_entry *entries = realloc(cp->entries, (cp->count + 1) * sizeof *entries);
    if (!entries)
        return err_set(e, NO_MEMORY, (cp->count + 1) * sizeof *entries);
    cp->entries = entries;
    char *copy = strndup(name, name_len);
    if (!copy)
        return err_set(e, NO_MEMORY, name_len);
    entries[cp->count].name = copy;
    position_init(&entries[cp->count].pos);
    cp->count++;
    return pos ? position_copy(&entries[cp->count - 1].pos, pos, e) : 0;
}

static int parse(struct checkpoint *cp, const char *p, size_t len, struct err *e)
{
    const char *end = p + len, *word;
    size_t header = strlen(RECORD_HEADER), word_len;
    if (len < header || memcmp(p, RECORD_HEADER, header) != 0)
        return err_set(e, STATE_CORRUPT, RECORD_NAME, "not a checkpoint of this version");
    p += header;
    while (p < end) {
        if (cp->count == SINKS_MAX || !take_until(&p, end, ' ', &word, &word_len) || word_len == 0 ||
            word_len > NAME_MAX_LEN)
            return err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged name of a sink");
        if (checkpoint_add(cp, word, word_len, NULL, e) != 0)
            return err_result(e);
        if (!take_until(&p, end, '\n', &word, &word_len) || word_len > 12)
            return err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged length");
        char *rest;
        unsigned long size = strtoul(word, &rest, 10);
        if (rest != word + word_len || size >= (size_t)(end - p) || p[size] != '\n')
            return err_set(e, STATE_CORRUPT, RECORD_NAME, "damaged length");
        if (position_decode(&cp->entries[cp->count - 1].pos, (const uint8_t *)p, size, e) != 0)
            return err_wrap(e, RECORD_NAME);
        p += size + 1;
    }
    return 0;
}

static int load(struct checkpoint *out, struct state *state, const char *name, struct err *e)
{
    struct buf text;
    bool found = false;
    struct checkpoint cp = {0};
    buf_init(&text, 0);
    int rc = state_get(state, name, &text, &found, e);
    if (rc == 0 && found)
        rc = parse(&cp, (const char *)text.p, text.len, e);
    buf_release(&text);
    if (rc == 0)
        *out = cp;
    else
        checkpoint_release(&cp);
    return rc;
}

int checkpoint_load(struct checkpoint *out, struct state *state, struct err *e)
{
    return load(out, state, RECORD_NAME, e);
}

int checkpoint_reached(struct checkpoint *out, struct state *state, struct err *e)
{
    int rc = load(out, state, REACHED_NAME, e);
    return rc == 0 && out->count == 0 ? load(out, state, BACK_NAME, e) : rc;
}

int checkpoint_was_set(struct state *state, bool *was, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    int rc = state_get(state, REACHED_NAME, &text, was, e);
    buf_release(&text);
    return rc;
}

int checkpoint_reached_done(struct state *state, struct err *e)
{
    return state_remove(state, BACK_NAME, e) == 0 ? state_remove(state, REACHED_NAME, e) : err_result(e);
}

static int store(const struct checkpoint *cp, struct state *state, bool soon, struct err *e)
{
    struct buf text, pos;
    int rc = 0;
    buf_init(&text, 0);
    buf_init(&pos, 0);
    buf_text(&text, RECORD_HEADER);
    for (unsigned i = 0; i < cp->count && rc == 0; i++) {
        buf_clear(&pos);
        rc = position_encode(&cp->entries[i].pos, &pos, e);
        buf_printf(&text, "%s %zu\n", cp->entries[i].name, pos.len);
        buf_add(&text, pos.p, pos.len);
        buf_byte(&text, '\n');
    }
    if (rc == 0 && (text.failed || pos.failed))
        rc = err_set(e, NO_MEMORY, text.len);
    if (rc == 0)
        rc = (soon ? state_put_soon : state_put)(state, RECORD_NAME, text.p, text.len, e);
    buf_release(&text);
    buf_release(&pos);
    return rc;
}

int checkpoint_store(const struct checkpoint *cp, struct state *state, struct err *e)
{
    return store(cp, state, false, e);
}

int checkpoint_store_soon(const struct checkpoint *cp, struct state *state, struct err *e)
{
    return store(cp, state, true, e);
}

/* Where the sinks stood before the first change since the service ran: kept by hand, by itself, or the record itself.
 */
enum reached { BY_HAND, BY_ITSELF, STORED, REACHED_NAMES };
static const char *const reached_names[REACHED_NAMES] = {REACHED_NAME, BACK_NAME, RECORD_NAME};

static int keep_reached(struct state *state, enum reached as, struct err *e)
{
    struct buf text;
    bool found = false;
    unsigned at = BY_HAND;
    buf_init(&text, 0);
    int rc = state_get(state, reached_names[at], &text, &found, e);
    while (rc == 0 && !found && ++at < REACHED_NAMES)
        rc = state_get(state, reached_names[at], &text, &found, e);
    if (rc == 0 && found && at > (unsigned)as)
        rc = state_put(state, reached_names[as], text.p, text.len, e);
    buf_release(&text);
    return rc;
}

int checkpoint_set(const struct checkpoint *cp, struct state *state, struct err *e)
{
    return keep_reached(state, BY_HAND, e) == 0 ? checkpoint_store(cp, state, e) : err_result(e);
}

int checkpoint_set_back(const struct checkpoint *cp, struct state *state, struct err *e)
{
    return keep_reached(state, BY_ITSELF, e) == 0 ? checkpoint_store(cp, state, e) : err_result(e);
}

int checkpoint_remove(struct state *state, struct err *e)
{
    return state_remove(state, RECORD_NAME, e);
}

int checkpoint_mark_reset(struct state *state, struct err *e)
{
    return state_put(state, RESET_NAME, "1", 1, e);
}

int checkpoint_reset(struct state *state, struct err *e)
{
    if (checkpoint_mark_reset(state, e) != 0 || state_replace(state, SPOOL_LOG, NULL, 0, e) != 0)
        return err_result(e);
    return checkpoint_remove(state, e);
}

int checkpoint_was_reset(struct state *state, bool *was, struct err *e)
{
    struct buf mark;
    buf_init(&mark, 0);
    int rc = state_get(state, RESET_NAME, &mark, was, e);
    buf_release(&mark);
    return rc;
}

int checkpoint_reset_done(struct state *state, struct err *e)
{
    return state_remove(state, RESET_NAME, e);
}

struct checkpoint_entry *checkpoint_find(const struct checkpoint *cp, const char *name)
{
    for (unsigned i = 0; i < cp->count; i++)
        if (strcmp(cp->entries[i].name, name) == 0)
            return &cp->entries[i];
    return NULL;
}

bool position_before(const struct position *a, const struct position *b)
{
    if (a->gtids && b->gtids && gtid_set_flavor(a->gtids) == gtid_set_flavor(b->gtids))
        return gtid_set_contains_set(b->gtids, a->gtids) && !gtid_set_equal(a->gtids, b->gtids);
    return filepos_compare(&a->at, &b->at) < 0;
}

struct checkpoint_entry *checkpoint_oldest(const struct checkpoint *cp)
{
    struct checkpoint_entry *oldest = NULL;
    for (unsigned i = 0; i < cp->count; i++)
        if (!oldest || position_before(&cp->entries[i].pos, &oldest->pos))
            oldest = &cp->entries[i];
    return oldest;
}
