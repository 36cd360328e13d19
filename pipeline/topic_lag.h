/* How far an applier is behind the end of its topic, and how near what it has not applied is to being purged. Private
 * to pipeline/.
 *
 * Three threads: the applier's notes what it reads and commits; the watch's own asks the brokers for the ends of the
 * partitions every two seconds and for the topic's retention every ten minutes, and warns; any thread computes figures.
 * Each atomic has one writer. Times are Unix time in ms; of records, the timestamps that the brokers keep, by which
 * they purge. */
#ifndef SLUICE_PIPELINE_TOPIC_LAG_H
#define SLUICE_PIPELINE_TOPIC_LAG_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

#define TOPIC_LAG_UNKNOWN UINT64_MAX

struct topic_lane {
    /* The applier's thread. */
    _Atomic uint64_t owned;     /* 0 or 1 */
    _Atomic uint64_t gained_ms; /* since when */
    _Atomic uint64_t committed; /* offset; TOPIC_LAG_UNKNOWN: none is known */
    _Atomic uint64_t next;      /* offset that is read next, likewise */
    _Atomic uint64_t read_ms;   /* of the last record that was read; 0: none */
    _Atomic uint64_t oldest_ms; /* of the oldest record that is read and not applied; 0: there is none */
    /* The watch's. */
    _Atomic uint64_t asked_ms; /* when low and end were so; 0: never */
    _Atomic uint64_t low, end;
    _Atomic uint64_t at_end_ms; /* when the last look found everything read; 0: never */
    bool warned;
};

struct topic_lag {
    struct topic_lane *lanes;
    unsigned count;
    _Atomic uint64_t retention_ms; /* TOPIC_LAG_UNKNOWN: not known; 0: records stay for ever */
};

/* Of one partition, or of all (sum, sum, largest, largest). TOPIC_LAG_UNKNOWN: not known. */
struct topic_lag_figures {
    uint64_t committed, next, low, end; /* of one only */
    uint64_t lag_records;               /* offsets between what is committed and the end */
    uint64_t lag_ms;                    /* age of the oldest record that is not applied; 0: there is none */
    uint64_t retention_share_percent;   /* of that age in the retention; 0 without a retention */
    uint64_t until_purged_records;      /* between the first offset that is left and what is committed; of all: least */
};

int topic_lag_init(struct topic_lag *lag, unsigned lanes, struct err *e); /* Errors: NO_MEMORY */
void topic_lag_release(struct topic_lag *lag);                            /* accepts one that is all zero */

/* The applier's thread: a partition comes with what the group has committed (negative: nothing), or goes. */
void topic_lag_own(struct topic_lag *lag, unsigned lane, bool own, int64_t committed, int64_t now_ms);

/* Any thread. False when the partition is another's. */
bool topic_lag_of(const struct topic_lag *lag, unsigned lane, int64_t now_ms, struct topic_lag_figures *out);
void topic_lag_sum(const struct topic_lag *lag, int64_t now_ms, struct topic_lag_figures *out);

/* As a member of a JSON object: "topic":{"name":…,"retention_ms":…,"partitions":[…]}; what is not known is null. */
void topic_lag_print(const struct topic_lag *lag, const char *topic, int64_t now_ms, struct buf *out);
void topic_lag_print_number(uint64_t figure, struct buf *out);

struct lag_watch;

/* A thread that asks by `handle`, which lives until lag_watch_stop. Errors: NO_MEMORY. */
int lag_watch_start(struct lag_watch **out, struct topic_lag *lag, rd_kafka_t *handle, const char *topic,
                    const struct env *env, struct err *e);
void lag_watch_look(struct lag_watch *watch); /* any thread: now, not in two seconds; accepts NULL */
void lag_watch_stop(struct lag_watch *watch); /* within two seconds; accepts NULL */

#endif
