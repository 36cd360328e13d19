/* Events at the head and the end of files, and those that exist in a stream only. */
#include "binlog/log_reader_private.h"

/* The log goes on elsewhere although a transaction is open: the server died inside it, and it is void. Of one that was
 * being prepared nothing was handed out, and nothing is now. */
int log_void(struct log_reader *reader, struct rowset *out)
{
    reader->state = TX_NONE;
    bool told = !reader->xa.preparing;
    log_xa_drop(reader);
    if (!told)
        return LOG_READER_MORE;
    log_rowset(reader, ROWSET_ROLLBACK, out);
    /* Its GTID was never committed: the server gives that number to the next transaction. */
    out->tx.gtid = (struct gtid){.flavor = out->tx.gtid.flavor};
    out->end = reader->boundary.at;
    return LOG_READER_AGAIN;
}

/* A relay log has the ROTATE and FORMAT events of its server among the events: they tell no place in this file. Inside
 * a transaction they say that the replica connected anew: what follows goes on, or begins the transaction again. */
static int relayed(struct log_reader *reader, const struct log_event *ev)
{
    if (reader->state == TX_OPEN)
        reader->reconnected = true;
    else
        table_cache_clear(&reader->tables);
    reader->at.pos = ev->end;
    return LOG_READER_NONE;
}

int log_rotate(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_rotate rotate;
    int rc = event_rotate_read(&rotate, ev->body, e);
    if (rc != 0)
        return rc;
    if (reader->relay && !(ev->header.flags & EVENT_FLAG_RELAY))
        return relayed(reader, ev);
    bool artificial = ev->header.flags & EVENT_FLAG_ARTIFICIAL || ev->header.timestamp == 0;
    bool same =
        strlen(reader->at.file) == rotate.file_len && memcmp(reader->at.file, rotate.file, rotate.file_len) == 0;
    if (artificial && same && reader->state != TX_NONE)
        return LOG_READER_NONE;
    if (reader->state == TX_OPEN && artificial)
        return log_void(reader, out);
    if (reader->state == TX_OPEN && reader->relay)
        return err_set(e, CORRUPT, "the relay log goes on in another file inside a transaction");
    if (reader->state == TX_OPEN)
        return err_set(e, CORRUPT, "the file ends inside a transaction");
    reader->state = TX_NONE;
    if (!artificial)
        reader->ended = true;
    /* A stream that was asked for a place inside the file begins with a ROTATE to it; one that was asked by GTID begins
     * with a ROTATE to the file's head, and so does every further file. */
    if (!same || rotate.pos > reader->at.pos || reader->at.pos < EVENT_FILE_MAGIC_LEN)
        reader->at.pos = rotate.pos;
    memcpy(reader->at.file, rotate.file, rotate.file_len);
    reader->at.file[rotate.file_len] = '\0';
    table_cache_clear(&reader->tables);
    return LOG_READER_NONE;
}

int log_format(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_format format;
    int rc = event_format_read(&format, ev->bytes, ev->len, e);
    if (rc != 0)
        return rc;
    bool first = reader->opt.whole_files && ev->begin == EVENT_FILE_MAGIC_LEN;
    if (first)
        reader->relay = ev->header.flags & EVENT_FLAG_RELAY;
    if (reader->relay && !first) {
        reader->format = format;
        return relayed(reader, ev);
    }
    bool head = ev->end != reader->at.pos; /* else it only tells the layout to a stream that begins inside the file */
    if (head && reader->state == TX_OPEN)
        return log_void(reader, out);
    if (head)
        reader->state = TX_NONE;
    reader->format = format;
    reader->has_format = true;
    reader->ended = false;
    table_cache_clear(&reader->tables);
    return LOG_READER_NONE;
}

void log_reader_learn(struct log_reader *reader, struct gtid_set *set)
{
    if (reader->boundary.gtids || reader->state != TX_NONE)
        gtid_set_free(set);
    else
        reader->boundary.gtids = set;
}

int log_previous_gtids(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    struct gtid_set *set = NULL;
    int rc = event_previous_gtids_read(&set, ev->body, e);
    if (rc == 0)
        log_reader_learn(reader, set);
    return rc;
}

int log_gtid_list(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    struct gtid_set *set = NULL;
    bool told = false;
    int rc = event_gtid_list_read(&set, &told, ev->body, e);
    if (rc != 0)
        return rc;
    if (told || ev->header.flags & EVENT_FLAG_ARTIFICIAL)
        gtid_set_free(set);
    else
        log_reader_learn(reader, set);
    return 0;
}

int log_heartbeat(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_heartbeat beat;
    int rc = event_heartbeat_read(&beat, ev->body, ev->header.type, e);
    if (rc != 0 || reader->state != TX_NONE)
        return rc;
    bool same = strlen(reader->at.file) == beat.file_len &&
                (beat.file_len == 0 || memcmp(reader->at.file, beat.file, beat.file_len) == 0);
    if (same && beat.file_len) {
        uint64_t pos = beat.has_pos ? beat.pos : filepos_event_end(reader->at.pos, 0, ev->header.log_pos);
        if (pos > reader->at.pos)
            reader->at.pos = pos;
        reader->boundary.at = reader->at;
    }
    log_rowset(reader, ROWSET_MARK, out);
    if (same && beat.file_len)
        out->end = reader->at;
    return LOG_READER_ROWSET;
}
