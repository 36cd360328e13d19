/* How a dump begins on a server, after a loss too: by GTID set or by file, and what to do about transactions that were
 * read already and that the server does not have. */
#include "binlog/stream_private.h"

#define TEXT_CAP      ((size_t)256 << 20)
#define SURPLUS_SHOWN 200 /* bytes of a set in a message */

/* One word of a comma-separated list; NULL at its end. */
static const char *next_word(const char **list, size_t *len)
{
    while (**list == ',' || **list == ' ' || **list == '\n')
        (*list)++;
    const char *word = *list;
    *len = strcspn(word, ", \n");
    *list += *len;
    return *len ? word : NULL;
}

/* What a MariaDB server knows, as text: the last GTID of each domain and server in its log, and its own position. */
struct mariadb_state {
    struct buf in_log;   /* gtid_binlog_state */
    struct buf position; /* gtid_current_pos */
    struct buf end;      /* gtid_binlog_pos: one per domain */
};

static void state_release(struct mariadb_state *state)
{
    buf_release(&state->in_log);
    buf_release(&state->position);
    buf_release(&state->end);
}

static int state_read(struct client *cli, struct mariadb_state *state, struct err *e)
{
    buf_init(&state->in_log, TEXT_CAP);
    buf_init(&state->position, TEXT_CAP);
    buf_init(&state->end, TEXT_CAP);
    int rc = stream_ask(cli, "SELECT @@global.gtid_binlog_state", &state->in_log, e);
    if (rc == 0)
        rc = stream_ask(cli, "SELECT @@global.gtid_current_pos", &state->position, e);
    if (rc == 0)
        rc = stream_ask(cli, "SELECT @@global.gtid_binlog_pos", &state->end, e);
    buf_byte(&state->in_log, 0);
    buf_byte(&state->position, 0);
    buf_byte(&state->end, 0);
    if (rc == 0 && (state->in_log.failed || state->position.failed || state->end.failed))
        rc = err_set(e, NO_MEMORY, (size_t)1);
    return rc;
}

/* The list's GTID of the same domain (and, with `same_server`, server) as `like`; number 0: none. */
static struct gtid find_in(const struct buf *list, const struct gtid *like, bool same_server)
{
    const char *p = (const char *)list->p, *word;
    size_t len;
    struct gtid none = {.flavor = FLAVOR_MARIADB};
    while ((word = next_word(&p, &len)) != NULL) {
        struct gtid found;
        if (gtid_parse(&found, FLAVOR_MARIADB, word, len, NULL) == 0 && found.domain == like->domain &&
            (!same_server || found.server == like->server))
            return found;
    }
    return none;
}

static bool state_has(const struct mariadb_state *state, const struct gtid *gtid)
{
    struct gtid in_log = find_in(&state->in_log, gtid, true), own = find_in(&state->position, gtid, false);
    return in_log.number >= gtid->number || gtid_equal(&own, gtid);
}

/* Splits our position into what the server has and what it lacks; `kept` has in place of the latter the nearest GTID
 * before that the server can start from. */
static int mariadb_split(struct client *cli, const struct gtid_set *ours, struct gtid_set *kept, struct gtid_set *lost,
                         struct err *e)
{
    struct mariadb_state state;
    struct buf text;
    buf_init(&text, TEXT_CAP);
    gtid_set_print(ours, &text);
    buf_byte(&text, 0);
    int rc = state_read(cli, &state, e);
    const char *p = text.failed ? "" : (const char *)text.p, *word;
    size_t len;
    while (rc == 0 && (word = next_word(&p, &len)) != NULL) {
        struct gtid gtid;
        rc = gtid_parse(&gtid, FLAVOR_MARIADB, word, len, e);
        if (rc != 0)
            break;
        if (!state_has(&state, &gtid)) {
            rc = gtid_set_add(lost, &gtid, e);
            struct gtid before = find_in(&state.in_log, &gtid, true);
            gtid = gtid_is_set(&before) ? before : find_in(&state.end, &gtid, false);
        }
        if (rc == 0 && gtid_is_set(&gtid))
            rc = gtid_set_add(kept, &gtid, e);
    }
    state_release(&state);
    buf_release(&text);
    return rc;
}

static int mysql_split(struct client *cli, struct gtid_set *kept, struct gtid_set *lost, struct err *e)
{
    struct gtid_set *executed = NULL;
    int rc = stream_ask_gtids(cli, "SELECT @@global.gtid_executed", &executed, e);
    if (rc == 0)
        rc = gtid_set_subtract(lost, executed, e);
    if (rc == 0)
        rc = gtid_set_intersect(kept, executed, e);
    gtid_set_free(executed);
    return rc;
}

/* The server lacks `lost`, or `reason`. 0: go on without. */
static int judge_surplus(struct source_stream *st, const struct gtid_set *lost, const char *reason, struct err *e)
{
    char name[300], shown[SURPLUS_SHOWN + 4];
    struct buf text;
    buf_init(&text, TEXT_CAP);
    gtid_set_print(lost, &text);
    buf_byte(&text, 0);
    const char *full = reason[0] || text.failed ? reason : (const char *)text.p;
    snprintf(shown, sizeof shown, "%.*s%s", SURPLUS_SHOWN, full, strlen(full) > SURPLUS_SHOWN ? "…" : "");
    buf_release(&text);
    stream_host_name(st, name);
    bool other = strcmp(st->place.server_uuid, client_server(st->cli)->uuid) != 0;
    int64_t waited_us = st->lost_us ? env_mono_us(st->opt.env) - st->lost_us : INT64_MAX;
    if (other && waited_us < (int64_t)st->opt.lost_grace_ms * 1000)
        return err_set_format(e, ERR_CONNECT, "%s lacks %s, which was already read; it may still catch up", name,
                              shown);
    if (!st->opt.on_lost_continue)
        return err_set(e, GTID_SURPLUS, name, shown);
    stream_note(st, ERR_GTID_SURPLUS, "%s lacks %s, which was already read: going on without (on_lost_transactions)",
                name, shown);
    return 0;
}

