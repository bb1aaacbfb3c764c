/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-digest: what weir's plugins learn of statements, as JSON. */
#include "base/base.h"
#include "script.h"
#include "sql/sql.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USAGE_STATUS 2

struct digest_options {
    char *file, *database, *sql_mode, *charset, *server;
    bool multi, help, version, manual;
};

#define ROW(name_, type_, member, letter_, argument_, help_, ...)                                  \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct digest_options, member),       \
        .letter = (letter_), .argument = (argument_), .help = (help_), __VA_ARGS__                 \
    }

static const struct option_row rows[] = {
    ROW("file", OPTION_TEXT, file, "f", "FILE",
        "a script as the mariadb shell reads it, with DELIMITER; - is standard input", ),
    ROW("multi", OPTION_FLAG, multi, "m", NULL,
        "a text may hold several statements: one line for each", ),
    ROW("database", OPTION_TEXT, database, "d", "NAME",
        "the current database, for tables named without one", ),
    ROW("sql-mode", OPTION_TEXT, sql_mode, "M", "MODE",
        "the session's sql_mode, for example ANSI_QUOTES,NO_BACKSLASH_ESCAPES", ),
    ROW("charset", OPTION_TEXT, charset, "c", "NAME", "the connection's character set",
        .fallback = "utf8mb4"),
    ROW("server", OPTION_TEXT, server, "V", "VERSION",
        "the server's version as its greeting has it, for example 10.11.6-MariaDB: decides which "
        "executable comments run", ),
    ROW("help", OPTION_FLAG, help, "h", NULL, "print this", ),
    ROW("version", OPTION_FLAG, version, NULL, NULL, "print the version", ),
    ROW("manual", OPTION_FLAG, manual, NULL, NULL, "print the man page", ),
};

static const struct option_table table = {
    .program = "weir-digest",
    .synopsis = "writes what weir's plugins learn of statements, one JSON object a line",
    .description = "Reads statements on standard input, a JSON value a line: a string, "
                   "{\"sql\": \"...\"} or\n{\"sql_hex\": \"...\"}; or a script (-file).",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
};

struct facts {
    struct sql_digester digester;
    struct sql_tables tables;
    struct sql_mode mode;
    struct sql_span database;
    bool multi;
};

/* The bytes as a JSON string, or, where they are not UTF-8, each byte above 7F as U+FFFD. */
static json_t *json_bytes(struct sql_span bytes)
{
    const char *at = bytes.at != NULL ? bytes.at : "";
    json_t *string = json_stringn(at, bytes.size);
    if (string != NULL)
        return string;
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)at[i];
        strbuf_add(&text, byte < 0x80 ? (const char *)&byte : "\xef\xbf\xbd", byte < 0x80 ? 1 : 3);
    }
    string = json_stringn(text.data, text.size);
    strbuf_release(&text);
    return string;
}

static json_t *json_hex(struct sql_span bytes)
{
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < bytes.size; i++)
        strbuf_printf(&text, "%02x", (unsigned char)bytes.at[i]);
    json_t *string = json_stringn(text.data, text.size);
    strbuf_release(&text);
    return string;
}

/* For a session whose database is known, the one that its server looks in; else what the text has.
 */
static json_t *json_tables(const struct sql_tables *tables, bool in_session)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tables->count; i++) {
        const struct sql_table *item = &tables->items[i];
        json_t *object = json_object();
        json_object_set_new(object, "db",
                            json_bytes(in_session ? sql_table_schema(item) : item->database));
        json_object_set_new(object, "table", json_bytes(item->name));
        json_object_set_new(object, "access", json_string(sql_access_name(item->access)));
        if (item->named_apart.size > 0 && !in_session)
            json_object_set_new(object, "default_db", json_bytes(item->named_apart));
        if (item->in_text)
            json_object_set_new(object, "in_text", json_true());
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *json_routines(const struct sql_tables *tables)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tables->routine_count; i++) {
        const struct sql_routine *item = &tables->routines[i];
        json_t *object = json_object();
        json_object_set_new(object, "db", json_bytes(item->database));
        json_object_set_new(object, "routine", json_bytes(item->name));
        json_object_set_new(object, "how", json_string(item->is_call ? "call" : "function"));
        json_array_append_new(list, object);
    }
    return list;
}

/* False: no memory, or standard output is gone. */
static bool print_statement(struct facts *facts, struct sql_span statement)
{
    struct sql_span normalized;
    char digest[SQL_DIGEST_BYTES];
    if (!sql_normalize(&facts->digester, statement, &normalized) ||
        !sql_digest(&facts->digester, normalized, digest) ||
        !sql_tables_read(&facts->tables, statement, &facts->mode, facts->database)) {
        fprintf(stderr, "weir-digest: out of memory\n");
        return false;
    }
    struct sql_kinds kinds = sql_statement_kind(statement, &facts->mode);
    json_t *object = json_object();
    json_t *sql = json_stringn(statement.at != NULL ? statement.at : "", statement.size);
    if (sql != NULL)
        json_object_set_new(object, "sql", sql);
    else
        json_object_set_new(object, "sql_hex", json_hex(statement));
    json_object_set_new(object, "normalized", json_bytes(normalized));
    json_object_set_new(object, "digest", json_string(digest));
    json_object_set_new(object, "kind", json_string(sql_label_name(kinds.label)));
    json_object_set_new(object, "weir_kind", json_string(sql_kind_name(kinds.kind)));
    if (kinds.inner != kinds.kind)
        json_object_set_new(object, "inner_kind", json_string(sql_kind_name(kinds.inner)));
    json_object_set_new(object, "tables", json_tables(&facts->tables, facts->database.size > 0));
    json_object_set_new(object, "tables_known",
                        json_boolean(facts->tables.known && facts->tables.routine_count == 0));
    json_object_set_new(object, "names_known", json_boolean(facts->tables.known));
    if (facts->tables.routine_count > 0)
        json_object_set_new(object, "routines", json_routines(&facts->tables));
    bool written =
        json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0 && putchar('\n') != EOF;
    json_decref(object);
    return written;
}

