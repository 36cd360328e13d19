/* What the files of config/ share and nobody else sees. */
#ifndef SLUICE_CONFIG_PRIVATE_H
#define SLUICE_CONFIG_PRIVATE_H

#include "base/buf.h"
#include "config/config.h"
#include "config/option.h"

struct config {
    struct arena arena;
    const struct env *env;
    const char *file;
    const struct node *root;
};

#define CONFIG_PLACE_MAX 320

/* Where a value came from, as it stands in messages: "sluice.yaml:3: source.port". */
struct place {
    char text[CONFIG_PLACE_MAX];
};

struct place place_of(const struct node *node);

/* Where the text of one option goes to, and what to call it in an error. */
struct option_target {
    struct config *cfg;
    const struct option *opt;
    void *field;
    const char *place;
    unsigned line;
};

/* Text → the typed field, within the row's bounds; a list gets one item more. Errors: CONFIG_VALUE, NO_MEMORY. */
int option_store(const struct option_target *target, const char *text, struct err *e);

#define OPTION_NUMBER_MAX 32

/* A number as a person writes it in the type's units: 8MiB, 10s. */
void option_number(char out[OPTION_NUMBER_MAX], enum option_type type, uint64_t v);

/* A copy of `bytes` in the document's arena, or NO_MEMORY. */
int config_copy(struct config *cfg, const char *bytes, size_t len, const char **out, struct err *e);

/* `${NAME}` and `$$` replaced; `out` lives in the arena. Errors: CONFIG_VALUE at `place`, NO_MEMORY. */
int config_expand(struct config *cfg, const char *text, const char *place, const char **out, struct err *e);

/* The text of a secret's file, checked as option_parse promises. Errors: CONFIG_SECRET, NO_MEMORY. */
int secret_read(struct config *cfg, const char *path, const char *place, const char **out, struct err *e);

/* Reads at most `cap` bytes of a file, its mode too when `st` is not NULL; 0 or -errno (EFBIG: it holds more). */
int file_read_all(const struct env *env, const char *path, size_t cap, struct buf *out, struct stat *st);

/* Parses YAML bytes into cfg->root. */
int yaml_build(struct config *cfg, const char *bytes, size_t len, struct err *e);

#endif
