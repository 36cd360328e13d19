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
static int mariadb_split(struct client *cli, const struct gtid_set *ours, struct gtid_set *kept, struct buf *surplus,
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
            if (surplus->len)
                buf_byte(surplus, ',');
            buf_add(surplus, word, len);
            struct gtid before = find_in(&state.in_log, &gtid, true);
            gtid = gtid_is_set(&before) ? before : find_in(&state.end, &gtid, false);
        }
        if (gtid_is_set(&gtid))
            rc = gtid_set_add(kept, &gtid, e);
    }
    state_release(&state);
    buf_release(&text);
    return rc;
}

static int mysql_split(struct client *cli, const struct gtid_set *ours, struct gtid_set **kept, struct buf *surplus,
                       struct err *e)
{
    struct gtid_set *executed = NULL, *lacking = gtid_set_copy(ours), *rest = gtid_set_copy(ours);
    int rc = lacking && rest ? stream_ask_gtids(cli, "SELECT @@global.gtid_executed", &executed, e)
                             : err_set(e, NO_MEMORY, (size_t)1);
    if (rc == 0)
        rc = gtid_set_subtract(lacking, executed, e);
    if (rc == 0 && !gtid_set_is_empty(lacking)) {
        gtid_set_print(lacking, surplus);
        rc = gtid_set_subtract(rest, lacking, e);
    }
    gtid_set_free(executed);
    gtid_set_free(lacking);
    if (rc != 0) {
        gtid_set_free(rest);
        return rc;
    }
    *kept = rest;
    return 0;
}

/* The server lacks `surplus`. 0: go on without it. */
static int judge_surplus(struct source_stream *st, const char *surplus, struct err *e)
{
    char name[300], shown[SURPLUS_SHOWN + 4];
    size_t len = strlen(surplus);
    snprintf(shown, sizeof shown, "%.*s%s", SURPLUS_SHOWN, surplus, len > SURPLUS_SHOWN ? "…" : "");
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

static int check_surplus(struct source_stream *st, struct err *e)
{
    struct gtid_set *kept = NULL;
    struct buf surplus;
    buf_init(&surplus, TEXT_CAP);
    int rc;
    if (client_server(st->cli)->flavor == FLAVOR_MYSQL)
        rc = mysql_split(st->cli, st->place.gtids, &kept, &surplus, e);
    else {
        kept = gtid_set_new(FLAVOR_MARIADB);
        rc = kept ? mariadb_split(st->cli, st->place.gtids, kept, &surplus, e) : err_set(e, NO_MEMORY, (size_t)1);
    }
    if (rc == 0 && surplus.len > 0) {
        buf_byte(&surplus, 0);
        rc = surplus.failed ? err_set(e, NO_MEMORY, surplus.len) : judge_surplus(st, (const char *)surplus.p, e);
        if (rc == 0) {
            gtid_set_free(st->place.gtids);
            st->place.gtids = kept;
            kept = NULL;
        }
    }
    gtid_set_free(kept);
    buf_release(&surplus);
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
    begin.at = st->place.at;
    begin.learn = server->flavor == FLAVOR_MYSQL && server->gtid_on && !st->place.gtids && !st->cannot_learn;
    if (begin.at.pos > UINT32_MAX || begin.learn) {
        begin.skip_to = begin.at.pos;
        begin.at.pos = EVENT_FILE_MAGIC_LEN;
    }
    *out = begin;
    return 0;
}
