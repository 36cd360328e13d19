/* Sentinels are asked one by one until enough of them agree. */
#include "sink/redis/sentinel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* What was answered so far. */
struct votes {
    size_t needed, count, unknown;
    struct vote {
        char host[REDIS_HOST_MAX + 1];
        uint16_t port;
        size_t votes;
    } list[REDIS_SENTINELS_MAX];
};

int redis_sentinel_check(const struct redis_options *opt, struct err *e)
{
    struct redis_address address;
    if (opt->sentinels.count > REDIS_SENTINELS_MAX)
        return err_set(e, CONFIG_VALUE, "sentinels", "32 at most");
    if (!opt->master || !opt->master[0])
        return err_set(e, CONFIG_VALUE, "master", "the name under which the Sentinels know the primary is needed");
    for (size_t i = 0; i < opt->sentinels.count; i++)
        if (redis_address_of_sentinel(&address, opt, opt->sentinels.items[i], e) != 0)
            return err_wrap(e, "sentinels");
    return redis_address_at(&address, opt, "host", REDIS_PORT_DEFAULT, e);
}

/* ---------------------------------------------------------------- one Sentinel */

static redisContext *connect_to(const struct redis_options *opt, const struct redis_address *to)
{
    struct timeval timeout = {.tv_sec = (time_t)(opt->connect_timeout_ms / 1000),
                              .tv_usec = (suseconds_t)(opt->connect_timeout_ms % 1000 * 1000)};
    redisContext *context = redisConnectWithTimeout(to->host, to->port, timeout);
    if (context && (context->err || redisSetTimeout(context, timeout) != REDIS_OK)) {
        redisFree(context);
        return NULL;
    }
    return context;
}

/* A refused login or command is for a person; anything else is no answer. */
static int take_refusal(const struct redis_address *of, const redisReply *reply, struct err *e)
{
    if (strncmp(reply->str, "NOPERM", 6) == 0)
        return err_set(e, SINK_RIGHTS, of->name, "SENTINEL get-master-addr-by-name");
    if (strncmp(reply->str, "NOAUTH", 6) == 0 || strncmp(reply->str, "WRONGPASS", 9) == 0 ||
        strstr(reply->str, "AUTH") || strstr(reply->str, "password"))
        return err_set(e, SINK_LOGIN, of->name, "by a Sentinel");
    return 0;
}

static bool port_of(const redisReply *reply, uint16_t *out)
{
    char *stop = NULL;
    unsigned long port = reply->type == REDIS_REPLY_STRING ? strtoul(reply->str, &stop, 10) : 0;
    *out = (uint16_t)port;
    return stop && *stop == '\0' && port > 0 && port <= UINT16_MAX;
}

/* 1: it answered; 0: it did not, or with nothing that can be used. */
static int take_answer(struct votes *votes, const struct redis_address *of, const redisReply *reply, struct err *e)
{
    uint16_t port;
    if (reply->type == REDIS_REPLY_NIL) {
        votes->unknown++;
        return 1;
    }
    if (reply->type == REDIS_REPLY_ERROR)
        return take_refusal(of, reply, e);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[0]->len > REDIS_HOST_MAX || !port_of(reply->element[1], &port))
        return 0;
    struct vote *vote = votes->list;
    while (vote < votes->list + votes->count && (vote->port != port || strcmp(vote->host, reply->element[0]->str) != 0))
        vote++;
    if (vote == votes->list + votes->count) {
        snprintf(vote->host, sizeof vote->host, "%s", reply->element[0]->str);
        vote->port = port;
        vote->votes = 0;
        votes->count++;
    }
    vote->votes++;
    return 1;
}

static redisReply *ask(redisContext *context, const struct redis_options *opt, const struct redis_address *to)
{
    redisReply *reply = NULL;
    if (to->has_password && to->has_username)
        reply = redisCommand(context, "AUTH %s %s", to->username, to->password);
    else if (to->has_password)
        reply = redisCommand(context, "AUTH %s", to->password);
    if (to->has_password && (!reply || reply->type == REDIS_REPLY_ERROR))
        return reply;
    if (reply)
        freeReplyObject(reply);
    return redisCommand(context, "SENTINEL get-master-addr-by-name %s", opt->master);
}

