/* Builds a binlog in memory, event by event: what a server would have written, or what a hostile one would. */
#ifndef SLUICE_TESTS_EVENT_BUILDER_H
#define SLUICE_TESTS_EVENT_BUILDER_H

#include "base/buf.h"
#include "binlog/event.h"

struct event_builder {
    struct buf log; /* with the magic number in front */
    bool mariadb;
    bool crc;
    bool zero_pos;   /* log_pos 0 in every event */
    uint64_t skip;   /* added to every position: a log that is longer than what is kept */
    uint32_t second; /* header timestamp of the next event */
    uint16_t flags;  /* of the next event, then cleared */
    size_t last;     /* offset of the last event */
};

/* Magic number and FORMAT event. */
void event_builder_init(struct event_builder *b, bool mariadb, bool crc);
void event_builder_release(struct event_builder *b);

/* Any event from its body; header, position and checksum are made. */
void build_event(struct event_builder *b, uint8_t type, const void *body, size_t len);

void build_format(struct event_builder *b);
void build_gtid(struct event_builder *b, uint64_t number); /* of either flavour; in MySQL with 1000 µs */
void build_mariadb_gtid(struct event_builder *b, uint64_t number, uint8_t flags);
void build_query(struct event_builder *b, const char *db, const char *sql);
void build_xid(struct event_builder *b);
void build_rotate(struct event_builder *b, const char *file, uint64_t pos);
void build_heartbeat(struct event_builder *b, const char *file, uint32_t log_pos);

/* Table of a INT NOT NULL (the primary key), b VARCHAR(20) utf8mb4, with FULL metadata. */
void build_table_map(struct event_builder *b, uint64_t id, const char *db, const char *table);

/* The same as binlog_row_metadata=NO_LOG has it: types only. */
void build_bare_table_map(struct event_builder *b, uint64_t id, const char *db, const char *table);

/* One row (a, b); an update changes b to "new". b NULL: SQL NULL. */
void build_rows(struct event_builder *b, uint8_t type, uint64_t id, bool last, int32_t a, const char *text);

/* The n-th event, from 0; false behind the last. */
bool built_event(const struct event_builder *b, unsigned n, const uint8_t **event, size_t *len);

#endif
