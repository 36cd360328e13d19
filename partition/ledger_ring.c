/* The ring of boundaries: one producer (the source), one consumer (the keeper) with a read index per sink.
 *
 * An entry is small because names stay outside it: the file's name in a table of slots, given only where it changes,
 * the writer of the GTID (UUID and tag, or domain) in another, looked up by hash in sets of WAYS slots. A slot is
 * rewritten only when the last entry that names it has left the ring, which the source learns from `taken`. */
#include "partition/ledger_impl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define FILES      64
#define WRITERS    1024
#define WAYS       8
#define MERGED_MAX 1024 /* so that a long stretch without rows still moves the position */

struct entry {
    uint64_t ordinal;
    uint64_t pos;
    uint64_t number; /* last of the GTIDs; 0: none */
    int64_t commit_us;
    uint32_t count;  /* of GTIDs with consecutive numbers up to `number` */
    uint32_t server; /* MariaDB */
    uint16_t writer; /* slot */
    uint16_t file;   /* slot + 1; 0: the same as before */
};

struct file_slot {
    uint64_t last_use; /* 1 + index of the last entry that names it; 0: never */
    char file[FILEPOS_FILE_MAX + 1];
    char server_uuid[SERVER_UUID_MAX + 1];
};

struct writer_slot {
    uint64_t last_use;
    struct gtid gtid;
};

/* What the source has not handed over yet: the last boundary, and the name that it stands in. */
struct pending {
    bool any;
    bool new_file;
    unsigned merged;
    struct entry entry;
    struct gtid gtid;
};

struct ring {
    unsigned sinks;
    uint64_t mask;
    struct entry *entries;
    /* source */
    struct pending pending;
    char file[FILEPOS_FILE_MAX + 1];
    char server_uuid[SERVER_UUID_MAX + 1];
    struct file_slot files[FILES];
    struct writer_slot writers[WRITERS];
    alignas(CACHE_LINE) _Atomic uint64_t tail; /* entries handed over */
    /* keeper */
    alignas(CACHE_LINE) _Atomic uint64_t taken; /* entries that all sinks passed */
    uint64_t next[LEDGER_SINKS_MAX];            /* by sink: entries passed */
    int64_t waiting[LEDGER_SINKS_MAX];          /* by sink: commit time of the first not passed */
};

int ring_new(struct ring **out, unsigned sinks, unsigned size, struct err *e)
{
    if (size == 0)
        size = LEDGER_RING_DEFAULT;
    assert((size & (size - 1)) == 0);
    struct ring *ring = lines_new(sizeof *ring);
    if (!ring)
        return err_set(e, NO_MEMORY, sizeof *ring);
    ring->entries = calloc(size, sizeof *ring->entries);
    if (!ring->entries) {
        free(ring);
        return err_set(e, NO_MEMORY, size * sizeof *ring->entries);
    }
    ring->sinks = sinks;
    ring->mask = size - 1;
    *out = ring;
    return 0;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    free(ring->entries);
    free(ring);
}

/* ---------------------------------------------------------------- source */

static uint64_t writer_hash(const struct gtid *gtid)
{
    if (gtid->flavor == FLAVOR_MARIADB)
        return hash_bytes(&gtid->domain, sizeof gtid->domain);
    return hash_bytes(gtid->uuid, sizeof gtid->uuid) ^ hash_bytes(gtid->tag, strlen(gtid->tag));
}

/* The writer's slot, or one that no entry names any more; NULL when all of its set are in use. */
static struct writer_slot *find_writer(struct ring *ring, const struct gtid *gtid, uint64_t taken)
{
    struct writer_slot *set = &ring->writers[writer_hash(gtid) % (WRITERS / WAYS) * WAYS];
    struct writer_slot *unused = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        struct writer_slot *slot = &set[i];
        if (slot->last_use && gtid_same_writer(&slot->gtid, gtid))
            return slot;
        if (slot->last_use <= taken && (!unused || slot->last_use < unused->last_use))
            unused = slot;
    }
    if (unused)
        unused->gtid = *gtid;
    return unused;
}

static struct file_slot *find_file(struct ring *ring, uint64_t taken)
{
    for (unsigned i = 0; i < FILES; i++)
        if (ring->files[i].last_use <= taken)
            return &ring->files[i];
    return NULL;
}

bool ring_is_flushed(const struct ring *ring)
{
    return !ring->pending.any;
}

