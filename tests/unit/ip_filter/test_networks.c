/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of rules: what they let in, and which are refused. */
#include <arpa/inet.h>

#include "filter_test.h"

static bool passes(const struct networks *networks, const char *address, const char *user,
                   char ***databases)
{
    struct client client = {.user = user, .user_size = strlen(user)};
    bool is_ipv6 = strchr(address, ':') != NULL;
    client.size = is_ipv6 ? 16 : 4;
    assert_int_equal(inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address, client.address), 1);
    return networks_pass(networks, &client, databases);
}

static void clients_pass_as_the_rules_say(void **state)
{
    static const struct {
        const char *rules, *user, *address;
        bool passes;
    } rows[] = {
        {"", "app", "10.0.0.1", true},
        {"# nothing\n\n", "app", "::1", true},
        {"deny 10.0.0.0/8\n", "app", "10.255.255.255", false},
        {"deny 10.0.0.0/8\n", "app", "11.0.0.0", true},
        {"allow 10.0.0.0/8\n", "app", "::1", false},
        {"allow ::/0\n", "app", "10.0.0.1", false},
        {"allow ::/0\ndeny 2001:db8::/33", "app", "2001:db8:7fff::1", false},
        {"allow ::/0\ndeny 2001:db8::/33", "app", "2001:db8:8000::", true},
        {"allow 2001:db8::/128\n", "app", "2001:db8::", true},
        {"allow 2001:db8::/128\n", "app", "2001:db8::1", false},
        {"allow ::ffff:10.0.0.0/104\n", "app", "10.1.2.3", true},
        {"allow 0.0.0.0/0\ndeny 10.0.0.66 # him\n", "app", "10.0.0.66", false},
        {"deny root@any\n", "root", "10.0.0.1", false},
        {"deny root@any\n", "Root", "10.0.0.1", true},
        {"deny r*t@any\n", "root", "10.0.0.1", false},
        {"allow app@10.0.0.0/8\n", "app", "10.0.0.1", true},
        {"allow app@10.0.0.0/8\n", "app", "11.0.0.1", false},
        {"allow app@10.0.0.0/8\n", "other", "11.0.0.1", true},
        {"allow app@10.0.0.0/8\nallow any\n", "app", "11.0.0.1", false},
        {"allow app@2001:db8::/32\n", "app", "2001:db8:1::1", true},
        {"allow app@2001:db8::/32\n", "app", "2001:db9::1", false},
        {"allow 10.0.0.0/8\ndeny app@10.0.0.0/9\n", "app", "10.0.0.1", false},
        {"allow country:DE\n", "app", "10.0.0.1", false},
        {"deny country:DE\n", "app", "10.0.0.1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error;
        char **databases;
        struct networks *networks = test_read(rows[i].rules, strlen(rows[i].rules), &error);
        assert_string_equal(error.message, "");
        if (passes(networks, rows[i].address, rows[i].user, &databases) != rows[i].passes)
            fail_msg("%s%s from %s", rows[i].rules, rows[i].user, rows[i].address);
        networks_free(networks);
    }
}

static void databases_come_from_the_rule_that_lets_in(void **state)
{
    static const char rules[] = "allow app@10.0.0.0/8 to shop,test\nallow app@11.0.0.0/8\n"
                                "allow any to public\n";
    struct error error;
    char **databases;
    struct networks *networks = test_read(rules, sizeof rules - 1, &error);
    (void)state;
    assert_true(passes(networks, "10.0.0.1", "app", &databases));
    assert_string_equal(databases[0], "shop");
    assert_string_equal(databases[1], "test");
    assert_null(databases[2]);
    assert_true(passes(networks, "11.0.0.1", "app", &databases));
    assert_null(databases);
    assert_false(passes(networks, "12.0.0.1", "app", &databases));
    assert_true(passes(networks, "12.0.0.1", "other", &databases));
    assert_string_equal(databases[0], "public");
    networks_free(networks);
}

static void mistakes_are_named_by_line(void **state)
{
    static const struct {
        const char *rules, *problem;
    } rows[] = {
        {"permit 10.0.0.0/8\n",
         ":1: a rule is \"allow NETWORK\", \"deny NETWORK\" or \"limit USER NUMBER\""},
        {"\n# x\nallow\n",
         ":3: a rule is \"allow NETWORK\", \"deny NETWORK\" or \"limit USER NUMBER\""},
        {"allow 10.0.0.256\n", ":1: \"10.0.0.256\" is no IP address"},
        {"allow 10.0.0.1/8\n", ":1: \"10.0.0.1/8\" has bits set behind its prefix"},
        {"allow 10.0.0.0/33\n", ":1: \"10.0.0.0/33\" has a prefix that is no number from 0 to 32"},
        {"allow ::/129\n", ":1: \"::/129\" has a prefix that is no number from 0 to 128"},
        {"allow 10.0.0.0/\n", ":1: \"10.0.0.0/\" has no number behind its '/'"},
        {"allow 10.0.0.0/8x\n", ":1: \"10.0.0.0/8x\" has a prefix that is no number from 0 to 32"},
        {"allow @any\n", ":1: \"@any\" names no account before its @"},
        {"allow country:de\n", ":1: \"country:de\" has a country that is no two capitals"},
        {"allow country:\n", ":1: \"country:\" names no country"},
        {"allow any to\n", ":1: \"any\" is followed by a word without a value"},
        {"allow any to ,\n", ":1: \"any\" names no database behind \"to\""},
        {"allow any to a to b\n", ":1: \"any\" has \"to\" twice"},
        {"allow any from x\n",
         ":1: \"any\" is followed by something else than to, during, on, tls, subject or issuer"},
        {"deny any to x\n", ":1: \"any\" is denied; \"to\" says what an account is allowed"},
        {"allow any during 25:00-26:00\n", ":1: \"any\" has times that are not like 08:00-18:00"},
        {"allow any during 8-18\n", ":1: \"any\" has times that are not like 08:00-18:00"},
        {"allow any on noday\n", ":1: \"any\" has days that are not like mon-fri,sun"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error;
        assert_null(test_read(rows[i].rules, strlen(rows[i].rules), &error));
        assert_string_equal(error.message, rows[i].problem);
    }
    struct error error;
    assert_null(test_read("allow any\nallow\0any\n", 20, &error));
    assert_string_equal(error.message, ":2: has a NUL byte in it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_pass_as_the_rules_say),
        cmocka_unit_test(databases_come_from_the_rule_that_lets_in),
        cmocka_unit_test(mistakes_are_named_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
