/* Partial updates of a JSON column: in place of the document the after image has its changes.
 *
 *   diffs       length (1 … 4, by metadata), diffs one after the other
 *   diff        operation (1), length of the path (length-encoded), path; not for remove: length of the value
 *               (length-encoded), value: a document as in json_binary.c
 *   operation   0 replace: the place is there; 1 insert: a member that is not there, or an element before this cell of
 *               an array (beyond its end: at the end); 2 remove: the place is there
 *
 * They are applied to a tree in the arena whose nodes are opened only along the paths: all else stays the bytes that it
 * was, and is printed from them. */
#include "value/json_diff.h"

#include "value/json_parts.h"
#include "value/json_path.h"
#include "value/write.h"

enum diff_op { DIFF_REPLACE, DIFF_INSERT, DIFF_REMOVE };

struct diff {
    uint8_t op; /* enum diff_op */
    struct bytes path;
    struct bytes value;
};

struct member;

/* What a container holds at a place: the element of the document with that number, or, with the flag, an own one. */
#define ITEM_OWN 0x80000000u

/* A value: bytes of a document, or a container that has been opened. An element costs four bytes until it is changed or
 * a path leads through it: documents may have millions of them. */
struct node {
    struct jsonb_ref ref;
    bool opened;
    struct jsonb_list list; /* opened: as it was */
    uint32_t *items;
    uint32_t count, room;
    struct member *own;
    uint32_t own_count, own_room;
};

struct member {
    struct bytes key; /* of an object */
    struct node value;
};

struct applying {
    struct arena *arena;
    struct err *e;
    size_t left; /* bytes of documents that may still be visited */
};

static int corrupt(struct err *e, const char *what)
{
    return err_set(e, CORRUPT, what);
}

/* Value bytes without their length. */
static int open_value(const struct coltype *type, struct bytes bytes, struct bytes *out, struct err *e)
{
    if (bytes.len < type->walk || family_le(bytes.p, type->walk) != bytes.len - type->walk)
        return family_corrupt(type, "length beyond the value", e);
    *out = (struct bytes){bytes.p + type->walk, bytes.len - type->walk};
    return 0;
}

static struct bytes take_bytes(struct cursor *in)
{
    uint64_t len = cursor_lenenc(in);
    if (len > cursor_left(in))
        in->bad = true;
    const uint8_t *p = in->bad ? NULL : cursor_take(in, (size_t)len);
    return (struct bytes){p, p ? (size_t)len : 0};
}

/* The next diff: 1, 0 at the end. */
static int next_diff(struct cursor *in, struct diff *out, struct err *e)
{
    if (cursor_left(in) == 0)
        return 0;
    *out = (struct diff){.op = cursor_u8(in)};
    out->path = take_bytes(in);
    if (out->op != DIFF_REMOVE)
        out->value = take_bytes(in);
    return in->bad || out->op > DIFF_REMOVE ? corrupt(e, "diff of a partial update is malformed") : 1;
}

/* ---------------------------------------------------------------- tree */

static bool visit(struct applying *in, size_t size)
{
    if (size > in->left)
        return false;
    in->left -= size;
    return true;
}

/* Makes a container's items; nothing for one that is open. */
static int open_node(struct applying *in, struct node *node)
{
    if (node->opened)
        return 0;
    if (!jsonb_is_list(&node->ref))
        return corrupt(in->e, "path of a partial update leads through a value that is no container");
    struct jsonb_list *list = &node->list;
    if (!jsonb_list_open(list, &node->ref) || !visit(in, list->header) || list->count >= ITEM_OWN)
        return corrupt(in->e, "not a binary JSON document");
    size_t bytes = sizeof *node->items * ((size_t)list->count + 1);
    node->items = (uint32_t *)arena_alloc(in->arena, bytes);
    if (!node->items)
        return err_set(in->e, NO_MEMORY, bytes);
    for (uint32_t i = 0; i < list->count; i++)
        node->items[i] = i;
    node->opened = true;
    node->count = list->count;
    node->room = list->count + 1;
    return 0;
}

