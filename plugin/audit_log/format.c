/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of formats, and what the JSON formats share: the lists of a record (attributes,
 * parameters, tables) and the prefix with sequence number and chain.
 *
 * The prefix has fixed bytes around its number, so that it can be read back without a JSON parser:
 * resuming a log and verifying one depend on that. */
#include "format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

const char *const format_access_names[3] = {"read", "write", "ddl"};

static const struct format *const formats[] = {&format_json,         &format_mysql_json,
                                               &format_csv,          &format_server_audit,
                                               &format_percona_json, NULL};

const struct format *format_find(const char *name, size_t size)
{
    for (size_t i = 0; formats[i]; i++)
        if (strlen(formats[i]->name) == size && strncasecmp(formats[i]->name, name, size) == 0)
            return formats[i];
    return NULL;
}

const struct format *format_of_line(const char *line, size_t size)
{
    uint64_t sequence;
    char chain[CHAIN_TEXT_BYTES];
    for (size_t i = 0; formats[i]; i++) {
        size_t opening = strlen(formats[i]->opening);
        if (opening && size == opening - 1 && memcmp(line, formats[i]->opening, size) == 0)
            return formats[i];
    }
    if (format_json.read_prefix(line, size, &sequence, chain))
        return &format_json;
    return format_server_audit.read_prefix(line, size, &sequence, chain) ? &format_server_audit
                                                                         : NULL;
}

const struct format *format_of_record(const char *line, size_t size)
{
    uint64_t sequence;
    char chain[CHAIN_TEXT_BYTES];
    const struct format *format = format_of_line(line, size);
    if (size && line[size - 1] == ',')
        size--; /* a separator */
    for (size_t i = 0; !format && formats[i]; i++)
        if (size && formats[i]->read_prefix(line, size, &sequence, chain))
            format = formats[i];
    return format;
}

void format_add_attributes(struct strbuf *text, const struct record *record)
{
    strbuf_add_byte(text, '{');
    for (size_t i = 0; i < record->attribute_count; i++) {
        const struct record_attribute *attribute = &record->attributes[i];
        if (i)
            strbuf_add_byte(text, ',');
        encode_json(text, attribute->name.data, attribute->name.size);
        strbuf_add_byte(text, ':');
        encode_json(text, attribute->value.data, attribute->value.size);
    }
    strbuf_add_byte(text, '}');
}

static void add_whole_size(struct strbuf *text, uint64_t size)
{
    if (size == WEIR_ABSENT)
        strbuf_add_text(text, ",\"size\":null");
    else
        strbuf_printf(text, ",\"size\":%" PRIu64, size);
}

/* A NULL has no value, nor has what a bulk execution leaves to the column; bytes that are not UTF-8
 * are added in base64. Of a value that is cut, its size is known unless there was no memory. */
void format_add_parameters(struct strbuf *text, const struct record *record)
{
    static const char value_key[] = ",\"value\":";
    strbuf_add_byte(text, '[');
    for (size_t i = 0; i < record->parameter_count; i++) {
        const struct record_parameter *whole = &record->parameters[i];
        const weir_parameter *parameter = &whole->shown;
        strbuf_add_text(text, i ? ",{\"type\":" : "{\"type\":");
        encode_json(text, parameter->type.data, parameter->type.size);
        if (parameter->is_null)
            strbuf_add_text(text, ",\"value\":null");
        else if (whole->flags & WEIR_PARAMETER_DEFAULT)
            strbuf_add_text(text, ",\"default\":true");
        else if (whole->flags & WEIR_PARAMETER_IGNORE)
            strbuf_add_text(text, ",\"ignore\":true");
        else
            encode_json_member(text, value_key, sizeof value_key - 1, parameter->value);
        if (whole->flags & WEIR_PARAMETER_CUT)
            add_whole_size(text, whole->size);
        strbuf_add_byte(text, '}');
    }
    strbuf_add_byte(text, ']');
}

static void add_access(struct strbuf *text, uint32_t access)
{
    static const char *const quoted[] = {"\"read\"", "\"write\"", "\"ddl\""};
    bool is_first = true;
    for (unsigned bit = 0; bit < 3; bit++) {
        if (!(access & 1U << bit))
            continue;
        if (!is_first)
            strbuf_add_byte(text, ',');
        strbuf_add_text(text, quoted[bit]);
        is_first = false;
    }
}

void format_add_tables(struct strbuf *text, const struct record *record)
{
    bool is_first = true;
    for (size_t i = 0; i < record->table_count; i++) {
        const weir_table *table = &record->tables[i];
        if (i < 64 && record->table_skip >> i & 1)
            continue;
        strbuf_add_text(text, is_first ? "[{\"schema\":" : ",{\"schema\":");
        if (record_is_schema_null(record, table))
            strbuf_add_text(text, "null");
        else
            encode_json(text, table->schema.data, table->schema.size);
        strbuf_add_text(text, ",\"name\":");
        encode_json(text, table->name.data, table->name.size);
        strbuf_add_text(text, ",\"access\":[");
        add_access(text, table->access);
        strbuf_add_text(text, "]}");
        is_first = false;
    }
    strbuf_add_text(text, is_first ? "[]" : "]");
}

void format_add_routines(struct strbuf *text, const struct record *record)
{
    for (size_t i = 0; i < record->routine_count; i++) {
        const weir_routine *routine = &record->routines[i];
        const weir_table as_table = {routine->schema, routine->name, 0};
        strbuf_add_text(text, i == 0 ? "[{\"schema\":" : ",{\"schema\":");
        if (record_is_schema_null(record, &as_table))
            strbuf_add_text(text, "null");
        else
            encode_json(text, routine->schema.data, routine->schema.size);
        strbuf_add_text(text, ",\"name\":");
        encode_json(text, routine->name.data, routine->name.size);
        strbuf_add_text(text, routine->how & WEIR_ROUTINE_CALL ? ",\"how\":\"call\"}"
                                                               : ",\"how\":\"function\"}");
    }
    strbuf_add_byte(text, ']');
}

static const char chain_member[] = ",\"prev\":\"";

void format_add_prefix(struct strbuf *text, const char *opening, uint64_t sequence,
                       const char chain[CHAIN_TEXT_BYTES])
{
    const size_t opening_size = strlen(opening), member_size = sizeof chain_member - 1;
    const size_t digits = CHAIN_TEXT_BYTES - 1;
    char *at = strbuf_room(text, opening_size + ENCODE_DIGITS + member_size + digits + 2);
    if (!at)
        return;
    memcpy(at, opening, opening_size);
    at = encode_digits(at + opening_size, sequence);
    if (chain) {
        memcpy(at, chain_member, member_size);
        memcpy(at + member_size, chain, digits);
        at += member_size + digits;
        *at++ = '"';
    }
    *at++ = ',';
    strbuf_end(text, at);
}

bool format_read_prefix(const char *line, size_t size, const char *opening, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES])
{
    const size_t digits = CHAIN_TEXT_BYTES - 1, begin = strlen(opening);
    chain[0] = '\0';
    if (size <= begin || memcmp(line, opening, begin) != 0 || line[size - 1] != '}')
        return false; /* the brace ends the digits below */
    char *end;
    *sequence = strtoull(line + begin, &end, 10);
    size_t left = size - (size_t)(end - line);
    if (left > sizeof chain_member + digits &&
        memcmp(end, chain_member, sizeof chain_member - 1) == 0) {
        memcpy(chain, end + sizeof chain_member - 1, digits);
        chain[digits] = '\0';
    }
    return end > line + begin && *end == ',';
}
