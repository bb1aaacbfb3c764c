/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-audit: reads what the plugin audit_log writes. Options and the choice of the command only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

static const char *const colors[] = {"auto", "always", "never", NULL};

#define ROW(name_, type_, member, letter_, argument_, help_, ...)                                  \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct audit_options, member),        \
        .letter = (letter_), .argument = (argument_), .help = (help_), __VA_ARGS__                 \
    }
#define HEADING(name_)                                                                             \
    {                                                                                              \
        .name = (name_), .type = OPTION_HEADING                                                    \
    }

static const struct option_row rows[] = {
    HEADING("Which records"),
    ROW("user", OPTION_TEXT, conditions.user, "u", "PATTERN", "user or account, with * and ?", ),
    ROW("address", OPTION_TEXT, conditions.address, "a", "NETWORK",
        "client address, or a network such as 10.0.0.0/8", ),
    ROW("since", OPTION_TEXT, conditions.since, NULL, "TIME",
        "not before: 2026-01-31, '2026-01-31 23:59', 2026-01-31T23:59:59Z, '23:59 +02:00', "
        "'yesterday 03:00', today, -2h; local time without a zone", ),
    ROW("until", OPTION_TEXT, conditions.until, NULL, "TIME",
        "not after; a day, an hour or a minute means its end", ),
    ROW("digest", OPTION_TEXT, conditions.digest, NULL, "HEX", "digest, or how it begins", ),
    ROW("table", OPTION_TEXT, conditions.table, "t", "PATTERN",
        "TABLE or SCHEMA.TABLE; the latter finds what was done to the whole schema, too", ),
    ROW("database", OPTION_TEXT, conditions.database, NULL, "PATTERN", "current database", ),
    ROW("kind", OPTION_TEXT, conditions.kind, "k", "PATTERN",
        "kind of statement: Select, Create* ...", ),
    ROW("event", OPTION_TEXT, conditions.event, "e", "PATTERN",
        "Connect, Reject, Completed, Error, Refused, Gap ..., or a class: connection, general, "
        "audit, table_access", ),
    ROW("text", OPTION_TEXT, conditions.text, NULL, "WORDS", "words in the statement", ),
    ROW("connection", OPTION_NUMBER, conditions.connection, "c", "ID",
        "connection id, the client's or the backend's", .fallback = "-1", .minimum = -1,
        .maximum = 0xffffffffL),
    ROW("slow", OPTION_TEXT, conditions.slow, NULL, "DURATION",
        "statements that took as long at least: 250ms, 2s", ),
    ROW("errors", OPTION_FLAG, conditions.errors, NULL, NULL, "only what failed", ),
    HEADING("Output"),
    ROW("json", OPTION_FLAG, json, "j", NULL,
        "show, follow: lines as they are written; count: one JSON object", ),
    ROW("wide", OPTION_FLAG, wide, "w", NULL,
        "show, follow: with connection ids (the client's/the backend's), program and OS user", ),
    ROW("format", OPTION_TEXT, format, "f", "FORMAT",
        "convert: " FORMAT_NAMES
        "; show, follow: names of fields, with commas between, for columns", ),
    ROW("top", OPTION_NUMBER, top, "n", "N", "count: how many rows of each list", .fallback = "10",
        .minimum = 1, .maximum = 1000000),
    ROW("paths", OPTION_FLAG, paths, NULL, NULL, "files: nothing but the paths, oldest first", ),
    ROW("threads", OPTION_NUMBER, threads, NULL, "N",
        "how many read a file; 0: as many as processors", .fallback = "0", .minimum = 0,
        .maximum = 16),
    ROW("color", OPTION_CHOICE, color, NULL, "WHEN", "auto: on a terminal", .fallback = "auto",
        .choices = colors),
    ROW("expect", OPTION_TEXT, expect, NULL, "LINK",
        "verify: number or link of a record that must be there", ),
    HEADING("Other"),
    ROW("help", OPTION_FLAG, help, "h", NULL, "print this", ),
    ROW("version", OPTION_FLAG, version, "V", NULL, "print the version", ),
    ROW("manual", OPTION_FLAG, manual, NULL, NULL, "print the man page", ),
};

static const struct option_table table = {
    .program = "weir-audit",
    .synopsis = "reads and checks the logs of the plugin audit_log",
    .operands = "COMMAND FILE...",
    .description = "FILE is a log in any format that audit_log writes, plain or gzipped, or - for "
                   "standard input;\n"
                   "several are read as one, so give rotated ones first: weir-audit verify "
                   "audit.log.2* audit.log.\nCommands:",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
};

typedef int command_function(const struct audit_options *options, const char *const *paths,
                             size_t count);

static const struct {
    const char *name, *help;
    command_function *run;
} commands[] = {
#define X(name, help) {#name, help, command_##name},
    AUDIT_COMMANDS(X)
#undef X
};

static void print_help(void)
{
    options_print_help(&table, stdout);
    printf("\n%s\n\n", table.description);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("  %-8s  %s\n", commands[i].name, commands[i].help);
}

static int run(const struct audit_options *options, int argc, char **argv, int operand)
{
    const char *name = operand < argc ? argv[operand] : NULL;
    if (!name || operand + 1 >= argc) {
        command_fail("needs a command and a file; weir-audit --help tells more");
        return COMMAND_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(options, (const char *const *)argv + operand + 1,
                                   (size_t)(argc - operand - 1));
    }
    command_fail("%s: no such command; there are verify, show, follow, count, convert and files",
                 name);
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    struct audit_options options = {0};
    struct error error = {""};
    int status = EXIT_SUCCESS, operand = options_defaults(&table, &options, &error);
    if (operand == 0)
        operand = options_around_command(&table, &options, argc, argv, &error);
    if (operand < 0) {
        command_fail("%s", error.message);
        status = COMMAND_USAGE;
    } else if (options.help) {
        print_help();
    } else if (options.version) {
        puts("weir-audit " WEIR_VERSION);
    } else if (options.manual) {
        options_print_manual(&table, stdout);
    } else if (choose_prepare(&options.conditions, clock_wall_ns(), &error) < 0) {
        command_fail("%s", error.message);
        status = COMMAND_USAGE;
    } else {
        status = run(&options, argc, argv, operand);
    }
    if (fflush(stdout) != 0)
        status = EXIT_FAILURE;
    options_release(&table, &options);
    return status;
}
