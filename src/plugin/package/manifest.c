/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading manifest.toml: each key of the file is looked up in the table of keys, checked for its
 * type, then by the key's own check. Checks stop at the first mistake; each message begins with
 * file, line and key. */
#include "plugin/package/manifest.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/declared/plugin_declared.h"
#include "plugin/package/elements.h"
#include "plugin/package/plugin_package.h"

#define NAME_BYTES 64 /* longest name of a plugin or of a function */

enum key_type { TEXT, FUNCTION, NAMES, EXPORTS, VARIABLES };

struct reading {
    struct plugin_manifest *manifest;
    const char *folder_name;
    struct error *error;
};

/* Checks the value of one key; its type is right already. -1 and the reading's error. */
typedef int check_function(const struct reading *reading, const struct toml_node *node);

static check_function check_name, check_kind, check_version, check_function_name, check_exports,
    check_on_failure, check_require_version, check_needs, check_disable_privilege;

static const struct key_row {
    const char *name;
    bool required;
    enum key_type type;
    const char *help;
} keys[] = {
#define X(enumerator, name, required, type, help) {name, required, type, help},
    PLUGIN_MANIFEST_KEYS(X)
#undef X
};

static check_function *const checks[PLUGIN_KEY_END] = {
    [PLUGIN_KEY_NAME] = check_name,
    [PLUGIN_KEY_KIND] = check_kind,
    [PLUGIN_KEY_VERSION] = check_version,
    [PLUGIN_KEY_VALIDATE] = check_function_name,
    [PLUGIN_KEY_ON_INIT] = check_function_name,
    [PLUGIN_KEY_ON_SHUTDOWN] = check_function_name,
    [PLUGIN_KEY_ON_FLUSH] = check_function_name,
    [PLUGIN_KEY_ON_VARIABLE] = check_function_name,
    [PLUGIN_KEY_ON_STATUS] = check_function_name,
    [PLUGIN_KEY_ON_FUNCTION] = check_function_name,
    [PLUGIN_KEY_EXPORT] = check_exports,
    [PLUGIN_KEY_ON_FAILURE] = check_on_failure,
    [PLUGIN_KEY_REQUIRE_VERSION] = check_require_version,
    [PLUGIN_KEY_NEEDS] = check_needs,
    [PLUGIN_KEY_DISABLE_PRIVILEGE] = check_disable_privilege,
};

static const struct {
    const char *name, *on_failure;
} kinds[] = {
#define X(enumerator, name, on_failure) {name, on_failure},
    PLUGIN_KINDS(X)
#undef X
};

static const struct {
    const char *name;
    enum plugin_kind kind;
} points[] = {
#define X(enumerator, name, kind, ...) {name, PLUGIN_KIND_##kind},
    PLUGIN_EXTENSION_POINTS(X)
#undef X
};

const char *plugin_key_name(enum plugin_key key)
{
    return keys[key].name;
}

/* "FILE:LINE: key "x": message"; for an element of a list the key is that of the list. */
static int wrong(const struct reading *reading, const struct toml_node *node, const char *key,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
static int wrong(const struct reading *reading, const struct toml_node *node, const char *key,
                 const char *format, ...)
{
    struct strbuf message = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, format);
    strbuf_vprintf(&message, format, arguments);
    va_end(arguments);
    toml_error(reading->manifest->document, node, reading->error, "key \"%s\": %s", key,
               message.data);
    strbuf_release(&message);
    return -1;
}

static bool is_identifier(const char *text, size_t size)
{
    bool ok = size > 0 && size <= NAME_BYTES && !isdigit((unsigned char)text[0]);
    for (size_t i = 0; ok && i < size; i++)
        ok = (isalnum((unsigned char)text[i]) && (unsigned char)text[i] < 128) || text[i] == '_';
    return ok;
}

bool plugin_name_is_valid(const char *name)
{
    return is_identifier(name, strlen(name));
}

static int check_name(const struct reading *reading, const struct toml_node *node)
{
    size_t size;
    const char *name = toml_text(node, &size);
    if (memchr(name, '-', size))
        return wrong(reading, node, "name",
                     "\"%s\" has a '-' in it, which separates name and version in NAME-VERSION.so; "
                     "use '_'",
                     name);
    if (!is_identifier(name, size))
        return wrong(reading, node, "name",
                     "\"%s\" is not a C identifier of at most %d letters, digits and '_'", name,
                     NAME_BYTES);
    if (reading->folder_name && strcmp(reading->folder_name, name) != 0)
        return wrong(reading, node, "name",
                     "\"%s\" differs from the name of its folder, \"%s\"; rename one of them", name,
                     reading->folder_name);
    return 0;
}

