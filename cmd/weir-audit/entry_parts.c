/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of all formats share: memory for texts that stand in the line in another spelling,
 * and lists and numbers, which are JSON everywhere.
 *
 * A line is foreign bytes: members of another type than expected count as absent. */
#include <stdio.h>
#include <stdlib.h>

#include "entry.h"

void entry_release(struct entry *entry)
{
    json_decref(entry->json);
    free(entry->attributes);
    free(entry->parameters);
    free(entry->tables);
    free(entry->routines);
    free(entry->copies);
    memset(entry, 0, sizeof *entry);
}

void entry_begin(struct entry *entry, int event, uint64_t time_ns)
{
    record_init(&entry->record, (enum record_event)event, time_ns);
    entry->event = record_event_name(entry->record.event);
    clock_rfc3339(time_ns, entry->time);
}

int entry_event_of(const char *name)
{
    for (int event = 0; event < RECORD_EVENT_END; event++)
        if (strcmp(record_event_name((enum record_event)event), name) == 0)
            return event;
    return -1;
}

char *entry_copy(struct entry *entry, size_t size)
{
    if (!entry->copies)
        entry->copies = malloc(entry->copy_room);
    return entry->copies && size <= entry->copy_room - entry->copied ? entry->copies + entry->copied
                                                                     : NULL;
}

weir_string entry_copied(struct entry *entry, const char *begin, size_t size)
{
    entry->copied += size;
    return (weir_string){begin, size};
}

/* ---- Lists ---- */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static weir_string decode(struct entry *entry, const char *base64)
{
    unsigned bits = 0, count = 0;
    size_t size = 0;
    char *to = entry_copy(entry, strlen(base64));
    for (; to && digit_of(*base64) >= 0; base64++) {
        bits = bits << 6 | (unsigned)digit_of(*base64);
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[size++] = (char)(bits >> count & 0xff);
        }
    }
    return entry_copied(entry, to, size);
}

weir_string entry_member(struct entry *entry, json_t *object, const char *name)
{
    if (entry->has_exact) {
        char exact[64];
        snprintf(exact, sizeof exact, "%s_base64", name);
        const char *base64 = json_string_value(json_object_get(object, exact));
        if (base64)
            return decode(entry, base64);
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
        *table = (weir_table){.schema = entry_member(entry, element, "schema"),
                              .name = entry_member(entry, element, "name")};
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

static void read_routines(struct entry *entry, json_t *list)
{
    size_t count = json_array_size(list);
    entry->routines = calloc(count + 1, sizeof *entry->routines);
    for (size_t i = 0; entry->routines && i < count; i++) {
        json_t *element = json_array_get(list, i);
        const char *how = json_string_value(json_object_get(element, "how"));
        entry->routines[i] = (weir_routine){
            .schema = entry_member(entry, element, "schema"),
            .name = entry_member(entry, element, "name"),
            .how = how && strcmp(how, "call") == 0 ? WEIR_ROUTINE_CALL : WEIR_ROUTINE_FUNCTION};
    }
    entry->record.routines = entry->routines;
    entry->record.routine_count = entry->routines ? count : 0;
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
            .shown = {.type = entry_member(entry, element, "type"),
                      .value = entry_member(entry, element, "value"),
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

void entry_read_list(struct entry *entry, unsigned list, json_t *value)
{
    if (list == RECORD_LIST_tables && !entry->tables)
        read_tables(entry, value);
    else if (list == RECORD_LIST_routines && !entry->routines)
        read_routines(entry, value);
    else if (list == RECORD_LIST_parameters && !entry->parameters)
        read_parameters(entry, value);
    else if (list == RECORD_LIST_attributes && !entry->attributes)
        read_attributes(entry, value);
}

/* A number that is none, such as a negative one, counts as absent. */
uint64_t entry_read_number(const json_t *value)
{
    const char *digits = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    if (digits && *digits && strspn(digits, "0123456789") == strlen(digits))
        return strtoull(digits, NULL, 10); /* see format_json.c */
    return WEIR_ABSENT;
}
