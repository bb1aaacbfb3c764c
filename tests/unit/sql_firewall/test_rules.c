/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules say to statements, and what files of rules are refused. */
#include <stdio.h>

#include "firewall_test.h"

#define DENY(conditions) "[[deny]]\nname = \"r\"\n" conditions "\n"

/* '+' it passes, '-' a rule denies it, '?' a rule that is blind to it does. */
static char verdict(const struct rules *rules, const char *text, size_t size)
{
    struct text_session session;
    struct statement statement;
    const char *blind = NULL;
    test_statement(&session, &statement, text, size);
    const struct rule *rule = rules_deny(rules, &statement, &blind, NULL);
    text_session_close(&session);
    return !rule ? '+' : blind ? '?' : '-';
}

static void conditions_hold_for_what_they_say(void **state)
{
    static const struct {
        const char *rule, *statement;
        char verdict;
    } rows[] = {
        {DENY("kinds = [\"Drop*\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"drop?able\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]"), "SELECT 'DROP TABLE t'", '+'},
        {DENY("kinds = [\"Drop*\"]"), "BEGIN NOT ATOMIC DROP TABLE t; END", '-'},
        {DENY("kinds = [\"Drop*\"]"), "EXECUTE IMMEDIATE 'DROP TABLE t'", '-'},
        {DENY("kinds = [\"Drop*\"]"), "EXECUTE IMMEDIATE @x", '?'},
        {DENY("kinds = [\"Drop*\"]\nblind = \"pass\""), "EXECUTE IMMEDIATE @x", '+'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"app@*\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"APP@*\"]"), "DROP TABLE t", '+'},
        {DENY("kinds = [\"Drop*\"]\nexcept_accounts = [\"app@*\"]"), "DROP TABLE t", '+'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"'app'@'%'\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"`app`\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"app\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"'app'@'*'\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]\naccounts = [\"a*\"]"), "DROP TABLE t", '-'},
        {DENY("kinds = [\"Drop*\"]\nexcept_accounts = [\"'app'\"]"), "DROP TABLE t", '+'},
        {DENY("kinds = [\"Drop*\"]\ncommands = [\"Prepare\"]"), "DROP TABLE t", '+'},
        {DENY("kinds = [\"Drop*\"]\nlog_only = true"), "DROP TABLE t", '+'},
        {DENY("tables = [\"shop.*\"]\naccess = [\"write\"]"), "UPDATE t SET a = 1", '-'},
        {DENY("tables = [\"shop.*\"]\naccess = [\"write\"]"), "SELECT * FROM t", '+'},
        {DENY("tables = [\"*.Secret\"]"), "SELECT 1 FROM a.b, c.secret", '-'},
        {DENY("tables = [\"*.secret\"]"),
         "SELECT 1 FROM a, b, c, d, e, f, g, h, i, j, k, secret, l", '-'},
        {DENY("tables = [\"*.secret\"]"), "SELECT 1 FROM a, b, c, d, e, f, g, h, i, j", '+'},
        {DENY("tables = [\"*.secret\"]"), "EXECUTE IMMEDIATE 'SELECT 1 FROM secret'", '-'},
        {DENY("tables = [\"*.secret\"]"), "EXECUTE IMMEDIATE CONCAT('SELECT', ' 1')", '?'},
        {DENY("tables = [\"*.secret\"]"), "SELECT 1 FROM `x`.`y.secret`", '-'},
        {DENY("tables = [\"a.b.c\"]"), "SELECT 1 FROM `a.b`.c, t", '-'},
        {DENY("tables = [\"a?b.c\"]"), "SELECT 1 FROM a.`b.c`", '-'},
        {DENY("tables = [\"*.?ecret\", \"*.x\"]"), "SELECT 1 FROM a.SECRET", '-'},
        {DENY("tables = [\"*.t\"]\nkinds = [\"*\"]"), "SELECT 1 FROM T", '-'},
        {DENY("missing_where = true"), "DELETE FROM t", '-'},
        {DENY("missing_where = true"), "DELETE FROM t WHERE a = 1", '+'},
        {DENY("missing_where = true\nkinds = [\"Update\"]"), "DELETE FROM t", '+'},
        {DENY("tables_known = false"), "EXECUTE IMMEDIATE @x", '-'},
        {DENY("tables_known = false"), "SELECT 1", '+'},
        {DENY("tables = [\"*.secret\"]"), "CALL p()", '?'},
        {DENY("tables = [\"*.secret\"]"), "SELECT f(1)", '?'},
        {DENY("tables = [\"*.secret\"]"), "SELECT ABS(1), COUNT(*) FROM t", '+'},
        {DENY("tables = [\"*.secret\"]"), "PREPARE s FROM 'CALL p()'", '?'},
        {DENY("tables = [\"*.secret\"]\nblind = \"pass\""), "CALL p()", '+'},
        {"trusted_routines = [\"shop.p\"]\n" DENY("tables = [\"*.secret\"]"), "CALL P()", '+'},
        {"trusted_routines = [\"shop.p\"]\n" DENY("tables = [\"*.secret\"]"), "CALL p(f(1))", '?'},
        {"trusted_routines = [\"shop.p\"]\n" DENY("tables = [\"*.secret\"]"), "CALL q()", '?'},
        {"trusted_routines = [\"shop.p\"]\n" DENY("tables = [\"*.secret\"]"), "CALL other.p()",
         '?'},
        {"trusted_routines = [\"*.*\"]\n" DENY("tables = [\"*.secret\"]"),
         "SELECT f(a) FROM secret", '-'},
        {"trusted_routines = [\"*.*\"]\n" DENY("tables = [\"*.secret\"]"), "EXECUTE IMMEDIATE @x",
         '?'},
        {"trusted_routines = [\"a.b.c\"]\n" DENY("tables = [\"*.secret\"]"), "CALL a.b.c()", '+'},
        {"trusted_routines = [\"a.b.c\"]\n" DENY("tables = [\"*.secret\"]"), "CALL `a.b`.c()", '?'},
        {"trusted_routines = [\"*.*\"]\n" DENY("tables_known = false"), "CALL p()", '+'},
        {DENY("tables_known = false"), "CALL p()", '-'},
        {DENY("kinds = [\"Drop*\"]"), "CALL p()", '+'},
        {DENY("kinds = [\"Drop*\"]"), "PREPARE s FROM 'CALL p()'", '+'},
        {DENY("kinds = [\"Drop*\"]"), "BEGIN NOT ATOMIC CALL p(); EXECUTE IMMEDIATE @x; END", '?'},
        {DENY("routines = [\"sys.*\"]"), "CALL sys.table_exists('a', 'b', @c)", '-'},
        {DENY("routines = [\"sys.*\"]"), "SELECT sys.format_bytes(1)", '-'},
        {DENY("routines = [\"sys.*\"]"), "SELECT 1", '+'},
        {DENY("routines = [\"sys.*\"]"), "CALL p()", '+'},
        {DENY("routines = [\"sys.*\"]"), "EXECUTE IMMEDIATE @x", '?'},
        {DENY("routines = [\"shop.p\"]"), "BEGIN NOT ATOMIC CALL p(); END", '-'},
        {DENY("digest_exact = false"), "SELECT /*M! 1 */ + 2", '-'},
        {DENY("digest_exact = false"), "SELECT 1", '+'},
        {DENY("statements_over = 1"), "SELECT 1", '+'},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rules *rules = test_read_rules(state, rows[i].rule);
        char found = verdict(rules, rows[i].statement, strlen(rows[i].statement));
        if (found != rows[i].verdict)
            fail_msg("%s%s: %c", rows[i].rule, rows[i].statement, found);
        rules_free(rules);
    }
}