static int check_kind(const struct reading *reading, const struct toml_node *node)
{
    const char *text = toml_text(node, NULL);
    for (int kind = 0; kind < PLUGIN_KIND_END; kind++) {
        if (strcmp(kinds[kind].name, text) == 0) {
            reading->manifest->kind = (enum plugin_kind)kind;
            return 0;
        }
    }
    return wrong(reading, node, "kind",
                 "\"%s\" is not one of Audit, Authentication, Schema, Daemon, Trace", text);
}

static int check_version(const struct reading *reading, const struct toml_node *node)
{
    size_t size;
    const char *text = toml_text(node, &size);
    bool ok = size > 0 && size <= NAME_BYTES && isdigit((unsigned char)text[0]);
    for (size_t i = 0; ok && i < size; i++)
        ok = isalnum((unsigned char)text[i]) || text[i] == '.' || text[i] == '_';
    if (!ok)
        return wrong(reading, node, "version",
                     "\"%s\" is not a version such as \"1\" or \"1.4.2\": a digit, then digits, "
                     "letters, '.' and '_'",
                     text);
    return 0;
}

static int check_function_of(const struct reading *reading, const struct toml_node *node,
                             const char *key, const char *what)
{
    size_t size;
    const char *text = toml_text(node, &size);
    if (!is_identifier(text, size))
        return wrong(reading, node, key, "%s\"%s\" is not the name of a C function", what, text);
    if (strcmp(text, "weir_plugin_manifest") == 0 || strcmp(text, "weir_host_table") == 0 ||
        strcmp(text, "weir_self") == 0)
        return wrong(reading, node, key, "%s\"%s\" is a name of weir's own; choose another", what,
                     text);
    return 0;
}

static int check_function_name(const struct reading *reading, const struct toml_node *node)
{
    return check_function_of(reading, node, toml_key(node), "");
}

/* Sets *node to the member `name` of one element of `export`, which must be a string. */
static int export_member(const struct reading *reading, const struct toml_node *element,
                         const char *name, const struct toml_node **node)
{
    *node = toml_get(element, name);
    if (!*node)
        return wrong(reading, element, "export",
                     "an element lacks %s; write {extPoint=\"...\", "
                     "impl=\"...\"}",
                     name);
    if (toml_type(*node) != TOML_STRING)
        return wrong(reading, *node, "export", "%s must be a string, not %s", name,
                     toml_type_name(toml_type(*node)));
    return 0;
}

/* Kind may come after export in the file: what depends on it is checked at the end. */
static int check_point(const struct reading *reading, const struct toml_node *point,
                       const struct toml_node *impl)
{
    const char *name = toml_text(point, NULL);
    for (int i = 0; i < PLUGIN_POINT_END; i++) {
        if (strcmp(points[i].name, name) != 0)
            continue;
        if (reading->manifest->points[i])
            return wrong(reading, point, "export", "extPoint \"%s\" is exported twice", name);
        reading->manifest->points[i] = impl;
        return 0;
    }
    return wrong(reading, point, "export",
                 "there is no extPoint \"%s\"; there are OnConnectionEvent, OnGeneralEvent, "
                 "OnParseEvent, OnGlobalVariableEvent and OnPluginEvent",
                 name);
}

static int check_exports(const struct reading *reading, const struct toml_node *node)
{
    for (size_t i = 0; i < toml_count(node); i++) {
        const struct toml_node *element = toml_at(node, i), *point, *impl;
        if (toml_type(element) != TOML_TABLE)
            return wrong(reading, element, "export",
                         "an element must be {extPoint=\"...\", impl=\"...\"}, not %s",
                         toml_type_name(toml_type(element)));
        for (size_t j = 0; j < toml_count(element); j++) {
            const char *name = toml_key(toml_at(element, j));
            if (strcmp(name, "extPoint") != 0 && strcmp(name, "impl") != 0)
                return wrong(reading, toml_at(element, j), "export",
                             "an element has extPoint and impl, not \"%s\"", name);
        }
        if (export_member(reading, element, "extPoint", &point) < 0 ||
            export_member(reading, element, "impl", &impl) < 0 ||
            check_function_of(reading, impl, "export", "impl ") < 0 ||
            check_point(reading, point, impl) < 0)
            return -1;
    }
    return 0;
}

