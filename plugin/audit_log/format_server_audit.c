/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines as MariaDB's plugin server_audit writes them, byte for byte where both know the same:
 *
 *     20260131 23:59:59,serverhost,user,host,connection,query,OPERATION,database,object,retcode
 *
 * in local time. A statement is one line for each table and use of it, and a QUERY line; a login
 * that failed is FAILED_CONNECT and DISCONNECT. What the plugin does not write is left out: prepared
 * statements that were only prepared, and commands without a statement.
 *
 * There is no room for sequence numbers and links: Validate() refuses a chain with this format. What
 * the log says of itself (START, STOP, GAP, REOPEN, PLUGIN) are lines in the shape of QUERY. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <weir/clock.h>
#include <weir/text.h>

#include "format.h"

#define STAMP_BYTES sizeof "20260131 23:59:59"
#define HOST_BYTES  256

/* The date and time of day are kept for each thread, as clock_rfc3339() does. */
static void add_stamp(struct strbuf *text, uint64_t time_ns)
{
    static __thread time_t kept_second = -1;
    static __thread char kept[STAMP_BYTES];
    time_t second = (time_t)(time_ns / CLOCK_NS_PER_S);
    if (second != kept_second) {
        struct tm local;
        localtime_r(&second, &local);
        local.tm_year = (local.tm_year + 1900) % 10000 - 1900; /* four digits */
        strftime(kept, sizeof kept, "%Y%m%d %H:%M:%S", &local);
        kept_second = second;
    }
    strbuf_add(text, kept, STAMP_BYTES - 1);
}

static void add_server_host(struct strbuf *text)
{
    static __thread char host[HOST_BYTES];
    if (!*host && gethostname(host, sizeof host - 1) < 0)
        snprintf(host, sizeof host, "localhost");
    strbuf_add_text(text, host);
}

/* The byte that stands for another one after a backslash; 0: it is written as it is. */
static char escape_of(char byte)
{
    switch (byte) {
    case '\b':
        return 'b';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\f':
        return 'f';
    case '\r':
        return 'r';
    case '\'':
    case '\\':
        return byte;
    default:
        return '\0';
    }
}

static void add_escaped(struct strbuf *text, weir_string value)
{
    const char *at = value.data, *end = value.data ? value.data + value.size : NULL;
    while (at < end) {
        const char *plain = at;
        while (at < end && !escape_of(*at))
            at++;
        strbuf_add(text, plain, (size_t)(at - plain));
        if (at < end) {
            strbuf_add_byte(text, '\\');
            strbuf_add_byte(text, (unsigned char)escape_of(*at++));
        }
    }
}

/* Names are not escaped; only a line end in one would make two lines of one. */
static void add_name(struct strbuf *text, weir_string name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] == '\n' || name.data[i] == '\r')
            strbuf_add_text(text, name.data[i] == '\n' ? "\\n" : "\\r");
        else
            strbuf_add_byte(text, (unsigned char)name.data[i]);
}

static void add_count(struct strbuf *text, uint64_t number)
{
    encode_number(text, number == WEIR_ABSENT ? 0 : number);
}

/* Up to the comma after the operation. query: 0 in lines of connections. */
static void begin_line(struct strbuf *text, const struct record *record, const char *operation,
                       uint64_t query)
{
    add_stamp(text, record->time_ns);
    strbuf_add_byte(text, ',');
    add_server_host(text);
    strbuf_add_byte(text, ',');
    add_name(text, record->text[RECORD_TEXT_user]);
    strbuf_add_byte(text, ',');
    add_name(text, record->text[RECORD_TEXT_host]);
    strbuf_add_byte(text, ',');
    add_count(text, record->number[RECORD_NUMBER_connection_id]);
    strbuf_add_byte(text, ',');
    add_count(text, query);
    strbuf_add_byte(text, ',');
    strbuf_add_text(text, operation);
    strbuf_add_byte(text, ',');
}

