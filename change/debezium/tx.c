/* Transactions as messages of their own, and the numbers of rows in them. */
#include <stdlib.h>

#include "change/debezium/debezium.h"
#include "value/java.h"
#include "value/write.h"

static void add_uint(struct buf *out, uint64_t v)
{
    uint8_t *o = buf_room(out, WRITE_UINT_MAX);
    if (o)
        out->len += (size_t)(write_uint(o, v) - o);
}

int debezium_no_room(const struct buf *out, struct err *e)
{
    return out->cap ? err_set(e, LIMIT, "a message", out->cap + 1, out->cap) : err_set(e, NO_MEMORY, out->size);
}

static void forget_tables(struct debezium_tx *tx)
{
    for (size_t i = 0; i < tx->count; i++)
        free(tx->tables[i].name);
    tx->count = 0;
    tx->last = 0;
}

void debezium_tx_release(struct debezium_tx *tx)
{
    forget_tables(tx);
    free(tx->tables);
    buf_release(&tx->id);
}

/* Its GTID, else the place of its begin. */
static bool make_id(struct debezium_tx *tx, const struct tx *of)
{
    char gtid[GTID_TEXT_MAX];
    struct buf text;
    buf_init(&text, 0);
    if (gtid_is_set(&of->gtid)) {
        buf_add(&text, gtid, gtid_print(&of->gtid, gtid));
    } else {
        buf_text(&text, "file=");
        buf_text(&text, of->file);
        buf_text(&text, ",pos=");
        add_uint(&text, of->pos);
    }
    buf_clear(&tx->id);
    debezium_add_string(&tx->id, (const char *)text.p, text.len);
    bool ok = !text.failed && !tx->id.failed;
    buf_release(&text);
    return ok;
}

static int add_record(struct debezium *to, size_t item, struct record_list *out, const char *status, struct err *e)
{
    struct buf *text = &out->text;
    if (!records_begin(out, RECORD_TX, item))
        return err_set(e, NO_MEMORY, sizeof(struct record));
    if (out->wants_keys) {
        buf_text(text, "{\"id\":");
        buf_add(text, to->tx.id.p, to->tx.id.len);
        buf_byte(text, '}');
        records_key(out);
    }
    buf_text(text, "{\"status\":\"");
    buf_text(text, status);
    buf_text(text, "\",\"id\":");
    buf_add(text, to->tx.id.p, to->tx.id.len);
    buf_text(text, ",\"event_count\":");
    return 0;
}

static int end_record(const struct change *chg, struct record_list *out, struct err *e)
{
    struct buf *text = &out->text;
    buf_text(text, ",\"ts_ms\":");
    add_uint(text, (uint64_t)(debezium_event_us(chg) / 1000));
    buf_byte(text, '}');
    records_value(out);
    if (!text->failed)
        return 0;
    int rc = debezium_no_room(text, e);
    records_drop(out);
    return rc;
}

/* The rows of XA come without the BEGIN that has a connection's id. */
static bool is_xa(const struct debezium *to, const struct change *chg)
{
    return debezium_connector(to, chg) == CONNECTOR_MYSQL && chg->tx->thread_id == 0;
}

int debezium_begin(struct debezium *to, const struct change *chg, size_t item, struct record_list *out, struct err *e)
{
    struct debezium_tx *tx = &to->tx;
    forget_tables(tx);
    tx->rows = 0;
    tx->open = !is_xa(to, chg);
    if (!tx->open)
        return 0;
    if (!make_id(tx, chg->tx))
        return err_set(e, NO_MEMORY, tx->id.size);
    int rc = add_record(to, item, out, "BEGIN", e);
    if (rc != 0)
        return rc;
    buf_text(&out->text, "null,\"data_collections\":null");
    return end_record(chg, out, e);
}

/* Bucket of a Java HashMap of so many. */
static size_t bucket_of(const char *name, size_t buckets)
{
    uint32_t h = (uint32_t)java_hash(name, strlen(name));
    return (h ^ h >> 16) & (buckets - 1);
}

