/* Long options of the command line over an option table. */
#include "config/flags.h"

#include <stdio.h>
#include <string.h>

#include "config/config_private.h"

#define FLAG_LEN_MAX 64
#define TABLE_MAX    128

struct flags {
    struct config *cfg;
    const struct option *table;
    void *values;
    struct err *e;
    struct flags_line *line;
    const char **words;
    int at;                /* the argument being read */
    bool given[TABLE_MAX]; /* by row */
    bool help;
};

static int usage(struct flags *f, const char *flag, const char *words)
{
    char text[256];
    snprintf(text, sizeof text, "%.80s %s", flag, words);
    return err_set(f->e, USAGE, text);
}

static int unknown_flag(struct flags *f, const char *flag, const char *name)
{
    const char *names[TABLE_MAX];
    char words[FLAG_LEN_MAX * 2] = "is no option";
    size_t count = 0;
    for (const struct option *opt = f->table; opt->name && count < TABLE_MAX; opt++)
        names[count++] = opt->name;
    const char *nearest = config_nearest(name, names, count);
    if (nearest) {
        snprintf(words, sizeof words, "is no option; did you mean '--%s'?", nearest);
        for (char *p = strstr(words, "'--"); p && *p; p++)
            if (*p == '_')
                *p = '-';
    }
    return usage(f, flag, words);
}

/* The flag's name as the table writes it: up to `=`, with `_` for `-`. */
static void table_name(const char *flag, char out[FLAG_LEN_MAX])
{
    size_t i = 0;
    for (; flag[i] && flag[i] != '=' && i < FLAG_LEN_MAX - 1; i++)
        out[i] = flag[i] == '-' ? '_' : flag[i];
    out[i] = '\0';
}

static int mark_given(struct flags *f, const struct option *opt)
{
    size_t row = (size_t)(opt - f->table);
    if (row >= TABLE_MAX)
        return err_set(f->e, BUG, "a table of flags is too long");
    if (!f->given[row] && opt->type == OPTION_LIST)
        memset((char *)f->values + opt->offset, 0, sizeof(struct option_list));
    f->given[row] = true;
    return 0;
}

static const struct option *find_flag(const struct flags *f, const char *name)
{
    const struct option *opt = option_find(f->table, name);
    size_t len = strlen(name);
    if (opt || len <= 5 || strcmp(name + len - 5, "_file") != 0)
        return opt;
    char bare[FLAG_LEN_MAX];
    snprintf(bare, sizeof bare, "%.*s", (int)(len - 5), name);
    opt = option_find(f->table, bare);
    return opt && opt->type == OPTION_SECRET ? opt : NULL;
}

static int set(struct flags *f, const struct option *opt, const char *flag, const char *name, const char *text)
{
    char place[FLAG_LEN_MAX + 2];
    snprintf(place, sizeof place, "%.*s", (int)strcspn(flag, "="), flag);
    struct option_text given = {place, name, text};
    int rc = mark_given(f, opt);
    if (rc == 0)
        rc = option_set(f->cfg, f->table, f->values, &given, f->e);
    if (rc == 0 && opt->type == OPTION_BOOL && strcmp(opt->name, "help") == 0)
        f->help = *(bool *)((char *)f->values + opt->offset);
    return rc;
}

static int read_long(struct flags *f, const char *flag)
{
    char name[FLAG_LEN_MAX];
    table_name(flag + 2, name);
    const char *value = strchr(flag, '=');
    const struct option *opt = find_flag(f, name);
    if (!opt && strncmp(name, "no_", 3) == 0 && !value) {
        opt = option_find(f->table, name + 3);
        if (opt && opt->type == OPTION_BOOL)
            return set(f, opt, flag, opt->name, "false");
        opt = NULL;
    }
    if (!opt)
        return unknown_flag(f, flag, name);
    if (value)
        return set(f, opt, flag, name, value + 1);
    if (opt->type == OPTION_BOOL)
        return set(f, opt, flag, name, "true");
    if (f->at + 1 >= f->line->argc)
        return usage(f, flag, "needs a value");
    return set(f, opt, flag, name, f->line->argv[++f->at]);
}

static int read_argument(struct flags *f)
{
    const char *arg = f->line->argv[f->at];
    if (strncmp(arg, "--", 2) == 0)
        return read_long(f, arg);
    if (strcmp(arg, "-c") == 0 && option_find(f->table, "config")) {
        if (f->at + 1 >= f->line->argc)
            return usage(f, arg, "needs a value");
        return set(f, option_find(f->table, "config"), arg, "config", f->line->argv[++f->at]);
    }
    if (arg[0] == '-' && arg[1])
        return usage(f, arg, "is no option");
    f->words[f->line->word_count++] = arg;
    return 0;
}

static int check_required(struct flags *f)
{
    for (const struct option *opt = f->table; !f->help && opt->name; opt++) {
        if (!(opt->flags & OPTION_REQUIRED) || f->given[opt - f->table])
            continue;
        char flag[FLAG_LEN_MAX];
        snprintf(flag, sizeof flag, "--%s", opt->name);
        for (char *p = flag; *p; p++)
            if (*p == '_')
                *p = '-';
        bool is_config = strcmp(opt->name, "config") == 0;
        return err_set(f->e, CONFIG_MISSING, "command line", is_config ? "-c FILE" : flag);
    }
    return 0;
}

int flags_parse(struct config *cfg, const struct option *table, struct flags_line *line, void *values, struct err *e)
{
    struct flags f = {.cfg = cfg, .table = table, .values = values, .e = e, .line = line};
    int rc = option_defaults(cfg, table, values, e);
    if (rc != 0)
        return rc;
    f.words = arena_alloc(&cfg->arena, (size_t)(line->argc + 1) * sizeof *f.words);
    if (!f.words)
        return err_set(e, NO_MEMORY, (size_t)(line->argc + 1) * sizeof *f.words);
    line->words = f.words;
    line->word_count = 0;
    for (; rc == 0 && f.at < line->argc; f.at++) {
        if (strcmp(line->argv[f.at], "--") == 0)
            break;
        rc = read_argument(&f);
    }
    for (f.at++; rc == 0 && f.at < line->argc; f.at++)
        f.words[line->word_count++] = line->argv[f.at];
    return rc == 0 ? check_required(&f) : rc;
}
