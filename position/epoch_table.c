/* The table of epochs and its lines. Fields are separated by one space, the last one runs to the end; "-" = none.
 *
 *   begin EPOCH number|position|switch TIME_US SERVER GTID LAST SEEN AT    LAST and SEEN complete the epoch before
 *   seen EPOCH LAST SEEN                                                   more of that epoch
 *   base SERVER GTIDS AT                                                   older transactions are epoch 0
 *   zero SERVER                                                            by whose positions epoch 0 is numbered
 *   reset EPOCH number|switch                                              the newest number and numbering so far
 *
 * SEEN is a set in MySQL's form; for MariaDB the UUID's last eight bytes are domain and server. */
#include <stdlib.h>

#include "position/epoch_impl.h"

static const char *const numbering_names[] = {"number", "position", "switch"};

struct gtid_source gtid_source_for(const struct gtid *gtid)
{
    struct gtid_source source = {{0}, {0}};
    if (gtid->flavor == FLAVOR_MARIADB) {
        for (unsigned i = 0; i < 4; i++) {
            source.uuid[8 + i] = (uint8_t)(gtid->domain >> (24 - 8 * i));
            source.uuid[12 + i] = (uint8_t)(gtid->server >> (24 - 8 * i));
        }
        return source;
    }
    memcpy(source.uuid, gtid->uuid, sizeof source.uuid);
    memcpy(source.tag, gtid->tag, strnlen(gtid->tag, GTID_TAG_MAX));
    return source;
}

struct epochs *epochs_new(enum flavor flavor)
{
    struct epochs *epochs = calloc(1, sizeof *epochs);
    if (!epochs)
        return NULL;
    epochs->flavor = flavor;
    position_init(&epochs->base);
    buf_init(&epochs->line, 0);
    epochs->fresh = gtid_set_new(FLAVOR_MYSQL);
    if (!epochs->fresh) {
        free(epochs);
        return NULL;
    }
    return epochs;
}

static void free_list(struct epochs *epochs)
{
    for (size_t i = 0; i < epochs->n; i++)
        gtid_set_free(epochs->list[i].seen);
    free(epochs->list);
    epochs->list = NULL;
    epochs->n = epochs->size = 0;
}

void epochs_free(struct epochs *epochs)
{
    if (!epochs)
        return;
    free_list(epochs);
    gtid_set_free(epochs->fresh);
    position_release(&epochs->base);
    buf_release(&epochs->line);
    free(epochs);
}

int epochs_room(struct epochs *epochs, struct epoch **out, struct err *e)
{
    if (epochs->n == EPOCHS_MAX)
        return err_set(e, LIMIT, "table of epochs", (epochs->n + 1) * sizeof(struct epoch),
                       (size_t)EPOCHS_MAX * sizeof(struct epoch));
    if (epochs->n == epochs->size) {
        size_t size = epochs->size ? epochs->size * 2 : 8;
        struct epoch *list = realloc(epochs->list, size * sizeof *list);
        if (!list)
            return err_set(e, NO_MEMORY, size * sizeof *list);
        epochs->list = list;
        epochs->size = size;
    }
    struct epoch *epoch = &epochs->list[epochs->n];
    *epoch = (struct epoch){.seen = gtid_set_new(FLAVOR_MYSQL)};
    if (!epoch->seen)
        return err_set(e, NO_MEMORY, sizeof(void *));
    *out = epoch;
    return 0;
}

void epochs_push(struct epochs *epochs, struct epoch *epoch)
{
    epochs->starts[epochs->n_starts++ % EPOCHS_PER_HOUR_MAX] = epoch->time_us;
    epochs->newest = epoch->number;
    epochs->positional |= epoch->by == EPOCH_BY_SWITCH;
    epochs->cut = false;
    epochs->high_known = false;
    epochs->cursor = epochs->n++;
}

void epochs_forget(struct epochs *epochs)
{
    free_list(epochs);
    position_release(&epochs->base);
    epochs->has_base = false;
    epochs->zero_server[0] = '\0';
    epochs->cursor = 0;
    epochs->n_starts = 0;
    epochs->cut = true;
    epochs->dirty = false;
    epochs->before_newest = epochs->newest;
    epochs->before_positional = epochs->positional;
}

static const char *line_done(struct epochs *epochs)
{
    buf_byte(&epochs->line, '\0');
    return epochs->line.failed ? NULL : (const char *)epochs->line.p;
}

static const char *or_none(const char *text)
{
    return text[0] ? text : "-";
}

static void print_set(struct epochs *epochs, const struct gtid_set *set)
{
    if (!set || gtid_set_is_empty(set))
        buf_byte(&epochs->line, '-');
    else
        gtid_set_print(set, &epochs->line);
}

