/* Tables of the Redis sink: its options fill struct redis_options, its metrics are of struct redis_stats. */
#ifndef SLUICE_SINK_REDIS_OPTIONS_H
#define SLUICE_SINK_REDIS_OPTIONS_H

#include "sink/redis/redis.h"

extern const struct option redis_options[];
extern const struct metric_row redis_metrics[];

#endif
