/* Debezium's JSON: the envelope of the MySQL and MariaDB connectors without schemas, one record per changed row with a
 * tombstone behind each delete. docs/peers/debezium.md tells it rule by rule.
 *
 * The parts of a message: source in debezium/source.c, values in debezium/value.c (one table by column family),
 * debezium/time.c and debezium/text.c, what stands for NULL in debezium/default.c, schema changes in debezium/ddl.c,
 * transactions in debezium/tx.c. Here: the options and what is bound; rows are in debezium/row.c. */
#include <stdlib.h>

#include "change/debezium/debezium.h"
#include "change/statement.h"

#define SCRATCH_CHUNK 65536u
#define SCRATCH_KEEP  (1024u * 1024)

static const struct option_name connectors[] = {
    {"auto", CONNECTOR_AUTO}, {"mysql", CONNECTOR_MYSQL}, {"mariadb", CONNECTOR_MARIADB}, {NULL, 0}};
static const struct option_name decimals[] = {
    {"precise", DECIMALS_PRECISE}, {"string", DECIMALS_STRING}, {"double", DECIMALS_DOUBLE}, {NULL, 0}};
static const struct option_name times[] = {
    {"adaptive_time_microseconds", TIMES_ADAPTIVE}, {"connect", TIMES_CONNECT},         {"isostring", TIMES_ISOSTRING},
    {"microseconds", TIMES_MICROSECONDS},           {"nanoseconds", TIMES_NANOSECONDS}, {NULL, 0}};
static const struct option_name bigints[] = {{"long", BIGINTS_LONG}, {"precise", BIGINTS_PRECISE}, {NULL, 0}};
static const struct option_name binaries[] = {{"bytes", BINARIES_BASE64},
                                              {"base64", BINARIES_BASE64},
                                              {"base64-url-safe", BINARIES_URL_SAFE},
                                              {"hex", BINARIES_HEX},
                                              {NULL, 0}};

#define FIELD(name_) .offset = offsetof(struct debezium_options, name_)
static const struct option debezium_options[] = {
    {.name = "topic.prefix",
     .type = OPTION_STRING,
     FIELD(prefix),
     .text = "dbz",
     .help = "Name of the source: source.name and the begin of topics."},
    {.name = "connector",
     .type = OPTION_ENUM,
     FIELD(connector),
     .text = "auto",
     .names = connectors,
     .help = "Which connector's messages: auto is that of the server whose transactions they are."},
    {.name = "decimal.handling.mode",
     .type = OPTION_ENUM,
     FIELD(decimals),
     .text = "precise",
     .names = decimals,
     .help = "DECIMAL as the base64 of its unscaled value, as text, or as a double."},
    {.name = "time.precision.mode",
     .type = OPTION_ENUM,
     FIELD(times),
     .text = "adaptive_time_microseconds",
     .names = times,
     .help = "Unit of DATE, TIME and DATETIME."},
    {.name = "bigint.unsigned.handling.mode",
     .type = OPTION_ENUM,
     FIELD(bigints),
     .text = "long",
     .names = bigints,
     .help = "BIGINT UNSIGNED as a number of 64 bits with a sign, or as DECIMAL in the mode precise."},
    {.name = "binary.handling.mode",
     .type = OPTION_ENUM,
     FIELD(binaries),
     .text = "bytes",
     .names = binaries,
     .help = "BINARY, VARBINARY and BLOB: bytes and base64 are the same in JSON."},
    {.name = "tombstones.on.delete",
     .type = OPTION_BOOL,
     FIELD(tombstones),
     .text = "true",
     .help = "A record without a value behind each delete."},
    {.name = "provide.transaction.metadata",
     .type = OPTION_BOOL,
     FIELD(transactions),
     .text = "false",
     .help = "Begin and end of transactions as records, and the numbers of rows in them; takes one lane."},
    {.name = "include.query",
     .type = OPTION_BOOL,
     FIELD(query),
     .text = "false",
     .help = "source.query is the statement behind a row, where the server logs it."},
    {.name = "skipped.operations",
     .type = OPTION_STRING,
     FIELD(skipped),
     .text = "t",
     .help = "Operations that make no record: letters of c, u, d, t with commas between, or none."},
    {.name = "enable.time.adjuster",
     .type = OPTION_BOOL,
     FIELD(adjust_years),
     .text = "true",
     .help = "Years 1 to 69 of dates become 2001 to 2069, 70 to 99 become 1970 to 1999."},
    {.name = "value.converter.replace.null.with.default",
     .type = OPTION_BOOL,
     FIELD(defaults),
     .text = "true",
     .help = "NULL in a column with a DEFAULT is written as that default."},
    {.name = "ddl",
     .type = OPTION_BOOL,
     FIELD(ddl),
     .text = "false",
     .help = "Schema changes as records (include.schema.changes of the connector)."},
    {.name = NULL},
};

