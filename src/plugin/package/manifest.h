/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest.toml: what a plugin's author says of the plugin.
 *
 * The tables here are the only lists of keys, kinds and extension points; they drive parsing,
 * checking, the code that pluginpkg generates, its --help, and what a test looks for in the guide.
 * A manifest that was read is right in every respect that can be known without its sources; its
 * values are nodes of the TOML document, so that a later check (does a source define the function?)
 * can still name the line. */
#ifndef WEIR_PLUGIN_PACKAGE_MANIFEST_H
#define WEIR_PLUGIN_PACKAGE_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/base.h"
#include "plugin/declared/plugin_declared.h"

/* X(ENUMERATOR, name, failures): TiDB's kinds, and their on_failure when the manifest has none; and
 * that of protocol trace plugins, which are no plugins of the server but of clients. */
#define PLUGIN_KINDS(X)                                                                            \
    X(AUDIT, "Audit", "refuse")                                                                    \
    X(AUTHENTICATION, "Authentication", "allow")                                                   \
    X(SCHEMA, "Schema", "allow")                                                                   \
    X(DAEMON, "Daemon", "allow")                                                                   \
    X(TRACE, "Trace", "")

/* X(ENUMERATOR, key, required, type, help). Type TEXT: a string; NAMES: a list of strings;
 * EXPORTS: a list of {extPoint=, impl=}; VARIABLES: a list of tables (definitions.c, callables.c);
 * FUNCTION: a string that names a C function. */
#define PLUGIN_MANIFEST_KEYS(X)                                                                    \
    X(NAME, "name", true, TEXT, "the plugin's name: a C identifier, the same as its folder's")     \
    X(KIND, "kind", true, TEXT, "Audit, Authentication, Schema, Daemon or Trace")                  \
    X(DESCRIPTION, "description", false, TEXT, "one line about it")                                \
    X(VERSION, "version", true, TEXT, "its version, as in \"1\" or \"1.4.2\"; no '-'")             \
    X(LICENSE, "license", false, TEXT, "its licence, as SHOW PLUGINS prints it")                   \
    X(VALIDATE, "validate", false, FUNCTION, "function called first: may this plugin run here?")   \
    X(ON_INIT, "onInit", false, FUNCTION, "function called before the first event")                \
    X(ON_SHUTDOWN, "onShutdown", false, FUNCTION, "function called after the last event")          \
    X(ON_FLUSH, "onFlush", false, FUNCTION, "function called by FLUSH TIDB PLUGINS")               \
    X(ON_VARIABLE, "onVariable", false, FUNCTION,                                                  \
      "function that is notified of SET of its variables")                                         \
    X(ON_STATUS, "onStatus", false, FUNCTION, "function that gives rows of SHOW STATUS")           \
    X(STATUS_VARS, "statusVars", false, VARIABLES,                                                 \
      "[[statusVars]]: rows of onStatus for monitoring; see the guide")                            \
    X(SYS_VARS, "sysVars", false, VARIABLES, "[[sysVars]]: system variables; see the guide")       \
    X(ON_FUNCTION, "onFunction", false, FUNCTION, "function that answers calls of [[functions]]")  \
    X(FUNCTIONS, "functions", false, VARIABLES, "[[functions]]: called by SELECT; see the guide")  \
    X(EXPORT, "export", false, EXPORTS, "list of {extPoint=\"...\", impl=\"FUNCTION\"}")           \
    X(ON_FAILURE, "on_failure", false, TEXT,                                                       \
      "\"refuse\" or \"allow\": what happens when the plugin fails; Audit's default is refuse")    \
    X(REQUIRE_VERSION, "require_version", false, TEXT, "oldest weir that will do, as in \"0.1\"")  \
    X(NEEDS, "needs", false, NAMES, "[\"account\"]: weir_current_user() and weir_current_role()")  \
    X(DISABLE_PRIVILEGE, "disable_privilege", false, NAMES,                                        \
      "[\"SUPER\"]: one of these is needed besides to disable it or to SET its variables")         \
    X(SOURCES, "sources", false, NAMES, "files to compile; default: all *.c, *.cc, *.cpp, *.cxx")  \
    X(OBJECTS, "objects", false, NAMES, "prebuilt *.o and *.a files to link")                      \
    X(LIBRARIES, "libraries", false, NAMES, "pkg-config names, or linker options as in \"-lm\"")