static int check_on_failure(const struct reading *reading, const struct toml_node *node)
{
    const char *text = toml_text(node, NULL);
    if (strcmp(text, "refuse") != 0 && strcmp(text, "allow") != 0)
        return wrong(reading, node, "on_failure", "\"%s\" is neither \"refuse\" nor \"allow\"",
                     text);
    return 0;
}

static int check_require_version(const struct reading *reading, const struct toml_node *node)
{
    unsigned long parts[3];
    if (!plugin_version_parse(toml_text(node, NULL), parts))
        return wrong(reading, node, "require_version",
                     "\"%s\" is not a version of weir such as \"0.1\" or \"0.1.2\"",
                     toml_text(node, NULL));
    return 0;
}

static int check_needs(const struct reading *reading, const struct toml_node *node)
{
    static const char *const known[] = {
#define X(name, bit) name,
        PLUGIN_NEEDS(X)
#undef X
    };
    for (size_t i = 0; i < toml_count(node); i++) {
        const char *text = toml_text(toml_at(node, i), NULL);
        bool found = false;
        for (size_t j = 0; j < sizeof known / sizeof *known; j++)
            found = found || strcmp(known[j], text) == 0;
        if (!found)
            return wrong(reading, toml_at(node, i), "needs",
                         "weir has no \"%s\" to offer; it has \"account\"", text);
    }
    return 0;
}

static int check_type(const struct reading *reading, const struct key_row *row,
                      const struct toml_node *node)
{
    bool list = row->type == NAMES || row->type == EXPORTS || row->type == VARIABLES;
    if (toml_type(node) != (list ? TOML_ARRAY : TOML_STRING))
        return wrong(reading, node, row->name, "must be %s, not %s", list ? "a list" : "a string",
                     toml_type_name(toml_type(node)));
    size_t size;
    const char *text = toml_text(node, &size);
    if (strlen(text) != size)
        return wrong(reading, node, row->name, "has a NUL byte in it");
    for (size_t i = 0; row->type == NAMES && i < toml_count(node); i++) {
        const struct toml_node *element = toml_at(node, i);
        if (toml_type(element) != TOML_STRING)
            return wrong(reading, element, row->name, "must be a list of strings, and has %s in it",
                         toml_type_name(toml_type(element)));
        text = toml_text(element, &size);
        if (strlen(text) != size || size == 0)
            return wrong(reading, element, row->name, "has %s in it",
                         size ? "a NUL byte" : "an empty string");
    }
    return 0;
}

static int read_key(const struct reading *reading, const struct toml_node *node)
{
    for (int key = 0; key < PLUGIN_KEY_END; key++) {
        if (strcmp(keys[key].name, toml_key(node)) != 0)
            continue;
        reading->manifest->keys[key] = node;
        if (check_type(reading, &keys[key], node) < 0)
            return -1;
        return checks[key] ? checks[key](reading, node) : 0;
    }
    return wrong(reading, node, toml_key(node),
                 "unknown; pluginpkg --help lists the keys of a manifest");
}

static json_t *node_as_json(const struct toml_node *node)
{
    bool list = toml_type(node) == TOML_ARRAY;
    switch (toml_type(node)) {
    case TOML_INTEGER:
        return json_integer(toml_integer(node));
    case TOML_FLOAT:
        return json_real(toml_float(node));
    case TOML_BOOLEAN:
        return json_boolean(toml_boolean(node));
    case TOML_ARRAY:
    case TOML_TABLE:
        break;
    default:
        return json_string(toml_text(node, NULL));
    }
    json_t *value = list ? json_array() : json_object();
    for (size_t i = 0; i < toml_count(node); i++) {
        const struct toml_node *member = toml_at(node, i);
        if (list)
            json_array_append_new(value, node_as_json(member));
        else
            json_object_set_new(value, toml_key(member), node_as_json(member));
    }
    return value;
}

