/* Who of several readers with one state topic is active: membership in the consumer group <state_topic>.readers, which
 * is subscribed to that topic of one partition. Who holds the partition is active; the others stand by. The partition
 * stays where it is when another joins. A member that is not heard for session_ms loses it.
 *
 * The group elects; what fences is Kafka's transactions (sink/kafka/state.h). So a member that lost the partition, or
 * its brokers, is not stopped by that: only when another reader's take-over record is the last one of the state topic.
 *
 * A thread of its own keeps the membership, whatever the others wait for. new, wait and free by one thread; lease_still
 * by any. */
#ifndef SLUICE_PIPELINE_LEASE_H
#define SLUICE_PIPELINE_LEASE_H

#include "base/env.h"
#include "base/err.h"
#include "pipeline/pipeline.h"

#define TAKEOVER_MAX 256

struct kafka_options;
struct lease;

/* Makes the state topic where it is absent, joins the group, begins the thread. Brokers that are away are waited for in
 * lease_wait. `opt` and `env` are borrowed. Errors: KAFKA_PROPERTY, KAFKA_TOPIC_NAME, NO_MEMORY. */
int lease_new(struct lease **out, const struct kafka_options *opt, unsigned session_ms, const struct env *env,
              struct err *e);

/* Waits until this member is the active one. SIGTERM and SIGINT, which stay blocked from now on, end it with
 * INTERRUPTED; `service` is served meanwhile, as by lease_pause. *standby says meanwhile that another is active. Errors
 * besides: those of the state topic that stop, LEASE_REFUSED. */
int lease_wait(struct lease *lease, const struct pipeline_service *service, bool *standby, struct err *e);

/* Behind lease_wait, before the pipelines run: true when a signal came within the time. */
bool lease_pause(void *lease, int timeout_ms);

/* Asks whose take-over is the last one of the topic: LEASE_LOST when it is another's. Brokers that are away: RETRY. */
int lease_confirm(void *lease, struct err *e);

/* What this reader has written as its take-over; copied. Before that lease_still knows no other. */
void lease_took_over(struct lease *lease, const char *takeover);

/* 0 while no other reader has taken over; else LEASE_LOST, with what the other wrote of itself, or LEASE_REFUSED when
 * the group does not want this member. */
int lease_still(void *lease, struct err *e);

/* Leaves the group: another becomes active at once. Accepts NULL. */
void lease_free(struct lease *lease);

#endif
