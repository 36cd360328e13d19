/* A letter's bytes. */
#include "pipeline/dead_letter.h"

#include <string.h>

#include "base/cursor.h"
#include "value/value.h"

#define FORMAT 1
#define TEXTS  9

static void texts_of(struct dead_letter *letter, struct dead_text *out[TEXTS])
{
    struct dead_text *const all[TEXTS] = {&letter->sink, &letter->reason, &letter->text, &letter->db,    &letter->table,
                                          &letter->key,  &letter->file,   &letter->gtid, &letter->change};
    memcpy(out, all, sizeof all);
}

static void add_le(struct buf *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(number >> (8 * i)));
}

void dead_letter_write(const struct dead_letter *given, struct buf *out)
{
    struct dead_letter letter = *given;
    struct dead_text *texts[TEXTS];
    texts_of(&letter, texts);
    add_le(out, FORMAT, 1);
    add_le(out, letter.op, 1);
    add_le(out, letter.number, 8);
    add_le(out, (uint64_t)letter.at_us, 8);
    add_le(out, letter.version.epoch, 4);
    add_le(out, letter.version.sequence, 8);
    add_le(out, letter.version.row, 8);
    add_le(out, letter.pos, 8);
    for (unsigned i = 0; i < TEXTS; i++) {
        add_le(out, texts[i]->len, 4);
        buf_add(out, texts[i]->p, texts[i]->len);
    }
}

int dead_letter_read(struct dead_letter *out, const void *bytes, size_t len, struct err *e)
{
    struct cursor cur = cursor_over(bytes, len);
    struct dead_letter letter = {0};
    struct dead_text *texts[TEXTS];
    texts_of(&letter, texts);
    uint8_t format = cursor_u8(&cur);
    if (len && format != FORMAT)
        return err_set(e, STATE_VERSION, "dead-letters", (unsigned)format, FORMAT);
    unsigned op = cursor_u8(&cur);
    letter.op = (enum change_op)op;
    letter.number = cursor_u64(&cur);
    letter.at_us = (int64_t)cursor_u64(&cur);
    letter.version.epoch = cursor_u32(&cur);
    letter.version.sequence = cursor_u64(&cur);
    letter.version.row = cursor_u64(&cur);
    letter.pos = cursor_u64(&cur);
    for (unsigned i = 0; i < TEXTS; i++) {
        texts[i]->len = cursor_u32(&cur);
        texts[i]->p = (const char *)cursor_take(&cur, texts[i]->len);
    }
    if (cursor_finish(&cur) != 0 || op > CHANGE_TRUNCATE || !letter.number)
        return err_set(e, STATE_CORRUPT, "dead-letters", "a letter that cannot be read");
    *out = letter;
    return 0;
}

bool dead_text_is(const struct dead_text *text, const char *with)
{
    return strlen(with) == text->len && memcmp(text->p, with, text->len) == 0;
}

static void add_member(struct buf *out, const char *name, const struct dead_text *text)
{
    buf_printf(out, ",\"%s\":", name);
    if (value_is_utf8(text->p, text->len))
        value_json_string(text->p, text->len, out);
    else
        value_json_base64(text->p, text->len, out);
}

void dead_letter_json(const struct dead_letter *letter, struct buf *out)
{
    buf_printf(out, "{\"id\":%" PRIu64 ",\"at_us\":%" PRId64, letter->number, letter->at_us);
    add_member(out, "sink", &letter->sink);
    add_member(out, "reason", &letter->reason);
    add_member(out, "text", &letter->text);
    buf_text(out, ",\"change\":");
    buf_add(out, letter->change.p, letter->change.len);
    buf_text(out, "}\n");
}
