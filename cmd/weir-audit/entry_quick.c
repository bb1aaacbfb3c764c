/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a line of JSON as audit_log itself writes nearly all of them: no blanks between its parts, each
 * member once, numbers that fit, no base64, no lists but tables. It gives up on everything else, valid
 * or not, and the parser for all JSON decides. So whatever it does read, that one reads as the same.
 *
 * Texts are borrowed from the line where nothing in them is escaped. */
#include <pthread.h>
#include <stdlib.h>

#include "entry.h"
#include "when.h"

#define SLOTS       256 /* a power of two, several times the number of fields */
#define MOST_DIGITS 18  /* a number of so many fits into 63 bits */
#define MOST_TABLES 64

struct reader {
    const char *at, *end;
    struct entry *entry;
};

/* ---- Names of members ---- */

static int16_t slots[SLOTS]; /* index into record_rows, plus one; 0: free */

static size_t slot_of(const char *name, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)name;
    return (size * 31 + bytes[0] * 7U + bytes[size - 1] * 13U + bytes[size / 2] * 29U) % SLOTS;
}

static void fill_slots(void)
{
    for (size_t i = 0; i < record_row_count; i++) {
        const char *name = record_rows[i].name;
        size_t slot = slot_of(name, strlen(name));
        while (slots[slot])
            slot = (slot + 1) % SLOTS;
        slots[slot] = (int16_t)(i + 1);
    }
}

/* -1: there is no field of this name. */
static int row_of(weir_string name)
{
    size_t slot = slot_of(name.data, name.size);
    for (; slots[slot]; slot = (slot + 1) % SLOTS)
        if (text_is(name, record_rows[slots[slot] - 1].name))
            return slots[slot] - 1;
    return -1;
}

/* ---- Pieces ---- */

static bool take(struct reader *reader, const char *bytes, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, bytes, size) != 0)
        return false;
    reader->at += size;
    return true;
}
#define TAKE(reader, literal) take(reader, literal, sizeof(literal) - 1)

static int digit_of(char byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

/* The character of uXXXX as UTF-8; surrogates are not for here. */
static bool take_code(const char **at, const char *end, char **to)
{
    unsigned code = 0;
    if (end - *at < 5)
        return false;
    for (int i = 1; i <= 4; i++) {
        int digit = digit_of((*at)[i]);
        if (digit < 0)
            return false;
        code = code << 4 | (unsigned)digit;
    }
    if (code >= 0xd800 && code <= 0xdfff)
        return false;
    *at += 5;
    if (code < 0x80) {
        *(*to)++ = (char)code;
    } else if (code < 0x800) {
        *(*to)++ = (char)(0xc0 | code >> 6);
        *(*to)++ = (char)(0x80 | (code & 0x3f));
    } else {
        *(*to)++ = (char)(0xe0 | code >> 12);
        *(*to)++ = (char)(0x80 | (code >> 6 & 0x3f));
        *(*to)++ = (char)(0x80 | (code & 0x3f));
    }
    return true;
}

/* The text without its escapes, each of which is longer than what it stands for. */
static bool unescape(struct entry *entry, const char *at, const char *end, weir_string *text)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    char *begin = entry_copy(entry, (size_t)(end - at)), *to = begin;
    if (!begin)
        return false;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        if (++at == end)
            return false;
        const char *name = *at ? strchr(names, *at) : NULL;
        if (name) {
            *to++ = bytes[name - names];
            at++;
        } else if (*at != 'u' || !take_code(&at, end, &to)) {
            return false;
        }
    }
    *text = entry_copied(entry, begin, (size_t)(to - begin));
    return true;
}

static bool is_valid(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        if (*at < 0x20)
            return false;
        size_t size = *at < 0x80 ? 1 : encode_utf8_size(at, (size_t)(end - at));
        if (!size)
            return false;
        at += size;
    }
    return true;
}

static const char *find_byte(const char *at, const char *end, char byte)
{
    size_t left = (size_t)(end - at);
    return left && left <= PTRDIFF_MAX ? memchr(at, byte, left) : NULL;
}

/* A string; the reader stands at its first quote. */
static bool take_string(struct reader *reader, weir_string *text)
{
    if (!TAKE(reader, "\""))
        return false;
    const char *begin = reader->at, *quote = begin;
    for (;;) {
        quote = find_byte(quote, reader->end, '"');
        if (!quote)
            return false;
        const char *slash = quote;
        while (slash > begin && slash[-1] == '\\')
            slash--;
        if ((quote - slash) % 2 == 0)
            break;
        quote++;
    }
    reader->at = quote + 1;
    bool is_escaped = find_byte(begin, quote, '\\') != NULL;
    if (!is_valid((const unsigned char *)begin, (const unsigned char *)quote))
        return false;
    *text = (weir_string){begin, (size_t)(quote - begin)};
    return !is_escaped || unescape(reader->entry, begin, quote, text);
}

