/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads JSON lines, driven by the same table of fields (record_rows) that they are written by.
 *
 * Texts are borrowed from the parsed JSON. A text that was not UTF-8 has a second member
 * NAME_base64 with its exact bytes, which is preferred. */
#include "entry.h"
#include "when.h"

static void read_fields(struct entry *entry)
{
    struct record *record = &entry->record;
    for (size_t i = 0; i < record_row_count; i++) {
        const struct record_row *row = &record_rows[i];
        json_t *value = json_object_get(entry->json, row->name);
        if (!value)
            continue;
        if (row->type == RECORD_IS_TEXT && json_is_null(value))
            record_set_null(record, row->index);
        else if (row->type == RECORD_IS_TEXT)
            record->text[row->index] = entry_member(entry, entry->json, row->name);
        else if (row->type == RECORD_IS_LIST)
            entry_read_list(entry, row->index, value);
        else
            record->number[row->index] = entry_read_number(value);
    }
}

enum entry_kind entry_read_json(struct entry *entry, const char *line, size_t size)
{
    uint64_t time_ns;
    entry->json = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    json_t *sequence = json_object_get(entry->json, "seq");
    json_t *time = json_object_get(entry->json, "time");
    const char *event = json_string_value(json_object_get(entry->json, "event"));
    int known = event ? entry_event_of(event) : -1;
    if (!json_is_integer(sequence) || json_integer_value(sequence) < 0 || known < 0 ||
        !json_is_string(time) ||
        !when_read_stamp(json_string_value(time), json_string_length(time), &time_ns))
        return ENTRY_NONE;
    entry_begin(entry, known, time_ns);
    entry->sequence = (uint64_t)json_integer_value(sequence);
    entry->has_exact = memmem(line, size, "_base64", 7) || memmem(line, size, "\\u", 2);
    read_fields(entry);
    return ENTRY_RECORD;
}
