/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-firewall: what the rules of sql_firewall say to statements, without a server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/account.h>

#include "base/base.h"
#include "rules.h"
#include "statement.h"
#include "text_session.h"

struct firewall_options {
    char *account, *database, *sql_mode, *charset, *server, *unknown;
    bool lines, help, version, manual;
};

#define ROW(name_, type_, member, letter_, argument_, help_, ...)                                  \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct firewall_options, member),     \
        .letter = (letter_), .argument = (argument_), .help = (help_), __VA_ARGS__                 \
    }

static const struct option_row rows[] = {
    ROW("account", OPTION_TEXT, account, "u", "NAME", "whose statements they are: app@10.%", ),
    ROW("database", OPTION_TEXT, database, "d", "NAME",
        "the current database, for tables named without one", ),
    ROW("lines", OPTION_FLAG, lines, "l", NULL,
        "each line of the input is one text, which may hold several statements", ),
    ROW("sql-mode", OPTION_TEXT, sql_mode, "M", "MODE", "the session's sql_mode", ),
    ROW("charset", OPTION_TEXT, charset, "c", "NAME", "the connection's character set",
        .fallback = "utf8mb4"),
    ROW("server", OPTION_TEXT, server, "V", "VERSION",
        "the server's version: decides which executable comments run",
        .fallback = "10.11.6-MariaDB"),
    ROW("unknown", OPTION_TEXT, unknown, "x", "WHAT",
        "what is not known of the session: account, database, reading (sql_mode and character "
        "set), or several of them with commas", ),
    ROW("help", OPTION_FLAG, help, "h", NULL, "print this", ),
    ROW("version", OPTION_FLAG, version, NULL, NULL, "print the version", ),
    ROW("manual", OPTION_FLAG, manual, NULL, NULL, "print the man page", ),
};

static const struct option_table table = {
    .program = "weir-firewall",
    .synopsis = "tells what the rules of the plugin sql_firewall say to statements",
    .operands = "test RULES.toml < statements",
    .description = "Reads statements, each ended by a semicolon, and writes a line for each: pass "
                   "or deny, the "
                   "rule\nthat denies it (with a ? when the rule cannot tell what it does), and "
                   "the statement. "
                   "The exit\nstatus is 0 when all pass, 1 when one is denied, 2 for an error.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
};

enum { PASSED, DENIED, FAILED };

struct test {
    struct rules *rules;
    struct text_session session;
    bool by_line;
    bool denied; /* any statement */
};

static struct sql_span span_of(const char *text)
{
    return (struct sql_span){text ? text : "", text ? strlen(text) : 0};
}

/* The rule that only logs and would have denied the statement last. */
static const struct rule *noticed;

/* One that would limit its reply. */
static const struct rule *limiting;

static void note_limit(struct statement *statement, const struct rule *rule)
{
    (void)statement;
    limiting = rule;
}

static void note(struct statement *statement, const struct rule *rule)
{
    (void)statement;
    noticed = rule;
}

/* The statement on one line. */
static void print_statement(struct sql_span statement)
{
    while (statement.size && strchr(" \t\r\n", statement.at[0])) {
        statement.at++;
        statement.size--;
    }
    for (size_t i = 0; i < statement.size; i++)
        putchar((unsigned char)statement.at[i] < ' ' ? ' ' : statement.at[i]);
    putchar('\n');
}

static bool judge(struct test *test, struct sql_span statement, size_t count)
{
    const char *blind = NULL;
    noticed = limiting = NULL;
    if (!text_session_read(&test->session, statement, count)) {
        fprintf(stderr, "weir-firewall: out of memory\n");
        return false;
    }
    struct statement asked;
    statement_begin(&asked, &test->session.session);
    asked.limited = note_limit;
    const struct rule *rule = rules_deny(test->rules, &asked, &blind, note);
    const struct rule *shown = rule ? rule : noticed ? noticed : limiting;
    test->denied = test->denied || rule;
    printf("%s\t%s%s%s\t", rule ? "deny" : "pass", shown ? shown->name : "-", blind ? " ?" : "",
           !shown || rule     ? ""
           : shown == noticed ? " (logs)"
                              : " (limits)");
    print_statement(statement);
    return true;
}

/* A text as a client would send it in one command. Each statement is read in the mode that those
 * before it have set, as in a server. */
