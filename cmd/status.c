/* sluice status: what a running service says of itself; its exit code serves health checks. */
#include <jansson.h>
#include <stdio.h>

#include "admin/status_socket.h"
#include "cmd/command.h"

struct status_flags {
    const char *config;
    bool json;
};

static const struct option flags[] = {FLAG_CONFIG(status_flags, config, OPTION_REQUIRED),
                                      {.name = "json",
                                       .type = OPTION_BOOL,
                                       .offset = offsetof(struct status_flags, json),
                                       .help = "Print the JSON object."},
                                      {.name = NULL}};

/* One line per partition. */
static void print_topic(json_t *topic)
{
    const char *key;
    size_t i;
    json_t *part, *value;
    json_array_foreach(json_object_get(topic, "partitions"), i, part)
    {
        const char *between = "";
        json_object_foreach(part, key, value)
        {
            if (json_is_integer(value))
                printf("%s%s %" JSON_INTEGER_FORMAT, between, key, json_integer_value(value));
            else
                printf("%s%s unknown", between, key);
            between = " ";
        }
        printf("\n");
    }
}

static void print_lines(json_t *status)
{
    const char *key, *half, *sink;
    json_t *value;
    json_object_foreach(status, key, value)
    {
        if (json_is_boolean(value))
            printf("%-18s %s\n", key, json_is_true(value) ? "yes" : "no");
        else if (json_is_integer(value))
            printf("%-18s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
        else if (json_is_null(value))
            printf("%-18s unknown\n", key);
    }
    print_topic(json_object_get(status, "topic"));
    json_object_foreach(json_object_get(status, "sinks"), sink, value)
    {
        const char *gtids = json_string_value(json_object_get(value, "gtids"));
        printf("%-18s %s %s\n", sink, json_string_value(json_object_get(value, "position")), gtids ? gtids : "");
    }
    json_object_foreach(json_object_get(status, "halves"), half, value)
    {
        printf("\n%s\n", half);
        print_lines(value);
    }
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    const struct status_flags *given = inv->flags;
    struct settings settings;
    struct config *cfg;
    struct buf text;
    if (settings_read(&settings, &cfg, &inv->env, &(struct settings_file){given->config, SETTINGS_NO_SOURCE}, e) != 0)
        return err_result(e);
    buf_init(&text, 0);
    if (status_socket_ask(settings.state_dir, &text, e) == 0) {
        json_t *status = json_loadb((const char *)text.p, text.len, 0, NULL);
        if (!status)
            err_set(e, STATUS_NOT_RUNNING, settings.state_dir, "its answer is not whole");
        else if (given->json)
            fwrite(text.p, 1, text.len, stdout);
        else
            print_lines(status);
        *exit_code = json_is_true(json_object_get(status, "healthy")) ? EXIT_FINE : EXIT_AGAIN;
        json_decref(status);
    }
    buf_release(&text);
    config_free(cfg);
    return err_result(e);
}

const struct command command_status = {.name = "status",
                                       .words = "-c CONFIG",
                                       .help = "Shows a running service; exits 0 when it is healthy.",
                                       .flags = flags,
                                       .flags_size = sizeof(struct status_flags),
                                       .run = run};
