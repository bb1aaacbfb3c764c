/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the JSON of MySQL Enterprise Audit and of Percona's audit_log_filter, as audit_log writes
 * them and as those servers do, if each record is one line.
 *
 * What their items do not have is absent. Percona names the user of a general event
 * "app[app] @ localhost []": what stands before the bracket is the user. */
#include "entry.h"
#include "sql_command.h"
#include "when.h"

static weir_string text_in(struct entry *entry, json_t *object, const char *name)
{
    weir_string text = entry_member(entry, object, name);
    return text.size ? text : (weir_string){NULL, 0};
}

static uint64_t number_in(const json_t *object, const char *name)
{
    return entry_read_number(json_object_get(object, name));
}

/* "app" of "app[priv] @ host [ip]", and "priv"; a plain name is both. */
static weir_string user_within(weir_string whole, weir_string *matched)
{
    const char *at = whole.data ? memmem(whole.data, whole.size, "] @ ", 4) : NULL;
    const char *open = at ? memchr(whole.data, '[', (size_t)(at - whole.data)) : NULL;
    *matched = whole;
    if (!open)
        return whole;
    *matched = (weir_string){open + 1, (size_t)(at - open - 1)};
    return (weir_string){whole.data, (size_t)(open - whole.data)};
}

static weir_string join(struct entry *entry, weir_string user, weir_string host)
{
    size_t size = user.size + 1 + host.size;
    char *to = entry_copy(entry, size);
    if (!to)
        return (weir_string){NULL, 0};
    if (user.size)
        memcpy(to, user.data, user.size);
    to[user.size] = '@';
    if (host.size)
        memcpy(to + user.size + 1, host.data, host.size);
    return entry_copied(entry, to, size);
}

static void read_who(struct entry *entry)
{
    struct record *record = &entry->record;
    weir_string *text = record->text, matched;
    json_t *account = json_object_get(entry->json, "account");
    json_t *login = json_object_get(entry->json, "login");
    weir_string host = text_in(entry, account, "host");
    uint64_t id = number_in(entry->json, "connection_id");
    bool is_session = json_is_object(login) && json_object_size(login) && id;
    if (!is_session)
        return;
    record->number[RECORD_NUMBER_connection_id] = id;
    record->number[RECORD_NUMBER_backend_connection_id] =
        number_in(entry->json, "backend_connection_id");
    text[RECORD_TEXT_user] = user_within(text_in(entry, login, "user"), &matched);
    text[RECORD_TEXT_os_user] = text_in(entry, login, "os");
    text[RECORD_TEXT_client_ip] = text_in(entry, login, "ip");
    text[RECORD_TEXT_host] = text[RECORD_TEXT_client_ip].size ? text[RECORD_TEXT_client_ip] : host;
    text[RECORD_TEXT_unknown] = text_in(entry, entry->json, "unknown");
    record->number[RECORD_NUMBER_reading_known] = number_in(entry->json, "reading_known");
    if (json_is_null(json_object_get(account, "user"))) {
        record_set_null(record, RECORD_TEXT_account);
        return;
    }
    user_within(text_in(entry, account, "user"), &matched);
    if (record->event != RECORD_REJECT)
        text[RECORD_TEXT_account] = join(entry, matched, host);
}

static void read_database(struct entry *entry, json_t *object)
{
    if (json_is_null(json_object_get(object, "db")))
        record_set_null(&entry->record, RECORD_TEXT_database);
    else
        entry->record.text[RECORD_TEXT_database] = text_in(entry, object, "db");
}

static void read_connection(struct entry *entry)
{
    struct record *record = &entry->record;
    json_t *data = json_object_get(entry->json, "connection_data");
    weir_string type = text_in(entry, data, "connection_type");
    record->text[RECORD_TEXT_connection_type] = text_of(text_is(type, "ssl")      ? "TLS"
                                                        : text_is(type, "socket") ? "Socket"
                                                                                  : "TCP");
    if (record->event == RECORD_REJECT)
        record->number[RECORD_NUMBER_error_code] = number_in(data, "status");
    if (record->event != RECORD_DISCONNECT)
        read_database(entry, data);
    json_t *attributes = json_object_get(data, "connection_attributes");
    entry_read_list(entry, RECORD_LIST_attributes, attributes);
    record->text[RECORD_TEXT_program] = text_in(entry, attributes, "program_name");
}

static void read_kind(struct entry *entry, json_t *data)
{
    struct strbuf kind = {0};
    weir_string name = text_in(entry, data, "sql_command");
    char *to = entry_copy(entry, 2 * name.size + 32);
    if (to && sql_command_kind(name, &kind) && kind.size <= 2 * name.size + 32) {
        memcpy(to, kind.data, kind.size);
        entry->record.text[RECORD_TEXT_kind] = entry_copied(entry, to, kind.size);
    }
    strbuf_release(&kind);
}

static void read_general(struct entry *entry)
{
    struct record *record = &entry->record;
    json_t *data = json_object_get(entry->json, "general_data");
    json_t *statistics = json_object_get(entry->json, "query_statistics");
    uint64_t status = number_in(data, "status");
    record->text[RECORD_TEXT_command] = text_in(entry, data, "command");
    record->text[RECORD_TEXT_sql] = text_in(entry, data, "query");
    if (record->text[RECORD_TEXT_sql].data)
        read_kind(entry, data);
    if (record->event == RECORD_ERROR)
        record->number[RECORD_NUMBER_error_code] = status;
    if (!statistics)
        return;
    double seconds = json_number_value(json_object_get(statistics, "query_time"));
    if (seconds >= 0 && seconds < 1e12)
        record->number[RECORD_NUMBER_duration_us] = (uint64_t)(seconds * 1e6 + 0.5);
    record->number[RECORD_NUMBER_bytes] = number_in(statistics, "bytes_sent");
    if (record->event == RECORD_COMPLETED)
        record->number[RECORD_NUMBER_rows] = number_in(statistics, "rows_sent");
}

