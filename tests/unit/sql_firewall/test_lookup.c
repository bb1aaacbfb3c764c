/* SPDX-License-Identifier: Apache-2.0
 *
 * The set that is read without a lock: what was added is found, by readers beside the writer too. */
#include "lookup.h"

#include <pthread.h>
#include <stdlib.h>

#include "firewall_test.h"

#define ITEMS 20000U

struct item {
    uint64_t number;
};

static uint64_t hash(const void *item)
{
    uint64_t eighth = ((const struct item *)item)->number / 8; /* eight of each collide */
    return (eighth * UINT64_C(0x9e3779b97f4a7c15)) >> 20;
}

static bool fits(const void *item, const void *key)
{
    return ((const struct item *)item)->number == ((const struct item *)key)->number;
}

static const struct lookup_kind kind = {hash, fits};

struct race {
    struct lookup lookup;
    struct item *items;
    atomic_size_t added;
    atomic_bool is_missing;
};

static void *read_while_it_grows(void *data)
{
    struct race *race = data;
    size_t known = 0;
    for (uint64_t step = 0; known < ITEMS; step++) {
        known = atomic_load(&race->added);
        struct item key = {known ? step * 7919 % known : 0};
        const struct item *found = lookup_find(&race->lookup, &kind, hash(&key), &key);
        if (known && (!found || found->number != key.number))
            atomic_store(&race->is_missing, true);
    }
    return NULL;
}

static void readers_find_all_that_was_added_before(void **state)
{
    struct race race = {.items = calloc(ITEMS, sizeof *race.items)};
    pthread_t readers[3];
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_while_it_grows, &race), 0);
    for (size_t i = 0; i < ITEMS; i++) {
        race.items[i].number = i;
        assert_true(lookup_add(&race.lookup, &kind, &race.items[i]));
        atomic_store(&race.added, i + 1);
    }
    for (size_t i = 0; i < 3; i++)
        pthread_join(readers[i], NULL);
    assert_false(race.is_missing);
    lookup_release(&race.lookup);
    free(race.items);
}

static void what_was_not_added_is_not_found(void **state)
{
    struct lookup lookup = {.table = NULL};
    struct item items[100];
    struct item key = {1000};
    (void)state;
    assert_null(lookup_find(&lookup, &kind, hash(&key), &key));
    for (size_t i = 0; i < 100; i++) {
        items[i].number = i;
        assert_true(lookup_add(&lookup, &kind, &items[i]));
    }
    assert_null(lookup_find(&lookup, &kind, hash(&key), &key));
    key.number = 99;
    assert_ptr_equal(lookup_find(&lookup, &kind, hash(&key), &key), &items[99]);
    lookup_release(&lookup);
    assert_null(lookup_find(&lookup, &kind, hash(&key), &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_find_all_that_was_added_before),
        cmocka_unit_test(what_was_not_added_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