/* Bits of the letters; -1: not such a list. */
static int skipped_bits(const char *list)
{
    int bits = 0;
    if (strcmp(list, "none") == 0)
        return 0;
    for (const char *p = list; *p; p++) {
        if (*p == ',' || *p == ' ')
            continue;
        if (!strchr("cudtr", *p) || (p[1] && p[1] != ',' && p[1] != ' '))
            return -1;
        bits |= 1 << (*p - 'a');
    }
    return bits;
}

static int debezium_check(const void *opt, struct err *e)
{
    const struct debezium_options *options = opt;
    if (skipped_bits(options->skipped) < 0)
        return err_set(e, CONFIG_VALUE, "skipped.operations", "not a list of c, u, d, t, and not none");
    if (options->prefix[0] == '\0')
        return err_set(e, CONFIG_VALUE, "topic.prefix", "empty: it begins the names of topics and transactions");
    return 0;
}

static bool is_skipped(unsigned bits, char op)
{
    return bits >> (op - 'a') & 1;
}

static unsigned debezium_needs(const void *opt)
{
    const struct debezium_options *options = opt;
    unsigned needs = FORMAT_NEEDS_DEFINITIONS;
    needs |= options->ddl || !is_skipped((unsigned)skipped_bits(options->skipped), 't') ? FORMAT_NEEDS_STATEMENTS : 0;
    needs |= options->transactions ? FORMAT_NEEDS_TRANSACTIONS : 0;
    needs |= options->query ? FORMAT_NEEDS_QUERY : 0;
    return needs;
}

static enum format_key debezium_key(const void *opt)
{
    (void)opt;
    return FORMAT_KEY_ROW;
}

static bool debezium_tombstones(const void *opt)
{
    return ((const struct debezium_options *)opt)->tombstones;
}

/* ---------------------------------------------------------------- what is bound */

static void debezium_unbind(void *bind)
{
    struct debezium_bind *b = bind;
    if (!b)
        return;
    arena_release(&b->arena);
    free(b);
}

static int bind_key(struct debezium_bind *b, const struct table *tbl, struct err *e)
{
    const uint16_t *from = tbl->pk_count ? tbl->pk : tbl->unique;
    unsigned count = tbl->pk_count ? tbl->pk_count : tbl->unique_count;
    uint16_t *key = arena_alloc(&b->arena, count * sizeof *key);
    if (!key)
        return err_set(e, NO_MEMORY, count * sizeof *key);
    for (unsigned i = 0; i < count; i++)
        key[i] = from[i];
    b->key = key;
    b->key_count = count;
    return 0;
}

static int bind_cells(struct debezium_bind *b, const struct debezium_options *opt, const struct table *tbl,
                      struct err *e)
{
    unsigned count = tbl->column_count;
    uint16_t *all = arena_alloc(&b->arena, count * sizeof *all);
    int rc = 0;
    b->cells = arena_alloc(&b->arena, count * sizeof *b->cells);
    if (!all || !b->cells)
        return err_set(e, NO_MEMORY, count * sizeof *b->cells);
    b->max = 2;
    for (unsigned i = 0; i < count && rc == 0; i++) {
        all[i] = (uint16_t)i;
        rc = debezium_cell(&b->cells[i], &tbl->columns[i], opt, &b->arena, e);
        b->max += b->cells[i].max;
    }
    b->all = (struct colset){all, count};
    return rc;
}

