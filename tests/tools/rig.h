/* Lanes, one sink's runner and a source made by hand, for tests of the runner. The test's thread is the source. */
#ifndef SLUICE_TESTS_RIG_H
#define SLUICE_TESTS_RIG_H

#include "sink/runner.h"
#include "tools/sample.h"

struct rig {
    struct lanes *lanes;
    struct runner *runner;
    struct routes *routes;
    struct sample *sample;
    struct env env;
    uint64_t next_row; /* version row of the next change, rising over all */
    bool in_tx;
    /* Told by notify; any worker's thread. */
    _Atomic unsigned downs, backs, fatals;
    _Atomic int fatal_code;
    char fatal_text[ERR_TEXT_MAX]; /* of the first */
};

/* opt: ops, options and whatever differs from the defaults; lanes, routes, env and notify are filled in. `routes` NULL:
 * one route of every table. */
struct rig_options {
    unsigned lanes;
    size_t buffer_bytes; /* 0: 4 MiB */
    unsigned ring;       /* as of struct lanes_options */
    struct runner_options runner;
    const struct route *routes;
    unsigned route_count;
};
void rig_init(struct rig *rig, const struct rig_options *opt);
void rig_release(struct rig *rig);

/* Appends an insert of that key in a transaction that rig_publish ends; waits for room while workers run. `mask`: of
 * sinks. Returns its version row. */
uint64_t rig_add(struct rig *rig, int key, uint32_t mask);

/* An update that moves a row: FROM in the old key's lane, TO with its ticket in the new key's. */
void rig_move(struct rig *rig, int from, int to);
void rig_truncate(struct rig *rig);
void rig_truncate_lane(struct rig *rig, unsigned lane); /* of that lane's rows only; takes a version row */
void rig_publish(struct rig *rig);

/* Waits until everything published is acknowledged; fails the test after a generous deadline. */
void rig_wait_idle(struct rig *rig);

/* Waits until *word >= value. */
void rig_wait_at_least(const _Atomic unsigned *word, unsigned value);

#endif
