/* Event by event: header, checksum, position, then the handler of its type. */
#include "binlog/log_reader_private.h"

#include "base/hash.h"

#define SCRATCH_CHUNK ((size_t)4096)
#define SCRATCH_KEEP  ((size_t)65536)

int log_reader_new(struct log_reader **out, const struct log_reader_options *opt, struct err *e)
{
    struct log_reader *reader = (struct log_reader *)calloc(1, sizeof *reader);
    if (!reader)
        return err_set(e, NO_MEMORY, sizeof *reader);
    reader->opt = *opt;
    if (reader->opt.max_event_bytes == 0)
        reader->opt.max_event_bytes = EVENT_BYTES_MAX;
    position_init(&reader->boundary);
    table_cache_init(&reader->tables);
    payload_init(&reader->payload);
    log_plain_init(&reader->plain);
    arena_init(&reader->scratch, SCRATCH_CHUNK, SCRATCH_KEEP, 0);
    buf_init(&reader->query_text, 0);
    reader->format.mariadb = opt->flavor == FLAVOR_MARIADB;
    reader->spool = opt->spool;
    reader->owns_spool = !opt->spool;
    const struct spool_options spool = {.state = NULL};
    int rc = opt->spool ? 0 : spool_new(&reader->spool, &spool, e);
    if (rc != 0) {
        free(reader);
        return rc;
    }
    *out = reader;
    return 0;
}

void log_reader_free(struct log_reader *reader)
{
    if (!reader)
        return;
    position_release(&reader->boundary);
    table_cache_release(&reader->tables);
    payload_release(&reader->payload);
    buf_release(&reader->query_text);
    log_plain_release(&reader->plain);
    arena_release(&reader->scratch);
    if (reader->owns_spool)
        spool_free(reader->spool);
    free(reader);
}

int log_reader_start(struct log_reader *reader, const struct position *at, struct err *e)
{
    int rc = position_copy(&reader->boundary, at, e);
    if (rc != 0)
        return rc;
    reader->at = at->at;
    reader->state = TX_NONE;
    reader->has_format = false;
    reader->ended = false;
    reader->scanning = false;
    payload_close(&reader->payload);
    log_xa_drop(reader);
    table_cache_clear(&reader->tables);
    const char *uuid = reader->opt.server_uuid ? reader->opt.server_uuid : "";
    snprintf(reader->server_uuid, sizeof reader->server_uuid, "%s", at->server_uuid[0] ? at->server_uuid : uuid);
    return 0;
}

void log_reader_seek(struct log_reader *reader, uint64_t pos)
{
    reader->at.pos = pos;
    reader->boundary.at = reader->at;
}

void log_where(const struct log_reader *reader, const struct log_event *ev, struct history_where *out)
{
    *out =
        (struct history_where){.server_uuid = reader->server_uuid, .at = reader->at, .gtids = reader->boundary.gtids};
    out->at.pos = ev->begin;
    if (reader->state != TX_NONE)
        out->gtid = reader->tx.gtid;
}

void log_rowset(const struct log_reader *reader, enum rowset_kind kind, struct rowset *out)
{
    memset(out, 0, offsetof(struct rowset, note));
    err_clear(&out->note);
    out->kind = kind;
    out->tx = reader->tx;
    out->server_uuid = reader->server_uuid;
}

void log_tx_begin(struct log_reader *reader, const struct log_event *ev)
{
    memcpy(reader->begin_file, reader->at.file, sizeof reader->begin_file);
    reader->tx = (struct tx){.file = reader->begin_file,
                             .pos = ev->begin,
                             .commit_us = (int64_t)ev->header.timestamp * 1000000,
                             .server_id = ev->header.server_id};
    reader->ordinal = 0;
    reader->has_query = false;
    reader->no_effect = false;
    reader->reconnected = false;
}

int log_tx_end(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    struct position *boundary = &reader->boundary;
    if (boundary->gtids && gtid_is_set(&reader->tx.gtid)) {
        int rc = gtid_set_add(boundary->gtids, &reader->tx.gtid, e);
        if (rc != 0)
            return rc;
    } else if (boundary->gtids && gtid_set_is_empty(boundary->gtids)) {
        gtid_set_free(boundary->gtids); /* the server numbers nothing: an empty set would mean "from the beginning" */
        boundary->gtids = NULL;
    }
    boundary->at = reader->at;
    boundary->at.pos = ev->end;
    boundary->commit_us = reader->tx.commit_us;
    reader->state = TX_NONE;
    return 0;
}

