/* Marks in a topic. */
#include "sink/kafka/marks_topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/kafka/read_back.h"
#include "sink/kafka/state_topic.h"

#define SUFFIX ".marks"
_Static_assert(sizeof SUFFIX - 1 <= KAFKA_STATE_ROOM, "the name of the topic of marks may be too long");

int kafka_marks_id(const struct kafka_options *opt, const char *sink, char **out, struct err *e)
{
    char topic[KAFKA_TOPIC_MAX + 1];
    int rc = kafka_state_topic(opt, topic, e);
    if (rc != 0)
        return rc;
    size_t size = strlen(topic) + strlen(sink) + sizeof ".";
    *out = malloc(size);
    if (!*out)
        return err_set(e, NO_MEMORY, size);
    snprintf(*out, size, "%s.%s", topic, sink);
    return 0;
}

int kafka_marks_open(struct kafka_marks *marks, struct kafka_producer *producer, const char *sink, struct err *e)
{
    char topic[KAFKA_TOPIC_MAX + 1];
    int rc = kafka_state_topic(producer->link.opt, topic, e);
    *marks = (struct kafka_marks){.producer = producer, .sink = sink};
    buf_init(&marks->text, 0);
    if (rc != 0)
        return rc;
    snprintf(marks->topic, sizeof marks->topic, "%.*s" SUFFIX, KAFKA_TOPIC_MAX - KAFKA_STATE_ROOM, topic);
    rc = kafka_state_topic_ensure(producer, marks->topic, e);
    if (rc != 0)
        return rc;
    marks->handle = rd_kafka_topic_new(producer->link.handle, marks->topic, NULL);
    return marks->handle ? 0 : kafka_refused(&producer->link, rd_kafka_last_error(), marks->topic, e);
}

void kafka_marks_release(struct kafka_marks *marks)
{
    if (marks->handle)
        rd_kafka_topic_destroy(marks->handle);
    marks->handle = NULL;
    buf_release(&marks->text);
}

int kafka_marks_load(struct kafka_marks *marks, struct marks *out, struct err *e)
{
    const struct kafka_read read = {
        .opt = marks->producer->link.opt, .env = marks->producer->env, .topic = marks->topic};
    struct buf text;
    buf_init(&text, 0);
    int found = kafka_read_last(&read, marks->sink, &text, e);
    if (found == 1 && marks_decode(out, text.p, text.len, e) != 0)
        found = err_wrap(e, "topic %s", marks->topic);
    buf_release(&text);
    return found;
}

int kafka_marks_send(struct kafka_marks *marks, const struct marks *in, struct err *e)
{
    buf_clear(&marks->text);
    int rc = marks_encode(in, &marks->text, e);
    const struct kafka_message message = {.topic = marks->handle,
                                          .key = marks->sink,
                                          .key_len = strlen(marks->sink),
                                          .value = marks->text.p,
                                          .value_len = marks->text.len,
                                          .number = SIZE_MAX};
    while (rc == 0 && (rc = kafka_send(marks->producer, &message, e)) == KAFKA_FULL)
        rc = kafka_poll(marks->producer, 100, e);
    return rc;
}
