/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of a client: its databases, and that it counts. */
#include "visit.h"

#include "filter_test.h"
#include "text_session.h"

static void statements_keep_to_the_databases(void **state)
{
    static const struct {
        const char *statement;
        bool allowed;
    } rows[] = {
        {"SELECT * FROM t", true},
        {"SELECT * FROM shop.t JOIN test.u", true},
        {"SELECT * FROM t, other.t", false},
        {"INSERT INTO t SELECT * FROM other.t", false},
        {"SELECT * FROM information_schema.tables", true},
        {"SELECT * FROM INFORMATION_SCHEMA.tables", true},
        {"SELECT * FROM Shop.t", false},
        {"SELECT 1", true},
        {"DROP DATABASE shop", false},
        {"CREATE DATABASE shop", false},
        {"BEGIN NOT ATOMIC DROP DATABASE other; END", false},
        {"EXECUTE IMMEDIATE 'SELECT * FROM other.t'", false},
        {"EXECUTE IMMEDIATE 'SELECT * FROM shop.t'", true},
        {"EXECUTE IMMEDIATE @x", false},
    };
    char *databases[] = {"shop", "test", NULL};
    struct visit visit = {0};
    (void)state;
    assert_true(visit_set_databases(&visit, databases));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text_session session;
        text_session_open(&session);
        session.database = (struct sql_span){"shop", 4};
        sql_mode_set_server(&session.mode, (struct sql_span){"10.11.6-MariaDB", 15});
        struct sql_span text = {rows[i].statement, strlen(rows[i].statement)};
        assert_true(text_session_read(&session, text, 1));
        if (visit_allows(&visit, &session.session) != rows[i].allowed)
            fail_msg("%s", rows[i].statement);
        text_session_close(&session);
    }
    visit_end(&visit);
    assert_null(visit.databases);
}

/* What is not known could be anything: it is refused. */
static void what_is_not_known_is_in_no_database(void **state)
{
    enum { DATABASE = 1, READING = 2, TEXT = 4 };
    static const struct {
        const char *statement;
        unsigned missing;
        uint64_t command;
        bool allowed;
    } rows[] = {
        {"SELECT * FROM t", 0, 0x03, true},
        {"SELECT * FROM t", DATABASE, 0x03, false},
        {"SELECT * FROM shop.t", DATABASE, 0x03, true},
        {"SELECT * FROM shop.t", READING, 0x03, false},
        {"SELECT 1", READING, 0x03, false},
        {"CALL p(ABS(1))", 0, 0x03, true},
        {"CALL p(f(1))", DATABASE, 0x03, false},
        {"CALL other.p()", 0, 0x03, false},
        {"SELECT shop.f(1) FROM t", 0, 0x03, true},
        {"SELECT other.f(1) FROM t", 0, 0x03, false},
        {"", TEXT, 0x17, false}, /* prepared while no plugin looked */
        {"", TEXT, 0xfa, false},
        {"", TEXT, 0x0e, true}, /* a ping */
    };
    char *databases[] = {"shop", NULL};
    struct visit visit = {0};
    (void)state;
    assert_true(visit_set_databases(&visit, databases));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text_session session;
        text_session_open(&session);
        if (!(rows[i].missing & DATABASE))
            session.database = (struct sql_span){"shop", 4};
        session.mode.unsure = (rows[i].missing & READING) != 0;
        struct sql_span text = {rows[i].statement, strlen(rows[i].statement)};
        assert_true(text_session_read(&session, text, 1));
        session.session.number[WEIR_NUMBER_command_code] = rows[i].command;
        if (rows[i].missing & TEXT) {
            session.session.text[WEIR_TEXT_sql] = (weir_string){NULL, 0};
            session.session.number[WEIR_NUMBER_tables_known] = 1;
            session.session.number[WEIR_NUMBER_names_known] = 1;
            session.session.part_count = 0;
        }
        if (visit_allows(&visit, &session.session) != rows[i].allowed)
            fail_msg("%zu: %s", i, rows[i].statement);
        text_session_close(&session);
    }
    visit_end(&visit);
}

static void a_visit_that_ends_counts_no_longer(void **state)
{
    struct tally_limits limits = {.connections = 1};
    struct visit visit = {.address = {5, "4abcd"}, .account = {4, "uapp"}};
    (void)state;
    assert_int_equal(tally_enter(&visit.address, &limits, 1), TALLY_OK);
    assert_int_equal(tally_enter(&visit.account, &limits, 1), TALLY_OK);
    struct visit copy = visit;
    visit_end(&visit);
    assert_int_equal(visit.address.size, 0);
    assert_int_equal(tally_enter(&copy.address, &limits, 1), TALLY_OK);
    assert_int_equal(tally_enter(&copy.account, &limits, 1), TALLY_OK);
    visit_end(&visit); /* a second end is none */
    assert_int_equal(tally_enter(&copy.address, &limits, 1), TALLY_TOO_MANY);
    tally_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_keep_to_the_databases),
        cmocka_unit_test(what_is_not_known_is_in_no_database),
        cmocka_unit_test(a_visit_that_ends_counts_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
