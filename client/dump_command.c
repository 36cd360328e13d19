/* The bytes and the session statements of a binlog dump. */
#include "client/dump_command.h"

#include <inttypes.h>
#include <stdio.h>

/* From this version on a GTID set with tags has a wire form. */
#define MYSQL_TAGS_SINCE 80300
/* Seconds that the server waits for us to take bytes: back-pressure must not cut the connection. */
#define NET_WRITE_TIMEOUT_S 3600
#define SET_BYTES_MAX       ((size_t)256 << 20)

/* The plain form when the set has no tags (every server reads it), else the tagged one. */
static int encode_gtids(const struct gtid_set *set, unsigned version, struct buf *out, struct err *e)
{
    struct err plain = ERR_INIT;
    if (gtid_set_encode(set, false, out, &plain) != 0) {
        if (version < MYSQL_TAGS_SINCE)
            return err_set_format(e, plain.code, "%s", plain.text);
        buf_clear(out);
        int rc = gtid_set_encode(set, true, out, e);
        if (rc != 0)
            return rc;
    }
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}

int dump_command_init(struct dump_command *cmd, const struct client_server *server, const struct client_dump *dump,
                      struct err *e)
{
    struct dump_command made = {.code = DUMP_COMMAND_BY_FILE, .server_id = dump->server_id, .file = "", .pos = 4};
    buf_init(&made.gtids, SET_BYTES_MAX);
    if (dump->annotations && server->flavor == FLAVOR_MARIADB)
        made.flags = DUMP_COMMAND_ANNOTATIONS;
    if (dump->gtids) {
        if (gtid_set_flavor(dump->gtids) != server->flavor)
            return err_set(e, BUG, "a dump with a GTID set of the other flavour");
        if (server->flavor == FLAVOR_MYSQL) {
            made.code = DUMP_COMMAND_BY_GTID;
            int rc = encode_gtids(dump->gtids, server->version, &made.gtids, e);
            if (rc != 0) {
                buf_release(&made.gtids);
                return rc;
            }
        }
    } else {
        if (!dump->at || dump->at->file[0] == '\0' || dump->at->pos > UINT32_MAX)
            return err_set(e, BUG, "a dump needs a file and a position of 4 bytes, or a GTID set");
        made.file = dump->at->file;
        made.pos = dump->at->pos < 4 ? 4 : (uint32_t)dump->at->pos;
    }
    *cmd = made;
    return 0;
}

static void add_le(struct buf *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(value >> (8 * i)));
}

void dump_command_encode(const struct dump_command *cmd, struct buf *out)
{
    size_t name_len = strlen(cmd->file);
    if (cmd->code == DUMP_COMMAND_BY_FILE) {
        add_le(out, cmd->pos, 4);
        add_le(out, cmd->flags, 2);
        add_le(out, cmd->server_id, 4);
        buf_add(out, cmd->file, name_len);
        return;
    }
    add_le(out, cmd->flags, 2);
    add_le(out, cmd->server_id, 4);
    add_le(out, name_len, 4);
    buf_add(out, cmd->file, name_len);
    add_le(out, cmd->pos, 8);
    add_le(out, cmd->gtids.len, 4);
    buf_add(out, cmd->gtids.p, cmd->gtids.len);
}

bool dump_command_session(unsigned n, const struct client_server *server, const struct client_dump *dump,
                          struct buf *out)
{
    bool mariadb = server->flavor == FLAVOR_MARIADB;
    uint64_t period_ns = (uint64_t)dump->heartbeat_ms * 1000000;
    switch (n) {
    case 0:
        buf_printf(out, "SET SESSION net_write_timeout=%d", NET_WRITE_TIMEOUT_S);
        break;
    case 1:
        buf_text(out, "SET @master_binlog_checksum=@@global.binlog_checksum");
        if (!mariadb)
            buf_text(out, ", @source_binlog_checksum=@@global.binlog_checksum");
        break;
    case 2:
        buf_printf(out, "SET @master_heartbeat_period=%" PRIu64, period_ns);
        if (!mariadb)
            buf_printf(out, ", @source_heartbeat_period=%" PRIu64, period_ns);
        break;
    case 3:
        buf_text(out, "SET @slave_uuid=");
        client_quote_text(dump->replica_uuid, out);
        buf_text(out, ", @replica_uuid=");
        client_quote_text(dump->replica_uuid, out);
        break;
    case 4:
        if (!mariadb)
            return false;
        buf_text(out, "SET @mariadb_slave_capability=4");
        break;
    case 5:
        if (!mariadb || !dump->gtids)
            return false;
        buf_text(out, "SET @slave_connect_state='");
        gtid_set_print(dump->gtids, out); /* digits, hyphens and commas: nothing to escape */
        buf_text(out, "', @slave_gtid_strict_mode=0, @slave_gtid_ignore_duplicates=0");
        break;
    default:
        return false;
    }
    buf_byte(out, 0);
    return true;
}
