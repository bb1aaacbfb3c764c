/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters: what each item of the language does, and which files are refused, with which words. */
#include "audit_test.h"
#include "filter.h"

#include <stdio.h>

static const weir_table tables[] = {
    {{"shop", 4}, {"orders", 6}, WEIR_TABLE_READ},
    {{"shop", 4}, {"secrets", 7}, WEIR_TABLE_WRITE},
};

static struct record record_of(enum record_event event)
{
    struct record record;
    record_init(&record, event, 0);
    record.number[RECORD_NUMBER_connection_id] = 7;
    record.text[RECORD_TEXT_user] = record_string("app");
    record.text[RECORD_TEXT_account] = record_string("app@10.%");
    record.text[RECORD_TEXT_client_ip] = record_string("10.0.0.9");
    record.text[RECORD_TEXT_connection_type] = record_string("TCP");
    if (event == RECORD_COMPLETED) {
        record.text[RECORD_TEXT_kind] = record_string("InsertSelect");
        record.text[RECORD_TEXT_sql] = record_string("INSERT INTO secrets SELECT * FROM orders");
        record.tables = tables;
        record.table_count = 2;
    }
    return record;
}

static struct filter_decision decide(const char *definition, enum record_event event)
{
    char text[2000], problem[FILTER_PROBLEM_BYTES];
    snprintf(text, sizeof text,
             "{\"filters\": {\"f\": {\"filter\": %s}}, \"users\": {\"app@10.%%\": \"f\"}}",
             definition);
    struct filters *filters = filters_parse(text, strlen(text), "file", problem);
    if (!filters)
        print_error("%s\n", problem);
    assert_non_null(filters);
    struct record record = record_of(event);
    struct filter_decision decision = filters_decide(filters, &record);
    filters_free(filters);
    return decision;
}

static void logs(const char *definition, bool connect, bool disconnect, bool statement)
{
    assert_int_equal(decide(definition, RECORD_CONNECT).log, connect);
    assert_int_equal(decide(definition, RECORD_DISCONNECT).log, disconnect);
    assert_int_equal(decide(definition, RECORD_COMPLETED).log, statement);
}

static void test_classes_and_events(void **state)
{
    (void)state;
    logs("{}", true, true, true);
    logs("{\"log\": true}", true, true, true);
    logs("{\"log\": false}", false, false, false);
    logs("{\"class\": {\"name\": \"connection\"}}", true, true, false);
    logs("{\"class\": [{\"name\": \"connection\"}, {\"name\": \"general\"}]}", true, true, true);
    logs("{\"class\": {\"name\": [\"connection\", \"general\"]}}", true, true, true);
    logs("{\"log\": true, \"class\": {\"name\": \"general\", \"log\": false}}", true, true, true);
    logs("{\"class\": {\"name\": \"connection\", \"event\": {\"name\": \"connect\"}}}", true, false,
         false);
    logs("{\"class\": {\"name\": \"connection\", \"log\": true, \"event\": {\"name\": \"connect\", "
         "\"log\": false}}}",
         false, true, false);
    logs("{\"class\": {\"name\": \"table_access\", \"event\": {\"name\": \"insert\"}}}", false,
         false, true);
    logs("{\"class\": {\"name\": \"table_access\", \"event\": {\"name\": \"delete\"}}}", false,
         false, false);
}

static void test_tables_are_logged_one_by_one(void **state)
{
    (void)state;
    struct filter_decision decision =
        decide("{\"class\": {\"name\": \"table_access\", \"event\": {\"name\": \"insert\"}}}",
               RECORD_COMPLETED);
    assert_true(decision.without_general);
    assert_int_equal(decision.table_skip, 1);
}

#define FIELD(name, value) "{\"field\": {\"name\": \"" name "\", \"value\": " value "}}"

