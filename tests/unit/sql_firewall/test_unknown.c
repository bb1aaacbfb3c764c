/* SPDX-License-Identifier: Apache-2.0
 *
 * What is not known is never taken for known: each condition of a rule is blind without the facts
 * that it needs, and without them a statement is on no list. */
#include <stdio.h>
#include <weir/text.h>

#include "firewall_test.h"

#define DENY(conditions) "[[deny]]\nname = \"r\"\n" conditions "\n"

enum { ACCOUNT = 1, DATABASE = 2, READING = 4, TEXT = 8, MEMORY = 16 };

/* A statement of app@% in the database shop, of which some facts are not known. */
static void begin(struct text_session *session, struct statement *statement, const char *text,
                  unsigned missing)
{
    static const struct sql_span version = {"10.11.6-MariaDB", 15};
    text_session_open(session);
    if (!(missing & ACCOUNT))
        session->account = (struct sql_span){"app@%", 5};
    if (!(missing & DATABASE))
        session->database = (struct sql_span){"shop", 4};
    sql_mode_set_server(&session->mode, version);
    session->mode.unsure = (missing & READING) != 0;
    assert_true(text_session_read(session, (struct sql_span){text, strlen(text)}, 1));
    session->session.number[WEIR_NUMBER_command_code] = 0x03;
    if (missing & (TEXT | MEMORY)) { /* all that is computed of it */
        session->session.text[WEIR_TEXT_kind] = session->session.text[WEIR_TEXT_specific_kind] =
            session->session.text[WEIR_TEXT_normalized] = session->session.text[WEIR_TEXT_digest] =
                (weir_string){NULL, 0};
        session->session.part_count = session->session.table_count = 0;
        session->session.number[WEIR_NUMBER_tables_known] = 0;
        session->session.number[WEIR_NUMBER_names_known] = 0;
        session->session.number[WEIR_NUMBER_digest_exact] = 0;
    }
    if (missing & TEXT)
        session->session.text[WEIR_TEXT_sql] = (weir_string){NULL, 0};
    statement_begin(statement, &session->session);
}

/* Why a rule is blind to the statement; "+": it passes, "-": it is denied. */
static const char *verdict(const struct rules *rules, const char *text, unsigned missing)
{
    struct text_session session;
    struct statement statement;
    const char *blind = NULL;
    begin(&session, &statement, text, missing);
    const struct rule *rule = rules_deny(rules, &statement, &blind, NULL);
    text_session_close(&session);
    return !rule ? "+" : blind ? blind : "-";
}

static void each_condition_is_blind_without_its_facts(void **state)
{
    static const char drop[] = "kinds = [\"Drop*\"]\n", account[] = "its account is not known",
                      reading[] = "in which way it is read is not known",
                      tables[] = "its tables are not known";
    static const struct {
        const char *rule, *condition, *statement;
        unsigned missing;
        const char *verdict;
    } rows[] = {
        {drop, "accounts = [\"app@*\"]", "DROP TABLE t", ACCOUNT, account},
        {drop, "accounts = [\"other@*\"]", "DROP TABLE t", ACCOUNT, account},
        {drop, "accounts = [\"other@*\"]", "SELECT 1", ACCOUNT, "+"},
        {drop, "except_accounts = [\"app@*\"]", "DROP TABLE t", ACCOUNT, account},
        {drop, "except_accounts = [\"app@*\"]", "DROP TABLE t", 0, "+"},
        {drop, "", "DROP TABLE t", ACCOUNT, "-"},
        {drop, "", "SELECT 1", READING, reading},
        {drop, "", "DROP TABLE t", READING, "-"},
        {drop, "", "SELECT 1", TEXT, reading},
        {drop, "", "SELECT 1", MEMORY, "its kind is not known"},
        {"", "missing_where = true", "SELECT 1", READING, reading},
        {"", "missing_where = true", "DELETE FROM t WHERE a = 1", READING, reading},
        {"", "statements_over = 1", "SELECT 1", READING, reading},
        {"", "statements_over = 1", "SELECT 1", 0, "+"},
        {"", "regex = \"union\"", "SELECT 1", READING, reading},
        {"", "regex = \"union\"", "SELECT 1", TEXT, reading},
        {"", "regex = \"union\"", "SELECT 1", MEMORY, "its digest does not tell all that it does"},
        {"", "digests = [\"00*\"]", "SELECT 1", READING, reading},
        {"", "digests = [\"*\"]", "SELECT 1", TEXT, reading},
        {"", "tables = [\"*.secret\"]", "SELECT 1 FROM t", READING, reading},
        {"", "tables = [\"x.secret\"]", "SELECT 1 FROM y.t", READING, reading},
        {"", "tables = [\"x.secret\"]", "SELECT 1 FROM secret", DATABASE, tables},
        {"", "tables = [\"x.secret\"]", "SELECT 1 FROM y.secret", DATABASE, "+"},
        {"", "tables = [\"x.secret\"]", "SELECT 1", DATABASE, "+"},
        {"", "tables_known = false", "SELECT 1 FROM secret", DATABASE, "-"},
        {"", "tables_known = false", "SELECT 1", READING, "-"},
        {"", "tables_known = false", "SELECT 1", 0, "+"},
        {"", "digest_exact = false", "SELECT 1", READING, "-"},
        {"", "digest_exact = false", "SELECT 1", 0, "+"},
        {"", "commands = [\"Prepare\"]", "SELECT 1", ACCOUNT | DATABASE | READING, "+"},
        {"", "commands = [\"Query\"]", "SELECT 1", ACCOUNT | DATABASE | READING, "-"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int passes = 0; passes < 2; passes++) {
            char text[300];
            snprintf(text, sizeof text, DENY("%s%s\n%s"), rows[i].rule, rows[i].condition,
                     passes ? "blind = \"pass\"" : "");
            struct rules *rules = test_read_rules(state, text);
            const char *found = verdict(rules, rows[i].statement, rows[i].missing);
            bool is_blind = strlen(rows[i].verdict) > 1;
            if (strcmp(found, is_blind && passes ? "+" : rows[i].verdict) != 0)
                fail_msg("%s%s: %s", text, rows[i].statement, found);
            rules_free(rules);
        }
    }
}

