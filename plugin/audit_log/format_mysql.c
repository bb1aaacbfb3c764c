/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL Enterprise Audit's JSON format, and that of Percona's audit_log_filter, which differs in
 * little: one array of objects, with the items that their manuals document. A statement is one
 * `table_access` record for each table and access, and then a `general` record. What MySQL has no
 * item for is left out, except `prev` (the chain), `unknown` and `reading_known` (what is null or a
 * guess, and why), `backend_connection_id`, `query_size` (of a text that is not repeated), and the `audit` events
 * `gap`, `reopen` and `plugin`. docs/plugins/audit_log.md lists where the contents can differ. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/utsname.h>

#include "format.h"
#include "sql_command.h"
#include "table_event.h"

static void add_key(struct strbuf *text, const char *key)
{
    strbuf_add_text(text, key);
}

static void add_string(struct strbuf *text, const char *key, weir_string value)
{
    add_key(text, key);
    encode_json(text, value.data, value.size);
}

/* What is not known is null. */
static void add_nullable(struct strbuf *text, const char *key, weir_string value, bool is_null)
{
    if (!is_null) {
        add_string(text, key, value);
        return;
    }
    add_key(text, key);
    add_key(text, "null");
}

static void add_number(struct strbuf *text, const char *key, uint64_t value)
{
    add_key(text, key);
    encode_number(text, value == WEIR_ABSENT ? 0 : value);
}

/* "2026-01-31 23:59:59", UTC. */
static void add_timestamp(struct strbuf *text, uint64_t time_ns)
{
    size_t begin = text->size;
    strbuf_add_byte(text, '"');
    encode_time(text, time_ns);
    if (text->failed)
        return;
    text->data[begin + 11] = ' ';
    text->size = begin + 20;
    strbuf_add_byte(text, '"');
}

enum dialect { MYSQL, PERCONA };

/* Percona's general events name a user as the server does in its general log:
 * "app[app] @ localhost []", and an address that has no name "app[app] @  [10.0.0.9]". */
static void add_whole_user(struct strbuf *text, const char *key, const struct record *record,
                           weir_string matched)
{
    struct strbuf user = {0};
    weir_string host = record->text[RECORD_TEXT_host], ip = record->text[RECORD_TEXT_client_ip];
    if (text_equals(host, ip))
        host = (weir_string){NULL, 0};
    strbuf_add(&user, record->text[RECORD_TEXT_user].data, record->text[RECORD_TEXT_user].size);
    strbuf_add_byte(&user, '[');
    strbuf_add(&user, matched.data, matched.size);
    strbuf_add_text(&user, "] @ ");
    strbuf_add(&user, host.data, host.size);
    strbuf_add_text(&user, " [");
    strbuf_add(&user, ip.data, ip.size);
    strbuf_add_byte(&user, ']');
    add_string(text, key, (weir_string){user.data, user.size});
    text->failed = text->failed || user.failed;
    strbuf_release(&user);
}

/* What every record begins with, up to the class's own part. */
static void begin_body(struct strbuf *text, const struct record *record, const char *class,
                       const char *event, enum dialect dialect)
{
    add_key(text, "\"timestamp\":");
    add_timestamp(text, record->time_ns);
    strbuf_printf(text, ",\"class\":\"%s\",\"event\":\"%s\"", class, event);
    add_number(text, ",\"connection_id\":", record->number[RECORD_NUMBER_connection_id]);
    if (record->number[RECORD_NUMBER_backend_connection_id] != WEIR_ABSENT)
        add_number(text, ",\"backend_connection_id\":",
                   record->number[RECORD_NUMBER_backend_connection_id]);
    if (record->number[RECORD_NUMBER_connection_id] == WEIR_ABSENT) {
        if (dialect == PERCONA)
            add_key(text, ",\"account\":{\"user\":\"\",\"host\":\"\"},\"login\":{\"user\":\"\","
                          "\"os\":\"\",\"ip\":\"\",\"proxy\":\"\"}");
        return;
    }
    weir_string account = record->text[RECORD_TEXT_account], user = record->text[RECORD_TEXT_user];
    const char *at = account.data ? memrchr(account.data, '@', account.size) : NULL;
    weir_string host = record->text[RECORD_TEXT_host], matched = user;
    if (at) {
        matched = (weir_string){account.data, (size_t)(at - account.data)};
        host = (weir_string){at + 1, account.size - matched.size - 1};
    }
    bool is_null = record_is_null(record, RECORD_TEXT_account);
    bool is_whole_user = dialect == PERCONA && strcmp(class, "general") == 0;
    if (is_whole_user && !is_null)
        add_whole_user(text, ",\"account\":{\"user\":", record, matched);
    else
        add_nullable(text, ",\"account\":{\"user\":", matched, is_null);
    add_nullable(text, ",\"host\":", host, is_null);
    if (is_whole_user && !is_null)
        add_whole_user(text, "},\"login\":{\"user\":", record, matched);
    else
        add_string(text, "},\"login\":{\"user\":", user);
    add_string(text, ",\"os\":", record->text[RECORD_TEXT_os_user]);
    add_string(text, ",\"ip\":", record->text[RECORD_TEXT_client_ip]);
    add_key(text, ",\"proxy\":\"\"}");
    if (record->number[RECORD_NUMBER_reading_known] == 0)
        add_key(text, ",\"reading_known\":0");
    if (record->text[RECORD_TEXT_unknown].data)
        add_string(text, ",\"unknown\":", record->text[RECORD_TEXT_unknown]);
}