static int check_disable_privilege(const struct reading *reading, const struct toml_node *node)
{
    const char *names[PLUGIN_PRIVILEGES + 1];
    struct error error;
    json_t *list = node_as_json(node);
    int status = plugin_privileges_read(names, list, "disable_privilege", &error);
    if (status == 0 && !names[0])
        status = error_set(&error, "an empty list demands nothing; leave it out");
    for (size_t i = 0; status == 0 && names[i]; i++)
        if (!plugin_privilege_is_known(names[i]))
            status = error_set(&error, "no server has a privilege \"%s\"", names[i]);
    json_decref(list);
    return status < 0 ? wrong(reading, node, "disable_privilege", "%s", error.message) : 0;
}

/* A key of an element of the list; the element if it has no such key; else the list. */
static const struct toml_node *place_in(const struct toml_node *list, size_t index, const char *key)
{
    const struct toml_node *element = index < toml_count(list) ? toml_at(list, index) : list;
    const struct toml_node *member = element != list && key ? toml_get(element, key) : NULL;
    return member ? member : element;
}

/* The names of variables begin with the plugin's, which may come after them in the file. */
static int check_variables(const struct reading *reading)
{
    struct plugin_manifest *manifest = reading->manifest;
    const struct toml_node *list = manifest->keys[PLUGIN_KEY_SYS_VARS];
    struct error error;
    size_t index = 0;
    if (!list)
        return 0;
    if (plugin_elements_check(manifest->document, list, PLUGIN_ELEMENTS_VARIABLES, reading->error) <
        0)
        return -1;
    manifest->variables_json = node_as_json(list);
    if (plugin_definitions_read(&manifest->variables, manifest->variables_json,
                                plugin_manifest_text(manifest, PLUGIN_KEY_NAME), &index,
                                &error) < 0)
        return wrong(reading, place_in(list, index, manifest->variables.wrong_key), "sysVars", "%s",
                     error.message);
    return 0;
}

static int check_callables(const struct reading *reading)
{
    struct plugin_manifest *manifest = reading->manifest;
    const struct toml_node *list = manifest->keys[PLUGIN_KEY_FUNCTIONS];
    struct error error;
    size_t index = 0;
    if (!list)
        return 0;
    if (!manifest->keys[PLUGIN_KEY_ON_FUNCTION])
        return wrong(reading, list, "functions", "there is no onFunction to answer them");
    if (plugin_elements_check(manifest->document, list, PLUGIN_ELEMENTS_CALLABLES, reading->error) <
        0)
        return -1;
    manifest->functions_json = node_as_json(list);
    if (plugin_callables_read(&manifest->callables, &manifest->callable_count,
                              manifest->functions_json,
                              plugin_manifest_text(manifest, PLUGIN_KEY_NAME), &index, &error) < 0)
        return wrong(reading, place_in(list, index, "name"), "functions", "%s", error.message);
    return 0;
}

static int check_status(const struct reading *reading)
{
    struct plugin_manifest *manifest = reading->manifest;
    const struct toml_node *list = manifest->keys[PLUGIN_KEY_STATUS_VARS];
    struct plugin_status_definition *definitions = NULL;
    struct error error;
    size_t index = 0, count = 0;
    if (!list)
        return 0;
    if (!manifest->keys[PLUGIN_KEY_ON_STATUS])
        return wrong(reading, list, "statusVars", "there is no onStatus to give them");
    if (plugin_elements_check(manifest->document, list, PLUGIN_ELEMENTS_STATUS, reading->error) < 0)
        return -1;
    json_t *json = node_as_json(list);
    int status = plugin_status_definitions_read(&definitions, &count, json,
                                                plugin_manifest_text(manifest, PLUGIN_KEY_NAME),
                                                &index, &error);
    if (status < 0)
        wrong(reading, place_in(list, index, "name"), "statusVars", "%s", error.message);
    free(definitions);
    json_decref(json);
    return status;
}

/* A trace plugin says what it can do by its declaration, as MySQL has it. */
static int check_trace_key(const struct reading *reading, enum plugin_key key)
{
    static const enum plugin_key fitting[] = {
        PLUGIN_KEY_NAME,    PLUGIN_KEY_KIND,    PLUGIN_KEY_DESCRIPTION, PLUGIN_KEY_VERSION,
        PLUGIN_KEY_LICENSE, PLUGIN_KEY_SOURCES, PLUGIN_KEY_OBJECTS,     PLUGIN_KEY_LIBRARIES};
    bool fits = false;
    for (size_t i = 0; i < sizeof fitting / sizeof *fitting; i++)
        fits = fits || fitting[i] == key;
    return fits ? 0
                : wrong(reading, reading->manifest->keys[key], keys[key].name,
                        "kind Trace doesn't have it; a trace plugin's functions stand in its "
                        "mysql_declare_client_plugin(TRACE)");
}