static int add_own(struct applying *in, struct node *node, const struct member *member, uint32_t *item)
{
    if (node->own_count == node->own_room) {
        uint32_t room = node->own_room ? 2 * node->own_room : 4;
        size_t bytes = sizeof *node->own * (size_t)room;
        struct member *own = (struct member *)arena_alloc(in->arena, bytes);
        if (!own || room >= ITEM_OWN)
            return err_set(in->e, NO_MEMORY, bytes);
        if (node->own_count)
            memcpy(own, node->own, sizeof *own * node->own_count);
        node->own = own;
        node->own_room = room;
    }
    node->own[node->own_count] = *member;
    *item = node->own_count++ | ITEM_OWN;
    return 0;
}

static bool key_at(const struct node *node, uint32_t place, struct bytes *out)
{
    uint32_t item = node->items[place];
    if (!(item & ITEM_OWN))
        return jsonb_list_key(&node->list, item, out);
    *out = node->own[item & ~ITEM_OWN].key;
    return true;
}

/* The element as a node of its own; valid until the next one of this container is made. */
static int own_at(struct applying *in, struct node *node, uint32_t place, struct node **out)
{
    struct member made = {.key = {NULL, 0}};
    uint32_t *item = &node->items[place];
    if (!(*item & ITEM_OWN)) {
        if (!jsonb_list_value(&node->list, *item, &made.value.ref) ||
            (node->list.object && !jsonb_list_key(&node->list, *item, &made.key)))
            return corrupt(in->e, "not a binary JSON document");
        int rc = add_own(in, node, &made, item);
        if (rc != 0)
            return rc;
    }
    *out = &node->own[*item & ~ITEM_OWN].value;
    return 0;
}

/* Keys are sorted by length, then by bytes. */
static int compare_keys(const struct bytes *a, const struct bytes *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->len ? memcmp(a->p, b->p, a->len) : 0;
}

/* Where the leg leads in an open container, or where its key belongs. */
static int find_place(struct applying *in, const struct node *node, const struct json_leg *leg, uint32_t *place,
                      bool *inside)
{
    if (node->list.object == leg->cell)
        return corrupt(in->e, "path of a partial update leads to another kind of container");
    if (leg->cell) {
        *place = json_leg_place(leg, node->count, inside);
        return 0;
    }
    uint32_t low = 0, high = node->count;
    *inside = false;
    while (low < high && !*inside) {
        uint32_t middle = low + (high - low) / 2;
        struct bytes key;
        if (!key_at(node, middle, &key))
            return corrupt(in->e, "not a binary JSON document");
        int order = compare_keys(&key, &leg->name);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *inside = order == 0;
        }
    }
    *place = *inside ? high : low;
    return 0;
}

static int insert_item(struct applying *in, struct node *node, uint32_t place, const struct member *member)
{
    if (node->count == node->room) {
        uint32_t room = 2 * node->room;
        size_t bytes = sizeof *node->items * (size_t)room;
        uint32_t *items = (uint32_t *)arena_alloc(in->arena, bytes);
        if (!items || room >= ITEM_OWN)
            return err_set(in->e, NO_MEMORY, bytes);
        memcpy(items, node->items, sizeof *items * node->count);
        node->items = items;
        node->room = room;
    }
    uint32_t item;
    int rc = add_own(in, node, member, &item);
    if (rc != 0)
        return rc;
    memmove(&node->items[place + 1], &node->items[place], sizeof item * (size_t)(node->count - place));
    node->items[place] = item;
    node->count++;
    return 0;
}

