/* One switch over all readers. */
#include "tools/event_any.h"

#include <stdlib.h>

#include "schema/schema.h"

static int read_table_map(struct cursor body, const struct event_format *format, struct err *e)
{
    struct wire_table wire;
    struct schema *schema;
    const struct shape *shape;
    const struct history_where at = {.at = {.pos = 4}};
    int rc = event_table_map_read(&wire, body, format, e);
    if (rc != 0 || schema_new(&schema, NULL, e) != 0)
        return rc;
    rc = schema_resolve(schema, &wire, &at, &shape, e);
    schema_free(schema);
    return rc;
}

static int read_gtids(uint8_t type, struct cursor body, struct err *e)
{
    struct gtid_set *set = NULL;
    bool told;
    int rc =
        type == EVENT_GTID_LIST ? event_gtid_list_read(&set, &told, body, e) : event_previous_gtids_read(&set, body, e);
    gtid_set_free(set);
    return rc;
}

int event_any_read(uint8_t type, const uint8_t *bytes, size_t len, const struct event_format *format, struct err *e)
{
    struct cursor body = cursor_over(bytes, len);
    union {
        struct event_rotate rotate;
        struct event_query query;
        struct event_gtid gtid;
        struct event_mariadb_gtid mariadb;
        struct event_rows rows;
        struct event_heartbeat heartbeat;
        struct event_incident incident;
        struct event_payload payload;
        struct event_xa_prepare prepare;
        struct event_compressed compressed;
        uint64_t xid;
    } out;
    const char *text;
    size_t text_len;
    switch (type) {
    case EVENT_ROTATE:
        return event_rotate_read(&out.rotate, body, e);
    case EVENT_QUERY:
        return event_query_read(&out.query, body, e);
    case EVENT_XID:
        return event_xid_read(&out.xid, body, e);
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
    case EVENT_GTID_TAGGED:
        return event_gtid_read(&out.gtid, body, type, e);
    case EVENT_MARIADB_GTID:
        return event_mariadb_gtid_read(&out.mariadb, body, 7, e);
    case EVENT_GTID_LIST:
    case EVENT_PREVIOUS_GTIDS:
        return read_gtids(type, body, e);
    case EVENT_ANNOTATE:
    case EVENT_ROWS_QUERY:
        return event_annotate_read(&text, &text_len, body, type, e);
    case EVENT_TABLE_MAP:
        return read_table_map(body, format, e);
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
    case EVENT_PARTIAL_UPDATE_ROWS:
        return event_rows_read(&out.rows, body, type, format, e);
    case EVENT_HEARTBEAT:
    case EVENT_HEARTBEAT_V2:
        return event_heartbeat_read(&out.heartbeat, body, type, e);
    case EVENT_TRANSACTION_PAYLOAD:
        return event_payload_read(&out.payload, body, e);
    case EVENT_QUERY_COMPRESSED:
    case EVENT_WRITE_ROWS_COMPRESSED_V1:
    case EVENT_UPDATE_ROWS_COMPRESSED_V1:
    case EVENT_DELETE_ROWS_COMPRESSED_V1:
    case EVENT_WRITE_ROWS_COMPRESSED:
    case EVENT_UPDATE_ROWS_COMPRESSED:
    case EVENT_DELETE_ROWS_COMPRESSED:
        return event_compressed_read(&out.compressed, body, type, format, e);
    case EVENT_XA_PREPARE:
        return event_xa_prepare_read(&out.prepare, body, e);
    case EVENT_INCIDENT:
        return event_incident_read(&out.incident, body, e);
    case EVENT_STOP:
        return event_stop_read(body, e);
    case EVENT_INTVAR:
        return event_intvar_read(body, e);
    case EVENT_RAND:
        return event_rand_read(body, e);
    case EVENT_USER_VAR:
        return event_user_var_read(body, e);
    default:
        return 0;
    }
}
