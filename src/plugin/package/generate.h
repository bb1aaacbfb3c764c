/* SPDX-License-Identifier: Apache-2.0
 *
 * The C that pluginpkg writes from a manifest: the descriptor that a shared object exports, the
 * prototypes of the functions that the manifest names, and the linker's list of exported symbols.
 */
#ifndef WEIR_PLUGIN_PACKAGE_GENERATE_H
#define WEIR_PLUGIN_PACKAGE_GENERATE_H

#include "plugin/package/manifest.h"

/* One function that the manifest names. */
struct plugin_function {
    const struct toml_node *node; /* its name, and its place in the manifest */
    const char *key;              /* "validate", "export" ... */
    const char *parameters;       /* of the C function */
    const char *member;           /* of weir_manifest */
};

#define X(...) +1
enum {
    PLUGIN_FUNCTIONS =
        0 PLUGIN_LIFE_FUNCTIONS(X) PLUGIN_VARIABLE_FUNCTIONS(X) PLUGIN_EXTENSION_POINTS(X)
};
#undef X

/* Fills functions with those that the manifest names; returns how many. */
size_t plugin_functions(const struct plugin_manifest *manifest,
                        struct plugin_function functions[PLUGIN_FUNCTIONS]);

/* json: the manifest's text, which goes into the object as it is. */
void plugin_generate_source(const struct plugin_manifest *manifest, const char *json,
                            struct strbuf *out);

/* The prototypes, and the constants of the variables. */
void plugin_generate_prototypes(const struct plugin_manifest *manifest, struct strbuf *out);
void plugin_generate_exports(const struct plugin_manifest *manifest, struct strbuf *out);

#endif
