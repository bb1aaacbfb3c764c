/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of packaging share this: package.c (the order of the steps), package_compile.c, package_link.c. A step returns 0, or -1 with
 * the problem in packaging->error. */
#ifndef WEIR_PLUGIN_PACKAGE_PACKAGING_H
#define WEIR_PLUGIN_PACKAGE_PACKAGING_H

#include <limits.h>

#include "plugin/package/manifest.h"
#include "plugin/package/plugin_package.h"
#include "plugin/package/process.h"

struct packaging {
    const struct plugin_package_options *options;
    struct plugin_manifest manifest;
    char *folder;             /* absolute path of the package */
    char *output;             /* absolute path of NAME-VERSION.so; of Trace: NAME.so */
    struct strbuf partial;    /* where it is linked; empty when there is nothing to remove */
    char work[PATH_MAX];      /* temporary folder; empty when there is none */
    struct arguments include; /* compiler options that find weir/plugin.h */
    struct arguments sources; /* absolute paths */
    struct arguments objects; /* absolute paths, compiled and prebuilt */
    struct strbuf json;
    bool is_cxx; /* linked with the C++ compiler */
    struct error *error;
};

static inline const char *packaging_text(const struct packaging *packaging, enum plugin_key key)
{
    return plugin_manifest_text(&packaging->manifest, key);
}

static inline bool packaging_is_trace(const struct packaging *packaging)
{
    return packaging->manifest.kind == PLUGIN_KIND_TRACE;
}

/* "FILE:LINE: key "KEY": ...", -1. */
int packaging_wrong(const struct packaging *packaging, const struct toml_node *node,
                    const char *key, const char *text, const char *problem);

/* Whether the name of a source says C++. */
bool packaging_is_cxx(const char *name);

/* ---- package_compile.c ---- */

/* Where weir/plugin.h is. */
WEIR_MUST_CHECK int packaging_find_header(struct packaging *packaging);

/* Writes the generated C into the temporary folder. */
WEIR_MUST_CHECK int packaging_generate(struct packaging *packaging);

/* Compiles one file into the temporary folder, or all sources. Generated code is no business of the user's
 * warnings. */
WEIR_MUST_CHECK int packaging_compile(struct packaging *packaging, const char *source,
                                      bool is_generated);
WEIR_MUST_CHECK int packaging_compile_all(struct packaging *packaging);

/* Adds the words of an environment variable, or of its default when it is unset or empty. */
WEIR_MUST_CHECK int packaging_add_environment(const struct packaging *packaging,
                                              struct arguments *to, const char *variable,
                                              const char *fallback);

/* Adds what pkg-config says of the libraries, or the libraries' own linker options. */
WEIR_MUST_CHECK int packaging_add_libraries(struct packaging *packaging, struct arguments *to,
                                            bool compiling);

/* ---- package_link.c ---- */

/* Each function that the manifest names must be defined by an object. */
WEIR_MUST_CHECK int packaging_check_functions(struct packaging *packaging);

/* Makes the output's temporary name, which nobody else uses. */
WEIR_MUST_CHECK int packaging_name_output(struct packaging *packaging);

WEIR_MUST_CHECK int packaging_link(struct packaging *packaging);

/* A client library takes a trace plugin only when it declares itself by the name of its file. */
WEIR_MUST_CHECK int packaging_check_declaration(const struct packaging *packaging);

/* Gives the output its name. */
WEIR_MUST_CHECK int packaging_publish(struct packaging *packaging);

#endif
