/* SPDX-License-Identifier: Apache-2.0
 *
 * Version numbers of plugins and of what they require. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/declared/plugin_declared.h"

bool plugin_version_parse(const char *text, unsigned long parts[3])
{
    memset(parts, 0, 3 * sizeof *parts);
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)*text))
            return false;
        errno = 0;
        char *end;
        parts[i] = strtoul(text, &end, 10);
        if (errno)
            return false;
        if (!*end)
            return true;
        if (*end != '.')
            return false;
        text = end + 1;
    }
    return false;
}
