/* Parsing replies into an arena, and the table of error replies. */
#include "sink/redis/reply.h"

#include <string.h>

#define ARENA_CHUNK ((size_t)4096)

/* ---------------------------------------------------------------- objects for hiredis' parser */

static struct reply *reply_new(const redisReadTask *task, enum reply_type type)
{
    struct reply_reader *reader = task->privdata;
    struct reply *reply = arena_alloc(&reader->arena, sizeof *reply);
    if (!reply)
        return NULL;
    *reply = (struct reply){.type = type};
    if (task->parent) {
        struct reply *parent = task->parent->obj;
        parent->items[task->idx] = reply;
    }
    return reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    struct reply_reader *reader = task->privdata;
    enum reply_type type = task->type == REDIS_REPLY_ERROR    ? REPLY_ERROR
                           : task->type == REDIS_REPLY_STATUS ? REPLY_STATUS
                                                              : REPLY_STRING;
    char *copy = arena_copy(&reader->arena, text, len);
    struct reply *reply = copy ? reply_new(task, type) : NULL;
    if (reply) {
        reply->text = copy;
        reply->len = len;
    }
    return reply;
}

static void *new_array(const redisReadTask *task, size_t count)
{
    struct reply_reader *reader = task->privdata;
    if (!reader->arrays || count > REPLY_ELEMENTS_MAX)
        return NULL;
    struct reply **items = arena_alloc(&reader->arena, count * sizeof *items);
    struct reply *reply = items ? reply_new(task, REPLY_ARRAY) : NULL;
    if (reply) {
        memset(items, 0, count * sizeof *items);
        reply->items = items;
        reply->count = count;
    }
    return reply;
}

static void *create_integer(const redisReadTask *task, long long integer)
{
    struct reply *reply = reply_new(task, REPLY_INTEGER);
    if (reply)
        reply->integer = integer;
    return reply;
}

static void *create_nil(const redisReadTask *task)
{
    return reply_new(task, REPLY_NIL);
}

static void free_object(void *object)
{
    (void)object;
}

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t count)
{
    return new_array(task, count);
}

/* Types of RESP3, which nobody asked for. */
static void *refuse_double(const redisReadTask *task, double value, char *text, size_t len)
{
    (void)task;
    (void)value;
    (void)text;
    (void)len;
    return NULL;
}

static void *refuse_bool(const redisReadTask *task, int value)
{
    (void)task;
    (void)value;
    return NULL;
}
#else
static void *create_array(const redisReadTask *task, int count)
{
    return count < 0 ? NULL : new_array(task, (size_t)count);
}
#endif

static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_object,
#if HIREDIS_MAJOR >= 1
    .createDouble = refuse_double,
    .createBool = refuse_bool,
#endif
};

/* ---------------------------------------------------------------- the reader */

int reply_reader_init(struct reply_reader *reader, struct err *e)
{
    *reader = (struct reply_reader){.bytes_max = REPLY_BYTES_MAX};
    arena_init(&reader->arena, ARENA_CHUNK, 16 * ARENA_CHUNK, 2 * REPLY_BYTES_MAX);
    reader->parser = redisReaderCreateWithFunctions(&functions);
    if (!reader->parser)
        return err_set(e, NO_MEMORY, sizeof *reader->parser);
    reader->parser->privdata = reader;
    return 0;
}

void reply_reader_release(struct reply_reader *reader)
{
    if (reader->parser)
        redisReaderFree(reader->parser);
    arena_release(&reader->arena);
    reader->parser = NULL;
}

void reply_reader_allow(struct reply_reader *reader, bool arrays, size_t bytes_max)
{
    reader->arrays = arrays;
    reader->bytes_max = bytes_max;
    reader->arena.cap = 2 * bytes_max;
}

int reply_reader_feed(struct reply_reader *reader, const void *bytes, size_t len)
{
    size_t waiting = reader->parser->len - reader->parser->pos;
    if (waiting > reader->bytes_max || len > reader->bytes_max - waiting)
        return -1;
    return redisReaderFeed(reader->parser, bytes, len) == REDIS_OK ? 0 : -1;
}

