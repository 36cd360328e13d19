/* Headers as a change. */
#include "pipeline/applier_headers.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hash.h"
#include "change/shape_parts.h"
#include "sink/sink.h"

#define SLOTS_FIRST 64

/* A table with a primary key, as headers name them, and what was decided of it. */
struct known {
    uint64_t hash; /* 0: free */
    char *names;   /* db.table, NUL, the names of the key's columns as one JSON object spells them, NUL each */
    size_t len;
    const struct shape *shape; /* NULL: the body is needed */
};

struct applier_headers {
    const struct routes *routes;
    const struct pipeline_sink *sinks;
    unsigned sink_count;
    struct shape_cache *shapes;
    struct known *slots;
    size_t size, count; /* a power of two; at most half are in use */
    struct buf names;
};

enum header { H_OP, H_TABLE, H_VERSION, H_FORMAT, H_COMMIT, H_GTID, H_POS, H_HALF, H_PK, H_PK_BEFORE, H_COUNT };
static const char *const header_names[H_COUNT] = {"op",   "table", "version", "format", "commit",
                                                  "gtid", "pos",   "half",    "pk",     "pk_before"};

struct texts {
    struct header_text {
        const char *p; /* NULL: no such header */
        size_t len;
    } of[H_COUNT];
};

int applier_headers_new(struct applier_headers **out, const struct routes *routes, const struct pipeline_sink *sinks,
                        unsigned sink_count, struct shape_cache *shapes, struct err *e)
{
    struct applier_headers *h = calloc(1, sizeof *h);
    struct known *slots = calloc(SLOTS_FIRST, sizeof *slots);
    if (!h || !slots) {
        free(h);
        free(slots);
        return err_set(e, NO_MEMORY, SLOTS_FIRST * sizeof *slots);
    }
    *h = (struct applier_headers){routes, sinks, sink_count, shapes, slots, SLOTS_FIRST, 0, {0}};
    buf_init(&h->names, 0);
    *out = h;
    return 0;
}

void applier_headers_free(struct applier_headers *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->size; i++)
        free(h->slots[i].names);
    free(h->slots);
    buf_release(&h->names);
    free(h);
}

/* ---------------------------------------------------------------- the headers' texts */

