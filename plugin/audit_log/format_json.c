/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON lines: one object a line, every known fact of the record under its own name. Sequence number
 * and chain come first, so that reading them needs no JSON parser:
 *
 *     {"seq":7,"prev":"<64 digits>","time":"...","event":"Completed","class":"general",... } */

#include <weir/clock.h>

#include "format.h"

#define HEAD_BYTES 128 /* of add_head(), without the two names */

/* A key is copied with a size that the compiler knows. */
#define KEY(member)      ",\"" #member "\":"
#define KEY_SIZE(member) (sizeof KEY(member) - 1)

/* What readers of JSON take for an integer ends at 2^63: a greater number is a string of digits. */
static inline void add_number(struct strbuf *text, const char *key, size_t key_size,
                              uint64_t number)
{
    bool is_quoted = number > INT64_MAX;
    char *at = strbuf_room(text, key_size + ENCODE_DIGITS + 2);
    if (!at)
        return;
    memcpy(at, key, key_size);
    at += key_size;
    if (is_quoted)
        *at++ = '"';
    at = encode_digits(at, number);
    if (is_quoted)
        *at++ = '"';
    strbuf_end(text, at);
}

static void add_attributes(struct strbuf *text, const struct record *record)
{
    if (!record->attribute_count)
        return;
    strbuf_add(text, KEY(attributes), KEY_SIZE(attributes));
    format_add_attributes(text, record);
}

static void add_parameters(struct strbuf *text, const struct record *record)
{
    if (!record->parameter_count)
        return;
    strbuf_add(text, KEY(parameters), KEY_SIZE(parameters));
    format_add_parameters(text, record);
}

static void add_tables(struct strbuf *text, const struct record *record)
{
    if (!record->table_count)
        return;
    strbuf_add(text, KEY(tables), KEY_SIZE(tables));
    format_add_tables(text, record);
}

static void add_routines(struct strbuf *text, const struct record *record)
{
    if (!record->routine_count)
        return;
    strbuf_add(text, KEY(routines), KEY_SIZE(routines));
    format_add_routines(text, record);
}

/* The fields, one after the other. */
#define TEXT(member)                                                                               \
    if (record->text[RECORD_TEXT_##member].data)                                                   \
        encode_json_member(text, KEY(member), KEY_SIZE(member),                                    \
                           record->text[RECORD_TEXT_##member]);                                    \
    else if (record_is_null(record, RECORD_TEXT_##member))                                         \
        strbuf_add(text, KEY(member) "null", KEY_SIZE(member) + 4);
#define NUMBER(member)                                                                             \
    if (record->number[RECORD_NUMBER_##member] != WEIR_ABSENT)                                     \
        add_number(text, KEY(member), KEY_SIZE(member), record->number[RECORD_NUMBER_##member]);
#define LIST(member) add_##member(text, record);

static void write_session(struct strbuf *text, const struct record *record)
{
    RECORD_SESSION_FIELDS(TEXT, NUMBER, LIST)
}

static void add_event_fields(struct strbuf *text, const struct record *record)
{
    RECORD_EVENT_FIELDS(TEXT, NUMBER, LIST)
}

static inline char *put(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}
#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

/* What every record begins with, in one piece. */
static void add_head(struct strbuf *text, const struct record *record)
{
    const char *event = record_event_name(record->event),
               *class = record_event_class(record->event);
    size_t event_size = strlen(event), class_size = strlen(class);
    char *at = strbuf_room(text, HEAD_BYTES + event_size + class_size);
    if (!at)
        return;
    at = PUT(at, "\"time\":\"");
    clock_rfc3339(record->time_ns, at);
    at = PUT(at + CLOCK_RFC3339_BYTES - 1, "\",\"event\":\"");
    at = PUT(put(at, event, event_size), "\",\"class\":\"");
    at = PUT(put(at, class, class_size), "\"");
    strbuf_end(text, at);
}

static void write_record(struct strbuf *text, const struct record *record)
{
    add_head(text, record);
    if (record->session_part.data)
        strbuf_add(text, record->session_part.data, record->session_part.size);
    else
        write_session(text, record);
    add_event_fields(text, record);
    strbuf_add(text, "}\n", 2);
}

static void write_prefix(struct strbuf *text, uint64_t sequence, const char chain[CHAIN_TEXT_BYTES])
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
    .has_numbers = true,
    .write_session = write_session,
    .write = write_record,
    .write_prefix = write_prefix,
    .read_prefix = read_prefix,
};
