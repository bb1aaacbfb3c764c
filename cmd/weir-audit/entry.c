/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns a line of JSON back into the record that audit_log wrote, driven by the same table of
 * fields (record_rows) that the formats are driven by.
 *
 * Texts are borrowed from the parsed JSON. A text that was not UTF-8 has a second member
 * NAME_base64 with its exact bytes, which is preferred; the entry owns the decoded copy. Members
 * of another type than expected count as absent, so a damaged line cannot do harm; a line without
 * sequence number, time or a known event is rejected as no record. */
#include "entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EXACT_TEXTS                                                                                \
    64 /* most texts of one line that can be no UTF-8; more are read with U+FFFD                   \
        */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void decode(struct strbuf *text, const char *base64)
{
    unsigned bits = 0, count = 0;
    strbuf_grow(text, 1); /* not NULL, even if it is empty */
    for (; digit_of(*base64) >= 0; base64++) {
        bits = bits << 6 | (unsigned)digit_of(*base64);
        count += 6;
        if (count >= 8) {
            count -= 8;
            strbuf_add_byte(text, (char)(bits >> count & 0xff));
        }
    }
}

/* The member `name` of a JSON object; absent when it is no string. */
static weir_string member(struct entry *entry, json_t *object, const char *name)
{
    char exact[64];
    snprintf(exact, sizeof exact, "%s_base64", name);
    const char *base64 = json_string_value(json_object_get(object, exact));
    if (base64 && entry->exact && entry->exact_count < EXACT_TEXTS) {
        struct strbuf *text = &entry->exact[entry->exact_count++];
        decode(text, base64);
        return (weir_string){text->data, text->size};
    }
    json_t *value = json_object_get(object, name);
    return (weir_string){json_string_value(value), json_string_length(value)};
}

static void read_tables(struct entry *entry, json_t *list)
{
    size_t count = json_array_size(list);
    entry->tables = calloc(count + 1, sizeof *entry->tables);
    for (size_t i = 0; entry->tables && i < count; i++) {
        json_t *element = json_array_get(list, i), *access = json_object_get(element, "access");
        weir_table *table = &entry->tables[i];
        *table = (weir_table){.schema = member(entry, element, "schema"),
                              .name = member(entry, element, "name")};
        for (size_t j = 0; j < json_array_size(access); j++) {
            const char *word = json_string_value(json_array_get(access, j));
            table->access |= !word                        ? 0
                             : strcmp(word, "read") == 0  ? WEIR_TABLE_READ
                             : strcmp(word, "write") == 0 ? WEIR_TABLE_WRITE
                                                          : WEIR_TABLE_DDL;
        }
    }
    entry->record.tables = entry->tables;
    entry->record.table_count = entry->tables ? count : 0;
}

static void read_parameters(struct entry *entry, json_t *list)
{
    size_t count = json_array_size(list);
    entry->parameters = calloc(count + 1, sizeof *entry->parameters);
    for (size_t i = 0; entry->parameters && i < count; i++) {
        json_t *element = json_array_get(list, i);
        const json_t *value = json_object_get(element, "value");
        const json_t *size = json_object_get(element, "size");
        entry->parameters[i] = (struct record_parameter){
            .shown = {.type = member(entry, element, "type"),
                      .value = member(entry, element, "value"),
                      .is_null = json_is_null(value)},
            .flags = (json_object_get(element, "default") ? (uint32_t)WEIR_PARAMETER_DEFAULT : 0) |
                     (json_object_get(element, "ignore") ? (uint32_t)WEIR_PARAMETER_IGNORE : 0) |
                     (size ? (uint32_t)WEIR_PARAMETER_CUT : 0),
            .size = json_is_integer(size) ? (uint64_t)json_integer_value(size) : WEIR_ABSENT};
    }
    entry->record.parameters = entry->parameters;
    entry->record.parameter_count = entry->parameters ? count : 0;
}

static void read_attributes(struct entry *entry, json_t *object)
{
    size_t count = 0;
    const char *name;
    json_t *value;
    entry->attributes = calloc(json_object_size(object) + 1, sizeof *entry->attributes);
    if (!entry->attributes)
        return;
    json_object_foreach(object, name, value)
    {
        entry->attributes[count++] = (struct record_attribute){
            text_of(name), {json_string_value(value), json_string_length(value)}};
    }
    entry->record.attributes = entry->attributes;
    entry->record.attribute_count = count;
}

static void read_list(struct entry *entry, unsigned index, json_t *value)
{
    if (index == RECORD_LIST_tables)
        read_tables(entry, value);
    else if (index == RECORD_LIST_parameters)
        read_parameters(entry, value);
    else
        read_attributes(entry, value);
}

/* A number that is none, such as a negative one, counts as absent. */
static uint64_t read_number(const json_t *value)
{
    const char *digits = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    if (digits && *digits && strspn(digits, "0123456789") == strlen(digits))
        return strtoull(digits, NULL, 10); /* see format_json.c */
    return WEIR_ABSENT;
}

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
            record->text[row->index] = member(entry, entry->json, row->name);
        else if (row->type == RECORD_IS_LIST)
            read_list(entry, row->index, value);
        else
            record->number[row->index] = read_number(value);
    }
}

static uint64_t time_of(const char *text)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    uint64_t ns = (uint64_t)timegm(&utc) * 1000000000U, weight = 100000000U;
    if (rest && *rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, weight /= 10)
            ns += (uint64_t)(*rest - '0') * weight;
    return ns;
}

int entry_read(struct entry *entry, const char *line, size_t size)
{
    memset(entry, 0, sizeof *entry);
    entry->json = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    json_t *sequence = json_object_get(entry->json, "seq");
    entry->time = json_string_value(json_object_get(entry->json, "time"));
    entry->event = json_string_value(json_object_get(entry->json, "event"));
    if (!json_is_integer(sequence) || json_integer_value(sequence) < 0 || !entry->time ||
        !entry->event)
        return -1;
    int event = 0;
    while (event < RECORD_EVENT_END && strcmp(record_event_name(event), entry->event) != 0)
        event++;
    if (event == RECORD_EVENT_END)
        return -1;
    entry->exact = calloc(EXACT_TEXTS, sizeof *entry->exact);
    entry->sequence = (uint64_t)json_integer_value(sequence);
    record_init(&entry->record, event, time_of(entry->time));
    read_fields(entry);
    return 0;
}

void entry_release(struct entry *entry)
{
    json_decref(entry->json);
    free(entry->attributes);
    free(entry->parameters);
    free(entry->tables);
    for (size_t i = 0; i < entry->exact_count; i++)
        strbuf_release(&entry->exact[i]);
    free(entry->exact);
    memset(entry, 0, sizeof *entry);
}
