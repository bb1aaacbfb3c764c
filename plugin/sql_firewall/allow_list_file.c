/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of the allow-lists. What is learned is appended; otherwise the file is
 * replaced as a whole, so that a reader finds the old one or the new one, and after a power
 * cut one of the two is there. A process that is killed while it appends can leave one line
 * that is cut off: its client has not seen its reply yet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/account.h>
#include <weir/files.h>
#include <weir/strbuf.h>
#include <weir/text.h>

#include "allow_list_private.h"

static const char beginning[] =
    "# The allow-lists of sql_firewall, which learns them in the mode RECORDING.\n"
    "# After a change: FLUSH TIDB PLUGINS sql_firewall.\n";

static const char *const sort_names[KEY_SORT_COUNT] = {
#define X(enumerator, word) word,
    KEY_SORTS(X)
#undef X
};

/* ---- Reading ---- */

const char *key_read(const char *line, struct key *key)
{
    const char *hex = strchr(line, ' ');
    size_t word = hex ? (size_t)(hex - line) : strlen(line);
    unsigned sort = 0;
    while (sort < KEY_SORT_COUNT &&
           (strlen(sort_names[sort]) != word || memcmp(sort_names[sort], line, word) != 0))
        sort++;
    if (sort == KEY_SORT_COUNT)
        return "begins with none of account, mode, database, digest, text, command";
    key->sort = (enum key_sort)sort;
    size_t size = hex ? strlen(++hex) : 0;
    if (size < 2 * (size_t)KEY_BYTES || !key_from_hex(hex, key->bytes) ||
        (size > 2 * (size_t)KEY_BYTES && hex[2 * KEY_BYTES] != ' '))
        return "has no 64 lower-case hex digits";
    bool has_more = size > 2 * (size_t)KEY_BYTES;
    key->shown.data = hex + 2 * (size_t)KEY_BYTES + has_more;
    key->shown.size = strlen(key->shown.data);
    return NULL;
}

int mode_read(const char *name)
{
    for (int mode = 0; mode < FIREWALL_MODE_COUNT; mode++)
        if (strcmp(firewall_mode_names[mode], name) == 0)
            return mode;
    return NO_MODE;
}

bool line_is(const char *line, const char *word, weir_string *rest)
{
    size_t size = strlen(word);
    if (strncmp(line, word, size) != 0 || (line[size] != ' ' && line[size] != '\0'))
        return false;
    const char *at = line + size + (line[size] == ' ');
    *rest = (weir_string){at, strlen(at)};
    return true;
}

static const char *read_database(struct allow_heading *heading, weir_string name)
{
    if (!heading->account)
        return "stands before the first account";
    if (name.size >= sizeof heading->room)
        return "names no database";
    memcpy(heading->room, name.data, name.size);
    heading->database = (weir_string){heading->room, name.size};
    return NULL;
}

/* Who edits the file may write the account as for the server. */
static const char *read_account(struct allow_lists *lists, struct allow_heading *heading,
                                weir_string text)
{
    struct account_name name;
    const char *wrong = account_parse(text, &name);
    if (wrong)
        return wrong;
    heading->account = allow_lists_make(lists, account_text(&name));
    heading->database = (weir_string){NULL, 0};
    return heading->account ? NULL : "does not fit into memory";
}

const char *allow_lists_read_line(struct allow_lists *lists, char *line,
                                  struct allow_heading *heading)
{
    weir_string name;
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#')
        return NULL;
    if (line_is(line, "account", &name))
        return read_account(lists, heading, name);
    if (line_is(line, "database", &name))
        return read_database(heading, name);
    if (strncmp(line, "mode ", 5) == 0) {
        int mode = mode_read(line + 5);
        if (mode == NO_MODE)
            return "has a mode that is none of OFF, RECORDING, DETECTING, PROTECTING";
        if (heading->account)
            account_set_mode(heading->account, mode);
        return heading->account ? NULL : "stands before the first account";
    }
    struct key key;
    const char *wrong = key_read(line, &key);
    key.database = heading->database;
    if (!wrong && !heading->account)
        wrong = "stands before the first account";
    if (!wrong && key.sort == KEY_COMMAND)
        key.database = (weir_string){NULL, 0};
    if (!wrong && account_learn(lists, heading->account, &key) == LEARNED_FULL)
        wrong = "is one too many";
    return wrong;
}

/* A last line without its end was cut off where it is wrong, and where it could have become another
 * account or database. A first line is not: that is another file. */
static bool read_lines(struct allow_lists *lists, FILE *file, const char *path, bool *is_torn,
                       struct error *error)
{
    struct allow_heading heading = {0};
    weir_string name;
    const char *wrong = NULL;
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    ssize_t size;
    while (!wrong && (size = getline(&line, &room, file)) > 0) {
        number++;
        bool is_whole = line[size - 1] == '\n' || number == 1;
        bool has_nul = strlen(line) != (size_t)size;
        if (!is_whole && (line_is(line, "account", &name) || line_is(line, "database", &name)))
            *is_torn = true;
        else if (has_nul)
            wrong = "has a NUL byte in it";
        else
            wrong = allow_lists_read_line(lists, line, &heading);
        *is_torn = *is_torn || (wrong && !is_whole);
        if (*is_torn)
            wrong = NULL;
        if (wrong)
            error_set(error, "%s:%u: the line %s", path, number, wrong);
    }
    if (!wrong && ferror(file)) {
        wrong = strerror(errno);
        error_set(error, "%s: %s", path, wrong);
    }
    free(line);
    return !wrong;
}

