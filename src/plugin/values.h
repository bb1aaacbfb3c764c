/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of system variables: what a manifest's [[sysVars]] declares, and how a value is read,
 * bounded and printed.
 *
 * A value is a number and its text, always both, and the text is what SHOW VARIABLES prints. Pure
 * functions; no thread is bound to them. */
#ifndef WEIR_PLUGIN_VALUES_H
#define WEIR_PLUGIN_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "plugin/plugin.h"

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
    int64_t least, most; /* bounds of the number; of the text's size in bytes for str */
    json_t *values;      /* enum: list of strings; borrowed */
    struct plugin_value initial;
};

struct plugin_definitions {
    struct plugin_definition *items; /* owned */
    size_t count;
};

/* Reads and checks sysVars (list; NULL: none) of the plugin of that name. -1 and a sentence, with
 * *wrong the index of the element that it is about; nothing is then owned. */
int plugin_definitions_read(struct plugin_definitions *definitions, json_t *list,
                            const char *plugin, size_t *wrong, struct error *error);
void plugin_definitions_release(struct plugin_definitions *definitions);

/* Whether a variable or function of the plugin can have this name: "PLUGIN_...". */
int plugin_check_name(const char *plugin, const char *name, struct error *error);

/* Reads a value of the definition's type. false: wrong type or out of bounds (*outcome); *value is
 * then untouched. Strings are cut from nothing: a text that is too long is out of bounds. */
enum plugin_value_outcome {
    PLUGIN_VALUE_FINE,
    PLUGIN_VALUE_WRONG_TYPE,
    PLUGIN_VALUE_WRONG,
    PLUGIN_VALUE_NO_MEMORY,
};
enum plugin_value_outcome plugin_value_read(const struct plugin_definition *definition,
                                            const struct plugin_input *input,
                                            struct plugin_value *value);

/* "json" for index 1 of an enum. */
const char *plugin_definition_choice(const struct plugin_definition *definition, size_t index);

#endif
