/* SPDX-License-Identifier: Apache-2.0
 *
 * [[sysVars]] of a manifest, from its JSON: the same reader for pluginpkg, which adds the line, and
 * for the host. Each mistake gives one clear message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/declared/plugin_declared.h"

static const char *const type_names[] = {
#define X(enumerator, name) name,
    PLUGIN_VARIABLE_TYPES(X)
#undef X
};

static const char *const scope_names[] = {
    [PLUGIN_SCOPE_GLOBAL] = "Global",
    [PLUGIN_SCOPE_SESSION] = "Session",
    [PLUGIN_SCOPE_GLOBAL | PLUGIN_SCOPE_SESSION] = "Global+Session",
};

/* A scalar of the manifest as text; "" for what is none. */
static void scalar_text(const json_t *scalar, char *text, size_t room)
{
    text[0] = '\0';
    if (json_is_string(scalar))
        snprintf(text, room, "%s", json_string_value(scalar));
    else if (json_is_integer(scalar))
        snprintf(text, room, "%" JSON_INTEGER_FORMAT, json_integer_value(scalar));
    else if (json_is_boolean(scalar))
        snprintf(text, room, "%s", json_is_true(scalar) ? "true" : "false");
    else if (json_is_real(scalar))
        snprintf(text, room, "%.9f", json_real_value(scalar));
}

