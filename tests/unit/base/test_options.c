/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: how they may be spelled, which origin wins, and what is said about a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

struct values {
    char *host;
    long port;
    bool help;
    int level;
};

static const char *const levels[] = {"quiet", "loud", NULL};
static const struct option_row rows[] = {
    {.name = "Where", .type = OPTION_HEADING},
    {.name = "host",
     .type = OPTION_TEXT,
     .offset = offsetof(struct values, host),
     .argument = "HOST",
     .fallback = "here",
     .effect = OPTION_AT_ONCE,
     .environment = "WEIR_TEST_HOST",
     .help = "the host"},
    {.name = "port",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct values, port),
     .letter = "P",
     .argument = "PORT",
     .fallback = "4000",
     .minimum = 0,
     .maximum = 65535,
     .help = "the port"},
    {.name = "help", .type = OPTION_FLAG, .offset = offsetof(struct values, help), .help = "help"},
    {.name = "level",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct values, level),
     .argument = "LEVEL",
     .fallback = "quiet",
     .effect = OPTION_AT_NEXT_START,
     .choices = levels,
     .help = "how loud"},
};
static const struct option_table table = {.program = "try",
                                          .synopsis = "tries",
                                          .description = "Tries it.",
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};

/* Defaults, environment, then the words of the command line. */
static int parse(struct values *values, struct error *error, const char *line)
{
    char text[256], *words[16] = {"try"}, *rest;
    int count = 1;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    memset(values, 0, sizeof *values);
    error->message[0] = '\0';
    assert_int_equal(options_defaults(&table, values, error), 0);
    if (options_environment(&table, values, error) < 0)
        return -1;
    return options_arguments(&table, values, count, words, error);
}

static void one_dash_or_two_and_an_equals_sign(void **state)
{
    (void)state;
    static const struct {
        const char *line, *host;
        long port;
        bool help;
        int level;
    } cases[] = {
        {"", "here", 4000, false, 0},
        {"-host a -port 1", "a", 1, false, 0},
        {"--host=a --port=1", "a", 1, false, 0},
        {"-P 5 -level loud", "here", 5, false, 1},
        {"-help -P=5", "here", 5, true, 0},
        {"-help=false -host=", "", 4000, false, 0},
        {"-port 1 -port 2", "here", 2, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values values;
        struct error error;
        parse(&values, &error, cases[i].line);
        assert_string_equal(error.message, "");
        assert_string_equal(values.host, cases[i].host);
        assert_int_equal(values.port, cases[i].port);
        assert_int_equal(values.help, cases[i].help);
        assert_int_equal(values.level, cases[i].level);
        options_release(&table, &values);
        assert_null(values.host);
    }
}

static void options_may_stand_around_a_command(void **state)
{
    (void)state;
    static const struct option_table with_commands = {.program = "try",
                                                      .operands = "COMMAND FILE...",
                                                      .rows = rows,
                                                      .count = sizeof rows / sizeof *rows};
    struct values values = {0};
    struct error error = {""};
    char *words[] = {"try", "-P", "1", "show", "-host", "a", "-help", "one", "two"};
    const int count = sizeof words / sizeof *words;
    assert_int_equal(options_defaults(&with_commands, &values, &error), 0);
    int first = options_around_command(&with_commands, &values, count, words, &error);
    assert_int_equal(first, count - 3);
    assert_string_equal(words[first], "show");
    assert_string_equal(words[first + 1], "one");
    assert_string_equal(words[first + 2], "two");
    assert_string_equal(values.host, "a");
    assert_true(values.port == 1 && values.help);
    char *wrong[] = {"try", "show", "-hots"};
    assert_int_equal(options_around_command(&with_commands, &values, 3, wrong, &error), -1);
    assert_string_equal(error.message, "-hots: no such option; did you mean -host? see try --help");
    assert_int_equal(options_around_command(&with_commands, &values, 1, words, &error), 1);
    options_release(&with_commands, &values);
}

static void a_mistake_names_the_option(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"-hots a", "-hots: no such option; did you mean -host? see try --help"},
        {"-Where", "-Where: no such option; see try --help"},
        {"-host", "-host: needs a value (HOST)"},
        {"-port x", "-port: \"x\" is not a whole number"},
        {"-port=", "-port=: \"\" is not a whole number"},
        {"-P 65536", "-P: 65536 is out of range; give 0 to 65535"},
        {"-P 99999999999999999999", "-P: \"99999999999999999999\" is not a whole number"},
        {"-help=maybe", "-help=maybe: \"maybe\" is neither true nor false"},
        {"-level silent", "-level: \"silent\" is not one of quiet, loud"},
        {"stray", "stray: what is this? try takes options only; see try --help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values values;
        struct error error;
        assert_int_equal(parse(&values, &error, cases[i].line), -1);
        assert_string_equal(error.message, cases[i].message);
        options_release(&table, &values);
    }
}