static int by_bucket(const void *a, const void *b)
{
    const struct debezium_hashed *left = a, *right = b;
    if (left->bucket != right->bucket)
        return left->bucket < right->bucket ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* It has 16 buckets, twice as many when it is more than 3/4 full. */
void debezium_hash_order(struct debezium_hashed *names, size_t count)
{
    size_t buckets = 16;
    while (count * 4 > buckets * 3)
        buckets *= 2;
    for (size_t i = 0; i < count; i++)
        names[i].bucket = bucket_of(names[i].name, buckets);
    if (count)
        qsort(names, count, sizeof *names, by_bucket);
}

static void add_table(struct buf *out, const struct debezium_table *table)
{
    buf_text(out, "{\"data_collection\":");
    debezium_add_string(out, table->name, strlen(table->name));
    buf_text(out, ",\"event_count\":");
    add_uint(out, table->rows);
    buf_text(out, "},");
}

static bool add_tables(struct buf *out, const struct debezium_tx *tx)
{
    struct debezium_hashed *names = malloc((tx->count + 1) * sizeof *names);
    if (!names)
        return false;
    for (size_t i = 0; i < tx->count; i++)
        names[i] = (struct debezium_hashed){.name = tx->tables[i].name, .number = i};
    debezium_hash_order(names, tx->count);
    buf_byte(out, '[');
    for (size_t i = 0; i < tx->count; i++)
        add_table(out, &tx->tables[names[i].number]);
    if (tx->count && !out->failed)
        out->len--;
    buf_byte(out, ']');
    free(names);
    return true;
}

int debezium_end(struct debezium *to, const struct change *chg, size_t item, struct record_list *out, struct err *e)
{
    struct debezium_tx *tx = &to->tx;
    if (!tx->open)
        return 0;
    int rc = add_record(to, item, out, "END", e);
    if (rc != 0)
        return rc;
    add_uint(&out->text, tx->rows);
    buf_text(&out->text, ",\"data_collections\":");
    if (!add_tables(&out->text, tx)) {
        records_drop(out);
        return err_set(e, NO_MEMORY, tx->count * sizeof(struct debezium_hashed));
    }
    tx->open = false;
    return end_record(chg, out, e);
}

static bool is_table(const struct debezium_table *table, const struct change *chg)
{
    size_t len = strlen(chg->db);
    return strncmp(table->name, chg->db, len) == 0 && table->name[len] == '.' &&
           strcmp(table->name + len + 1, chg->table) == 0;
}

/* The new last table; it owns `name`, also after an error. NULL is a name that could not be made. */
static int push_table(struct debezium_tx *tx, char *name, uint64_t rows, struct err *e)
{
    size_t size = tx->size ? tx->size : 8;
    if (name && tx->count == tx->size) {
        size *= tx->size ? 2 : 1;
        struct debezium_table *grown = realloc(tx->tables, size * sizeof *grown);
        if (!grown) {
            free(name);
            return err_set(e, NO_MEMORY, size * sizeof *grown);
        }
        tx->tables = grown;
        tx->size = size;
    }
    if (!name)
        return err_set(e, NO_MEMORY, sizeof(struct debezium_table));
    tx->tables[tx->count++] = (struct debezium_table){name, rows};
    return 0;
}

static int new_table(struct debezium_tx *tx, const struct change *chg, struct err *e)
{
    size_t bytes = strlen(chg->db) + strlen(chg->table) + 2;
    char *name = malloc(bytes);
    if (name)
        snprintf(name, bytes, "%s.%s", chg->db, chg->table);
    return push_table(tx, name, 0, e);
}

int debezium_tx_copy(struct debezium_tx *to, const struct debezium_tx *from, struct err *e)
{
    int rc = 0;
    forget_tables(to);
    to->open = from->open;
    to->rows = from->rows;
    if (!from->open)
        return 0;
    buf_clear(&to->id);
    buf_add(&to->id, from->id.p, from->id.len);
    if (to->id.failed)
        return err_set(e, NO_MEMORY, from->id.len);
    for (size_t i = 0; i < from->count && rc == 0; i++)
        rc = push_table(to, strdup(from->tables[i].name), from->tables[i].rows, e);
    to->last = from->last;
    return rc;
}

int debezium_count(struct debezium *to, const struct change *chg, const struct debezium_table **table, struct err *e)
{
    struct debezium_tx *tx = &to->tx;
    size_t i = tx->last;
    *table = NULL;
    if (!tx->open)
        return 0;
    if (i >= tx->count || !is_table(&tx->tables[i], chg))
        for (i = 0; i < tx->count && !is_table(&tx->tables[i], chg); i++)
            ;
    int rc = i == tx->count ? new_table(tx, chg, e) : 0;
    if (rc != 0)
        return rc;
    tx->last = i;
    tx->rows++;
    tx->tables[i].rows++;
    *table = &tx->tables[i];
    return 0;
}
