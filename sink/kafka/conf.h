/* What a producer and a consumer tell librdkafka alike: brokers, password, the properties that its user gives. */
#ifndef SLUICE_SINK_KAFKA_CONF_H
#define SLUICE_SINK_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "config/option.h"

struct kafka_conf {
    const struct option_list *brokers;
    const struct option_list *properties; /* each "name=value" */
    const char *sasl_password;            /* NULL: none */
    const char *const *reserved;          /* names that a property may not have beside the brokers', ended by NULL */
    const char *const (*fixed)[2];        /* names and values, set before the properties, ended by NULLs */
};

/* The caller's: rd_kafka_new takes it, or rd_kafka_conf_destroy. It logs nothing. Errors: NO_MEMORY, KAFKA_PROPERTY
 * with the line of the property. */
int kafka_conf_make(rd_kafka_conf_t **out, const struct kafka_conf *how, struct err *e);

#endif
