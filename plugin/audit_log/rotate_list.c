/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists rotated files.
 *
 * A rotated file carries the time of its rotation in its name, in digits, so sorting by name is
 * sorting by age. Only names of exactly that form are listed, and therefore removed or compressed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "rotate_list.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAMP "00000000T000000.000000Z" /* digits stand for digits */

static bool is_stamp(const char *text)
{
    for (size_t i = 0; i < sizeof STAMP - 1; i++)
        if (STAMP[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != STAMP[i])
            return false;
    text += sizeof STAMP - 1;
    return *text == '\0' || strcmp(text, ".gz") == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct rotate_list *list, const char *folder, const char *name)
{
    char **paths = realloc(list->paths, (list->count + 1) * sizeof *paths), *path;
    if (!paths)
        return -1;
    list->paths = paths;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return -1;
    paths[list->count++] = path;
    return 0;
}

int rotate_list(const char *file, struct rotate_list *list)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    char *folder = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file)) : strdup(".");
    size_t size = strlen(base);
    int status = -1;
    *list = (struct rotate_list){0};
    DIR *directory = folder ? opendir(folder) : NULL;
    if (directory) {
        struct dirent *entry;
        status = 0;
        while (status == 0 && (entry = readdir(directory))) {
            const char *name = entry->d_name;
            if (strncmp(name, base, size) == 0 && name[size] == '.' && is_stamp(name + size + 1))
                status = add(list, folder, name);
        }
        closedir(directory);
    }
    free(folder);
    if (status < 0)
        rotate_list_release(list);
    else if (list->count)
        qsort(list->paths, list->count, sizeof *list->paths, by_name);
    return status;
}

void rotate_list_release(struct rotate_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct rotate_list){0};
}