struct allow_lists *allow_lists_read(const char *path, bool *is_torn, struct error *error)
{
    *is_torn = false;
    FILE *file = fopen(path, "re");
    if (!file && errno != ENOENT) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct allow_lists *lists = allow_lists_new();
    bool ok = lists != NULL;
    if (!ok)
        error_set(error, "%s: does not fit into memory", path);
    else if (file)
        ok = read_lines(lists, file, path, is_torn, error);
    if (file)
        fclose(file);
    if (ok)
        return lists;
    allow_lists_free(lists);
    return NULL;
}

/* ---- Writing the whole ---- */

void heading_print(weir_string account, weir_string database, struct strbuf *out)
{
    char room[ACCOUNT_QUOTED_BYTES];
    account = account_print(account, room);
    strbuf_printf(out, "account %.*s\n", WEIR_STRING_ARGS(account));
    if (database.data)
        strbuf_printf(out, "database%s%.*s\n", database.size ? " " : "",
                      WEIR_STRING_ARGS(database));
}

size_t key_print(const struct key *key, char line[KEY_LINE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t size = strlen(sort_names[key->sort]);
    memcpy(line, sort_names[key->sort], size);
    line[size++] = ' ';
    for (size_t i = 0; i < KEY_BYTES; i++) {
        line[size++] = digits[key->bytes[i] >> 4];
        line[size++] = digits[key->bytes[i] & 15];
    }
    line[size++] = ' ';
    size += shown_copy(key->shown, line + size);
    line[size++] = '\n';
    return size;
}

static bool is_left_out(const struct left_out *left_out, const struct account *account,
                        const struct entry *entry)
{
    if (!left_out ||
        !account_is(left_out->account, (weir_string){account->name, account->name_size}))
        return false;
    return !left_out->key || (entry && entry_is(entry, left_out->key));
}

static void print_account(const struct account *account, const struct left_out *left_out,
                          struct strbuf *out)
{
    char line[KEY_LINE_BYTES];
    const weir_string name = {account->name, account->name_size};
    weir_string database = {NULL, 0};
    int mode = account_mode(account);
    strbuf_add_byte(out, '\n');
    heading_print(name, database, out);
    if (mode != NO_MODE)
        strbuf_printf(out, "mode %s\n", firewall_mode_names[mode]);
    for (const struct entry *entry = atomic_load(&account->first); entry;
         entry = atomic_load(&entry->next)) {
        struct key key = {.sort = entry->sort, .shown = {entry->text, entry->shown_size}};
        if (is_left_out(left_out, account, entry))
            continue;
        bool is_same =
            !database.data == !entry->database.data && text_equals(database, entry->database);
        if (!is_same)
            heading_print(name, entry->database, out);
        database = entry->database;
        memcpy(key.bytes, entry->bytes, KEY_BYTES);
        strbuf_add(out, line, key_print(&key, line));
    }
}

static void print(const struct allow_lists *lists, const struct left_out *left_out,
                  struct strbuf *out)
{
    strbuf_add_text(out, beginning);
    for (const struct account *account = atomic_load(&lists->first); account;
         account = atomic_load(&account->next))
        if (!is_left_out(left_out, account, NULL))
            print_account(account, left_out, out);
}

bool allow_lists_write(const struct allow_lists *lists, const char *path,
                       const struct left_out *left_out, struct error *error)
{
    struct strbuf text = STRBUF_INIT;
    print(lists, left_out, &text);
    errno = ENOMEM;
    bool ok = !text.failed && files_replace(path, text.data, text.size) == 0;
    if (!ok)
        error_set(error, "%s: %s", path, strerror(errno));
    strbuf_release(&text);
    return ok;
}

/* ---- Appending ---- */

/* An editor may have left the last line without its newline. */
static bool end_last_line(int descriptor, off_t size)
{
    char last = '\n';
    return size == 0 || (pread(descriptor, &last, 1, size - 1) == 1 &&
                         (last == '\n' || disk_write(descriptor, "\n", 1) == 0));
}

bool allow_lists_append(const char *path, const char *lines, size_t size, struct error *error)
{
    struct stat status = {0};
    int descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    bool ok = descriptor >= 0 && fstat(descriptor, &status) == 0;
    bool is_new = ok && status.st_size == 0;
    bool begun = ok;
    ok = ok && (!is_new || disk_write(descriptor, beginning, sizeof beginning - 1) == 0) &&
         end_last_line(descriptor, status.st_size) && disk_write(descriptor, lines, size) == 0 &&
         fdatasync(descriptor) == 0 && (!is_new || files_sync_folder(path) == 0);
    if (!ok) {
        error_set(error, "%s: %s", path, strerror(errno));
        if (begun && ftruncate(descriptor, status.st_size) < 0)
            error_set(error, "%s: it may end with half a line: %s", path, strerror(errno));
    }
    if (descriptor >= 0)
        close(descriptor);
    return ok;
}