/* What the server has of `ours`, and what it lacks. */
static int split(struct source_stream *st, const struct gtid_set *ours, struct gtid_set **kept, struct gtid_set **lost,
                 struct err *e)
{
    bool mysql = client_server(st->cli)->flavor == FLAVOR_MYSQL;
    *kept = mysql ? gtid_set_copy(ours) : gtid_set_new(FLAVOR_MARIADB);
    *lost = mysql ? gtid_set_copy(ours) : gtid_set_new(FLAVOR_MARIADB);
    if (!*kept || !*lost)
        return err_set(e, NO_MEMORY, (size_t)1);
    return mysql ? mysql_split(st->cli, *kept, *lost, e) : mariadb_split(st->cli, ours, *kept, *lost, e);
}

/* Of another log the server has none of ours; it is read from its begin. */
static int keep_nothing(struct source_stream *st, const struct gtid_set *ours, struct gtid_set **kept,
                        struct gtid_set **lost, struct err *e)
{
    gtid_set_free(*kept);
    gtid_set_free(*lost);
    *kept = NULL;
    *lost = gtid_set_copy(ours);
    if (client_server(st->cli)->flavor == FLAVOR_MYSQL)
        return *lost ? stream_ask_gtids(st->cli, "SELECT @@global.gtid_purged", kept, e)
                     : err_set(e, NO_MEMORY, (size_t)1);
    *kept = gtid_set_new(FLAVOR_MARIADB);
    return *kept && *lost ? 0 : err_set(e, NO_MEMORY, (size_t)1);
}

/* The place is reduced to `kept`; `lost` will be told with the note. Takes both. */
static int go_on_without(struct source_stream *st, struct gtid_set *kept, struct gtid_set *lost, struct err *e)
{
    gtid_set_free(st->place.gtids);
    st->place.gtids = kept;
    st->place.at = (struct filepos){.pos = 0};
    st->log_is_new = false;
    int rc = st->lost && !st->lost_told ? gtid_set_union(lost, st->lost, e) : 0;
    gtid_set_free(st->lost);
    st->lost = lost;
    st->lost_told = false;
    const struct history_where here = {.gtids = kept};
    return rc == 0 ? history_cut(st->history, &here, e) : rc;
}

static int check_surplus(struct source_stream *st, struct err *e)
{
    struct gtid_set *kept = NULL, *lost = NULL;
    char reason[200] = "";
    int rc = split(st, st->place.gtids, &kept, &lost, e);
    if (rc == 0 && (st->log_is_new || gtid_set_is_empty(lost))) {
        rc = stream_check_log(st, reason, e);
        if (rc == 0 && reason[0])
            rc = keep_nothing(st, st->place.gtids, &kept, &lost, e);
    }
    if (rc == 0 && (reason[0] || !gtid_set_is_empty(lost))) {
        rc = judge_surplus(st, lost, reason, e);
        if (rc == 0)
            return go_on_without(st, kept, lost, e);
    }
    gtid_set_free(kept);
    gtid_set_free(lost);
    return rc;
}

/* An empty MariaDB position would mean "from the oldest file", which is only right when nothing has been read. */
static bool gtids_usable(const struct source_stream *st, bool same, const struct client_server *server)
{
    const struct gtid_set *gtids = st->place.gtids;
    if (!gtids || gtid_set_flavor(gtids) != server->flavor || !server->gtid_on)
        return false;
    if (same && st->place.at.file[0] && st->prefer_file)
        return false;
    return server->flavor == FLAVOR_MYSQL || !gtid_set_is_empty(gtids) || st->place.at.file[0] == '\0';
}

int stream_choose(struct source_stream *st, struct stream_begin *out, struct err *e)
{
    const struct client_server *server = client_server(st->cli);
    struct stream_begin begin = {.by_gtid = false};
    bool same = strcmp(st->place.server_uuid, server->uuid) == 0;
    if (gtids_usable(st, same, server)) {
        begin.by_gtid = true;
        int rc = check_surplus(st, e);
        if (rc != 0)
            return rc;
        *out = begin;
        return 0;
    }
    if (!same || st->place.at.file[0] == '\0')
        return err_set_format(e, ERR_GTID_UNKNOWN,
                              "the place is known by file and offset of server %s only, and this is server %s",
                              st->place.server_uuid[0] ? st->place.server_uuid : "(unknown)", server->uuid);
    if (st->log_is_new) {
        char name[300];
        return err_set(e, GTID_SURPLUS, stream_host_name(st, name), "its log was begun anew, and gives no GTIDs");
    }
    begin.at = st->place.at;
    begin.learn = server->flavor == FLAVOR_MYSQL && server->gtid_on && !st->place.gtids && !st->cannot_learn;
    if (begin.at.pos > UINT32_MAX || begin.learn) {
        begin.skip_to = begin.at.pos;
        begin.at.pos = EVENT_FILE_MAGIC_LEN;
    }
    *out = begin;
    return 0;
}
