/* What state.c (changes) and state_restore.c (the topic read back) share: what the topic holds. */
#ifndef SLUICE_SINK_KAFKA_STATE_PRIVATE_H
#define SLUICE_SINK_KAFKA_STATE_PRIVATE_H

#include "sink/kafka/state.h"

#define PART_BYTES ((size_t)512 * 1024)
#define KEY_MAX    (STATE_NAME_MAX + 48)
#define FORMAT_KEY "format"
#define FORMAT     "1"

/* One record or log as the topic has it. */
struct kept_name {
    struct kept_name *next;
    bool is_log;
    char name[STATE_NAME_MAX + 1];
    unsigned generation; /* log */
    uint64_t parts;      /* messages of the present generation */
};

struct kept_names {
    struct kept_name *list;
    bool has_format;
    int64_t reader_offset; /* of the own take-over */
};

/* NULL: no memory. Made when it is not there. */
struct kept_name *kept_find(struct kept_names *names, bool is_log, const char *name);
void kept_names_release(struct kept_names *names);

/* Restores the directory of `st` from the topic as of now. */
int kafka_state_restore(struct state *st, const struct kafka_state_place *place, const char *topic,
                        struct kept_names *names, struct err *e);

#endif
