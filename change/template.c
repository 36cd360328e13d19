/* Key templates: the parser, binding to a table version, the glob. Rendering: template_render.c. */
#include "change/template.h"

#include <stdlib.h>
#include <string.h>

#include "change/template_parts.h"

/* Where the parser stands. */
struct parser {
    struct template *tpl;
    const char *p;
    bool may_list;
    struct err *e;
};

static int bad(const struct parser *in, const char *what)
{
    return err_set(in->e, TEMPLATE, in->tpl->source, what);
}

static int no_memory(const struct parser *in, size_t len)
{
    return err_set(in->e, NO_MEMORY, len);
}

/* Text up to the next single brace; doubled braces stand for one. */
static int parse_literal(struct parser *in, struct template_piece *piece)
{
    char *text = arena_alloc(&in->tpl->arena, strlen(in->p) + 1), *o = text;
    if (!text)
        return no_memory(in, strlen(in->p) + 1);
    while (*in->p) {
        bool brace = *in->p == '{' || *in->p == '}';
        if (brace && in->p[1] != in->p[0])
            break;
        in->p += brace;
        *o++ = *in->p++;
    }
    if (*in->p == '}')
        return bad(in, "a } without its {; a brace as text is written twice");
    *piece = (struct template_piece){.text = text, .len = (size_t)(o - text)};
    return 0;
}

static const struct {
    const char *name;
    enum template_filter filter;
} filter_names[] = {
    {"lower", TEMPLATE_LOWER},
    {"upper", TEMPLATE_UPPER},
    {"trim", TEMPLATE_TRIM},
    {"hex", TEMPLATE_HEX},
};

#define DEFAULT_WORD     "default:"
#define DEFAULT_WORD_LEN (sizeof DEFAULT_WORD - 1)

/* One filter, from behind its bar to the next bar or the closing brace. */
static int parse_filter(struct parser *in, struct template_step *step)
{
    size_t len = strcspn(in->p, "|}");
    if (len >= DEFAULT_WORD_LEN && memcmp(in->p, DEFAULT_WORD, DEFAULT_WORD_LEN) == 0) {
        *step = (struct template_step){TEMPLATE_DEFAULT, in->p + DEFAULT_WORD_LEN, len - DEFAULT_WORD_LEN};
        in->p += len;
        return 0;
    }
    for (size_t i = 0; i < sizeof filter_names / sizeof filter_names[0]; i++)
        if (strlen(filter_names[i].name) == len && memcmp(in->p, filter_names[i].name, len) == 0) {
            *step = (struct template_step){.filter = filter_names[i].filter};
            in->p += len;
            return 0;
        }
    return bad(in, "unknown filter; known are lower, upper, trim, hex, default:TEXT");
}

/* The number of the column in the template's list, which grows by new names. */
static int note_column(struct parser *in, const char *name, size_t len, unsigned *out)
{
    struct template *tpl = in->tpl;
    for (unsigned i = 0; i < tpl->column_count; i++)
        if (strlen(tpl->columns[i]) == len && memcmp(tpl->columns[i], name, len) == 0) {
            *out = i;
            return 0;
        }
    if (tpl->column_count == TEMPLATE_COLUMNS_MAX)
        return bad(in, "more than 64 columns");
    char *copy = arena_copy(&tpl->arena, name, len);
    if (!copy)
        return no_memory(in, len + 1);
    tpl->columns[tpl->column_count] = copy;
    *out = tpl->column_count++;
    return 0;
}

#define LIST_MARK     "[*]"
#define LIST_MARK_LEN (sizeof LIST_MARK - 1)

/* "tags[*]": the name without its mark. */
static bool is_list(const char *name, size_t *len)
{
    if (*len < LIST_MARK_LEN || memcmp(name + *len - LIST_MARK_LEN, LIST_MARK, LIST_MARK_LEN) != 0)
        return false;
    *len -= LIST_MARK_LEN;
    return true;
}

static int note_list(struct parser *in, struct template_piece *piece)
{
    if (!in->may_list)
        return bad(in, "a list makes several texts, which are possible of keys to remove only");
    if (in->tpl->list)
        return bad(in, "more than one list");
    piece->is_list = true;
    in->tpl->list = piece;
    return 0;
}

/* What is NULL in a list is no element; a default would be the key of rows that have none. */
static int check_list(const struct parser *in, const struct template_piece *piece)
{
    for (unsigned i = 0; piece->is_list && i < piece->step_count; i++)
        if (piece->steps[i].filter == TEMPLATE_DEFAULT)
            return bad(in, "a default of a list");
    return 0;
}

static int parse_placeholder(struct parser *in, struct template_piece *piece)
{
    const char *name = ++in->p;
    size_t len = strcspn(name, "|}{"), name_len = len;
    *piece = (struct template_piece){.is_column = true};
    if (name[len] == '{')
        return bad(in, "a { inside a placeholder");
    int rc = is_list(name, &name_len) ? note_list(in, piece) : 0;
    if (rc == 0 && name_len == 0)
        return bad(in, "a placeholder without a column");
    if (rc == 0)
        rc = note_column(in, name, name_len, &piece->column);
    in->p += len;
    while (rc == 0 && *in->p == '|') {
        if (piece->step_count == TEMPLATE_STEPS_MAX)
            return bad(in, "more than 8 filters in one placeholder");
        in->p++;
        rc = parse_filter(in, &piece->steps[piece->step_count++]);
    }
    if (rc == 0 && *in->p++ != '}')
        rc = bad(in, "a { without its }");
    return rc == 0 ? check_list(in, piece) : rc;
}

