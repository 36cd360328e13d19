/* Option tables applied to mappings of a document. */
#include "config/option.h"

#include <stdio.h>
#include <string.h>

#include "config/config_private.h"

#define NAME_LEN_MAX 96 /* of an option's name with "_file" */
#define WORDS_MAX    512

static size_t field_size(enum option_type type)
{
    switch (type) {
    case OPTION_BOOL:
        return sizeof(bool);
    case OPTION_ENUM:
        return sizeof(int);
    case OPTION_PORT:
        return sizeof(uint16_t);
    case OPTION_LIST:
        return sizeof(struct option_list);
    case OPTION_STRING:
    case OPTION_SECRET:
        return sizeof(const char *);
    case OPTION_INT:
    case OPTION_UINT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        break;
    }
    return sizeof(uint64_t);
}

static void *field_of(const struct option *opt, void *values)
{
    return (char *)values + opt->offset;
}

static void clear_field(const struct option *opt, void *values)
{
    memset(field_of(opt, values), 0, field_size(opt->type));
}

int option_defaults(struct config *cfg, const struct option *table, void *values, struct err *e)
{
    for (const struct option *opt = table; opt->name; opt++) {
        clear_field(opt, values);
        if (!opt->text)
            continue;
        struct option_target target = {cfg, opt, field_of(opt, values), opt->name, 0};
        struct err why = ERR_INIT;
        int rc = option_store(&target, opt->text, &why);
        if (rc == -(int)ERR_NO_MEMORY)
            return err_set(e, NO_MEMORY, strlen(opt->text));
        if (rc != 0)
            return err_set(e, BUG, why.text);
    }
    return 0;
}

static const char *kind_name(enum node_kind kind)
{
    static const char *const names[] = {"empty", "a single value", "a list", "a mapping"};
    return names[kind];
}

static int store_scalar(struct config *cfg, const struct option *opt, const struct node *node, void *values,
                        struct err *e)
{
    if (node->kind != NODE_SCALAR)
        return node_error(node, e, "is %s, and must be a single value", kind_name(node->kind));
    struct place place = place_of(node);
    struct option_target target = {cfg, opt, field_of(opt, values), place.text, node->line};
    return option_store(&target, node->text, e);
}

