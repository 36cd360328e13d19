/* `mode: stream`: an entry in a Redis stream for each change (XADD KEY MAXLEN ~ n * …), of these fields:
 *     op        insert, update, delete
 *     version   of the change: who has seen it already has seen this change (entries may come twice)
 *     table     db.table
 *     row       the row after the change, of a delete before it, in the route's form
 * The stream's key is a template, rendered for that image. Of the halves of a row that moves to another lane the second
 * one tells. A replay adds nothing. */
#ifndef SLUICE_SINK_REDIS_STREAM_H
#define SLUICE_SINK_REDIS_STREAM_H

#include "sink/redis/form.h"
#include "sink/redis/keys.h"
#include "sink/redis/sweep.h"

/* The entries of a batch, in the order of its changes. One thread. */
struct redis_stream {
    struct buf commands, key, name;
    struct redis_args args;
    size_t count;
    bool is_silent;
};

void redis_stream_init(struct redis_stream *stream, enum sink_purpose purpose);
void redis_stream_release(struct redis_stream *stream); /* accepts one that is all zero */
void redis_stream_clear(struct redis_stream *stream);

/* Enough is gathered: send it before the next change. */
bool redis_stream_is_enough(const struct redis_stream *stream, const struct redis_options *opt);

/* Adds the entry of the change, if it has one. `keys` lends its memory for what is read. Errors: as redis_key_render
 * and redis_form_render. */
int redis_stream_add(struct redis_stream *stream, struct redis_keys *keys, const struct redis_route *route,
                     const struct change *chg, struct err *e);

/* Sends what is gathered and forgets it. Done when it returns 0: every reply arrived. Errors: SINK_DOWN, SINK_PROTOCOL,
 * reply_error's, NO_MEMORY. */
int redis_stream_flush(struct redis_stream *stream, struct redis_connection *conn, struct redis_stats *stats,
                       struct err *e);

#endif
