/* The document object and the walk over its nodes. */
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_private.h"

/* Nodes, paths, expanded strings and what options made of them: far above what a document within its cap needs. */
#define ARENA_CAP ((size_t)256 << 20)

static int config_new(struct config **out, const struct env *env, const char *name, struct err *e)
{
    struct config *cfg = calloc(1, sizeof *cfg);
    if (!cfg)
        return err_set(e, NO_MEMORY, sizeof *cfg);
    arena_init(&cfg->arena, 16384, 0, ARENA_CAP);
    cfg->env = env;
    int rc = config_copy(cfg, name, strlen(name), &cfg->file, e);
    if (rc != 0) {
        config_free(cfg);
        return rc;
    }
    *out = cfg;
    return 0;
}

static int build(struct config **out, struct config *cfg, const char *bytes, size_t len, struct err *e)
{
    int rc = yaml_build(cfg, bytes, len, e);
    if (rc != 0)
        config_free(cfg);
    else
        *out = cfg;
    return rc;
}

int config_read(struct config **out, const struct env *env, const char *path, struct err *e)
{
    struct buf bytes;
    buf_init(&bytes, CONFIG_BYTES_MAX + 1);
    int failed = file_read_all(env, path, CONFIG_BYTES_MAX, &bytes, NULL);
    struct config *cfg = NULL;
    int rc;
    if (failed == -EFBIG)
        rc = err_set(e, CONFIG_READ, path, "it is larger than 1 MiB");
    else if (failed != 0)
        rc = err_set(e, CONFIG_READ, path, strerror(-failed));
    else
        rc = config_new(&cfg, env, path, e);
    if (rc == 0)
        rc = build(out, cfg, (const char *)bytes.p, bytes.len, e);
    buf_release(&bytes);
    return rc;
}

int config_parse(struct config **out, const struct env *env, const char *name, const char *text, struct err *e)
{
    size_t len = strlen(text);
    if (len > CONFIG_BYTES_MAX)
        return err_set(e, CONFIG_READ, name, "it is larger than 1 MiB");
    struct config *cfg = NULL;
    int rc = config_new(&cfg, env, name, e);
    return rc == 0 ? build(out, cfg, text, len, e) : rc;
}

void config_free(struct config *cfg)
{
    if (!cfg)
        return;
    arena_release(&cfg->arena);
    free(cfg);
}

const struct node *config_root(const struct config *cfg)
{
    return cfg->root;
}

struct arena *config_arena(struct config *cfg)
{
    return &cfg->arena;
}

int config_copy(struct config *cfg, const char *bytes, size_t len, const char **out, struct err *e)
{
    const char *copy = arena_copy(&cfg->arena, bytes, len);
    if (!copy)
        return err_set(e, NO_MEMORY, len);
    *out = copy;
    return 0;
}

const struct node *node_child(const struct node *map, const char *key)
{
    if (map->kind != NODE_MAPPING)
        return NULL;
    for (const struct node *n = map->first; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

static int empty_node(struct config *cfg, const struct node *map, const char *key, enum node_kind kind,
                      const struct node **out, struct err *e)
{
    char path[CONFIG_PLACE_MAX];
    int len = snprintf(path, sizeof path, "%s%s%s", map->path, map->path[0] ? "." : "", key);
    struct node *node = arena_alloc(&cfg->arena, sizeof *node);
    if (!node || len < 0)
        return err_set(e, NO_MEMORY, sizeof *node);
    const struct node *null = node_child(map, key);
    *node = (struct node){.kind = kind, .line = null ? null->line : map->line, .file = map->file};
    int rc = config_copy(cfg, path, strlen(path), &node->path, e);
    if (rc == 0)
        rc = config_copy(cfg, key, strlen(key), &node->key, e);
    if (rc == 0)
        *out = node;
    return rc;
}

int config_section(struct config *cfg, const struct node *map, const char *key, const struct node **out, struct err *e)
{
    const struct node *node = node_child(map, key);
    if (!node || node->kind == NODE_NULL)
        return empty_node(cfg, map, key, NODE_MAPPING, out, e);
    if (node->kind != NODE_MAPPING)
        return node_error(node, e, "must be a mapping (key: value)");
    *out = node;
    return 0;
}

int config_sequence(struct config *cfg, const struct node *map, const char *key, const struct node **out, struct err *e)
{
    const struct node *node = node_child(map, key);
    if (!node || node->kind == NODE_NULL)
        return empty_node(cfg, map, key, NODE_SEQUENCE, out, e);
    if (node->kind != NODE_SEQUENCE)
        return node_error(node, e, "must be a list (- item)");
    *out = node;
    return 0;
}

struct place place_of(const struct node *node)
{
    struct place place;
    snprintf(place.text, sizeof place.text, "%s:%u%s%s", node->file, node->line, node->path[0] ? ": " : "", node->path);
    return place;
}

int node_error(const struct node *node, struct err *e, const char *format, ...)
{
    char words[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return err_set(e, CONFIG_VALUE, place_of(node).text, words);
}
