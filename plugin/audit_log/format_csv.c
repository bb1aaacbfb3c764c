/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV after RFC 4180, with a line of column names at the top of each file. The columns are seq,
 * prev, time, event, class, and the record's fields; what is absent is an empty column, what is
 * there and empty is "", what is not known is NULL without quotes. Lists are JSON within their column. Line ends within texts are escaped
 * (encode.h), so that every record is one line for grep and for the chain. */
#include <stdlib.h>

#include "format.h"

static void add_list(struct strbuf *text, const struct record *record, unsigned list)
{
    struct strbuf cell = {0};
    if (list == RECORD_LIST_attributes && record->attribute_count)
        format_add_attributes(&cell, record);
    if (list == RECORD_LIST_parameters && record->parameter_count)
        format_add_parameters(&cell, record);
    if (list == RECORD_LIST_tables && record->table_count)
        format_add_tables(&cell, record);
    if (list == RECORD_LIST_routines && record->routine_count)
        format_add_routines(&cell, record);
    if (cell.size)
        encode_csv(text, cell.data, cell.size);
    text->failed = text->failed || cell.failed;
    strbuf_release(&cell);
}

static void add_rows(struct strbuf *text, const struct record *record, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const struct record_row *row = &record_rows[i];
        strbuf_add_byte(text, ',');
        if (row->type == RECORD_IS_LIST) {
            add_list(text, record, row->index);
        } else if (row->type == RECORD_IS_TEXT) {
            weir_string value = record->text[row->index];
            if (value.data)
                encode_csv(text, value.data, value.size);
            else if (record_is_null(record, row->index))
                strbuf_add(text, "NULL", 4);
        } else if (record->number[row->index] != WEIR_ABSENT) {
            encode_number(text, record->number[row->index]);
        }
    }
}

static void write_session(struct strbuf *text, const struct record *record)
{
    add_rows(text, record, 0, record_session_row_count);
}

static void write_record(struct strbuf *text, const struct record *record)
{
    encode_time(text, record->time_ns);
    strbuf_add_byte(text, ',');
    strbuf_add_text(text, record_event_name(record->event));
    strbuf_add_byte(text, ',');
    strbuf_add_text(text, record_event_class(record->event));
    if (record->session_part.data)
        strbuf_add(text, record->session_part.data, record->session_part.size);
    else
        add_rows(text, record, 0, record_session_row_count);
    add_rows(text, record, record_session_row_count, record_row_count);
    strbuf_add_byte(text, '\n');
}

static void write_prefix(struct strbuf *text, uint64_t sequence, const char chain[CHAIN_TEXT_BYTES])
{
    encode_number(text, sequence);
    strbuf_add_byte(text, ',');
    if (chain)
        strbuf_add(text, chain, CHAIN_TEXT_BYTES - 1);
    strbuf_add_byte(text, ',');
}

static bool read_prefix(const char *line, size_t size, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES])
{
    const size_t digits = CHAIN_TEXT_BYTES - 1;
    size_t at = 0;
    *sequence = 0;
    chain[0] = '\0';
    while (at < size && line[at] >= '0' && line[at] <= '9')
        *sequence = *sequence * 10 + (uint64_t)(line[at++] - '0');
    if (at == 0 || at == size || line[at++] != ',')
        return false;
    if (size - at > digits && line[at] != ',') {
        memcpy(chain, line + at, digits);
        chain[digits] = '\0';
        at += digits;
    }
    return at < size && line[at] == ',';
}

#define COLUMN(member) "," #member
const struct format format_csv = {
    .name = "csv",
    .opening = "seq,prev,time,event,class" RECORD_FIELDS(COLUMN, COLUMN, COLUMN) "\n",
    .separator = "",
    .closing = "",
    .has_numbers = true,
    .write_session = write_session,
    .write = write_record,
    .write_prefix = write_prefix,
    .read_prefix = read_prefix,
};
