/* The state topic read back into a directory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "sink/kafka/read_back.h"
#include "sink/kafka/state_private.h"

/* A generation of a log while it is read: what has come of it. */
struct generation {
    struct generation *next;
    char name[STATE_NAME_MAX + 1];
    unsigned number;
    uint64_t end, parts;
    bool has_gap;
};

struct restoring {
    struct state *st;
    const char *topic;
    struct kept_names *names;
    struct generation *generations;
    struct pending { /* records, whole when all parts have come */
        struct pending *next;
        char name[STATE_NAME_MAX + 1];
        struct buf bytes;
        uint64_t total;
        bool is_gone, is_partial;
    } * records;
    const struct kafka_takeover *takeover; /* NULL: none was written */
    int64_t offset;
};

struct kept_name *kept_find(struct kept_names *names, bool is_log, const char *name)
{
    struct kept_name *kept = names->list;
    while (kept && (kept->is_log != is_log || strcmp(kept->name, name) != 0))
        kept = kept->next;
    if (kept || !(kept = calloc(1, sizeof *kept)))
        return kept;
    kept->is_log = is_log;
    snprintf(kept->name, sizeof kept->name, "%s", name);
    kept->next = names->list;
    names->list = kept;
    return kept;
}

void kept_names_release(struct kept_names *names)
{
    while (names->list) {
        struct kept_name *kept = names->list;
        names->list = kept->next;
        free(kept);
    }
}

static int foreign(const struct restoring *r, const char *why, struct err *e)
{
    return err_set(e, STATE_TOPIC, r->topic, r->offset, why);
}

static int no_memory(struct err *e)
{
    return err_set(e, NO_MEMORY, sizeof(struct kept_name));
}

/* ---------------------------------------------------------------- keys */

struct key {
    bool is_log, is_head; /* head: the number of the log's generation */
    char name[STATE_NAME_MAX + 1];
    unsigned generation;
    uint64_t part;
};

static bool take_number(const char **p, uint64_t max, uint64_t *out)
{
    const char *begin = *p;
    *out = 0;
    while (**p >= '0' && **p <= '9' && *out <= max)
        *out = *out * 10 + (uint64_t)(*(*p)++ - '0');
    return *p > begin && *out <= max;
}

static bool parse_key(const char *text, struct key *out)
{
    uint64_t generation = 0;
    *out = (struct key){.is_log = strncmp(text, "log/", 4) == 0};
    if (!out->is_log && strncmp(text, "record/", 7) != 0)
        return false;
    const char *p = text + (out->is_log ? 4 : 7);
    size_t len = strcspn(p, "/");
    if (len == 0 || len > STATE_NAME_MAX)
        return false;
    memcpy(out->name, p, len);
    p += len;
    out->is_head = out->is_log && *p == '\0';
    if (out->is_head)
        return true;
    if (*p++ != '/' || (out->is_log && (!take_number(&p, UINT32_MAX, &generation) || *p++ != '/')))
        return false;
    out->generation = (unsigned)generation;
    return take_number(&p, UINT64_MAX / 16, &out->part) && *p == '\0';
}

/* ---------------------------------------------------------------- messages */

static struct pending *pending_of(struct restoring *r, const char *name)
{
    struct pending *record = r->records;
    while (record && strcmp(record->name, name) != 0)
        record = record->next;
    if (record || !(record = calloc(1, sizeof *record)))
        return record;
    snprintf(record->name, sizeof record->name, "%s", name);
    buf_init(&record->bytes, 0);
    record->next = r->records;
    r->records = record;
    return record;
}

/* Parts of one version of a record come together, the first one first. Of versions that are over compaction may have
 * left some. */
static int take_record(struct restoring *r, const struct key *key, struct cursor *value, struct err *e)
{
    struct pending *record = pending_of(r, key->name);
    struct kept_name *kept = kept_find(r->names, false, key->name);
    if (!record || !kept)
        return no_memory(e);
    if (!value) {
        record->is_gone |= key->part == 0;
        return 0;
    }
    uint64_t total = cursor_u64(value);
    size_t len = cursor_left(value);
    if (value->bad || total > STATE_ENTRY_MAX + 64)
        return foreign(r, "a record without its size", e);
    if (key->part == 0) {
        buf_clear(&record->bytes);
        record->is_gone = record->is_partial = false;
        record->total = total;
        kept->parts = (total + PART_BYTES - 1) / PART_BYTES;
    }
    record->is_partial |=
        record->total != total || record->bytes.len != key->part * PART_BYTES || record->bytes.len + len > total;
    if (record->is_partial)
        return 0;
    buf_add(&record->bytes, cursor_take(value, len), len);
    return record->bytes.failed ? err_set(e, NO_MEMORY, len) : 0;
}

static struct generation *generation_of(struct restoring *r, const struct key *key)
{
    struct generation *generation = r->generations;
    while (generation && (generation->number != key->generation || strcmp(generation->name, key->name) != 0))
        generation = generation->next;
    if (generation || !(generation = calloc(1, sizeof *generation)))
        return generation;
    snprintf(generation->name, sizeof generation->name, "%s", key->name);
    generation->number = key->generation;
    generation->next = r->generations;
    r->generations = generation;
    return generation;
}