static int change_place(struct applying *in, struct node *node, const struct json_leg *leg, const struct diff *diff)
{
    uint32_t place = 0;
    bool inside = false;
    struct member made = {.key = leg->name, .value = {.ref = jsonb_root(diff->value.p, diff->value.len)}};
    int rc = find_place(in, node, leg, &place, &inside);
    if (rc != 0)
        return rc;
    if (diff->op == DIFF_INSERT && (leg->cell || !inside))
        return insert_item(in, node, place, &made);
    if (diff->op == DIFF_INSERT || !inside)
        return corrupt(in->e, "place of a partial update is not in the document as the update takes it");
    if (diff->op == DIFF_REPLACE) {
        struct node *old;
        rc = own_at(in, node, place, &old);
        if (rc == 0)
            *old = made.value;
        return rc;
    }
    node->count--;
    memmove(&node->items[place], &node->items[place + 1], sizeof *node->items * (size_t)(node->count - place));
    return 0;
}

/* From a node to where the leg leads. */
static int step(struct applying *in, struct node **node, const struct json_leg *leg)
{
    uint32_t place = 0;
    bool inside = false;
    int rc = open_node(in, *node);
    if (rc != 0)
        return rc;
    rc = find_place(in, *node, leg, &place, &inside);
    if (rc == 0 && !inside)
        return corrupt(in->e, "path of a partial update is not in the document");
    return rc == 0 ? own_at(in, *node, place, node) : rc;
}

/* Goes along the path up to the container of its last leg. */
static int apply_one(struct applying *in, struct node *root, const struct diff *diff)
{
    struct cursor path = cursor_over(diff->path.p, diff->path.len);
    struct json_leg leg, next;
    struct node *node = root;
    int rc = json_path_open(&path, in->e);
    if (rc != 0)
        return rc;
    int more = json_path_next(&path, &leg, in->arena, in->e);
    if (more == 0)
        return corrupt(in->e, "partial update of the whole document");
    while (more == 1 && (more = json_path_next(&path, &next, in->arena, in->e)) == 1) {
        rc = step(in, &node, &leg);
        if (rc != 0)
            return rc;
        leg = next;
    }
    if (more < 0)
        return more;
    rc = open_node(in, node);
    return rc == 0 ? change_place(in, node, &leg, diff) : rc;
}

static bool print_node(struct jsonb_print *to, const struct node *node);

static bool print_item(struct jsonb_print *to, const struct node *node, uint32_t place)
{
    uint32_t item = node->items[place];
    struct jsonb_ref ref;
    if (node->list.object) {
        struct bytes key;
        if (!key_at(node, place, &key) || (!(item & ITEM_OWN) && !jsonb_print_visit(to, key.len)))
            return false;
        jsonb_print_string(to, key.p, key.len);
        jsonb_print_bytes(to, ": ", 2);
    }
    if (item & ITEM_OWN)
        return print_node(to, &node->own[item & ~ITEM_OWN].value);
    return jsonb_list_value(&node->list, item, &ref) && jsonb_print_value(to, &ref);
}

static bool print_node(struct jsonb_print *to, const struct node *node)
{
    if (!node->opened)
        return jsonb_print_value(to, &node->ref);
    if (to->depth == JSONB_DEPTH_MAX)
        return false;
    to->depth++;
    jsonb_print_bytes(to, node->list.object ? "{" : "[", 1);
    for (uint32_t i = 0; i < node->count; i++) {
        if (i)
            jsonb_print_bytes(to, ", ", 2);
        if (!print_item(to, node, i))
            return false;
    }
    jsonb_print_bytes(to, node->list.object ? "}" : "]", 1);
    to->depth--;
    return true;
}

/* ---------------------------------------------------------------- results */

static int take_text(struct value *out, uint8_t kind, const struct jsonb_print *printed)
{
    *out = (struct value){.kind = kind};
    out->s.p = (const char *)printed->o;
    out->s.len = printed->len;
    out->raw = !value_is_utf8(out->s.p, out->s.len);
    return 0;
}

