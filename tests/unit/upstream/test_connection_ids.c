/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection id map: ids are unique while they are in it, and found from any thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "gateway/upstream/connection_ids.h"

#define SIGNED_MAXIMUM 0x7fffffffU /* what a driver that reads ids as signed can take */
#define FIRST          0x40000000U

static bool add(struct connection_ids *ids, uint32_t id, uint32_t server_id)
{
    return connection_ids_add(ids, id, 0, server_id, NULL);
}

static bool find(struct connection_ids *ids, uint32_t id, uint32_t *server_id)
{
    struct connection_place place = {0};
    const bool found = connection_ids_find(ids, id, NULL, &place);
    *server_id = place.server_id;
    return found;
}

/* Two servers count for themselves, so that both have a connection 77. */
static void an_id_belongs_to_a_server_and_a_user(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    struct connection_place place;
    const uint32_t id = connection_ids_next(ids), other = connection_ids_next(ids);
    assert_true(connection_ids_add(ids, id, 0, 77, "app"));
    assert_true(connection_ids_add(ids, other, 3, 77, "root"));
    assert_true(connection_ids_find(ids, id, "app", &place));
    assert_true(place.server == 0 && place.server_id == 77 && place.is_same_user);
    assert_true(connection_ids_find(ids, other, "app", &place));
    assert_true(place.server == 3 && place.server_id == 77 && !place.is_same_user);
    assert_true(connection_ids_find(ids, id, NULL, &place));
    assert_false(place.is_same_user);
    assert_true(connection_ids_add(ids, id, 0, 77, "root")); /* COM_CHANGE_USER */
    assert_true(connection_ids_find(ids, id, "app", &place));
    assert_false(place.is_same_user);
    assert_true(connection_ids_find(ids, id, "root", &place));
    assert_true(place.is_same_user && place.server_id == 77);
    connection_ids_free(ids);
}

static void ids_are_told_apart_from_a_servers(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    assert_non_null(ids);
    uint32_t first = connection_ids_next(ids), second = connection_ids_next(ids);
    assert_int_equal(first, SIGNED_MAXIMUM);
    assert_int_equal(second, SIGNED_MAXIMUM - 1);
    for (uint32_t id = 1; id < FIRST; id = id * 3 + 1) /* the server's own are its own */
        connection_ids_saw(ids, id);
    assert_int_equal(connection_ids_next(ids), SIGNED_MAXIMUM - 2);
    connection_ids_free(ids);
    connection_ids_free(NULL);
}

static void an_id_that_the_server_has_reached_is_nobodys(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    uint32_t id = connection_ids_next(ids), higher = 0, found = 0;
    assert_true(add(ids, id, 77));
    connection_ids_saw(ids, id - 1);
    assert_true(find(ids, id, &found));
    assert_int_equal(found, 77);
    connection_ids_saw(ids, id);
    connection_ids_saw(ids, 5); /* the server has begun again: what it has used is not forgotten */
    assert_true(find(ids, id, &found));
    assert_int_equal(found, CONNECTION_ID_OF_NOBODY);
    higher = connection_ids_next(ids);
    assert_int_equal(higher, 0xffffffffU); /* no room is left below 2^31 */
    assert_true(add(ids, higher, 78));
    assert_true(find(ids, higher, &found));
    assert_int_equal(found, 78);
    connection_ids_saw(ids, 0xffffffffU); /* no room is left at all */
    assert_true(find(ids, higher, &found));
    assert_int_equal(found, CONNECTION_ID_OF_NOBODY);
    assert_int_equal(connection_ids_next(ids), id - 1);
    connection_ids_free(ids);
}

static void ids_are_used_again_from_the_end(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    const uint32_t room = 1U << 21;
    connection_ids_saw(ids, SIGNED_MAXIMUM - room); /* just enough */
    assert_true(add(ids, connection_ids_next(ids), 77));
    for (uint32_t i = 1; i < room; i++)
        assert_int_equal(connection_ids_next(ids), SIGNED_MAXIMUM - i);
    assert_int_equal(connection_ids_next(ids), SIGNED_MAXIMUM - 1); /* the first is in use */
    connection_ids_free(ids);
}

static void an_id_is_found_until_it_is_removed(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    uint32_t id = connection_ids_next(ids), other = connection_ids_next(ids), found = 0;
    assert_false(find(ids, id, &found));
    assert_true(add(ids, id, 77));
    assert_true(add(ids, other, 78));
    assert_true(find(ids, id, &found));
    assert_int_equal(found, 77);
    connection_ids_remove(ids, id);
    connection_ids_remove(ids, id); /* is in the map no more */
    assert_false(find(ids, id, &found));
    assert_true(find(ids, other, &found));
    assert_int_equal(found, 78);
    connection_ids_free(ids); /* with an entry left */
}

#define THREADS 4
#define ROUNDS  2000

static void *come_and_go(void *user)
{
    struct connection_ids *ids = user;
    size_t wrong = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t id = connection_ids_next(ids), found = 0;
        wrong += !add(ids, id, i);
        wrong += !find(ids, id, &found) || found != i;
        connection_ids_remove(ids, id);
        wrong += find(ids, id, &found);
    }
    return (void *)wrong;
}

static void threads_share_it(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, ids), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    connection_ids_free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_belongs_to_a_server_and_a_user),
        cmocka_unit_test(ids_are_told_apart_from_a_servers),
        cmocka_unit_test(an_id_that_the_server_has_reached_is_nobodys),
        cmocka_unit_test(ids_are_used_again_from_the_end),
        cmocka_unit_test(an_id_is_found_until_it_is_removed),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
