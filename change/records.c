/* The list of records of one batch. */
#include <stdlib.h>

#include "change/format.h"

#define RECORDS_FIRST 256

void records_init(struct record_list *records, size_t cap)
{
    *records = (struct record_list){.count = 0};
    buf_init(&records->text, cap);
}

void records_release(struct record_list *records)
{
    buf_release(&records->text);
    free(records->list);
    records->list = NULL;
    records->count = records->size = 0;
}

void records_clear(struct record_list *records)
{
    buf_clear(&records->text);
    records->count = 0;
}

struct record *records_begin(struct record_list *records, enum record_kind kind, size_t item)
{
    if (records->count == records->size) {
        size_t size = records->size ? records->size * 2 : RECORDS_FIRST;
        struct record *grown = realloc(records->list, size * sizeof *grown);
        if (!grown)
            return NULL;
        records->list = grown;
        records->size = size;
    }
    struct record *record = &records->list[records->count++];
    *record = (struct record){
        .kind = kind, .item = item, .at = records->text.len, .key_len = RECORD_NONE, .value_len = RECORD_NONE};
    return record;
}

void records_key(struct record_list *records)
{
    struct record *record = &records->list[records->count - 1];
    record->key_len = records->text.len - record->at;
}

/* Bytes of the record in front of what is written now. */
static size_t behind_key(const struct record *record)
{
    return record->at + (record->key_len == RECORD_NONE ? 0 : record->key_len);
}

void records_headers(struct record_list *records)
{
    struct record *record = &records->list[records->count - 1];
    record->headers_len = records->text.len - behind_key(record);
}

void records_value(struct record_list *records)
{
    struct record *record = &records->list[records->count - 1];
    record->value_len = records->text.len - behind_key(record) - record->headers_len;
    buf_byte(&records->text, '\n');
}

void records_drop(struct record_list *records)
{
    records->text.len = records->list[--records->count].at;
    records->text.failed = false;
}
