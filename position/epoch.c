/* Which epoch a transaction belongs to. */
#include "position/epoch.h"

#include <stdlib.h>

#include "position/epoch_impl.h"

#define HOUR_US ((int64_t)3600 * 1000000)

static struct epoch *current(struct epochs *epochs)
{
    return epochs->n ? &epochs->list[epochs->n - 1] : NULL;
}

static bool is_by_position(const struct epochs *epochs, const struct epoch_tx *tx)
{
    return epochs->positional || !gtid_is_set(&tx->gtid);
}

static uint64_t sequence_of(const struct epoch_tx *tx, bool by_position)
{
    return by_position ? filepos_sequence(&tx->at) : tx->gtid.number;
}

/* Same numbering, same writer or server: only a number that does not rise could end the epoch. */
static bool continues(const struct epochs *epochs, const struct epoch *epoch, const struct epoch_tx *tx)
{
    bool by_position = is_by_position(epochs, tx);
    if (epochs->cut || by_position != epoch_is_by_position(epoch) ||
        epochs->positional != (epoch->by == EPOCH_BY_SWITCH))
        return false;
    return by_position ? strcmp(epoch->server, tx->server_uuid) == 0 : gtid_same_writer(&epoch->writer, &tx->gtid);
}

uint64_t epochs_highest(const struct gtid_set *set, const struct gtid *writer)
{
    struct gtid_source key = gtid_source_for(writer);
    uint64_t high = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct gtid_run *run = &set->runs[i];
        bool same = writer->flavor == FLAVOR_MARIADB ? memcmp(run->source.uuid, key.uuid, 12) == 0
                                                     : gtid_source_compare(&run->source, &key) == 0;
        if (same && run->iv[run->n - 1].last > high)
            high = run->iv[run->n - 1].last;
    }
    return high;
}

/* Above this no transaction of the current epoch's writer (or server) is in any recorded epoch: no search is needed. */
static uint64_t high_of_current(struct epochs *epochs)
{
    const struct epoch *now = current(epochs);
    if (epochs->high_known)
        return epochs->high;
    epochs->high = now->last;
    for (size_t i = 0; i < epochs->n; i++) {
        const struct epoch *epoch = &epochs->list[i];
        uint64_t high = 0;
        if (!epoch_is_by_position(now))
            high = epochs_highest(epoch->seen, &now->writer);
        else if (epoch_is_by_position(epoch) && strcmp(epoch->server, now->server) == 0)
            high = epoch->last;
        if (high > epochs->high)
            epochs->high = high;
    }
    epochs->high_known = true;
    return epochs->high;
}

static int note_gtid(struct epochs *epochs, struct gtid_set *set, const struct epoch_tx *tx, struct err *e)
{
    if (!gtid_is_set(&tx->gtid))
        return 0;
    if (tx->gtid.flavor != epochs->flavor)
        return err_set(e, BUG, "a GTID of the other flavour in the epochs");
    if (tx->gtid.number > GTID_NUMBER_MAX)
        return err_set(e, CORRUPT, "a GTID's number is beyond 2^63-2");
    struct gtid_source source = gtid_source_for(&tx->gtid);
    return gtid_set_add_interval(set, &source, (struct gtid_interval){tx->gtid.number, tx->gtid.number}, e);
}

/* MariaDB: the numbers do not go on one by one from one server, which a checkpoint would not tell after a crash. A log
 * where that is usual (a ring of masters, a filtered replica) gets no line for each. */
static bool is_worth_a_line(struct epochs *epochs, const struct epoch *now, const struct epoch_tx *tx)
{
    if (epochs->flavor != FLAVOR_MARIADB || epoch_is_by_position(now))
        return false;
    struct gtid_source source = gtid_source_for(&tx->gtid);
    if (gtid_set_has(now->seen, &source, tx->gtid.number - 1))
        return false;
    if (epochs->told_hour != tx->commit_us / HOUR_US) {
        epochs->told_hour = tx->commit_us / HOUR_US;
        epochs->told = 0;
    }
    return epochs->told++ < EPOCH_LINES_PER_HOUR_MAX;
}

/* The transaction goes on in the current epoch. */
static int go_on(struct epochs *epochs, const struct epoch_tx *tx, uint64_t sequence, struct version *out,
                 const char **record, struct err *e)
{
    struct epoch *now = current(epochs);
    bool tell = is_worth_a_line(epochs, now, tx);
    int rc = note_gtid(epochs, epochs->fresh, tx, e);
    if (rc == 0)
        rc = note_gtid(epochs, now->seen, tx, e);
    if (rc)
        return rc;
    now->last = sequence;
    if (sequence > epochs->high)
        epochs->high = sequence;
    epochs->dirty = true;
    epochs->cursor = epochs->n - 1;
    if (tell && !(*record = epochs_progress(epochs)))
        return err_set(e, NO_MEMORY, epochs->line.len);
    *out = (struct version){.epoch = now->number, .sequence = sequence};
    return 0;
}

