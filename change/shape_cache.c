/* Shapes by content: open addressing over a hash of names, types, keys and definitions. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "change/shape_parts.h"

struct slot {
    uint64_t hash;
    struct shape *shape; /* NULL: free */
};

struct shape_cache {
    struct slot *slots;
    size_t slot_count; /* power of two */
    uint32_t shape_count;
};

#define SLOTS_FIRST 64

struct shape_cache *shape_cache_new(void)
{
    struct shape_cache *cache = malloc(sizeof *cache);
    struct slot *slots = calloc(SLOTS_FIRST, sizeof *slots);
    if (!cache || !slots) {
        free(cache);
        free(slots);
        return NULL;
    }
    *cache = (struct shape_cache){slots, SLOTS_FIRST, 0};
    return cache;
}

void shape_cache_free(struct shape_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->slot_count; i++)
        shape_free(cache->slots[i].shape);
    free(cache->slots);
    free(cache);
}

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    return (h ^ hash_bytes(bytes, len)) * 0x9e3779b97f4a7c15ULL + len;
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    return text ? mix(h, text, strlen(text)) : mix(h, "", 0) + 1;
}

/* The part of a column's type that is plain numbers. */
struct type_key {
    uint32_t label_count;
    uint16_t fixed, meta, collation;
    uint8_t wire, family, walk, charset, is_unsigned, sign_known, nullable, has_labels;
};

static struct type_key type_key(const struct column *column)
{
    const struct coltype *type = &column->type;
    struct type_key key;
    memset(&key, 0, sizeof key);
    key.label_count = type->label_count;
    key.fixed = type->fixed;
    key.meta = type->meta;
    key.collation = type->collation;
    key.wire = type->wire;
    key.family = type->family;
    key.walk = type->walk;
    key.charset = type->charset;
    key.is_unsigned = type->is_unsigned;
    key.sign_known = type->sign_known;
    key.nullable = column->nullable;
    key.has_labels = type->labels != NULL;
    return key;
}

/* The part of a column's definition that is plain numbers. */
struct definition_key {
    uint32_t length, decimals;
    uint8_t has_length, has_decimals, zerofill, auto_increment, generated, json;
};

static struct definition_key definition_key(const struct column_definition *def)
{
    struct definition_key key;
    memset(&key, 0, sizeof key);
    key.length = def->length;
    key.decimals = def->decimals;
    key.has_length = def->has_length;
    key.has_decimals = def->has_decimals;
    key.zerofill = def->zerofill;
    key.auto_increment = def->auto_increment;
    key.generated = def->generated;
    key.json = def->json;
    return key;
}

static uint64_t mix_definition(uint64_t h, const struct column_definition *def)
{
    if (!def)
        return h;
    struct definition_key key = definition_key(def);
    h = mix(h, &key, sizeof key);
    h = mix_text(mix_text(h, def->word), def->initial);
    return mix_text(mix_text(h, def->charset), def->collation);
}

static uint64_t mix_key(uint64_t h, const uint16_t *columns, unsigned count)
{
    return columns ? mix(h, columns, sizeof *columns * count) : h;
}

