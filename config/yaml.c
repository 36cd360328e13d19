/* YAML events of libyaml → nodes, with the strictness that config.h names. */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "config/config_private.h"

struct reader {
    struct config *cfg;
    const char *bytes;
    yaml_parser_t parser;
    struct err *e;
};

/* What is kept of an event; its text lives in the arena, so the event itself is gone at once. */
struct token {
    yaml_event_type_t type;
    unsigned line;
    const char *text;
    size_t len;
    bool plain;   /* an unquoted scalar */
    bool special; /* carries an anchor or a tag */
};

static int syntax_error(struct reader *r, unsigned line, const char *words)
{
    char text[512];
    snprintf(text, sizeof text, "%s:%u: %s", r->cfg->file, line, words);
    return err_set(r->e, CONFIG_SYNTAX, text);
}

/* libyaml gives a line for what the scanner and the parser find; for bytes that are no UTF-8 only an offset. */
static int parser_error(struct reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return err_set(r->e, NO_MEMORY, (size_t)0);
    size_t line = parser->problem_mark.line + 1;
    if (parser->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < parser->problem_offset; i++)
            line += r->bytes[i] == '\n';
    }
    char words[256];
    snprintf(words, sizeof words, "%s%s%s", parser->problem ? parser->problem : "not YAML", parser->context ? ", " : "",
             parser->context ? parser->context : "");
    return syntax_error(r, (unsigned)line, words);
}

static int take_event(struct reader *r, const yaml_event_t *event, struct token *tok)
{
    *tok = (struct token){.type = event->type, .line = (unsigned)event->start_mark.line + 1};
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        tok->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        tok->special = event->data.scalar.anchor || event->data.scalar.tag;
        tok->len = event->data.scalar.length;
        return config_copy(r->cfg, (const char *)event->data.scalar.value, tok->len, &tok->text, r->e);
    case YAML_SEQUENCE_START_EVENT:
        tok->special = event->data.sequence_start.anchor || event->data.sequence_start.tag;
        return 0;
    case YAML_MAPPING_START_EVENT:
        tok->special = event->data.mapping_start.anchor || event->data.mapping_start.tag;
        return 0;
    default:
        return 0;
    }
}

static int next_token(struct reader *r, struct token *tok)
{
    yaml_event_t event;
    if (!yaml_parser_parse(&r->parser, &event))
        return parser_error(r);
    int rc = take_event(r, &event, tok);
    yaml_event_delete(&event);
    if (rc != 0)
        return rc;
    if (tok->type == YAML_ALIAS_EVENT || tok->special)
        return syntax_error(r, tok->line, "anchors, aliases and tags are not allowed");
    if (tok->text && memchr(tok->text, '\0', tok->len))
        return syntax_error(r, tok->line, "a NUL character is not allowed");
    return 0;
}

static int read_value(struct reader *r, const struct token *tok, struct node *node, unsigned depth);

static int make_path(struct reader *r, const struct node *parent, struct node *child)
{
    char path[CONFIG_PLACE_MAX];
    if (child->key)
        snprintf(path, sizeof path, "%s%s%s", parent->path, parent->path[0] ? "." : "", child->key);
    else
        snprintf(path, sizeof path, "%s[%zu]", parent->path, parent->count);
    return config_copy(r->cfg, path, strlen(path), &child->path, r->e);
}

/* A child behind `last`, with its path; its value is still to be read. */
static int add_child(struct reader *r, struct node *parent, struct node **last, struct node child)
{
    struct node *node = arena_alloc(&r->cfg->arena, sizeof *node);
    if (!node)
        return err_set(r->e, NO_MEMORY, sizeof *node);
    *node = child;
    node->file = r->cfg->file;
    int rc = make_path(r, parent, node);
    if (rc != 0)
        return rc;
    if (*last)
        (*last)->next = node;
    else
        parent->first = node;
    *last = node;
    parent->count++;
    return 0;
}

static int check_key(struct reader *r, const struct node *map, const struct token *key)
{
    char words[256];
    if (key->type != YAML_SCALAR_EVENT)
        return syntax_error(r, key->line, "a key must be plain text");
    if (key->len == 0)
        return syntax_error(r, key->line, "a key is empty");
    const struct node *former = node_child(map, key->text);
    if (former) {
        snprintf(words, sizeof words, "key '%s' is given twice, first at line %u", key->text, former->line);
        return syntax_error(r, key->line, words);
    }
    if (map->count >= CONFIG_ENTRIES_MAX)
        return syntax_error(r, key->line, "too many keys in one mapping");
    return 0;
}

