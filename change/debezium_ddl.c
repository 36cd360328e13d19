/* Schema changes. */
#include "change/debezium.h"
#include "change/statement.h"

int debezium_statement(struct debezium *to, const struct change *chg, size_t item, struct record_list *out,
                       struct err *e)
{
    (void)to;
    (void)chg;
    (void)item;
    (void)out;
    (void)e;
    return 0;
}