/* A GTID event begins a transaction; in MariaDB it stands for BEGIN, too. */
static int gtid(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_gtid mysql = {0};
    struct event_mariadb_gtid mariadb = {0};
    bool maria = ev->header.type == EVENT_MARIADB_GTID;
    int rc = maria ? event_mariadb_gtid_read(&mariadb, ev->body, ev->header.server_id, e)
                   : event_gtid_read(&mysql, ev->body, ev->header.type, e);
    if (rc != 0)
        return rc;
    if (reader->state == TX_OPEN && reader->reconnected)
        return log_void(reader, out);
    if (reader->state == TX_OPEN)
        return err_set(e, CORRUPT, "a transaction begins inside another");
    log_tx_begin(reader, ev);
    reader->tx.gtid = maria ? mariadb.gtid : mysql.gtid;
    reader->no_effect = mariadb.extra & (MARIADB_GTID_START_ALTER | MARIADB_GTID_ROLLBACK_ALTER);
    if (mysql.immediate_us) {
        reader->tx.commit_us = mysql.immediate_us;
        reader->tx.origin_us = mysql.original_us;
        reader->tx.commit_in_us = true;
    }
    bool begins = maria && !(mariadb.flags & (MARIADB_GTID_STANDALONE | MARIADB_GTID_COMPLETED_XA));
    reader->state = TX_NAMED;
    if (begins && mariadb.flags & MARIADB_GTID_PREPARED_XA)
        return log_xa_begin(reader, ev, e);
    reader->state = begins ? TX_OPEN : TX_NAMED;
    if (!begins)
        return LOG_READER_NONE;
    log_rowset(reader, ROWSET_BEGIN, out);
    return LOG_READER_ROWSET;
}

static int xid(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    uint64_t number;
    int rc = event_xid_read(&number, ev->body, e);
    if (rc != 0)
        return rc;
    if (reader->state != TX_OPEN)
        return err_set(e, CORRUPT, "a commit outside a transaction: the start position is not a boundary");
    if (reader->xa.preparing)
        return log_xa_one_phase(reader, ev, out, e);
    log_rowset(reader, ROWSET_END, out);
    out->tx.xid = number;
    out->tx.has_xid = true;
    rc = log_tx_end(reader, ev, e);
    out->end = reader->boundary.at;
    return rc == 0 ? LOG_READER_ROWSET : rc;
}

static int incident(const struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_incident said;
    int rc = event_incident_read(&said, ev->body, e);
    if (rc != 0 || said.number == 0)
        return rc;
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)said.message_len, said.message);
    if (reader->opt.on_statement == ON_STATEMENT_STOP)
        return err_set(e, INCIDENT, text);
    log_rowset(reader, ROWSET_NOTE, out);
    (void)err_set(&out->note, INCIDENT, text);
    return LOG_READER_ROWSET;
}

static int encrypted(const struct log_reader *reader, struct err *e)
{
    return reader->opt.whole_files ? err_set(e, FILE_ENCRYPTED, reader->at.file) : 0;
}

static int stop(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    int rc = event_stop_read(ev->body, e);
    if (rc == 0)
        reader->ended = true;
    return rc;
}