static const char *connection_type(const struct record *record)
{
    weir_string type = record->text[RECORD_TEXT_connection_type];
    if (type.size == 3 && memcmp(type.data, "TLS", 3) == 0)
        return "ssl";
    return type.size == 6 && memcmp(type.data, "Socket", 6) == 0 ? "socket" : "tcp/ip";
}

static void write_connection(struct strbuf *text, const struct record *record, const char *event,
                             enum dialect dialect)
{
    begin_body(text, record, "connection", event, dialect);
    strbuf_printf(text, ",\"connection_data\":{\"connection_type\":\"%s\"",
                  connection_type(record));
    if (record->event != RECORD_DISCONNECT) {
        add_number(text, ",\"status\":", record->number[RECORD_NUMBER_error_code]);
        add_nullable(text, ",\"db\":", record->text[RECORD_TEXT_database],
                     record_is_null(record, RECORD_TEXT_database));
    }
    if (record->attribute_count) {
        add_key(text, ",\"connection_attributes\":");
        format_add_attributes(text, record);
    }
    add_key(text, "}}\n");
}

static void add_sql_command(struct strbuf *text, const struct record *record)
{
    add_key(text, ",\"sql_command\":\"");
    sql_command_add_finer(text, record->text[RECORD_TEXT_kind], record->text[RECORD_TEXT_sql]);
    strbuf_add_byte(text, '"');
}

static void write_general(struct strbuf *text, const struct record *record, enum dialect dialect)
{
    begin_body(text, record, "general", "status", dialect);
    add_string(text, ",\"general_data\":{\"command\":", record->text[RECORD_TEXT_command]);
    add_sql_command(text, record);
    add_string(text, ",\"query\":", record->text[RECORD_TEXT_sql]);
    add_number(text, ",\"status\":", record->number[RECORD_NUMBER_error_code]);
    add_key(text, "}");
    if (record->number[RECORD_NUMBER_duration_us] != WEIR_ABSENT) {
        uint64_t microseconds = record->number[RECORD_NUMBER_duration_us];
        strbuf_printf(text, ",\"query_statistics\":{\"query_time\":%llu.%06llu",
                      (unsigned long long)(microseconds / 1000000),
                      (unsigned long long)(microseconds % 1000000));
        add_number(text, ",\"bytes_sent\":", record->number[RECORD_NUMBER_bytes]);
        add_number(text, ",\"rows_sent\":", record->number[RECORD_NUMBER_rows]);
        add_key(text, "}");
    }
    add_key(text, "}\n");
}

/* A statement of a megabyte can name 100,000 tables: what their records repeat of its text has a
 * limit, together. */
#define REPEATED_BYTES  ((size_t)1024 * 1024)
#define BEGINNING_BYTES 128U /* of the text, in the records after that */

/* The first record has the whole text. left: bytes that may be repeated yet. */
static void add_repeated_query(struct strbuf *text, weir_string sql, size_t *left)
{
    bool is_cut = sql.size > *left && sql.size > BEGINNING_BYTES;
    weir_string shown = {sql.data, is_cut ? record_beginning(sql, BEGINNING_BYTES) : sql.size};
    *left -= sql.size < *left ? sql.size : *left;
    add_string(text, ",\"query\":", shown);
    if (is_cut)
        add_number(text, ",\"query_size\":", sql.size);
}

