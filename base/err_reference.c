/* errors.def as Markdown. */
#include "base/err_reference.h"

#include <stdbool.h>
#include <string.h>

static const char *const whats[ERR_CODE_COUNT] = {
#define ERR(name, cls, what, todo) [ERR_##name] = what,
#include "base/errors.def"
#undef ERR
};

static const char *class_meaning(enum err_class cls)
{
    switch (cls) {
    case ERR_CLASS_RETRY:
        return "retry: sluice tries again by itself, with growing waits; a command that ends with it exits with 1";
    case ERR_CLASS_STOP:
        return "stop: the service ends with exit code 4 and keeps its position; a person must act";
    case ERR_CLASS_POISON:
        return "poison: this one change cannot be applied, others can";
    case ERR_CLASS_USAGE:
        return "usage: exit code 2, before anything was changed";
    case ERR_CLASS_BUG:
        return "bug: ours; exit code 4";
    case ERR_CLASS_NONE:
        break;
    }
    return "none";
}

/* The format with `…` for each conversion, one for several that touch. */
static void print_what(FILE *out, const char *format)
{
    bool open = false; /* an ellipsis was just printed */
    while (*format) {
        if (format[0] == '%' && format[1] != '%') {
            format += 1 + strspn(format + 1, "-+ #0123456789.*lhzjt");
            format += *format != '\0';
            if (!open)
                fputs("\xe2\x80\xa6", out);
            open = true;
            continue;
        }
        format += *format == '%';
        fputc(*format++, out);
        open = false;
    }
}

void err_print_row(FILE *out, enum err_code code)
{
    const char *todo = err_code_todo(code);
    fprintf(out, "### `%s`\n\n- Class: %s.\n", err_code_name(code), class_meaning(err_code_class(code)));
    if (strcmp(whats[code], "%s") == 0) {
        fputs("- Message: what was found, and where.\n", out);
    } else {
        fputs("- Message: `", out);
        print_what(out, whats[code]);
        fputs("`\n", out);
    }
    fprintf(out, "- What to do: %s.\n", todo[0] ? todo : "nothing");
}

void err_print_reference(FILE *out)
{
    for (unsigned code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        if (code > ERR_NONE + 1)
            fputc('\n', out);
        err_print_row(out, (enum err_code)code);
    }
}
