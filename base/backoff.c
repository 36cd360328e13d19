/* Exponential backoff with full jitter. */
#include "base/backoff.h"

void backoff_init(struct backoff *backoff, uint64_t base_ms, uint64_t max_ms)
{
    if (base_ms == 0)
        base_ms = 1;
    *backoff = (struct backoff){.base_ms = base_ms, .max_ms = max_ms > base_ms ? max_ms : base_ms};
    backoff_reset(backoff);
}

uint64_t backoff_next(struct backoff *backoff, const struct env *env)
{
    uint64_t random = 0;
    env->random(env->ctx, &random, sizeof random);
    uint64_t ceiling = backoff->ceiling_ms;
    backoff->ceiling_ms = ceiling > backoff->max_ms / 2 ? backoff->max_ms : ceiling * 2;
    backoff->tries++;
    return 1 + random % ceiling;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->ceiling_ms = backoff->base_ms;
    backoff->tries = 0;
}
