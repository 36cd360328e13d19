/* From the server's and the library's error numbers to rows of errors.def. */
#include "client/client_error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { ER_FATAL_BINLOG = 1236, CR_TLS = 2026, CR_PACKET_TOO_LARGE = 2020 };

struct number_row {
    unsigned number;
    enum err_code code;
};

/* Numbers that mean the same at every stage. 2000 to 2999 are the library's, and 5000 to 5999 MariaDB's library's. */
static const struct number_row numbers[] = {
    {0, ERR_CONNECT},
    {1040, ERR_CONNECT},             /* too many connections */
    {1053, ERR_CONNECT},             /* server shutdown in progress */
    {1077, ERR_CONNECT},             /* normal shutdown */
    {1079, ERR_CONNECT},             /* shutdown complete */
    {1080, ERR_CONNECT},             /* forced close of a thread */
    {1129, ERR_CONNECT},             /* host blocked because of many connection errors */
    {1152, ERR_CONNECT},             /* aborted connection */
    {1158, ERR_CONNECT},             /* error reading communication packets */
    {1159, ERR_CONNECT},             /* timeout reading them */
    {1160, ERR_CONNECT},             /* error writing them */
    {1161, ERR_CONNECT},             /* timeout writing them */
    {1184, ERR_CONNECT},             /* aborted connection */
    {1203, ERR_CONNECT},             /* too many connections of this user */
    {1226, ERR_CONNECT},             /* resource limit of this user */
    {1317, ERR_CONNECT},             /* query interrupted: KILL */
    {1927, ERR_CONNECT},             /* connection killed (MariaDB) */
    {3032, ERR_CONNECT},             /* server is in offline mode */
    {3169, ERR_CONNECT},             /* session killed */
    {4031, ERR_CONNECT},             /* disconnected because of inactivity */
    {2001, ERR_CONNECT},             /* cannot create a Unix socket */
    {2002, ERR_CONNECT},             /* cannot connect through a Unix socket */
    {2003, ERR_CONNECT},             /* cannot connect by TCP */
    {2004, ERR_CONNECT},             /* cannot create a TCP socket */
    {2005, ERR_CONNECT},             /* unknown host */
    {2006, ERR_CONNECT},             /* gone away */
    {2012, ERR_CONNECT},             /* error in the server handshake */
    {2013, ERR_CONNECT},             /* lost connection */
    {2055, ERR_CONNECT},             /* lost connection, with the place */
    {5013, ERR_CONNECT},             /* error while reading */
    {5014, ERR_CONNECT},             /* error while writing */
    {1044, ERR_GRANT_MISSING},       /* access to database denied */
    {1142, ERR_GRANT_MISSING},       /* command denied for table */
    {1143, ERR_GRANT_MISSING},       /* command denied for column */
    {1227, ERR_GRANT_MISSING},       /* a global privilege is needed */
    {1370, ERR_GRANT_MISSING},       /* command denied for routine */
    {1045, ERR_LOGIN_DENIED},        /* access denied */
    {1130, ERR_LOGIN_DENIED},        /* host not allowed */
    {1251, ERR_LOGIN_DENIED},        /* authentication protocol */
    {1524, ERR_LOGIN_DENIED},        /* plugin not loaded in the server */
    {1698, ERR_LOGIN_DENIED},        /* access denied without password */
    {1820, ERR_LOGIN_DENIED},        /* password must be changed */
    {1862, ERR_LOGIN_DENIED},        /* password expired */
    {3118, ERR_LOGIN_DENIED},        /* account locked */
    {3955, ERR_LOGIN_DENIED},        /* account locked after failed logins */
    {4151, ERR_LOGIN_DENIED},        /* account locked (MariaDB) */
    {3159, ERR_TLS_FAILED},          /* the server wants TLS */
    {1789, ERR_BINLOG_PURGED},       /* GTIDs purged */
    {4052, ERR_SERVER_ID_DUPLICATE}, /* another one came with our server_id (MariaDB) */
};

