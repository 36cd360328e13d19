/* Reading the log for its DDL only: what is passed over on the way. */
#include "binlog/log_reader_private.h"

void log_reader_scan(struct log_reader *reader, bool on)
{
    reader->scanning = on;
}

bool log_scan_passes(uint8_t type)
{
    switch (type) {
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
    case EVENT_PARTIAL_UPDATE_ROWS:
    case EVENT_WRITE_ROWS_COMPRESSED_V1:
    case EVENT_UPDATE_ROWS_COMPRESSED_V1:
    case EVENT_DELETE_ROWS_COMPRESSED_V1:
    case EVENT_WRITE_ROWS_COMPRESSED:
    case EVENT_UPDATE_ROWS_COMPRESSED:
    case EVENT_DELETE_ROWS_COMPRESSED:
    case EVENT_TABLE_MAP:
    case EVENT_ANNOTATE:
    case EVENT_ROWS_QUERY:
    case EVENT_EXECUTE_LOAD_QUERY:
    case EVENT_INCIDENT:
        return true;
    default:
        return false;
    }
}
