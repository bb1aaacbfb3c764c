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

static uint32_t next(struct connection_ids *ids)
{
    return connection_ids_next(ids, CONNECTION_IDS_ALONE);
}

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
    const uint32_t id = next(ids), other = next(ids);
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
    uint32_t first = next(ids), second = next(ids);
    assert_int_equal(first, SIGNED_MAXIMUM);
    assert_int_equal(second, SIGNED_MAXIMUM - 1);
    for (uint32_t id = 1; id < FIRST; id = id * 3 + 1) /* the server's own are its own */
        connection_ids_saw(ids, id);
    assert_int_equal(next(ids), SIGNED_MAXIMUM - 2);
    connection_ids_free(ids);
    connection_ids_free(NULL);
}

static void an_id_that_the_server_has_reached_is_nobodys(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    uint32_t id = next(ids), higher = 0, found = 0;
    assert_true(add(ids, id, 77));
    connection_ids_saw(ids, id - 1);
    assert_true(find(ids, id, &found));
    assert_int_equal(found, 77);
    connection_ids_saw(ids, id);
    connection_ids_saw(ids, 5); /* the server has begun again: what it has used is not forgotten */
    assert_true(find(ids, id, &found));
    assert_int_equal(found, CONNECTION_ID_OF_NOBODY);
    higher = next(ids);
    assert_int_equal(higher, 0xffffffffU); /* no room is left below 2^31 */
    assert_true(add(ids, higher, 78));
    assert_true(find(ids, higher, &found));
    assert_int_equal(found, 78);
    connection_ids_saw(ids, 0xffffffffU); /* no room is left at all */
    assert_true(find(ids, higher, &found));
    assert_int_equal(found, CONNECTION_ID_OF_NOBODY);
    assert_int_equal(next(ids), id - 1);
    connection_ids_free(ids);
}

static void ids_are_used_again_from_the_end(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    const uint32_t room = 1U << 21;
    connection_ids_saw(ids, SIGNED_MAXIMUM - room); /* just enough */
    assert_true(add(ids, next(ids), 77));
    for (uint32_t i = 1; i < room; i++)
        assert_int_equal(next(ids), SIGNED_MAXIMUM - i);
    assert_int_equal(next(ids), SIGNED_MAXIMUM - 1); /* the first is in use */
    connection_ids_free(ids);
}

static void an_id_is_found_until_it_is_removed(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    uint32_t id = next(ids), other = next(ids), found = 0;
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
        uint32_t id = next(ids), found = 0;
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

/* ---- In a cluster ---- */

#define NODE 1100U

static void an_id_says_whose_it_is(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    const uint32_t one = connection_ids_next(ids, NODE), two = connection_ids_next(ids, NODE);
    assert_int_equal(one, NODE << 20 | 0xfffff);
    assert_int_equal(two, one - 1);
    assert_int_equal(connection_ids_node(one), NODE);
    assert_int_equal(connection_ids_next(ids, CONNECTION_IDS_LAST_NODE), SIGNED_MAXIMUM);
    assert_int_equal(connection_ids_node(SIGNED_MAXIMUM), CONNECTION_IDS_LAST_NODE);
    assert_int_equal(connection_ids_node(0), CONNECTION_IDS_ALONE);
    assert_int_equal(connection_ids_node(FIRST - 1), CONNECTION_IDS_ALONE);
    connection_ids_free(ids);
}

/* Two that have none would otherwise give their clients the same ones. */
static void what_has_no_number_is_nobodys(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new(), *others = connection_ids_new();
    for (int i = 0; i < 1000; i++) {
        const uint32_t id = connection_ids_next(ids, CONNECTION_IDS_NUMBERLESS);
        assert_in_range(id, FIRST, FIRST + 0xfffff);
        assert_int_equal(connection_ids_node(id), CONNECTION_IDS_ALONE);
    }
    unsigned equal = 0;
    for (int i = 0; i < 3; i++, next(ids), next(others))
        equal += connection_ids_next(ids, CONNECTION_IDS_NUMBERLESS) ==
                 connection_ids_next(others, CONNECTION_IDS_NUMBERLESS);
    assert_in_range(equal, 0, 2); /* at random each time */
    connection_ids_free(ids);
    connection_ids_free(others);
}

/* Its clients may still hold the ids from before. */
static void a_node_that_had_no_number_for_a_while_goes_on_where_it_was(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    const uint32_t before = connection_ids_next(ids, NODE);
    assert_int_equal(connection_ids_node(connection_ids_next(ids, CONNECTION_IDS_NUMBERLESS)),
                     CONNECTION_IDS_ALONE);
    assert_int_equal(connection_ids_next(ids, NODE), before - 1);
    connection_ids_free(ids);
}

static void a_node_hands_its_part_out_again_but_for_what_is_in_use(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    const uint32_t kept = connection_ids_next(ids, NODE);
    assert_true(add(ids, kept, 77));
    for (uint32_t i = 1; i < 1U << 20; i++)
        assert_int_equal(connection_ids_next(ids, NODE), kept - i);
    assert_int_equal(connection_ids_next(ids, NODE), kept - 1);
    connection_ids_free(ids);
}

/* The spare block is parted among the nodes as well. */
static void a_server_that_has_reached_a_nodes_part_does_not_share_it(void **state)
{
    (void)state;
    struct connection_ids *ids = connection_ids_new();
    const uint32_t before = connection_ids_next(ids, NODE);
    uint32_t found = 0;
    assert_true(add(ids, before, 77));
    connection_ids_saw(ids, (NODE << 20) - 1);
    assert_int_equal(connection_ids_next(ids, NODE), before - 1);
    connection_ids_saw(ids, NODE << 20);
    const uint32_t spare = connection_ids_next(ids, NODE);
    assert_true(spare > SIGNED_MAXIMUM);
    assert_int_equal(connection_ids_node(spare), NODE);
    assert_int_equal(connection_ids_node(UINT32_MAX), CONNECTION_IDS_LAST_NODE);
    assert_true(find(ids, before, &found));
    assert_int_equal(found, 77);
    connection_ids_saw(ids, SIGNED_MAXIMUM);
    assert_true(find(ids, before, &found));
    assert_int_equal(found, CONNECTION_ID_OF_NOBODY);
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
        cmocka_unit_test(an_id_says_whose_it_is),
        cmocka_unit_test(what_has_no_number_is_nobodys),
        cmocka_unit_test(a_node_that_had_no_number_for_a_while_goes_on_where_it_was),
        cmocka_unit_test(a_node_hands_its_part_out_again_but_for_what_is_in_use),
        cmocka_unit_test(a_server_that_has_reached_a_nodes_part_does_not_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
