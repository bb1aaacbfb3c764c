/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin/package: what pluginpkg does. From a folder with manifest.toml and sources to
 * NAME-VERSION.so, or to NAME.so for kind Trace, because client libraries look for that name. */
#ifndef WEIR_PLUGIN_PACKAGE_PLUGIN_PACKAGE_H
#define WEIR_PLUGIN_PACKAGE_PLUGIN_PACKAGE_H

#include "base/base.h"

struct plugin_package_options {
    const char *folder;        /* -pkg-dir */
    const char *output_folder; /* -out-dir */
    const char *include;    /* the folder that has weir/plugin.h; NULL: ask pkg-config for weir */
    const char *pkg_config; /* a folder that has weir-trace.pc; NULL: where pkg-config looks */
};

/* Compiles and links with $CC, $CXX, $CPPFLAGS, $CFLAGS, $CXXFLAGS and $LDFLAGS. What is left in
 * output_folder is the whole NAME-VERSION.so or, after an error, what was there before. What is to
 * be printed on success is appended to report. -1 and *error; the compiler's own messages have gone
 * to standard error. Main thread; blocks. */
WEIR_MUST_CHECK int plugin_package(const struct plugin_package_options *options,
                                   struct strbuf *report, struct error *error);

/* Makes the folder `name` in the current one, with a plugin that builds and its test. What is to be
 * printed on success is appended to report. -1 and *error; nothing is then left of the folder. */
WEIR_MUST_CHECK int plugin_new(const char *name, struct strbuf *report, struct error *error);

/* Appends the manifest of a shared object as JSON, read from the file without running it. */
WEIR_MUST_CHECK int plugin_inspect(const char *path, struct strbuf *out, struct error *error);

/* Appends a line for each key of manifest.toml, for --help. */
void plugin_manifest_describe(struct strbuf *out);

#endif
