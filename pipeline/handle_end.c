/* Destroying a consumer within a time. */
#include "pipeline/handle_end.h"

#include <pthread.h>
#include <time.h>

#define DESTROY_S 2

static void *destroy_main(void *handle)
{
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

void handle_end(rd_kafka_t *handle, bool given_nothing)
{
    struct timespec until;
    pthread_t thread;
    if (given_nothing || pthread_create(&thread, NULL, destroy_main, handle) != 0)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DESTROY_S;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) != 0)
        (void)pthread_detach(thread);
}
