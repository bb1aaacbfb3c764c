/* SPDX-License-Identifier: Apache-2.0
 *
 * Deciding: the filter's JSON is walked for each event. It has been checked by filter_check.c, so
 * that here every item is of the type that it must be. */
#include "filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "filter_check.h"
#include "table_event.h"

struct filters {
    json_t *root, *users, *filters;
};

/* One event in MySQL's terms. */
struct event {
    const char *class, *name;
    const struct record *record;
    const weir_table *table; /* table_access */
};

/* ---- Fields ---- */

static weir_string account_part(const struct record *record, bool host)
{
    weir_string account = record->text[RECORD_TEXT_account];
    const char *at = account.data;
    for (size_t i = 0; i < account.size; i++)
        at = account.data[i] == '@' ? account.data + i : at;
    if (!account.size || *at != '@')
        return host ? record->text[RECORD_TEXT_host] : record->text[RECORD_TEXT_user];
    size_t user = (size_t)(at - account.data);
    return host ? (weir_string){at + 1, account.size - user - 1}
                : (weir_string){account.data, user};
}

static bool is_connection_type(const char *wanted, weir_string type)
{
    static const char *const pairs[][2] = {
        {"::tcp/ip", "TCP"}, {"::socket", "Socket"}, {"::ssl", "TLS"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(pairs[i][0], wanted) == 0)
            return type.size == strlen(pairs[i][1]) &&
                   memcmp(type.data, pairs[i][1], type.size) == 0;
    }
    return false;
}

/* A field as text; numbers are told by their own function. */
static weir_string text_field(const struct event *event, enum filter_field field)
{
    const weir_string *text = event->record->text;
    switch (field) {
    case FIELD_USER:
    case FIELD_PRIVILEGED_USER:
        return account_part(event->record, false);
    case FIELD_HOST:
        return account_part(event->record, true);
    case FIELD_IP:
        return text[RECORD_TEXT_client_ip];
    case FIELD_DATABASE:
        return text[RECORD_TEXT_database];
    case FIELD_COMMAND:
        return text[RECORD_TEXT_command];
    case FIELD_QUERY:
        return text[RECORD_TEXT_sql];
    case FIELD_SQL_COMMAND:
        return text[RECORD_TEXT_kind];
    case FIELD_TABLE_DATABASE:
        return event->table ? event->table->schema : (weir_string){NULL, 0};
    case FIELD_TABLE_NAME:
        return event->table ? event->table->name : (weir_string){NULL, 0};
    default:
        return (weir_string){"", 0};
    }
}

static uint64_t number_field(const struct event *event, enum filter_field field)
{
    uint64_t code = event->record->number[RECORD_NUMBER_error_code];
    if (field == FIELD_STATUS)
        return code == WEIR_ABSENT ? 0 : code;
    return event->record->number[RECORD_NUMBER_connection_id];
}

/* create_table is CreateTable. */
static bool is_same_command(const char *wanted, weir_string kind)
{
    size_t at = 0;
    for (; *wanted; wanted++) {
        if (*wanted == '_')
            continue;
        if (at == kind.size || (kind.data[at] | 0x20) != (*wanted | 0x20))
            return false;
        at++;
    }
    return at == kind.size;
}

static bool field_holds(const struct event *event, const json_t *condition)
{
    const char *name = json_string_value(json_object_get(condition, "name"));
    const json_t *value = json_object_get(condition, "value");
    enum filter_field field = filter_field_find(name);
    const char *wanted = json_string_value(value);
    if (field == FIELD_CONNECTION_TYPE)
        return wanted &&
               is_connection_type(wanted, event->record->text[RECORD_TEXT_connection_type]);
    if (filter_field_is_number(field)) {
        uint64_t number = json_is_integer(value) ? (uint64_t)json_integer_value(value)
                          : wanted               ? strtoull(wanted, NULL, 10)
                                                 : WEIR_ABSENT;
        return number_field(event, field) == number;
    }
    weir_string text = text_field(event, field);
    if (field == FIELD_SQL_COMMAND)
        return wanted && is_same_command(wanted, text);
    return wanted && text.size == json_string_length(value) &&
           (text.size == 0 || memcmp(text.data, wanted, text.size) == 0);
}

/* ---- Conditions ---- */

