/* INTVAR (5), RAND (13), USER_VAR (14): values that the statement behind them uses. Their form is checked, their
 * content not used: a change that is logged as a statement is never executed here.
 *
 *   INTVAR    1  kind: 1 LAST_INSERT_ID, 2 INSERT_ID
 *             8  value
 *   RAND      8  seed 1
 *             8  seed 2
 *   USER_VAR  4  length of the name: n
 *             n  name
 *             1  1 when NULL: nothing more follows, else
 *             1  type
 *             4  collation
 *             4  length of the value: v
 *             v  value
 *          rest  flags, at most one byte */
#include "binlog/event.h"

int event_intvar_read(struct cursor body, struct err *e)
{
    cursor_skip(&body, 9);
    return event_finish(&body, "INTVAR", e);
}

int event_rand_read(struct cursor body, struct err *e)
{
    cursor_skip(&body, 16);
    return event_finish(&body, "RAND", e);
}

int event_user_var_read(struct cursor body, struct err *e)
{
    cursor_skip(&body, cursor_u32(&body));
    if (cursor_u8(&body) == 0) {
        cursor_skip(&body, 5);
        cursor_skip(&body, cursor_u32(&body));
        if (cursor_left(&body) == 1)
            cursor_skip(&body, 1);
    }
    return event_finish(&body, "USER_VAR", e);
}
