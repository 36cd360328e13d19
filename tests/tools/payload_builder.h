/* Compressed events for built logs: what a server with compression would have written, or a hostile one. */
#ifndef SLUICE_TESTS_PAYLOAD_BUILDER_H
#define SLUICE_TESTS_PAYLOAD_BUILDER_H

#include "tools/event_builder.h"

/* How a TRANSACTION_PAYLOAD is made; zero: as MySQL does it by default. */
struct payload_build {
    bool plain;          /* without compression */
    int level;           /* 0: 3 */
    unsigned window_log; /* that the first frame declares; 0: as the level has it */
    unsigned frames;     /* 0: 1 */
    bool unknown_field;
    int64_t claim_more; /* added to the length of the events that it claims */
    int64_t say_more;   /* added to its own length that it says */
    uint64_t claim;     /* this length instead, unless 0 */
    const char *behind; /* text behind the last frame */
    size_t cut;         /* bytes taken off its end, before its length is said */
};

/* A TRANSACTION_PAYLOAD with the events of `inner` behind its FORMAT event; `inner` is built without checksums. */
void build_payload(struct event_builder *b, const struct event_builder *inner, const struct payload_build *how);

/* The last event of `inner`, a QUERY or ROWS event, as MariaDB compresses it. how->claim_more, claim, behind and cut
 * apply. */
void build_compressed(struct event_builder *b, const struct event_builder *inner, const struct payload_build *how);

#endif
