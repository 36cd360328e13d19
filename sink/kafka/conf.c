/* librdkafka's configuration. */
#include "sink/kafka/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define NAME_MAX_LEN 127

static const char *const always[] = {"bootstrap.servers", "metadata.broker.list", "sasl.password", NULL};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, unsigned line, struct err *e)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(e, KAFKA_PROPERTY, line, text);
}

static bool is_in(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* One "name=value". */
static int set_property(rd_kafka_conf_t *conf, const struct kafka_conf *how, size_t number, struct err *e)
{
    char name[NAME_MAX_LEN + 1], text[256];
    const char *property = how->properties->items[number], *equals = strchr(property, '=');
    unsigned line = how->properties->lines ? how->properties->lines[number] : 0;
    if (!equals || equals == property || equals - property > NAME_MAX_LEN) {
        snprintf(text, sizeof text, "'%.100s' is not name=value", property);
        return err_set(e, KAFKA_PROPERTY, line, text);
    }
    memcpy(name, property, (size_t)(equals - property));
    name[equals - property] = '\0';
    if (is_in(always, name) || is_in(how->reserved, name)) {
        snprintf(text, sizeof text, "%s is set by sluice itself", name);
        return err_set(e, KAFKA_PROPERTY, line, text);
    }
    return set(conf, name, equals + 1, line, e);
}

static int set_brokers(rd_kafka_conf_t *conf, const struct option_list *brokers, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    for (size_t i = 0; i < brokers->count; i++) {
        buf_text(&text, i ? "," : "");
        buf_text(&text, brokers->items[i]);
    }
    buf_byte(&text, '\0');
    int rc = text.failed ? err_set(e, NO_MEMORY, brokers->count)
                         : set(conf, "bootstrap.servers", (const char *)text.p, 0, e);
    buf_release(&text);
    return rc;
}

int kafka_conf_make(rd_kafka_conf_t **out, const struct kafka_conf *how, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    int rc = set_brokers(conf, how->brokers, e);
    if (rc == 0)
        rc = set(conf, "client.id", "sluice", 0, e);
    for (size_t i = 0; how->fixed[i][0] && rc == 0; i++)
        rc = set(conf, how->fixed[i][0], how->fixed[i][1], 0, e);
    if (rc == 0 && how->sasl_password)
        rc = set(conf, "sasl.password", how->sasl_password, 0, e);
    for (size_t i = 0; i < how->properties->count && rc == 0; i++)
        rc = set_property(conf, how, i, e);
    if (rc != 0) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    *out = conf;
    return 0;
}
