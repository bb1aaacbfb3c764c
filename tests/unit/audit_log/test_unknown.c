/* SPDX-License-Identifier: Apache-2.0
 *
 * What is not known is null in a record, and never an older value or nothing at all; a filter that
 * asks for it records in doubt, and aborts in doubt. */
#include <stdio.h>
#include <weir/strbuf.h>

#include "audit_test.h"
#include "collect.h"

enum { ACCOUNT = 1, ROLES = 2, DATABASE = 4, READING = 8, TABLES = 16 };

static const weir_table unknown_table[] = {{{NULL, 0}, {"orders", 6}, WEIR_TABLE_READ}};
static const weir_table known_table[] = {{{"shop", 4}, {"orders", 6}, WEIR_TABLE_READ}};

/* A session in the middle of a statement, of which some facts are not known. */
static void set_facts(weir_session *session, unsigned missing)
{
    fake_session_init(session);
    session->text[WEIR_TEXT_user] = text_of("app");
    session->text[WEIR_TEXT_host] = text_of("10.0.0.9");
    session->number[WEIR_NUMBER_connection_id] = 7;
    session->number[WEIR_NUMBER_connection_type] = WEIR_TYPE_TCP;
    session->number[WEIR_NUMBER_client_port] = 0;
    session->text[WEIR_TEXT_current_user] = text_of(missing & ACCOUNT ? NULL : "app@10.%");
    session->text[WEIR_TEXT_current_role] = text_of(missing & ROLES ? NULL : "");
    session->text[WEIR_TEXT_database] = text_of(missing & DATABASE ? NULL : "shop");
    session->text[WEIR_TEXT_unknown] = text_of(missing ? "the backend did not say" : NULL);
    session->text[WEIR_TEXT_command] = text_of("Query");
    session->text[WEIR_TEXT_sql] = session->text[WEIR_TEXT_redacted_sql] =
        text_of("SELECT a FROM orders");
    session->text[WEIR_TEXT_kind] = session->text[WEIR_TEXT_specific_kind] = text_of("Select");
    session->text[WEIR_TEXT_normalized] = text_of("select `a` from `orders`");
    session->number[WEIR_NUMBER_reading_known] = !(missing & READING);
    session->number[WEIR_NUMBER_tables_known] = !(missing & (DATABASE | READING | TABLES));
    session->number[WEIR_NUMBER_names_known] = !(missing & (DATABASE | READING | TABLES));
    session->number[WEIR_NUMBER_last_insert_id] = 0;
    session->tables = missing & DATABASE ? unknown_table : known_table;
    session->table_count = missing & TABLES ? 0 : 1;
}

static const struct collect_options all = {.with_tables = true};

/* The record in a format, between `begin` and `end`. */
static void written(const struct format *format, unsigned missing, struct strbuf *out)
{
    struct scratch scratch = {0};
    weir_session session;
    set_facts(&session, missing);
    collect_statement(&scratch, NULL, &session, WEIR_COMPLETED, &all);
    strbuf_reset(out);
    format->write(out, &scratch.record);
    strbuf_add(out, "", 1);
    scratch_release(&scratch);
}

static void has(const struct format *format, unsigned missing, const char *words)
{
    struct strbuf out = STRBUF_INIT;
    written(format, missing, &out);
    if (!strstr(out.data, words))
        fail_msg("%s: %s", words, out.data);
    strbuf_release(&out);
}

static void has_not(const struct format *format, unsigned missing, const char *words)
{
    struct strbuf out = STRBUF_INIT;
    written(format, missing, &out);
    if (strstr(out.data, words))
        fail_msg("%s: %s", words, out.data);
    strbuf_release(&out);
}

static void test_json_has_null_and_why(void **state)
{
    static const char why[] = "\"unknown\":\"the backend did not say\"";
    (void)state;
    has_not(&format_json, 0, "null");
    has_not(&format_json, 0, "unknown");
    has_not(&format_json, 0, "reading_known");
    has_not(&format_json, 0, "roles");
    has(&format_json, ACCOUNT, ",\"account\":null,");
    has(&format_json, ROLES, ",\"roles\":null,");
    has(&format_json, DATABASE, ",\"database\":null,");
    has(&format_json, DATABASE, "\"tables\":[{\"schema\":null,\"name\":\"orders\"");
    has(&format_json, READING, ",\"reading_known\":0,");
    has_not(&format_json, READING, "null");
    for (unsigned missing = ACCOUNT; missing <= READING; missing *= 2)
        has(&format_json, missing, why);
}

static void test_csv_has_null_without_quotes(void **state)
{
    (void)state;
    has_not(&format_csv, 0, "NULL");
    has(&format_csv, ACCOUNT, ",7,,\"app\",\"10.0.0.9\",NULL,,");
    has(&format_csv, ROLES, "\"app@10.%\",NULL,");
    has(&format_csv, DATABASE, ",NULL,");
    has(&format_csv, DATABASE, "[{\"\"schema\"\":null");
    has(&format_csv, READING, ",0,\"the backend did not say\",");
}

