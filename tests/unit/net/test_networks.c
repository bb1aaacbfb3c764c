/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of networks: what they have, and what is no list. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "gateway/net/networks.h"

static void put_address(struct sockaddr_storage *out, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memset(out, 0, sizeof *out);
    if (strcmp(text, "unix") == 0)
        out->ss_family = AF_UNIX;
    else if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(out, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(out, &v6, sizeof v6);
}

static const struct {
    const char *list, *address;
    bool is_in;
} cases[] = {
    {"", "10.0.0.7", false},
    {"", "unix", false},
    {" , ", "10.0.0.7", false},
    {"*", "10.0.0.7", true},
    {"*", "2001:db8::1", true},
    {"*", "unix", true},
    {"localhost", "unix", true},
    {"localhost", "127.0.0.1", false},
    {"127.0.0.1", "unix", false},
    {"127.0.0.1,localhost", "unix", true},
    {"10.0.0.7", "10.0.0.7", true},
    {"10.0.0.7", "10.0.0.8", false},
    {"10.0.0.7", "::ffff:10.0.0.7", true},
    {"::ffff:10.0.0.7", "10.0.0.7", true},
    {"::ffff:10.0.0.0/104", "10.200.0.7", true},
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"10.0.0.0/8", "::", false},
    {"10.128.0.0/9", "10.127.0.1", false},
    {"10.128.0.0/9", "10.129.0.1", true},
    {"10.0.0.4/30", "10.0.0.7", true},
    {"10.0.0.4/30", "10.0.0.8", false},
    {"0.0.0.0/0", "1.2.3.4", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"2001:db8::/32", "2001:db8:7::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"::/0", "2001:db9::1", true},
    {"::/0", "10.0.0.7", false},
    {"::1 , 10.0.0.1  192.168.0.0/16", "192.168.7.7", true},
    {"::1 , 10.0.0.1  192.168.0.0/16", "::1", true},
};

static void who_is_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct networks *networks = NULL;
        struct error error = {""};
        struct sockaddr_storage address;
        put_address(&address, cases[i].address);
        assert_int_equal(
            networks_parse("-proxy-protocol-networks", cases[i].list, &networks, &error), 0);
        if (networks_have(networks, &address) != cases[i].is_in)
            fail_msg("%s in '%s'", cases[i].address, cases[i].list);
        networks_free(networks);
    }
}

static void what_is_no_list(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "*, 10.0.0.1",
        "10.0.0.1, *",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0/0x8",
        "10.0.0",
        "10.0.0.256",
        "2001:db8::/129",
        "::ffff:10.0.0.7/95",
        "localhost/8",
        "example.com",
        "10.0.0.1;::1",
        "/8",
        "10.0.0.0/4294967304",
        "10.0.0.1000000000000000000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct networks *networks = NULL;
        struct error error = {""};
        if (networks_parse("-an-option", lists[i], &networks, &error) == 0)
            fail_msg("'%s' was taken", lists[i]);
        assert_null(networks);
        assert_non_null(strstr(error.message, "is no network"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_in),
        cmocka_unit_test(what_is_no_list),
    };
    return cmocka_run_group_tests_name("networks", tests, NULL, NULL);
}
