/* SPDX-License-Identifier: Apache-2.0
 *
 * [[functions]] of a manifest, from its JSON: the same reader for pluginpkg, which adds the line,
 * and for the host. Each mistake is one clear message. */
#include "plugin/declared/plugin_declared.h"

#include <stdlib.h>
#include <string.h>

int plugin_privileges_read(const char *names[PLUGIN_PRIVILEGES + 1], const json_t *list,
                           const char *what, struct error *error)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > PLUGIN_PRIVILEGES)
        return error_set(error, "%s: privileges must be a list of at most %d names", what,
                         PLUGIN_PRIVILEGES);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name || !*name || name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ")])
            return error_set(error, "%s: a privilege is written as in SHOW GRANTS: \"SUPER\"",
                             what);
        names[i] = name;
    }
    names[count] = NULL;
    return 0;
}

/* SUPER when the manifest has no list. */
static int read_privileges(struct plugin_callable *callable, json_t *list, struct error *error)
{
    if (list)
        return plugin_privileges_read(callable->privileges, list, callable->name, error);
    callable->privileges[0] = "SUPER";
    return 0;
}

static int read_callable(struct plugin_callable *callables, size_t count, json_t *element,
                         const char *plugin, struct error *error)
{
    struct plugin_callable *callable = &callables[count];
    json_error_t problem;
    json_t *privileges = NULL;
    int arguments = 0, optional = 0, changes = 1;
    callable->description = "";
    if (json_unpack_ex(element, &problem, JSON_STRICT, "{s:s, s?i, s?i, s?s, s?o, s?b}", "name",
                       &callable->name, "arguments", &arguments, "optional", &optional,
                       "description", &callable->description, "privileges", &privileges, "changes",
                       &changes) != 0)
        return error_set(error,
                         "an element has name, arguments, optional, description, privileges and "
                         "changes: %s",
                         problem.text);
    if (plugin_check_name(plugin, callable->name, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (strcmp(callables[i].name, callable->name) == 0)
            return error_set(error, "name \"%s\" is there twice", callable->name);
    if (arguments < 0 || optional < 0 || arguments > PLUGIN_CALL_ARGUMENTS ||
        optional > PLUGIN_CALL_ARGUMENTS - arguments)
        return error_set(error, "%s: arguments and optional count from 0 to %d in all",
                         callable->name, PLUGIN_CALL_ARGUMENTS);
    callable->least = (unsigned)arguments;
    callable->most = (unsigned)(arguments + optional);
    callable->is_reading = !changes;
    return read_privileges(callable, privileges, error);
}

int plugin_callables_read(struct plugin_callable **callables, size_t *count, json_t *list,
                          const char *plugin, size_t *wrong, struct error *error)
{
    size_t size = json_array_size(list);
    *count = 0;
    *callables = calloc(size + 1, sizeof **callables);
    if (!*callables)
        return error_set(error, "not enough memory");
    int status = 0;
    for (; status == 0 && *count < size; ++*count) {
        *wrong = *count;
        status = read_callable(*callables, *count, json_array_get(list, *count), plugin, error);
    }
    if (status < 0) {
        free(*callables);
        *callables = NULL;
        *count = 0;
    }
    return status;
}