static void test_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool holds;
    } cases[] = {
        {FIELD("general_user.str", "\"app\""), true},
        {FIELD("general_user.str", "\"ap\""), false},
        {FIELD("general_host.str", "\"10.%\""), true},
        {FIELD("general_sql_command.str", "\"insert_select\""), true},
        {FIELD("general_sql_command.str", "\"insert\""), false},
        {FIELD("general_error_code", "0"), true},
        {FIELD("general_error_code", "1064"), false},
        {FIELD("connection_type", "\"::tcp/ip\""), true},
        {FIELD("connection_type", "\"::ssl\""), false},
        {FIELD("general_external_user.str", "\"\""), true},
        {"{\"not\": " FIELD("general_user.str", "\"app\"") "}", false},
        {"{\"and\": [true, " FIELD("general_thread_id", "7") "]}", true},
        {"{\"and\": [false, " FIELD("general_thread_id", "7") "]}", false},
        {"{\"or\": [false, " FIELD("general_thread_id", "7") "]}", true},
        {"{\"or\": [false, false]}", false},
        {"{\"function\": {\"name\": \"string_find\", \"args\": [{\"string\": {\"field\": "
         "\"general_query.str\"}}, "
         "{\"string\": {\"string\": \"secrets\"}}]}}",
         true},
        {"{\"function\": {\"name\": \"string_find\", \"args\": [{\"string\": {\"field\": "
         "\"general_query.str\"}}, "
         "{\"string\": {\"string\": \"nowhere\"}}]}}",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char definition[1000];
        snprintf(
            definition, sizeof definition,
            "{\"class\": {\"name\": \"general\", \"event\": {\"name\": \"status\", \"log\": %s}}}",
            cases[i].condition);
        assert_int_equal(decide(definition, RECORD_COMPLETED).log, cases[i].holds);
    }
}

static void test_abort_and_print(void **state)
{
    (void)state;
    const char *aborts =
        "{\"class\": {\"name\": \"table_access\", \"event\": {\"name\": [\"insert\", \"update\"], "
        "\"abort\": " FIELD("table_name.str", "\"secrets\"") "}}}";
    assert_true(decide(aborts, RECORD_COMPLETED).abort);
    assert_false(decide(aborts, RECORD_CONNECT).abort);
    const char *redacts =
        "{\"class\": {\"name\": \"general\", \"event\": {\"name\": \"status\", \"print\": "
        "{\"field\": {\"name\": \"general_query.str\", \"print\": false, \"replace\": "
        "{\"function\": {\"name\": \"query_digest\"}}}}}}}";
    assert_true(decide(redacts, RECORD_COMPLETED).redact);
    assert_true(decide(redacts, RECORD_COMPLETED).log);
}

static void test_accounts(void **state)
{
    (void)state;
    const char *text =
        "{\"filters\": {\"off\": {\"filter\": {\"log\": false}}, \"on\": {\"filter\": {}}},"
        " \"users\": {\"%\": \"off\", \"app@10.%\": \"on\"}}";
    char problem[FILTER_PROBLEM_BYTES];
    struct filters *filters = filters_parse(text, strlen(text), "file", problem);
    struct record record = record_of(RECORD_CONNECT);
    assert_true(filters_decide(filters, &record).log);
    record.text[RECORD_TEXT_account] = record_string("other@%");
    assert_false(filters_decide(filters, &record).log);
    record.event = RECORD_GAP; /* the log's own records are no event of an account */
    assert_true(filters_decide(filters, &record).log);
    filters_free(filters);
    filters = filters_parse("{}", 2, "file", problem);
    assert_true(filters_are_empty(filters));
    filters_free(filters);
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"{", "file:1:"},
        {"[]", "must be an object"},
        {"{\"filter\": {}}", "no item \"filter\""},
        {"{\"filters\": {\"f\": {}}}", "filter \"f\": filter must be an object"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"x\"}}}}}", "no class \"x\""},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": 1}}}}}}",
         "no event"},
        {"{\"filters\": {\"f\": {\"filter\": {\"log\": 1}}}}", "a condition must be an object"},
        {"{\"filters\": {\"f\": {\"filter\": {\"log\": {\"and\": []}}}}}", "need a list"},
        {"{\"filters\": {\"f\": {\"filter\": {\"log\": " FIELD("nobody.str", "\"x\"") "}}}}",
         "no field \"nobody.str\""},
        {"{\"filters\": {\"f\": {\"filter\": {\"id\": \"x\"}}}}", "no item \"id\""},
        {"{\"users\": {\"a@b\": \"f\"}}", "filter \"f\": there is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char problem[FILTER_PROBLEM_BYTES] = "";
        assert_null(filters_parse(cases[i].text, strlen(cases[i].text), "file", problem));
        if (!strstr(problem, cases[i].words))
            print_error("%s: %s\n", cases[i].text, problem);
        assert_non_null(strstr(problem, cases[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes_and_events),
        cmocka_unit_test(test_tables_are_logged_one_by_one),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_abort_and_print),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