static int ask_one(struct votes *votes, const struct redis_options *opt, size_t number, struct err *e)
{
    struct redis_address to;
    if (redis_address_of_sentinel(&to, opt, opt->sentinels.items[number], e) != 0)
        return err_result(e);
    redisContext *context = connect_to(opt, &to);
    redisReply *reply = context ? ask(context, opt, &to) : NULL;
    int rc = reply ? take_answer(votes, &to, reply, e) : 0;
    if (reply)
        freeReplyObject(reply);
    if (context)
        redisFree(context);
    return rc;
}

/* ---------------------------------------------------------------- all of them */

static const struct vote *winner(const struct votes *votes)
{
    for (const struct vote *vote = votes->list; vote < votes->list + votes->count; vote++)
        if (vote->votes >= votes->needed)
            return vote;
    return NULL;
}

/* Asks until enough agree: first those that answered the last time. */
static int ask_all(struct redis_connection *conn, struct votes *votes, struct err *e)
{
    const struct redis_options *opt = conn->opt;
    uint32_t was_silent = conn->silent;
    for (int silent = 0; silent <= 1; silent++) {
        for (size_t i = 0; i < opt->sentinels.count; i++) {
            if ((was_silent >> i & 1) != (uint32_t)silent)
                continue;
            int rc = ask_one(votes, opt, i, e);
            if (rc < 0)
                return rc;
            conn->silent = rc ? conn->silent & ~(UINT32_C(1) << i) : conn->silent | UINT32_C(1) << i;
            if (winner(votes) || votes->unknown >= votes->needed)
                return 0;
        }
    }
    return 0;
}

int redis_sentinel_find(struct redis_connection *conn, struct redis_address *out, struct err *e)
{
    const struct redis_options *opt = conn->opt;
    struct votes votes = {.needed = opt->sentinels.count / 2 + 1};
    if (ask_all(conn, &votes, e) != 0)
        return err_result(e);
    if (votes.unknown >= votes.needed)
        return err_set(e, SINK_NO_MASTER, opt->master);
    const struct vote *vote = winner(&votes);
    if (vote)
        return redis_address_at(out, opt, vote->host, vote->port, e);
    char told[128];
    size_t most = 0;
    for (size_t i = 0; i < votes.count; i++)
        most = votes.list[i].votes > most ? votes.list[i].votes : most;
    snprintf(told, sizeof told, "%zu of %zu Sentinels name the same primary, and %zu must", most, opt->sentinels.count,
             votes.needed);
    return err_set(e, SINK_NOT_READY, opt->master, told);
}

/* Another server is the primary, or enough say that this one still is, or it is not known. */
static int look(struct redis_sentinel_watch *watch, struct redis_connection *conn, const char *sink, struct err *e)
{
    struct redis_address now;
    struct err why = ERR_INIT;
    if (redis_sentinel_find(conn, &now, &why) != 0) {
        if (err_class(&why) != ERR_CLASS_RETRY) {
            if (e)
                *e = why;
            return err_result(&why);
        }
        if (!watch->is_unsure)
            log_event(conn->env->log, LOG_WARN,
                      "too few Sentinels answer: it goes on with the server that they named last",
                      LOG_STR("sink", sink), LOG_STR("server", conn->address.name), LOG_STR("text", why.text));
        watch->is_unsure = true;
        return 0;
    }
    watch->is_unsure = false;
    if (now.port == conn->address.port && strcmp(now.host, conn->address.host) == 0)
        return 0;
    return err_set(e, SINK_DOWN, conn->address.name, "Sentinels name another primary");
}

int redis_sentinel_tend(struct redis_sentinel_watch *watch, struct redis_connection *conn, const char *sink,
                        int64_t *due_us, struct err *e)
{
    int64_t now_us = env_mono_us(conn->env);
    if (!conn->opt->sentinels.count)
        return 0;
    if (!watch->next_us) /* it was found a moment ago */
        watch->next_us = now_us + REDIS_SENTINEL_US;
    int rc = 0;
    if (now_us >= watch->next_us) {
        rc = look(watch, conn, sink, e);
        watch->next_us = env_mono_us(conn->env) + REDIS_SENTINEL_US;
    }
    *due_us = watch->next_us < *due_us ? watch->next_us : *due_us;
    return rc;
}
