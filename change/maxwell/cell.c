/* Which function writes a column: one table by family, refined by what else the type and the options tell. */
#include "change/maxwell/value.h"
#include "value/charset.h"

static bool (*const writers[FAMILY_COUNT])(struct maxwell_out *, const struct maxwell_cell *, const uint8_t *,
                                           size_t) = {
    [FAMILY_NONE] = maxwell_write_by_value,
    [FAMILY_INTEGER] = maxwell_write_signed, /* or maxwell_write_unsigned */
    [FAMILY_DECIMAL] = maxwell_write_number,
    [FAMILY_FLOAT] = maxwell_write_real, /* or maxwell_write_single */
    [FAMILY_BIT] = maxwell_write_bits,
    [FAMILY_YEAR] = maxwell_write_year,
    [FAMILY_DATE] = maxwell_write_temporal,
    [FAMILY_TIME] = maxwell_write_peer_time, /* or write_temporal: output_exact_time */
    [FAMILY_DATETIME] = maxwell_write_temporal,
    [FAMILY_TIMESTAMP] = maxwell_write_temporal,
    [FAMILY_TIME_OLD] = maxwell_write_temporal,
    [FAMILY_DATETIME_OLD] = maxwell_write_temporal,
    [FAMILY_TIMESTAMP_OLD] = maxwell_write_temporal,
    [FAMILY_STRING] = maxwell_write_utf8_text, /* by the character set */
    [FAMILY_ENUM] = maxwell_write_label,
    [FAMILY_SET] = maxwell_write_labels,
    [FAMILY_COMPRESSED] = maxwell_write_by_value,
    [FAMILY_UUID] = maxwell_write_by_value,
    [FAMILY_INET] = maxwell_write_by_value,
    [FAMILY_GEOMETRY] = maxwell_write_geometry_text,
    [FAMILY_VECTOR] = maxwell_write_by_value,
    [FAMILY_JSON] = maxwell_write_document,
};

static bool is_stored_json(const struct column *column)
{
    return column->type.family == FAMILY_STRING && column->type.charset == CHARSET_UTF8 && column->definition &&
           column->definition->json;
}

static void refine_string(struct maxwell_cell *cell)
{
    if (cell->charset == CHARSET_ASCII)
        cell->charset = CHARSET_LATIN1;
    if (cell->charset == CHARSET_UCS2)
        cell->charset = CHARSET_UTF16;
    if (cell->stored_json)
        cell->write = maxwell_write_stored_json;
    else if (cell->charset == CHARSET_BINARY)
        cell->write = maxwell_write_bytes;
    else if (charset_is_converted((enum charset)cell->charset))
        cell->write = maxwell_write_converted;
    else if (cell->charset != CHARSET_UTF8)
        cell->write = maxwell_write_by_value;
}

static void refine(struct maxwell_cell *cell)
{
    const struct coltype *type = cell->type;
    switch (type->family) {
    case FAMILY_INTEGER:
        if (type->is_unsigned)
            cell->write = maxwell_write_unsigned;
        if (!type->sign_known)
            cell->write = maxwell_write_by_value;
        break;
    case FAMILY_FLOAT:
        if (type->wire == WIRE_FLOAT)
            cell->write = maxwell_write_single;
        break;
    case FAMILY_TIME:
        if (cell->exact_time)
            cell->write = maxwell_write_temporal;
        break;
    case FAMILY_STRING:
        refine_string(cell);
        break;
    case FAMILY_ENUM:
    case FAMILY_SET:
        if (!type->labels)
            cell->write = maxwell_write_by_value;
        break;
    default:
        if (coltype_needs_scale(type))
            cell->write = maxwell_write_by_value;
        break;
    }
}

static bool build_labels(struct maxwell_cell *cell, struct arena *arena)
{
    const struct coltype *type = cell->type;
    struct piece *labels = arena_alloc(arena, sizeof *labels * type->label_count);
    if (!labels)
        return false;
    cell->labels = labels;
    bool ok = true;
    for (uint32_t i = 0; ok && i < type->label_count; i++) {
        struct buf text;
        struct maxwell_out out;
        buf_init(&text, 0);
        ok = maxwell_out_open(&out, &text, arena) && maxwell_put_text(&out, type->labels[i].text, type->labels[i].len);
        if (ok)
            maxwell_out_close(&out);
        ok = ok && maxwell_piece(&labels[i], &text, arena);
        buf_release(&text);
    }
    return ok;
}

bool maxwell_cell_init(struct maxwell_cell *cell, const struct column *column, const struct maxwell_options *opt,
                       struct arena *arena)
{
    const struct coltype *type = &column->type;
    bool dated = type->family == FAMILY_DATE || type->family == FAMILY_DATETIME || type->family == FAMILY_TIMESTAMP ||
                 type->family == FAMILY_DATETIME_OLD || type->family == FAMILY_TIMESTAMP_OLD;
    *cell = (struct maxwell_cell){
        .write = writers[type->family],
        .type = type,
        .max_bytes = coltype_max_bytes(type),
        .walk = type->walk,
        .precision = (uint8_t)type->meta,
        .scale = (uint8_t)(type->family == FAMILY_DECIMAL ? type->meta >> 8 : type->meta),
        .charset = type->charset,
        .null_dates = opt->null_zerodates && dated,
        .stored_json = is_stored_json(column),
        .exact_time = opt->exact_time,
    };
    if (type->family == FAMILY_BIT)
        cell->precision = (uint8_t)((type->meta >> 8) * 8 + (type->meta & 255));
    cell->may_be_null = cell->null_dates || type->family == FAMILY_ENUM || type->family == FAMILY_GEOMETRY;
    refine(cell);
    bool labelled = (type->family == FAMILY_ENUM || type->family == FAMILY_SET) && type->labels;
    return !labelled || build_labels(cell, arena);
}
