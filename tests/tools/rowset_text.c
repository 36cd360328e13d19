/* One line per rowset; values in their JSON form. */
#include "tools/rowset_text.h"

#include "change/statement.h"

static const char *const kinds[] = {
    [ROWSET_BEGIN] = "BEGIN",       [ROWSET_ROWS] = "ROWS",           [ROWSET_END] = "END",
    [ROWSET_ROLLBACK] = "ROLLBACK", [ROWSET_SAVEPOINT] = "SAVEPOINT", [ROWSET_ROLLBACK_TO] = "ROLLBACK_TO",
    [ROWSET_DISCARD] = "DISCARD",   [ROWSET_STATEMENT] = "STATEMENT", [ROWSET_DDL] = "DDL",
    [ROWSET_MARK] = "MARK",         [ROWSET_LOST] = "LOST",           [ROWSET_NOTE] = "NOTE",
    [ROWSET_EOF] = "EOF",
};
static const char *const effects[] = {"nothing", "schema", "truncate"};

static void image_text(const struct shape *shape, const struct image *image, const struct image *before,
                       struct buf *out)
{
    struct arena arena;
    struct err e = ERR_INIT;
    struct value values[64];
    arena_init(&arena, 4096, 0, 0);
    if (shape->tbl->column_count > 64 || shape->codec->values(shape, image, before, NULL, values, &arena, &e) != 0) {
        buf_printf(out, " !%s", e.text);
    } else {
        buf_text(out, " {");
        for (unsigned i = 0, shown = 0; i < shape->tbl->column_count; i++) {
            if (values[i].kind == VALUE_ABSENT)
                continue;
            buf_printf(out, "%s%s:", shown++ ? "," : "", shape->tbl->columns[i].name);
            value_json(&values[i], out);
        }
        buf_byte(out, '}');
    }
    arena_release(&arena);
}

static void rows_text(const struct rowset *rs, struct buf *out)
{
    struct row_iter it = {0};
    struct row_view row;
    struct err e = ERR_INIT;
    int rc;
    while ((rc = rowset_next_row(rs, &it, &row, NULL, NULL, NULL, &e)) == 1) {
        buf_printf(out, "  %u", row.row_in_event);
        if (row.before.bytes)
            image_text(rs->shape, &row.before, NULL, out);
        if (row.after.bytes) {
            buf_text(out, rs->op == CHANGE_UPDATE ? " ->" : "");
            image_text(rs->shape, &row.after, &row.before, out);
        }
        buf_byte(out, '\n');
    }
    if (rc < 0)
        buf_printf(out, "  !%s\n", e.text);
}

static void tx_text(const struct tx *tx, struct buf *out)
{
    char gtid[GTID_TEXT_MAX];
    buf_printf(out, " gtid=%s at=%s:%llu us=%lld%s", gtid_print(&tx->gtid, gtid) ? gtid : "-", tx->file,
               (unsigned long long)tx->pos, (long long)tx->commit_us, tx->commit_in_us ? "" : "~");
}

void rowset_text(const struct rowset *rs, struct buf *out)
{
    buf_text(out, kinds[rs->kind]);
    switch (rs->kind) {
    case ROWSET_BEGIN:
        tx_text(&rs->tx, out);
        break;
    case ROWSET_ROWS:
        buf_printf(out, " %s.%s %s event=%u pos=%llu", rs->shape->tbl->db, rs->shape->tbl->name, change_op_name(rs->op),
                   rs->event_ordinal, (unsigned long long)rs->event_pos);
        if (rs->query)
            buf_printf(out, " query=%.*s/%llu", (int)rs->query->len, rs->query->text,
                       (unsigned long long)rs->query->whole_bytes);
        break;
    case ROWSET_SAVEPOINT:
    case ROWSET_ROLLBACK_TO:
        buf_byte(out, ' ');
        buf_add(out, rs->name, rs->name_len);
        break;
    case ROWSET_DDL:
        tx_text(&rs->tx, out);
        buf_printf(out, " effect=%s", effects[rs->effect]);
        __attribute__((fallthrough));
    case ROWSET_DISCARD:
    case ROWSET_STATEMENT:
        for (unsigned i = 0; i < rs->table_count; i++)
            buf_printf(out, " %s.%s", rs->tables[i].db, rs->tables[i].name);
        break;
    case ROWSET_ROLLBACK: {
        char gtid[GTID_TEXT_MAX];
        buf_printf(out, " gtid=%s", gtid_print(&rs->tx.gtid, gtid) ? gtid : "-");
        break;
    }
    case ROWSET_NOTE:
    case ROWSET_LOST:
        buf_printf(out, " %s: %s", err_code_name(rs->note.code), rs->note.text);
        break;
    default:
        break;
    }
    if (rs->shown) {
        buf_printf(out, " shown=%d", (int)rs->shown->kind);
        for (unsigned i = 0; i < rs->shown->table_count; i++)
            buf_printf(out, ",%s:%u>%u", rs->shown->tables[i].name,
                       rs->shown->tables[i].before ? rs->shown->tables[i].before->column_count : 0,
                       rs->shown->tables[i].after ? rs->shown->tables[i].after->column_count : 0);
    }
    if (rs->end.file[0])
        buf_printf(out, " end=%s:%llu", rs->end.file, (unsigned long long)rs->end.pos);
    buf_byte(out, '\n');
    if (rs->kind == ROWSET_ROWS)
        rows_text(rs, out);
}
