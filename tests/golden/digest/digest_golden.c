/* SPDX-License-Identifier: Apache-2.0
 *
 * Compares the room sql with what TiDB's own code answered:
 *
 *     digest_golden FOLDER     the folder with digest_cases_dev.jsonl and the files beside it
 *
 * Answers 77 (skipped) when the folder is not there; each of the files must be in it. Every
 * difference is printed and counts, but for those about tables that are meant (is_meant()). */
#include "sql/keywords.h"
#include "sql/sql.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Tables: TiDB reports nothing of the text of a PREPARE (ours are marked in_text), and of a
 * procedure it walks only a part. */
static bool is_meant(const json_t *object)
{
    return strcmp(json_string_value(json_object_get(object, "node")), "ProcedureInfo") == 0;
}

static const struct sql_mode mode, tidb = {.dialect = SQL_DIALECT_TIDB};
static struct sql_digester digester;
static struct sql_tables tables;
static unsigned differences;

static void differ(const char *what, struct sql_span sql, const char *expected, struct sql_span got)
{
    differences++;
    printf("%s of: %.*s\n  expected: %s\n  got:      %.*s\n", what, (int)sql.size, sql.at, expected,
           (int)got.size, got.at);
}

static struct sql_span text_of(const json_t *string)
{
    return (struct sql_span){json_string_value(string), json_string_length(string)};
}

static bool same(struct sql_span a, struct sql_span b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

/* The bytes of "sql" or "sql_hex"; *owned is to be freed. */
static struct sql_span statement_of(const json_t *object, char **owned)
{
    const json_t *hex = json_object_get(object, "sql_hex");
    *owned = NULL;
    if (hex == NULL)
        return text_of(json_object_get(object, "sql"));
    struct sql_span digits = text_of(hex);
    *owned = malloc(digits.size / 2 + 1);
    for (size_t i = 0; i < digits.size / 2; i++) {
        char pair[3] = {digits.at[2 * i], digits.at[2 * i + 1], '\0'};
        (*owned)[i] = (char)strtoul(pair, NULL, 16);
    }
    return (struct sql_span){*owned, digits.size / 2};
}

static void check_digest(const json_t *object, struct sql_span sql)
{
    struct sql_span normalized;
    char hex[SQL_DIGEST_BYTES];
    const json_t *expected = json_object_get(object, "normalized");
    if (!sql_normalize(&digester, sql, &normalized) || !sql_digest(&digester, normalized, hex))
        abort();
    if (!same(normalized, text_of(expected)) ||
        strcmp(hex, json_string_value(json_object_get(object, "digest"))) != 0)
        differ("normalised text", sql, json_string_value(expected), normalized);
}

static bool has_table(struct sql_span database, struct sql_span name)
{
    for (size_t i = 0; i < tables.count; i++)
        if (!tables.items[i].in_text && same(tables.items[i].database, database) &&
            same(tables.items[i].name, name))
            return true;
    return false;
}

static bool is_expected(const json_t *list, const struct sql_table *item)
{
    size_t index;
    const json_t *one;
    json_array_foreach(list, index, one)
    {
        if (same(item->database, text_of(json_object_get(one, "db"))) &&
            same(item->name, text_of(json_object_get(one, "table"))))
            return true;
    }
    return false;
}

static void check_tables(const json_t *object, struct sql_span sql)
{
    const json_t *list = json_object_get(object, "tables");
    const char *label = json_string_value(json_object_get(object, "type"));
    const char *got = sql_label_name(sql_statement_kind(sql, &mode).label);
    size_t index;
    const json_t *one;
    if (strcmp(label, got) != 0)
        differ("label", sql, label, (struct sql_span){got, strlen(got)});
    if (!sql_tables_read(&tables, sql, &tidb, (struct sql_span){NULL, 0}))
        abort();
    json_array_foreach(list, index, one)
    {
        struct sql_span name = text_of(json_object_get(one, "table"));
        if (!has_table(text_of(json_object_get(one, "db")), name) && !is_meant(object))
            differ("a table", sql, name.at, (struct sql_span){"nothing", 7});
    }
    for (size_t i = 0; i < tables.count; i++)
        if (!tables.items[i].in_text && !is_expected(list, &tables.items[i]) && !is_meant(object))
            differ("a table", sql, "nothing", tables.items[i].name);
}

static void check_parts(const json_t *object, struct sql_span sql)
{
    struct sql_splitter splitter;
    struct sql_span part;
    size_t index;
    const json_t *one;
    sql_splitter_init(&splitter, sql, &mode);
    json_array_foreach(json_object_get(object, "stmts"), index, one)
    {
        struct sql_span expected = text_of(json_object_get(one, "text"));
        if (!sql_splitter_next(&splitter, &part) || !same(part, expected)) {
            differ("a statement", sql, expected.at, part);
            return;
        }
        check_digest(one, part);
        check_tables(one, part);
    }
    if (sql_splitter_next(&splitter, &part))
        differ("a statement", sql, "nothing", part);
}

/* The cut of a text that is one statement, whose digest the file has. */
static void check_single(const json_t *object, struct sql_span sql)
{
    struct sql_splitter splitter;
    struct sql_span part = {"", 0};
    sql_splitter_init(&splitter, sql, &mode);
    sql_splitter_next(&splitter, &part);
    check_digest(object, part);
    check_tables(object, sql);
}

/* Opens a file of the data. NULL: it is missing, which is a difference. */
static FILE *open_data(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("%s is missing\n", path);
        differences++;
    }
    return file;
}

