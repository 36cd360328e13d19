/* Any bytes as a document: a tree within its caps or one error, and options of every type read from it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct values {
    const char *text, *secret;
    bool flag;
    int64_t number;
    uint64_t count, size, duration;
    int color;
    struct option_list list;
    uint16_t port;
};

static const struct option_name colors[] = {{"red", 1}, {"green", 2}, {NULL, 0}};

#define FIELD(name_) .offset = offsetof(struct values, name_)
static const struct option table[] = {{.name = "text", .type = OPTION_STRING, FIELD(text), .text = "t"},
                                      {.name = "secret", .type = OPTION_SECRET, FIELD(secret)},
                                      {.name = "flag", .type = OPTION_BOOL, FIELD(flag)},
                                      {.name = "number", .type = OPTION_INT, FIELD(number), .min = -5, .max = 1000},
                                      {.name = "count", .type = OPTION_UINT, FIELD(count)},
                                      {.name = "size", .type = OPTION_SIZE, FIELD(size), .min = 1024},
                                      {.name = "duration", .type = OPTION_DURATION, FIELD(duration)},
                                      {.name = "color", .type = OPTION_ENUM, FIELD(color), .names = colors},
                                      {.name = "list", .type = OPTION_LIST, FIELD(list)},
                                      {.name = "port", .type = OPTION_PORT, FIELD(port)},
                                      {.name = NULL}};

/* A document must not make the fuzzer read files. */
static int no_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)ctx;
    (void)path;
    (void)flags;
    (void)mode;
    errno = ENOENT;
    return -1;
}

static void check_error(int rc, const struct err *e)
{
    if (rc != -(int)e->code || (rc != 0 && err_class(e) != ERR_CLASS_USAGE))
        abort();
}

static void check_tree(const struct node *node, unsigned depth)
{
    size_t count = 0;
    if (depth > CONFIG_DEPTH_MAX || node->line == 0 || !node->path ||
        (node->kind == NODE_SCALAR) != (node->text != NULL))
        abort();
    for (const struct node *n = node_first(node); n; n = n->next, count++) {
        if ((node->kind == NODE_MAPPING) != (n->key != NULL) || (n->key && node_child(node, n->key) != n))
            abort();
        check_tree(n, depth + 1);
    }
    if (count != node->count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct file_ops files = {.open = no_open};
    static const struct option *const tables[] = {table, NULL};
    const struct env env = {.files = &files};
    struct config *cfg = NULL;
    struct err e = ERR_INIT;
    char *text = malloc(len + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, len);
    text[len] = '\0';
    int rc = config_parse(&cfg, &env, "f", text, &e);
    check_error(rc, &e);
    if (rc == 0) {
        struct values values;
        check_tree(config_root(cfg), 0);
        check_error(option_parse(cfg, table, config_root(cfg), &values, &e), &e);
        err_clear(&e);
        check_error(option_check_keys(config_root(cfg), tables, NULL, &e), &e);
    }
    config_free(cfg);
    free(text);
    return 0;
}
