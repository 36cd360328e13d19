/* The part of docs/support.md that follows from the tables of types, events and character sets. */
#include <stdio.h>
#include <string.h>

#include "binlog/event.h"
#include "cmd/command.h"
#include "value/types.h"

#define COLLATION_MAX 4096
#define CHARSETS_MAX  64

/* Those that no running server of the tests writes; all others are tested on one. */
enum tested { TESTED_ON_SERVER, TESTED_ON_BYTES, BY_DOCUMENTATION };
struct proof {
    uint8_t number; /* of an event, or a type's code */
    uint8_t tested; /* enum tested */
};

static const struct proof event_proofs[] = {
    {EVENT_START_V3, TESTED_ON_BYTES},
    {6, BY_DOCUMENTATION}, /* LOAD */
    {7, BY_DOCUMENTATION}, /* SLAVE */
    {8, BY_DOCUMENTATION}, /* CREATE_FILE */
    {EVENT_APPEND_BLOCK, BY_DOCUMENTATION},
    {10, BY_DOCUMENTATION}, /* EXEC_LOAD */
    {EVENT_DELETE_FILE, BY_DOCUMENTATION},
    {12, BY_DOCUMENTATION}, /* NEW_LOAD */
    {20, TESTED_ON_BYTES},  /* PRE_GA_WRITE_ROWS */
    {21, BY_DOCUMENTATION},
    {22, BY_DOCUMENTATION},
    {EVENT_INCIDENT, TESTED_ON_BYTES},
    {EVENT_IGNORABLE, BY_DOCUMENTATION},
    {EVENT_TRANSACTION_CONTEXT, BY_DOCUMENTATION},
    {EVENT_VIEW_CHANGE, BY_DOCUMENTATION},
    {EVENT_HEARTBEAT_V2, TESTED_ON_BYTES},
    {169, BY_DOCUMENTATION}, /* MariaDB's compressed rows of version 2 */
    {170, BY_DOCUMENTATION},
    {EVENT_DELETE_ROWS_COMPRESSED, BY_DOCUMENTATION},
};

static const struct proof type_proofs[] = {
    {WIRE_NEWDATE, BY_DOCUMENTATION},     {WIRE_VAR_STRING, BY_DOCUMENTATION}, {WIRE_TINY_BLOB, BY_DOCUMENTATION},
    {WIRE_MEDIUM_BLOB, BY_DOCUMENTATION}, {WIRE_LONG_BLOB, BY_DOCUMENTATION},
};

static const char *tested_on(const struct proof *proofs, size_t count, uint8_t number)
{
    static const char *const names[] = {[TESTED_ON_SERVER] = "running server",
                                        [TESTED_ON_BYTES] = "golden bytes",
                                        [BY_DOCUMENTATION] = "documentation"};
    for (size_t i = 0; i < count; i++)
        if (proofs[i].number == number)
            return names[proofs[i].tested];
    return names[TESTED_ON_SERVER];
}
#define TESTED_ON(proofs, number) tested_on((proofs), sizeof(proofs) / sizeof((proofs)[0]), (number))

static void print_events(FILE *out)
{
    static const char *const uses[] = {
        [EVENT_READ] = "read", [EVENT_SKIPPED] = "passed over", [EVENT_STOPS] = "stops: `event_unknown`"};
    const struct event_row *rows;
    size_t count = event_rows(&rows);
    fputs("\n## Events\n\n| type | event | | by |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "| %u | %s | %s | %s |\n", rows[i].type, rows[i].name, uses[rows[i].use],
                TESTED_ON(event_proofs, rows[i].type));
    fputs("\nA type that is not listed is passed over when it carries the flag \"ignorable\", else it stops.\n", out);
}

static void print_types(FILE *out)
{
    const struct type_row *rows;
    size_t count = type_rows(&rows);
    fputs("\n## Column types\n\n| code in the log | SQL | by |\n|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "| %u | %s | %s |\n", rows[i].wire, rows[i].sql_names, TESTED_ON(type_proofs, rows[i].wire));
}

/* All names that the collations give, in alphabetical order. */
static void print_charsets(FILE *out)
{
    const char *names[CHARSETS_MAX];
    size_t count = 0;
    for (unsigned collation = 1; collation < COLLATION_MAX; collation++) {
        const char *name = NULL;
        if (charset_of_collation(collation, &name) == CHARSET_UNKNOWN || !name)
            continue;
        size_t at = 0;
        while (at < count && strcmp(names[at], name) < 0)
            at++;
        if ((at < count && strcmp(names[at], name) == 0) || count == CHARSETS_MAX)
            continue;
        memmove(names + at + 1, names + at, (count - at) * sizeof names[0]);
        names[at] = name;
        count++;
    }
    fputs("\n## Character sets\n\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s`%s`", i ? ", " : "", names[i]);
    fputs(".\n", out);
}

void support_print_reference(FILE *out)
{
    print_events(out);
    print_types(out);
    print_charsets(out);
}