static int parse(struct parser *in)
{
    struct template *tpl = in->tpl;
    int rc = 0;
    while (rc == 0 && *in->p) {
        struct template_piece *piece = &tpl->pieces[tpl->piece_count++];
        if (in->p[0] == '{' && in->p[1] != '{')
            rc = parse_placeholder(in, piece);
        else
            rc = parse_literal(in, piece);
    }
    return rc;
}

/* Every piece takes at least a character of the text, a placeholder three. */
static unsigned pieces_max(const char *text)
{
    unsigned braces = 0;
    for (const char *p = text; *p; p++)
        braces += *p == '{';
    return 2 * braces + 1;
}

static int compile(struct template **out, const char *text, bool may_list, struct err *e)
{
    size_t bytes = sizeof(struct template_piece) * pieces_max(text);
    struct template *tpl = malloc(sizeof *tpl);
    if (!tpl)
        return err_set(e, NO_MEMORY, sizeof *tpl);
    *tpl = (struct template){.column_count = 0};
    arena_init(&tpl->arena, 1024, 0, 0);
    tpl->pieces = arena_alloc(&tpl->arena, bytes);
    tpl->source = arena_copy(&tpl->arena, text, strlen(text));
    int rc = 0;
    if (!tpl->pieces || !tpl->source)
        rc = err_set(e, NO_MEMORY, bytes);
    struct parser in = {tpl, tpl->source, may_list, e};
    if (rc == 0)
        rc = parse(&in);
    if (rc != 0) {
        template_free(tpl);
        return rc;
    }
    *out = tpl;
    return 0;
}

int template_compile(struct template **out, const char *text, struct err *e)
{
    return compile(out, text, false, e);
}

int template_compile_keys(struct template **out, const char *text, struct err *e)
{
    return compile(out, text, true, e);
}

void template_free(struct template *tpl)
{
    if (!tpl)
        return;
    arena_release(&tpl->arena);
    free(tpl);
}

const char *template_source(const struct template *tpl)
{
    return tpl->source;
}

unsigned template_columns(const struct template *tpl, const char *const **names)
{
    *names = tpl->columns;
    return tpl->column_count;
}

static int missing_column(const struct template *tpl, const struct table *tbl, const char *name, struct err *e)
{
    char what[3 * TABLE_NAME_BYTES_MAX + 64];
    snprintf(what, sizeof what, "table %s.%s has no column '%s'", tbl->db, tbl->name, name);
    return err_set(e, TEMPLATE, tpl->source, what);
}

/* A column that can hold the text of a JSON array. Of records of a bus the types are not known. */
static bool can_hold_list(const struct column *column)
{
    enum family family = column->type.family;
    return family == FAMILY_JSON || family == FAMILY_STRING || family == FAMILY_COMPRESSED || family == FAMILY_NONE;
}

static int no_list(const struct template *tpl, const struct column *column, struct err *e)
{
    char what[3 * TABLE_NAME_BYTES_MAX + 64];
    snprintf(what, sizeof what, "column %s holds neither JSON nor text: it is no list", column->name);
    return err_set(e, TEMPLATE, tpl->source, what);
}

/* Inserts a column index into the sorted list, once. */
static unsigned insert_sorted(uint16_t *index, unsigned count, uint16_t column)
{
    unsigned i = count;
    for (unsigned k = 0; k < count; k++)
        if (index[k] == column)
            return count;
    for (; i > 0 && index[i - 1] > column; i--)
        index[i] = index[i - 1];
    index[i] = column;
    return count + 1;
}

int template_bind(struct bound_template **out, const struct template *tpl, const struct table *tbl, struct err *e)
{
    struct bound_template *bound = malloc(sizeof *bound);
    if (!bound)
        return err_set(e, NO_MEMORY, sizeof *bound);
    *bound = (struct bound_template){.tpl = tpl};
    uint16_t of_name[TEMPLATE_COLUMNS_MAX];
    for (unsigned i = 0; i < tpl->column_count; i++) {
        int column = table_find_column(tbl, tpl->columns[i], strlen(tpl->columns[i]));
        if (column < 0) {
            free(bound);
            return missing_column(tpl, tbl, tpl->columns[i], e);
        }
        if (tpl->list && tpl->list->column == i && !can_hold_list(&tbl->columns[column])) {
            free(bound);
            return no_list(tpl, &tbl->columns[column], e);
        }
        of_name[i] = (uint16_t)column;
        bound->set.count = insert_sorted(bound->index, bound->set.count, of_name[i]);
    }
    bound->set.index = bound->index;
    for (unsigned i = 0; i < tpl->column_count; i++)
        for (unsigned k = 0; k < bound->set.count; k++)
            if (bound->index[k] == of_name[i])
                bound->slot[i] = (uint8_t)k;
    *out = bound;
    return 0;
}

void bound_template_free(struct bound_template *bound)
{
    free(bound);
}

const struct colset *bound_template_columns(const struct bound_template *bound)
{
    return &bound->set;
}

bool template_glob(const struct template *tpl, struct buf *out)
{
    if (tpl->piece_count == 0 || tpl->pieces[0].is_column)
        return false;
    for (unsigned i = 0; i < tpl->piece_count; i++) {
        const struct template_piece *piece = &tpl->pieces[i];
        if (piece->is_column && (i == 0 || !tpl->pieces[i - 1].is_column))
            buf_byte(out, '*');
        for (size_t k = 0; k < piece->len; k++) {
            if (strchr("*?[]\\", piece->text[k]) && piece->text[k])
                buf_byte(out, '\\');
            buf_byte(out, (uint8_t)piece->text[k]);
        }
    }
    return true;
}
