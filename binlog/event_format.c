/* FORMAT_DESCRIPTION (15): the first event of a file, and of a stream from one.
 *
 *   bytes  field
 *       2  binlog version, 4
 *      50  server version text, padded with NUL
 *       4  created, Unix seconds; 0 in a stream that begins inside the file
 *       1  length of every event's header, 19
 *       n  post-header length of the types 1 … n
 *       1  checksum algorithm of the events that follow: 0 none, 1 CRC-32
 *       4  checksum of this event
 *
 * The last two came with MySQL 5.6.1 and MariaDB 5.3.0, and are always there since. */
#include "binlog/event.h"

#define FIXED_LEN              57
#define CHECKSUM_SINCE_MYSQL   50601
#define CHECKSUM_SINCE_MARIADB 50300

/* Post-header lengths that the readers know. A server writes 0 for a type that it does not have. */
static const struct {
    uint8_t type;
    uint8_t allowed[2];
} known_lengths[] = {
    {EVENT_QUERY, {13, 13}},        {EVENT_ROTATE, {8, 8}},
    {EVENT_TABLE_MAP, {6, 8}},      {EVENT_WRITE_ROWS_V1, {6, 8}},
    {EVENT_UPDATE_ROWS_V1, {6, 8}}, {EVENT_DELETE_ROWS_V1, {6, 8}},
    {EVENT_WRITE_ROWS, {10, 10}},   {EVENT_UPDATE_ROWS, {10, 10}},
    {EVENT_DELETE_ROWS, {10, 10}},  {EVENT_PARTIAL_UPDATE_ROWS, {10, 10}},
};

/* "10.11.19-MariaDB" → 101119; 0 when the text does not begin with three numbers. */
static unsigned version_number(const char *text)
{
    unsigned part[3] = {0, 0, 0};
    for (unsigned i = 0; i < 3; i++) {
        if (*text < '0' || *text > '9')
            return 0;
        while (*text >= '0' && *text <= '9' && part[i] < 1000)
            part[i] = part[i] * 10 + (unsigned)(*text++ - '0');
        if (i < 2 && *text++ != '.')
            return 0;
    }
    return part[0] > 99 || part[1] > 99 || part[2] > 99 ? 0 : part[0] * 10000 + part[1] * 100 + part[2];
}

static int check_lengths(const struct event_format *format, struct err *e)
{
    for (size_t i = 0; i < sizeof known_lengths / sizeof known_lengths[0]; i++) {
        uint8_t type = known_lengths[i].type;
        if (type > format->post_header_count)
            continue;
        uint8_t len = format->post_header_len[type];
        if (len != 0 && len != known_lengths[i].allowed[0] && len != known_lengths[i].allowed[1]) {
            char text[96];
            snprintf(text, sizeof text, "FORMAT_DESCRIPTION event says a post-header of %u bytes for %s", len,
                     event_row(type)->name);
            return err_set(e, CORRUPT, text);
        }
    }
    return 0;
}

static void read_server(struct event_format *format, const uint8_t *text)
{
    memcpy(format->server, text, EVENT_SERVER_TEXT_MAX);
    format->server_version = version_number(format->server);
    format->mariadb = strstr(format->server, "MariaDB") != NULL || strstr(format->server, "mariadb") != NULL;
}

/* Whether the event ends with an algorithm and a checksum. A version that is no number is taken for a new one. */
static bool has_checksum(const struct event_format *format)
{
    return format->server_version == 0 ||
           format->server_version >= (format->mariadb ? CHECKSUM_SINCE_MARIADB : CHECKSUM_SINCE_MYSQL);
}

uint8_t event_format_checksum(const uint8_t *event, size_t len)
{
    struct event_format format = {0};
    if (len < EVENT_HEADER_LEN + FIXED_LEN + 1 + EVENT_CHECKSUM_LEN)
        return CHECKSUM_OFF;
    read_server(&format, event + EVENT_HEADER_LEN + 2);
    return has_checksum(&format) ? event[len - EVENT_CHECKSUM_LEN - 1] : CHECKSUM_OFF;
}

int event_format_read(struct event_format *out, const uint8_t *event, size_t len, struct err *e)
{
    if (len < EVENT_HEADER_LEN + FIXED_LEN + 1 + EVENT_CHECKSUM_LEN)
        return err_set(e, CORRUPT, "FORMAT_DESCRIPTION event is too short");
    struct event_format format = {0};
    read_server(&format, event + EVENT_HEADER_LEN + 2);
    bool checksum = has_checksum(&format);
    size_t trailer = checksum ? EVENT_CHECKSUM_LEN : 0;
    struct cursor cur = cursor_over(event + EVENT_HEADER_LEN, len - EVENT_HEADER_LEN - trailer);
    uint16_t version = cursor_u16(&cur);
    cursor_skip(&cur, EVENT_SERVER_TEXT_MAX + 4);
    uint8_t header_len = cursor_u8(&cur);
    size_t count = cursor_left(&cur) - checksum;
    if (version != 4)
        return err_set(e, CORRUPT, "FORMAT_DESCRIPTION event: binlog version is not 4");
    if (header_len != EVENT_HEADER_LEN)
        return err_set(e, CORRUPT, "FORMAT_DESCRIPTION event: header length is not 19");
    if (count > 255)
        return err_set(e, CORRUPT, "FORMAT_DESCRIPTION event: more than 255 event types");
    const uint8_t *lengths = cursor_take(&cur, count);
    format.checksum = checksum ? cursor_u8(&cur) : CHECKSUM_OFF;
    int rc = event_finish(&cur, "FORMAT_DESCRIPTION", e);
    if (rc != 0)
        return rc;
    if (format.checksum != CHECKSUM_OFF && format.checksum != CHECKSUM_CRC32)
        return err_set(e, CORRUPT, "FORMAT_DESCRIPTION event: unknown checksum algorithm");
    if (strstr(format.server, "-a_drop")) /* 5.1 and 5.2 before their first release: other numbers for the types */
        return err_set(e, CORRUPT, "FORMAT_DESCRIPTION event of a server before its first release");
    if (count)
        memcpy(format.post_header_len + 1, lengths, count);
    format.post_header_count = (unsigned)count;
    format.in_use = event[17] & EVENT_FLAG_IN_USE;
    rc = check_lengths(&format, e);
    if (rc != 0)
        return rc;
    *out = format;
    return 0;
}
