/* What is prepared: the open transaction, the marks, and which of them hold at a place. */
#include "binlog/spool_private.h"

#include <stdlib.h>

#include "base/hash.h"

#define MARKS_MIN 64 /* a power of two */

void spool_mark_free(struct spool_mark *mark)
{
    if (!mark)
        return;
    buf_release(&mark->records);
    free(mark);
}

static void clear_marks(struct spool *spool)
{
    for (size_t i = 0; i < spool->mark_count; i++)
        spool_mark_free(spool->marks[i]);
    spool->mark_count = 0;
}

int spool_new(struct spool **out, const struct spool_options *opt, struct err *e)
{
    struct spool *spool = (struct spool *)calloc(1, sizeof *spool);
    if (!spool)
        return err_set(e, NO_MEMORY, sizeof *spool);
    spool->opt = *opt;
    if (spool->opt.max_bytes == 0)
        spool->opt.max_bytes = SPOOL_BYTES;
    spool->next_id = 1;
    buf_init(&spool->records, 0);
    buf_init(&spool->reading.entry, 0);
    *out = spool;
    return 0;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    clear_marks(spool);
    free(spool->marks);
    free(spool->buckets);
    buf_release(&spool->records);
    buf_release(&spool->reading.entry);
    free(spool);
}

static struct spool_mark **bucket(const struct spool *spool, const struct xid *xid)
{
    uint64_t hash = hash_bytes(xid->bytes, (size_t)xid->gtrid_len + xid->bqual_len);
    return &spool->buckets[hash & (spool->mark_size - 1)];
}

static void put_in_bucket(struct spool *spool, struct spool_mark *mark)
{
    struct spool_mark **newest = bucket(spool, &mark->xid);
    mark->older = *newest;
    *newest = mark;
}

static void fill_buckets(struct spool *spool)
{
    for (size_t i = 0; i < spool->mark_size; i++)
        spool->buckets[i] = NULL;
    for (size_t i = 0; i < spool->mark_count; i++)
        put_in_bucket(spool, spool->marks[i]);
}

static int more_room(struct spool *spool, struct err *e)
{
    size_t size = spool->mark_size ? spool->mark_size * 2 : MARKS_MIN;
    struct spool_mark **buckets = (struct spool_mark **)malloc(size * sizeof *buckets);
    struct spool_mark **grown = (struct spool_mark **)realloc(spool->marks, size * sizeof *grown);
    if (grown)
        spool->marks = grown;
    if (!grown || !buckets) {
        free(buckets);
        return err_set(e, NO_MEMORY, size * sizeof *grown);
    }
    free(spool->buckets);
    spool->buckets = buckets;
    spool->mark_size = size;
    fill_buckets(spool);
    return 0;
}

int spool_keep_mark(struct spool *spool, struct spool_mark *mark, struct err *e)
{
    int rc = spool->mark_count == spool->mark_size ? more_room(spool, e) : 0;
    if (rc != 0) {
        spool_mark_free(mark);
        return rc;
    }
    spool->marks[spool->mark_count++] = mark;
    put_in_bucket(spool, mark);
    return 0;
}

/* Places. */

static bool lies_before(const struct spool_place *place, const struct position *at)
{
    if (at->gtids && gtid_is_set(&place->gtid) && gtid_set_flavor(at->gtids) == place->gtid.flavor)
        return gtid_set_contains(at->gtids, &place->gtid);
    if (at->at.file[0] == '\0' || strcmp(at->server_uuid, place->server_uuid) != 0)
        return false;
    struct filepos end = {.pos = place->end};
    memcpy(end.file, place->file, sizeof end.file);
    return filepos_compare(&end, &at->at) <= 0;
}

/* The prepared one among `mark` and those older: the newest of the identifier tells. */
static struct spool_mark *find_open(struct spool_mark *mark, const struct xid *xid)
{
    while (mark && (mark->status == SPOOL_BEHIND || !xid_equal(&mark->xid, xid)))
        mark = mark->older;
    return mark && mark->status == SPOOL_OPEN ? mark : NULL;
}

struct spool_mark *spool_find_open(const struct spool *spool, const struct xid *xid)
{
    return spool->mark_count ? find_open(*bucket(spool, xid), xid) : NULL;
}

static void add_open(struct spool *spool, const struct spool_mark *mark)
{
    spool->open_count++;
    spool->open_bytes += mark->bytes;
    spool->open_log += mark->log_till - mark->log_from;
}

