/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a plugin's own files are. */
#ifndef PLUGIN_COMMON_PATHS_H
#define PLUGIN_COMMON_PATHS_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <weir/plugin.h>

/* Each writes the path of a file that a setting names. False: it is longer than size - 1 bytes. */

/* What the plugin reads: a relative path begins at the folder of the plugin's .so. */
static inline bool path_beside_plugin(weir_string name, char *path, size_t size)
{
    weir_string library = weir_library();
    const char *slash = strrchr(library.data, '/');
    bool is_absolute = name.size > 0 && name.data[0] == '/';
    int folder = is_absolute || !slash ? 0 : (int)(slash - library.data) + 1;
    int length = snprintf(path, size, "%.*s%.*s", folder, library.data, WEIR_STRING_ARGS(name));
    return length >= 0 && (size_t)length < size;
}

/* What the plugin writes: a relative path begins at the server's data directory, or, where the
 * server tells none, beside the plugin. */
static inline bool path_in_data_directory(weir_string name, char *path, size_t size)
{
    weir_string folder = weir_data_directory();
    if (!folder.data || (name.size > 0 && name.data[0] == '/'))
        return path_beside_plugin(name, path, size);
    int length =
        snprintf(path, size, "%.*s/%.*s", WEIR_STRING_ARGS(folder), WEIR_STRING_ARGS(name));
    return length >= 0 && (size_t)length < size;
}

#endif