bool ring_flush(struct ring *ring)
{
    struct pending *pending = &ring->pending;
    if (!pending->any)
        return true;
    /* Own word; and acquire: the keeper has read what is rewritten now. */
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    if (tail - taken > ring->mask)
        return false;
    struct file_slot *file = pending->new_file ? find_file(ring, taken) : NULL;
    if (pending->new_file && !file)
        return false;
    struct writer_slot *writer = pending->entry.number ? find_writer(ring, &pending->gtid, taken) : NULL;
    if (pending->entry.number && !writer)
        return false;
    if (file) {
        memcpy(file->file, ring->file, sizeof file->file);
        memcpy(file->server_uuid, ring->server_uuid, sizeof file->server_uuid);
        file->last_use = tail + 1;
        pending->entry.file = (uint16_t)(file - ring->files + 1);
    }
    if (writer) {
        writer->last_use = tail + 1;
        pending->entry.writer = (uint16_t)(writer - ring->writers);
    }
    ring->entries[tail & ring->mask] = pending->entry;
    pending->any = false;
    /* Release: the entry and its slots before the count. */
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

/* True when `at` may take the place of the boundary held back without losing a GTID. */
static bool can_merge(const struct pending *pending, const struct boundary *at)
{
    if (!pending->any || pending->entry.ordinal != at->ordinal || pending->merged >= MERGED_MAX)
        return false;
    if (!gtid_is_set(&at->gtid) || pending->entry.number == 0)
        return true;
    if (pending->gtid.flavor != at->gtid.flavor || !gtid_same_writer(&pending->gtid, &at->gtid))
        return false;
    return at->gtid.flavor == FLAVOR_MARIADB || at->gtid.number == pending->entry.number + 1;
}

static bool renames(char *current, size_t size, const char *name)
{
    if (!name || strcmp(current, name) == 0)
        return false;
    snprintf(current, size, "%s", name);
    return true;
}

bool ring_add(struct ring *ring, const struct boundary *at)
{
    struct pending *pending = &ring->pending;
    if (!can_merge(pending, at)) {
        if (!ring_flush(ring))
            return false;
        *pending = (struct pending){.any = true};
    }
    pending->merged++;
    pending->new_file |= renames(ring->file, sizeof ring->file, at->file);
    pending->new_file |= renames(ring->server_uuid, sizeof ring->server_uuid, at->server_uuid);
    pending->entry.ordinal = at->ordinal;
    pending->entry.pos = at->pos;
    if (at->commit_us)
        pending->entry.commit_us = at->commit_us;
    if (gtid_is_set(&at->gtid)) {
        bool range = pending->entry.number && at->gtid.flavor == FLAVOR_MYSQL;
        pending->entry.count = range ? pending->entry.count + 1 : 1;
        pending->entry.number = at->gtid.number;
        pending->entry.server = at->gtid.server;
        pending->gtid = at->gtid;
    }
    return true;
}

/* ---------------------------------------------------------------- keeper */

static int pass(const struct ring *ring, const struct entry *entry, struct position *pos, struct err *e)
{
    if (pos->gtids && entry->number) {
        struct gtid gtid = ring->writers[entry->writer].gtid;
        gtid.server = entry->server;
        for (uint32_t i = 0; i < entry->count; i++) {
            gtid.number = entry->number - (entry->count - 1) + i;
            int rc = gtid_set_add(pos->gtids, &gtid, e);
            if (rc != 0)
                return rc;
        }
    }
    if (entry->file) {
        const struct file_slot *slot = &ring->files[entry->file - 1];
        memcpy(pos->at.file, slot->file, sizeof pos->at.file);
        if (slot->server_uuid[0])
            memcpy(pos->server_uuid, slot->server_uuid, sizeof pos->server_uuid);
    }
    pos->at.pos = entry->pos;
    if (entry->commit_us)
        pos->commit_us = entry->commit_us;
    return 0;
}

int64_t ring_waiting_commit_us(const struct ring *ring, unsigned sink)
{
    return ring->waiting[sink];
}

int ring_consume(struct ring *ring, unsigned sink, uint64_t safe, struct position *pos, struct err *e)
{
    /* Acquire: the entries and slots before the count. */
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    uint64_t begin = ring->next[sink];
    int rc = 0;
    while (rc == 0 && ring->next[sink] < tail) {
        const struct entry *entry = &ring->entries[ring->next[sink] & ring->mask];
        if (entry->ordinal > safe)
            break;
        rc = pass(ring, entry, pos, e);
        if (rc == 0)
            ring->next[sink]++;
    }
    ring->waiting[sink] = ring->next[sink] < tail ? ring->entries[ring->next[sink] & ring->mask].commit_us : 0;
    uint64_t taken = ring->next[0];
    for (unsigned i = 1; i < ring->sinks; i++)
        taken = ring->next[i] < taken ? ring->next[i] : taken;
    /* Release: what was read above before the source may rewrite it. */
    atomic_store_explicit(&ring->taken, taken, memory_order_release);
    if (rc != 0)
        return rc;
    return ring->next[sink] != begin;
}