static void a_rule_can_ask_for_certificates(void **state)
{
    static const struct {
        const char *rule, *tls, *subject;
        char verdict;
    } rows[] = {
        {DENY("without_tls = true"), NULL, NULL, '-'},
        {DENY("without_tls = true"), "TLSv1.3", NULL, '+'},
        {DENY("without_tls = true\naccounts = [\"other\"]"), NULL, NULL, '+'},
        {DENY("except_subjects = [\"CN=app,*\"]"), "TLSv1.3", "CN=app,O=E", '+'},
        {DENY("except_subjects = [\"CN=app,*\"]"), "TLSv1.3", "CN=App,O=E", '-'},
        {DENY("except_subjects = [\"*\"]"), "TLSv1.3", "CN=x", '+'},
        {DENY("except_subjects = [\"*\"]"), "TLSv1.3", NULL, '-'},
        {DENY("except_subjects = [\"*\"]"), NULL, NULL, '-'},
        {DENY("except_issuers = [\"CN=ca\"]"), "TLSv1.3", "CN=x", '+'},
        {DENY("except_issuers = [\"CN=ca\"]"), "TLSv1.3", NULL, '-'},
        {DENY("except_subjects = [\"CN=x\"]\nexcept_issuers = [\"CN=b\"]"), "TLSv1.3", "CN=x", '-'},
        {DENY("except_subjects = [\"CN=y\"]\nexcept_issuers = [\"CN=ca\"]"), "TLSv1.3", "CN=x",
         '-'},
        {DENY("except_subjects = [\"CN=x\"]\nkinds = [\"Drop*\"]"), NULL, NULL, '+'},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rules *rules = test_read_rules(state, rows[i].rule);
        struct text_session session;
        struct statement statement;
        const char *blind = NULL;
        test_statement(&session, &statement, "SELECT 1", 8);
        if (rows[i].tls)
            session.session.text[WEIR_TEXT_tls_version] =
                (weir_string){rows[i].tls, strlen(rows[i].tls)};
        if (rows[i].subject) {
            session.session.text[WEIR_TEXT_client_cert_subject] =
                (weir_string){rows[i].subject, strlen(rows[i].subject)};
            session.session.text[WEIR_TEXT_client_cert_issuer] = (weir_string){"CN=ca", 5};
        }
        const bool passes = !rules_deny(rules, &statement, &blind, NULL);
        if (passes != (rows[i].verdict == '+'))
            fail_msg("%s: %d with %s", rows[i].rule, passes,
                     rows[i].subject ? rows[i].subject : "none");
        text_session_close(&session);
        rules_free(rules);
    }
}