/* What a host says that does not have the fact reading_known: it is not known. */
static void an_older_hosts_silence_is_not_taken_for_known(void **state)
{
    struct rules *rules = test_read_rules(state, DENY("kinds = [\"Drop*\"]"));
    struct text_session session;
    struct statement statement;
    const char *blind = NULL;
    begin(&session, &statement, "SELECT 1", 0);
    session.session.number[WEIR_NUMBER_reading_known] = WEIR_ABSENT;
    assert_non_null(rules_deny(rules, &statement, &blind, NULL));
    assert_string_equal(blind, "in which way it is read is not known");
    text_session_close(&session);
    rules_free(rules);
}

/* What was prepared while no plugin looked has no text. */
static void an_execution_without_a_text_is_not_known(void **state)
{
    static const uint64_t blind_to[] = {0x03, 0x16, 0x17, 0xfa}, others[] = {0x0e, 0x09, 0x12};
    struct rules *rules = test_read_rules(state, DENY("kinds = [\"Drop*\"]"));
    for (size_t i = 0; i < 7; i++) {
        struct text_session session;
        struct statement statement;
        struct key key;
        const char *blind = NULL;
        begin(&session, &statement, "SELECT 1", TEXT);
        session.session.number[WEIR_NUMBER_tables_known] = 1;
        session.session.number[WEIR_NUMBER_names_known] = 1;
        session.session.number[WEIR_NUMBER_command_code] = i < 4 ? blind_to[i] : others[i - 4];
        assert_int_equal(rules_deny(rules, &statement, &blind, NULL) != NULL, i < 4);
        assert_int_equal(key_of(&statement, 0, &key), i < 4 ? KEY_UNKNOWABLE : KEY_FOUND);
        text_session_close(&session);
    }
    rules_free(rules);
}

static void what_is_not_known_is_on_no_list(void **state)
{
    static const struct {
        const char *statement;
        unsigned missing;
        enum key_answer answer;
    } rows[] = {
        {"SELECT 1", 0, KEY_FOUND},
        {"SELECT 1", DATABASE, KEY_UNKNOWABLE},
        {"SELECT 1", READING, KEY_UNKNOWABLE},
        {"SELECT /*M! 1 */ + 1", 0, KEY_FOUND},
        {"SELECT /*M! 1 */ + 1", READING, KEY_UNKNOWABLE},
        {"SELECT 1", TEXT, KEY_UNKNOWABLE},
        {"SELECT 1", MEMORY, KEY_FOUND}, /* by its text */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text_session session;
        struct statement statement;
        struct key key;
        begin(&session, &statement, rows[i].statement, rows[i].missing);
        assert_int_equal(key_of(&statement, 0, &key), rows[i].answer);
        if (rows[i].answer == KEY_FOUND)
            assert_true(text_is(key.database, "shop"));
        text_session_close(&session);
    }
}

static void the_mode_of_an_unknown_account_is_the_strictest(void **state)
{
    struct rules *rules =
        test_read_rules(state, "[[account]]\naccounts = [\"root@*\"]\nmode = \"OFF\"\n"
                               "[[account]]\naccounts = [\"a@*\"]\nmode = \"DETECTING\"\n");
    assert_int_equal(rules_strictest_mode(rules, FIREWALL_OFF), FIREWALL_DETECTING);
    assert_int_equal(rules_strictest_mode(rules, FIREWALL_PROTECTING), FIREWALL_PROTECTING);
    assert_int_equal(rules_strictest_mode(NULL, FIREWALL_RECORDING), FIREWALL_RECORDING);
    rules_free(rules);
    struct allow_lists *lists = allow_lists_new();
    assert_true(allow_lists_are_empty(lists));
    assert_int_equal(allow_lists_strictest_mode(lists), NO_MODE);
    account_set_mode(allow_lists_make(lists, text_of("a@%")), FIREWALL_PROTECTING);
    account_set_mode(allow_lists_make(lists, text_of("b@%")), FIREWALL_OFF);
    assert_int_equal(allow_lists_strictest_mode(lists), FIREWALL_PROTECTING);
    assert_false(allow_lists_are_empty(lists));
    allow_lists_free(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_condition_is_blind_without_its_facts),
        cmocka_unit_test(an_older_hosts_silence_is_not_taken_for_known),
        cmocka_unit_test(an_execution_without_a_text_is_not_known),
        cmocka_unit_test(what_is_not_known_is_on_no_list),
        cmocka_unit_test(the_mode_of_an_unknown_account_is_the_strictest),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
