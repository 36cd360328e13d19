/* Passing over what lies before the place in its file: the dump begins at the file's head because the place does not
 * fit into four bytes, or because only the way from PREVIOUS_GTIDS tells which transactions lie before it. Nothing is
 * decoded but what begins and ends a transaction. */
#include "binlog/stream_private.h"

void stream_skip_release(struct source_stream *st)
{
    gtid_set_free(st->skip.gtids);
    st->skip = (struct stream_skip){.to = 0};
}

void stream_skip_begin(struct source_stream *st, const struct stream_begin *begin)
{
    stream_skip_release(st);
    st->skip.to = begin->skip_to;
    st->skip.at = begin->at.pos;
    st->skip.learn = begin->learn;
}

static bool is_heartbeat(uint8_t type)
{
    return type == EVENT_HEARTBEAT || type == EVENT_HEARTBEAT_V2;
}

static bool says(const struct event_query *query, const char *word)
{
    return query->statement_len == strlen(word) && memcmp(query->statement, word, query->statement_len) == 0;
}

static void query_seen(struct stream_skip *skip, const struct event_query *query)
{
    static const char xa_start[] = "XA START";
    size_t len = sizeof xa_start - 1;
    bool xa = query->statement_len > len && memcmp(query->statement, xa_start, len) == 0;
    if (says(query, "BEGIN") || xa)
        skip->inside = SKIP_INSIDE;
    else if (says(query, "COMMIT") || says(query, "ROLLBACK") || skip->inside == SKIP_NAMED)
        skip->inside = SKIP_BETWEEN;
}

/* The GTID of the transaction that has ended; it may have had parts behind what looked like its end, as the rows of
 * CREATE TABLE ... SELECT, so it is added when the next one begins or the place is reached. */
static int add_gtid(struct stream_skip *skip, struct err *e)
{
    struct gtid gtid = skip->gtid;
    skip->gtid.number = 0;
    return skip->gtids && gtid_is_set(&gtid) ? gtid_set_add(skip->gtids, &gtid, e) : 0;
}

static int gtid_seen(struct stream_skip *skip, uint8_t type, struct cursor body, struct err *e)
{
    struct event_gtid named;
    int rc = add_gtid(skip, e);
    if (rc == 0)
        rc = event_gtid_read(&named, body, type, e);
    if (rc != 0)
        return rc;
    skip->gtid = named.gtid;
    skip->inside = SKIP_NAMED;
    return 0;
}

static int follow(struct stream_skip *skip, uint8_t type, struct cursor body, struct err *e)
{
    struct event_query query;
    int rc;
    switch (type) {
    case EVENT_PREVIOUS_GTIDS:
        return skip->gtids ? 0 : event_previous_gtids_read(&skip->gtids, body, e);
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
    case EVENT_GTID_TAGGED:
        return gtid_seen(skip, type, body, e);
    case EVENT_QUERY:
        rc = event_query_read(&query, body, e);
        if (rc == 0)
            query_seen(skip, &query);
        return rc;
    case EVENT_XID:
    case EVENT_XA_PREPARE:
    case EVENT_TRANSACTION_PAYLOAD:
        skip->inside = SKIP_BETWEEN;
        return 0;
    case EVENT_TABLE_MAP:
        skip->inside = SKIP_INSIDE;
        return 0;
    default:
        return 0;
    }
}

/* What lies between header and checksum. */
static int open_body(const struct source_stream *st, struct cursor *body, struct err *e)
{
    const struct event_format *format = log_reader_format(st->reader);
    size_t trailer = 0;
    if (format && format->checksum == CHECKSUM_CRC32) {
        trailer = EVENT_CHECKSUM_LEN;
        int rc = event_checksum_verify(st->event, st->event_len, e);
        if (rc != 0)
            return rc;
    }
    if (st->event_len < EVENT_HEADER_LEN + trailer)
        return err_set(e, CORRUPT, "event too short for its checksum");
    *body = cursor_over(st->event + EVENT_HEADER_LEN, st->event_len - EVENT_HEADER_LEN - trailer);
    return 0;
}