static void test_mysql_json_has_null_and_why(void **state)
{
    (void)state;
    has_not(&format_mysql_json, 0, "null");
    has(&format_mysql_json, ACCOUNT,
        "\"account\":{\"user\":null,\"host\":null},\"login\":{\"user\":\"app\"");
    has(&format_mysql_json, DATABASE, "\"table_access_data\":{\"db\":null,");
    has(&format_mysql_json, DATABASE, ",\"unknown\":\"the backend did not say\",");
    has(&format_mysql_json, READING, ",\"reading_known\":0,\"unknown\":");
    has_not(&format_mysql_json, 0, "unknown");
}

static void test_connections_have_null_but_for_those_that_are_turned_away(void **state)
{
    struct scratch scratch = {0};
    struct strbuf out = STRBUF_INIT;
    weir_session session;
    (void)state;
    set_facts(&session, ACCOUNT | ROLES | DATABASE);
    session.number[WEIR_NUMBER_connection_duration] = 5;
    static const struct {
        weir_connection_event event;
        bool is_null;
    } rows[] = {{WEIR_CONNECTED, true},
                {WEIR_CHANGE_USER, true},
                {WEIR_DISCONNECT, true},
                {WEIR_REJECT, false}};
    for (size_t i = 0; i < 4; i++) {
        collect_connection(&scratch, NULL, &session, rows[i].event);
        strbuf_reset(&out);
        format_json.write(&out, &scratch.record);
        strbuf_add(&out, "", 1);
        assert_int_equal(strstr(out.data, "\"account\":null") != NULL, rows[i].is_null);
        assert_int_equal(strstr(out.data, "\"database\":null") != NULL, rows[i].is_null);
    }
    strbuf_release(&out);
    scratch_release(&scratch);
}

/* What is kept of a session is not used when an account is not known any more, or known again. */
static void test_the_kept_part_knows_what_is_null(void **state)
{
    static const unsigned missing[] = {0, ROLES, 0, ACCOUNT, ACCOUNT | ROLES, 0};
    struct collect_options options = all;
    struct scratch scratch = {0};
    weir_session session;
    (void)state;
    options.format = &format_json;
    set_facts(&session, 0);
    struct audited *audited = audited_new(&session);
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        struct strbuf out = STRBUF_INIT;
        set_facts(&session, missing[i]);
        collect_statement(&scratch, audited, &session, WEIR_COMPLETED, &options);
        collect_session_part(&scratch, audited, &format_json);
        format_json.write(&out, &scratch.record);
        strbuf_add(&out, "", 1);
        assert_int_equal(strstr(out.data, "\"roles\":null") != NULL, (missing[i] & ROLES) != 0);
        assert_int_equal(strstr(out.data, "\"account\":null") != NULL, (missing[i] & ACCOUNT) != 0);
        assert_non_null(strstr(out.data, "\"user\":\"app\""));
        strbuf_release(&out);
    }
    audited_free(audited);
    scratch_release(&scratch);
}

/* ---- Filters ---- */

static struct filter_decision decide_as(const char *users, const char *definition, unsigned missing)
{
    char text[2000];
    struct error error = {""};
    struct scratch scratch = {0};
    weir_session session;
    snprintf(text, sizeof text, "{\"filters\": {\"f\": {\"filter\": %s}}, \"users\": {%s}}",
             definition, users);
    struct filters *filters = filters_parse(text, strlen(text), "file", &error);
    assert_string_equal(error.message, "");
    set_facts(&session, missing);
    collect_statement(&scratch, NULL, &session, WEIR_COMPLETED, &all);
    struct filter_subject subject = {.record = &scratch.record, .session = &session};
    subject.included = text_of("other@%");
    struct filter_state state = {0};
    struct filter_decision decision = filters_decide(filters, &subject, &state);
    filters_free(filters);
    scratch_release(&scratch);
    return decision;
}

static struct filter_decision decide(const char *definition, unsigned missing)
{
    return decide_as("\"%\": \"f\"", definition, missing);
}

#define FIELD(name, value) "{\"field\": {\"name\": \"" name "\", \"value\": " value "}}"
#define LOGS(condition)                                                                            \
    "{\"class\": {\"name\": \"general\", \"event\": {\"name\": \"status\", \"log\": " condition    \
    "}}}"
#define FUNCTION(name, arguments)                                                                  \
    "{\"function\": {\"name\": \"" name "\", \"args\": [" arguments "]}}"

