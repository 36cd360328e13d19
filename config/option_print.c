/* Option tables printed for people: `--help` and the reference. */
#include <inttypes.h>
#include <string.h>

#include "config/config_private.h"

#define HELP_COLUMN 30
#define HELP_WIDTH  100

static void print_number(struct buf *out, enum option_type type, uint64_t v)
{
    char text[OPTION_NUMBER_MAX];
    option_number(text, type, v);
    buf_text(out, text);
}

static void print_bounds(struct buf *out, const struct option *opt)
{
    if (opt->min == 0 && opt->max == 0)
        return;
    if (opt->max == 0)
        buf_text(out, " from ");
    else
        buf_text(out, " ");
    if (opt->min < 0)
        buf_printf(out, "%" PRId64, opt->min);
    else
        print_number(out, opt->type, (uint64_t)opt->min);
    if (opt->max > 0) {
        buf_text(out, " to ");
        print_number(out, opt->type, (uint64_t)opt->max);
    }
}

static void print_names(struct buf *out, const struct option *opt, const char *between)
{
    for (const struct option_name *n = opt->names; n->name; n++)
        buf_printf(out, "%s%s", n == opt->names ? "" : between, n->name);
}

static void print_type(struct buf *out, const struct option *opt)
{
    static const char *const names[] = {[OPTION_STRING] = "text",   [OPTION_BOOL] = "true or false",
                                        [OPTION_INT] = "number",    [OPTION_UINT] = "number",
                                        [OPTION_SIZE] = "size",     [OPTION_DURATION] = "duration",
                                        [OPTION_ENUM] = "",         [OPTION_LIST] = "text or list of text",
                                        [OPTION_SECRET] = "secret", [OPTION_PORT] = "port"};
    buf_text(out, names[opt->type]);
    if (opt->type == OPTION_ENUM)
        print_names(out, opt, ", ");
    else
        print_bounds(out, opt);
}

static void print_default(struct buf *out, const struct option *opt)
{
    if (opt->flags & OPTION_REQUIRED)
        buf_text(out, "required");
    else if (opt->text)
        buf_printf(out, "default %s", opt->text[0] ? opt->text : "\"\"");
}

/* What stands behind a flag: `=FILE` and the like. */
static void print_flag(struct buf *out, const char *prefix, const struct option *opt)
{
    static const char *const words[] = {
        [OPTION_STRING] = "TEXT", [OPTION_BOOL] = "",         [OPTION_INT] = "N", [OPTION_UINT] = "N",
        [OPTION_SIZE] = "SIZE",   [OPTION_DURATION] = "TIME", [OPTION_ENUM] = "", [OPTION_LIST] = "TEXT",
        [OPTION_SECRET] = "TEXT", [OPTION_PORT] = "PORT"};
    bool flag = prefix[0] != '\0';
    buf_printf(out, "  %s", prefix);
    for (const char *p = opt->name; *p; p++)
        buf_byte(out, flag && *p == '_' ? '-' : (uint8_t)*p);
    if (!flag) {
        if (opt->type == OPTION_SECRET)
            buf_printf(out, ", %s_file", opt->name);
        return;
    }
    if (opt->type == OPTION_ENUM) {
        buf_byte(out, '=');
        print_names(out, opt, "|");
    } else if (words[opt->type][0]) {
        buf_printf(out, "=%s", words[opt->type]);
    }
}

static void pad(struct buf *out, size_t line_start, size_t column)
{
    while (!out->failed && out->len - line_start < column)
        buf_byte(out, ' ');
}

/* The words of `text`, wrapped, in the right column. */
static void print_wrapped(struct buf *out, size_t line_start, const char *text)
{
    if (out->len - line_start >= HELP_COLUMN) {
        buf_byte(out, '\n');
        line_start = out->len;
    }
    pad(out, line_start, HELP_COLUMN);
    while (*text) {
        size_t word = strcspn(text, " ");
        if (out->len - line_start + word > HELP_WIDTH && out->len - line_start > HELP_COLUMN) {
            buf_byte(out, '\n');
            line_start = out->len;
            pad(out, line_start, HELP_COLUMN);
        }
        buf_add(out, text, word);
        text += word;
        size_t gap = strspn(text, " ");
        if (gap && text[gap])
            buf_byte(out, ' ');
        text += gap;
    }
    buf_byte(out, '\n');
}

static void write_out(FILE *out, struct buf *text)
{
    if (text->p)
        fwrite(text->p, 1, text->len, out);
    buf_release(text);
}

/* Help, bounds and default as one run of words. */
static void describe(struct buf *out, const struct option *opt, bool flag)
{
    struct buf more;
    buf_init(&more, 0);
    if (!flag || opt->max != 0 || opt->min != 0)
        print_type(&more, opt);
    size_t before = more.len;
    print_default(&more, opt);
    if (more.len > before && before > 0) {
        more.len = before;
        buf_text(&more, "; ");
        print_default(&more, opt);
    }
    buf_text(out, opt->help ? opt->help : "");
    if (more.len)
        buf_printf(out, " (%.*s)", (int)more.len, (const char *)more.p);
    buf_byte(out, '\0');
    buf_release(&more);
}

void option_print_help(FILE *out, const char *prefix, const struct option *table)
{
    struct buf text, words;
    buf_init(&text, 0);
    buf_init(&words, 0);
    for (const struct option *opt = table; opt->name; opt++) {
        size_t line_start = text.len;
        print_flag(&text, prefix, opt);
        buf_text(&text, "  ");
        buf_clear(&words);
        describe(&words, opt, prefix[0] != '\0');
        print_wrapped(&text, line_start, words.failed ? "" : (const char *)words.p);
    }
    buf_release(&words);
    write_out(out, &text);
}

static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++)
        if (*text == '|')
            buf_text(out, "\\|");
        else
            buf_byte(out, *text == '\n' ? ' ' : (uint8_t)*text);
}

void option_print_markdown(FILE *out, const struct option *table)
{
    struct buf text, type;
    buf_init(&text, 0);
    buf_init(&type, 0);
    buf_text(&text, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (const struct option *opt = table; opt->name; opt++) {
        buf_clear(&type);
        print_type(&type, opt);
        buf_byte(&type, '\0');
        buf_printf(&text, "| `%s`", opt->name);
        if (opt->type == OPTION_SECRET)
            buf_printf(&text, " or `%s_file`", opt->name);
        buf_text(&text, " | ");
        add_cell(&text, type.failed ? "" : (const char *)type.p);
        buf_text(&text, " | ");
        if (opt->flags & OPTION_REQUIRED)
            buf_text(&text, "required");
        else if (opt->text)
            buf_printf(&text, "`%s`", opt->text);
        buf_text(&text, " | ");
        add_cell(&text, opt->help ? opt->help : "");
        buf_text(&text, " |\n");
    }
    buf_release(&type);
    write_out(out, &text);
}
