/* The end of a consumer of librdkafka 2.0.2, which cannot always be destroyed. Private to pipeline/; the thread that
 * polled it, which polls no more. */
#ifndef SLUICE_PIPELINE_HANDLE_END_H
#define SLUICE_PIPELINE_HANDLE_END_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* Destroys the handle, without leaving the group and in two seconds. What is not done then (after its topic was not
 * known for a while it waits for ever for one of its threads) is left behind for the end of the process. So is, as a
 * whole, a member that may have joined a group and was `given_nothing` by it yet, no empty assignment either:
 * librdkafka would abort the process (confluentinc/librdkafka 4381). */
void handle_end(rd_kafka_t *handle, bool given_nothing);

#endif
