/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads CSV by the file's own line of names, so that files of other versions are read, too. A cell
 * is quoted text, with doubled quotes and \r \n \0 \\ in it, or bare; an empty bare one is absent,
 * NULL without quotes is not known. Lists are JSON within their cell. */
#include <stdlib.h>

#include "entry.h"
#include "when.h"

struct cell {
    weir_string text; /* as it stands, without the quotes around it */
    bool is_quoted;
};

/* The end of a quoted cell's text: the quote that is not doubled. NULL: there is none. */
static const char *end_of_quotes(const char *at, const char *end)
{
    while ((at = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL)) {
        if (at + 1 >= end || at[1] != '"')
            return at;
        at += 2;
    }
    return NULL;
}

/* Takes the next cell, and the comma after it. false: what is there is none. */
static bool take_cell(const char **at, const char *end, struct cell *cell)
{
    const char *from = *at, *stop;
    cell->is_quoted = from < end && *from == '"';
    if (cell->is_quoted) {
        stop = end_of_quotes(++from, end);
        if (!stop || (stop + 1 < end && stop[1] != ','))
            return false;
        *at = stop + 1 < end ? stop + 2 : end + 1;
    } else {
        stop = memchr(from, ',', (size_t)(end - from));
        stop = stop ? stop : end;
        *at = stop + 1;
    }
    cell->text = (weir_string){from, (size_t)(stop - from)};
    return true;
}

static char unescaped(char byte)
{
    return byte == 'n' ? '\n' : byte == 'r' ? '\r' : byte == '0' ? '\0' : byte;
}

/* The text that was written: the cell itself where nothing in it is escaped. */
static weir_string plain(struct entry *entry, const struct cell *cell)
{
    weir_string text = cell->text;
    if (!text.size || (!memchr(text.data, '"', text.size) && !memchr(text.data, '\\', text.size)))
        return text;
    char *to = entry_copy(entry, text.size);
    size_t size = 0;
    if (!to)
        return (weir_string){NULL, 0};
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (i + 1 < text.size && (byte == '\\' || byte == '"')) {
            byte = byte == '\\' ? unescaped(text.data[i + 1]) : '"';
            i++;
        }
        to[size++] = byte;
    }
    return entry_copied(entry, to, size);
}

static bool read_digits(weir_string text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return text.size > 0;
}

static void read_list(struct entry *entry, unsigned list, weir_string text)
{
    json_t *value = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
    if (!value)
        return;
    if (!entry->json)
        entry->json = json_array(); /* keeps what the record borrows from */
    entry->has_exact = true;
    entry_read_list(entry, list, value);
    if (json_array_append_new(entry->json, value) < 0)
        entry->record.table_count = entry->record.parameter_count = entry->record.attribute_count =
            0;
}

static void read_field(struct entry *entry, const struct record_row *row, const struct cell *cell)
{
    static const char null[] = "NULL";
    struct record *record = &entry->record;
    bool is_bare_null = !cell->is_quoted && text_is(cell->text, null);
    if (!cell->is_quoted && !cell->text.size)
        return;
    if (row->type == RECORD_IS_LIST)
        read_list(entry, row->index, plain(entry, cell));
    else if (row->type == RECORD_IS_TEXT && is_bare_null)
        record_set_null(record, row->index);
    else if (row->type == RECORD_IS_TEXT)
        record->text[row->index] = plain(entry, cell);
    else if (!read_digits(cell->text, &record->number[row->index]))
        record->number[row->index] = WEIR_ABSENT;
}

/* The cells that every record has. */
static bool read_head(const struct log_form *form, const char *line, size_t size,
                      uint64_t *sequence, uint64_t *time_ns, int *event)
{
    const char *at = line, *end = line + size;
    struct cell cell;
    bool has_sequence = false, has_time = false;
    *event = -1;
    for (size_t i = 0; i < form->column_count && at <= end; i++) {
        if (!take_cell(&at, end, &cell))
            return false;
        if (form->columns[i] == COLUMN_SEQUENCE)
            has_sequence = read_digits(cell.text, sequence);
        else if (form->columns[i] == COLUMN_TIME)
            has_time = when_read_stamp(cell.text.data, cell.text.size, time_ns);
        else if (form->columns[i] == COLUMN_EVENT)
            for (int known = 0; known < RECORD_EVENT_END; known++)
                if (text_is(cell.text, record_event_name((enum record_event)known)))
                    *event = known;
        if (has_sequence && has_time && *event >= 0)
            return true;
    }
    return false;
}

enum entry_kind entry_read_csv(struct entry *entry, const struct log_form *form, const char *line,
                               size_t size)
{
    uint64_t sequence = 0, time_ns = 0;
    int event;
    const char *at = line, *end = line + size;
    if (!read_head(form, line, size, &sequence, &time_ns, &event))
        return ENTRY_NONE;
    entry_begin(entry, event, time_ns);
    entry->sequence = sequence;
    for (size_t i = 0; i < form->column_count && at <= end; i++) {
        struct cell cell;
        if (!take_cell(&at, end, &cell))
            return ENTRY_NONE;
        if (form->columns[i] >= 0)
            read_field(entry, &record_rows[form->columns[i]], &cell);
    }
    return ENTRY_RECORD;
}
