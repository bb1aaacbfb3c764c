/* SPDX-License-Identifier: Apache-2.0
 *
 * Banned addresses as text, what of a store is a ban, and the tallies' bans that come from it. */
#include "filter_test.h"

#include "ban_names.h"
#include "shared_bans.h"

static weir_string text(const char *bytes)
{
    return (weir_string){bytes, strlen(bytes)};
}

static void names_are_read_and_written(void **state)
{
    static const struct {
        const char *read, *written; /* NULL: it is none */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8::/64", "2001:db8::/64"},
        {"2001:db8:0:0:1:2:3:4", "2001:db8::/64"},
        {"2001:db8::1/64", "2001:db8::/64"},
        {"192.0.2.1/64", NULL},
        {"192.0.2.1/32", NULL},
        {"192.0.2", NULL},
        {"", NULL},
        {"/64", NULL},
        {"2001:db8::/48", NULL},
        {"192.0.2.1 ", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/64", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally_key key;
        char name[BAN_NAME_BYTES];
        assert_int_equal(ban_name_read(text(rows[i].read), &key), rows[i].written != NULL);
        if (!rows[i].written)
            continue;
        ban_name_write(&key, name);
        assert_string_equal(name, rows[i].written);
    }
    struct tally_key key;
    assert_false(ban_name_read((weir_string){"192.0.2.1\0", 10}, &key));
    assert_false(ban_name_read((weir_string){NULL, 0}, &key));
}

static void of_a_store_bans_are_read_and_nothing_else(void **state)
{
    static const struct {
        const char *key, *value;
        bool is_ban;
        uint64_t until_ns;
    } rows[] = {
        {"ban/192.0.2.1", "1700000000000000000", true, UINT64_C(1700000000000000000)},
        {"ban/2001:db8::/64", "9999999999999999999", true, UINT64_C(9999999999999999999)},
        {"ban/192.0.2.1", "0", true, 0},
        {"ban/192.0.2.1", "", false, 0},
        {"ban/192.0.2.1", "-1", false, 0},
        {"ban/192.0.2.1", "1 ", false, 0},
        {"ban/192.0.2.1", "10000000000000000000", false, 0}, /* 20 digits may be too many */
        {"ban/", "1", false, 0},
        {"ban", "1", false, 0},
        {"bans/192.0.2.1", "1", false, 0},
        {"192.0.2.1", "1", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally_key key;
        uint64_t until_ns;
        assert_int_equal(shared_ban_read(rows[i].key, strlen(rows[i].key), rows[i].value,
                                         strlen(rows[i].value), &key, &until_ns),
                         rows[i].is_ban);
        if (rows[i].is_ban)
            assert_true(until_ns == rows[i].until_ns);
    }
}

static bool is_banned(const struct tally_key *key, int64_t now)
{
    static const struct tally_limits none;
    const enum tally_answer answer = tally_enter(key, &none, now);
    tally_leave(key);
    return answer == TALLY_BANNED;
}

static void a_ban_of_the_store_is_lifted_when_it_is_gone_from_there(void **state)
{
    static const uint8_t addresses[3][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}, {10, 0, 0, 3}};
    struct tally_key keys[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        keys[i] = tally_key_of_address(addresses[i], 4);
    tally_set_ban(&keys[0], 100, 1, 1000);
    tally_set_ban(&keys[1], 100, 1, 1000);
    assert_true(tally_failure(&keys[2], 1, 10, 100, 1000)); /* of its own */
    assert_true(is_banned(&keys[0], 1099) && !is_banned(&keys[0], 1100));
    tally_set_ban(&keys[1], 100, 2, 1000);
    tally_lift_missing(2);
    assert_false(is_banned(&keys[0], 1001));
    assert_true(is_banned(&keys[1], 1001) && is_banned(&keys[2], 1001));
    tally_set_ban(&keys[0], 100, 2, 1000); /* lifted by the store, then banned here */
    tally_set_ban(&keys[0], 0, 2, 1001);
    assert_false(is_banned(&keys[0], 1002));
    assert_true(tally_failure(&keys[0], 1, 10, 100, 1002));
    tally_lift_missing(3);
    assert_true(is_banned(&keys[0], 1003));
    assert_false(is_banned(&keys[1], 1003));
    tally_clear();
}

/* The fake host has none. */
static void without_a_store_nothing_waits_for_ever(void **state)
{
    static const uint8_t address[4] = {10, 0, 0, 1};
    const struct tally_key key = tally_key_of_address(address, 4);
    (void)state;
    shared_bans_begin();
    shared_bans_add(&key, 1000000000);
    shared_bans_lift(&key);
    shared_bans_add(&key, 1000000000);
    shared_bans_clear();
    assert_false(shared_bans_are_known());
    shared_bans_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_and_written),
        cmocka_unit_test(of_a_store_bans_are_read_and_nothing_else),
        cmocka_unit_test(a_ban_of_the_store_is_lifted_when_it_is_gone_from_there),
        cmocka_unit_test(without_a_store_nothing_waits_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
