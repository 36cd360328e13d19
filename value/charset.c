/* Character sets: which one a collation id means, and conversion to UTF-8. */
#include "value/charset.h"

#include <stdio.h>
#include <string.h>

#include "value/charset_ids.h"
#include "value/value.h"

#define UCA1400_FIRST   2048u
#define UCA1400_PER_SET 256u

static const struct charset_row *find_charset(const char *name, size_t len)
{
    for (size_t i = 0; i < charset_row_count; i++)
        if (strlen(charset_rows[i].name) == len && memcmp(charset_rows[i].name, name, len) == 0)
            return &charset_rows[i];
    return NULL;
}

static bool is_uca1400(unsigned collation)
{
    unsigned made = collation - UCA1400_FIRST;
    return collation >= UCA1400_FIRST &&
           made / UCA1400_PER_SET < sizeof uca1400_charsets / sizeof uca1400_charsets[0] &&
           uca1400_tailorings[made % UCA1400_PER_SET / 8] != NULL;
}

static const char *collation_name(unsigned collation)
{
    size_t low = 0, high = collation_row_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (collation_rows[mid].id == collation)
            return collation_rows[mid].name;
        if (collation_rows[mid].id < collation)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

enum charset charset_of_collation(unsigned collation, const char **name)
{
    const struct charset_row *row = NULL;
    if (is_uca1400(collation)) {
        const char *set = uca1400_charsets[(collation - UCA1400_FIRST) / UCA1400_PER_SET];
        row = find_charset(set, strlen(set));
    } else {
        const char *full = collation_name(collation);
        if (full)
            row = find_charset(full, strcspn(full, "_"));
    }
    if (name)
        *name = row ? row->name : "unknown";
    return row ? row->charset : CHARSET_UNKNOWN;
}

/* The rest of a UCA 14.0.0 name behind "…_uca1400": "", "_tailoring", then "_nopad", "_ai|_as", "_ci|_cs". */
static int find_uca1400(const char *rest, size_t len)
{
    unsigned flags = 0;
    if (len < 6)
        return -1;
    if (memcmp(rest + len - 3, "_cs", 3) == 0)
        flags |= 1;
    else if (memcmp(rest + len - 3, "_ci", 3) != 0)
        return -1;
    if (memcmp(rest + len - 6, "_as", 3) == 0)
        flags |= 2;
    else if (memcmp(rest + len - 6, "_ai", 3) != 0)
        return -1;
    len -= 6;
    if (len >= 6 && memcmp(rest + len - 6, "_nopad", 6) == 0) {
        flags |= 4;
        len -= 6;
    }
    for (unsigned i = 0; i < 32; i++) {
        const char *tailoring = uca1400_tailorings[i];
        if (!tailoring)
            continue;
        size_t named = strlen(tailoring);
        if (named == 0 ? len == 0 : len == named + 1 && rest[0] == '_' && memcmp(rest + 1, tailoring, named) == 0)
            return (int)(i * 8 + flags);
    }
    return -1;
}

static unsigned find_lower(const char *name, size_t len)
{
    const struct charset_row *set = find_charset(name, len);
    if (set)
        return set->default_collation;
    for (size_t i = 0; i < collation_row_count; i++)
        if (strlen(collation_rows[i].name) == len && memcmp(collation_rows[i].name, name, len) == 0)
            return collation_rows[i].id;
    static const char word[] = "_uca1400";
    for (unsigned i = 0; i < sizeof uca1400_charsets / sizeof uca1400_charsets[0]; i++) {
        size_t prefix = strlen(uca1400_charsets[i]);
        if (len < prefix + sizeof word - 1 || memcmp(name, uca1400_charsets[i], prefix) != 0 ||
            memcmp(name + prefix, word, sizeof word - 1) != 0)
            continue;
        int made = find_uca1400(name + prefix + sizeof word - 1, len - prefix - (sizeof word - 1));
        if (made >= 0)
            return UCA1400_FIRST + i * UCA1400_PER_SET + (unsigned)made;
    }
    return 0;
}

/* Names are compared without case; "utf8" is the old name of utf8mb3, alone and in collations. */
#define NAME_LEN_MAX 64
unsigned charset_find_collation(const char *name, size_t len)
{
    char lower[NAME_LEN_MAX + 8];
    if (len == 0 || len > NAME_LEN_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    if (len >= 4 && memcmp(lower, "utf8", 4) == 0 && (len == 4 || lower[4] == '_')) {
        memmove(lower + 7, lower + 4, len - 4);
        memcpy(lower + 4, "mb3", 3);
        len += 3;
    }
    return find_lower(lower, len);
}

size_t charset_print_collation(unsigned collation, char out[CHARSET_COLLATION_MAX])
{
    const char *name = is_uca1400(collation) ? NULL : collation_name(collation);
    unsigned made = collation - UCA1400_FIRST;
    int len = 0;
    out[0] = '\0';
    if (name) {
        len = snprintf(out, CHARSET_COLLATION_MAX, "%s", name);
    } else if (is_uca1400(collation)) {
        const char *tailoring = uca1400_tailorings[made % UCA1400_PER_SET / 8];
        len = snprintf(out, CHARSET_COLLATION_MAX, "%s_uca1400%s%s%s%s%s", uca1400_charsets[made / UCA1400_PER_SET],
                       tailoring[0] ? "_" : "", tailoring, made & 4 ? "_nopad" : "", made & 2 ? "_as" : "_ai",
                       made & 1 ? "_cs" : "_ci");
    }
    return len > 0 && len < CHARSET_COLLATION_MAX ? (size_t)len : 0;
}

/* …_bin, …_cs, and "binary". */
bool charset_tells_case(unsigned collation)
{
    if (is_uca1400(collation))
        return (collation & 3) == 3;
    const char *name = collation_name(collation);
    size_t len = name ? strlen(name) : 0;
    return (len > 3 && memcmp(name + len - 3, "_cs", 3) == 0) || (len > 4 && memcmp(name + len - 4, "_bin", 4) == 0) ||
           (len == 6 && memcmp(name, "binary", 6) == 0);
}

static bool is_ascii(const char *p, size_t len)
{
    uint64_t any = 0, eight;
    for (; len >= sizeof eight; p += sizeof eight, len -= sizeof eight) {
        memcpy(&eight, p, sizeof eight);
        any |= eight;
    }
    for (; len > 0; p++, len--)
        any |= (uint8_t)*p;
    return (any & 0x8080808080808080u) == 0;
}

static int refuse(const struct coltype *type, struct err *e)
{
    const char *name = NULL;
    if (type->collation == 0) {
        char declared[64];
        coltype_print(type, declared, sizeof declared);
        return err_set(e, TYPE_UNCERTAIN, "character set", declared);
    }
    charset_of_collation(type->collation, &name);
    return err_set(e, CHARSET_UNSUPPORTED, name, (unsigned)type->collation);
}

int charset_to_utf8(const struct coltype *type, struct text *text, struct arena *arena, struct err *e)
{
    enum charset charset = (enum charset)type->charset;
    if (charset == CHARSET_UTF8) {
        text->raw = !value_is_utf8(text->p, text->len);
        return 0;
    }
    if (!charset_is_converted(charset))
        return refuse(type, e);
    text->raw = false;
    if (text->len == 0 || (charset_has_ascii(charset) && is_ascii(text->p, text->len)))
        return 0;
    if (text->len > (SIZE_MAX - CHARSET_ROOM_MIN) / 3)
        return err_set(e, NO_MEMORY, text->len);
    size_t room = text->len * 3 + CHARSET_ROOM_MIN;
    uint8_t *out = arena_alloc(arena, room);
    if (!out)
        return err_set(e, NO_MEMORY, room);
    const uint8_t *p = (const uint8_t *)text->p, *end = p + text->len;
    uint8_t *written = charset_write(charset, out, room, &p, end);
    if (p < end)
        text->raw = true;
    else
        *text = (struct text){(const char *)out, (size_t)(written - out), false};
    return 0;
}
