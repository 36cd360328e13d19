/* The error object and the table behind it. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    enum err_class cls;
    const char *name;
    const char *todo;
};

static const struct err_row rows[ERR_CODE_COUNT] = {
    [ERR_NONE] = {ERR_CLASS_NONE, "NONE", ""},
#define ERR(name, cls, what, todo) [ERR_##name] = {ERR_CLASS_##cls, #name, todo},
#include "base/errors.def"
#undef ERR
};

/* The name as it is logged: lower case. */
#define NAME_MAX_LEN 48
static _Thread_local char lower_name[NAME_MAX_LEN];

int err_set_format(struct err *e, enum err_code code, const char *format, ...)
{
    if (!e)
        return -(int)code;
    if (e->code != ERR_NONE)
        return -(int)e->code;
    e->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return -(int)code;
}

int err_wrap(struct err *e, const char *place_format, ...)
{
    if (!e || e->code == ERR_NONE)
        return 0;
    char place[ERR_TEXT_MAX];
    va_list args;
    va_start(args, place_format);
    int n = vsnprintf(place, sizeof place, place_format, args);
    va_end(args);
    if (n < 0)
        return -(int)e->code;
    size_t place_len = strlen(place), text_len = strlen(e->text);
    if (place_len > sizeof e->text - 3)
        place_len = sizeof e->text - 3;
    size_t room = sizeof e->text - 1 - place_len - 2;
    if (text_len > room)
        text_len = room;
    memmove(e->text + place_len + 2, e->text, text_len);
    memcpy(e->text, place, place_len);
    memcpy(e->text + place_len, ": ", 2);
    e->text[place_len + 2 + text_len] = '\0';
    return -(int)e->code;
}

void err_clear(struct err *e)
{
    if (e) {
        e->code = ERR_NONE;
        e->text[0] = '\0';
    }
}

int err_result(const struct err *e)
{
    return e ? -(int)e->code : 0;
}

enum err_class err_class(const struct err *e)
{
    return e ? err_code_class(e->code) : ERR_CLASS_NONE;
}

enum err_class err_code_class(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? rows[code].cls : ERR_CLASS_BUG;
}

const char *err_class_name(enum err_class cls)
{
    static const char *const names[] = {"none", "retry", "stop", "poison", "usage", "bug"};
    return names[cls];
}

const char *err_code_name(enum err_code code)
{
    const char *name = (unsigned)code < ERR_CODE_COUNT ? rows[code].name : "UNKNOWN";
    size_t i = 0;
    for (; name[i] && i < NAME_MAX_LEN - 1; i++)
        lower_name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    lower_name[i] = '\0';
    return lower_name;
}

const char *err_code_todo(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? rows[code].todo : "";
}

enum err_code err_code_find(const char *name)
{
    for (unsigned i = 1; i < ERR_CODE_COUNT; i++)
        if (strcmp(err_code_name((enum err_code)i), name) == 0)
            return (enum err_code)i;
    return ERR_NONE;
}