static bool take_number(struct reader *reader, uint64_t *number)
{
    const char *begin = reader->at;
    *number = 0;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' &&
           reader->at - begin < MOST_DIGITS)
        *number = *number * 10 + (uint64_t)(*reader->at++ - '0');
    bool is_ended = reader->at < reader->end && (*reader->at == ',' || *reader->at == '}');
    return is_ended && reader->at > begin && (*begin != '0' || reader->at == begin + 1);
}

/* ---- Members ---- */

static bool take_access(struct reader *reader, uint32_t *access)
{
    if (TAKE(reader, "]"))
        return true;
    do {
        if (TAKE(reader, "\"read\""))
            *access |= WEIR_TABLE_READ;
        else if (TAKE(reader, "\"write\""))
            *access |= WEIR_TABLE_WRITE;
        else if (TAKE(reader, "\"ddl\""))
            *access |= WEIR_TABLE_DDL;
        else
            return false;
    } while (TAKE(reader, ","));
    return TAKE(reader, "]");
}

static bool take_table(struct reader *reader, weir_table *table)
{
    *table = (weir_table){.access = 0};
    return TAKE(reader, "{\"schema\":") &&
           (TAKE(reader, "null") || take_string(reader, &table->schema)) &&
           TAKE(reader, ",\"name\":") && take_string(reader, &table->name) &&
           TAKE(reader, ",\"access\":[") && take_access(reader, &table->access) &&
           TAKE(reader, "}");
}

static bool take_tables(struct reader *reader)
{
    struct entry *entry = reader->entry;
    weir_table tables[MOST_TABLES];
    size_t count = 0;
    if (!TAKE(reader, "["))
        return false;
    if (!TAKE(reader, "]")) {
        do {
            if (count == MOST_TABLES || !take_table(reader, &tables[count++]))
                return false;
        } while (TAKE(reader, ","));
        if (!TAKE(reader, "]"))
            return false;
    }
    entry->tables = calloc(count + 1, sizeof *entry->tables);
    if (!entry->tables)
        return false;
    memcpy(entry->tables, tables, count * sizeof *tables);
    entry->record.tables = entry->tables;
    entry->record.table_count = count;
    return true;
}

static bool take_field(struct reader *reader, const struct record_row *row)
{
    struct record *record = &reader->entry->record;
    if (row->type == RECORD_IS_NUMBER)
        return take_number(reader, &record->number[row->index]);
    if (row->type == RECORD_IS_LIST)
        return row->index == RECORD_LIST_tables && take_tables(reader);
    if (!TAKE(reader, "null"))
        return take_string(reader, &record->text[row->index]);
    record_set_null(record, row->index);
    return true;
}

/* `"name":` of a member, without escapes. */
static bool take_name(struct reader *reader, weir_string *name)
{
    if (!TAKE(reader, "\""))
        return false;
    const char *begin = reader->at;
    const char *quote = find_byte(begin, reader->end, '"');
    if (!quote || quote == begin || memchr(begin, '\\', (size_t)(quote - begin)))
        return false;
    *name = (weir_string){begin, (size_t)(quote - begin)};
    reader->at = quote + 1;
    return TAKE(reader, ":");
}

/* What every line begins with: number, link, time, event, class. */
static bool take_head(struct reader *reader)
{
    weir_string time, link, class;
    uint64_t sequence, time_ns;
    int event = -1;
    if (!TAKE(reader, "{\"seq\":") || !take_number(reader, &sequence) ||
        (TAKE(reader, ",\"prev\":") && !take_string(reader, &link)) ||
        !TAKE(reader, ",\"time\":") || !take_string(reader, &time) ||
        !when_read_stamp(time.data, time.size, &time_ns) || !TAKE(reader, ",\"event\":\""))
        return false;
    for (int i = 0; i < RECORD_EVENT_END && event < 0; i++) {
        const char *name = record_event_name((enum record_event)i);
        if (take(reader, name, strlen(name)))
            event = i;
    }
    if (event < 0 || !TAKE(reader, "\",\"class\":") || !take_string(reader, &class))
        return false;
    entry_begin(reader->entry, event, time_ns);
    reader->entry->sequence = sequence;
    return true;
}

bool entry_read_quick(struct entry *entry, const char *line, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct reader reader = {.at = line, .end = line + size, .entry = entry};
    uint64_t seen = 0;
    _Static_assert(RECORD_TEXT_END + RECORD_NUMBER_END + RECORD_LIST_END <= 64,
                   "a bit for each field");
    pthread_once(&once, fill_slots);
    if (!take_head(&reader))
        return false;
    while (TAKE(&reader, ",")) {
        weir_string name;
        int row = take_name(&reader, &name) ? row_of(name) : -1;
        if (row < 0 || seen >> row & 1 || !take_field(&reader, &record_rows[row]))
            return false;
        seen |= UINT64_C(1) << row;
    }
    return TAKE(&reader, "}") && reader.at == reader.end;
}