static void write_connection(struct strbuf *text, const struct record *record,
                             const char *operation, uint64_t code)
{
    begin_line(text, record, operation, 0);
    if (record->event != RECORD_REJECT) /* the plugin does not know it yet */
        add_name(text, record->text[RECORD_TEXT_database]);
    strbuf_add(text, ",,", 2);
    add_count(text, code);
    strbuf_add_byte(text, '\n');
}

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Without what the server cuts off before it looks at a text. */
static weir_string trimmed(weir_string sql)
{
    while (sql.size && is_space(sql.data[0]))
        sql = (weir_string){sql.data + 1, sql.size - 1};
    while (sql.size && (is_space(sql.data[sql.size - 1]) || sql.data[sql.size - 1] == ';'))
        sql.size--;
    return sql;
}

/* Secrets, which weir writes as '***', are ***** here. */
static void add_sql(struct strbuf *text, const struct record *record)
{
    static const char mask[] = "'***'";
    weir_string sql = trimmed(record->text[RECORD_TEXT_sql]);
    const char *at = sql.data, *end = sql.data ? sql.data + sql.size : NULL, *found = NULL;
    bool is_masked = record->number[RECORD_NUMBER_masked] == 1;
    while (is_masked && (found = memmem(at, (size_t)(end - at), mask, sizeof mask - 1))) {
        add_escaped(text, (weir_string){at, (size_t)(found - at)});
        strbuf_add_text(text, "*****");
        at = found + sizeof mask - 1;
    }
    add_escaped(text, (weir_string){at, (size_t)(end - at)});
}

static void write_query(struct strbuf *text, const struct record *record)
{
    weir_string command = record->text[RECORD_TEXT_command];
    uint64_t code = record->number[RECORD_NUMBER_error_code];
    bool failed = code != WEIR_ABSENT && code != 0;
    if (!record->text[RECORD_TEXT_sql].data ||
        (command.data && !text_is(command, "Query") && !text_is(command, "Execute") &&
         !(text_is(command, "Prepare") && failed)))
        return;
    begin_line(text, record, "QUERY", record->number[RECORD_NUMBER_statement_id]);
    add_name(text, record->text[RECORD_TEXT_database]);
    strbuf_add(text, ",'", 2);
    add_sql(text, record);
    strbuf_add(text, "',", 2);
    add_count(text, code);
    strbuf_add_byte(text, '\n');
}

static bool begins_with(weir_string text, const char *word)
{
    return text.size >= strlen(word) && memcmp(text.data, word, strlen(word)) == 0;
}

static const char *definition_of(weir_string kind)
{
    return begins_with(kind, "Create") ? "CREATE" : begins_with(kind, "Drop") ? "DROP" : "ALTER";
}

static void write_table(struct strbuf *text, const struct record *record, const char *operation,
                        const weir_table *table, const weir_table *renamed)
{
    begin_line(text, record, operation, record->number[RECORD_NUMBER_statement_id]);
    add_name(text, table->schema);
    strbuf_add_byte(text, ',');
    add_name(text, table->name);
    if (renamed) {
        strbuf_add_byte(text, '|');
        add_name(text, renamed->schema);
        strbuf_add_byte(text, '.');
        add_name(text, renamed->name);
    }
    strbuf_add(text, ",\n", 2);
}

static void write_tables(struct strbuf *text, const struct record *record)
{
    weir_string kind = record->text[RECORD_TEXT_kind];
    bool is_rename = text_is(kind, "RenameTable");
    for (size_t i = 0; i < record->table_count; i++) {
        const weir_table *table = &record->tables[i];
        if (i < 64 && record->table_skip >> i & 1)
            continue;
        if (is_rename && i % 2 == 0 && i + 1 < record->table_count) {
            write_table(text, record, "RENAME", table, table + 1); /* old and new, in pairs */
            i++;
            continue;
        }
        if (table->access & WEIR_TABLE_READ)
            write_table(text, record, "READ", table, NULL);
        if (table->access & WEIR_TABLE_WRITE)
            write_table(text, record, "WRITE", table, NULL);
        if (table->access & WEIR_TABLE_DDL)
            write_table(text, record, definition_of(kind), table, NULL);
    }
}

