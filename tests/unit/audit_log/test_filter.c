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
    record.text[RECORD_TEXT_user] = text_of("app");
    record.text[RECORD_TEXT_account] = text_of("app@10.%");
    record.text[RECORD_TEXT_host] = text_of("10.0.0.9");
    record.text[RECORD_TEXT_client_ip] = text_of("10.0.0.9");
    record.text[RECORD_TEXT_connection_type] = text_of("TCP");
    if (event == RECORD_COMPLETED) {
        record.text[RECORD_TEXT_command] = text_of("Query");
        record.text[RECORD_TEXT_kind] = text_of("Insert");
        record.text[RECORD_TEXT_sql] = text_of("INSERT INTO secrets SELECT * FROM orders");
        record.tables = tables;
        record.table_count = 2;
    }
    return record;
}

static struct filter_subject subject; /* what conditions ask for beside the record */

static struct filter_decision decide(const char *definition, enum record_event event)
{
    char text[2000];
    struct error error;
    snprintf(text, sizeof text,
             "{\"filters\": {\"f\": {\"filter\": %s}}, \"users\": {\"app@10.%%\": \"f\"}}",
             definition);
    struct filters *filters = filters_parse(text, strlen(text), "file", &error);
    if (!filters)
        print_error("%s\n", error.message);
    assert_non_null(filters);
    struct record record = record_of(event);
    struct filter_state state = {0};
    subject.record = &record;
    struct filter_decision decision = filters_decide(filters, &subject, &state);
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

#define VARIABLE(name, value) "{\"variable\": {\"name\": \"" name "\", \"value\": " value "}}"
#define FUNCTION(name, arguments)                                                                  \
    "{\"function\": {\"name\": \"" name "\", \"args\": [" arguments "]}}"
#define ACCOUNT                                                                                    \
    "{\"string\": [{\"field\": \"user.str\"}, {\"string\": \"@\"}, {\"field\": \"host.str\"}]}"

static void test_conditions(void **state)
{
    (void)state;
    struct weir_session session;
    fake_session_init(&session);
    session.text[WEIR_TEXT_normalized] = text_of("select ?");
    subject = (struct filter_subject){
        .session = &session,
        .variables = {[VARIABLE_CONNECTION_POLICY] = 1, [VARIABLE_POLICY] = 3},
        .included = text_of("root@localhost, 'app'@'10.%'"),
        .excluded = text_of("nobody@%")};
    static const struct {
        const char *condition;
        bool holds;
    } cases[] = {
        {FIELD("general_user.str", "\"app\""), true},
        {FIELD("general_user.str", "\"ap\""), false},
        {FIELD("general_user.length", "3"), true},
        {FIELD("general_user.length", "4"), false},
        {FIELD("priv_user.str", "\"app\""), true},
        {FIELD("general_host.str", "\"10.0.0.9\""), true},
        {FIELD("general_command.str", "\"query\""), true},
        {FIELD("general_sql_command.str", "\"insert\""), true},
        {FIELD("general_sql_command.str", "\"update\""), false},
        {FIELD("general_sql_command.length", "6"), true},
        {FIELD("general_query.length", "40"), true},
        {FIELD("general_error_code", "0"), true},
        {FIELD("general_error_code", "1064"), false},
        {FIELD("connection_type", "\"::tcp/ip\""), true},
        {FIELD("connection_type", "1"), true},
        {FIELD("connection_type", "\"::ssl\""), false},
        {VARIABLE("audit_log_connection_policy_value", "\"::errors\""), true},
        {VARIABLE("audit_log_connection_policy_value", "1"), true},
        {VARIABLE("audit_log_policy_value", "\"::queries\""), true},
        {VARIABLE("audit_log_statement_policy_value", "\"::all\""), false},
        {FUNCTION("find_in_include_list", ACCOUNT), true},
        {FUNCTION("find_in_exclude_list", ACCOUNT), false},
        {"{\"function\": {\"name\": \"audit_log_exclude_accounts_is_null\"}}", false},
        {"{\"function\": {\"name\": \"audit_log_include_accounts_is_null\"}}", false},
        {"{\"function\": {\"name\": \"query_digest\", \"args\": \"SELECT ?\"}}", true},
        {"{\"function\": {\"name\": \"query_digest\", \"args\": \"SELECT ? , ?\"}}", false},
        {FUNCTION("query_digest", "{\"string\": {\"string\": \"select ?\"}}"), true},
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

/* A filter that another one has handed over to stays in force until it hands back. */
static void test_a_filter_hands_over(void **state)
{
    (void)state;
    const char *text =
        "{\"filters\": {\"f\": {\"filter\": {\"id\": \"main\", \"class\": {\"name\": "
        "\"table_access\", \"event\": {\"name\": [\"insert\", \"delete\"], \"log\": false, "
        "\"filter\": {\"class\": {\"name\": \"general\", \"event\": {\"name\": \"status\", "
        "\"filter\": {\"ref\": \"main\"}}}, \"activate\": "
        "{\"field\": {\"name\": \"table_name.str\", \"value\": \"secrets\"}}}}}}}}, "
        "\"users\": {\"%\": \"f\"}}";
    struct error error = {""};
    struct filters *filters = filters_parse(text, strlen(text), "file", &error);
    assert_string_equal(error.message, "");
    struct record record = record_of(RECORD_COMPLETED);
    struct filter_state kept = {0};
    subject.record = &record;
    struct filter_decision decision = filters_decide(filters, &subject, &kept);
    assert_true(decision.log && !decision.without_general); /* the general event alone */
    assert_int_equal(decision.table_skip, 3);
    assert_ptr_equal(kept.active, kept.definition->root); /* and back */
    record.table_count = 1;                               /* orders is only read */
    assert_false(filters_decide(filters, &subject, &kept).log);
    struct filters *others = filters_parse(text, strlen(text), "file", &error);
    uint64_t set = kept.set;
    filters_decide(others, &subject, &kept);
    assert_int_not_equal(kept.set, set); /* another set begins anew */
    filters_free(filters);
    filters_free(others);
}

/* Before the backend has matched a client there is only its name and address. */
static void test_clients_without_an_account_are_matched(void **state)
{
    (void)state;
    const char *text = "{\"filters\": {\"on\": {\"filter\": {}}, \"off\": {\"filter\": {\"log\": "
                       "false}}}, \"users\": {\"app@%\": \"off\", \"app@10.0.%\": \"on\", \"%\": "
                       "\"off\"}}";
    struct error error;
    struct filters *filters = filters_parse(text, strlen(text), "file", &error);
    struct record record = record_of(RECORD_REJECT);
    struct filter_state kept = {0};
    subject.record = &record;
    record.text[RECORD_TEXT_account] = (weir_string){NULL, 0};
    assert_true(filters_decide(filters, &subject, &kept).log);
    assert_int_equal(filters_id(filters, &record), 1);
    record.text[RECORD_TEXT_host] = text_of("10.1.0.9");
    assert_false(filters_decide(filters, &subject, &kept).log);
    filters_free(filters);
}

static void test_accounts(void **state)
{
    (void)state;
    struct filter_state kept = {0};
    const char *text =
        "{\"filters\": {\"off\": {\"filter\": {\"log\": false}}, \"on\": {\"filter\": {}}},"
        " \"users\": {\"%\": \"off\", \"app@10.%\": \"on\"}}";
    struct error error;
    struct filters *filters = filters_parse(text, strlen(text), "file", &error);
    struct record record = record_of(RECORD_CONNECT);
    subject.record = &record;
    assert_true(filters_decide(filters, &subject, &kept).log);
    record.text[RECORD_TEXT_account] = text_of("other@%");
    assert_false(filters_decide(filters, &subject, &kept).log);
    record.event = RECORD_GAP; /* the log's own records are no event of an account */
    assert_true(filters_decide(filters, &subject, &kept).log);
    filters_free(filters);
    filters = filters_parse("{}", 2, "file", &error);
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
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"message\"}}}}}",
         "not supported"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"message\", \"event\": "
         "{\"name\": \"internal\"}}}}}}",
         "not supported"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": 1}}}}}}",
         "no event"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"read\"}}}}}}",
         "the event read is one of the class table_access"},
        {"{\"filters\": {\"f\": {\"filter\": {\"log\": 1}}}}", "a condition must be an object"},
        {"{\"filters\": {\"f\": {\"filter\": {\"abort\": true}}}}",
         "abort stands in event items only"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"abort\": "
         "true}}}}}",
         "abort stands in event items only"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"connection\", \"event\": "
         "{\"name\": \"disconnect\", \"abort\": true}}}}}}",
         "cannot be aborted"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"and\": []}}}}}}}",
         "need a list"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"nobody.str\", \"value\": "
         "\"x\"}}}}}}}}",
         "no field \"nobody.str\""},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"user\", \"value\": "
         "\"x\"}}}}}}}}",
         "no field \"user\""},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"table_name.str\", \"value\": "
         "\"x\"}}}}}}}}",
         "events of the class general have no field"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"general_user.str\", \"value\": "
         "1}}}}}}}}",
         "must be a string"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"general_error_code\", "
         "\"value\": \"0\"}}}}}}}}",
         "it has numbers"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"general_error_code\", "
         "\"value\": -1}}}}}}}}",
         "must be a number, not negative"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"connection_type\", \"value\": "
         "\"::pigeon\"}}}}}}}}",
         "is no value of"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"field\": {\"name\": \"general_sql_command.str\", "
         "\"value\": \"show_tables\"}}}}}}}}",
         "not told apart here; use show"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"table_access\", \"event\": "
         "{\"name\": \"read\", \"log\": {\"field\": {\"name\": \"sql_command_id\", \"value\": "
         "40}}}}}}}}",
         "use general_sql_command.str"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"variable\": {\"name\": \"audit_log_file\", \"value\": "
         "1}}}}}}}}",
         "no variable \"audit_log_file\""},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"function\": {\"name\": \"debug_sleep\", \"args\": "
         "[1]}}}}}}}}",
         "debug builds"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"function\": {\"name\": \"string_find\", \"args\": "
         "[]}}}}}}}}",
         "string_find has a list of 2 args"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"log\": {\"function\": {\"name\": \"string_find\", \"args\": "
         "[{\"string\": {\"field\": \"general_error_code\"}}, {\"string\": {\"string\": "
         "\"x\"}}]}}}}}}}}",
         "is a number"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"print\": {\"field\": {\"name\": \"general_user.str\", "
         "\"print\": false, \"replace\": {\"function\": {\"name\": \"query_digest\"}}}}}}}}}}",
         "print is for"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"print\": {\"field\": {\"name\": \"general_query.str\", "
         "\"print\": false, \"replace\": {\"function\": {\"name\": \"upper\"}}}}}}}}}}",
         "query_digest"},
        {"{\"filters\": {\"f\": {\"filter\": {\"activate\": true}}}}", "no activate and no ref"},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"filter\": {\"ref\": \"main\"}}}}}}}",
         "no filter with the id \"main\""},
        {"{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
         "{\"name\": \"status\", \"filter\": {\"ref\": \"main\", \"log\": true}}}}}}}",
         "nothing else but activate"},
        {"{\"filters\": {\"f\": {\"filter\": {\"id\": \"a\", \"class\": {\"name\": \"general\", "
         "\"event\": {\"name\": \"status\", \"filter\": {\"id\": \"a\", \"activate\": true}}}}}}}",
         "two filters have the id \"a\""},
        {"{\"users\": {\"a@b\": \"f\"}}", "filter \"f\": there is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {""};
        assert_null(filters_parse(cases[i].text, strlen(cases[i].text), "file", &error));
        if (!strstr(error.message, cases[i].words))
            print_error("%s: %s\n", cases[i].text, error.message);
        assert_non_null(strstr(error.message, cases[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes_and_events),
        cmocka_unit_test(test_tables_are_logged_one_by_one),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_abort_and_print),
        cmocka_unit_test(test_a_filter_hands_over),
        cmocka_unit_test(test_clients_without_an_account_are_matched),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
