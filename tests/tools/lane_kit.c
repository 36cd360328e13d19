/* Small rows for tests of lanes. */
#include "tools/lane_kit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FILL_MAX (1024u * 1024)

static const struct table kit_table = {.db = "shop", .name = "orders", .column_count = 2};
static const struct shape the_shape = {.tbl = &kit_table};

const struct shape *kit_shape(void)
{
    return &the_shape;
}

struct lanes *kit_lanes(unsigned lanes, unsigned sinks, size_t buffer_bytes)
{
    struct lanes *out = NULL;
    struct lanes_options opt = {.lanes = lanes, .sinks = sinks, .buffer_bytes = buffer_bytes};
    if (lanes_new(&out, &opt, NULL) != 0)
        abort();
    return out;
}

void kit_begin(struct lanes *lanes, uint64_t sequence)
{
    struct tx tx = {.file = "bin.1", .pos = sequence * 100, .epoch = 1, .sequence = sequence};
    lanes_begin(lanes, &tx);
}

static const uint8_t *fill(size_t len)
{
    static uint8_t bytes[FILL_MAX];
    assert(len <= sizeof bytes);
    (void)len;
    return bytes;
}

int kit_add(struct lanes *lanes, unsigned lane, const char *key, uint64_t version_row, size_t len, uint64_t *ordinal)
{
    uint64_t unused;
    struct lane_row row = {
        .op = CHANGE_INSERT,
        .sink_mask = UINT32_MAX,
        .version_row = version_row,
        .shape = kit_shape(),
        .key = key,
        .key_len = strlen(key),
        .after = {.bytes = fill(len), .len = len},
    };
    return lanes_add(lanes, lane, &row, ordinal ? ordinal : &unused, NULL);
}

int kit_add_to(struct lanes *lanes, unsigned lane, const char *key, uint64_t version_row, unsigned ticket_lane,
               uint64_t ticket_ordinal, uint64_t *ordinal)
{
    uint64_t unused;
    struct lane_row row = {
        .op = CHANGE_UPDATE,
        .flags = CHANGE_TO,
        .sink_mask = UINT32_MAX,
        .version_row = version_row,
        .shape = kit_shape(),
        .key = key,
        .key_len = strlen(key),
        .has_ticket = true,
        .ticket_lane = ticket_lane,
        .ticket_ordinal = ticket_ordinal,
    };
    return lanes_add(lanes, lane, &row, ordinal ? ordinal : &unused, NULL);
}

int kit_end(struct lanes *lanes, uint64_t pos)
{
    struct boundary at = {.file = "bin.1", .pos = pos};
    return lanes_end(lanes, &at);
}

unsigned kit_drain(struct lanes *lanes, unsigned sink)
{
    unsigned count = 0;
    for (bool more = true; more;) {
        more = false;
        for (unsigned lane = 0; lane < lanes_count(lanes); lane++) {
            struct lane_item item;
            while (lanes_read(lanes, lane, sink, &item) == LANE_ITEM) {
                lanes_ack(lanes, lane, sink, item.ordinal);
                more = true;
                count++;
            }
        }
    }
    return count;
}
