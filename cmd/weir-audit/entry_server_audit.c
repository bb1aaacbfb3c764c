/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads lines of server_audit, this plugin's and MariaDB's own: eight fields with commas between,
 * then an object in quotes or a table's name, then the code. Names are not escaped there, so a name
 * with a comma in it moves the fields after it; the operation must be where it belongs, or the line
 * is no record.
 *
 * A text is told apart from others by sql_statement_kind() with the default sql_mode. */
#include "entry.h"
#include "sql/sql.h"
#include "when.h"

enum { STAMP, SERVER, USER, HOST, CONNECTION, QUERY, OPERATION, DATABASE, FIELDS };

static const struct {
    const char *operation;
    int event;
    uint32_t access;
} operations[] = {
    {"CONNECT", RECORD_CONNECT, 0},
    {"FAILED_CONNECT", RECORD_REJECT, 0},
    {"DISCONNECT", RECORD_DISCONNECT, 0},
    {"CHANGEUSER", RECORD_CHANGE_USER, 0},
    {"QUERY", RECORD_COMPLETED, 0},
    {"READ", RECORD_TABLE, WEIR_TABLE_READ},
    {"WRITE", RECORD_TABLE, WEIR_TABLE_WRITE},
    {"CREATE", RECORD_TABLE, WEIR_TABLE_DDL},
    {"ALTER", RECORD_TABLE, WEIR_TABLE_DDL},
    {"RENAME", RECORD_TABLE, WEIR_TABLE_DDL},
    {"DROP", RECORD_TABLE, WEIR_TABLE_DDL},
    {"START", RECORD_START, 0},
    {"STOP", RECORD_STOP, 0},
    {"GAP", RECORD_GAP, 0},
    {"REOPEN", RECORD_REOPEN, 0},
    {"PLUGIN", RECORD_PLUGIN, 0},
};

static bool read_number(weir_string text, uint64_t *number)
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

static bool split(const char *line, size_t size, weir_string fields[FIELDS], weir_string *rest)
{
    const char *at = line, *end = line + size;
    for (int i = 0; i < FIELDS; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (!comma)
            return false;
        fields[i] = (weir_string){at, (size_t)(comma - at)};
        at = comma + 1;
    }
    *rest = (weir_string){at, (size_t)(end - at)};
    return true;
}

static char unescaped(char byte)
{
    switch (byte) {
    case 'b':
        return '\b';
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'f':
        return '\f';
    case 'r':
        return '\r';
    default:
        return byte;
    }
}

/* The text of `'...'`, without its escapes. */
static weir_string unquoted(struct entry *entry, weir_string text)
{
    if (text.size < 2 || text.data[0] != '\'' || text.data[text.size - 1] != '\'')
        return text;
    text = (weir_string){text.data + 1, text.size - 2};
    if (!text.size || !memchr(text.data, '\\', text.size))
        return text;
    char *to = entry_copy(entry, text.size);
    size_t size = 0;
    for (size_t i = 0; to && i < text.size; i++)
        if (text.data[i] == '\\' && i + 1 < text.size)
            to[size++] = unescaped(text.data[++i]);
        else
            to[size++] = text.data[i];
    return entry_copied(entry, to, size);
}

static weir_string unless_empty(weir_string text)
{
    return text.size ? text : (weir_string){NULL, 0};
}

/* "object,code": the code is what stands after the last comma. */
static bool read_end(weir_string rest, weir_string *object, uint64_t *code)
{
    const char *comma = rest.size ? memrchr(rest.data, ',', rest.size) : NULL;
    if (!comma)
        return false;
    *object = (weir_string){rest.data, (size_t)(comma - rest.data)};
    weir_string digits = {comma + 1, rest.size - object->size - 1};
    *code = 0;
    return !digits.size || read_number(digits, code);
}

static void read_session(struct entry *entry, const weir_string fields[FIELDS])
{
    struct record *record = &entry->record;
    weir_string *text = record->text;
    if (!read_number(fields[CONNECTION], &record->number[RECORD_NUMBER_connection_id]))
        record->number[RECORD_NUMBER_connection_id] = WEIR_ABSENT;
    text[RECORD_TEXT_user] = unless_empty(fields[USER]);
    text[RECORD_TEXT_host] = unless_empty(fields[HOST]);
    text[RECORD_TEXT_client_ip] =
        text_is(fields[HOST], "localhost") ? (weir_string){NULL, 0} : unless_empty(fields[HOST]);
    if (record->event != RECORD_TABLE)
        text[RECORD_TEXT_database] = unless_empty(fields[DATABASE]);
}

static void read_statement(struct entry *entry, weir_string object, uint64_t code)
{
    struct record *record = &entry->record;
    struct sql_mode mode = {0};
    weir_string sql = unquoted(entry, object);
    record->text[RECORD_TEXT_command] = text_of("Query");
    record->text[RECORD_TEXT_sql] = sql;
    if (sql.data)
        record->text[RECORD_TEXT_kind] = text_of(
            sql_kind_name(sql_statement_kind((struct sql_span){sql.data, sql.size}, &mode).kind));
    if (code)
        record->number[RECORD_NUMBER_error_code] = code;
}

enum entry_kind entry_read_server_audit(struct entry *entry, const char *line, size_t size)
{
    weir_string fields[FIELDS], rest, object;
    uint64_t time_ns, code, query;
    size_t found = 0;
    const size_t count = sizeof operations / sizeof *operations;
    if (!split(line, size, fields, &rest) ||
        !when_read_local_stamp(fields[STAMP].data, fields[STAMP].size, &time_ns) ||
        !read_end(rest, &object, &code))
        return ENTRY_NONE;
    while (found < count && !text_is(fields[OPERATION], operations[found].operation))
        found++;
    if (found == count)
        return ENTRY_NONE;
    bool is_query = operations[found].event == RECORD_COMPLETED;
    entry_begin(entry, is_query && code ? RECORD_ERROR : operations[found].event, time_ns);
    struct record *record = &entry->record;
    if (strcmp(record_event_class(record->event), "audit") == 0) {
        record->text[RECORD_TEXT_detail] = unless_empty(unquoted(entry, object));
        return ENTRY_RECORD;
    }
    read_session(entry, fields);
    if (read_number(fields[QUERY], &query) && query)
        record->number[RECORD_NUMBER_statement_id] = query;
    if (is_query) {
        read_statement(entry, object, code);
    } else if (record->event == RECORD_TABLE) {
        entry->table = (weir_table){
            .schema = fields[DATABASE], .name = object, .access = operations[found].access};
        record->tables = &entry->table;
        record->table_count = 1;
    } else if (record->event == RECORD_REJECT) {
        record->number[RECORD_NUMBER_error_code] = code;
    }
    return ENTRY_RECORD;
}
