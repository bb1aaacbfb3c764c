/* SPDX-License-Identifier: Apache-2.0
 *
 * A temporary folder, statements and keys for the tests of sql_firewall, and a host that counts
 * log lines and released replies. */
#include "firewall_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int test_folder_make(void **state)
{
    char template[] = "/tmp/test_firewall.XXXXXX";
    *state = mkdtemp(template) ? strdup(template) : NULL;
    return *state ? 0 : -1;
}

int test_folder_remove(void **state)
{
    DIR *files = opendir(*state);
    for (struct dirent *entry; files && (entry = readdir(files)) != NULL;)
        unlinkat(dirfd(files), entry->d_name, 0);
    if (files)
        closedir(files);
    int status = rmdir(*state);
    free(*state);
    return status;
}

const char *test_path(void **state, const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", (const char *)*state, name);
    return path;
}

void test_write(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

char *test_read(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct stat status;
    assert_int_equal(fstat(fileno(file), &status), 0);
    char *text = calloc(1, (size_t)status.st_size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)status.st_size, file), status.st_size);
    fclose(file);
    return text;
}

void test_statement(struct text_session *session, struct statement *statement, const char *text,
                    size_t size)
{
    static const struct sql_span version = {"10.11.6-MariaDB", 15};
    text_session_open(session);
    session->account = (struct sql_span){"app@%", 5};
    session->database = (struct sql_span){"shop", 4};
    sql_mode_set_server(&session->mode, version);
    assert_true(text_session_read(session, (struct sql_span){text, size}, 1));
    statement_begin(statement, &session->session);
}

struct key test_key(unsigned number)
{
    struct key key = {.sort = KEY_DIGEST, .shown = {"select ?", 8}};
    uint64_t hash = (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(key.bytes, &hash, sizeof hash);
    memcpy(key.bytes + 8, &number, sizeof number);
    return key;
}

struct rules *test_read_rules(void **state, const char *text)
{
    struct error error = {""};
    const char *path = test_path(state, "rules.toml");
    fake_host.known_name = text_session_known_name;
    test_write(path, text, strlen(text));
    struct rules *rules = rules_read(path, &error);
    assert_string_equal(error.message, "");
    assert_non_null(rules);
    return rules;
}