static void a_regex_sees_each_statement_in_a_text(void **state)
{
    static const struct {
        const char *statement;
        char verdict;
    } rows[] = {
        {"SELECT 1 UNION SELECT 2", '-'},
        {"SELECT 'union'", '+'},
        {"EXECUTE IMMEDIATE 'SELECT 1 UNION SELECT 2'", '-'},
        {"EXECUTE IMMEDIATE 'SELECT 1'", '+'},
        {"PREPARE p FROM 'SELECT ''union'''", '+'},
        {"PREPARE p FROM 'SELECT 1 union all SELECT 2'", '-'},
        {"PREPARE p FROM 'SELECT ''x'' /*M! UNION SELECT 2 */'", '?'},
        {"EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''SELECT 1 UNION SELECT 2'''", '-'},
        {"EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE @x'", '?'},
        {"EXECUTE IMMEDIATE 'BEGIN NOT ATOMIC SELECT 1; SELECT 1 UNION SELECT 2; END'", '-'},
        {"BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT 1'; EXECUTE IMMEDIATE @x; END", '?'},
        {"BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT 1'; EXECUTE IMMEDIATE 'SELECT 2'; END", '+'},
        {"EXECUTE IMMEDIATE 'SELECT ''x'", '?'},
        {"EXECUTE IMMEDIATE @x", '?'},
        {"SELECT 1 /*M! UNION SELECT 2 */", '?'},
        {"SELECT `a\xff` FROM t", '+'},
        {"SELECT 1 AS `a\xff` UNION SELECT 2", '-'},
        {"SELECT 'a\xff'", '+'},
    };
    struct rules *rules = test_read_rules(state, DENY("regex = \"\\\\bunion\\\\b\""));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char found = verdict(rules, rows[i].statement, strlen(rows[i].statement));
        if (found != rows[i].verdict)
            fail_msg("%s: %c", rows[i].statement, found);
    }
    rules_free(rules);
}

static void a_regex_that_takes_too_long_cannot_tell(void **state)
{
    struct rules *rules = test_read_rules(state, DENY("regex = \"`(a+)+[bd]\""));
    char text[200] = "SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac";
    assert_int_equal(verdict(rules, text, strlen(text)), '?');
    rules_free(rules);
}

