/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of an account: never more than the limit have a position within it. */
#include "crowd.h"

#include <stdlib.h>
#include <weir/text.h>

#include "firewall_test.h"

#define MOST     5
#define SESSIONS 20

static void sessions_have_the_positions_in_which_they_came(void **state)
{
    struct crowd_place a[3] = {{0}}, b = {0}, none = {0};
    (void)state;
    for (int i = 0; i < 3; i++)
        crowd_join(&a[i], text_of(i ? "app@h" : "app@H"));
    crowd_join(&b, text_of("bob@h"));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(crowd_position(&a[i]), i + 1);
    assert_int_equal(crowd_position(&b), 1);
    crowd_join(&none, (weir_string){NULL, 0});
    assert_int_equal(crowd_position(&none), 0);
    crowd_leave(&a[0]);
    crowd_leave(&a[0]);
    assert_int_equal(crowd_position(&a[0]), 0);
    assert_int_equal(crowd_position(&a[2]), 1); /* the last has got its number */
    assert_int_equal(crowd_position(&a[1]), 2);
    crowd_join(&a[2], text_of("bob@h")); /* a change of the user */
    assert_int_equal(crowd_position(&a[2]), 2);
    assert_int_equal(crowd_position(&a[1]), 1);
    crowd_leave(&a[1]);
    crowd_leave(&a[2]);
    crowd_leave(&b);
}

static void never_more_than_the_limit_are_within_it(void **state)
{
    struct crowd_place places[SESSIONS] = {{0}};
    unsigned seed = 20261127;
    (void)state;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1103515245U + 12345U;
        struct crowd_place *place = &places[(seed >> 16) % SESSIONS];
        if (place->crowd)
            crowd_leave(place);
        else
            crowd_join(place, text_of("app@%"));
        unsigned within = 0, there = 0;
        for (int i = 0; i < SESSIONS; i++) {
            there += places[i].crowd != NULL;
            within += places[i].crowd && crowd_position(&places[i]) <= MOST;
        }
        assert_int_equal(within, there < MOST ? there : MOST);
    }
    for (int i = 0; i < SESSIONS; i++)
        crowd_leave(&places[i]);
}

static void a_rule_denies_those_beyond(void **state)
{
    struct rules *rules =
        test_read_rules(state, "[[deny]]\nname = \"r\"\naccounts = [\"app\"]\nsessions_over = 2\n");
    assert_true(rules_ask_sessions(rules));
    for (unsigned position = 0; position < 5; position++) {
        struct text_session session;
        struct statement statement;
        const char *blind = NULL;
        test_statement(&session, &statement, "SELECT 1", 8);
        statement.session_position = position;
        assert_int_equal(rules_deny(rules, &statement, &blind, NULL) != NULL, position > 2);
        text_session_close(&session);
    }
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_have_the_positions_in_which_they_came),
        cmocka_unit_test(never_more_than_the_limit_are_within_it),
        cmocka_unit_test(a_rule_denies_those_beyond),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