/* X(ENUMERATOR, name, kind, member of weir_manifest, parameters) */
#define PLUGIN_EXTENSION_POINTS(X)                                                                 \
    X(ON_CONNECTION_EVENT, "OnConnectionEvent", AUDIT, on_connection_event,                        \
      "weir_session *session, weir_connection_event event")                                        \
    X(ON_GENERAL_EVENT, "OnGeneralEvent", AUDIT, on_general_event,                                 \
      "weir_session *session, weir_general_event event, const char *command")                      \
    X(ON_PARSE_EVENT, "OnParseEvent", AUDIT, on_parse_event,                                       \
      "weir_session *session, weir_parse_event event")                                             \
    X(ON_GLOBAL_VARIABLE_EVENT, "OnGlobalVariableEvent", AUDIT, on_global_variable_event,          \
      "weir_session *session, weir_string name, weir_string value")                                \
    X(ON_PLUGIN_EVENT, "OnPluginEvent", AUDIT, on_plugin_event,                                    \
      "weir_session *session, weir_plugin_event event, weir_string plugin")

/* X(ENUMERATOR of the key, member of weir_manifest) */
#define PLUGIN_LIFE_FUNCTIONS(X)                                                                   \
    X(VALIDATE, validate)                                                                          \
    X(ON_INIT, on_init)                                                                            \
    X(ON_SHUTDOWN, on_shutdown)                                                                    \
    X(ON_FLUSH, on_flush)
#define PLUGIN_LIFE_PARAMETERS "const weir_manifest *manifest"

/* X(ENUMERATOR of the key, member of weir_manifest, parameters) */
#define PLUGIN_VARIABLE_FUNCTIONS(X)                                                               \
    X(ON_VARIABLE, on_variable,                                                                    \
      "weir_session *session, weir_variable_event event, weir_variable *variable")                 \
    X(ON_STATUS, on_status, "weir_session *session, weir_status *status")                          \
    X(ON_FUNCTION, on_function, "weir_session *session, weir_call *call")

enum plugin_kind {
#define X(enumerator, ...) PLUGIN_KIND_##enumerator,
    PLUGIN_KINDS(X)
#undef X
        PLUGIN_KIND_END
};

enum plugin_key {
#define X(enumerator, ...) PLUGIN_KEY_##enumerator,
    PLUGIN_MANIFEST_KEYS(X)
#undef X
        PLUGIN_KEY_END
};

enum plugin_extension_point {
#define X(enumerator, ...) PLUGIN_POINT_##enumerator,
    PLUGIN_EXTENSION_POINTS(X)
#undef X
        PLUGIN_POINT_END
};

struct plugin_manifest {
    struct toml_document *document;
    const struct toml_node *keys[PLUGIN_KEY_END];     /* NULL: not given */
    const struct toml_node *points[PLUGIN_POINT_END]; /* the node of the impl; NULL: not exported */
    enum plugin_kind kind;
    json_t *variables_json; /* of sysVars; NULL: none */
    struct plugin_definitions variables;
    json_t *functions_json;            /* NULL: none */
    struct plugin_callable *callables; /* owned */
    size_t callable_count;
};

/* Reads and checks FOLDER/manifest.toml. -1 and "FILE:LINE: key "x": ..."; nothing is then owned.
 */
WEIR_MUST_CHECK int plugin_manifest_read(struct plugin_manifest *manifest, const char *folder,
                                         struct error *error);

/* The same from memory; folder_name is the last part of the folder's path, NULL: not checked. */
WEIR_MUST_CHECK int plugin_manifest_parse(struct plugin_manifest *manifest, const char *text,
                                          size_t size, const char *name, const char *folder_name,
                                          struct error *error);

void plugin_manifest_release(struct plugin_manifest *manifest);

/* A key's text; its default ("" or the kind's on_failure) when the manifest doesn't have it.
 * Borrowed. */
const char *plugin_manifest_text(const struct plugin_manifest *manifest, enum plugin_key key);

/* The manifest as JSON, with the default of on_failure filled in; returns owned, NULL: no memory.
 */
WEIR_MUST_CHECK json_t *plugin_manifest_json(const struct plugin_manifest *manifest);

/* A C identifier that is short enough. */
WEIR_MUST_CHECK bool plugin_name_is_valid(const char *name);

const char *plugin_key_name(enum plugin_key key);

#endif