int reply_reader_next(struct reply_reader *reader, const struct reply **out)
{
    void *reply = NULL;
    if (reader->parser->ridx == -1)
        arena_reset(&reader->arena);
    if (redisReaderGetReply(reader->parser, &reply) != REDIS_OK)
        return -1;
    if (!reply)
        return 0;
    *out = reply;
    return 1;
}

/* ---------------------------------------------------------------- error replies */

/* By the reply's first word, or by its first words where the word is only ERR. */
static const struct error_row {
    const char *words;
    enum err_code code;
} error_rows[] = {
    {"LOADING", ERR_SINK_NOT_READY},
    {"READONLY", ERR_SINK_NOT_READY},
    {"OOM", ERR_SINK_NOT_READY},
    {"MASTERDOWN", ERR_SINK_NOT_READY},
    {"BUSY", ERR_SINK_NOT_READY},
    {"UNKILLABLE", ERR_SINK_NOT_READY},
    {"TRYAGAIN", ERR_SINK_NOT_READY},
    {"CLUSTERDOWN", ERR_SINK_NOT_READY},
    {"NOREPLICAS", ERR_SINK_NOT_READY},
    {"MISCONF", ERR_SINK_NOT_READY},
    {"ERR max number of clients", ERR_SINK_NOT_READY},
    {"NOAUTH", ERR_SINK_LOGIN},
    {"WRONGPASS", ERR_SINK_LOGIN},
    {"ERR invalid password", ERR_SINK_LOGIN},
    {"ERR AUTH", ERR_SINK_LOGIN},
    {"ERR Client sent AUTH", ERR_SINK_LOGIN},
    {"ERR operation not permitted", ERR_SINK_LOGIN},
    {"NOPERM", ERR_SINK_RIGHTS},
    {"ERR The user executing the script", ERR_SINK_RIGHTS},
    {"DENIED", ERR_SINK_RIGHTS},
    {"MOVED", ERR_SINK_UNSUPPORTED},
    {"ASK", ERR_SINK_UNSUPPORTED},
    {"CROSSSLOT", ERR_SINK_UNSUPPORTED},
};

bool reply_error_is(const struct reply *reply, const char *word)
{
    size_t len = strlen(word);
    return reply->type == REPLY_ERROR && reply->len >= len && memcmp(reply->text, word, len) == 0 &&
           (reply->len == len || reply->text[len] == ' ');
}

/* Servers quote arguments in their messages, and arguments are keys or secrets: whatever is no plain word of letters
 * ends the text. */
#define TOLD_MAX 80
static void safe_words(const struct reply *reply, char out[TOLD_MAX + 1])
{
    size_t end = 0, i = 0;
    for (; i < reply->len && i < TOLD_MAX; i++) {
        char c = reply->text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == ' ')
            end = i;
        else if (!letter && c != '-' && c != '.' && c != ',')
            break;
    }
    if (i == reply->len)
        end = i;
    memcpy(out, reply->text, end);
    out[end] = '\0';
}

int reply_error(const char *name, const struct reply *reply, struct err *e)
{
    char told[TOLD_MAX + 1];
    safe_words(reply, told);
    enum err_code code = ERR_SINK_REFUSED;
    for (size_t i = 0; i < sizeof error_rows / sizeof *error_rows; i++)
        if (reply_error_is(reply, error_rows[i].words)) {
            code = error_rows[i].code;
            break;
        }
    switch (code) {
    case ERR_SINK_NOT_READY:
        return err_set(e, SINK_NOT_READY, name, told);
    case ERR_SINK_LOGIN:
        return err_set(e, SINK_LOGIN, name, told);
    case ERR_SINK_RIGHTS:
        return err_set(e, SINK_RIGHTS, name, told);
    case ERR_SINK_UNSUPPORTED:
        return err_set(e, SINK_UNSUPPORTED, name, "Redis Cluster");
    default:
        return err_set(e, SINK_REFUSED, name, told);
    }
}

bool reply_info_is(const struct reply *info, const char *line)
{
    size_t len = strlen(line);
    for (const char *p = info->text, *end = p + info->len; p && (size_t)(end - p) >= len;) {
        if (memcmp(p, line, len) == 0)
            return true;
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    return false;
}
