/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the elements of [[sysVars]], [[functions]] and [[statusVars]], key by
 * key.
 *
 * What is known of each key alone is checked here, where its line is known; what takes the whole
 * element (does the value fit its bounds?) is plugin/declared's, which the server uses too. */
#ifndef WEIR_PLUGIN_PACKAGE_ELEMENTS_H
#define WEIR_PLUGIN_PACKAGE_ELEMENTS_H

#include "base/base.h"

/* X(key, required, types that it may have, what it must be) */
#define PLUGIN_VARIABLE_KEYS(X)                                                                    \
    X("name", true, TEXT, "a string")                                                              \
    X("value", true, SCALAR, "a string, a number, true or false")                                  \
    X("type", false, TEXT, "a string")                                                             \
    X("scope", false, TEXT, "a string")                                                            \
    X("min", false, BOUND, "a number or a string")                                                 \
    X("max", false, BOUND, "a number or a string")                                                 \
    X("values", false, LIST, "a list of strings")                                                  \
    X("description", false, TEXT, "a string")                                                      \
    X("readonly", false, FLAG, "true or false")                                                    \
    X("per_node", false, FLAG, "true or false")

#define PLUGIN_CALLABLE_KEYS(X)                                                                    \
    X("name", true, TEXT, "a string")                                                              \
    X("arguments", false, COUNT, "an integer")                                                     \
    X("optional", false, COUNT, "an integer")                                                      \
    X("description", false, TEXT, "a string")                                                      \
    X("privileges", false, PRIVILEGES, "a list of privileges as in SHOW GRANTS: [\"SUPER\"]")      \
    X("changes", false, FLAG, "true or false")

#define PLUGIN_STATUS_KEYS(X)                                                                      \
    X("name", true, TEXT, "a string")                                                              \
    X("kind", true, TEXT, "\"counter\" or \"gauge\"")                                              \
    X("unit", false, TEXT, "\"bytes\" or \"seconds\"")                                             \
    X("description", false, TEXT, "a string")

enum plugin_elements {
    PLUGIN_ELEMENTS_VARIABLES,
    PLUGIN_ELEMENTS_CALLABLES,
    PLUGIN_ELEMENTS_STATUS
};

/* Checks a list of the manifest. -1 and "FILE:LINE: key "x": ...", with the line of the key that is
 * wrong. */
WEIR_MUST_CHECK int plugin_elements_check(const struct toml_document *document,
                                          const struct toml_node *list,
                                          enum plugin_elements elements, struct error *error);

/* True for privileges of MariaDB, MySQL and TiDB, as SHOW GRANTS names them. */
WEIR_MUST_CHECK bool plugin_privilege_is_known(const char *name);

#endif