static void print_at(struct epochs *epochs, const struct filepos *at)
{
    char text[FILEPOS_TEXT_MAX];
    filepos_print(at, text);
    buf_printf(&epochs->line, " %s", at->file[0] ? text : "-");
}

const char *epochs_print_begin(struct epochs *epochs, const struct epoch *epoch, const struct epoch *before,
                               const struct gtid_set *before_seen)
{
    char gtid[GTID_TEXT_MAX];
    gtid_print(&epoch->writer, gtid);
    buf_clear(&epochs->line);
    buf_printf(&epochs->line, "begin %u %s %lld %s %s %llu ", epoch->number, numbering_names[epoch->by],
               (long long)epoch->time_us, or_none(epoch->server), or_none(gtid),
               before ? (unsigned long long)before->last : 0ULL);
    print_set(epochs, before ? before_seen : NULL);
    print_at(epochs, &epoch->at);
    return line_done(epochs);
}

const char *epochs_print_base(struct epochs *epochs)
{
    buf_clear(&epochs->line);
    buf_printf(&epochs->line, "base %s ", or_none(epochs->base.server_uuid));
    print_set(epochs, epochs->base.gtids);
    print_at(epochs, &epochs->base.at);
    return line_done(epochs);
}

const char *epochs_print_zero(struct epochs *epochs)
{
    buf_clear(&epochs->line);
    buf_printf(&epochs->line, "zero %s", epochs->zero_server);
    return line_done(epochs);
}

const char *epochs_print_reset(struct epochs *epochs)
{
    buf_clear(&epochs->line);
    buf_printf(&epochs->line, "reset %u %s", epochs->before_newest, epochs->before_positional ? "switch" : "number");
    return line_done(epochs);
}

const char *epochs_print_seen(struct epochs *epochs, const struct gtid_set *seen)
{
    const struct epoch *now = &epochs->list[epochs->n - 1];
    buf_clear(&epochs->line);
    buf_printf(&epochs->line, "seen %u %llu ", now->number, (unsigned long long)now->last);
    print_set(epochs, seen);
    return line_done(epochs);
}

const char *epochs_line(struct epochs *epochs, size_t index, bool *failed)
{
    const char *line = NULL;
    bool heads[] = {epochs->cut || epochs->before_newest, epochs->has_base, epochs->zero_server[0] != '\0'};
    const char *(*const printers[])(struct epochs *) = {epochs_print_reset, epochs_print_base, epochs_print_zero};
    *failed = false;
    for (size_t i = 0; i < 3; i++)
        if (heads[i] && index-- == 0) {
            line = printers[i](epochs);
            *failed = !line;
            return line;
        }
    if (index > epochs->n || epochs->n == 0)
        return NULL;
    if (index == epochs->n) {
        line = epochs_print_seen(epochs, epochs->list[index - 1].seen);
    } else {
        const struct epoch *before = index ? &epochs->list[index - 1] : NULL;
        line = epochs_print_begin(epochs, &epochs->list[index], before, before ? before->seen : NULL);
    }
    *failed = !line;
    return line;
}

/* One field up to the next space. */
static bool field(struct scan *s, struct scan *out)
{
    return scan_until(s, ' ', out);
}

static bool field_u64(struct scan *s, uint64_t max, uint64_t *out)
{
    struct scan part;
    return field(s, &part) && scan_u64(&part, max, out) && scan_at_end(&part);
}

static bool is_none(const struct scan *part)
{
    return part->end - part->p == 1 && *part->p == '-';
}

static bool take_server(struct scan part, char out[SERVER_UUID_MAX + 1])
{
    size_t len = (size_t)(part.end - part.p);
    if (len == 0 || len > SERVER_UUID_MAX)
        return false;
    memcpy(out, part.p, len);
    out[is_none(&part) ? 0 : len] = '\0';
    return true;
}

static bool take_at(struct scan part, struct filepos *out)
{
    if (is_none(&part)) {
        *out = (struct filepos){.pos = 0};
        return true;
    }
    return filepos_parse(out, part.p, (size_t)(part.end - part.p), NULL) == 0;
}

static bool take_numbering(struct scan part, enum epoch_numbering *out)
{
    for (unsigned i = 0; i < 3; i++) {
        struct scan rest = part;
        if (scan_word(&rest, numbering_names[i]) && scan_at_end(&rest)) {
            *out = (enum epoch_numbering)i;
            return true;
        }
    }
    return false;
}

