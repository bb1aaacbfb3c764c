/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks up the words of the filter language in tables that are generated from the lists of
 * filter_language.h. The lists are short and searched linearly: words are looked up when a filter
 * is compiled, and never when it runs. A FIND function returns the END of its enum for an unknown
 * word. */
#include "filter_language.h"

#include <string.h>

#define TEXT   FILTER_TEXT
#define NUMBER FILTER_NUMBER

static const char *const classes[] = {
#define X(enumerator, name) name,
    FILTER_CLASSES(X)
#undef X
};

static const struct {
    const char *name;
    enum filter_class class;
    bool can_abort;
} events[] = {
#define X(enumerator, name, class, can_abort) {name, class, can_abort},
    FILTER_EVENTS(X)
#undef X
};

static const struct {
    const char *name;
    unsigned classes;
    enum filter_kind kind;
} fields[] = {
#define X(enumerator, name, classes, kind) {name, classes, kind},
    FILTER_FIELDS(X)
#undef X
};

static const char *const variables[] = {
#define X(enumerator, name) name,
    FILTER_VARIABLES(X)
#undef X
};

struct constant {
    const char *name;
    uint64_t number;
};
static const struct constant connection_types[] = {
    {"::undefined", 0}, {"::tcp/ip", 1},        {"::socket", 2}, {"::named_pipe", 3},
    {"::ssl", 4},       {"::shared_memory", 5}, {NULL, 0},
};
static const struct constant policies[] = {
    {"::none", 0}, {"::logins", 1}, {"::all", 2}, {"::queries", 3}, {NULL, 0}};
static const struct constant error_policies[] = {
    {"::none", 0}, {"::errors", 1}, {"::all", 2}, {NULL, 0}};

enum filter_class filter_class_find(const char *name)
{
    unsigned i = 0;
    while (i < CLASS_END && strcmp(classes[i], name) != 0)
        i++;
    return (enum filter_class)i;
}

enum filter_event filter_event_find(const char *name)
{
    unsigned i = 0;
    while (i < EVENT_END && strcmp(events[i].name, name) != 0)
        i++;
    return (enum filter_event)i;
}

enum filter_variable filter_variable_find(const char *name)
{
    unsigned i = 0;
    while (i < VARIABLE_END && strcmp(variables[i], name) != 0)
        i++;
    return (enum filter_variable)i;
}

enum filter_field filter_field_find(const char *name, enum filter_kind *kind)
{
    for (unsigned i = 0; i < FIELD_END; i++) {
        size_t size = strlen(fields[i].name);
        if (strncmp(name, fields[i].name, size) != 0)
            continue;
        const char *rest = name + size;
        bool is_text = fields[i].kind == TEXT, is_length = is_text && strcmp(rest, ".length") == 0;
        if (is_length || strcmp(rest, is_text ? ".str" : "") == 0) {
            *kind = is_length ? NUMBER : fields[i].kind;
            return (enum filter_field)i;
        }
    }
    return FIELD_END;
}

const char *filter_class_name(enum filter_class class)
{
    return classes[class];
}

const char *filter_event_name(enum filter_event event)
{
    return events[event].name;
}

enum filter_class filter_event_class(enum filter_event event)
{
    return events[event].class;
}

bool filter_event_can_abort(enum filter_event event)
{
    return events[event].can_abort;
}

unsigned filter_field_classes(enum filter_field field)
{
    return fields[field].classes;
}

static bool find_constant(const struct constant *constants, const char *name, uint64_t *number)
{
    for (; constants->name; constants++) {
        if (strcmp(constants->name, name) == 0) {
            *number = constants->number;
            return true;
        }
    }
    return false;
}

bool filter_field_constant(enum filter_field field, const char *name, uint64_t *number)
{
    return field == FIELD_CONNECTION_TYPE && find_constant(connection_types, name, number);
}

bool filter_variable_constant(enum filter_variable variable, const char *name, uint64_t *number)
{
    return find_constant(variable == VARIABLE_POLICY ? policies : error_policies, name, number);
}
