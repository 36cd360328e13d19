/* What the declared SQL type tells of a column and no TABLE_MAP does: MariaDB's UUID, INET4, INET6 and VECTOR, which
 * are BINARY and VARBINARY in the log, and the fraction digits of the temporal types before 5.6. */
#include <string.h>

#include "value/types.h"
#include "value/write.h"

#define SCALE_MAX 6

static bool is_old_temporal(const struct coltype *type)
{
    return type->family == FAMILY_TIME_OLD || type->family == FAMILY_DATETIME_OLD ||
           type->family == FAMILY_TIMESTAMP_OLD;
}

bool coltype_needs_scale(const struct coltype *type)
{
    return is_old_temporal(type) && type->meta == COLTYPE_SCALE_UNKNOWN;
}

bool coltype_is_vague(const struct coltype *type)
{
    if (is_old_temporal(type))
        return coltype_needs_scale(type);
    if (type->family != FAMILY_STRING || type->charset != CHARSET_BINARY)
        return false;
    uint32_t max = coltype_max_bytes(type);
    if (type->wire == WIRE_STRING)
        return max == UUID_BYTES || max == INET4_BYTES;
    return type->wire == WIRE_VARCHAR && max % 4 == 0;
}

static bool declare_binary(struct coltype *type, uint8_t family, uint16_t bytes)
{
    if (type->wire != WIRE_STRING || type->family != FAMILY_STRING || coltype_max_bytes(type) != bytes)
        return false;
    type->family = family;
    type->fixed = bytes;
    type->charset = CHARSET_BINARY;
    return true;
}

static bool declare_scale(struct coltype *type, uint32_t scale)
{
    static const uint8_t time[] = {3, 4, 4, 5, 5, 5, 6}, datetime[] = {8, 6, 6, 7, 7, 7, 8};
    static const uint8_t timestamp[] = {4, 5, 5, 6, 6, 7, 7};
    if (scale > SCALE_MAX)
        return false;
    type->meta = (uint16_t)scale;
    type->fixed = type->family == FAMILY_TIME_OLD       ? time[scale]
                  : type->family == FAMILY_DATETIME_OLD ? datetime[scale]
                                                        : timestamp[scale];
    return true;
}

bool coltype_declare(struct coltype *type, const char *word, uint32_t number)
{
    if (is_old_temporal(type))
        return declare_scale(type, number);
    if (strcmp(word, "uuid") == 0)
        return declare_binary(type, FAMILY_UUID, UUID_BYTES);
    if (strcmp(word, "inet6") == 0)
        return declare_binary(type, FAMILY_INET, INET6_BYTES);
    if (strcmp(word, "inet4") == 0)
        return declare_binary(type, FAMILY_INET, INET4_BYTES);
    if (strcmp(word, "vector") == 0) {
        if (type->family != FAMILY_STRING && type->family != FAMILY_VECTOR)
            return false;
        type->family = FAMILY_VECTOR;
    }
    return true;
}