static int debezium_bind(void **out, const void *opt, const struct table *tbl, struct err *e)
{
    struct debezium_bind *b = calloc(1, sizeof *b);
    if (!b)
        return err_set(e, NO_MEMORY, sizeof *b);
    arena_init(&b->arena, 4096, 0, 0);
    int rc = debezium_source(&b->source, opt, tbl->db, tbl->name, &b->arena, e);
    if (rc == 0)
        rc = bind_cells(b, opt, tbl, e);
    if (rc == 0)
        rc = bind_key(b, tbl, e);
    if (rc != 0) {
        debezium_unbind(b);
        return rc;
    }
    *out = b;
    return 0;
}

static void debezium_close(struct format *format)
{
    struct debezium *to = (struct debezium *)format;
    if (!to)
        return;
    arena_release(&to->arena);
    arena_release(&to->own);
    buf_release(&to->keys[SIDE_BEFORE]);
    buf_release(&to->keys[SIDE_AFTER]);
    debezium_tx_release(&to->tx);
    debezium_tx_release(&to->marked);
    free(to->found);
    free(to);
}

static int debezium_open(struct format **out, const void *opt, struct err *e)
{
    const struct debezium_options *options = opt;
    struct debezium *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &format_debezium;
    to->options = options;
    to->skipped = (unsigned)skipped_bits(options->skipped);
    arena_init(&to->arena, SCRATCH_CHUNK, SCRATCH_KEEP, 0);
    arena_init(&to->own, 1024, 0, 0);
    buf_init(&to->keys[SIDE_BEFORE], 0);
    buf_init(&to->keys[SIDE_AFTER], 0);
    buf_init(&to->tx.id, 0);
    buf_init(&to->marked.id, 0);
    int rc = debezium_context(to, e);
    if (rc != 0) {
        debezium_close(&to->base);
        return rc;
    }
    *out = &to->base;
    return 0;
}

static int add_statement(struct debezium *to, const struct change *chg, size_t item, struct record_list *out,
                         struct err *e)
{
    if (chg->statement->kind == STATEMENT_TRUNCATE)
        return is_skipped(to->skipped, 't') ? 0 : debezium_add_truncate(to, chg, item, out, e);
    return to->options->ddl ? debezium_statement(to, chg, item, out, e) : 0;
}

static int debezium_add(struct format *format, const struct change *chg, const void *bind, size_t item,
                        struct record_list *out, struct err *e)
{
    static const char letters[] = {
        [CHANGE_INSERT] = 'c', [CHANGE_UPDATE] = 'u', [CHANGE_DELETE] = 'd', [CHANGE_READ] = 'r', [CHANGE_END] = 0};
    struct debezium *to = (struct debezium *)format;
    if (letters[chg->op] && is_skipped(to->skipped, letters[chg->op]))
        return 0;
    switch (chg->op) {
    case CHANGE_STATEMENT:
        return add_statement(to, chg, item, out, e);
    case CHANGE_BEGIN:
        return to->options->transactions ? debezium_begin(to, chg, item, out, e) : 0;
    case CHANGE_END:
        return to->options->transactions ? debezium_end(to, chg, item, out, e) : 0;
    case CHANGE_TRUNCATE:
        return 0;
    default:
        return debezium_add_row(to, chg, bind, item, out, e);
    }
}

static int debezium_mark(struct format *format, struct err *e)
{
    struct debezium *to = (struct debezium *)format;
    return debezium_tx_copy(&to->marked, &to->tx, e);
}

static void debezium_restore(struct format *format)
{
    struct debezium *to = (struct debezium *)format;
    struct debezium_tx failed = to->tx;
    to->tx = to->marked;
    to->marked = failed;
}

const struct format_ops format_debezium = {
    .name = "debezium",
    .help = "Messages of Debezium's MySQL and MariaDB connectors without schemas.",
    .options_size = sizeof(struct debezium_options),
    .options = debezium_options,
    .check = debezium_check,
    .needs = debezium_needs,
    .key = debezium_key,
    .tombstones = debezium_tombstones,
    .bind = debezium_bind,
    .unbind = debezium_unbind,
    .open = debezium_open,
    .close = debezium_close,
    .add = debezium_add,
    .mark = debezium_mark,
    .restore = debezium_restore,
};
