/* Any bytes as the body of an event (FORMAT: as the whole of it): an error or a valid event. The first byte chooses the
 * type, the second the post-header lengths. */
#include <stdlib.h>
#include <string.h>

#include "tools/event_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct event_format format = {.post_header_count = 42};
    struct err e = ERR_INIT;
    if (len < 2)
        return 0;
    memset(format.post_header_len, bytes[1] & 1 ? 6 : 8, sizeof format.post_header_len);
    if (bytes[0] == EVENT_FORMAT)
        (void)event_format_read(&format, bytes + 2, len - 2, &e);
    else if (event_any_read(bytes[0], bytes + 2, len - 2, &format, &e) == 0 && e.code != ERR_NONE)
        abort();
    return 0;
}