static void a_digest_is_also_looked_for_in_texts(void **state)
{
    struct text_session session;
    struct statement statement;
    char text[200];
    test_statement(&session, &statement, "SELECT a FROM t WHERE b = 5", 27);
    snprintf(text, sizeof text, DENY("digests = [\"%.64s\"]"), session.digest);
    text_session_close(&session);
    struct rules *rules = test_read_rules(state, text);
    static const char *const denied[] = {"select a from t where b = 'x'",
                                         "PREPARE p FROM 'SELECT a FROM t WHERE b = ?'",
                                         "EXECUTE IMMEDIATE 'SELECT a FROM t WHERE b = 1'"};
    static const char *const passing[] = {"select a from t where c = 'x'",
                                          "PREPARE p FROM 'SELECT a FROM t'"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(verdict(rules, denied[i], strlen(denied[i])), '-');
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(verdict(rules, passing[i], strlen(passing[i])), '+');
    assert_int_equal(verdict(rules, "EXECUTE IMMEDIATE @x", 20), '?');
    rules_free(rules);
}

static const struct rule *limiting[4];
static size_t limiting_count;

static void note_limit(struct statement *statement, const struct rule *rule)
{
    (void)statement;
    limiting[limiting_count++] = rule;
}

static void rules_that_limit_deny_nothing(void **state)
{
    struct rules *rules =
        test_read_rules(state, "[[deny]]\nname = \"a\"\nrows_over = 10\n"
                               "[[deny]]\nname = \"b\"\nkinds = [\"Drop*\"]\nseconds_over = 1\n"
                               "[[deny]]\nname = \"c\"\nkinds = [\"Insert\"]\n"
                               "[[deny]]\nname = \"d\"\naccounts = [\"app\"]\nbytes_over = 5\n");
    static const struct {
        const char *text, *denied, *limited;
    } rows[] = {{"SELECT 1", "", "ad"},
                {"EXECUTE IMMEDIATE @x", "c", "ab"}, /* it may be a DROP, and it may be an INSERT */
                {"DROP TABLE t", "", "abd"},
                {"INSERT INTO t VALUES (1)", "c", "a"}};
    assert_true(rules_deny_something(rules));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text_session session;
        struct statement statement;
        const char *blind = NULL;
        char names[5] = "";
        test_statement(&session, &statement, rows[i].text, strlen(rows[i].text));
        statement.limited = note_limit;
        limiting_count = 0;
        const struct rule *rule = rules_deny(rules, &statement, &blind, NULL);
        assert_string_equal(rule ? rule->name : "", rows[i].denied);
        for (size_t j = 0; j < limiting_count; j++)
            names[j] = limiting[j]->name[0];
        assert_string_equal(names, rows[i].limited);
        text_session_close(&session);
    }
    rules_free(rules);
}

static void the_first_fitting_account_gives_the_mode(void **state)
{
    struct rules *rules = test_read_rules(
        state, "[[account]]\naccounts = [\"root@*\", \"ops@10.?\"]\nmode = \"off\"\n"
               "[[account]]\naccounts = [\"*\"]\nmode = \"DETECTING\"\n");
    assert_int_equal(rules_mode(rules, (weir_string){"ops@10.7", 8}, FIREWALL_PROTECTING),
                     FIREWALL_OFF);
    assert_int_equal(rules_mode(rules, (weir_string){"ops@10.77", 9}, FIREWALL_PROTECTING),
                     FIREWALL_DETECTING);
    assert_int_equal(rules_mode(NULL, (weir_string){"ops@10.77", 9}, FIREWALL_PROTECTING),
                     FIREWALL_PROTECTING);
    rules_free(rules);
}

