/* MariaDB's UUID, known by its declared type only: BINARY(16) in the log, without the zero bytes at its end.
 *
 * The log has the sixteen bytes in the order of the text, whatever the order in the table's pages (which differs
 * between versions of the server): Type_handler_uuid's pack(). Text: lower-case hex, 8-4-4-4-12. */
#include "value/family.h"
#include "value/write.h"

uint8_t *write_uuid(uint8_t *o, const uint8_t uuid[16])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *o++ = '-';
        *o++ = (uint8_t)digits[uuid[i] >> 4];
        *o++ = (uint8_t)digits[uuid[i] & 15];
    }
    return o;
}

int uuid_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    uint8_t whole[UUID_BYTES];
    uint8_t *text = NULL;
    if (!family_padded(bytes, whole, sizeof whole))
        return family_corrupt(type, "longer than declared", e);
    text = arena_alloc(arena, WRITE_UUID_LEN);
    if (!text)
        return err_set(e, NO_MEMORY, (size_t)WRITE_UUID_LEN);
    *out = (struct value){.kind = VALUE_TEXT};
    out->s.p = (const char *)text;
    out->s.len = (size_t)(write_uuid(text, whole) - text);
    return 0;
}

uint8_t *write_address(uint8_t *o, bool is_uuid, size_t size, const uint8_t *p, size_t len)
{
    uint8_t whole[UUID_BYTES] = {0};
    if (len > size || len > sizeof whole)
        return NULL;
    memcpy(whole, p, len);
    *o++ = '"';
    if (is_uuid)
        o = write_uuid(o, whole);
    else
        o = size == INET4_BYTES ? write_inet4(o, whole) : write_inet6(o, whole);
    *o++ = '"';
    return o;
}
