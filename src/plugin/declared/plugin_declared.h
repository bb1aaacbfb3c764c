/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin/declared: what a plugin says of itself, and how it is read from a shared object without
 * running it. pluginpkg writes it there (plugin/package), the server reads it (plugin/host), and
 * both check it with the functions here.
 *
 * Pure functions but for the reading of the file; any thread. */
#ifndef WEIR_PLUGIN_DECLARED_PLUGIN_DECLARED_H
#define WEIR_PLUGIN_DECLARED_PLUGIN_DECLARED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/plugin.h>

#include "base/base.h"

/* ---- The section of the manifest (manifest_section.c) ---- */

#define PLUGIN_SECTION_BYTES (1U << 20) /* a longer section is refused */

/* The section's text up to its first NUL; returns owned, NUL-terminated. NULL and "PATH: why". */
WEIR_MUST_CHECK char *plugin_section_text(const char *path, const char *section,
                                          struct error *error);

/* The same from memory, which libelf may change. name stands for the path in messages. */
WEIR_MUST_CHECK char *plugin_section_text_in(char *bytes, size_t size, const char *name,
                                             const char *section, struct error *error);

/* ---- needs and versions (plugin_version.c) ---- */

/* A bit beside those of plugin_registry_subscribed(): some manifest has needs = ["account"]. */
#define PLUGIN_NEEDS_ACCOUNT 16U

/* X(name, bit): what `needs` may hold; the bits are those of plugin_registry_subscribed(). */
#define PLUGIN_NEEDS(X) X("account", PLUGIN_NEEDS_ACCOUNT)

/* The parts of "1.4.2" as numbers; false when it is not one to three numbers with dots. */
WEIR_MUST_CHECK bool plugin_version_parse(const char *text, unsigned long parts[3]);

/* ---- [[sysVars]] (declared_variables.c) and their values (variable_values.c) ---- */

#define PLUGIN_SCOPE_GLOBAL  1U
#define PLUGIN_SCOPE_SESSION 2U

/* What somebody wants to set. */
struct plugin_input {
    enum plugin_input_kind {
        PLUGIN_INPUT_DEFAULT,
        PLUGIN_INPUT_NULL,
        PLUGIN_INPUT_INTEGER, /* text is digits, perhaps with a sign */
        PLUGIN_INPUT_DECIMAL, /* any other number */
        PLUGIN_INPUT_TEXT,
        PLUGIN_INPUT_FILE, /* the value of a key in a file: any of these forms */
    } kind;
    const char *text; /* borrowed */
    size_t size;
};

/* X(ENUMERATOR, name): see weir_variable for what a number means. */
#define PLUGIN_VARIABLE_TYPES(X)                                                                   \
    X(STR, "str")                                                                                  \
    X(INT, "int")                                                                                  \
    X(BOOL, "bool")                                                                                \
    X(ENUM, "enum")                                                                                \
    X(SIZE, "size")                                                                                \
    X(DURATION, "duration")

enum plugin_variable_type {
#define X(enumerator, name) PLUGIN_TYPE_##enumerator,
    PLUGIN_VARIABLE_TYPES(X)
#undef X
        PLUGIN_TYPE_END
};

#define PLUGIN_VALUE_BYTES (64U << 10) /* longest text of a value */

struct plugin_value {
    int64_t number;
    char *text; /* owned, NUL-terminated */
};

/* One element of sysVars. Strings are borrowed from the JSON that it was read from. */
struct plugin_definition {
    const char *name, *description;
    enum plugin_variable_type type;
    unsigned scopes; /* PLUGIN_SCOPE_* */
    bool is_readonly;
    bool is_per_node;    /* in a cluster, each node has a value of its own */
    int64_t least, most; /* bounds of the number; of the text's size in bytes for str */
    json_t *values;      /* enum: list of strings; borrowed */
    struct plugin_value initial;
};

