/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling conditions: field, variable, function, and, or, not, true, false. */
#include "filter_compile.h"
#include "sql_command.h"

/* MySQL's numbers of statements: up to the last one here they are the same in all its versions. */
#define LAST_COMMON_COMMAND 10
#define INSERT_SELECT       6

int compile_field_name(struct compile *compile, const json_t *name, unsigned classes,
                       enum filter_field *field, enum filter_kind *kind)
{
    if (!json_is_string(name))
        return error_set(compile->error, "a field's name must be a string");
    *field = filter_field_find(json_string_value(name), kind);
    if (*field == FIELD_END)
        return error_set(compile->error, "there is no field \"%.60s\"", json_string_value(name));
    unsigned without = classes & ~filter_field_classes(*field);
    for (unsigned class = 0; class < CLASS_END; class ++) {
        if (without & 1U << class)
            return error_set(compile->error, "events of the class %s have no field \"%.60s\"",
                             filter_class_name((enum filter_class) class), json_string_value(name));
    }
    return 0;
}

/* An integer, or the name of a pseudo-constant. */
static int compile_number(struct compile *compile, const json_t *value, const char *name,
                          struct filter_condition *condition)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        condition->number = (uint64_t)json_integer_value(value);
        return 0;
    }
    const char *constant = json_string_value(value);
    bool found = constant && !condition->is_length &&
                 (condition->kind == CONDITION_VARIABLE
                      ? filter_variable_constant(condition->variable, constant, &condition->number)
                      : filter_field_constant(condition->field, constant, &condition->number));
    if (found)
        return 0;
    if (constant)
        return error_set(compile->error, "\"%.60s\" is no value of \"%.60s\"; it has numbers",
                         constant, name);
    return error_set(compile->error, "the value of \"%.60s\" must be a number, not negative", name);
}

/* What weir could only answer wrongly. */
static int check_value(struct compile *compile, const struct filter_condition *condition)
{
    bool is_id = condition->kind == CONDITION_FIELD_NUMBER && !condition->is_length &&
                 condition->field == FIELD_SQL_COMMAND_ID;
    if (is_id && condition->number == INSERT_SELECT)
        return error_set(compile->error, "sql_command_id 6 is not told apart from 5, an insert");
    if (is_id && condition->number > LAST_COMMON_COMMAND)
        return error_set(compile->error,
                         "sql_command_id %llu is another statement in each version of MySQL; "
                         "use general_sql_command.str",
                         (unsigned long long)condition->number);
    const char *coarser =
        condition->kind == CONDITION_FIELD_TEXT && condition->field == FIELD_GENERAL_SQL_COMMAND
            ? sql_command_coarser(condition->text)
            : NULL;
    return coarser ? error_set(compile->error, "\"%.60s\" is not told apart here; use %s",
                               condition->text.data, coarser)
                   : 0;
}

static int compile_field(struct compile *compile, const json_t *json, unsigned classes,
                         struct filter_condition *condition)
{
    static const char *const keys[] = {"name", "value", NULL};
    const json_t *name = json_object_get(json, "name"), *value = json_object_get(json, "value");
    enum filter_kind kind = FILTER_TEXT;
    if (compile_keys(compile, json, "a field", keys) < 0 ||
        compile_field_name(compile, name, classes, &condition->field, &kind) < 0)
        return -1;
    if (kind == FILTER_NUMBER) {
        size_t size = json_string_length(name);
        condition->kind = CONDITION_FIELD_NUMBER;
        condition->is_length =
            size > 7 && strcmp(json_string_value(name) + size - 7, ".length") == 0;
        if (compile_number(compile, value, json_string_value(name), condition) < 0)
            return -1;
    } else {
        condition->kind = CONDITION_FIELD_TEXT;
        if (!json_is_string(value))
            return error_set(compile->error, "the value of \"%.60s\" must be a string",
                             json_string_value(name));
        if (!compile_text(compile, value, &condition->text))
            return -1;
    }
    return check_value(compile, condition);
}

static int compile_variable(struct compile *compile, const json_t *json,
                            struct filter_condition *condition)
{
    static const char *const keys[] = {"name", "value", NULL};
    const char *name = json_string_value(json_object_get(json, "name"));
    if (compile_keys(compile, json, "a variable", keys) < 0)
        return -1;
    condition->kind = CONDITION_VARIABLE;
    condition->variable = name ? filter_variable_find(name) : VARIABLE_END;
    if (condition->variable == VARIABLE_END)
        return error_set(compile->error, "there is no variable \"%.60s\"",
                         name ? name : "(not a string)");
    return compile_number(compile, json_object_get(json, "value"), name, condition);
}

/* {"field": NAME} or {"string": TEXT} */
static int compile_piece(struct compile *compile, const json_t *json, unsigned classes,
                         struct filter_piece *piece)
{
    static const char *const keys[] = {"field", "string", NULL};
    const json_t *field = json_object_get(json, "field"), *string = json_object_get(json, "string");
    enum filter_kind kind = FILTER_TEXT;
    if (compile_keys(compile, json, "an argument's string", keys) < 0)
        return -1;
    if (json_object_size(json) != 1)
        return error_set(compile->error, "an argument's string is a field or a string");
    if (field) {
        if (compile_field_name(compile, field, classes, &piece->field, &kind) < 0)
            return -1;
        return kind == FILTER_TEXT
                   ? 0
                   : error_set(compile->error,
                               "the field \"%.60s\" is a number, and the argument a "
                               "string",
                               json_string_value(field));
    }
    piece->field = FIELD_END;
    if (!json_is_string(string))
        return error_set(compile->error, "an argument's string must be a string");
    return compile_text(compile, string, &piece->literal) ? 0 : -1;
}