/* Adds a SEEN field to an epoch's set. */
static bool add_seen(struct epoch *epoch, struct scan part)
{
    if (is_none(&part))
        return true;
    struct gtid_set *set;
    if (gtid_set_parse(&set, FLAVOR_MYSQL, part.p, (size_t)(part.end - part.p), NULL) != 0)
        return false;
    bool ok = gtid_set_union(epoch->seen, set, NULL) == 0;
    gtid_set_free(set);
    return ok;
}

static bool load_begin_fields(struct epochs *epochs, struct scan *s, struct epoch *out)
{
    struct scan by, server, gtid, seen;
    uint64_t number, time_us, last;
    if (!field_u64(s, UINT32_MAX, &number) || !field(s, &by) || !take_numbering(by, &out->by))
        return false;
    bool negative = scan_char(s, '-');
    if (!field_u64(s, INT64_MAX, &time_us) || !field(s, &server) || !take_server(server, out->server) ||
        !field(s, &gtid) || !field_u64(s, UINT64_MAX, &last) || !field(s, &seen) || !take_at(*s, &out->at))
        return false;
    out->number = (uint32_t)number;
    out->time_us = negative ? -(int64_t)time_us : (int64_t)time_us;
    if (number <= epochs->newest || (is_none(&gtid) && out->by == EPOCH_BY_NUMBER))
        return false;
    if (!is_none(&gtid)) {
        if (gtid_parse(&out->writer, epochs->flavor, gtid.p, (size_t)(gtid.end - gtid.p), NULL) != 0)
            return false;
        struct gtid_source source = gtid_source_for(&out->writer);
        if (out->writer.number > GTID_NUMBER_MAX ||
            gtid_set_add_interval(out->seen, &source, (struct gtid_interval){out->writer.number, out->writer.number},
                                  NULL) != 0)
            return false;
    }
    out->last = epoch_is_by_position(out) ? filepos_sequence(&out->at) : out->writer.number;
    if (epochs->n == 0)
        return true;
    struct epoch *before = &epochs->list[epochs->n - 1];
    if (before->last < last)
        before->last = last;
    return add_seen(before, seen);
}

static bool load_begin(struct epochs *epochs, struct scan *s)
{
    struct epoch *epoch;
    if (epochs_room(epochs, &epoch, NULL) != 0)
        return false;
    if (!load_begin_fields(epochs, s, epoch)) {
        gtid_set_free(epoch->seen);
        return false;
    }
    epochs_push(epochs, epoch);
    return true;
}

static bool load_seen(struct epochs *epochs, struct scan *s)
{
    uint64_t number, last;
    if (!field_u64(s, UINT32_MAX, &number) || !field_u64(s, UINT64_MAX, &last) || epochs->n == 0)
        return false;
    struct epoch *now = &epochs->list[epochs->n - 1];
    if (number != now->number || last < now->last)
        return false;
    now->last = last;
    epochs->high_known = false;
    return add_seen(now, *s);
}

static bool load_base(struct epochs *epochs, struct scan *s)
{
    struct scan server, gtids;
    struct position base;
    position_init(&base);
    if (epochs->has_base || !field(s, &server) || !take_server(server, base.server_uuid) || !field(s, &gtids) ||
        !take_at(*s, &base.at))
        return false;
    if (!is_none(&gtids) &&
        gtid_set_parse(&base.gtids, epochs->flavor, gtids.p, (size_t)(gtids.end - gtids.p), NULL) != 0)
        return false;
    epochs->base = base;
    epochs->has_base = true;
    return true;
}

static bool load_reset(struct epochs *epochs, struct scan *s)
{
    uint64_t newest;
    enum epoch_numbering by;
    if (!field_u64(s, UINT32_MAX, &newest) || !take_numbering(*s, &by) || newest < epochs->newest)
        return false;
    epochs->newest = (uint32_t)newest;
    epochs->positional |= by == EPOCH_BY_SWITCH;
    epochs_forget(epochs);
    return true;
}

int epochs_load(struct epochs *epochs, const char *record, size_t len, struct err *e)
{
    struct scan s = scan_over(record, len);
    bool ok = false;
    if (scan_word(&s, "begin "))
        ok = load_begin(epochs, &s);
    else if (scan_word(&s, "seen "))
        ok = load_seen(epochs, &s);
    else if (scan_word(&s, "base "))
        ok = load_base(epochs, &s);
    else if (scan_word(&s, "zero "))
        ok = take_server(s, epochs->zero_server);
    else if (scan_word(&s, "reset "))
        ok = load_reset(epochs, &s);
    if (ok)
        return 0;
    char text[100];
    size_t shown = len < sizeof text ? len : sizeof text - 1;
    memcpy(text, record, shown);
    text[shown] = '\0';
    return err_set(e, STATE_CORRUPT, "epochs", text);
}