static void the_command_line_wins_over_the_environment(void **state)
{
    (void)state;
    struct values values;
    struct error error;
    setenv("WEIR_TEST_HOST", "there", 1);
    parse(&values, &error, "");
    assert_string_equal(values.host, "there");
    options_release(&table, &values);
    parse(&values, &error, "-host a");
    assert_string_equal(values.host, "a");
    options_release(&table, &values);
    unsetenv("WEIR_TEST_HOST");
}

static void one_option_can_be_looked_up_before_the_others(void **state)
{
    (void)state;
    char *words[] = {"try", "-port", "7", "-host", "-port", "--", "-host", "no", NULL};
    assert_string_equal(options_peek(&table, "host", 8, words), "-port");
    assert_string_equal(options_peek(&table, "port", 8, words), "7");
    assert_null(options_peek(&table, "level", 8, words));
}

static void help_and_manual_name_every_option(void **state)
{
    (void)state;
    void (*const printers[])(const struct option_table *, FILE *) = {options_print_help,
                                                                     options_print_manual};
    for (int i = 0; i < 2; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        printers[i](&table, out);
        fclose(out);
        for (size_t row = 0; row < table.count; row++)
            assert_non_null(strcasestr(text, rows[row].name));
        free(text);
    }
}

/* Lines that were broken are one again. */
static void join_lines(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++)
        if (!strchr(" \n", *at))
            *to++ = *at;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    *to = 0;
}

static void each_form_of_the_table_says_when_a_value_takes_effect(void **state)
{
    (void)state;
    static const struct {
        void (*print)(const struct option_table *, FILE *);
        const char *once, *later;
    } forms[] = {{options_print_help, "[changes at once]", "[changes at the next start]"},
                 {options_print_manual, "Changes at once.", "Changes at the next start."},
                 {options_print_file, "# Changes at once.", "# Changes at the next start."}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        forms[i].print(&table, out);
        fclose(out);
        join_lines(text);
        assert_non_null(strstr(text, forms[i].once));
        assert_non_null(strstr(text, forms[i].later));
        free(text);
    }
}

static void note(void *user, const struct option_row *row)
{
    strbuf_printf(user, "%s ", row->name);
}

static void options_that_differ_are_named_and_can_be_put_back(void **state)
{
    (void)state;
    struct values values, others;
    struct error error;
    struct strbuf names = STRBUF_INIT;
    assert_true(parse(&values, &error, "-host a -level loud") > 0);
    assert_true(parse(&others, &error, "-host b -P 7 -help") > 0);
    options_compare(&table, &values, &others, note, &names);
    assert_string_equal(names.data, "host port help level ");
    for (size_t i = 0; i < table.count; i++)
        assert_int_equal(options_copy(&rows[i], &others, &values, &error), 0);
    strbuf_reset(&names);
    options_compare(&table, &values, &others, note, &names);
    assert_int_equal(names.size, 0);
    assert_ptr_not_equal(values.host, others.host);
    options_release(&table, &values);
    options_release(&table, &others);
    strbuf_release(&names);
}

static void what_is_in_force_is_json(void **state)
{
    (void)state;
    struct values values;
    struct error error;
    struct strbuf json = STRBUF_INIT;
    assert_true(parse(&values, &error, "-host a\"\\b\x01 -P 7 -help -level loud") > 0);
    options_write_json(&table, &values, &json);
    assert_string_equal(json.data, "{\"host\":\"a\\\"\\\\b\\u0001\",\"port\":7,\"help\":true,"
                                   "\"level\":\"loud\"}");
    options_release(&table, &values);
    strbuf_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_dash_or_two_and_an_equals_sign),
        cmocka_unit_test(options_may_stand_around_a_command),
        cmocka_unit_test(a_mistake_names_the_option),
        cmocka_unit_test(the_command_line_wins_over_the_environment),
        cmocka_unit_test(one_option_can_be_looked_up_before_the_others),
        cmocka_unit_test(help_and_manual_name_every_option),
        cmocka_unit_test(each_form_of_the_table_says_when_a_value_takes_effect),
        cmocka_unit_test(options_that_differ_are_named_and_can_be_put_back),
        cmocka_unit_test(what_is_in_force_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