/* {"string": PIECE} or {"string": [PIECE, ...]}: the pieces one after the other. */
static int compile_argument(struct compile *compile, const json_t *json, unsigned classes,
                            struct filter_argument *argument)
{
    static const char *const keys[] = {"string", NULL};
    const json_t *string = json_object_get(json, "string");
    if (compile_keys(compile, json, "an argument", keys) < 0)
        return -1;
    bool is_list = json_is_array(string);
    argument->count = is_list ? json_array_size(string) : 1;
    argument->pieces = compile_memory(compile, argument->count, sizeof *argument->pieces);
    if (!argument->pieces)
        return -1;
    for (size_t i = 0; i < argument->count; i++) {
        const json_t *piece = is_list ? json_array_get(string, i) : string;
        if (compile_piece(compile, piece, classes, &argument->pieces[i]) < 0)
            return -1;
    }
    return 0;
}

/* The functions that are conditions, and what they become. */
static const struct {
    const char *name;
    size_t arguments;
    enum condition_kind kind;
    bool value;
} functions[] = {
    {"string_find", 2, CONDITION_STRING_FIND, false},
    {"find_in_include_list", 1, CONDITION_IN_LIST, false},
    {"find_in_exclude_list", 1, CONDITION_IN_LIST, true},
    {"audit_log_include_accounts_is_null", 0, CONDITION_LIST_IS_NULL, false},
    {"audit_log_exclude_accounts_is_null", 0, CONDITION_LIST_IS_NULL, true},
    {"query_digest", 1, CONDITION_QUERY_DIGEST, false},
};

static int compile_function(struct compile *compile, const json_t *json, unsigned classes,
                            struct filter_condition *condition)
{
    static const char *const keys[] = {"name", "args", NULL};
    const json_t *arguments = json_object_get(json, "args");
    const char *name = json_string_value(json_object_get(json, "name"));
    const size_t count = sizeof functions / sizeof *functions;
    size_t at = 0;
    if (compile_keys(compile, json, "a function", keys) < 0)
        return -1;
    while (name && at < count && strcmp(functions[at].name, name) != 0)
        at++;
    if (!name || at == count)
        return error_set(
            compile->error, "there is no function \"%.60s\"%s", name ? name : "(not a string)",
            name && strcmp(name, "debug_sleep") == 0 ? ": it is MySQL's debug builds' alone" : "");
    condition->kind = functions[at].kind;
    condition->value = functions[at].value;
    if (condition->kind == CONDITION_QUERY_DIGEST && json_is_string(arguments))
        return compile_text(compile, arguments, &condition->text) ? 0 : -1;
    if (functions[at].arguments == 0 && arguments)
        return error_set(compile->error, "%s has no args", name);
    if (json_array_size(arguments) != functions[at].arguments)
        return error_set(compile->error, "%s has a list of %zu args", name,
                         functions[at].arguments);
    for (size_t i = 0; i < functions[at].arguments; i++)
        if (compile_argument(compile, json_array_get(arguments, i), classes,
                             &condition->arguments[i]) < 0)
            return -1;
    return 0;
}

static int compile_into(struct compile *compile, const json_t *json, unsigned classes,
                        struct filter_condition *condition, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded. */
static int compile_parts(struct compile *compile, const json_t *json, unsigned classes,
                         struct filter_condition *condition, unsigned depth)
{
    bool is_list = condition->kind != CONDITION_NOT;
    condition->part_count = is_list ? json_array_size(json) : 1;
    if (condition->part_count == 0)
        return error_set(compile->error, "and, or need a list of conditions");
    condition->parts = compile_memory(compile, condition->part_count, sizeof *condition->parts);
    if (!condition->parts)
        return -1;
    for (size_t i = 0; i < condition->part_count; i++) {
        const json_t *part = is_list ? json_array_get(json, i) : json;
        if (compile_into(compile, part, classes, &condition->parts[i], depth + 1) < 0)
            return -1;
    }
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded. */
static int compile_into(struct compile *compile, const json_t *json, unsigned classes,
                        struct filter_condition *condition, unsigned depth)
{
    static const char *const keys[] = {"field", "variable", "function", "and", "or", "not", NULL};
    const json_t *part;
    if (json_is_boolean(json)) {
        *condition =
            (struct filter_condition){.kind = CONDITION_CONSTANT, .value = json_is_true(json)};
        return 0;
    }
    if (depth == FILTER_DEEPEST)
        return error_set(compile->error, "conditions are nested more than %d deep", FILTER_DEEPEST);
    if (compile_keys(compile, json, "a condition", keys) < 0)
        return -1;
    if (json_object_size(json) != 1)
        return error_set(compile->error,
                         "a condition has exactly one of field, variable, function, and, or, not");
    if ((part = json_object_get(json, "field")))
        return compile_field(compile, part, classes, condition);
    if ((part = json_object_get(json, "variable")))
        return compile_variable(compile, part, condition);
    if ((part = json_object_get(json, "function")))
        return compile_function(compile, part, classes, condition);
    condition->kind = (part = json_object_get(json, "and"))  ? CONDITION_AND
                      : (part = json_object_get(json, "or")) ? CONDITION_OR
                                                             : CONDITION_NOT;
    if (!part)
        part = json_object_get(json, "not");
    return compile_parts(compile, part, classes, condition, depth);
}

int compile_condition(struct compile *compile, const json_t *json, unsigned classes,
                      struct filter_condition **condition)
{
    struct filter_condition *made = compile_memory(compile, 1, sizeof *made);
    *condition = made;
    return made ? compile_into(compile, json, classes, made, 0) : -1;
}
