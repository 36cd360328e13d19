/* Rows written through into a real Redis, step by step. */
#ifndef SLUICE_TESTS_TOOLS_WRITE_SCENE_H
#define SLUICE_TESTS_TOOLS_WRITE_SCENE_H

#include "tools/redis_scene.h"

#define WRITE_TEXT_MAX     512
#define WRITE_TOMBSTONE_MS 60000

/* As redis_scene_init, with mode write; the key is order:{order_id} where the route names none. */
bool write_scene_init(struct redis_scene *s, const struct redis_route_options *form);

/* One change of one row; order_id 0: no such image. */
struct write_step {
    enum change_op op;
    unsigned flags;
    struct sample_row before, after;
    uint64_t sequence; /* of its version */
};

#define NONE                                                                                                           \
    {                                                                                                                  \
        0, 0                                                                                                           \
    }

/* As one batch, 64 at most. `applied` fails the test on an error. */
int write_scene_apply(struct redis_scene *s, const struct write_step *steps, size_t count, struct err *e);
void write_scene_applied(struct redis_scene *s, const struct write_step *steps, size_t count);
#define APPLIED(s_, ...)                                                                                               \
    write_scene_applied((s_), (const struct write_step[]){__VA_ARGS__},                                                \
                        sizeof((const struct write_step[]){__VA_ARGS__}) / sizeof(struct write_step))

/* A reply as text: elements with spaces between, "-" for nil. */
void write_scene_ask(struct redis_scene *s, char out[WRITE_TEXT_MAX], const char *command);

/* Fails the test unless the reply is that text, or a number in that range. */
void write_scene_expect(struct redis_scene *s, const char *command, const char *expected, int line);
#define expect(s_, command_, expected_) write_scene_expect((s_), (command_), (expected_), __LINE__)
void write_scene_expect_between(struct redis_scene *s, const char *command, long long low, long long high);

#endif
