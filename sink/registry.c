/* The list of sinks, and what all of them share. */
#include <string.h>

#include "sink/kinds.h"

const struct sink_ops *const sink_registry[] = {&sink_counter, &sink_kafka,  &sink_recorder,
                                                &sink_redis,   &sink_stdout, NULL};

const char SINK_READS_ALL[] = "*";

const struct sink_ops *sink_find(const char *kind)
{
    for (const struct sink_ops *const *ops = sink_registry; *ops; ops++)
        if (strcmp((*ops)->kind, kind) == 0)
            return *ops;
    return NULL;
}

int sink_wrap(struct err *e, const struct item *item)
{
    const struct change *chg = item->chg;
    char version[VERSION_TEXT_LEN];
    version_print(&chg->version, version);
    err_wrap(e, "%s.%s: version %.*s", chg->db, chg->table, VERSION_TEXT_LEN, version);
    return err_wrap(e, "%s:%llu", chg->tx ? chg->tx->file : "", (unsigned long long)chg->pos);
}