int plugin_check_name(const char *plugin, const char *name, struct error *error)
{
    size_t size = strlen(plugin);
    if (strncmp(name, plugin, size) != 0 || name[size] != '_' || !name[size + 1])
        return error_set(error, "name \"%s\" doesn't begin with \"%s_\", the plugin's name and '_'",
                         name, plugin);
    if (strlen(name) > 64 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return error_set(
            error, "name \"%s\" is not made of at most 64 small letters, digits and '_'", name);
    return 0;
}

static int check_name(const struct plugin_definitions *definitions, const char *plugin,
                      const char *name, struct error *error)
{
    if (plugin_check_name(plugin, name, error) < 0)
        return -1;
    for (size_t i = 0; i < definitions->count; i++)
        if (strcmp(definitions->items[i].name, name) == 0)
            return error_set(error, "name \"%s\" is there twice", name);
    return 0;
}

static int read_choices(struct plugin_definition *definition, json_t *values, struct error *error)
{
    if (definition->type != PLUGIN_TYPE_ENUM)
        return values ? error_set(error, "%s: only type enum has values", definition->name) : 0;
    size_t count = json_array_size(values);
    if (count == 0)
        return error_set(error, "%s: type enum needs values, a list of strings", definition->name);
    for (size_t i = 0; i < count; i++) {
        const char *choice = json_string_value(json_array_get(values, i));
        if (!choice || !*choice)
            return error_set(error, "%s: values must be strings that are not empty",
                             definition->name);
    }
    definition->values = values;
    return 0;
}

static int read_bound(struct plugin_definition *definition, const char *key, json_t *bound,
                      int64_t *into, struct error *error)
{
    char text[64];
    struct plugin_definition open = *definition;
    struct plugin_value value;
    if (!bound)
        return 0;
    if (definition->type == PLUGIN_TYPE_BOOL || definition->type == PLUGIN_TYPE_ENUM)
        return error_set(error, "%s: type %s has no %s", definition->name,
                         type_names[definition->type], key);
    if (definition->type == PLUGIN_TYPE_STR)
        open.type = PLUGIN_TYPE_INT; /* bytes of the text */
    open.least = INT64_MIN;
    open.most = INT64_MAX;
    scalar_text(bound, text, sizeof text);
    struct plugin_input input = {PLUGIN_INPUT_FILE, text, strlen(text)};
    if (plugin_value_read(&open, &input, &value) != PLUGIN_VALUE_OK)
        return error_set(error, "%s: %s \"%s\" is no value of type %s", definition->name, key, text,
                         type_names[definition->type]);
    free(value.text);
    /* What the type has by itself: a text has a size, a size and a duration are never below 0. */
    if (value.number < definition->least || value.number > definition->most)
        return error_set(error, "%s: %s \"%s\" is %s", definition->name, key, text,
                         into == &definition->most && definition->type != PLUGIN_TYPE_STR
                             ? "below min"
                             : "beyond what the type can hold");
    *into = value.number;
    return 0;
}

static int read_initial(struct plugin_definition *definition, json_t *initial, struct error *error)
{
    char *text = malloc(PLUGIN_VALUE_BYTES);
    if (!text)
        return error_set(error, "not enough memory");
    scalar_text(initial, text, PLUGIN_VALUE_BYTES);
    struct plugin_input input = {PLUGIN_INPUT_FILE, text, strlen(text)};
    int status = 0;
    if (plugin_value_read(definition, &input, &definition->initial) != PLUGIN_VALUE_OK)
        status = error_set(error, "%s: value \"%s\" is not of type %s, or out of its bounds",
                           definition->name, text, type_names[definition->type]);
    free(text);
    return status;
}

static int read_type(struct plugin_definition *definition, const char *type, struct error *error)
{
    definition->type = PLUGIN_TYPE_END;
    for (int i = 0; i < PLUGIN_TYPE_END; i++)
        if (strcmp(type, type_names[i]) == 0)
            definition->type = (enum plugin_variable_type)i;
    if (definition->type == PLUGIN_TYPE_END)
        return error_set(error, "%s: type \"%s\" is none of str, int, bool, enum, size, duration",
                         definition->name, type);
    bool counts = definition->type == PLUGIN_TYPE_SIZE || definition->type == PLUGIN_TYPE_DURATION;
    definition->least = counts || definition->type == PLUGIN_TYPE_STR ? 0 : INT64_MIN;
    definition->most = definition->type == PLUGIN_TYPE_STR ? PLUGIN_VALUE_BYTES - 1 : INT64_MAX;
    return 0;
}

static int read_scope(struct plugin_definition *definition, const char *scope, struct error *error)
{
    for (unsigned i = 1; i < sizeof scope_names / sizeof *scope_names; i++)
        if (strcmp(scope, scope_names[i]) == 0)
            definition->scopes = i;
    if (!definition->scopes)
        return error_set(error, "%s: scope \"%s\" is none of Global, Session, Global+Session",
                         definition->name, scope);
    return 0;
}

/* Sessions have their own values anyway. */
static int check_per_node(const struct plugin_definition *definition, struct error *error)
{
    if (definition->is_per_node && !(definition->scopes & PLUGIN_SCOPE_GLOBAL))
        return error_set(error, "%s: per_node is of global values, and scope is \"Session\"",
                         definition->name);
    return 0;
}

/* Notes which key is read, for the message of whoever knows its line. Returns true. */
static bool reads(struct plugin_definitions *definitions, const char *key)
{
    definitions->wrong_key = key;
    return true;
}

static int read_definition(struct plugin_definitions *definitions, json_t *element,
                           const char *plugin, struct error *error)
{
    struct plugin_definition *definition = &definitions->items[definitions->count];
    const char *type = "str", *scope = "Global";
    json_t *values = NULL, *initial = NULL, *least = NULL, *most = NULL;
    json_error_t problem;
    int is_readonly = 0, is_per_node = 0;
    definition->description = "";
    definitions->wrong_key = NULL;
    if (json_unpack_ex(
            element, &problem, JSON_STRICT, "{s:s, s:o, s?s, s?s, s?s, s?b, s?b, s?o, s?o, s?o}",
            "name", &definition->name, "value", &initial, "type", &type, "scope", &scope,
            "description", &definition->description, "readonly", &is_readonly, "per_node",
            &is_per_node, "values", &values, "min", &least, "max", &most) != 0)
        return error_set(error,
                         "an element has name, value, type, scope, min, max, values, description, "
                         "readonly and per_node: %s",
                         problem.text);
    definition->is_readonly = is_readonly;
    definition->is_per_node = is_per_node;
    if ((reads(definitions, "name") && check_name(definitions, plugin, definition->name, error)) ||
        (reads(definitions, "type") && read_type(definition, type, error)) ||
        (reads(definitions, "scope") && read_scope(definition, scope, error)) ||
        (reads(definitions, "per_node") && check_per_node(definition, error)) ||
        (reads(definitions, "values") && read_choices(definition, values, error)) ||
        (reads(definitions, "min") &&
         read_bound(definition, "min", least, &definition->least, error)) ||
        (reads(definitions, "max") &&
         read_bound(definition, "max", most, &definition->most, error)) ||
        (reads(definitions, "value") && read_initial(definition, initial, error)))
        return -1;
    definitions->count++;
    return 0;
}

int plugin_definitions_read(struct plugin_definitions *definitions, json_t *list,
                            const char *plugin, size_t *wrong, struct error *error)
{
    size_t count = json_array_size(list);
    *definitions =
        (struct plugin_definitions){.items = calloc(count + 1, sizeof *definitions->items)};
    int status = definitions->items ? 0 : error_set(error, "not enough memory");
    for (size_t i = 0; status == 0 && i < count; i++) {
        *wrong = i;
        status = read_definition(definitions, json_array_get(list, i), plugin, error);
    }
    if (status < 0) {
        const char *key = definitions->wrong_key;
        plugin_definitions_release(definitions);
        definitions->wrong_key = key;
    }
    return status;
}

void plugin_definitions_release(struct plugin_definitions *definitions)
{
    for (size_t i = 0; i < definitions->count; i++)
        free(definitions->items[i].initial.text);
    free(definitions->items);
    *definitions = (struct plugin_definitions){0};
}