static void write_tables(struct strbuf *text, const struct record *record, enum dialect dialect)
{
    size_t left = record->text[RECORD_TEXT_sql].size + REPEATED_BYTES;
    struct strbuf sql_command = STRBUF_INIT; /* the same in all, and read from the text once */
    if (record->table_count)
        add_sql_command(&sql_command, record);
    for (size_t i = 0; i < record->table_count; i++) {
        const weir_table *table = &record->tables[i];
        if (i < 64 && record->table_skip >> i & 1)
            continue;
        unsigned events = table_events_of(record->text[RECORD_TEXT_kind], table->access);
        for (unsigned event = 0; event < TABLE_EVENT_END; event++) {
            if (!(events & 1U << event))
                continue;
            begin_body(text, record, "table_access", table_event_name((enum table_event)event),
                       dialect);
            add_nullable(text, ",\"table_access_data\":{\"db\":", table->schema,
                         record_is_schema_null(record, table));
            add_string(text, ",\"table\":", table->name);
            add_repeated_query(text, record->text[RECORD_TEXT_sql], &left);
            strbuf_add(text, sql_command.data, sql_command.size);
            add_key(text, "}}\n");
        }
    }
    text->failed = text->failed || sql_command.failed;
    strbuf_release(&sql_command);
}

static void write_start(struct strbuf *text, const struct record *record, enum dialect dialect)
{
    struct utsname system = {0};
    uname(&system);
    begin_body(text, record, "audit", "startup", dialect);
    strbuf_printf(text, ",\"startup_data\":{\"server_id\":0,\"os_version\":\"%s-%s\"",
                  system.machine, system.sysname);
    add_string(text, ",\"mysql_version\":", record->text[RECORD_TEXT_detail]);
    add_key(text, ",\"args\":[]}}\n");
}

static void write_own(struct strbuf *text, const struct record *record, enum dialect dialect)
{
    if (record->event == RECORD_START) {
        write_start(text, record, dialect);
        return;
    }
    if (record->event == RECORD_STOP) {
        begin_body(text, record, "audit", "shutdown", dialect);
        add_key(text, ",\"shutdown_data\":{\"server_id\":0}}\n");
        return;
    }
    bool is_gap = record->event == RECORD_GAP, is_plugin = record->event == RECORD_PLUGIN;
    begin_body(text, record, "audit", is_gap ? "gap" : is_plugin ? "plugin" : "reopen", dialect);
    if (is_plugin) {
        add_string(text, ",\"plugin_data\":{\"plugin\":", record->text[RECORD_TEXT_plugin]);
        add_string(text, ",\"change\":", record->text[RECORD_TEXT_detail]);
        add_key(text, "}");
    }
    if (is_gap) {
        add_number(text, ",\"gap_data\":{\"lost\":", record->number[RECORD_NUMBER_lost]);
        add_string(text, ",\"since\":", record->text[RECORD_TEXT_since]);
        add_string(text, ",\"until\":", record->text[RECORD_TEXT_until]);
        add_string(text, ",\"reason\":", record->text[RECORD_TEXT_reason]);
        add_key(text, "}");
    }
    add_key(text, "}\n");
}

static void write_in(struct strbuf *text, const struct record *record, enum dialect dialect)
{
    switch (record->event) {
    case RECORD_CONNECT:
    case RECORD_REJECT:
        write_connection(text, record, "connect", dialect);
        break;
    case RECORD_CHANGE_USER:
        write_connection(text, record, "change_user", dialect);
        break;
    case RECORD_DISCONNECT:
        write_connection(text, record, "disconnect", dialect);
        break;
    case RECORD_STARTING: /* MySQL records the end only */
        break;
    case RECORD_COMPLETED:
    case RECORD_ERROR:
    case RECORD_REFUSED:
        write_tables(text, record, dialect); /* first, as in MySQL's samples */
        if (!record->without_general)
            write_general(text, record, dialect);
        break;
    case RECORD_TABLE:
        write_tables(text, record, dialect);
        break;
    default:
        write_own(text, record, dialect);
    }
}

static void write_mysql(struct strbuf *text, const struct record *record)
{
    write_in(text, record, MYSQL);
}

static void write_percona(struct strbuf *text, const struct record *record)
{
    write_in(text, record, PERCONA);
}

static void write_prefix(struct strbuf *text, uint64_t sequence, const char chain[CHAIN_TEXT_BYTES])
{
    format_add_prefix(text, "{\"id\":", sequence, chain);
}

static bool read_prefix(const char *line, size_t size, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES])
{
    return format_read_prefix(line, size, "{\"id\":", sequence, chain);
}

const struct format format_mysql_json = {
    .name = "mysql_json",
    .opening = "[\n",
    .separator = ",",
    .closing = "]\n",
    .has_numbers = true,
    .write_session = NULL,
    .write = write_mysql,
    .write_prefix = write_prefix,
    .read_prefix = read_prefix,
};

/* The blank in the opening means nothing in JSON; it tells the two formats apart when a file is
 * read again. */
const struct format format_percona_json = {
    .name = "percona_json",
    .opening = "[ \n",
    .separator = ",",
    .closing = "]\n",
    .has_numbers = true,
    .write_session = NULL,
    .write = write_percona,
    .write_prefix = write_prefix,
    .read_prefix = read_prefix,
};