int jsonb_diff_apply(const struct coltype *type, struct bytes doc, struct bytes diffs, struct value *out,
                     struct arena *arena, struct err *e)
{
    struct bytes old = {NULL, 0}, list = {NULL, 0};
    struct err local = ERR_INIT;
    int rc = open_value(type, doc, &old, e);
    if (rc == 0)
        rc = open_value(type, diffs, &list, e);
    if (rc != 0)
        return rc;
    struct applying in = {arena, e ? e : &local, old.len + list.len};
    struct node root = {.ref = jsonb_root(old.p, old.len)};
    struct cursor cur = cursor_over(list.p, list.len);
    struct diff diff;
    while ((rc = next_diff(&cur, &diff, in.e)) == 1 && (rc = apply_one(&in, &root, &diff)) == 0)
        ;
    if (rc != 0)
        return rc;
    struct jsonb_print to = {.left = in.left};
    if (!print_node(&to, &root))
        return family_corrupt(type, "not a binary JSON document after a partial update", e);
    uint8_t *text = arena_alloc(arena, to.len);
    if (!text)
        return err_set(e, NO_MEMORY, to.len);
    to = (struct jsonb_print){.o = text, .left = in.left};
    (void)print_node(&to, &root);
    return take_text(out, VALUE_JSON, &to);
}

/* As the column would have it: a string with the document's text. */
static int print_document(struct jsonb_print *to, struct bytes doc, struct arena *arena, struct err *e)
{
    struct jsonb_ref root = jsonb_root(doc.p, doc.len);
    struct jsonb_print text = {.left = doc.len};
    if (!jsonb_print_value(&text, &root))
        return corrupt(e, "value of a partial update is not a binary JSON document");
    uint8_t *p = arena_alloc(arena, text.len);
    if (!p)
        return err_set(e, NO_MEMORY, text.len);
    text = (struct jsonb_print){.o = p, .left = doc.len};
    (void)jsonb_print_value(&text, &root);
    jsonb_print_string(to, p, text.len);
    return 0;
}

static int print_diff(struct jsonb_print *to, const struct diff *diff, struct arena *arena, struct err *e)
{
    static const char *const heads[] = {
        "{\"op\":\"replace\",\"path\":", "{\"op\":\"insert\",\"path\":", "{\"op\":\"remove\",\"path\":"};
    struct cursor path = cursor_over(diff->path.p, diff->path.len);
    struct json_leg leg;
    int rc = json_path_open(&path, e);
    while (rc == 0 && (rc = json_path_next(&path, &leg, arena, e)) == 1)
        rc = 0;
    if (rc != 0)
        return rc;
    jsonb_print_bytes(to, heads[diff->op], strlen(heads[diff->op]));
    jsonb_print_string(to, diff->path.p, diff->path.len);
    if (diff->op != DIFF_REMOVE) {
        jsonb_print_bytes(to, ",\"value\":", 9);
        rc = print_document(to, diff->value, arena, e);
        if (rc != 0)
            return rc;
    }
    jsonb_print_bytes(to, "}", 1);
    return 0;
}

static int print_diffs(struct jsonb_print *to, const struct bytes *list, struct arena *arena, struct err *e)
{
    struct cursor cur = cursor_over(list->p, list->len);
    struct diff diff;
    int rc;
    jsonb_print_bytes(to, "[", 1);
    while ((rc = next_diff(&cur, &diff, e)) == 1) {
        if (to->len > 1)
            jsonb_print_bytes(to, ",", 1);
        rc = print_diff(to, &diff, arena, e);
        if (rc != 0)
            return rc;
    }
    jsonb_print_bytes(to, "]", 1);
    return rc;
}

int jsonb_diff_text(const struct coltype *type, struct bytes diffs, struct value *out, struct arena *arena,
                    struct err *e)
{
    struct bytes list = {NULL, 0};
    struct jsonb_print to = {.len = 0};
    int rc = open_value(type, diffs, &list, e);
    if (rc == 0)
        rc = print_diffs(&to, &list, arena, e);
    if (rc != 0)
        return rc;
    uint8_t *text = arena_alloc(arena, to.len);
    if (!text)
        return err_set(e, NO_MEMORY, to.len);
    to = (struct jsonb_print){.o = text};
    rc = print_diffs(&to, &list, arena, e);
    if (rc != 0)
        return rc;
    take_text(out, VALUE_JSON_DIFF, &to);
    return out->raw ? family_corrupt(type, "diffs that are not UTF-8", e) : 0;
}
