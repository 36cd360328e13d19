/* A place in the binlog: text, order, and 64-bit offsets from a 32-bit header. */
#include "position/filepos.h"

#include <stdio.h>

#include "position/scan.h"

/* Where a binlog's first event begins, behind the magic bytes. */
#define FIRST_POS 4

int filepos_parse(struct filepos *out, const char *text, size_t len, struct err *e)
{
    struct scan s = scan_over(text, len);
    const char *colon = len ? memrchr(text, ':', len) : NULL;
    if (!colon || colon == text)
        return scan_error(e, text, len, "file:offset is expected");
    size_t file_len = (size_t)(colon - text);
    if (file_len > FILEPOS_FILE_MAX)
        return scan_error(e, text, len, "the file name is too long");
    for (const char *p = text; p < colon; p++)
        if (*p == '/' || (unsigned char)*p < ' ' || *p == 127)
            return scan_error(e, text, len, "a file name without folder is expected");
    s.p = colon + 1;
    uint64_t pos;
    if (!scan_u64(&s, INT64_MAX, &pos) || !scan_at_end(&s))
        return scan_error(e, text, len, "the offset behind the colon is not a number");
    if (pos < FIRST_POS)
        return scan_error(e, text, len, "offsets begin at 4");
    memset(out, 0, sizeof *out);
    memcpy(out->file, text, file_len);
    out->pos = pos;
    return 0;
}

size_t filepos_print(const struct filepos *at, char out[FILEPOS_TEXT_MAX])
{
    int n = snprintf(out, FILEPOS_TEXT_MAX, "%s:%llu", at->file, (unsigned long long)at->pos);
    return n > 0 ? (size_t)n : 0;
}

uint64_t filepos_file_number(const char *file)
{
    const char *dot = strrchr(file, '.');
    struct scan s = dot ? scan_over(dot + 1, strlen(dot + 1)) : scan_over(NULL, 0);
    uint64_t number;
    return dot && scan_u64(&s, UINT64_MAX, &number) && scan_at_end(&s) ? number : 0;
}

int filepos_compare(const struct filepos *a, const struct filepos *b)
{
    uint64_t x = filepos_file_number(a->file), y = filepos_file_number(b->file);
    if (x != y)
        return x < y ? -1 : 1;
    return a->pos < b->pos ? -1 : a->pos > b->pos;
}

uint64_t filepos_sequence(const struct filepos *at)
{
    return (filepos_file_number(at->file) << 40) + at->pos;
}

uint64_t filepos_event_end(uint64_t start, uint32_t event_len, uint32_t log_pos)
{
    uint64_t sum = start + event_len;
    if (log_pos == 0)
        return sum;
    return sum + (uint32_t)(log_pos - (uint32_t)sum);
}
