/* SPDX-License-Identifier: Apache-2.0 */
#include "filter_check.h"

#include <stdarg.h>
#include <stdio.h>

#define DEEPEST 32 /* conditions within conditions */

/* MySQL's names. What weir has no counterpart of (external and proxy users) is empty. */
static const struct {
    const char *name;
    enum filter_field field;
} fields[] = {
    {"user.str", FIELD_USER},
    {"general_user.str", FIELD_USER},
    {"priv_user.str", FIELD_PRIVILEGED_USER},
    {"host.str", FIELD_HOST},
    {"general_host.str", FIELD_HOST},
    {"ip.str", FIELD_IP},
    {"general_ip.str", FIELD_IP},
    {"database.str", FIELD_DATABASE},
    {"general_command.str", FIELD_COMMAND},
    {"general_query.str", FIELD_QUERY},
    {"query.str", FIELD_QUERY},
    {"general_sql_command.str", FIELD_SQL_COMMAND},
    {"sql_command.str", FIELD_SQL_COMMAND},
    {"table_database.str", FIELD_TABLE_DATABASE},
    {"table_name.str", FIELD_TABLE_NAME},
    {"external_user.str", FIELD_EMPTY},
    {"general_external_user.str", FIELD_EMPTY},
    {"proxy_user.str", FIELD_EMPTY},
    {"connection_type", FIELD_CONNECTION_TYPE},
    {"status", FIELD_STATUS},
    {"general_error_code", FIELD_STATUS},
    {"connection_id", FIELD_CONNECTION_ID},
    {"general_thread_id", FIELD_CONNECTION_ID},
};

static const bool numbers[] = {
#define X(enumerator, is_number) is_number,
    FILTER_FIELDS(X)
#undef X
};

static const char *const classes[] = {"connection", "general", "table_access", NULL};
static const char *const events[] = {"connect", "disconnect", "change_user", "status", "read",
                                     "insert",  "update",     "delete",      NULL};
static const char *const functions[] = {"string_find", NULL};

enum filter_field filter_field_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].field;
    }
    return FIELD_END;
}

bool filter_field_is_number(enum filter_field field)
{
    return field < FIELD_END && numbers[field];
}

struct check {
    const char *path, *filter;
    char *problem;
};

static int wrong(const struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int wrong(const struct check *check, const char *format, ...)
{
    char words[FILTER_PROBLEM_BYTES / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    snprintf(check->problem, FILTER_PROBLEM_BYTES, "%s: filter \"%.60s\": %s", check->path,
             check->filter, words);
    return -1;
}

static int check_keys(const struct check *check, const json_t *object, const char *what,
                      const char *const *known)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return wrong(check, "%s must be an object", what);
    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *at = known;
        while (*at && strcmp(*at, key) != 0)
            at++;
        if (!*at)
            return wrong(check, "%s has no item \"%.60s\"", what, key);
    }
    return 0;
}

static int check_field_name(const struct check *check, const json_t *name)
{
    if (filter_field_find(json_string_value(name)) == FIELD_END)
        return wrong(check, "there is no field \"%.60s\"",
                     json_is_string(name) ? json_string_value(name) : "(not a string)");
    return 0;
}

static int check_field(const struct check *check, const json_t *field)
{
    static const char *const keys[] = {"name", "value", NULL};
    const json_t *value = json_object_get(field, "value");
    if (check_keys(check, field, "a field", keys) < 0 ||
        check_field_name(check, json_object_get(field, "name")) < 0)
        return -1;
    return json_is_string(value) || json_is_integer(value)
               ? 0
               : wrong(check, "a field's value must be a string or an integer");
}

static int check_argument(const struct check *check, const json_t *argument)
{
    static const char *const outer[] = {"string", NULL}, *const inner[] = {"field", "string", NULL};
    const json_t *string = json_object_get(argument, "string");
    if (check_keys(check, argument, "an argument", outer) < 0 ||
        check_keys(check, string, "an argument's string", inner) < 0)
        return -1;
    const json_t *field = json_object_get(string, "field");
    if (field)
        return check_field_name(check, field);
    return json_is_string(json_object_get(string, "string"))
               ? 0
               : wrong(check, "an argument's string must be a field or a string");
}

static int check_name(const struct check *check, const json_t *name, const char *what,
                      const char *const *known)
{
    const char *text = json_string_value(name);
    while (text && *known && strcmp(*known, text) != 0)
        known++;
    return text && *known
               ? 0
               : wrong(check, "there is no %s \"%.60s\"", what, text ? text : "(not a string)");
}

