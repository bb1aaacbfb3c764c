/* SPDX-License-Identifier: Apache-2.0
 *
 * [[statusVars]] of a manifest, from its JSON: which of the rows of OnStatus are numbers for
 * monitoring, and what they mean. The same reader for pluginpkg, which adds the line, and for the
 * host. */
#include "plugin/declared/plugin_declared.h"

#include <stdlib.h>
#include <string.h>

static int read_kind(struct plugin_status_definition *definition, const char *kind,
                     struct error *error)
{
    static const char *const kinds[] = {"gauge", "counter"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], kind) == 0) {
            definition->is_counter = i == 1;
            return 0;
        }
    return error_set(error,
                     "%s: kind \"%s\" is neither \"counter\", which only rises, nor \"gauge\"",
                     definition->name, kind);
}

/* A unit ends the name, so that it is written as a name is. */
static int check_unit(const struct plugin_status_definition *definition, struct error *error)
{
    if (strcmp(definition->unit, "") == 0 || strcmp(definition->unit, "bytes") == 0 ||
        strcmp(definition->unit, "seconds") == 0)
        return 0;
    return error_set(error, "%s: unit \"%s\" is neither \"bytes\" nor \"seconds\"",
                     definition->name, definition->unit);
}

static int check_line(const struct plugin_status_definition *definition, struct error *error)
{
    for (const char *at = definition->description; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '\\')
            return error_set(error, "%s: a description is one line, without backslashes",
                             definition->name);
    return 0;
}

static int read_definition(struct plugin_status_definition *definitions, size_t count,
                           json_t *element, const char *plugin, struct error *error)
{
    struct plugin_status_definition *definition = &definitions[count];
    const char *kind = NULL;
    json_error_t problem;
    definition->unit = definition->description = "";
    if (json_unpack_ex(element, &problem, JSON_STRICT, "{s:s, s:s, s?s, s?s}", "name",
                       &definition->name, "kind", &kind, "unit", &definition->unit, "description",
                       &definition->description) != 0)
        return error_set(error, "an element has name, kind, unit and description: %s",
                         problem.text);
    if (plugin_check_name(plugin, definition->name, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (strcmp(definitions[i].name, definition->name) == 0)
            return error_set(error, "name \"%s\" is there twice", definition->name);
    if (read_kind(definition, kind, error) < 0 || check_unit(definition, error) < 0)
        return -1;
    return check_line(definition, error);
}

int plugin_status_definitions_read(struct plugin_status_definition **definitions, size_t *count,
                                   json_t *list, const char *plugin, size_t *wrong,
                                   struct error *error)
{
    size_t size = json_array_size(list);
    *count = *wrong = 0;
    if (size > PLUGIN_STATUS_VARIABLES) {
        *definitions = NULL;
        return error_set(error, "a plugin has at most %d of them", PLUGIN_STATUS_VARIABLES);
    }
    *definitions = calloc(size + 1, sizeof **definitions);
    if (!*definitions)
        return error_set(error, "not enough memory");
    int status = 0;
    for (; status == 0 && *count < size; ++*count) {
        *wrong = *count;
        status = read_definition(*definitions, *count, json_array_get(list, *count), plugin, error);
    }
    if (status < 0) {
        free(*definitions);
        *definitions = NULL;
        *count = 0;
    }
    return status;
}
