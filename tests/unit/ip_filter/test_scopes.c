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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_from_including_until_excluding),
        cmocka_unit_test(countries_are_those_of_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
