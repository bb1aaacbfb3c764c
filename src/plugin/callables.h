/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of plugins that clients call by SELECT: what a manifest's [[functions]] declares. The
 * same reader serves pluginpkg and the host. (What the manifest calls functions is called callables
 * here: "function" is what the other keys name.) */
#ifndef WEIR_PLUGIN_CALLABLES_H
#define WEIR_PLUGIN_CALLABLES_H

#include <jansson.h>
#include <stddef.h>

#include "base/base.h"

#define PLUGIN_CALLABLE_PRIVILEGES 8 /* names in `privileges` at most */

struct weir_plugin;

/* One element of functions. Strings are borrowed from the JSON that it was read from. */
struct plugin_callable {
    const struct weir_plugin *plugin; /* set by whoever loads it */
    const char *name, *description;
    unsigned least, most;                                   /* number of arguments */
    const char *privileges[PLUGIN_CALLABLE_PRIVILEGES + 1]; /* one of them will do; ends with NULL;
                                                               none: everybody may */
};

/* Reads and checks functions (list; NULL: none) of the plugin of that name. *callables is owned
 * (free). -1 and a sentence, with *wrong the index of the element that it is about; nothing is then
 * owned. */
int plugin_callables_read(struct plugin_callable **callables, size_t *count, json_t *list,
                          const char *plugin, size_t *wrong, struct error *error);
#endif