struct text_row {
    const char *part;
    enum err_code code;
};

/* Causes inside error 1236, MySQL 8.0 to 9.7 and MariaDB 10.5 to 11.8, in their old and new words; the first match. */
static const struct text_row fatal_texts[] = {
    {"Could not find first log file name in binary log index", ERR_BINLOG_PURGED},
    {"purged required binary logs", ERR_BINLOG_PURGED},
    {"has purged binary logs containing GTIDs", ERR_BINLOG_PURGED},
    {"binlog files have been purged", ERR_BINLOG_PURGED},
    {"to start replication from position > file size", ERR_BINLOG_PURGED},
    {"to start replication from impossible position", ERR_BINLOG_PURGED},
    {"which is not in the master's binlog", ERR_GTID_SURPLUS},
    {"has more GTIDs than the", ERR_GTID_SURPLUS},
    {"with the same server_uuid/server_id", ERR_SERVER_ID_DUPLICATE},
    {"Binary log is not open", ERR_BINLOG_OFF},
    /* RESET under a reader: what is left of its place, the next connection finds out. */
    {"could not find next log", ERR_CONNECT},
};

/* Both libraries give 2026 for a bad certificate and for a connection that broke inside TLS. */
static bool tls_was_cut(const char *text)
{
    static const char *const parts[] = {"unexpected eof", "reset by peer",   "Broken pipe",
                                        "timed out",      "Lost connection", "temporarily unavailable"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, parts[i]))
            return true;
    return false;
}

static enum err_code find_code(const struct client_failure *f)
{
    if (f->number == CR_TLS)
        return f->stage == CLIENT_LOGIN && !tls_was_cut(f->text) ? ERR_TLS_FAILED : ERR_CONNECT;
    if (f->number == CR_PACKET_TOO_LARGE)
        return ERR_LIMIT;
    if (f->number == ER_FATAL_BINLOG)
        for (size_t i = 0; i < sizeof fatal_texts / sizeof *fatal_texts; i++)
            if (strstr(f->text, fatal_texts[i].part))
                return fatal_texts[i].code;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].number == f->number)
            return numbers[i].code;
    if (f->stage == CLIENT_LOGIN)
        return ERR_LOGIN_DENIED;
    return f->stage == CLIENT_DUMP ? ERR_DUMP_REFUSED : ERR_QUERY_FAILED;
}

int client_error_set(const struct client_failure *f, struct err *e)
{
    const char *text = f->number ? f->text : "the connection was lost";
    const char *what = f->what ? f->what : "login";
    char line[ERR_TEXT_MAX];
    snprintf(line, sizeof line, "error %u: %s", f->number, text);
    switch (find_code(f)) {
    case ERR_CONNECT:
        return err_set(e, CONNECT, line);
    case ERR_GRANT_MISSING:
        return err_set(e, GRANT_MISSING, what, line);
    case ERR_LOGIN_DENIED:
        return err_set(e, LOGIN_DENIED, line);
    case ERR_TLS_FAILED:
        return err_set(e, TLS_FAILED, line);
    case ERR_BINLOG_PURGED:
        return err_set(e, BINLOG_PURGED, what, text);
    case ERR_GTID_SURPLUS:
        return err_set(e, GTID_SURPLUS, what, text);
    case ERR_SERVER_ID_DUPLICATE:
        return err_set(e, SERVER_ID_DUPLICATE, f->server_id);
    case ERR_BINLOG_OFF:
        return err_set(e, BINLOG_OFF);
    case ERR_LIMIT:
        return err_set_format(e, ERR_LIMIT, "%s: the server sent a packet above max_event_bytes", what);
    case ERR_DUMP_REFUSED:
        return err_set(e, DUMP_REFUSED, f->number, text);
    default:
        return err_set(e, QUERY_FAILED, what, f->number, text);
    }
}