static weir_string string_argument(const struct event *event, const json_t *argument)
{
    const json_t *string = json_object_get(argument, "string");
    const json_t *field = json_object_get(string, "field"),
                 *literal = json_object_get(string, "string");
    if (field)
        return text_field(event, filter_field_find(json_string_value(field)));
    return (weir_string){json_string_value(literal), json_string_length(literal)};
}

/* string_find(text, part) */
static bool function_holds(const struct event *event, const json_t *function)
{
    const json_t *arguments = json_object_get(function, "args");
    weir_string text = string_argument(event, json_array_get(arguments, 0));
    weir_string part = string_argument(event, json_array_get(arguments, 1));
    for (size_t i = 0; part.size <= text.size && i <= text.size - part.size; i++) {
        if (part.size == 0 || memcmp(text.data + i, part.data, part.size) == 0)
            return true;
    }
    return false;
}

/* The depth is bounded by filter_check(). NOLINTNEXTLINE(misc-no-recursion) */
static bool holds(const struct event *event, const json_t *condition)
{
    const json_t *part;
    size_t index;
    if (json_is_boolean(condition))
        return json_is_true(condition);
    if ((part = json_object_get(condition, "field")))
        return field_holds(event, part);
    if ((part = json_object_get(condition, "function")))
        return function_holds(event, part);
    if ((part = json_object_get(condition, "not")))
        return !holds(event, part);
    bool all = (part = json_object_get(condition, "and")) != NULL;
    const json_t *list = all ? part : json_object_get(condition, "or");
    json_array_foreach(list, index, part)
    {
        if (holds(event, part) != all)
            return !all;
    }
    return all;
}

/* ---- Items ---- */

static bool is_named(const json_t *item, const char *name)
{
    const json_t *names = json_object_get(item, "name"), *element;
    size_t index;
    if (json_is_string(names))
        return strcmp(json_string_value(names), name) == 0;
    json_array_foreach(names, index, element)
    {
        if (strcmp(json_string_value(element), name) == 0)
            return true;
    }
    return !names;
}

/* The element of an item (an object or a list of objects) that has this name, from *from on. */
static const json_t *next_named(const json_t *item, const char *name, size_t *from)
{
    if (json_is_object(item))
        return (*from)++ == 0 && is_named(item, name) ? item : NULL;
    while (*from < json_array_size(item)) {
        const json_t *element = json_array_get(item, (*from)++);
        if (is_named(element, name))
            return element;
    }
    return NULL;
}

struct outcome {
    bool log, abort, redact;
};

/* What an item says of itself: print and abort add up, log is the answer. */
static bool apply(const struct event *event, const json_t *item, bool fallback,
                  struct outcome *outcome)
{
    const json_t *log = json_object_get(item, "log"), *abort_item = json_object_get(item, "abort");
    const json_t *print =
        json_object_get(json_object_get(json_object_get(item, "print"), "field"), "print");
    outcome->abort = outcome->abort || (abort_item && holds(event, abort_item));
    outcome->redact = outcome->redact || (print && !holds(event, print));
    return log ? holds(event, log) : fallback;
}

static bool class_logs(const struct event *event, const json_t *class, struct outcome *outcome)
{
    const json_t *events = json_object_get(class, "event"), *item;
    bool logs = apply(event, class, !events, outcome), matched = false, any = false;
    for (size_t at = 0; (item = next_named(events, event->name, &at));) {
        matched = true;
        any = apply(event, item, true, outcome) || any;
    }
    return matched ? any : logs;
}

static struct outcome run(const json_t *filter, const struct event *event)
{
    struct outcome outcome = {false};
    const json_t *classes = json_object_get(filter, "class"), *item;
    bool logs = apply(event, filter, !classes, &outcome), matched = false, any = false;
    for (size_t at = 0; (item = next_named(classes, event->class, &at));) {
        matched = true;
        any = class_logs(event, item, &outcome) || any;
    }
    outcome.log = matched ? any : logs;
    return outcome;
}

/* ---- Records ---- */