static bool print_text(struct facts *facts, struct sql_span text)
{
    if (!facts->multi)
        return print_statement(facts, text);
    struct sql_splitter splitter;
    struct sql_span statement;
    bool good = true;
    sql_splitter_init(&splitter, text, &facts->mode);
    while (good && sql_splitter_next(&splitter, &statement))
        good = print_statement(facts, statement);
    return good;
}

/* The statement of an input line, added to out. False: the line is none of the forms. */
static bool read_statement(const char *line, size_t size, struct strbuf *out, json_error_t *error)
{
    json_t *value = json_loadb(line, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
    const json_t *sql = json_is_object(value) ? json_object_get(value, "sql") : value;
    const json_t *hex = json_object_get(value, "sql_hex");
    bool good = true;
    if (json_is_string(sql)) {
        strbuf_add(out, json_string_value(sql), json_string_length(sql));
    } else if (json_is_string(hex)) {
        size_t count = json_string_length(hex);
        uint8_t *bytes = (uint8_t *)strbuf_room(out, count / 2);
        good = bytes && hex_decode(json_string_value(hex), count, bytes);
        if (good)
            strbuf_end(out, (char *)bytes + count / 2);
    } else {
        good = false;
    }
    json_decref(value);
    return good;
}

static int run_lines(struct facts *facts)
{
    char *line = NULL;
    size_t capacity = 0;
    size_t number = 0;
    int status = 0;
    struct strbuf text = STRBUF_INIT;
    ssize_t size;
    while (status == 0 && (size = getline(&line, &capacity, stdin)) >= 0) {
        number++;
        if (strspn(line, " \t\r\n") == (size_t)size)
            continue;
        json_error_t error = {.text = ""};
        strbuf_reset(&text);
        if (!read_statement(line, (size_t)size, &text, &error)) {
            fprintf(stderr,
                    "weir-digest: line %zu is no JSON string, {\"sql\": ...} or {\"sql_hex\": "
                    "...}%s%s\n",
                    number, error.text[0] != '\0' ? ": " : "", error.text);
            status = 1;
        } else if (text.failed || !print_text(facts, (struct sql_span){text.data, text.size})) {
            status = 1;
        }
    }
    strbuf_release(&text);
    free(line);
    return status;
}

static bool read_file(const char *path, struct strbuf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char chunk[16384];
    size_t size;
    if (file == NULL) {
        fprintf(stderr, "weir-digest: %s: %s\n", path, strerror(errno));
        return false;
    }
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        strbuf_add(out, chunk, size);
    bool good = ferror(file) == 0 && !out->failed;
    if (!good)
        fprintf(stderr, "weir-digest: %s: cannot be read\n", path);
    if (file != stdin)
        fclose(file);
    return good;
}

static int run_script(struct facts *facts, const char *path)
{
    struct strbuf text = STRBUF_INIT;
    bool good = read_file(path, &text);
    if (good) {
        struct script script;
        struct sql_span statement;
        script_init(&script, (struct sql_span){text.data, text.size}, &facts->mode);
        while (good && script_next(&script, &statement))
            good = print_text(facts, statement);
    }
    strbuf_release(&text);
    return good ? 0 : 1;
}

static struct sql_span span_of(const char *text)
{
    return (struct sql_span){text, text != NULL ? strlen(text) : 0};
}

static int run(const struct digest_options *options)
{
    struct facts facts = {.multi = options->multi, .database = span_of(options->database)};
    sql_mode_set_flags(&facts.mode, span_of(options->sql_mode));
    facts.mode.charset = sql_charset_from_name(span_of(options->charset));
    sql_mode_set_server(&facts.mode, span_of(options->server));
    sql_digester_init(&facts.digester);
    sql_tables_init(&facts.tables);
    int status = options->file != NULL ? run_script(&facts, options->file) : run_lines(&facts);
    sql_tables_release(&facts.tables);
    sql_digester_release(&facts.digester);
    return fflush(stdout) == 0 ? status : 1;
}

int main(int argc, char **argv)
{
    struct digest_options options = {0};
    struct error error = {""};
    int status = USAGE_STATUS;
    if (options_defaults(&table, &options, &error) < 0 ||
        options_arguments(&table, &options, argc, argv, &error) < 0) {
        fprintf(stderr, "weir-digest: %s\n", error.message);
    } else if (options.help || options.manual || options.version) {
        if (options.help) {
            options_print_help(&table, stdout);
            printf("\n%s\n", table.description);
        } else if (options.manual) {
            options_print_manual(&table, stdout);
        } else {
            printf("weir-digest %s\n", WEIR_VERSION);
        }
        status = 0;
    } else {
        status = run(&options);
    }
    options_release(&table, &options);
    return status;
}