struct plugin_definitions {
    struct plugin_definition *items; /* owned */
    size_t count;
    const char *wrong_key; /* static: what could not be read; NULL: the element as a whole */
};

/* Reads and checks sysVars (list; NULL: none) of the plugin of that name. -1 and a clear message,
 * with *wrong the index of the element that it is about; nothing is then owned. */
WEIR_MUST_CHECK int plugin_definitions_read(struct plugin_definitions *definitions, json_t *list,
                                            const char *plugin, size_t *wrong, struct error *error);
void plugin_definitions_release(struct plugin_definitions *definitions);

/* Whether a variable or function of the plugin can have this name: "PLUGIN_...". */
WEIR_MUST_CHECK int plugin_check_name(const char *plugin, const char *name, struct error *error);

/* Reads a value of the definition's type. false: wrong type or out of bounds (*outcome); *value is
 * then untouched. Strings are cut from nothing: a text that is too long is out of bounds. */
enum plugin_value_outcome {
    PLUGIN_VALUE_OK,
    PLUGIN_VALUE_WRONG_TYPE,
    PLUGIN_VALUE_WRONG,
    PLUGIN_VALUE_NO_MEMORY,
};
WEIR_MUST_CHECK enum plugin_value_outcome
plugin_value_read(const struct plugin_definition *definition, const struct plugin_input *input,
                  struct plugin_value *value);

/* Appends what values there are: "one of jsonl, json, csv", "a whole number, 1 to 1000". */
void plugin_definition_describe(const struct plugin_definition *definition, struct strbuf *out);

/* "json" for index 1 of an enum. */
const char *plugin_definition_choice(const struct plugin_definition *definition, size_t index);

/* ---- Privileges (declared_functions.c) ---- */

#define PLUGIN_PRIVILEGES 8 /* names in a list of privileges at most */

/* Reads a list of privileges, written as in SHOW GRANTS: one of them will do. names ends with NULL,
 * and its strings are borrowed from list. what stands before the message of an error. */
WEIR_MUST_CHECK int plugin_privileges_read(const char *names[PLUGIN_PRIVILEGES + 1],
                                           const json_t *list, const char *what,
                                           struct error *error);

/* ---- [[functions]] (declared_functions.c) ---- */

/* What the manifest calls functions is called callables here: "function" is what the other keys
 * name. */
#define PLUGIN_CALL_ARGUMENTS 8 /* most arguments of a call */

struct weir_plugin;

/* One element of functions. Strings are borrowed from the JSON that it was read from. */
struct plugin_callable {
    const struct weir_plugin *plugin; /* set by whoever loads it */
    const char *name, *description;
    unsigned least, most;                          /* number of arguments */
    bool is_reading;                               /* it changes nothing: `changes = false` */
    const char *privileges[PLUGIN_PRIVILEGES + 1]; /* one of them will do; ends with NULL;
                                                      none: everybody may */
};

/* Reads and checks functions (list; NULL: none) of the plugin of that name. *callables is owned
 * (free). -1 and a clear message, with *wrong the index of the element that it is about; nothing is
 * then owned. */
WEIR_MUST_CHECK int plugin_callables_read(struct plugin_callable **callables, size_t *count,
                                          json_t *list, const char *plugin, size_t *wrong,
                                          struct error *error);

/* ---- [[statusVars]] (declared_status.c) ---- */

#define PLUGIN_STATUS_VARIABLES 64 /* that one plugin may declare */

/* A row of OnStatus that is a number for monitoring. Strings are borrowed from the JSON. */
struct plugin_status_definition {
    const char *name;
    const char *unit; /* "bytes", "seconds", or "" */
    const char *description;
    bool is_counter; /* only rises; otherwise it is what is now */
};

/* Reads and checks statusVars, as plugin_callables_read(). */
WEIR_MUST_CHECK int plugin_status_definitions_read(struct plugin_status_definition **definitions,
                                                   size_t *count, json_t *list, const char *plugin,
                                                   size_t *wrong, struct error *error);

#endif
