/* From the server's and the library's error numbers to rows of errors.def: the one place where the text of a server's
 * message is looked at, because both servers put a dozen different causes into error 1236. Pure. Private to client/. */
#ifndef SLUICE_CLIENT_CLIENT_ERROR_H
#define SLUICE_CLIENT_CLIENT_ERROR_H

#include "base/err.h"

enum client_stage { CLIENT_LOGIN, CLIENT_QUERY, CLIENT_DUMP };

struct client_failure {
    unsigned number;  /* mysql_errno; 0: lost without a word */
    const char *text; /* mysql_error */
    enum client_stage stage;
    const char *what; /* QUERY: the statement; DUMP: the start that was asked for */
    uint32_t server_id;
};

/* Sets the error and returns its negative code. */
int client_error_set(const struct client_failure *failure, struct err *e);

#endif