/* Compaction may have taken the begin of a generation that is over: what does not fit is told when it is the present
 * one. */
static int take_part(struct restoring *r, const struct key *key, struct cursor *value, struct err *e)
{
    struct generation *generation = generation_of(r, key);
    if (!generation)
        return no_memory(e);
    if (!value)
        return 0;
    uint64_t place = cursor_u64(value);
    size_t len = cursor_left(value);
    if (value->bad)
        return foreign(r, "a part of a log without its place", e);
    int rc = state_restore_part(r->st, key->name, key->generation, place, cursor_take(value, len), len, e);
    if (key->part < generation->parts) /* sent again after an answer that was lost */
        return rc;
    generation->has_gap |= place != generation->end || key->part != generation->parts;
    generation->end = place + len;
    generation->parts = key->part + 1;
    return rc;
}

static int take_head(struct restoring *r, const struct key *key, const rd_kafka_message_t *message, struct err *e)
{
    char text[24] = "";
    const char *p = text;
    uint64_t number;
    struct kept_name *kept = kept_find(r->names, true, key->name);
    if (!kept)
        return no_memory(e);
    if (message->len < sizeof text)
        memcpy(text, message->payload, message->len);
    if (!take_number(&p, UINT32_MAX, &number) || *p)
        return foreign(r, "a generation that is no number", e);
    kept->generation = (unsigned)number;
    return 0;
}

static int take_format(struct restoring *r, const rd_kafka_message_t *message, struct err *e)
{
    r->names->has_format = true;
    if (message->len == strlen(FORMAT) && memcmp(message->payload, FORMAT, message->len) == 0)
        return 0;
    return foreign(r, "it was written by a newer version", e);
}

static void take_reader(struct restoring *r, const rd_kafka_message_t *message)
{
    if (r->takeover && message->len == strlen(r->takeover->text) &&
        memcmp(message->payload, r->takeover->text, message->len) == 0)
        r->names->reader_offset = message->offset;
}

static int visit(void *ctx, const rd_kafka_message_t *message, struct err *e)
{
    struct restoring *r = ctx;
    char text[KEY_MAX] = "";
    struct key key;
    struct cursor value = cursor_over(message->payload, message->len);
    r->offset = message->offset;
    if (message->key_len < sizeof text)
        memcpy(text, message->key, message->key_len);
    if (strcmp(text, KAFKA_STATE_READER) == 0) {
        take_reader(r, message);
        return 0;
    }
    if (strcmp(text, FORMAT_KEY) == 0)
        return take_format(r, message, e);
    if (!r->names->has_format)
        return foreign(r, "it does not begin as a reader's state does", e);
    if (!parse_key(text, &key))
        return foreign(r, "a key that no reader writes", e);
    if (key.is_head)
        return take_head(r, &key, message, e);
    return (key.is_log ? take_part : take_record)(r, &key, message->payload ? &value : NULL, e);
}

/* ---------------------------------------------------------------- the directory */

static int put_records(struct restoring *r, struct err *e)
{
    int rc = 0;
    bool found;
    struct buf bytes;
    buf_init(&bytes, 0);
    for (struct pending *record = r->records; record && rc == 0; record = record->next) {
        if (record->is_gone)
            continue;
        if (record->is_partial || record->bytes.len != record->total)
            rc = foreign(r, "a record's parts are not all there", e);
        if (rc == 0)
            rc = state_restore_record(r->st, record->name, record->bytes.p, record->bytes.len, e);
        if (rc == 0)
            rc = state_get(r->st, record->name, &bytes, &found, e);
    }
    buf_release(&bytes);
    return rc;
}

static int put_logs(struct restoring *r, struct err *e)
{
    int rc = 0;
    for (struct generation *generation = r->generations; generation && rc == 0; generation = generation->next) {
        struct kept_name *kept = kept_find(r->names, true, generation->name);
        if (!kept)
            return no_memory(e);
        if (kept->generation != generation->number) {
            rc = state_restore_drop(r->st, generation->name, generation->number, e);
            continue;
        }
        if (generation->has_gap)
            return foreign(r, "a log's parts are not all there", e);
        kept->parts = generation->parts;
        rc = state_restore_log(r->st, generation->name, generation->number, e);
    }
    return rc;
}

static void release(struct restoring *r)
{
    while (r->generations) {
        struct generation *generation = r->generations;
        r->generations = generation->next;
        free(generation);
    }
    while (r->records) {
        struct pending *record = r->records;
        r->records = record->next;
        buf_release(&record->bytes);
        free(record);
    }
}

int kafka_state_restore(struct state *st, const struct kafka_state_place *place, const char *topic,
                        struct kept_names *names, struct err *e)
{
    const struct kafka_read read = {.opt = place->opt, .env = place->env, .topic = topic};
    struct restoring r = {.st = st, .topic = topic, .names = names, .takeover = place->takeover};
    int rc = state_restore_begin(st, e);
    if (rc == 0)
        rc = kafka_read_back(&read, 0, visit, &r, NULL, e);
    if (rc == 0)
        rc = put_records(&r, e);
    if (rc == 0)
        rc = put_logs(&r, e);
    if (rc != 0 && err_class(e) != ERR_CLASS_RETRY)
        err_wrap(e, "state topic %s", topic);
    release(&r);
    return rc;
}
