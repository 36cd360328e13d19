/* One spine of `sluice run`: the whole of an embedded service, or the reader or the applier of one with a Kafka bus. A
 * process has one, or both of these. */
#ifndef SLUICE_CMD_HALF_H
#define SLUICE_CMD_HALF_H

#include "pipeline/lease.h"
#include "pipeline/reading.h"
#include "pipeline/service_state.h"

enum half_kind { HALF_WHOLE, HALF_READER, HALF_APPLIER };

/* Must not move between half_open and half_close. */
struct half {
    enum half_kind kind;
    const char *name;         /* of one of two: in its log lines and errors; NULL when it runs alone */
    struct settings settings; /* as this half needs them; in the config */
    struct env env;           /* with its own log once it is open */
    struct start start;
    struct pipeline_bus bus; /* of an applier */
    struct routes *routes;
    struct lease *lease;     /* of a reader */
    uint64_t number;         /* of a reader, from 1; else 0 */
    struct state *own_state; /* of a reader */
    struct reading_live_options live;
    struct reading reading;
    struct pipeline *pipe;
};

/* Makes `settings` those of this half; what it makes lives in `cfg`. Errors: USAGE. */
int half_settle(struct half *out, enum half_kind kind, const struct settings *settings, struct config *cfg,
                struct err *e);

/* Makes the pipeline; `env` and `state` are borrowed until half_close. A reader waits until it is the active one; a
 * signal ends that with INTERRUPTED, and `service` is served meanwhile, while *standby says whether another is active.
 * Errors: of pipeline_open, USAGE. */
int half_open(struct half *half, const struct env *env, struct state *state, const struct pipeline_service *service,
              bool *standby, struct err *e);

/* Accepts one that was not settled or not opened. */
void half_close(struct half *half);

#endif