static int read_mapping(struct reader *r, struct node *map, unsigned depth)
{
    struct node *last = NULL;
    for (;;) {
        struct token key, value;
        int rc = next_token(r, &key);
        if (rc != 0)
            return rc;
        if (key.type == YAML_MAPPING_END_EVENT)
            return 0;
        rc = check_key(r, map, &key);
        if (rc == 0)
            rc = add_child(r, map, &last, (struct node){.line = key.line, .key = key.text});
        if (rc == 0)
            rc = next_token(r, &value);
        if (rc == 0)
            rc = read_value(r, &value, last, depth);
        if (rc != 0)
            return rc;
    }
}

static int read_sequence(struct reader *r, struct node *sequence, unsigned depth)
{
    struct node *last = NULL;
    for (;;) {
        struct token item;
        int rc = next_token(r, &item);
        if (rc != 0)
            return rc;
        if (item.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        rc = add_child(r, sequence, &last, (struct node){.line = item.line});
        if (rc == 0)
            rc = read_value(r, &item, last, depth);
        if (rc != 0)
            return rc;
    }
}

static int read_scalar(struct reader *r, const struct token *tok, struct node *node)
{
    if (tok->plain && (tok->len == 0 || strcmp(tok->text, "~") == 0 || strcmp(tok->text, "null") == 0)) {
        node->kind = NODE_NULL;
        return 0;
    }
    node->kind = NODE_SCALAR;
    return config_expand(r->cfg, tok->text, place_of(node).text, &node->text, r->e);
}

static int read_value(struct reader *r, const struct token *tok, struct node *node, unsigned depth)
{
    if (depth >= CONFIG_DEPTH_MAX)
        return syntax_error(r, tok->line, "nested too deep");
    switch (tok->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, tok, node);
    case YAML_SEQUENCE_START_EVENT:
        node->kind = NODE_SEQUENCE;
        return read_sequence(r, node, depth + 1);
    case YAML_MAPPING_START_EVENT:
        node->kind = NODE_MAPPING;
        return read_mapping(r, node, depth + 1);
    default:
        return syntax_error(r, tok->line, "not a value");
    }
}

static int read_root(struct reader *r, const struct token *tok)
{
    struct node *root = arena_alloc(&r->cfg->arena, sizeof *root);
    if (!root)
        return err_set(r->e, NO_MEMORY, sizeof *root);
    *root = (struct node){.kind = NODE_MAPPING, .line = tok->line, .file = r->cfg->file, .path = ""};
    r->cfg->root = root;
    if (tok->type == YAML_STREAM_END_EVENT)
        return 0;
    int rc = read_value(r, tok, root, 0);
    if (rc != 0)
        return rc;
    if (root->kind == NODE_NULL)
        root->kind = NODE_MAPPING;
    return root->kind == NODE_MAPPING ? 0 : syntax_error(r, root->line, "the document must be a mapping (key: value)");
}

static int read_document(struct reader *r)
{
    struct token tok = {0};
    int rc = next_token(r, &tok); /* the stream's start */
    if (rc == 0)
        rc = next_token(r, &tok); /* the document's start, or the stream's end */
    if (rc == 0 && tok.type == YAML_DOCUMENT_START_EVENT)
        rc = next_token(r, &tok);
    if (rc == 0)
        rc = read_root(r, &tok);
    while (rc == 0 && tok.type != YAML_STREAM_END_EVENT) {
        rc = next_token(r, &tok);
        if (rc == 0 && tok.type == YAML_DOCUMENT_START_EVENT)
            rc = syntax_error(r, tok.line, "a second document begins; one file holds one");
    }
    return rc;
}

int yaml_build(struct config *cfg, const char *bytes, size_t len, struct err *e)
{
    struct reader r = {.cfg = cfg, .bytes = bytes, .e = e};
    if (!yaml_parser_initialize(&r.parser))
        return err_set(e, NO_MEMORY, sizeof r.parser);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(bytes ? bytes : ""), len);
    int rc = read_document(&r);
    yaml_parser_delete(&r.parser);
    return rc;
}