static void write_own(struct strbuf *text, const struct record *record, const char *operation)
{
    const weir_string *texts = record->text;
    struct strbuf words = {0};
    weir_string reason = texts[RECORD_TEXT_reason], plugin = texts[RECORD_TEXT_plugin];
    if (record->number[RECORD_NUMBER_lost] != WEIR_ABSENT)
        strbuf_printf(&words, "%llu events lost from %.*s to %.*s: ",
                      (unsigned long long)record->number[RECORD_NUMBER_lost],
                      WEIR_STRING_ARGS(texts[RECORD_TEXT_since]),
                      WEIR_STRING_ARGS(texts[RECORD_TEXT_until]));
    if (plugin.data)
        strbuf_printf(&words, "%.*s ", WEIR_STRING_ARGS(plugin));
    strbuf_add(&words, reason.data, reason.size);
    strbuf_add(&words, texts[RECORD_TEXT_detail].data, texts[RECORD_TEXT_detail].size);
    if (record->number[RECORD_NUMBER_torn_bytes] != WEIR_ABSENT)
        strbuf_printf(&words, ", %llu torn bytes cut off",
                      (unsigned long long)record->number[RECORD_NUMBER_torn_bytes]);
    begin_line(text, record, operation, 0);
    strbuf_add(text, ",'", 2);
    add_escaped(text, (weir_string){words.data, words.size});
    strbuf_add_text(text, "',0\n");
    text->failed = text->failed || words.failed;
    strbuf_release(&words);
}

static void write_record(struct strbuf *text, const struct record *record)
{
    uint64_t code = record->number[RECORD_NUMBER_error_code];
    switch (record->event) {
    case RECORD_CONNECT:
        write_connection(text, record, "CONNECT", code);
        break;
    case RECORD_REJECT:
        write_connection(text, record, "FAILED_CONNECT", code);
        write_connection(text, record, "DISCONNECT", 0);
        break;
    case RECORD_CHANGE_USER:
        write_connection(text, record, "CHANGEUSER", code);
        break;
    case RECORD_DISCONNECT:
        write_connection(text, record, "DISCONNECT", 0);
        break;
    case RECORD_STARTING: /* the plugin records the end only */
        break;
    case RECORD_COMPLETED:
    case RECORD_ERROR:
    case RECORD_REFUSED:
        write_tables(text, record);
        if (!record->without_general)
            write_query(text, record);
        break;
    case RECORD_TABLE:
        write_tables(text, record);
        break;
    case RECORD_START:
        write_own(text, record, "START");
        break;
    case RECORD_STOP:
        write_own(text, record, "STOP");
        break;
    case RECORD_GAP:
        write_own(text, record, "GAP");
        break;
    case RECORD_PLUGIN:
        write_own(text, record, "PLUGIN");
        break;
    default:
        write_own(text, record, "REOPEN");
    }
}

static void write_prefix(struct strbuf *text, uint64_t sequence, const char chain[CHAIN_TEXT_BYTES])
{
    (void)text;
    (void)sequence;
    (void)chain;
}

static bool read_prefix(const char *line, size_t size, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES])
{
    static const char stamp[] = "00000000 00:00:00,"; /* digits stand for digits */
    *sequence = 0;
    chain[0] = '\0';
    if (size < sizeof stamp - 1)
        return false;
    for (size_t i = 0; i < sizeof stamp - 1; i++)
        if (stamp[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != stamp[i])
            return false;
    return true;
}

const struct format format_server_audit = {
    .name = "server_audit",
    .opening = "",
    .separator = "",
    .closing = "",
    .has_numbers = false,
    .write_session = NULL,
    .write = write_record,
    .write_prefix = write_prefix,
    .read_prefix = read_prefix,
};
