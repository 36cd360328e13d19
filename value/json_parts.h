/* The parts of a binary JSON document, and their text. Internal to value/ (and its tests). */
#ifndef SLUICE_VALUE_JSON_PARTS_H
#define SLUICE_VALUE_JSON_PARTS_H

#include "value/family.h"
#include "value/json_binary.h"

enum jsonb_type {
    JSONB_SMALL_OBJECT = 0,
    JSONB_LARGE_OBJECT = 1,
    JSONB_SMALL_ARRAY = 2,
    JSONB_LARGE_ARRAY = 3,
    JSONB_LITERAL = 4,
    JSONB_INT16 = 5,
    JSONB_UINT16 = 6,
    JSONB_INT32 = 7,
    JSONB_UINT32 = 8,
    JSONB_INT64 = 9,
    JSONB_UINT64 = 10,
    JSONB_DOUBLE = 11,
    JSONB_STRING = 12,
    JSONB_OPAQUE = 15
};

/* One value in a document: its bytes begin at p, and whatever holds it has `len` bytes from there on. */
struct jsonb_ref {
    const uint8_t *p;
    size_t len;
    uint8_t type; /* enum jsonb_type */
    bool inlined; /* in its entry: its bytes are counted there */
};

/* An object or array. */
struct jsonb_list {
    const uint8_t *p;
    size_t len;    /* all of it */
    size_t header; /* counts and entries */
    uint32_t count;
    bool object, large;
};

/* The document's root; the null literal for no bytes, which the server takes for null. */
struct jsonb_ref jsonb_root(const uint8_t *doc, size_t len);

static inline bool jsonb_is_list(const struct jsonb_ref *ref)
{
    return ref->type <= JSONB_LARGE_ARRAY;
}

/* False when the bytes are no container. */
bool jsonb_list_open(struct jsonb_list *out, const struct jsonb_ref *ref);

/* The i-th key and value, i < list->count; false when they are not inside. */
bool jsonb_list_key(const struct jsonb_list *list, uint32_t i, struct bytes *out);
bool jsonb_list_value(const struct jsonb_list *list, uint32_t i, struct jsonb_ref *out);

/* The value of a STRING; of an OPAQUE also its column type. *size: bytes with length and type. */
bool jsonb_string(const struct jsonb_ref *ref, struct bytes *out, uint8_t *column_type, size_t *size);

struct jsonb_style;

/* Where text goes: o NULL only counts. `left`: bytes of documents that may still be visited. */
struct jsonb_print {
    uint8_t *o;
    size_t len; /* of the text so far */
    size_t left;
    unsigned depth;
    const struct jsonb_style *style; /* NULL: as the server */
};

/* How one writer's text differs from another's. opaque: false when the bytes are out of range. */
struct jsonb_style {
    const char *comma, *colon;
    void (*string)(struct jsonb_print *to, const uint8_t *p, size_t len);
    void (*real)(struct jsonb_print *to, double d);
    bool (*opaque)(struct jsonb_print *to, uint8_t column_type, const struct bytes *in);
};

void jsonb_print_bytes(struct jsonb_print *to, const void *bytes, size_t len);
void jsonb_print_string(struct jsonb_print *to, const uint8_t *p, size_t len);

/* Counts `size` bytes as visited; false when there are not as many left. */
bool jsonb_print_visit(struct jsonb_print *to, size_t size);
bool jsonb_print_value(struct jsonb_print *to, const struct jsonb_ref *ref);

/* The opaque values that every writer reads alike; false (NULL) when they are out of range. DECIMAL as text with all
 * digits of its scale, in room for JSONB_DECIMAL_MAX; temporal ones with scale 6. */
#define JSONB_DECIMAL_MAX 84 /* 81 digits of the server's calculations, sign, "0." */
uint8_t *jsonb_decimal(uint8_t *o, const struct bytes *in);
bool jsonb_print_decimal(struct jsonb_print *to, const struct bytes *in);
bool jsonb_temporal(uint8_t column_type, const struct bytes *in, struct value *v);

#endif