static bool judge_text(struct test *test, struct sql_span text)
{
    struct sql_splitter splitter;
    struct sql_span statement;
    struct sql_mode mode = test->session.mode;
    size_t count = 0;
    bool ok = true;
    sql_splitter_init(&splitter, text, &mode);
    while (sql_splitter_next(&splitter, &statement))
        count++;
    sql_splitter_init(&splitter, text, &mode);
    while (ok && sql_splitter_next(&splitter, &statement)) {
        test->session.mode = splitter.mode;
        ok = judge(test, statement, test->by_line ? count : 1);
        sql_mode_follow(&splitter.mode, statement);
    }
    if (test->by_line)
        test->session.mode = mode; /* lines are nothing to each other */
    return ok;
}

static bool read_all(struct strbuf *text)
{
    char block[65536];
    size_t size;
    while ((size = fread(block, 1, sizeof block, stdin)) > 0)
        strbuf_add(text, block, size);
    return !ferror(stdin) && !text->failed;
}

static bool judge_input(struct test *test)
{
    struct strbuf input = STRBUF_INIT;
    bool ok = read_all(&input);
    if (!ok)
        fprintf(stderr, "weir-firewall: standard input: %s\n", strerror(errno));
    else if (!test->by_line)
        ok = judge_text(test, (struct sql_span){input.data, input.size});
    for (size_t at = 0; ok && test->by_line && at < input.size;) {
        const char *line = input.data + at, *end = memchr(line, '\n', input.size - at);
        size_t size = end ? (size_t)(end - line) : input.size - at;
        ok = judge_text(test, (struct sql_span){line, size});
        at += size + 1;
    }
    strbuf_release(&input);
    return ok;
}

static void print_warnings(const struct rules *rules)
{
    for (size_t i = 0; i < rules->warnings.count; i++)
        fprintf(stderr, "weir-firewall: warning: %s\n", rules->warnings.items[i]);
}

/* Forgets what the option says. False, and a message: it says something else. */
static bool make_unknown(struct text_session *session, const char *list)
{
    const struct sql_span nothing = {NULL, 0};
    for (const char *at = list; at && *at;) {
        size_t size = strcspn(at, ",");
        if (size == 7 && strncmp(at, "account", size) == 0)
            session->account = nothing;
        else if (size == 8 && strncmp(at, "database", size) == 0)
            session->database = nothing;
        else if (size == 7 && strncmp(at, "reading", size) == 0)
            session->mode.unsure = true;
        else
            return false;
        at += size + (at[size] == ',');
    }
    return true;
}

static int test_rules(const struct firewall_options *options, const char *path)
{
    struct test test = {.by_line = options->lines};
    struct error error;
    struct account_name account;
    const char *wrong =
        options->account ? account_parse_named(text_of(options->account), &account) : NULL;
    fake_host.known_name = text_session_known_name;
    text_session_open(&test.session);
    test.session.account = span_of(options->account && !wrong ? account.text : NULL);
    test.session.database = span_of(options->database);
    sql_mode_set_flags(&test.session.mode, span_of(options->sql_mode));
    test.session.mode.charset = sql_charset_from_name(span_of(options->charset));
    sql_mode_set_server(&test.session.mode, span_of(options->server));
    if (wrong)
        error_set(&error, "-account \"%s\" is no account: it %s", options->account, wrong);
    else if (make_unknown(&test.session, options->unknown))
        test.rules = rules_read(path, &error);
    else
        error_set(&error, "-unknown is account, database, reading, or several of them");
    if (!test.rules) {
        fprintf(stderr, "weir-firewall: %s\n", error.message);
        text_session_close(&test.session);
        return FAILED;
    }
    print_warnings(test.rules);
    bool ok = judge_input(&test) && fflush(stdout) == 0;
    text_session_close(&test.session);
    rules_free(test.rules);
    if (!ok)
        return FAILED;
    return test.denied ? DENIED : PASSED;
}

static void print_help(FILE *out)
{
    options_print_help(&table, out);
    fprintf(out, "\n%s\n", table.description);
}

int main(int count, char **words)
{
    struct firewall_options options = {0};
    struct error error = {""};
    int first = options_defaults(&table, &options, &error) < 0
                    ? -1
                    : options_around_command(&table, &options, count, words, &error);
    int status = FAILED;
    if (first < 0) {
        fprintf(stderr, "weir-firewall: %s\n", error.message);
    } else if (options.help || options.manual || options.version) {
        if (options.help)
            print_help(stdout);
        else if (options.manual)
            options_print_manual(&table, stdout);
        else
            printf("weir-firewall %s\n", WEIR_VERSION);
        status = PASSED;
    } else if (count - first == 2 && strcmp(words[first], "test") == 0) {
        status = test_rules(&options, words[first + 1]);
    } else {
        print_help(stderr);
    }
    options_release(&table, &options);
    return status;
}