static bool covers_place(const struct epoch *epoch, const struct epoch_tx *tx)
{
    uint64_t sequence = filepos_sequence(&tx->at);
    return epoch_is_by_position(epoch) && strcmp(epoch->server, tx->server_uuid) == 0 && sequence <= epoch->last &&
           sequence >= filepos_sequence(&epoch->at);
}

static bool covers(const struct epoch *epoch, const struct epoch_tx *tx, const struct gtid_source *source)
{
    return gtid_is_set(&tx->gtid) ? gtid_set_has(epoch->seen, source, tx->gtid.number) : covers_place(epoch, tx);
}

/* The recorded epoch of a transaction; the neighbourhood of the one found last is tried first. NULL: none. */
static const struct epoch *find(struct epochs *epochs, const struct epoch_tx *tx)
{
    struct gtid_source source = gtid_source_for(&tx->gtid);
    for (size_t i = epochs->cursor; i < epochs->n && i < epochs->cursor + 2; i++)
        if (covers(&epochs->list[i], tx, &source)) {
            epochs->cursor = i;
            return &epochs->list[i];
        }
    for (size_t i = epochs->n; i-- > 0;)
        if (covers(&epochs->list[i], tx, &source)) {
            epochs->cursor = i;
            return &epochs->list[i];
        }
    /* Which GTIDs a switched epoch had when it crashed may be known by place only (epochs_extend). */
    for (size_t i = epochs->n; i-- > 0;)
        if (epochs->list[i].by == EPOCH_BY_SWITCH && covers_place(&epochs->list[i], tx)) {
            epochs->cursor = i;
            return &epochs->list[i];
        }
    return NULL;
}

static int other_server(const struct epoch_tx *tx, const char *server, struct err *e)
{
    char at[FILEPOS_TEXT_MAX];
    filepos_print(&tx->at, at);
    return err_set(e, EPOCH_OTHER_SERVER, at, server, tx->server_uuid);
}

static int assign_recorded(const struct epoch *epoch, const struct epoch_tx *tx, struct version *out, struct err *e)
{
    if (epoch_is_by_position(epoch) && strcmp(epoch->server, tx->server_uuid) != 0)
        return other_server(tx, epoch->server, e);
    *out = (struct version){.epoch = epoch->number, .sequence = sequence_of(tx, epoch_is_by_position(epoch))};
    return 0;
}

static void copy_server(char out[SERVER_UUID_MAX + 1], const char *server)
{
    size_t len = strnlen(server, SERVER_UUID_MAX);
    memcpy(out, server, len);
    out[len] = '\0';
}

/* Older than the table. */
static bool is_older(const struct epochs *epochs, const struct epoch_tx *tx)
{
    if (epochs->frozen || !epochs->has_base)
        return epochs->frozen;
    const struct position *base = &epochs->base;
    if (base->at.file[0] && base->server_uuid[0] && strcmp(base->server_uuid, tx->server_uuid) == 0)
        return filepos_compare(&tx->at, &base->at) < 0;
    return gtid_is_set(&tx->gtid) && base->gtids && gtid_set_contains(base->gtids, &tx->gtid);
}

static int assign_zero(struct epochs *epochs, const struct epoch_tx *tx, struct version *out, const char **record,
                       struct err *e)
{
    if (epochs->zero_server[0] && strcmp(epochs->zero_server, tx->server_uuid) != 0)
        return other_server(tx, epochs->zero_server, e);
    if (!epochs->zero_server[0]) {
        copy_server(epochs->zero_server, tx->server_uuid);
        *record = epochs_print_zero(epochs);
        if (!*record) {
            epochs->zero_server[0] = '\0';
            return err_set(e, NO_MEMORY, epochs->line.len);
        }
    }
    *out = (struct version){.epoch = 0, .sequence = filepos_sequence(&tx->at)};
    return 0;
}

/* More than EPOCHS_PER_HOUR_MAX epochs within an hour of log time, with the one that begins now. */
static bool too_often(const struct epochs *epochs, int64_t now_us)
{
    if (epochs->n_starts < EPOCHS_PER_HOUR_MAX)
        return false;
    return now_us - epochs->starts[epochs->n_starts % EPOCHS_PER_HOUR_MAX] < HOUR_US;
}

