/* SPDX-License-Identifier: Apache-2.0
 *
 * Times and countries of rules. Days are of January 2026: the 4th is a Sunday. */
#include <time.h>

#include "filter_test.h"

/* Whether "allow any REST" lets in on that day of January at that time, from that country. */
static bool passes(const char *rule, int day, int hour, int minute, const char *country)
{
    struct error error;
    char **databases;
    struct networks *networks = test_read(rule, strlen(rule), &error);
    assert_string_equal(error.message, "");
    assert_true(networks_need_more(networks));
    struct client client = {.size = 4, .user = "app", .user_size = 3};
    client.now = (struct tm){
        .tm_year = 126, .tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_isdst = -1};
    mktime(&client.now);
    snprintf(client.country, sizeof client.country, "%s", country);
    bool answer = networks_pass(networks, &client, &databases);
    networks_free(networks);
    return answer;
}

static void times_are_from_including_until_excluding(void **state)
{
    static const struct {
        const char *rule;
        int day, hour, minute;
        bool passes;
    } rows[] = {
        {"allow any during 08:00-18:00\n", 5, 7, 59, false},
        {"allow any during 08:00-18:00\n", 5, 8, 0, true},
        {"allow any during 08:00-18:00\n", 5, 17, 59, true},
        {"allow any during 08:00-18:00\n", 5, 18, 0, false},
        {"allow any during 18:00-24:00\n", 5, 23, 59, true},
        {"allow any during 18:00-24:00\n", 5, 0, 0, false},
        {"allow any during 00:00-24:00\n", 5, 12, 0, true},
        {"deny any during 12:00-13:00\n", 5, 12, 30, false},
        {"deny any during 12:00-13:00\n", 5, 13, 0, true},
        /* days: 4 Sunday, 5 Monday, 9 Friday, 10 Saturday */
        {"allow any on mon-fri\n", 4, 12, 0, false},
        {"allow any on mon-fri\n", 5, 12, 0, true},
        {"allow any on mon-fri\n", 9, 12, 0, true},
        {"allow any on mon-fri\n", 10, 12, 0, false},
        {"allow any on sat-mon\n", 4, 12, 0, true},
        {"allow any on sat-mon\n", 6, 12, 0, false},
        {"allow any on Sun,wed\n", 7, 12, 0, true},
        /* over midnight: of the day on which it begins */
        {"allow any during 22:00-06:00\n", 5, 23, 0, true},
        {"allow any during 22:00-06:00\n", 5, 5, 59, true},
        {"allow any during 22:00-06:00\n", 5, 6, 0, false},
        {"allow any during 22:00-06:00\n", 5, 21, 59, false},
        {"allow any during 22:00-06:00 on fri\n", 9, 23, 0, true},
        {"allow any during 22:00-06:00 on fri\n", 10, 5, 0, true},
        {"allow any during 22:00-06:00 on fri\n", 9, 5, 0, false},
        {"allow any during 22:00-06:00 on sat\n", 4, 1, 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (passes(rows[i].rule, rows[i].day, rows[i].hour, rows[i].minute, "") != rows[i].passes)
            fail_msg("%s on the %d. at %02d:%02d", rows[i].rule, rows[i].day, rows[i].hour,
                     rows[i].minute);
    }
}

static void countries_are_those_of_the_list(void **state)
{
    (void)state;
    assert_true(passes("allow country:DE,FR\n", 5, 0, 0, "FR"));
    assert_false(passes("allow country:DE,FR\n", 5, 0, 0, "KP"));
    assert_false(passes("allow country:DE,FR\n", 5, 0, 0, ""));
    assert_false(passes("deny country:KP\n", 5, 0, 0, "KP"));
    assert_true(passes("deny country:KP\n", 5, 0, 0, ""));
    assert_false(passes("allow country:DE during 08:00-18:00\n", 5, 19, 0, "DE"));
    assert_true(passes("deny app@country:DE on tue\n", 5, 19, 0, "DE"));
}

/* Whether the rule lets in that user from 10.0.0.9. */
static bool lets_in(const char *rule, const char *user)
{
    struct error error;
    char **databases;
    struct networks *networks = test_read(rule, strlen(rule), &error);
    assert_string_equal(error.message, "");
    struct client client = {
        .address = {10, 0, 0, 9}, .size = 4, .user = user, .user_size = strlen(user)};
    bool answer = networks_pass(networks, &client, &databases);
    networks_free(networks);
    return answer;
}

/* Quotes were a part of the name, and the rule was nobody's. */
static void accounts_may_stand_in_quotes(void **state)
{
    (void)state;
    static const char *const denying[] = {"deny app@10.0.0.0/8\n",
                                          "deny 'app'@10.0.0.0/8\n",
                                          "deny \"app\"@'10.0.0.0/8'\n",
                                          "deny `app`@any\n",
                                          "deny 'app'@'%'\n",
                                          "deny 'app'\n",
                                          "deny 'a''pp'@any\ndeny app@any\n",
                                          "deny 'a*'@any\n"};
    for (size_t i = 0; i < sizeof denying / sizeof *denying; i++)
        if (lets_in(denying[i], "app") || !lets_in(denying[i], "bob"))
            fail_msg("%s", denying[i]);
    assert_false(lets_in("deny a@b@any\n", "a@b"));
    assert_false(lets_in("deny 'a@b'@any\n", "a@b"));
    assert_false(lets_in("deny 'o''brien'@any\n", "o'brien"));
}

static void what_can_be_nobodys_rule_is_an_error(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"deny 'app@any\n", ":1: \"'app@any\" has a quote that is not closed"},
        {"deny 'app'x@any\n", ":1: \"'app'x@any\" has more behind its quote than @ and a place"},
        {"deny o'brien@any\n", ":1: \"o'brien@any\" has a space or a quote in a name without "
                               "quotes; write 'user'@'host'"},
        {"limit app\n", ":1: \"app\" is not followed by a number from 0 to 1000000"},
        {"limit app -1\n", ":1: \"app\" is not followed by a number from 0 to 1000000"},
        {"limit app 1000001\n", ":1: \"app\" is not followed by a number from 0 to 1000000"},
        {"limit app 5 6\n", ":1: \"app\" has more behind its number"},
        {"limit app@10.% 5\n", ":1: \"app@10.%\" has a host; limits are about user names"},
        {"limit 'app 5\n", ":1: \"'app\" has a quote that is not closed"},
        {"deny %@any\n", ":1: \"%@any\" is of the user named \"%\": write * for any user"},
        {"deny 'web'@'127.0.0.%'\n", ":1: \"'web'@'127.0.0.%'\" has a % or _ in its address; write "
                                     "a network: 10.0.0.0/8"},
        {"deny 127.0.0.%\n",
         ":1: \"127.0.0.%\" has a % or _ in its address; write a network: 10.0.0.0/8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error;
        assert_null(test_read(rows[i][0], strlen(rows[i][0]), &error));
        assert_string_equal(error.message, rows[i][1]);
    }
}

static void the_first_limit_that_fits_counts(void **state)
{
    (void)state;
    struct error error;
    static const char text[] = "limit app 20\nlimit 'batch*' 5\nlimit \"app\"@'%' 3\nlimit b* 0\n";
    static const struct {
        const char *user;
        int64_t most;
    } rows[] = {{"app", 20}, {"batch1", 5}, {"bob", 0}, {"App", -1}, {"", -1}};
    struct networks *networks = test_read(text, strlen(text), &error);
    assert_string_equal(error.message, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(
            networks_limit(networks, (weir_string){rows[i].user, strlen(rows[i].user)}),
            rows[i].most);
    networks_free(networks);
    assert_true(lets_in("limit app 1\n", "bob")); /* it says nothing of who may come */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_from_including_until_excluding),
        cmocka_unit_test(countries_are_those_of_the_list),
        cmocka_unit_test(the_first_limit_that_fits_counts),
        cmocka_unit_test(accounts_may_stand_in_quotes),
        cmocka_unit_test(what_can_be_nobodys_rule_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