/* False when one of ours comes twice. */
static bool read_texts(const rd_kafka_headers_t *headers, struct texts *out)
{
    const char *name;
    const void *value;
    size_t len;
    *out = (struct texts){.of = {{NULL, 0}}};
    for (size_t i = 0;
         headers && rd_kafka_header_get_all(headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        for (int k = 0; k < H_COUNT; k++) {
            if (strcmp(name, header_names[k]) != 0)
                continue;
            if (out->of[k].p || !value)
                return false;
            out->of[k].p = value;
            out->of[k].len = len;
        }
    return true;
}

static bool is_text(const struct texts *in, enum header which, const char *text)
{
    return in->of[which].p && in->of[which].len == strlen(text) &&
           memcmp(in->of[which].p, text, in->of[which].len) == 0;
}

static int wrong(enum header which, const char *what, struct err *e)
{
    err_set(e, CORRUPT, what);
    err_wrap(e, "header %s", header_names[which]);
    return -(int)ERR_CORRUPT;
}

/* All that a row needs is there, by form; false: the body tells. */
static bool is_row(const struct texts *in, const struct applier_head *record, struct change *chg)
{
    static const enum header needed[] = {H_OP, H_TABLE, H_VERSION, H_COMMIT, H_POS, H_PK};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!in->of[needed[i]].p)
            return false;
    bool known = false;
    for (int op = CHANGE_INSERT; op <= CHANGE_READ; op++)
        if (is_text(in, H_OP, change_op_name((enum change_op)op))) {
            chg->op = (enum change_op)op;
            known = true;
        }
    if (in->of[H_HALF].p) {
        known = known && chg->op == CHANGE_UPDATE && (is_text(in, H_HALF, "from") || is_text(in, H_HALF, "to"));
        chg->flags = is_text(in, H_HALF, "from") ? CHANGE_FROM : CHANGE_TO;
    }
    const char *dot = memchr(in->of[H_TABLE].p, '.', in->of[H_TABLE].len);
    size_t behind = dot ? in->of[H_TABLE].len - (size_t)(dot - in->of[H_TABLE].p) - 1 : 0;
    return known && is_text(in, H_FORMAT, "sluice") && record->key && record->key_len && behind &&
           !memchr(dot + 1, '.', behind) && !memchr(in->of[H_TABLE].p, '\0', in->of[H_TABLE].len);
}

/* Digits alone, or with a minus before them where that is allowed. */
static bool read_number(const char *p, size_t len, bool minus, uint64_t *out)
{
    char copy[24], *end = copy;
    if (len == 0 || len >= sizeof copy)
        return false;
    memcpy(copy, p, len);
    copy[len] = '\0';
    if (strspn(copy + (minus && *copy == '-'), "0123456789") != len - (minus && *copy == '-'))
        return false;
    *out = *copy == '-' ? (uint64_t)strtoll(copy, &end, 10) : strtoull(copy, &end, 10);
    return end == copy + len && end > copy;
}

static int read_place(const struct texts *in, struct change *chg, struct tx *tx, struct arena *arena, struct err *e)
{
    const struct header_text *pos = &in->of[H_POS], *gtid = &in->of[H_GTID];
    uint64_t commit = 0;
    size_t colon = pos->len;
    if (version_parse(&chg->version, in->of[H_VERSION].p, in->of[H_VERSION].len, NULL) != 0)
        return wrong(H_VERSION, "malformed", e);
    if (!read_number(in->of[H_COMMIT].p, in->of[H_COMMIT].len, true, &commit))
        return wrong(H_COMMIT, "not a whole number", e);
    while (colon > 0 && pos->p[colon - 1] != ':')
        colon--;
    if (colon == 0 || !read_number(pos->p + colon, pos->len - colon, false, &chg->pos))
        return wrong(H_POS, "not a file and a position", e);
    if (gtid->p && gtid_parse(&tx->gtid, memchr(gtid->p, ':', gtid->len) ? FLAVOR_MYSQL : FLAVOR_MARIADB, gtid->p,
                              gtid->len, NULL) != 0)
        return wrong(H_GTID, "not a GTID", e);
    tx->commit_us = (int64_t)commit;
    tx->epoch = chg->version.epoch;
    tx->sequence = chg->version.sequence;
    tx->file = arena_copy(arena, pos->p, colon - 1);
    return tx->file ? 0 : err_set(e, NO_MEMORY, colon);
}

/* ---------------------------------------------------------------- tables */

static int build_table(const json_t *pk, const struct header_text *name, struct arena *arena, const struct table **out,
                       struct err *e)
{
    json_t *at = (json_t *)(uintptr_t)pk, *value;
    const char *column;
    size_t count = json_object_size(pk), db = (size_t)((const char *)memchr(name->p, '.', name->len) - name->p);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    struct column *columns = arena_alloc(arena, count * sizeof *columns);
    uint16_t *index = arena_alloc(arena, count * sizeof *index);
    unsigned i = 0;
    if (!tbl || !columns || !index)
        return err_set(e, NO_MEMORY, count * sizeof *columns);
    *tbl = (struct table){.db = arena_copy(arena, name->p, db),
                          .name = arena_copy(arena, name->p + db + 1, name->len - db - 1),
                          .columns = columns,
                          .column_count = (unsigned)count,
                          .pk = index,
                          .pk_count = (unsigned)count,
                          .pk_known = true};
    json_object_foreach(at, column, value)
    {
        size_t len = strlen(column);
        columns[i] = (struct column){.name_len = (uint32_t)len, .nullable = true};
        columns[i].name = arena_copy(arena, column, len);
        if (!columns[i].name)
            return err_set(e, NO_MEMORY, len);
        index[i] = (uint16_t)i;
        i++;
    }
    *out = tbl;
    return tbl->db && tbl->name ? 0 : err_set(e, NO_MEMORY, name->len);
}

static bool reads_all(const struct sink_ops *ops, const void *bind)
{
    const char *name = NULL;
    for (unsigned n = 0; name != SINK_READS_ALL && (name = ops->reads(bind, n)); n++)
        ;
    return name == SINK_READS_ALL;
}

/* Every sink that the table goes to reads of these columns only: 1, or 0. */
static int is_enough(const struct applier_headers *h, const struct table *tbl, struct err *e)
{
    const struct route *routes;
    unsigned count = routes_list(h->routes, &routes);
    for (unsigned i = 0; i < count * h->sink_count; i++) {
        const struct route *route = &routes[i / h->sink_count];
        unsigned s = i % h->sink_count;
        const struct sink_ops *ops = h->sinks[s].ops;
        struct err why = ERR_INIT;
        void *bind = NULL;
        if (!(route->sink_mask >> s & 1) || !route_matches(route, tbl->db, tbl->name))
            continue;
        if (!ops->reads)
            return 0;
        int rc = ops->bind(&bind, h->sinks[s].options, route->sink_options[s], tbl, &why);
        bool is_less = rc != 0 || reads_all(ops, bind);
        if (rc == 0 && ops->unbind)
            ops->unbind(bind);
        if (rc != 0 && why.code == ERR_NO_MEMORY)
            return err_set(e, NO_MEMORY, sizeof *tbl);
        if (is_less)
            return 0;
    }
    return 1;
}

/* The shape of a table with this key; NULL: the body is needed. */
static int decide(struct applier_headers *h, const json_t *pk, const struct header_text *name, const struct shape **out,
                  struct err *e)
{
    struct arena *arena = malloc(sizeof *arena);
    const struct table *tbl = NULL;
    if (!arena)
        return err_set(e, NO_MEMORY, sizeof *arena);
    arena_init(arena, 1024, 0, 0);
    int rc = build_table(pk, name, arena, &tbl, e);
    if (rc == 0)
        rc = is_enough(h, tbl, e);
    if (rc > 0 && (rc = shape_cache_take_codec(h->shapes, arena, tbl, &json_codec, out, e)) == 0)
        return 0;
    arena_release(arena);
    free(arena);
    *out = NULL;
    return rc;
}

static struct known *find_slot(struct known *slots, size_t size, uint64_t hash, const void *names, size_t len)
{
    size_t i = (size_t)hash & (size - 1);
    while (slots[i].hash &&
           !(names && slots[i].hash == hash && slots[i].len == len && memcmp(slots[i].names, names, len) == 0))
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static int grow(struct applier_headers *h, struct err *e)
{
    size_t size = h->size * 2;
    struct known *slots = calloc(size, sizeof *slots);
    if (!slots)
        return err_set(e, NO_MEMORY, size * sizeof *slots);
    for (size_t i = 0; i < h->size; i++)
        if (h->slots[i].hash)
            *find_slot(slots, size, h->slots[i].hash, NULL, 0) = h->slots[i];
    free(h->slots);
    h->slots = slots;
    h->size = size;
    return 0;
}

/* Decided once for each table and key. */
static int find_shape(struct applier_headers *h, const json_t *pk, const struct header_text *name,
                      const struct shape **out, struct err *e)
{
    json_t *at = (json_t *)(uintptr_t)pk, *value;
    const char *column;
    buf_clear(&h->names);
    buf_add(&h->names, name->p, name->len);
    buf_byte(&h->names, '\0');
    json_object_foreach(at, column, value) buf_add(&h->names, column, strlen(column) + 1);
    if (h->names.failed)
        return err_set(e, NO_MEMORY, h->names.size);
    uint64_t hash = hash_bytes(h->names.p, h->names.len);
    hash += hash == 0;
    struct known *slot = find_slot(h->slots, h->size, hash, h->names.p, h->names.len);
    if (slot->hash) {
        *out = slot->shape;
        return 0;
    }
    if ((h->count + 1) * 2 > h->size) {
        if (grow(h, e) != 0)
            return err_result(e);
        slot = find_slot(h->slots, h->size, hash, NULL, 0);
    }
    const struct shape *shape = NULL;
    char *names = malloc(h->names.len);
    int rc = names ? decide(h, pk, name, &shape, e) : err_set(e, NO_MEMORY, h->names.len);
    if (rc != 0) {
        free(names);
        return rc;
    }
    memcpy(names, h->names.p, h->names.len);
    *slot = (struct known){hash, names, h->names.len, shape};
    h->count++;
    *out = shape;
    return 0;
}

/* ---------------------------------------------------------------- images */

/* The object is valid JSON; NULL otherwise. */
static json_t *load(const struct header_text *text)
{
    json_t *root = json_loadb(text->p, text->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

static bool same_names(json_t *a, json_t *b)
{
    void *i = json_object_iter(a), *k = json_object_iter(b);
    while (i && k && strcmp(json_object_iter_key(i), json_object_iter_key(k)) == 0) {
        i = json_object_iter_next(a, i);
        k = json_object_iter_next(b, k);
    }
    return !i && !k;
}

static int take_image(const struct header_text *text, struct arena *arena, struct image *out, struct err *e)
{
    const char *copy = arena_copy(arena, text->p, text->len);
    if (!copy)
        return err_set(e, NO_MEMORY, text->len);
    *out = (struct image){.bytes = (const uint8_t *)copy, .len = text->len};
    return 0;
}

/* 1, or 0 where pk_before is no key of that table. The values are read as the workers will read them. */
static int take_images(const struct texts *in, json_t *pk, struct change *chg, struct arena *arena, struct err *e)
{
    const struct header_text *before = &in->of[H_PK_BEFORE];
    bool both = chg->op == CHANGE_UPDATE;
    if (before->p) {
        json_t *root = load(before);
        bool same = root && same_names(root, pk);
        json_decref(root);
        if (!root)
            return wrong(H_PK_BEFORE, "not an object", e);
        if (!both || !same)
            return 0;
    }
    int rc = chg->op == CHANGE_DELETE ? 0 : take_image(&in->of[H_PK], arena, &chg->after, e);
    if (rc == 0 && (both || chg->op == CHANGE_DELETE))
        rc = take_image(before->p ? before : &in->of[H_PK], arena, &chg->before, e);
    for (int side = SIDE_BEFORE; rc == 0 && side <= SIDE_AFTER; side++) {
        struct value *values = arena_alloc(arena, chg->shape->tbl->column_count * sizeof *values);
        if (!values)
            return err_set(e, NO_MEMORY, chg->shape->tbl->column_count * sizeof *values);
        rc = change_image_values(chg, (enum side)side, NULL, values, arena, e);
        if (rc != 0)
            err_wrap(e, "header %s", header_names[side == SIDE_BEFORE && before->p ? H_PK_BEFORE : H_PK]);
    }
    return rc != 0 ? rc : 1;
}

int applier_headers_take(struct applier_headers *h, const struct applier_head *record, struct change *out,
                         struct tx *tx, struct arena *arena, struct err *e)
{
    struct texts in;
    struct change chg = {.flags = 0};
    struct tx new_tx = {.commit_us = 0};
    if (!read_texts(record->headers, &in) || !is_row(&in, record, &chg))
        return 0;
    json_t *pk = load(&in.of[H_PK]);
    if (!pk || json_object_size(pk) == 0) {
        json_decref(pk);
        return wrong(H_PK, "not an object of columns", e);
    }
    int rc = find_shape(h, pk, &in.of[H_TABLE], &chg.shape, e);
    bool enough = rc == 0 && chg.shape;
    if (enough && (rc = read_place(&in, &chg, &new_tx, arena, e)) == 0)
        rc = take_images(&in, pk, &chg, arena, e);
    json_decref(pk);
    if (rc != 1)
        return rc;
    chg.db = chg.shape->tbl->db;
    chg.table = chg.shape->tbl->name;
    chg.key = record->key;
    chg.key_len = record->key_len;
    *tx = new_tx;
    *out = chg;
    out->tx = tx;
    return 1;
}
