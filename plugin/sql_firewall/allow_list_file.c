/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of the allow-lists. It is replaced as a whole: whoever reads it finds the old one or the
 * new one, and after a power cut one of the two is there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allow_list_private.h"

static const char *const sort_names[KEY_SORT_COUNT] = {
#define X(enumerator, word) word,
    KEY_SORTS(X)
#undef X
};

/* ---- Reading ---- */

/* "SORT HEX SHOWN" -> the key; NULL or what is wrong. */
static const char *parse_entry(char *line, struct key *key)
{
    char *hex = strchr(line, ' ');
    size_t word = hex ? (size_t)(hex - line) : strlen(line);
    unsigned sort = 0;
    while (sort < KEY_SORT_COUNT &&
           (strlen(sort_names[sort]) != word || memcmp(sort_names[sort], line, word) != 0))
        sort++;
    if (sort == KEY_SORT_COUNT)
        return "begins with none of account, digest, text, command";
    key->sort = (enum key_sort)sort;
    size_t size = strlen(++hex);
    if (size < 2 * (size_t)KEY_BYTES || !key_from_hex(hex, key->bytes) ||
        (size > 2 * (size_t)KEY_BYTES && hex[2 * KEY_BYTES] != ' '))
        return "has no 64 lower-case hex digits";
    bool has_more = size > 2 * (size_t)KEY_BYTES;
    key->shown.data = hex + 2 * (size_t)KEY_BYTES + has_more;
    key->shown.size = strlen(key->shown.data);
    return NULL;
}

/* Adds what the line says; *account is the one whose statements follow. */
static const char *read_line(struct allow_lists *lists, char *line, size_t *account)
{
    static const char heading[] = "account ";
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#')
        return NULL;
    if (strncmp(line, heading, sizeof heading - 1) == 0) {
        const char *name = line + sizeof heading - 1;
        const struct account *found = allow_lists_account(lists, (weir_string){name, strlen(name)});
        *account = found ? (size_t)(found - lists->accounts) : SIZE_MAX;
        return found ? NULL : "does not fit into memory";
    }
    struct key key;
    const char *wrong = parse_entry(line, &key);
    if (!wrong && *account == SIZE_MAX)
        wrong = "stands before the first account";
    if (!wrong && account_add(&lists->accounts[*account], &key) == LEARNED_FULL)
        wrong = "is one too many";
    return wrong;
}

struct allow_lists *allow_lists_read(const char *path, char problem[PROBLEM_BYTES])
{
    struct allow_lists *lists = calloc(1, sizeof *lists);
    FILE *file = fopen(path, "re");
    const char *wrong = lists && (file || errno == ENOENT) ? NULL : strerror(errno);
    char *line = NULL;
    size_t room = 0, account = SIZE_MAX;
    unsigned number = 0;
    if (wrong)
        snprintf(problem, PROBLEM_BYTES, "%s: %s", path, wrong);
    while (!wrong && file && getline(&line, &room, file) >= 0) {
        number++;
        wrong = read_line(lists, line, &account);
        if (wrong)
            snprintf(problem, PROBLEM_BYTES, "%s:%u: the line %s", path, number, wrong);
    }
    if (!wrong && file && ferror(file)) {
        wrong = strerror(errno);
        snprintf(problem, PROBLEM_BYTES, "%s: %s", path, wrong);
    }
    free(line);
    if (file)
        fclose(file);
    if (!wrong)
        return lists;
    allow_lists_free(lists);
    return NULL;
}

/* ---- Writing ---- */

static void print(const struct allow_lists *lists, FILE *file)
{
    fputs("# The allow-lists of sql_firewall, which learns them in the mode RECORDING.\n"
          "# Change them in another mode only; then FLUSH TIDB PLUGINS sql_firewall.\n",
          file);
    for (size_t i = 0; i < lists->count; i++) {
        const struct account *account = &lists->accounts[i];
        fprintf(file, "\naccount %s\n", account->name);
        for (size_t j = 0; j < account->count; j++) {
            const struct entry *entry = &account->entries[j];
            fprintf(file, "%s ", sort_names[entry->sort]);
            for (size_t k = 0; k < KEY_BYTES; k++)
                fprintf(file, "%02x", entry->bytes[k]);
            fprintf(file, " %s\n", entry->shown);
        }
    }
}

/* So that the new name survives a power cut. */
static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool fine = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return fine;
}

bool allow_lists_write(const struct allow_lists *lists, const char *path,
                       char problem[PROBLEM_BYTES])
{
    char partial[PATH_MAX];
    int length = snprintf(partial, sizeof partial, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof partial) {
        snprintf(problem, PROBLEM_BYTES, "the path of the allow-list is too long");
        return false;
    }
    int descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    bool fine = file != NULL;
    if (fine) {
        print(lists, file);
        fine = fflush(file) == 0 && !ferror(file) && fsync(descriptor) == 0;
        fine = fclose(file) == 0 && fine;
    } else if (descriptor >= 0) {
        close(descriptor);
    }
    fine = fine && rename(partial, path) == 0 && sync_folder(path);
    if (!fine) {
        snprintf(problem, PROBLEM_BYTES, "%s: %s", path, strerror(errno));
        unlink(partial);
    }
    return fine;
}
