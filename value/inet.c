/* MariaDB's INET4 and INET6, known by their declared type only: BINARY(4) and BINARY(16) in the log, most significant
 * byte first, without the zero bytes at the end.
 *
 * Text of INET4: a.b.c.d. Text of INET6 as the server writes it (Inet6::to_string in sql/sql_type_inet.cc): groups in
 * lower-case hex without leading zeros; "::" for the longest run of zero groups, the first of equal ones, also for a
 * run of one; the last 32 bits as a.b.c.d behind a run of six groups (::1.2.3.4), and behind one of five with ffff
 * (::ffff:1.2.3.4). */
#include "value/family.h"
#include "value/write.h"

#define GROUPS 8

uint8_t *write_inet4(uint8_t *o, const uint8_t address[4])
{
    for (unsigned i = 0; i < INET4_BYTES; i++) {
        if (i)
            *o++ = '.';
        o = write_uint(o, address[i]);
    }
    return o;
}

static uint8_t *write_group(uint8_t *o, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned shift = 16; shift > 0; shift -= 4)
        if (shift == 4 || group >> (shift - 4))
            *o++ = (uint8_t)digits[group >> (shift - 4) & 15];
    return o;
}

struct gap {
    unsigned from, len;
};

static struct gap longest_gap(const unsigned groups[GROUPS])
{
    struct gap best = {GROUPS, 0};
    for (unsigned i = 0; i < GROUPS;) {
        unsigned from = i;
        while (i < GROUPS && groups[i] == 0)
            i++;
        if (i - from > best.len)
            best = (struct gap){from, i - from};
        if (i == from)
            i++;
    }
    return best;
}

uint8_t *write_inet6(uint8_t *o, const uint8_t address[16])
{
    unsigned groups[GROUPS];
    for (unsigned i = 0; i < GROUPS; i++)
        groups[i] = (unsigned)family_be(address + 2 * (size_t)i, 2);
    struct gap gap = longest_gap(groups);
    bool dotted = gap.from == 0 && (gap.len == 6 || (gap.len == 5 && groups[5] == 0xffff));
    for (unsigned i = 0; i < GROUPS;) {
        if (gap.len && i == gap.from) {
            if (i == 0)
                *o++ = ':';
            *o++ = ':';
            i += gap.len;
        } else if (i == 6 && dotted) {
            return write_inet4(o, address + 12);
        } else {
            o = write_group(o, groups[i]);
            if (++i < GROUPS)
                *o++ = ':';
        }
    }
    return o;
}

int inet_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    uint8_t whole[INET6_BYTES];
    uint8_t *text = NULL;
    bool four = type->fixed == INET4_BYTES;
    if (!family_padded(bytes, whole, type->fixed))
        return family_corrupt(type, "longer than declared", e);
    text = arena_alloc(arena, WRITE_INET_MAX);
    if (!text)
        return err_set(e, NO_MEMORY, (size_t)WRITE_INET_MAX);
    *out = (struct value){.kind = VALUE_TEXT};
    out->s.p = (const char *)text;
    out->s.len = (size_t)((four ? write_inet4(text, whole) : write_inet6(text, whole)) - text);
    return 0;
}