static void files_with_mistakes_are_refused_by_line(void **state)
{
    static const struct {
        const char *text, *problem; /* after the path */
    } rows[] = {
        {"x = 1\n", ":1: there is no \"x\""},
        {"unknown_accounts = \"no\"\n", ":1: \"unknown_accounts\" is \"allow\" or \"refuse\""},
        {"deny = 5\n", ":1: \"deny\" is no list of strings"},
        {"deny = [5]\n", ":1: \"deny\" is no [[deny]]"},
        {DENY("kind = [\"Drop\"]"), ":3: a rule has no \"kind\""},
        {DENY("kinds = []"), ":3: \"kinds\" is no list of strings"},
        {DENY("kinds = [5]"), ":3: \"kinds\" is no string"},
        {DENY("kinds = [\"a\\u0000b\"]"), ":3: \"kinds\" has a NUL byte in it"},
        {DENY("regex = \"(\""), ":3: \"regex\": missing closing parenthesis, at byte 1"},
        {DENY("tables = [\"t\"]"),
         ":3: \"t\" names no schema; write \"schema.table\" or \"*.table\""},
        {DENY("access = [\"read\"]"),
         ":1: \"access\" without \"tables\"; for all of them write [\"*.*\"]"},
        {DENY("tables_known = true"), ":3: \"tables_known\" can only be false"},
        {DENY("statements_over = 0"), ":3: \"statements_over\" is no number from 1 on"},
        {DENY("missing_where = 1"), ":3: \"missing_where\" is neither true nor false"},
        {DENY("blind = \"see\""), ":3: \"blind\" is \"refuse\" or \"pass\""},
        {DENY("accounts = [\"'app@%\"]"),
         ":3: \"'app@%\" is no account: it has a quote that is not closed"},
        {DENY("except_accounts = [\"%\"]"),
         ":3: \"%\" is no account: it is of the user named \"%\": user names have no wildcards"},
        {"[[account]]\nmode = \"OFF\"\naccounts = [\"a b\"]\n",
         ":3: \"a b\" is no account: it has a space or a quote in a name without quotes; write "
         "'user'@'host'"},
        {DENY("rows_over = 0"), ":3: \"rows_over\" is no number from 1 on"},
        {DENY("seconds_over = 5\nlog_only = true"),
         ":1: the rule \"r\" limits replies, and can have neither \"rate\" nor \"log_only\""},
        {DENY("rate = 0"), ":3: \"rate\" is no number from 1 on"},
        {DENY("rate = 1000001"), ":3: \"rate\" is more than 1000000"},
        {DENY("rate = 5\nper = [\"user\"]"), ":4: \"user\" is neither \"account\" nor \"digest\""},
        {DENY("kinds = [\"*\"]\nburst = 5"),
         ":1: the rule \"r\" has \"burst\" or \"per\" without \"rate\""},
        {DENY("sessions_over = 0"), ":3: \"sessions_over\" is no number from 1 on"},
        {DENY("kinds = [\"*\"]\nmessage = \"\""), ":4: \"message\" has 1 to 479 bytes"},
        {DENY("commands = [\"Qeury\"]"),
         ":3: there is no command \"Qeury\"; did you mean \"Query\"?"},
        {DENY("kinds = [\"Selcet\"]"), ":3: there is no kind \"Selcet\"; did you mean \"Select\"?"},
        {DENY("kinds = [\"Xyzzy*\"]"), ":3: there is no kind \"Xyzzy*\""},
        {DENY("digests = [\"xyz\"]"), ":3: \"xyz\" is no digest; a digest has 64 hex digits"},
        {DENY("digests = [\"12ab\"]"), ":3: \"12ab\" is no digest; a digest has 64 hex digits"},
        {DENY("tables = [\"`a`.b\"]"),
         ":3: \"`a`.b\" has quotes; names of tables are written without"},
        {DENY("regex = \"DROP\""),
         ":3: \"regex\" can never match: it needs a capital letter, and normalised texts are in "
         "lower case; write it so, or begin with (?i)"},
        {DENY("regex = \"\\\\bselect .* INTO OUTFILE\""),
         ":3: \"regex\" can never match: it needs a capital letter, and normalised texts are in "
         "lower case; write it so, or begin with (?i)"},
        {DENY(""), ":1: the rule \"r\" has no condition, and would deny every statement; if it "
                   "shall, write kinds = [\"*\"]"},
        {DENY("missing_where = false\nlog_only = true"),
         ":1: the rule \"r\" has no condition, and would deny every statement; if it shall, write "
         "kinds = [\"*\"]"},
        {DENY("kinds = [\"Select\"]\nmissing_where = true"),
         ":1: the rule \"r\" can never deny: \"missing_where\" is about Update and Delete, and its "
         "\"kinds\" are others"},
        {DENY("except_accounts = [\"*\"]\nkinds = [\"*\"]"),
         ":1: the rule \"r\" can never deny: \"except_accounts\" leaves it no account"},
        {DENY("accounts = [\"a@%\"]\nexcept_accounts = [\"'a'\"]"),
         ":1: the rule \"r\" can never deny: \"except_accounts\" leaves it no account"},
        {"[[deny]]\nmissing_where = true\n", ":1: a rule has no \"name\""},
        {"[[account]]\naccounts = [\"a\"]\n", ":1: an account needs \"accounts\" and \"mode\""},
        {"[[account]]\naccounts = [\"a\"]\nmode = \"ON\"\n",
         ":3: \"ON\" is no mode; it is OFF, RECORDING, DETECTING or PROTECTING"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {""};
        const char *path = test_path(state, "rules.toml");
        fake_host.known_name = text_session_known_name;
        test_write(path, rows[i].text, strlen(rows[i].text));
        assert_null(rules_read(path, &error));
        assert_memory_equal(error.message, path, strlen(path));
        assert_string_equal(error.message + strlen(path), rows[i].problem);
    }
}

/* "FILE:3: " is before it; empty: there is none. */
static void what_may_match_nothing_is_a_warning(void **state)
{
    static const struct {
        const char *regex, *warning;
    } rows[] = {
        {"drop|TRUNCATE", "\"regex\" looks for the capital letter T, which no normalised text has; "
                          "write it in lower case, or begin with (?i)"},
        {"a = 'x'|b",
         "\"regex\" looks for a ', which no normalised text has: literals are question "
         "marks there"},
        {"(?i)DROP", ""},
        {"(?i:DROP)", ""},
        {"[A-Z]", ""},
        {"[]A]x", ""},
        {"[[:upper:]A]|x", ""},
        {"\\\\Sx\\\\W\\\\p{Lu}\\\\pL\\\\x4A|x", ""},
        {"\\\\QDROP\\\\E|x", ""},
        {"(?<Name>x)(?=y)(?<!z)|(*ACCEPT)(?#Drop)x", ""},
        {"(?P<Name>x)(?'Other'y)", ""},
        {"drop", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, DENY("regex = \"%s\""), rows[i].regex);
        struct rules *rules = test_read_rules(state, text);
        const char *found = rules->warnings.count ? rules->warnings.items[0] : ":3: ";
        assert_string_equal(strstr(found, ":3: ") + 4, rows[i].warning);
        rules_free(rules);
    }
}

/* A host that does not know the names leaves them to the weir-firewall of its version. */
static void an_older_host_does_not_check_names(void **state)
{
    struct error error = {""};
    const char *path = test_path(state, "rules.toml");
    const char *text = DENY("commands = [\"Qeury\"]");
    test_write(path, text, strlen(text));
    fake_host.known_name = NULL;
    struct rules *rules = rules_read(path, &error);
    assert_non_null(rules);
    rules_free(rules);
}

static void what_cannot_be_read_says_so(void **state)
{
    struct error error = {""};
    char expected[ERROR_MESSAGE_BYTES];
    const char *path = test_path(state, "nothing");
    assert_null(rules_read(path, &error));
    snprintf(expected, sizeof expected, "%s: No such file or directory", path);
    assert_string_equal(error.message, expected);
    static const char *const texts[] = {"a = = 1\n", "[[)\n"};
    for (size_t i = 0; i < 2; i++) {
        test_write(path, texts[i], strlen(texts[i]));
        assert_null(rules_read(path, &error));
        snprintf(expected, sizeof expected, "%s:1: ", path);
        assert_memory_equal(error.message, expected, strlen(expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_hold_for_what_they_say),
        cmocka_unit_test(a_rule_can_ask_for_certificates),
        cmocka_unit_test(a_regex_sees_each_statement_in_a_text),
        cmocka_unit_test(a_regex_that_takes_too_long_cannot_tell),
        cmocka_unit_test(a_digest_is_also_looked_for_in_texts),
        cmocka_unit_test(rules_that_limit_deny_nothing),
        cmocka_unit_test(the_first_fitting_account_gives_the_mode),
        cmocka_unit_test(files_with_mistakes_are_refused_by_line),
        cmocka_unit_test(what_may_match_nothing_is_a_warning),
        cmocka_unit_test(an_older_host_does_not_check_names),
        cmocka_unit_test(what_cannot_be_read_says_so),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
