/* SPDX-License-Identifier: Apache-2.0
 *
 * Matches one entry against the conditions of the command line.
 *
 * What has a grammar (a network, a time) or a list of names (events, kinds) is checked once, in
 * choose_prepare(); after that, matching cannot fail. Texts that are matched with * and ? are
 * compared up to TEXT_BYTES; fnmatch() needs a copy that ends with NUL. sieve.c passes over lines
 * that cannot match, so a new condition belongs there, too. */
#include "choose.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <weir/plugin.h>

#include "schema.h"
#include "sql/sql.h"
#include "when.h"
#include <weir/nearest.h>

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

/* ---- Names ---- */

static const char *kind_name(size_t index)
{
    return sql_kind_name((enum sql_kind)index);
}

/* The events, and then their classes. */
static const char *const classes[] = {"connection", "general", "audit", "table_access"};
static const char *event_name(size_t index)
{
    return index < RECORD_EVENT_END ? record_event_name((enum record_event)index)
                                    : classes[index - RECORD_EVENT_END];
}

static int unknown_name(const char *option, const char *word, const char *(*name)(size_t index),
                        size_t count, const char *examples, struct error *error)
{
    struct nearest nearest = {.wanted = word};
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, name(i));
    return nearest.name
               ? error_set(error, "-%s %s: there is none; the nearest one is %s", option, word,
                           nearest.name)
               : error_set(error, "-%s %s: there is none; there are %s", option, word, examples);
}

static int prepare_events(struct conditions *conditions, struct error *error)
{
    const char *wanted = conditions->event;
    conditions->events = UINT32_MAX;
    if (!wanted)
        return 0;
    conditions->events = 0;
    for (int i = 0; i < RECORD_EVENT_END; i++) {
        enum record_event event = (enum record_event)i;
        if (fnmatch(wanted, record_event_name(event), FNM_CASEFOLD) == 0 ||
            strcasecmp(wanted, record_event_class(event)) == 0)
            conditions->events |= 1U << event;
    }
    return conditions->events
               ? 0
               : unknown_name("event", wanted, event_name,
                              RECORD_EVENT_END + sizeof classes / sizeof *classes,
                              "Connect, Reject, Completed, Error, Refused ...", error);
}

static int check_kind(const char *wanted, struct error *error)
{
    if (!wanted)
        return 0;
    for (size_t i = 0; i < SQL_KIND_COUNT; i++)
        if (fnmatch(wanted, kind_name(i), FNM_CASEFOLD) == 0)
            return 0;
    return unknown_name("kind", wanted, kind_name, SQL_KIND_COUNT,
                        "Select, Insert, CreateTable, DropDatabase ...", error);
}

static int check_digest(const char *wanted, struct error *error)
{
    if (!wanted || (strlen(wanted) <= 64 && strspn(wanted, "0123456789abcdef") == strlen(wanted)))
        return 0;
    return error_set(
        error, "-digest %s: a digest is 64 of the digits 0-9 and a-f, or how they begin", wanted);
}

/* ---- Times ---- */

static int prepare_times(struct conditions *conditions, uint64_t now_ns, struct error *error)
{
    struct when when;
    conditions->since_ns = 0;
    conditions->until_ns = UINT64_MAX;
    conditions->slow_us = 0;
    if (conditions->since) {
        if (when_parse(conditions->since, now_ns, &when, error) < 0)
            return error_prefix(error, "-since");
        conditions->since_ns = when.first;
    }
    if (conditions->until) {
        if (when_parse(conditions->until, now_ns, &when, error) < 0)
            return error_prefix(error, "-until");
        conditions->until_ns = when.last;
    }
    if (conditions->since_ns > conditions->until_ns)
        return error_set(error, "-since %s is after -until %s: nothing can be between them",
                         conditions->since, conditions->until);
    if (!conditions->slow)
        return 0;
    uint64_t slow_ns;
    if (when_parse_duration(conditions->slow, &slow_ns, error) < 0)
        return error_prefix(error, "-slow");
    conditions->slow_us = slow_ns / 1000;
    return 0;
}

int choose_prepare(struct conditions *conditions, uint64_t now_ns, struct error *error)
{
    if (prepare_times(conditions, now_ns, error) < 0 || prepare_events(conditions, error) < 0 ||
        check_kind(conditions->kind, error) < 0 || check_digest(conditions->digest, error) < 0)
        return -1;
    return conditions->address ? parse_network(conditions, error) : 0;
}

/* ---- Matching ---- */

bool choose_address(const struct conditions *conditions, weir_string address)
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

/* A definition of a database is one of all its tables: the pattern's part before the dot decides,
 * if it names something. */
static bool is_its_database(const char *pattern, const struct record *record)
{
    const char *dot = strchr(pattern, '.');
    if (!dot || strspn(pattern, "*") == (size_t)(dot - pattern))
        return false;
    char schema[TEXT_BYTES];
    weir_string named =
        schema_of_definition(record->text[RECORD_TEXT_kind], record->text[RECORD_TEXT_sql]);
    snprintf(schema, sizeof schema, "%.*s", (int)(dot - pattern), pattern);
    return named.data && matches(schema, named);
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
    return is_its_database(pattern, record);
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

static bool begins_with(weir_string text, const char *wanted)
{
    size_t size = strlen(wanted);
    return text.size >= size && memcmp(text.data, wanted, size) == 0;
}

static bool is_connection(uint64_t wanted, const struct record *record)
{
    return record->number[RECORD_NUMBER_connection_id] == wanted ||
           record->number[RECORD_NUMBER_backend_connection_id] == wanted;
}

static bool is_slow(uint64_t least_us, const struct record *record)
{
    uint64_t duration = record->number[RECORD_NUMBER_duration_us];
    return strcmp(record_event_class(record->event), "general") == 0 && duration != WEIR_ABSENT &&
           duration >= least_us;
}

bool choose(const struct conditions *conditions, const struct entry *entry)
{
    const struct record *record = &entry->record;
    const weir_string *text = record->text;
    uint64_t code = record->number[RECORD_NUMBER_error_code];
    return record->time_ns >= conditions->since_ns && record->time_ns <= conditions->until_ns &&
           (conditions->events >> record->event & 1) &&
           (!conditions->user || is_user(conditions->user, record)) &&
           (!conditions->address || choose_address(conditions, text[RECORD_TEXT_client_ip])) &&
           (!conditions->digest || begins_with(text[RECORD_TEXT_digest], conditions->digest)) &&
           (!conditions->table || has_table(conditions->table, record)) &&
           (!conditions->kind || matches(conditions->kind, text[RECORD_TEXT_kind])) &&
           (!conditions->database || matches(conditions->database, text[RECORD_TEXT_database])) &&
           (!conditions->text || has_text(conditions->text, text[RECORD_TEXT_sql])) &&
           (conditions->connection < 0 ||
            is_connection((uint64_t)conditions->connection, record)) &&
           (!conditions->slow || is_slow(conditions->slow_us, record)) &&
           (!conditions->errors || (code != WEIR_ABSENT && code != 0));
}
