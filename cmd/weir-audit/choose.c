/* SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <weir/plugin.h>

#define TEXT_BYTES 256 /* of accounts, tables, kinds: longer ones are compared up to here */

/* A network such as 10.0.0.0/8, or one address. */
static int parse_network(struct conditions *conditions, struct error *error)
{
    char text[64];
    snprintf(text, sizeof text, "%s", conditions->address);
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash)
        *slash++ = '\0';
    conditions->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    unsigned bits = conditions->family == AF_INET ? 32 : 128;
    unsigned long prefix = slash ? strtoul(slash, &end, 10) : bits;
    if (inet_pton(conditions->family, text, conditions->network) != 1 || prefix > bits ||
        (end && *end))
        return error_set(error,
                         "-address %s: is neither an IP address nor a network such as 10.0.0.0/8",
                         conditions->address);
    conditions->prefix = (unsigned)prefix;
    return 0;
}

static int check_time(const char *name, const char *text, struct error *error)
{
    unsigned year, month, day;
    if (!text || sscanf(text, "%4u-%2u-%2u", &year, &month, &day) == 3)
        return 0;
    return error_set(error, "-%s %s: write the time in UTC as 2026-01-31 or 2026-01-31T23:59:59",
                     name, text);
}

int choose_prepare(struct conditions *conditions, struct error *error)
{
    if (check_time("since", conditions->since, error) < 0 ||
        check_time("until", conditions->until, error) < 0)
        return -1;
    return conditions->address ? parse_network(conditions, error) : 0;
}

static bool is_in_network(const struct conditions *conditions, weir_string address)
{
    char text[64];
    uint8_t bytes[16];
    snprintf(text, sizeof text, "%.*s", WEIR_STRING_ARGS(address));
    if (inet_pton(conditions->family, text, bytes) != 1)
        return false;
    for (unsigned bit = 0; bit < conditions->prefix; bit++) {
        uint8_t mask = (uint8_t)(0x80U >> bit % 8);
        if ((bytes[bit / 8] ^ conditions->network[bit / 8]) & mask)
            return false;
    }
    return true;
}

/* A pattern with * and ?, without regard to case. */
static bool matches(const char *pattern, weir_string value)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%.*s", WEIR_STRING_ARGS(value));
    return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

/* "table" in any schema, or "schema.table". */
static bool has_table(const char *pattern, const struct record *record)
{
    char text[2 * TEXT_BYTES];
    for (size_t i = 0; i < record->table_count; i++) {
        const weir_table *table = &record->tables[i];
        snprintf(text, sizeof text, "%.*s.%.*s", WEIR_STRING_ARGS(table->schema),
                 WEIR_STRING_ARGS(table->name));
        if (fnmatch(pattern, text, FNM_CASEFOLD) == 0 || matches(pattern, table->name))
            return true;
    }
    return false;
}

static bool is_in_time(const struct conditions *conditions, const char *time)
{
    /* RFC 3339 in UTC sorts as text; a shorter bound is a prefix. */
    return (!conditions->since ||
            strncmp(time, conditions->since, strlen(conditions->since)) >= 0) &&
           (!conditions->until || strncmp(time, conditions->until, strlen(conditions->until)) <= 0);
}

static bool is_user(const char *pattern, const struct record *record)
{
    return matches(pattern, record->text[RECORD_TEXT_user]) ||
           matches(pattern, record->text[RECORD_TEXT_account]);
}

static bool has_text(const char *wanted, weir_string sql)
{
    return sql.data && memmem(sql.data, sql.size, wanted, strlen(wanted));
}

bool choose(const struct conditions *conditions, const struct entry *entry)
{
    const struct record *record = &entry->record;
    const weir_string *text = record->text;
    uint64_t code = record->number[RECORD_NUMBER_error_code];
    return (!conditions->user || is_user(conditions->user, record)) &&
           (!conditions->address || is_in_network(conditions, text[RECORD_TEXT_client_ip])) &&
           is_in_time(conditions, entry->time) &&
           (!conditions->digest || (text[RECORD_TEXT_digest].data &&
                                    strncmp(text[RECORD_TEXT_digest].data, conditions->digest,
                                            strlen(conditions->digest)) == 0)) &&
           (!conditions->table || has_table(conditions->table, record)) &&
           (!conditions->kind || matches(conditions->kind, text[RECORD_TEXT_kind])) &&
           (!conditions->database || matches(conditions->database, text[RECORD_TEXT_database])) &&
           (!conditions->event || matches(conditions->event, text_of(entry->event)) ||
            strcasecmp(conditions->event, record_event_class(record->event)) == 0) &&
           (!conditions->text || has_text(conditions->text, text[RECORD_TEXT_sql])) &&
           (conditions->connection < 0 ||
            record->number[RECORD_NUMBER_connection_id] == (uint64_t)conditions->connection) &&
           (!conditions->errors || (code != WEIR_ABSENT && code != 0));
}
