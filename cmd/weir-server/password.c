/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the password of an option. */
#include "password.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_line(char **line, const char *option, const char *path, struct error *error)
{
    size_t room = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(error, "%s %s: %s", option, path, strerror(errno));
    const ssize_t size = getline(line, &room, file);
    fclose(file);
    if (size < 0)
        return error_set(error, "%s %s: there is no line in it", option, path);
    (*line)[strcspn(*line, "\r\n")] = 0;
    return 0;
}

int password_read(char **password, const char *text, const char *option, const char *path,
                  struct error *error)
{
    if (path)
        return read_line(password, option, path, error);
    if (!text)
        return 0;
    *password = strdup(text);
    return *password ? 0 : error_set(error, "not enough memory");
}