static uint64_t table_hash(const struct table *tbl)
{
    uint64_t h = mix_text(mix_text(1, tbl->db), tbl->name);
    for (unsigned i = 0; i < tbl->column_count; i++) {
        const struct column *column = &tbl->columns[i];
        struct type_key key = type_key(column);
        h = mix(h, column->name, column->name_len);
        h = mix(h, &key, sizeof key);
        h = mix_text(h, column->declared);
        for (uint32_t k = 0; key.has_labels && k < key.label_count; k++)
            h = mix(h, column->type.labels[k].text, column->type.labels[k].len);
        h = mix_definition(h, column->definition);
    }
    h = mix_key(mix_key(h, tbl->pk, tbl->pk_count), tbl->unique, tbl->unique_count);
    return (tbl->charset ? mix_text(h, tbl->charset) : h) + tbl->pk_known;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_definition(const struct column_definition *a, const struct column_definition *b)
{
    if (!a || !b)
        return a == b;
    struct definition_key key = definition_key(a), other = definition_key(b);
    return memcmp(&key, &other, sizeof key) == 0 && same_text(a->word, b->word) && same_text(a->initial, b->initial) &&
           same_text(a->charset, b->charset) && same_text(a->collation, b->collation);
}

static bool same_key(const uint16_t *a, unsigned a_count, const uint16_t *b, unsigned b_count)
{
    return a_count == b_count && !a == !b && (!a || memcmp(a, b, sizeof *a * a_count) == 0);
}

static bool same_column(const struct column *a, const struct column *b)
{
    struct type_key key = type_key(a), other = type_key(b);
    if (a->name_len != b->name_len || memcmp(a->name, b->name, a->name_len) != 0 ||
        memcmp(&key, &other, sizeof key) != 0 || !same_text(a->declared, b->declared) ||
        !same_definition(a->definition, b->definition))
        return false;
    for (uint32_t k = 0; key.has_labels && k < key.label_count; k++) {
        const struct label *one = &a->type.labels[k], *two = &b->type.labels[k];
        if (one->len != two->len || memcmp(one->text, two->text, one->len) != 0)
            return false;
    }
    return true;
}

static bool same_table(const struct table *a, const struct table *b)
{
    if (a->column_count != b->column_count || a->pk_known != b->pk_known || a->pk_is_unique != b->pk_is_unique ||
        !same_text(a->db, b->db) || !same_text(a->name, b->name) || !same_text(a->charset, b->charset))
        return false;
    if (!same_key(a->pk, a->pk_count, b->pk, b->pk_count) ||
        !same_key(a->unique, a->unique_count, b->unique, b->unique_count))
        return false;
    for (unsigned i = 0; i < a->column_count; i++)
        if (!same_column(&a->columns[i], &b->columns[i]))
            return false;
    return true;
}

static struct slot *find_slot(struct slot *slots, size_t count, uint64_t hash, const struct table *tbl)
{
    size_t i = (size_t)hash & (count - 1);
    while (slots[i].shape && !(slots[i].hash == hash && tbl && same_table(slots[i].shape->tbl, tbl)))
        i = (i + 1) & (count - 1);
    return &slots[i];
}

/* At most half of the slots are in use. */
static int make_room(struct shape_cache *cache, struct err *e)
{
    if (((size_t)cache->shape_count + 1) * 2 <= cache->slot_count)
        return 0;
    size_t count = cache->slot_count * 2;
    struct slot *slots = calloc(count, sizeof *slots);
    if (!slots)
        return err_set(e, NO_MEMORY, count * sizeof *slots);
    for (size_t i = 0; i < cache->slot_count; i++)
        if (cache->slots[i].shape)
            *find_slot(slots, count, cache->slots[i].hash, NULL) = cache->slots[i];
    free(cache->slots);
    cache->slots = slots;
    cache->slot_count = count;
    return 0;
}

int shape_cache_take(struct shape_cache *cache, struct arena *arena, const struct table *tbl, const struct shape **out,
                     struct err *e)
{
    return shape_cache_take_codec(cache, arena, tbl, &binlog_codec, out, e);
}

int shape_cache_take_codec(struct shape_cache *cache, struct arena *arena, const struct table *tbl,
                           const struct row_codec *codec, const struct shape **out, struct err *e)
{
    /* Tables of the two codecs differ: columns from JSON have no type. One without columns is equal in both. */
    uint64_t hash = table_hash(tbl) + (codec == &json_codec);
    struct slot *slot = find_slot(cache->slots, cache->slot_count, hash, tbl);
    if (slot->shape) {
        arena_release(arena);
        free(arena);
        *out = slot->shape;
        return 0;
    }
    if (cache->shape_count >= SHAPES_MAX)
        return err_set(e, LIMIT, "table versions", (size_t)cache->shape_count + 1, (size_t)SHAPES_MAX);
    struct shape *shape = NULL;
    int rc = make_room(cache, e);
    if (rc == 0)
        rc = shape_new_codec(&shape, arena, tbl, cache->shape_count, codec, e);
    if (rc != 0)
        return rc;
    *find_slot(cache->slots, cache->slot_count, hash, tbl) = (struct slot){hash, shape};
    cache->shape_count++;
    *out = shape;
    return 0;
}
