/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON lines: one object a line, every known fact of the record under its own name. Sequence number
 * and chain come first, so that reading them needs no JSON parser:
 *
 *     {"seq":7,"prev":"<64 digits>","time":"...","event":"Completed","class":"general",... } */

#include "format.h"

static void add_list(struct text *text, const struct record *record, unsigned list)
{
    switch (list) {
    case RECORD_LIST_attributes:
        format_add_attributes(text, record);
        break;
    case RECORD_LIST_parameters:
        format_add_parameters(text, record);
        break;
    case RECORD_LIST_tables:
        format_add_tables(text, record);
        break;
    default:
        break;
    }
}

static bool has_list(const struct record *record, unsigned list)
{
    return list == RECORD_LIST_attributes   ? record->attribute_count > 0
           : list == RECORD_LIST_parameters ? record->parameter_count > 0
                                            : record->table_count > 0;
}

static void add_rows(struct text *text, const struct record *record, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const struct record_row *row = &record_rows[i];
        if (row->type == RECORD_IS_NUMBER) {
            if (record->number[row->index] == WEIR_ABSENT)
                continue;
            text_add(text, row->key, row->key_size);
            text_add_number(text, record->number[row->index]);
        } else if (row->type == RECORD_IS_TEXT) {
            if (record->text[row->index].data)
                text_add_json_member(text, row->name, record->text[row->index]);
        } else if (has_list(record, row->index)) {
            text_add(text, row->key, row->key_size);
            add_list(text, record, row->index);
        }
    }
}

static void write_session(struct text *text, const struct record *record)
{
    add_rows(text, record, 0, record_session_row_count);
}

static void write_record(struct text *text, const struct record *record)
{
    text_add_words(text, "\"time\":\"");
    text_add_time(text, record->time_ns);
    text_add_words(text, "\",\"event\":\"");
    text_add_words(text, record_event_name(record->event));
    text_add_words(text, "\",\"class\":\"");
    text_add_words(text, record_event_class(record->event));
    text_add_byte(text, '"');
    if (record->session_part.data)
        text_add(text, record->session_part.data, record->session_part.size);
    else
        add_rows(text, record, 0, record_session_row_count);
    add_rows(text, record, record_session_row_count, record_row_count);
    text_add(text, "}\n", 2);
}

static void write_prefix(struct text *text, uint64_t sequence, const char chain[CHAIN_TEXT_BYTES])
{
    format_add_prefix(text, "{\"seq\":", sequence, chain);
}

static bool read_prefix(const char *line, size_t size, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES])
{
    return format_read_prefix(line, size, "{\"seq\":", sequence, chain);
}

const struct format format_json = {
    .name = "json",
    .opening = "",
    .separator = "",
    .closing = "",
    .write_session = write_session,
    .write = write_record,
    .write_prefix = write_prefix,
    .read_prefix = read_prefix,
};
