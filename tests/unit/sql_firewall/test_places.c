/* SPDX-License-Identifier: Apache-2.0
 *
 * A session's memory of databases: each prepared statement has the one that it was prepared in. */
#include "places.h"

#include <stdio.h>
#include <stdlib.h>
#include <weir/text.h>

#include "firewall_test.h"

static bool is_in(const weir_session *session, enum place_sort sort, uint64_t number,
                  const char *database)
{
    weir_string found = places_find(session, sort, number);
    return database ? found.data && text_is(found, database) : !found.data;
}

static void each_number_has_its_database(void **state)
{
    struct weir_session session;
    (void)state;
    fake_session_init(&session);
    assert_true(is_in(&session, PLACE_PREPARED, 1, NULL));
    places_drop(&session, PLACE_PREPARED, 1);
    places_drop_prepared(&session);
    places_free(&session);
    assert_null(session.data); /* nothing is kept for who prepares nothing */
    assert_true(places_put(&session, PLACE_PREPARED, 3, text_of("shop")));
    assert_true(places_put(&session, PLACE_PREPARED, 1, text_of("")));
    assert_true(places_put(&session, PLACE_PREPARED, 2, (weir_string){NULL, 0}));
    assert_true(places_put(&session, PLACE_BEGUN, 3, text_of("other")));
    assert_true(is_in(&session, PLACE_PREPARED, 1, ""));
    assert_true(is_in(&session, PLACE_PREPARED, 2, NULL));
    assert_true(is_in(&session, PLACE_PREPARED, 3, "shop"));
    assert_true(is_in(&session, PLACE_BEGUN, 3, "other"));
    assert_true(places_put(&session, PLACE_PREPARED, 3, text_of("anew")));
    assert_true(is_in(&session, PLACE_PREPARED, 3, "anew"));
    places_drop(&session, PLACE_PREPARED, 1);
    assert_true(is_in(&session, PLACE_PREPARED, 1, NULL));
    assert_true(is_in(&session, PLACE_PREPARED, 3, "anew"));
    places_drop_prepared(&session);
    assert_true(is_in(&session, PLACE_PREPARED, 3, NULL));
    assert_true(is_in(&session, PLACE_BEGUN, 3, "other"));
    places_free(&session);
    assert_null(session.data);
}

static void many_come_and_go(void **state)
{
    enum { MANY = 2000 };
    static bool is_there[MANY];
    struct weir_session session;
    (void)state;
    fake_session_init(&session);
    srand(7);
    for (int i = 0; i < 20000; i++) {
        char name[16];
        int number = rand() % MANY; /* NOLINT: any numbers will do */
        snprintf(name, sizeof name, "d%d", number);
        assert_true(
            is_in(&session, PLACE_PREPARED, (uint64_t)number, is_there[number] ? name : NULL));
        if (is_there[number])
            places_drop(&session, PLACE_PREPARED, (uint64_t)number);
        else
            assert_true(places_put(&session, PLACE_PREPARED, (uint64_t)number, text_of(name)));
        is_there[number] = !is_there[number];
    }
    places_free(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_has_its_database),
        cmocka_unit_test(many_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
