/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists rotated files.
 *
 * Who has rotated a file can be seen from its name, and within one such family the names say which one is older: audit_log
 * writes the time of the rotation, in digits, logrotate a number that grows with age, or with `dateext` a date. Between
 * families, where somebody has gone over from one to another, only the time of the last change tells. Files of other names
 * are left alone. */
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
#include <sys/stat.h>

#define STAMP       "00000000T000000.000000Z" /* digits stand for digits */
#define DATE_DIGITS 8 /* at least: %Y%m%d, and perhaps the hour or more after it */

enum family { OWN, NUMBERED, DATED, FAMILIES };

static bool is_stamp(const char **text)
{
    for (size_t i = 0; i < sizeof STAMP - 1; i++)
        if (STAMP[i] == '0' ? !isdigit((unsigned char)(*text)[i]) : (*text)[i] != STAMP[i])
            return false;
    *text += sizeof STAMP - 1;
    return true;
}

/* Of what stands after the log's name; FAMILIES: of none. */
static enum family family_of(const char *suffix)
{
    const char *rest = suffix + 1;
    enum family family = FAMILIES;
    if (*suffix != '.' && *suffix != '-')
        return FAMILIES;
    const size_t digits = strspn(rest, "0123456789");
    if (*suffix == '.' && is_stamp(&rest)) {
        family = OWN;
    } else if (digits >= DATE_DIGITS) {
        family = DATED;
        rest += strspn(rest, "0123456789-");
    } else if (*suffix == '.' && digits) {
        family = NUMBERED;
        rest += digits;
    }
    return *rest == '\0' || strcmp(rest, ".gz") == 0 ? family : FAMILIES;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The digits at the end, .gz aside. */
static unsigned long number_of(const char *path)
{
    size_t end = strlen(path);
    if (end > 3 && strcmp(path + end - 3, ".gz") == 0)
        end -= 3;
    while (end && isdigit((unsigned char)path[end - 1]))
        end--;
    return strtoul(path + end, NULL, 10);
}

static int by_number_downwards(const void *a, const void *b)
{
    const unsigned long first = number_of(*(char *const *)a), second = number_of(*(char *const *)b);
    return first == second ? by_name(a, b) : first < second ? 1 : -1;
}

static int add(struct rotate_list *list, char *path)
{
    char **paths = path ? realloc(list->paths, (list->count + 1) * sizeof *paths) : NULL;
    if (!paths) {
        free(path);
        return -1;
    }
    list->paths = paths;
    paths[list->count++] = path;
    return 0;
}

static char *join(const char *file, size_t folder_size, const char *name)
{
    char *path;
    return asprintf(&path, "%.*s%s", (int)folder_size, file, name) < 0 ? NULL : path;
}

/* Those of one family, sorted. */
static int read_family(const char *file, enum family family, struct rotate_list *list)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    const size_t folder_size = (size_t)(base - file), size = strlen(base);
    char *folder = folder_size ? strndup(file, folder_size) : strdup(".");
    DIR *directory = folder ? opendir(folder) : NULL;
    int status = directory ? 0 : -1;
    struct dirent *entry;
    while (status == 0 && (entry = readdir(directory))) {
        const char *name = entry->d_name;
        if (strncmp(name, base, size) == 0 && family_of(name + size) == family)
            status = add(list, join(file, folder_size, name));
    }
    if (directory)
        closedir(directory);
    free(folder);
    if (list->count)
        qsort(list->paths, list->count, sizeof *list->paths,
              family == NUMBERED ? by_number_downwards : by_name);
    return status;
}

/* In seconds; of one that is gone meanwhile the beginning of time. */
static struct timespec changed(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mtim : (struct timespec){0};
}

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec ? a.tv_nsec < b.tv_nsec : a.tv_sec < b.tv_sec;
}

/* Moves the paths of all families into one list, whichever of their first ones was changed first. */
static int merge(struct rotate_list *lists, struct rotate_list *all)
{
    size_t next[FAMILIES] = {0};
    for (;;) {
        enum family oldest = FAMILIES;
        struct timespec when = {0};
        for (enum family i = OWN; i < FAMILIES; i++) {
            const struct timespec time =
                next[i] < lists[i].count ? changed(lists[i].paths[next[i]]) : (struct timespec){0};
            if (next[i] < lists[i].count && (oldest == FAMILIES || is_before(time, when))) {
                oldest = i;
                when = time;
            }
        }
        if (oldest == FAMILIES)
            return 0;
        char **path = &lists[oldest].paths[next[oldest]++];
        const int status = add(all, *path);
        *path = NULL;
        if (status < 0)
            return -1;
    }
}

static int list_families(const char *file, struct rotate_list *list, bool only_own)
{
    struct rotate_list lists[FAMILIES] = {0};
    *list = (struct rotate_list){0};
    int status = 0;
    for (enum family i = OWN; status == 0 && i < (only_own ? OWN + 1 : FAMILIES); i++)
        status = read_family(file, i, &lists[i]);
    if (status == 0)
        status = merge(lists, list);
    for (enum family i = OWN; i < FAMILIES; i++)
        rotate_list_release(&lists[i]);
    if (status < 0)
        rotate_list_release(list);
    return status;
}

int rotate_list(const char *file, struct rotate_list *list)
{
    return list_families(file, list, true);
}

int rotate_list_all(const char *file, struct rotate_list *list)
{
    return list_families(file, list, false);
}

void rotate_list_release(struct rotate_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct rotate_list){0};
}