static const json_t *filter_of(const struct filters *filters, const struct record *record)
{
    char account[400];
    weir_string matched = record->text[RECORD_TEXT_account];
    if (matched.data)
        snprintf(account, sizeof account, "%.*s", WEIR_STRING_ARGS(matched));
    else
        snprintf(account, sizeof account, "%.*s@%.*s",
                 WEIR_STRING_ARGS(record->text[RECORD_TEXT_user]),
                 WEIR_STRING_ARGS(record->text[RECORD_TEXT_host]));
    const json_t *name = json_object_get(filters->users, account);
    name = name ? name : json_object_get(filters->users, "%");
    return name ? json_object_get(json_object_get(filters->filters, json_string_value(name)),
                                  "filter")
                : NULL;
}

static const char *connection_event(enum record_event event)
{
    return event == RECORD_DISCONNECT    ? "disconnect"
           : event == RECORD_CHANGE_USER ? "change_user"
                                         : "connect";
}

/* A statement is one general event, and a table_access event for each use of a table. */
static struct filter_decision decide_statement(const json_t *filter, const struct record *record)
{
    struct event event = {.class = "general", .name = "status", .record = record};
    struct outcome general = run(filter, &event);
    struct filter_decision decision = {.abort = general.abort, .redact = general.redact};
    bool logs_table = false;
    event.class = "table_access";
    for (size_t i = 0; i < record->table_count && i < 64; i++) {
        bool logs = false;
        event.table = &record->tables[i];
        for (uint32_t bit = WEIR_TABLE_READ; bit <= WEIR_TABLE_WRITE; bit <<= 1) {
            if (!(event.table->access & bit))
                continue;
            event.name = table_event_name(table_event_of(record->text[RECORD_TEXT_kind], bit));
            struct outcome outcome = run(filter, &event);
            logs = logs || outcome.log;
            decision.abort = decision.abort || outcome.abort;
            decision.redact = decision.redact || outcome.redact;
        }
        logs_table = logs_table || logs;
        decision.table_skip |= logs ? 0 : (uint64_t)1 << i;
    }
    decision.log = general.log || logs_table;
    decision.without_general = !general.log;
    return decision;
}

struct filter_decision filters_decide(const struct filters *filters, const struct record *record)
{
    struct filter_decision all = {.log = true};
    const char *class = record_event_class(record->event);
    const json_t *filter = strcmp(class, "audit") == 0 ? NULL : filter_of(filters, record);
    if (!filter)
        return all;
    if (strcmp(class, "general") == 0)
        return decide_statement(filter, record);
    struct event event = {
        .class = class, .name = connection_event(record->event), .record = record};
    struct outcome outcome = run(filter, &event);
    return (struct filter_decision){.log = outcome.log, .abort = outcome.abort};
}

/* ---- Reading ---- */

static struct filters *take(json_t *root, const json_error_t *error, const char *path,
                            char problem[FILTER_PROBLEM_BYTES])
{
    struct filters *filters = NULL;
    if (!root)
        snprintf(problem, FILTER_PROBLEM_BYTES, "%s:%d: %s", path, error->line, error->text);
    else if (filter_check(root, path, problem) == 0)
        filters = calloc(1, sizeof *filters);
    if (!filters) {
        json_decref(root);
        return NULL;
    }
    filters->root = root;
    filters->users = json_object_get(root, "users");
    filters->filters = json_object_get(root, "filters");
    return filters;
}

struct filters *filters_parse(const char *text, size_t size, const char *path,
                              char problem[FILTER_PROBLEM_BYTES])
{
    json_error_t error = {.line = 0};
    snprintf(problem, FILTER_PROBLEM_BYTES, "no memory");
    return take(json_loadb(text, size, JSON_REJECT_DUPLICATES, &error), &error, path, problem);
}

struct filters *filters_read(const char *path, char problem[FILTER_PROBLEM_BYTES])
{
    json_error_t error = {.line = 0};
    snprintf(problem, FILTER_PROBLEM_BYTES, "no memory");
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return filters_parse("{}", 2, path, problem);
    if (!file) {
        snprintf(problem, FILTER_PROBLEM_BYTES, "%s: %s", path, strerror(errno));
        return NULL;
    }
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    return take(root, &error, path, problem);
}

void filters_free(struct filters *filters)
{
    if (filters)
        json_decref(filters->root);
    free(filters);
}

bool filters_are_empty(const struct filters *filters)
{
    return json_object_size(filters->users) == 0;
}
