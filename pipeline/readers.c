/* Numbers of readers, by lane. */
#include "pipeline/readers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METADATA "reader="

int readers_init(struct readers *readers, unsigned lanes, struct err *e)
{
    *readers = (struct readers){.lane = calloc(lanes, sizeof *readers->lane), .lanes = lanes};
    return readers->lane ? 0 : err_set(e, NO_MEMORY, lanes * sizeof *readers->lane);
}

void readers_release(struct readers *readers)
{
    free(readers->lane);
    *readers = (struct readers){.lanes = 0};
}

uint64_t readers_parse(const void *text, size_t len)
{
    const char *p = text;
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9' || number > UINT64_MAX / 10 - 9)
            return 0;
        number = number * 10 + (uint64_t)(p[i] - '0');
    }
    return number;
}

void readers_gain(struct readers *readers, unsigned lane, const void *metadata, size_t len)
{
    size_t word = strlen(METADATA);
    bool is_own = metadata && len > word && memcmp(metadata, METADATA, word) == 0;
    uint64_t number = is_own ? readers_parse((const char *)metadata + word, len - word) : 0;
    readers->lane[lane] = (struct reader_lane){.rises = {{.offset = -1, .number = number}}, .count = number != 0};
}

/* Takes the place of the last one when there is no room: of what lies between, too much is taken, not too little. */
static void add_rise(struct reader_lane *own, uint64_t number, int64_t offset)
{
    own->count -= own->count == READERS_RISES_MAX;
    own->rises[own->count++] = (struct reader_rise){offset, number};
}

bool readers_take(struct readers *readers, unsigned lane, uint64_t number, int64_t offset, bool *first)
{
    struct reader_lane *own = &readers->lane[lane];
    uint64_t highest = own->count ? own->rises[own->count - 1].number : 0;
    *first = false;
    if (number == 0 || number == highest)
        return true;
    if (number > highest) {
        add_rise(own, number, offset);
        return true;
    }
    *first = !own->told;
    own->told = true;
    return false;
}

void readers_print(struct readers *readers, unsigned lane, int64_t offset, char out[READERS_TEXT_MAX])
{
    struct reader_lane *own = &readers->lane[lane];
    unsigned passed = 0;
    while (passed + 1 < own->count && own->rises[passed + 1].offset < offset)
        passed++;
    own->count -= passed;
    memmove(own->rises, own->rises + passed, own->count * sizeof *own->rises);
    out[0] = '\0';
    if (own->count && own->rises[0].offset < offset)
        snprintf(out, READERS_TEXT_MAX, METADATA "%" PRIu64, own->rises[0].number);
}
