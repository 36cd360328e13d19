/* Batches of changes, and questions to the server. */
#include "tools/write_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

bool write_scene_init(struct redis_scene *s, const struct redis_route_options *form)
{
    const struct redis_options opt = {.tombstone_ttl_ms = WRITE_TOMBSTONE_MS};
    struct redis_route_options route = *form;
    route.mode = REDIS_WRITE;
    if (!route.write.key)
        route.write.key = "order:{order_id}";
    return redis_scene_init(s, &opt, &route);
}

int write_scene_apply(struct redis_scene *s, const struct write_step *steps, size_t count, struct err *e)
{
    struct sample_change changes[64];
    struct item items[64];
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++) {
        const struct write_step *step = &steps[i];
        sample_change(&changes[i], s->sample, step->op, step->before.order_id ? &step->before : NULL,
                      step->after.order_id ? &step->after : NULL);
        changes[i].chg.flags = step->flags;
        changes[i].chg.version.sequence = step->sequence;
        items[i] = (struct item){.chg = &changes[i].chg, .bind = s->route};
    }
    return sink_redis.apply(s->snk, items, count, e);
}

void write_scene_applied(struct redis_scene *s, const struct write_step *steps, size_t count)
{
    struct err e = ERR_INIT;
    if (write_scene_apply(s, steps, count, &e) != 0)
        fail_msg("%s", e.text);
}

void write_scene_ask(struct redis_scene *s, char out[WRITE_TEXT_MAX], const char *command)
{
    redisReply *reply = redisCommand(s->redis.client, command);
    size_t n = 0;
    assert_non_null(reply);
    out[0] = '\0';
    if (reply->type == REDIS_REPLY_NIL)
        snprintf(out, WRITE_TEXT_MAX, "-");
    else if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(out, WRITE_TEXT_MAX, "%lld", reply->integer);
    else if (reply->type != REDIS_REPLY_ARRAY)
        snprintf(out, WRITE_TEXT_MAX, "%s", reply->str);
    for (size_t i = 0; i < reply->elements; i++)
        n += (size_t)snprintf(out + n, WRITE_TEXT_MAX - n, i ? " %s" : "%s", reply->element[i]->str);
    freeReplyObject(reply);
}

void write_scene_expect(struct redis_scene *s, const char *command, const char *expected, int line)
{
    char text[WRITE_TEXT_MAX];
    write_scene_ask(s, text, command);
    if (strcmp(text, expected) != 0)
        fail_msg("line %d: %s: %s, not %s", line, command, text, expected);
}

void write_scene_expect_between(struct redis_scene *s, const char *command, long long low, long long high)
{
    assert_in_range(private_redis_call(&s->redis, command), low, high);
}