/* It is prepared no longer. */
static void end_open(struct spool *spool, struct spool_mark *mark)
{
    mark->status = SPOOL_DONE;
    spool->open_count--;
    spool->open_bytes -= mark->bytes;
    spool->open_log -= mark->log_till - mark->log_from;
}

static void count_open(struct spool *spool)
{
    spool->open_count = 0;
    spool->open_bytes = spool->open_log = 0;
    for (size_t i = 0; i < spool->mark_count; i++)
        if (spool->marks[i]->status == SPOOL_OPEN)
            add_open(spool, spool->marks[i]);
}

/* What each mark is at a place. */
static void judge(struct spool *spool, const struct position *at)
{
    for (size_t i = 0; i < spool->mark_count; i++) {
        struct spool_mark *mark = spool->marks[i];
        if (!lies_before(&mark->place, at)) {
            mark->status = SPOOL_BEHIND;
            continue;
        }
        struct spool_mark *before = find_open(mark->older, &mark->xid);
        if (before)
            before->status = SPOOL_DONE;
        mark->status = mark->resolves ? SPOOL_DONE : SPOOL_OPEN;
    }
}

/* After a failure the next settling reads the log again. */
static int forget(struct spool *spool, int rc)
{
    clear_marks(spool);
    fill_buckets(spool);
    count_open(spool);
    spool->loaded = false;
    return rc;
}

/* Takes the marks that are dropped out of the list, and out of the log. */
static int drop_marks(struct spool *spool, struct err *e)
{
    size_t kept = 0;
    int rc = spool->opt.state ? spool_rewrite(spool, e) : 0;
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < spool->mark_count; i++) {
        if (spool->marks[i]->dropped)
            spool_mark_free(spool->marks[i]);
        else
            spool->marks[kept++] = spool->marks[i];
    }
    spool->mark_count = kept;
    fill_buckets(spool);
    rc = spool->opt.state ? spool_relocate(spool, e) : 0;
    return rc == 0 ? 0 : forget(spool, rc);
}

int spool_settle(struct spool *spool, const struct position *at, struct err *e)
{
    int rc = 0;
    spool_drop(spool);
    if (!spool->loaded && spool->opt.state)
        rc = spool_load(spool, e);
    if (rc != 0)
        return forget(spool, rc);
    spool->loaded = true;
    judge(spool, at);
    bool any = false;
    for (size_t i = 0; i < spool->mark_count; i++) {
        spool->marks[i]->dropped = spool->marks[i]->status == SPOOL_BEHIND;
        any = any || spool->marks[i]->dropped;
    }
    if (any) {
        rc = drop_marks(spool, e);
        judge(spool, at);
    }
    count_open(spool);
    return rc;
}

/* The open transaction. */

void spool_drop(struct spool *spool)
{
    spool->is_open = spool->in_log = false;
    spool->reading.active = false;
    buf_clear(&spool->records);
    spool->bytes = 0;
}

int spool_begin(struct spool *spool, const struct event_format *format, struct err *e)
{
    spool_drop(spool);
    spool->format = *format;
    spool->id = spool->next_id++;
    spool->is_open = true;
    int rc = spool_begin_item(&spool->records, SPOOL_EVENTS, spool->id, e);
    return rc == 0 && spool->opt.state ? state_end(spool->opt.state, SPOOL_LOG, &spool->log_from, e) : rc;
}