static void read_table(struct entry *entry, const char *event)
{
    struct record *record = &entry->record;
    json_t *data = json_object_get(entry->json, "table_access_data");
    bool is_read = strcmp(event, "read") == 0, is_delete = strcmp(event, "delete") == 0;
    read_kind(entry, data);
    bool is_emptied = is_delete && text_is(record->text[RECORD_TEXT_kind], "TruncateTable");
    record->text[RECORD_TEXT_sql] = text_in(entry, data, "query");
    if (json_is_null(json_object_get(data, "db")))
        record_set_null(record, RECORD_TEXT_database);
    entry->table = (weir_table){.schema = text_in(entry, data, "db"),
                                .name = text_in(entry, data, "table"),
                                .access = is_read      ? WEIR_TABLE_READ
                                          : is_emptied ? WEIR_TABLE_DDL
                                                       : WEIR_TABLE_WRITE};
    record->tables = &entry->table;
    record->table_count = 1;
}

static void read_own(struct entry *entry)
{
    struct record *record = &entry->record;
    weir_string *text = record->text;
    json_t *gap = json_object_get(entry->json, "gap_data");
    json_t *plugin = json_object_get(entry->json, "plugin_data");
    if (gap) {
        record->number[RECORD_NUMBER_lost] = number_in(gap, "lost");
        text[RECORD_TEXT_since] = text_in(entry, gap, "since");
        text[RECORD_TEXT_until] = text_in(entry, gap, "until");
        text[RECORD_TEXT_reason] = text_in(entry, gap, "reason");
    }
    if (plugin) {
        text[RECORD_TEXT_plugin] = text_in(entry, plugin, "plugin");
        text[RECORD_TEXT_detail] = text_in(entry, plugin, "change");
    }
    json_t *startup = json_object_get(entry->json, "startup_data");
    if (startup)
        text[RECORD_TEXT_detail] = text_in(entry, startup, "mysql_version");
}

static bool is_failed(json_t *json, const char *data)
{
    uint64_t status = number_in(json_object_get(json, data), "status");
    return status != WEIR_ABSENT && status != 0;
}

/* Class and event, and what that is here; a failed one is another record. */
static const struct {
    const char *class, *event;
    int is, is_if_failed;
} events[] = {
    {"connection", "connect", RECORD_CONNECT, RECORD_REJECT},
    {"connection", "change_user", RECORD_CHANGE_USER, RECORD_CHANGE_USER},
    {"connection", "disconnect", RECORD_DISCONNECT, RECORD_DISCONNECT},
    {"general", "status", RECORD_COMPLETED, RECORD_ERROR},
    {"table_access", "read", RECORD_TABLE, RECORD_TABLE},
    {"table_access", "insert", RECORD_TABLE, RECORD_TABLE},
    {"table_access", "update", RECORD_TABLE, RECORD_TABLE},
    {"table_access", "delete", RECORD_TABLE, RECORD_TABLE},
    {"audit", "startup", RECORD_START, RECORD_START},
    {"audit", "shutdown", RECORD_STOP, RECORD_STOP},
    {"audit", "gap", RECORD_GAP, RECORD_GAP},
    {"audit", "reopen", RECORD_REOPEN, RECORD_REOPEN},
    {"audit", "plugin", RECORD_PLUGIN, RECORD_PLUGIN},
};

static int event_of(json_t *json, const char *class, const char *event)
{
    bool failed = is_failed(json, "general_data") || is_failed(json, "connection_data");
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp(class, events[i].class) == 0 && strcmp(event, events[i].event) == 0)
            return failed ? events[i].is_if_failed : events[i].is;
    return -1;
}

enum entry_kind entry_read_mysql(struct entry *entry, const char *line, size_t size)
{
    uint64_t time_ns;
    entry->json = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    json_t *id = json_object_get(entry->json, "id");
    json_t *stamp = json_object_get(entry->json, "timestamp");
    const char *class = json_string_value(json_object_get(entry->json, "class"));
    const char *event = json_string_value(json_object_get(entry->json, "event"));
    int known = class && event ? event_of(entry->json, class, event) : -1;
    if (!json_is_integer(id) || json_integer_value(id) < 0 || known < 0 || !json_is_string(stamp) ||
        !when_read_stamp(json_string_value(stamp), json_string_length(stamp), &time_ns))
        return ENTRY_NONE;
    entry_begin(entry, known, time_ns);
    entry->sequence = (uint64_t)json_integer_value(id);
    read_who(entry);
    switch (entry->record.event) {
    case RECORD_COMPLETED:
    case RECORD_ERROR:
        read_general(entry);
        break;
    case RECORD_TABLE:
        read_table(entry, event);
        break;
    case RECORD_CONNECT:
    case RECORD_REJECT:
    case RECORD_CHANGE_USER:
    case RECORD_DISCONNECT:
        read_connection(entry);
        break;
    default:
        read_own(entry);
    }
    return ENTRY_RECORD;
}
