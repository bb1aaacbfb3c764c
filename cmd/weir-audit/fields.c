/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints records as columns for other programs: cut, sort, awk. The names are those of the log's
 * own fields, so there is nothing else to learn. */
#include "fields.h"

#include <weir/nearest.h>

/* The columns that are no fields of the table. */
static const struct {
    const char *name;
    int column;
} own[] = {{"seq", COLUMN_SEQUENCE},
           {"time", COLUMN_TIME},
           {"event", COLUMN_EVENT},
           {"class", COLUMN_OTHER}};
#define OWN_COUNT (sizeof own / sizeof *own)

static const char *name_at(size_t index)
{
    return index < OWN_COUNT ? own[index].name : record_rows[index - OWN_COUNT].name;
}

static bool find(weir_string name, int *column)
{
    for (size_t i = 0; i < OWN_COUNT + record_row_count; i++) {
        if (!text_is_word(name, name_at(i)))
            continue;
        *column = i < OWN_COUNT ? own[i].column : (int)(i - OWN_COUNT);
        return true;
    }
    return false;
}

static int unknown(weir_string name, struct error *error)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", WEIR_STRING_ARGS(name));
    struct nearest nearest = {.wanted = word};
    for (size_t i = 0; i < OWN_COUNT + record_row_count; i++)
        nearest_offer(&nearest, name_at(i));
    return error_set(error, "-format: %s is no field%s%s", word,
                     nearest.name ? "; the nearest one is "
                                  : "; there are time, event, user, sql ...",
                     nearest.name ? nearest.name : "");
}

int fields_parse(struct fields *fields, const char *list, struct error *error)
{
    fields->count = 0;
    for (const char *at = list;; at++) {
        size_t size = strcspn(at, ",");
        weir_string name = {at, size};
        while (name.size && *name.data == ' ')
            name = (weir_string){name.data + 1, name.size - 1};
        if (fields->count == FIELDS_MOST)
            return error_set(error, "-format: more than %d fields", FIELDS_MOST);
        if (!find(name, &fields->columns[fields->count]))
            return unknown(name, error);
        fields->count++;
        at += size;
        if (!*at)
            return 0;
    }
}

static void add_text(struct strbuf *text, weir_string value)
{
    for (size_t i = 0; i < value.size; i++) {
        char byte = value.data[i];
        strbuf_add_byte(text,
                        (unsigned char)(byte == '\t' || byte == '\n' || byte == '\r' ? ' ' : byte));
    }
}

static void add_list(struct strbuf *text, const struct record *record, unsigned list)
{
    if (list == RECORD_LIST_tables && record->table_count)
        format_add_tables(text, record);
    else if (list == RECORD_LIST_routines && record->routine_count)
        format_add_routines(text, record);
    else if (list == RECORD_LIST_parameters && record->parameter_count)
        format_add_parameters(text, record);
    else if (list == RECORD_LIST_attributes && record->attribute_count)
        format_add_attributes(text, record);
}

static void add_field(struct strbuf *text, const struct record *record,
                      const struct record_row *row)
{
    if (row->type == RECORD_IS_LIST)
        add_list(text, record, row->index);
    else if (row->type == RECORD_IS_TEXT && record_is_null(record, row->index))
        strbuf_add_text(text, "NULL");
    else if (row->type == RECORD_IS_TEXT)
        add_text(text, record->text[row->index]);
    else if (record->number[row->index] != WEIR_ABSENT)
        encode_number(text, record->number[row->index]);
}

void fields_add(const struct fields *fields, const struct entry *entry, struct strbuf *text)
{
    const struct record *record = &entry->record;
    for (size_t i = 0; i < fields->count; i++) {
        int column = fields->columns[i];
        if (i)
            strbuf_add_byte(text, '\t');
        if (column >= 0)
            add_field(text, record, &record_rows[column]);
        else if (column == COLUMN_SEQUENCE)
            encode_number(text, entry->sequence);
        else if (column == COLUMN_TIME)
            strbuf_add_text(text, entry->time);
        else
            strbuf_add_text(text, column == COLUMN_EVENT ? entry->event
                                                         : record_event_class(record->event));
    }
}