static int ended_before(const struct source_stream *st, struct err *e)
{
    char place[FILEPOS_TEXT_MAX], why[64];
    struct filepos at = st->place.at;
    at.pos = st->skip.to;
    filepos_print(&at, place);
    snprintf(why, sizeof why, "the file ends at %llu", (unsigned long long)st->skip.at);
    return err_set(e, BINLOG_PURGED, place, why);
}

/* The events that tell the layout are fed all the same; whatever else comes in between, has no place in the file. */
static int take(struct source_stream *st, const struct event_header *header, struct err *e)
{
    struct stream_skip *skip = &st->skip;
    struct rowset unused;
    struct cursor body;
    bool made = header->flags & EVENT_FLAG_ARTIFICIAL || is_heartbeat(header->type) || header->log_pos == 0;
    bool rotate = header->type == EVENT_ROTATE;
    if (!made) {
        skip->at = filepos_event_end(skip->at, header->len, header->log_pos);
        if (skip->at > skip->to)
            return err_set_format(e, ERR_CORRUPT, "%s: no event begins at %llu", st->place.at.file,
                                  (unsigned long long)skip->to);
    }
    if (skip->at < skip->to && (is_heartbeat(header->type) || (rotate && (!made || skip->has_format))))
        return ended_before(st, e);
    if ((rotate && made) || header->type == EVENT_FORMAT) {
        skip->has_format = skip->has_format || header->type == EVENT_FORMAT;
        return log_reader_feed(st->reader, st->event, st->event_len, &unused, e);
    }
    if (made || !skip->learn)
        return 0;
    int rc = open_body(st, &body, e);
    return rc == 0 ? follow(skip, header->type, body, e) : rc;
}

int stream_skip_event(struct source_stream *st, struct err *e)
{
    struct event_header header;
    int rc = event_header_read(&header, st->event, st->event_len, UINT32_MAX, e);
    if (rc == 0)
        rc = take(st, &header, e);
    st->event = NULL;
    if (rc == 0 && !st->skip.learn && st->skip.at == st->skip.to) {
        log_reader_seek(st->reader, st->skip.to);
        st->skip.to = 0;
    }
    return rc;
}

/* At the place, but PREVIOUS_GTIDS may still come: the place moves behind the event, when that is of the file's head.
 */
static int widen_in_head(struct source_stream *st, bool *in_head, struct err *e)
{
    struct event_header header;
    int rc = event_header_read(&header, st->event, st->event_len, UINT32_MAX, e);
    if (rc != 0)
        return rc;
    bool first_rotate = header.type == EVENT_ROTATE && !st->skip.has_format;
    *in_head = first_rotate || header.type == EVENT_FORMAT || header.type == EVENT_PREVIOUS_GTIDS;
    if (*in_head && !first_rotate)
        st->skip.to += header.len;
    return 0;
}

/* The next event up to the place: 0; 1 when the place is reached. */
static int advance(struct source_stream *st, struct err *e)
{
    bool here = st->skip.at == st->skip.to, more = true;
    if (here && st->skip.gtids)
        return 1;
    int rc = st->event ? 0 : stream_read(st, e);
    if (rc == 0 && here)
        rc = widen_in_head(st, &more, e);
    if (rc != 0)
        return rc;
    return more ? stream_skip_event(st, e) : 1;
}

int stream_learn_place(struct source_stream *st, struct err *e)
{
    struct stream_skip *skip = &st->skip;
    int rc;
    while ((rc = advance(st, e)) == 0)
        if (stream_is_interrupted(st))
            return err_set(e, INTERRUPTED);
    if (rc < 0)
        return rc;
    if (skip->inside != SKIP_BETWEEN)
        return err_set_format(e, ERR_CORRUPT, "%s:%llu is inside a transaction", st->place.at.file,
                              (unsigned long long)skip->to);
    rc = add_gtid(skip, e);
    if (rc != 0)
        return rc;
    st->place.at.pos = skip->to;
    log_reader_seek(st->reader, skip->to);
    if (skip->gtids) {
        struct gtid_set *known = gtid_set_copy(skip->gtids);
        if (!known)
            return err_set(e, NO_MEMORY, (size_t)1);
        log_reader_learn(st->reader, known);
        gtid_set_free(st->place.gtids);
        st->place.gtids = skip->gtids;
        skip->gtids = NULL;
    }
    stream_skip_release(st);
    return 0;
}
