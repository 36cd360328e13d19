/* sluice: finds the subcommand, parses its flags, prints its error, gives its exit code. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err_reference.h"
#include "cmd/command.h"

static void print_usage(FILE *out)
{
    fputs("sluice keeps caches and downstream stores true to a MySQL or MariaDB database.\n\n", out);
    for (const struct command *const *cmd = commands; *cmd; cmd++)
        fprintf(out, "  sluice %-9s %-36s %s\n", (*cmd)->name, (*cmd)->words, (*cmd)->help);
    fputs("\n  sluice COMMAND --help            flags of a command\n"
          "  sluice --version\n"
          "  sluice --config-reference        all keys of the configuration file, as Markdown\n"
          "  sluice --error-reference         all errors, as Markdown\n"
          "  sluice --support-reference       events, column types and character sets, as Markdown\n\n"
          "Exit codes: 0 fine, 1 failed and may be tried again, 2 usage or configuration, 3 differences found, 4 "
          "stopped: a\n"
          "person must act.\n",
          out);
}

static void print_command_help(const struct command *cmd)
{
    printf("usage: sluice %s [flags] %s\n\n%s\n\n", cmd->name, cmd->words, cmd->help);
    option_print_help(stdout, "--", cmd->flags);
}

static int print_error(const char *name, const struct err *e)
{
    const char *todo = err_code_todo(e->code);
    fprintf(stderr, "sluice %s: %s%s%s [%s]\n", name, e->text, *todo ? "; " : "", todo, err_code_name(e->code));
    return pipeline_exit_code(e);
}

static int run_command(const struct command *cmd, int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct invocation inv = {.env = env_system()};
    struct config *flag_cfg = NULL;
    struct flags_line line = {.argc = argc, .argv = argv};
    int code = EXIT_FINE;
    void *flags = calloc(1, cmd->flags_size);
    int rc = flags ? 0 : err_set(&e, NO_MEMORY, cmd->flags_size);
    if (rc == 0)
        rc = config_parse(&flag_cfg, &inv.env, "flags", "", &e);
    if (rc == 0)
        rc = flags_parse(flag_cfg, cmd->flags, &line, flags, &e);
    if (rc == 0) {
        inv.flags = flags;
        inv.words = line.words;
        inv.word_count = line.word_count;
        rc = cmd->run(&inv, &code, &e);
    }
    if (rc != 0)
        code = print_error(cmd->name, &e);
    config_free(flag_cfg);
    free(flags);
    return code;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

static int unknown_command(const char *name)
{
    const char *names[16];
    size_t count = 0;
    while (commands[count] && count < sizeof names / sizeof *names) {
        names[count] = commands[count]->name;
        count++;
    }
    const char *near = config_nearest(name, names, count);
    if (near)
        fprintf(stderr, "sluice: there is no command '%s'; did you mean '%s'?\n", name, near);
    else
        fprintf(stderr, "sluice: there is no command '%s'; see sluice --help\n", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        puts("sluice " SLUICE_VERSION);
        return EXIT_FINE;
    }
    if (strcmp(name, "--config-reference") == 0) {
        settings_print_reference(stdout);
        return EXIT_FINE;
    }
    if (strcmp(name, "--error-reference") == 0) {
        err_print_reference(stdout);
        return EXIT_FINE;
    }
    if (strcmp(name, "--support-reference") == 0) {
        support_print_reference(stdout);
        return EXIT_FINE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return EXIT_FINE;
    }
    for (const struct command *const *cmd = commands; *cmd; cmd++) {
        if (strcmp((*cmd)->name, name) != 0)
            continue;
        if (asks_for_help(argc - 2, argv + 2)) {
            print_command_help(*cmd);
            return EXIT_FINE;
        }
        return run_command(*cmd, argc - 2, argv + 2);
    }
    return unknown_command(name);
}
