/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a plugin's own files are. */
#ifndef PLUGIN_COMMON_BESIDE_H
#define PLUGIN_COMMON_BESIDE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <weir/plugin.h>

/* Writes the path of a file that a setting names: a relative one begins at the folder of the
 * plugin's .so. False: it is longer than size - 1 bytes. */
static inline bool path_beside_plugin(weir_string name, char *path, size_t size)
{
    weir_string library = weir_library();
    const char *slash = strrchr(library.data, '/');
    bool is_absolute = name.size > 0 && name.data[0] == '/';
    int folder = is_absolute || !slash ? 0 : (int)(slash - library.data) + 1;
    int length = snprintf(path, size, "%.*s%.*s", folder, library.data, WEIR_STRING_ARGS(name));
    return length >= 0 && (size_t)length < size;
}

#endif