/* Where a text of more than `max` bytes is cut: not inside a character, when it is UTF-8. */
static size_t cut_text(const char *text, size_t max)
{
    size_t len = max;
    while (len > 0 && max - len < 4 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len > 0 && ((unsigned char)text[len] & 0xc0) != 0x80 ? len : max;
}

/* The statement whose rows follow: kept up to the statement's end. */
static int annotation(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    const char *text;
    size_t len, max = reader->opt.query_max_bytes;
    int rc = event_annotate_read(&text, &len, ev->body, ev->header.type, e);
    if (rc != 0 || max == 0)
        return rc;
    reader->has_query = len > 0;
    reader->query.whole_bytes = len;
    reader->query.len = len > max ? cut_text(text, max) : len;
    buf_clear(&reader->query_text);
    buf_add(&reader->query_text, text, reader->query.len);
    if (reader->query_text.failed)
        return err_set(e, NO_MEMORY, reader->query.len);
    reader->query.text = (const char *)reader->query_text.p;
    return 0;
}

/* Types whose content says nothing about rows; what has a reader is checked all the same. */
static int pass(const struct log_event *ev, struct err *e)
{
    switch (ev->header.type) {
    case EVENT_INTVAR:
        return event_intvar_read(ev->body, e);
    case EVENT_RAND:
        return event_rand_read(ev->body, e);
    case EVENT_USER_VAR:
        return event_user_var_read(ev->body, e);
    default:
        return 0;
    }
}

int log_dispatch(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    const struct event_row *row = event_row(ev->header.type);
    if (!row && ev->header.flags & EVENT_FLAG_IGNORABLE)
        return LOG_READER_NONE;
    if (!row || row->use == EVENT_STOPS)
        return err_set(e, EVENT_UNKNOWN, (unsigned)ev->header.type, row ? row->name : "unknown");
    if (reader->scanning && log_scan_passes(ev->header.type))
        return LOG_READER_NONE;
    if (reader->xa.emitting)
        return log_xa_emit(reader, ev, out, e);
    if (reader->xa.preparing && log_xa_holds(ev->header.type))
        return log_xa_hold(reader, ev, e);
    switch (ev->header.type) {
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
    case EVENT_PARTIAL_UPDATE_ROWS:
        return log_rows(reader, ev, out, e);
    case EVENT_TABLE_MAP:
        return table_cache_map(&reader->tables, ev->body, &reader->format, reader->opt.interest, e);
    case EVENT_QUERY:
        return log_query(reader, ev, out, e);
    case EVENT_EXECUTE_LOAD_QUERY:
        return log_statement(reader, "LOAD DATA", strlen("LOAD DATA"), out, e);
    case EVENT_TRANSACTION_PAYLOAD:
        return log_payload(reader, ev, out, e);
    case EVENT_QUERY_COMPRESSED:
    case EVENT_WRITE_ROWS_COMPRESSED_V1:
    case EVENT_UPDATE_ROWS_COMPRESSED_V1:
    case EVENT_DELETE_ROWS_COMPRESSED_V1:
    case EVENT_WRITE_ROWS_COMPRESSED:
    case EVENT_UPDATE_ROWS_COMPRESSED:
    case EVENT_DELETE_ROWS_COMPRESSED:
        return log_compressed(reader, ev, out, e);
    case EVENT_XA_PREPARE:
        return log_xa_prepare(reader, ev, out, e);
    case EVENT_XID:
        return xid(reader, ev, out, e);
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
    case EVENT_GTID_TAGGED:
    case EVENT_MARIADB_GTID:
        return gtid(reader, ev, out, e);
    case EVENT_ROTATE:
        return log_rotate(reader, ev, out, e);
    case EVENT_FORMAT:
        return log_format(reader, ev, out, e);
    case EVENT_PREVIOUS_GTIDS:
        return log_previous_gtids(reader, ev, e);
    case EVENT_GTID_LIST:
        return log_gtid_list(reader, ev, e);
    case EVENT_HEARTBEAT:
    case EVENT_HEARTBEAT_V2:
        return log_heartbeat(reader, ev, out, e);
    case EVENT_ANNOTATE:
    case EVENT_ROWS_QUERY:
        return annotation(reader, ev, e);
    case EVENT_INCIDENT:
        return incident(reader, ev, out, e);
    case EVENT_START_ENCRYPTION:
        return encrypted(reader, e);
    case EVENT_STOP:
        return stop(reader, ev, e);
    default:
        return pass(ev, e);
    }
}

/* Whether the event ends with a checksum. A ROTATE may come before the FORMAT event that would say so, or between the
 * files of two settings: its own bytes decide. */
static int checksum(const struct log_reader *reader, const struct log_event *ev, size_t *trailer, struct err *e)
{
    struct err mismatch = ERR_INIT;
    bool again = reader->payload.open || reader->xa.emitting; /* and was verified */
    bool known = reader->has_format && ev->header.type != EVENT_FORMAT;
    bool has = known && reader->format.checksum == CHECKSUM_CRC32, floating = ev->header.type == EVENT_ROTATE;
    if (ev->header.type == EVENT_FORMAT)
        has = event_format_checksum(ev->bytes, ev->len) == CHECKSUM_CRC32;
    if (floating && (!has || ev->header.flags & EVENT_FLAG_ARTIFICIAL))
        has = event_checksum_verify(ev->bytes, ev->len, &mismatch) == 0;
    else if (has && !again && !reader->opt.skip_checksums) {
        int rc = event_checksum_verify(ev->bytes, ev->len, e);
        if (rc != 0)
            return rc;
    }
    *trailer = has ? EVENT_CHECKSUM_LEN : 0;
    return 0;
}

/* Events that are not in the file do not move the position. Inside a transaction log_pos may be 0 all the same. */
static bool in_file(const struct log_reader *reader, const struct event_header *header)
{
    if (header->flags & EVENT_FLAG_ARTIFICIAL || header->type == EVENT_HEARTBEAT || header->type == EVENT_HEARTBEAT_V2)
        return false;
    return header->log_pos != 0 || reader->state != TX_NONE;
}

static int open_event(const struct log_reader *reader, const uint8_t *bytes, size_t len, struct log_event *ev,
                      struct err *e)
{
    ev->bytes = bytes;
    ev->len = len;
    ev->begin = ev->end = reader->at.pos;
    int rc = event_header_read(&ev->header, bytes, len, reader->opt.max_event_bytes, e);
    if (rc != 0)
        return rc;
    if (ev->header.len != len)
        return err_set(e, CORRUPT, "the event's header says another length than came");
    size_t trailer = 0;
    rc = checksum(reader, ev, &trailer, e);
    if (rc != 0)
        return rc;
    if (len < EVENT_HEADER_LEN + trailer)
        return err_set(e, CORRUPT, "event too short for its checksum");
    ev->body = cursor_over(bytes + EVENT_HEADER_LEN, len - EVENT_HEADER_LEN - trailer);
    if (reader->opt.whole_files) {
        ev->end = ev->begin + len;
    } else if (in_file(reader, &ev->header)) {
        ev->end = filepos_event_end(reader->at.pos, ev->header.len, ev->header.log_pos);
        ev->begin = ev->end - len;
    }
    bool early = ev->header.type == EVENT_FORMAT || ev->header.type == EVENT_ROTATE ||
                 ev->header.type == EVENT_HEARTBEAT || ev->header.type == EVENT_HEARTBEAT_V2 ||
                 ev->header.type == EVENT_START_V3;
    if (!reader->has_format && !early)
        return err_set(e, CORRUPT, "an event before the FORMAT_DESCRIPTION event");
    return 0;
}

int log_reader_feed(struct log_reader *reader, const uint8_t *event, size_t len, struct rowset *out, struct err *e)
{
    struct log_event ev;
    arena_reset(&reader->scratch);
    reader->followed = (struct schema_followed){.note = NULL};
    payload_trim(&reader->payload);
    log_plain_trim(&reader->plain);
    int rc = open_event(reader, event, len, &ev, e);
    if (rc == 0)
        rc = log_dispatch(reader, &ev, out, e);
    if (rc < 0) {
        err_wrap(e, "%s:%llu", reader->at.file, (unsigned long long)ev.begin);
        return rc;
    }
    if (rc == LOG_READER_AGAIN || rc == LOG_READER_MORE)
        return rc;
    if (ev.header.type != EVENT_ROTATE && ev.end > reader->at.pos)
        reader->at.pos = ev.end;
    if (reader->state == TX_NONE)
        reader->boundary.at = reader->at;
    return rc;
}

int log_reader_abandon(struct log_reader *reader, struct rowset *out)
{
    if (reader->state != TX_OPEN)
        return 0;
    reader->state = TX_NONE;
    bool told = !reader->xa.preparing;
    log_xa_drop(reader);
    if (!told)
        return 0;
    log_rowset(reader, ROWSET_ROLLBACK, out);
    out->tx.gtid = (struct gtid){.flavor = out->tx.gtid.flavor};
    out->end = reader->boundary.at;
    return 1;
}

int log_reader_refresh(struct log_reader *reader, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < reader->followed.unknown_count && rc == 0; i++)
        rc = schema_refresh(reader->opt.schema, reader->followed.unknown[i].db, reader->followed.unknown[i].name, e);
    return rc;
}

const struct position *log_reader_boundary(const struct log_reader *reader)
{
    return &reader->boundary;
}

const struct filepos *log_reader_at(const struct log_reader *reader)
{
    return &reader->at;
}

bool log_reader_in_transaction(const struct log_reader *reader)
{
    return reader->state == TX_OPEN;
}

bool log_reader_file_ended(const struct log_reader *reader)
{
    return reader->ended;
}

const struct event_format *log_reader_format(const struct log_reader *reader)
{
    return reader->has_format ? &reader->format : NULL;
}