/* Runs check over the lines of a file, of which there must be some. */
static void check_file(const char *folder, const char *name,
                       void (*check)(const json_t *, struct sql_span))
{
    char *line = NULL;
    size_t room = 0;
    unsigned lines = 0;
    FILE *file = open_data(folder, name);
    if (file == NULL)
        return;
    while (getline(&line, &room, file) > 0) {
        char *owned = NULL;
        json_t *object = json_loads(line, JSON_ALLOW_NUL, NULL);
        if (object == NULL) {
            printf("%s: a line is no JSON\n", name);
            differences++;
            continue;
        }
        check(object, statement_of(object, &owned));
        free(owned);
        json_decref(object);
        lines++;
    }
    printf("%s: %u lines\n", name, lines);
    differences += lines == 0;
    free(line);
    fclose(file);
}

/* The project's own list of words against TiDB's, both ways. */
static void check_words(const char *folder, const char *name, unsigned flag)
{
    char word[128];
    unsigned count = 0;
    FILE *file = open_data(folder, name);
    if (file == NULL)
        return;
    while (fscanf(file, "%127s", word) == 1) {
        for (char *at = word; *at != '\0'; at++)
            *at = (char)tolower((unsigned char)*at);
        struct sql_keyword keyword = sql_keyword_find(word, strlen(word));
        if (keyword.word == SQL_NO_WORD || (keyword.flags & flag) == 0) {
            printf("%s: %s is not in keywords.def\n", name, word);
            differences++;
        }
        count++;
    }
    fclose(file);
    unsigned ours = 0;
    static const char *const words[] = {
#define X(enumerator, name, flags) name,
#include "sql/keywords.def"
#undef X
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ours += (sql_keyword_find(words[i], strlen(words[i])).flags & flag) != 0;
    if (ours != count) {
        printf("%s: %u words, and %u in keywords.def\n", name, count, ours);
        differences++;
    }
}

static void check_labels(const char *folder)
{
    char word[128];
    unsigned count = 0;
    FILE *file = open_data(folder, "stmt_labels.txt");
    if (file == NULL)
        return;
    while (fscanf(file, "%127s", word) == 1) {
        bool found = false;
        for (int label = 0; label < SQL_LABEL_COUNT; label++)
            found = found || strcmp(sql_label_name((enum sql_label)label), word) == 0;
        if (!found) {
            printf("stmt_labels.txt: %s is not in labels.def\n", word);
            differences++;
        }
        count++;
    }
    fclose(file);
    differences += count != SQL_LABEL_COUNT;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "../shared/digest";
    struct stat status;
    if (stat(folder, &status) != 0) {
        printf("%s: the data is not there\n", folder);
        return 77;
    }
    sql_digester_init(&digester);
    sql_tables_init(&tables);
    check_file(folder, "digest_cases_dev.jsonl", check_digest);
    check_file(folder, "multi_cases_dev.jsonl", check_parts);
    check_file(folder, "tables_cases_dev.jsonl", check_single);
    check_words(folder, "keywords.txt", SQL_KEYWORD_ANYWHERE);
    check_words(folder, "keywords_func.txt", SQL_KEYWORD_BEFORE_PARENTHESIS);
    check_labels(folder);
    sql_tables_release(&tables);
    sql_digester_release(&digester);
    printf("%u differences\n", differences);
    return differences > 0;
}