static void put(uint8_t *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

int spool_add(struct spool *spool, const struct spool_event *event, struct err *e)
{
    uint8_t head[SPOOL_RECORD_HEAD];
    uint64_t size = SPOOL_RECORD_HEAD + (uint64_t)event->len;
    if (!spool->is_open)
        return err_set(e, BUG, "an event of no open transaction");
    if (size > spool->opt.max_bytes || spool->open_bytes + spool->bytes > spool->opt.max_bytes - size)
        return err_set(e, XA_SPOOL_FULL, spool->open_count, spool->opt.max_bytes);
    head[0] = event->type;
    head[1] = event->left_out;
    put(head + 2, event->ordinal, 4);
    put(head + 6, event->len, 4);
    put(head + 10, hash_crc32(hash_crc32(0, head, 10), event->body, event->len), 4);
    buf_add(&spool->records, head, sizeof head);
    buf_add(&spool->records, event->body, event->len);
    if (spool->records.failed)
        return err_set(e, NO_MEMORY, event->len);
    spool->bytes += size;
    return spool->opt.state && spool->records.len >= SPOOL_PIECE_BYTES ? spool_write(spool, NULL, e) : 0;
}

static struct spool_mark *mark_new(struct spool *spool, const struct xid *xid, const struct spool_place *place)
{
    struct spool_mark *mark = (struct spool_mark *)calloc(1, sizeof *mark);
    if (!mark)
        return NULL;
    buf_init(&mark->records, 0);
    mark->xid = *xid;
    mark->place = *place;
    mark->id = spool->id;
    return mark;
}

static int keep_in_log(struct spool *spool, struct spool_mark *mark, struct err *e)
{
    int rc = spool_write(spool, mark, e);
    mark->log_from = spool->log_from;
    return rc == 0 ? state_end(spool->opt.state, SPOOL_LOG, &mark->log_till, e) : rc;
}

int spool_prepare(struct spool *spool, const struct xid *xid, const struct spool_place *place, struct err *e)
{
    if (!spool->is_open)
        return err_set(e, BUG, "no open transaction is prepared");
    struct spool_mark *mark = mark_new(spool, xid, place);
    if (!mark)
        return err_set(e, NO_MEMORY, sizeof *mark);
    mark->bytes = spool->bytes;
    if (spool->opt.state) {
        int rc = keep_in_log(spool, mark, e);
        if (rc != 0) {
            spool_mark_free(mark);
            return rc;
        }
    } else {
        mark->format = spool->format;
        mark->records = spool->records;
        buf_init(&spool->records, 0);
    }
    struct spool_mark *before = spool_find_open(spool, xid);
    if (before)
        end_open(spool, before);
    int rc = spool_keep_mark(spool, mark, e);
    if (rc == 0)
        add_open(spool, mark);
    spool_drop(spool);
    return rc;
}

bool spool_find(const struct spool *spool, const struct xid *xid, struct spool_place *prepared)
{
    const struct spool_mark *mark = spool_find_open(spool, xid);
    if (mark && prepared)
        *prepared = mark->place;
    return mark != NULL;
}

int spool_resolve(struct spool *spool, const struct xid *xid, const struct spool_place *place, struct err *e)
{
    struct spool_mark *prepared = spool_find_open(spool, xid);
    spool->reading.active = false;
    if (!prepared)
        return 0;
    if (!spool->opt.state) {
        for (size_t i = 0; i < spool->mark_count; i++)
            spool->marks[i]->dropped = spool->marks[i] == prepared;
        int rc = drop_marks(spool, e);
        count_open(spool);
        return rc;
    }
    spool->id = spool->next_id++;
    struct spool_mark *mark = mark_new(spool, xid, place);
    if (!mark)
        return err_set(e, NO_MEMORY, sizeof *mark);
    mark->resolves = true;
    mark->status = SPOOL_DONE;
    int rc = spool_write_resolved(spool, mark, e);
    if (rc != 0) {
        spool_mark_free(mark);
        return rc;
    }
    end_open(spool, prepared);
    return spool_keep_mark(spool, mark, e);
}

/* Figures, and what is thrown away. */

void spool_figures(const struct spool *spool, struct spool_figures *out)
{
    *out = (struct spool_figures){.transactions = spool->open_count, .bytes = spool->open_bytes + spool->bytes};
    out->wants_compact =
        spool->opt.state && (spool->mark_count - spool->open_count > SPOOL_DEAD_MARKS + spool->open_count ||
                             spool->log_end > SPOOL_DEAD_BYTES + 2 * spool->open_log);
}

int spool_compact(struct spool *spool, const struct position *stored, struct err *e)
{
    if (!spool->opt.state || spool->is_open || spool->reading.active)
        return 0;
    uint8_t *now = (uint8_t *)malloc(spool->mark_count + 1);
    if (!now)
        return err_set(e, NO_MEMORY, spool->mark_count + 1);
    for (size_t i = 0; i < spool->mark_count; i++)
        now[i] = spool->marks[i]->status;
    judge(spool, stored);
    uint64_t live = 0;
    size_t dropped = 0;
    for (size_t i = 0; i < spool->mark_count; i++) {
        struct spool_mark *mark = spool->marks[i];
        mark->dropped = mark->status == SPOOL_DONE;
        dropped += mark->dropped;
        live += mark->dropped ? 0 : mark->log_till - mark->log_from;
        mark->status = now[i];
    }
    free(now);
    if (2 * dropped < spool->mark_count && (spool->log_end < live || spool->log_end - live < live))
        return 0;
    int rc = drop_marks(spool, e);
    count_open(spool);
    return rc;
}