static int store_list(struct config *cfg, const struct option *opt, const struct node *node, void *values,
                      struct err *e)
{
    clear_field(opt, values);
    if (node->kind != NODE_SEQUENCE)
        return store_scalar(cfg, opt, node, values, e);
    for (const struct node *item = node->first; item; item = item->next) {
        int rc = store_scalar(cfg, opt, item, values, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static const struct node *secret_file_node(const struct option *opt, const struct node *map)
{
    char name[NAME_LEN_MAX];
    snprintf(name, sizeof name, "%s_file", opt->name);
    return node_child(map, name);
}

static int store_secret_file(struct config *cfg, const struct option *opt, const struct node *node, void *values,
                             struct err *e)
{
    struct place place = place_of(node);
    if (node->kind != NODE_SCALAR)
        return node_error(node, e, "is %s, and must be a path", kind_name(node->kind));
    return secret_read(cfg, node->text, place.text, field_of(opt, values), e);
}

static int missing(const struct option *opt, const struct node *map, struct err *e)
{
    return err_set(e, CONFIG_MISSING, place_of(map).text, opt->name);
}

static int store_one(struct config *cfg, const struct option *opt, const struct node *map, void *values, struct err *e)
{
    const struct node *node = node_child(map, opt->name);
    const struct node *file = opt->type == OPTION_SECRET ? secret_file_node(opt, map) : NULL;
    if (node && file) {
        char words[NAME_LEN_MAX + 64];
        snprintf(words, sizeof words, "%s is given at line %u already", opt->name, node->line);
        return err_set(e, CONFIG_SECRET, place_of(file).text, words);
    }
    if (file)
        return store_secret_file(cfg, opt, file, values, e);
    if (!node)
        return opt->flags & OPTION_REQUIRED ? missing(opt, map, e) : 0;
    if (node->kind == NODE_NULL)
        return node_error(node, e, "has no value");
    if (opt->type == OPTION_LIST)
        return store_list(cfg, opt, node, values, e);
    return store_scalar(cfg, opt, node, values, e);
}

int option_parse(struct config *cfg, const struct option *table, const struct node *map, void *values, struct err *e)
{
    int rc = option_defaults(cfg, table, values, e);
    if (rc == 0 && map->kind != NODE_MAPPING)
        return node_error(map, e, "is %s, and must be a mapping (key: value)", kind_name(map->kind));
    for (const struct option *opt = table; rc == 0 && opt->name; opt++)
        rc = store_one(cfg, opt, map, values, e);
    return rc;
}

/* The names that a mapping may have, collected for the hint; more than fit are checked and not proposed. */
struct known {
    const char *key;
    bool found;
    const char *words[WORDS_MAX];
    size_t count;
};

static void offer(struct known *known, const char *word)
{
    known->found |= strcmp(known->key, word) == 0;
    if (known->count < WORDS_MAX)
        known->words[known->count++] = word;
}

static void offer_option(struct known *known, const struct option *opt)
{
    offer(known, opt->name);
    size_t len = strlen(opt->name);
    if (opt->type == OPTION_SECRET && strncmp(known->key, opt->name, len) == 0)
        known->found |= strcmp(known->key + len, "_file") == 0;
}

static int unknown_key(const struct node *node, const struct node *map, const struct known *known, struct err *e)
{
    char hint[128] = "";
    const char *nearest = config_nearest(node->key, known->words, known->count);
    if (nearest)
        snprintf(hint, sizeof hint, "; did you mean '%s'?", nearest);
    (void)err_set(e, CONFIG_UNKNOWN, node->key, map->path[0] ? map->path : "the top level", hint);
    return err_wrap(e, "%s:%u", node->file, node->line);
}

int option_check_keys(const struct node *map, const struct option *const *tables, const char *const *also,
                      struct err *e)
{
    for (const struct node *n = map->kind == NODE_MAPPING ? map->first : NULL; n; n = n->next) {
        struct known known = {.key = n->key};
        for (const struct option *const *table = tables; *table; table++)
            for (const struct option *opt = *table; opt->name; opt++)
                offer_option(&known, opt);
        for (const char *const *word = also; word && *word; word++)
            offer(&known, *word);
        if (!known.found)
            return unknown_key(n, map, &known, e);
    }
    return 0;
}

const struct option *option_find(const struct option *table, const char *name)
{
    for (const struct option *opt = table; opt->name; opt++)
        if (strcmp(opt->name, name) == 0)
            return opt;
    return NULL;
}

/* The secret whose `NAME_file` form `name` is, or NULL. */
static const struct option *find_secret_file(const struct option *table, const char *name)
{
    for (const struct option *opt = table; opt->name; opt++) {
        size_t len = strlen(opt->name);
        if (opt->type == OPTION_SECRET && strncmp(name, opt->name, len) == 0 && strcmp(name + len, "_file") == 0)
            return opt;
    }
    return NULL;
}

int option_set(struct config *cfg, const struct option *table, void *values, const struct option_text *given,
               struct err *e)
{
    const struct option *opt = option_find(table, given->name);
    if (opt) {
        struct option_target target = {cfg, opt, field_of(opt, values), given->place, 0};
        return option_store(&target, given->text, e);
    }
    opt = find_secret_file(table, given->name);
    if (opt)
        return secret_read(cfg, given->text, given->place, field_of(opt, values), e);
    (void)err_set(e, USAGE, "unknown option");
    return err_wrap(e, "%s", given->place);
}

const char *option_enum_name(const struct option_name *names, int value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return "?";
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct option_list *a, const struct option_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

bool option_equal(const struct option *table, const void *a, const void *b)
{
    bool same = true;
    for (const struct option *opt = table; opt && opt->name && same; opt++) {
        const void *left = (const char *)a + opt->offset, *right = (const char *)b + opt->offset;
        if (opt->type == OPTION_LIST)
            same = same_list(left, right);
        else if (opt->type == OPTION_STRING || opt->type == OPTION_SECRET)
            same = same_text(*(const char *const *)left, *(const char *const *)right);
        else
            same = memcmp(left, right, field_size(opt->type)) == 0;
    }
    return same;
}
