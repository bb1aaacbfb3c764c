/* SPDX-License-Identifier: Apache-2.0
 *
 * The sets say of each address what going through all ranges says. */
#include "ranges.h"

#include "filter_test.h"

static uint64_t state_of_random = 88172645463325252U;

static uint64_t next_random(void)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    return state_of_random ^= state_of_random << 17;
}

/* An address of few different bits, so that ranges touch, lie in each other and share beginnings. */
static void random_address(uint8_t address[ADDRESS_BYTES], size_t size)
{
    memset(address, 0, ADDRESS_BYTES);
    uint64_t bits = next_random();
    size_t at[] = {0, 1, 2, 3, 7, 8, 15};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++, bits >>= 4)
        if (at[i] < size)
            address[at[i]] = (uint8_t)(bits & 3) * 85;
}

static void random_range(struct range *range, size_t size)
{
    uint8_t a[ADDRESS_BYTES], b[ADDRESS_BYTES];
    random_address(a, size);
    random_address(b, size);
    if (next_random() % 2)
        memcpy(b, a, size - 1); /* short ones, too */
    bool swapped = memcmp(a, b, size) > 0;
    memcpy(range->first, swapped ? b : a, ADDRESS_BYTES);
    memcpy(range->last, swapped ? a : b, ADDRESS_BYTES);
}

static bool is_in(const struct range *ranges, size_t count, const uint8_t *address)
{
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || (memcmp(ranges[i].first, address, ADDRESS_BYTES) <= 0 &&
                          memcmp(address, ranges[i].last, ADDRESS_BYTES) <= 0);
    return found;
}

/* An end of a range or its neighbour, or any address. */
static void probe(const struct range *ranges, size_t count, size_t size, uint8_t *address)
{
    const struct range *range = &ranges[next_random() % count];
    memcpy(address, next_random() % 2 ? range->first : range->last, ADDRESS_BYTES);
    address[size - 1] = (uint8_t)(address[size - 1] + next_random() % 3 - 1);
    if (next_random() % 4 == 0)
        random_address(address, size);
}

static void compare(size_t size, size_t count)
{
    struct range *ranges = calloc(count, sizeof *ranges);
    struct range_list list = {0};
    struct set4 set4 = {0};
    struct set6 set6 = {0};
    for (size_t i = 0; i < count; i++) {
        random_range(&ranges[i], size);
        assert_true(range_list_add(&list, &ranges[i]));
    }
    assert_true(size == 4 ? set4_make(&set4, &list) : set6_make(&set6, &list));
    range_list_release(&list);
    for (size_t i = 0; i < 500; i++) {
        uint8_t address[ADDRESS_BYTES];
        probe(ranges, count, size, address);
        bool found = size == 4 ? set4_has(&set4, address) : set6_has(&set6, address);
        assert_int_equal(found, is_in(ranges, count, address));
    }
    set4_release(&set4);
    set6_release(&set6);
    free(ranges);
}

static void sets_agree_with_going_through_all(void **state)
{
    (void)state;
    for (size_t round = 0; round < 200; round++) {
        compare(4, 1 + next_random() % 5);
        compare(16, 1 + next_random() % 5);
    }
}

/* Single addresses, which do not merge: the tree has several levels, and runs of the same 64 bits. */
static void many_ranges_of_ipv6(void **state)
{
    static const size_t counts[] = {15, 16, 17, 255, 256, 257, 4095, 4097, 20000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct range_list list = {0};
        struct set6 set = {0};
        for (size_t j = 0; j < counts[i]; j++) {
            struct range range = {0};
            uint32_t number = (uint32_t)j; /* in 256 networks /64 at most */
            range.first[6] = (uint8_t)(number * 7);
            range.first[14] = (uint8_t)(number >> 8);
            range.first[15] = (uint8_t)(2 * number);
            range.first[13] = (uint8_t)(number >> 7);
            memcpy(range.last, range.first, ADDRESS_BYTES);
            assert_true(range_list_add(&list, &range));
        }
        struct range *copies = malloc(counts[i] * sizeof *copies);
        memcpy(copies, list.ranges, counts[i] * sizeof *copies);
        assert_true(set6_make(&set, &list));
        for (size_t j = 0; j < counts[i]; j++) {
            uint8_t address[ADDRESS_BYTES];
            memcpy(address, copies[j].first, sizeof address);
            assert_true(set6_has(&set, address));
            address[15] |= 1; /* all are even */
            assert_false(set6_has(&set, address));
        }
        range_list_release(&list);
        set6_release(&set);
        free(copies);
    }
}

static void the_empty_set_has_nothing(void **state)
{
    struct range_list list = {0};
    struct set4 set4 = {0};
    struct set6 set6 = {0};
    uint8_t address[ADDRESS_BYTES] = {0};
    (void)state;
    assert_true(set4_make(&set4, &list) && set6_make(&set6, &list));
    assert_false(set4_has(&set4, address) || set6_has(&set6, address));
}

static void everything_is_one_range(void **state)
{
    struct range_list list = {0};
    struct set6 set = {0};
    struct range all = {0};
    uint8_t address[ADDRESS_BYTES] = {0};
    (void)state;
    memset(all.last, 0xff, ADDRESS_BYTES);
    assert_true(range_list_add(&list, &all) && set6_make(&set, &list));
    assert_true(set6_has(&set, address));
    memset(address, 0xff, sizeof address);
    assert_true(set6_has(&set, address));
    range_list_release(&list);
    set6_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_agree_with_going_through_all),
        cmocka_unit_test(many_ranges_of_ipv6),
        cmocka_unit_test(the_empty_set_has_nothing),
        cmocka_unit_test(everything_is_one_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