/* What can be said only when every key has been seen. */
static int check_whole(const struct reading *reading)
{
    struct plugin_manifest *manifest = reading->manifest;
    for (int key = 0; key < PLUGIN_KEY_END; key++) {
        if (keys[key].required && !manifest->keys[key])
            return wrong(reading, toml_root(manifest->document), keys[key].name,
                         "missing; the manifest must have it");
        if (manifest->kind == PLUGIN_KIND_TRACE && manifest->keys[key] &&
            check_trace_key(reading, (enum plugin_key)key) < 0)
            return -1;
    }
    for (int i = 0; i < PLUGIN_POINT_END; i++) {
        if (manifest->points[i] && points[i].kind != manifest->kind)
            return wrong(reading, manifest->points[i], "export",
                         "kind %s has no extPoint \"%s\"; in weir only Audit has any",
                         kinds[manifest->kind].name, points[i].name);
    }
    return check_variables(reading) < 0 || check_callables(reading) < 0 ? -1
                                                                        : check_status(reading);
}

/* Takes document. */
static int check_document(struct plugin_manifest *manifest, struct toml_document *document,
                          const char *folder_name, struct error *error)
{
    memset(manifest, 0, sizeof *manifest);
    if (!document)
        return -1;
    manifest->document = document;
    struct reading reading = {manifest, folder_name, error};
    const struct toml_node *root = toml_root(document);
    int status = 0;
    for (size_t i = 0; status == 0 && i < toml_count(root); i++)
        status = read_key(&reading, toml_at(root, i));
    if (status == 0)
        status = check_whole(&reading);
    if (status < 0)
        plugin_manifest_release(manifest);
    return status;
}

int plugin_manifest_parse(struct plugin_manifest *manifest, const char *text, size_t size,
                          const char *name, const char *folder_name, struct error *error)
{
    assert(manifest && text && name);
    return check_document(manifest, toml_parse(text, size, name, error), folder_name, error);
}

int plugin_manifest_read(struct plugin_manifest *manifest, const char *folder, struct error *error)
{
    memset(manifest, 0, sizeof *manifest);
    char *absolute = realpath(folder, NULL);
    if (!absolute)
        return error_set(error, "-pkg-dir %s: %s", folder, strerror(errno));
    struct strbuf path = STRBUF_INIT;
    strbuf_printf(&path, "%s/manifest.toml", folder);
    int status =
        check_document(manifest, toml_read(path.data, error), strrchr(absolute, '/') + 1, error);
    strbuf_release(&path);
    free(absolute);
    return status;
}

void plugin_manifest_release(struct plugin_manifest *manifest)
{
    plugin_definitions_release(&manifest->variables);
    json_decref(manifest->variables_json);
    free(manifest->callables);
    json_decref(manifest->functions_json);
    toml_free(manifest->document);
    memset(manifest, 0, sizeof *manifest);
}

const char *plugin_manifest_text(const struct plugin_manifest *manifest, enum plugin_key key)
{
    if (manifest->keys[key])
        return toml_text(manifest->keys[key], NULL);
    return key == PLUGIN_KEY_ON_FAILURE ? kinds[manifest->kind].on_failure : "";
}

json_t *plugin_manifest_json(const struct plugin_manifest *manifest)
{
    json_t *whole = node_as_json(toml_root(manifest->document));
    const char *on_failure = plugin_manifest_text(manifest, PLUGIN_KEY_ON_FAILURE);
    if (*on_failure)
        json_object_set_new(whole, keys[PLUGIN_KEY_ON_FAILURE].name, json_string(on_failure));
    return whole;
}

void plugin_manifest_describe(struct strbuf *out)
{
    for (int key = 0; key < PLUGIN_KEY_END; key++)
        strbuf_printf(out, "  %-16s %s%s\n", keys[key].name,
                      keys[key].required ? "(required) " : "", keys[key].help);
}