static void test_a_condition_in_doubt_records(void **state)
{
    static const struct {
        const char *condition;
        unsigned missing;
    } rows[] = {
        {FIELD("database.str", "\"other\""), DATABASE},
        {FIELD("database.length", "99"), DATABASE},
        {"{\"not\": " FIELD("database.str", "\"shop\"") "}", DATABASE},
        {"{\"and\": [true, " FIELD("database.str", "\"other\"") "]}", DATABASE},
        {"{\"or\": [false, " FIELD("database.str", "\"other\"") "]}", DATABASE},
        {FIELD("general_sql_command.str", "\"drop_table\""), READING},
        {FIELD("general_sql_command.length", "99"), READING},
        {"{\"function\": {\"name\": \"query_digest\", \"args\": \"select ?\"}}", READING},
        {FUNCTION("string_find",
                  "{\"string\": {\"field\": \"database.str\"}}, {\"string\": {\"string\": "
                  "\"other\"}}"),
         DATABASE},
        {FUNCTION("find_in_include_list",
                  "{\"string\": [{\"field\": \"database.str\"}, {\"string\": "
                  "\"@h\"}]}"),
         DATABASE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char definition[800];
        snprintf(
            definition, sizeof definition,
            "{\"class\": {\"name\": \"general\", \"event\": {\"name\": \"status\", \"log\": %s}}}",
            rows[i].condition);
        if (decide(definition, 0).log || !decide(definition, rows[i].missing).log)
            fail_msg("%s", rows[i].condition);
    }
    assert_false(
        decide(LOGS("{\"and\": [false, " FIELD("database.str", "\"x\"") "]}"), DATABASE).log);
    assert_false(decide(LOGS(FIELD("general_user.str", "\"x\"")), DATABASE | READING).log);
}

static void test_tables_that_are_not_known_are_possible_events(void **state)
{
    static const char logs[] = "{\"class\": {\"name\": \"table_access\", \"event\": {\"name\": "
                               "\"delete\", \"log\": " FIELD("table_name.str", "\"secrets\"") "}}}";
    static const char aborts[] =
        "{\"log\": false, \"class\": {\"name\": \"table_access\", \"event\": {\"name\": "
        "\"delete\", "
        "\"log\": false, \"abort\": " FIELD("table_name.str", "\"secrets\"") "}}}";
    static const char in_other[] =
        "{\"class\": {\"name\": \"table_access\", \"event\": {\"name\": \"read\", \"log\": " FIELD(
            "table_database.str", "\"other\"") "}}}";
    (void)state;
    assert_false(decide(logs, 0).log);
    assert_true(decide(logs, TABLES).log);
    assert_false(decide(logs, TABLES).without_general); /* it is in the record that is written */
    assert_true(decide(logs, READING).log);
    assert_false(decide(aborts, 0).abort);
    assert_true(decide(aborts, TABLES).abort);
    assert_false(decide(aborts, TABLES).log);
    assert_false(decide(in_other, 0).log);
    assert_true(decide(in_other, DATABASE).log);
}

static void test_an_account_that_is_not_known_is_recorded(void **state)
{
    static const char users[] = "\"other@%\": \"f\"";
    static const char silent[] = "{\"log\": false}";
    static const char aborts[] =
        "{\"class\": {\"name\": \"general\", \"event\": {\"name\": \"status\", \"abort\": true}}}";
    (void)state;
    assert_false(decide(silent, 0).log);
    assert_true(decide(silent, ACCOUNT).log);
    assert_false(decide_as(users, aborts, 0).abort);
    assert_true(decide_as(users, aborts, ACCOUNT).abort); /* it may be other@% */
    assert_true(decide_as("\"app@%\": \"f\"", silent, ACCOUNT).log);
}

/* Nobody can say which filter is in force: what follows is recorded. */
static void test_a_handover_in_doubt_records_what_follows(void **state)
{
    static const char text[] =
        "{\"filters\": {\"f\": {\"filter\": {\"class\": {\"name\": \"general\", \"event\": "
        "{\"name\": "
        "\"status\", \"log\": false, \"filter\": {\"log\": false, \"activate\": " FIELD(
            "database.str", "\"other\"") "}}}}}}, \"users\": {\"%\": \"f\"}}";
    struct error error = {""};
    struct filters *filters = filters_parse(text, strlen(text), "file", &error);
    struct filter_state kept = {0};
    static const struct {
        unsigned missing;
        bool logs;
    } rows[] = {{0, false}, {DATABASE, false}, {0, true}, {0, true}};
    (void)state;
    assert_string_equal(error.message, "");
    for (size_t i = 0; i < 4; i++) {
        struct scratch scratch = {0};
        weir_session session;
        set_facts(&session, rows[i].missing);
        if (rows[i].missing) {
            session.number[WEIR_NUMBER_tables_known] = 1;
            session.number[WEIR_NUMBER_names_known] = 1;
        }
        collect_statement(&scratch, NULL, &session, WEIR_COMPLETED, &all);
        struct filter_subject subject = {.record = &scratch.record, .session = &session};
        assert_int_equal(filters_decide(filters, &subject, &kept).log, rows[i].logs);
        scratch_release(&scratch);
    }
    filters_free(filters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_has_null_and_why),
        cmocka_unit_test(test_csv_has_null_without_quotes),
        cmocka_unit_test(test_mysql_json_has_null_and_why),
        cmocka_unit_test(test_connections_have_null_but_for_those_that_are_turned_away),
        cmocka_unit_test(test_the_kept_part_knows_what_is_null),
        cmocka_unit_test(test_a_condition_in_doubt_records),
        cmocka_unit_test(test_tables_that_are_not_known_are_possible_events),
        cmocka_unit_test(test_an_account_that_is_not_known_is_recorded),
        cmocka_unit_test(test_a_handover_in_doubt_records_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