static int check_function(const struct check *check, const json_t *function)
{
    static const char *const keys[] = {"name", "args", NULL};
    const json_t *arguments = json_object_get(function, "args");
    if (check_keys(check, function, "a function", keys) < 0 ||
        check_name(check, json_object_get(function, "name"), "function", functions) < 0)
        return -1;
    if (json_array_size(arguments) != 2)
        return wrong(check, "string_find has two arguments");
    return check_argument(check, json_array_get(arguments, 0)) < 0
               ? -1
               : check_argument(check, json_array_get(arguments, 1));
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded. */
static int check_condition(const struct check *check, const json_t *condition, unsigned depth)
{
    static const char *const keys[] = {"field", "function", "and", "or", "not", NULL};
    const json_t *part;
    size_t index;
    if (json_is_boolean(condition))
        return 0;
    if (depth == DEEPEST)
        return wrong(check, "conditions are nested more than %d deep", DEEPEST);
    if (check_keys(check, condition, "a condition", keys) < 0)
        return -1;
    if (json_object_size(condition) != 1)
        return wrong(check, "a condition has exactly one of field, function, and, or, not");
    if ((part = json_object_get(condition, "field")))
        return check_field(check, part);
    if ((part = json_object_get(condition, "function")))
        return check_function(check, part);
    if ((part = json_object_get(condition, "not")))
        return check_condition(check, part, depth + 1);
    const json_t *list = json_object_get(condition, "and");
    list = list ? list : json_object_get(condition, "or");
    if (json_array_size(list) == 0)
        return wrong(check, "and, or need a list of conditions");
    json_array_foreach(list, index, part)
    {
        if (check_condition(check, part, depth + 1) < 0)
            return -1;
    }
    return 0;
}

/* {"field": {"name": "general_query.str", "print": condition, "replace": {"function": {"name":
 * "query_digest"}}}}: the only replacement that MySQL documents. */
static int check_print(const struct check *check, const json_t *print)
{
    static const char *const outer[] = {"field", NULL};
    static const char *const inner[] = {"name", "print", "replace", NULL};
    const json_t *field = json_object_get(print, "field");
    if (check_keys(check, print, "print", outer) < 0 ||
        check_keys(check, field, "print's field", inner) < 0)
        return -1;
    if (filter_field_find(json_string_value(json_object_get(field, "name"))) != FIELD_QUERY)
        return wrong(check, "print is for general_query.str and query.str only");
    const json_t *name =
        json_object_get(json_object_get(json_object_get(field, "replace"), "function"), "name");
    if (!json_is_string(name) || strcmp(json_string_value(name), "query_digest") != 0)
        return wrong(check, "print must replace by the function query_digest");
    return check_condition(check, json_object_get(field, "print"), 0);
}

static int check_item(const struct check *check, const json_t *item)
{
    const json_t *log = json_object_get(item, "log"), *stop = json_object_get(item, "abort"),
                 *print = json_object_get(item, "print");
    if ((log && check_condition(check, log, 0) < 0) ||
        (stop && check_condition(check, stop, 0) < 0) || (print && check_print(check, print) < 0))
        return -1;
    return 0;
}

static int check_names(const struct check *check, const json_t *item, const char *what,
                       const char *const *known)
{
    const json_t *names = json_object_get(item, "name"), *name;
    size_t index;
    if (!json_is_array(names))
        return check_name(check, names, what, known);
    json_array_foreach(names, index, name)
    {
        if (check_name(check, name, what, known) < 0)
            return -1;
    }
    return 0;
}

/* One object, or a list of them. */
typedef int check_one(const struct check *check, const json_t *item);
static int check_each(const struct check *check, const json_t *item, check_one *one)
{
    const json_t *element;
    size_t index;
    if (!json_is_array(item))
        return item ? one(check, item) : 0;
    json_array_foreach(item, index, element)
    {
        if (one(check, element) < 0)
            return -1;
    }
    return 0;
}

static int check_event(const struct check *check, const json_t *event)
{
    static const char *const keys[] = {"name", "log", "abort", "print", NULL};
    return check_keys(check, event, "an event", keys) < 0 ||
                   check_names(check, event, "event", events) < 0 || check_item(check, event) < 0
               ? -1
               : 0;
}

static int check_class(const struct check *check, const json_t *class)
{
    static const char *const keys[] = {"name", "log", "abort", "print", "event", NULL};
    return check_keys(check, class, "a class", keys) < 0 ||
                   check_names(check, class, "class", classes) < 0 ||
                   check_item(check, class) < 0 ||
                   check_each(check, json_object_get(class, "event"), check_event) < 0
               ? -1
               : 0;
}

static int check_filter(const struct check *check, const json_t *definition)
{
    static const char *const outer[] = {"filter", NULL};
    static const char *const inner[] = {"log", "class", "abort", "print", NULL};
    const json_t *filter = json_object_get(definition, "filter");
    return check_keys(check, definition, "a definition", outer) < 0 ||
                   check_keys(check, filter, "filter", inner) < 0 ||
                   check_item(check, filter) < 0 ||
                   check_each(check, json_object_get(filter, "class"), check_class) < 0
               ? -1
               : 0;
}

int filter_check(const json_t *root, const char *path, char problem[FILTER_PROBLEM_BYTES])
{
    static const char *const keys[] = {"filters", "users", NULL};
    struct check check = {.path = path, .filter = "", .problem = problem};
    const json_t *filters = json_object_get(root, "filters"),
                 *users = json_object_get(root, "users");
    const char *key;
    json_t *value;
    if (check_keys(&check, root, "the file", keys) < 0)
        return -1;
    json_object_foreach((json_t *)filters, key, value)
    {
        check.filter = key;
        if (check_filter(&check, value) < 0)
            return -1;
    }
    json_object_foreach((json_t *)users, key, value)
    {
        check.filter = json_is_string(value) ? json_string_value(value) : "";
        if (!json_is_string(value) || !json_object_get(filters, json_string_value(value)))
            return wrong(&check, "there is none, and user \"%.60s\" is to have it", key);
    }
    return 0;
}