static uint32_t next_number(const struct epochs *epochs, int64_t commit_us)
{
    int64_t second = commit_us / 1000000, next = (int64_t)epochs->newest + 1;
    return (uint32_t)(second > next && second <= UINT32_MAX ? second : next);
}

/* The transaction begins an epoch. */
static int begin(struct epochs *epochs, const struct epoch_tx *tx, struct version *out, const char **record,
                 struct err *e)
{
    struct epoch *epoch;
    int rc = epochs->newest == UINT32_MAX ? err_set(e, BUG, "no epoch number is left") : epochs_room(epochs, &epoch, e);
    if (rc)
        return rc;
    bool switches = !epochs->positional && gtid_is_set(&tx->gtid) && too_often(epochs, tx->commit_us);
    bool by_switch = epochs->positional || switches;
    epoch->number = next_number(epochs, tx->commit_us);
    epoch->by = by_switch ? EPOCH_BY_SWITCH : gtid_is_set(&tx->gtid) ? EPOCH_BY_NUMBER : EPOCH_BY_POSITION;
    copy_server(epoch->server, tx->server_uuid);
    epoch->writer = tx->gtid;
    epoch->at = tx->at;
    epoch->time_us = tx->commit_us;
    epoch->last = sequence_of(tx, epoch_is_by_position(epoch));
    rc = note_gtid(epochs, epoch->seen, tx, e);
    struct gtid_set *fresh = gtid_set_new(FLAVOR_MYSQL);
    const char *line = rc || !fresh ? NULL : epochs_print_begin(epochs, epoch, current(epochs), epochs->fresh);
    if (!line) {
        gtid_set_free(fresh);
        gtid_set_free(epoch->seen);
        return rc ? rc : err_set(e, NO_MEMORY, epochs->line.len);
    }
    epochs_push(epochs, epoch);
    epochs->announce |= switches;
    gtid_set_free(epochs->fresh);
    epochs->fresh = fresh;
    epochs->dirty = false;
    *out = (struct version){.epoch = epoch->number, .sequence = epoch->last};
    *record = line;
    return 0;
}

int epochs_assign(struct epochs *epochs, const struct epoch_tx *tx, struct version *out, const char **record,
                  struct err *e)
{
    struct epoch *now = current(epochs);
    uint64_t sequence = sequence_of(tx, is_by_position(epochs, tx));
    bool goes_on = !epochs->frozen && now && continues(epochs, now, tx);
    *record = NULL;
    if (goes_on && sequence > high_of_current(epochs))
        return go_on(epochs, tx, sequence, out, record, e);
    const struct epoch *found = find(epochs, tx);
    if (found)
        return assign_recorded(found, tx, out, e);
    if (is_older(epochs, tx))
        return assign_zero(epochs, tx, out, record, e);
    if (goes_on && sequence > now->last)
        return go_on(epochs, tx, sequence, out, record, e);
    return begin(epochs, tx, out, record, e);
}

void epochs_freeze(struct epochs *epochs)
{
    epochs->frozen = true;
}

bool epochs_take_switch(struct epochs *epochs)
{
    bool announce = epochs->announce;
    epochs->announce = false;
    return announce;
}

int epochs_begin(struct epochs *epochs, const struct position *start, const char **record, struct err *e)
{
    *record = NULL;
    if (epochs->n || epochs->newest || epochs->has_base)
        return 0;
    int rc = position_copy(&epochs->base, start, e);
    if (rc)
        return rc;
    epochs->has_base = true;
    *record = epochs_print_base(epochs);
    return *record ? 0 : err_set(e, NO_MEMORY, epochs->line.len);
}

int epochs_reset(struct epochs *epochs, const char **record, struct err *e)
{
    epochs_forget(epochs);
    *record = epochs_print_reset(epochs);
    return *record ? 0 : err_set(e, NO_MEMORY, epochs->line.len);
}

int epochs_resume(struct epochs *epochs, uint32_t newest, const char **record, struct err *e)
{
    epochs->newest = newest;
    return epochs_reset(epochs, record, e);
}

const char *epochs_progress(struct epochs *epochs)
{
    if (!epochs->dirty)
        return NULL;
    struct gtid_set *fresh = gtid_set_new(FLAVOR_MYSQL);
    const char *line = fresh ? epochs_print_seen(epochs, epochs->fresh) : NULL;
    if (!line) {
        gtid_set_free(fresh);
        return NULL;
    }
    gtid_set_free(epochs->fresh);
    epochs->fresh = fresh;
    epochs->dirty = false;
    return line;
}
