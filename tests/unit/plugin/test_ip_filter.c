/* SPDX-License-Identifier: Apache-2.0
 *
 * ip_filter, packaged and loaded as anybody would: who passes, what a wrong file does, flushing
 * under load. */
#include "filter_plugin.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* file: the setting of that name; NULL: not set. */
static struct plugin_registry *load(const struct workshop *workshop, const char *file,
                                    struct error *error)
{
    static char folder[128];
    snprintf(folder, sizeof folder, "%s", workshop_path(workshop, "out"));
    error->message[0] = '\0';
    struct plugin_options options = {.directory = folder,
                                     .load = "ip_filter-1",
                                     .settings.value = setting,
                                     .settings.user = (void *)file};
    return plugin_registry_load(&options, error);
}

static bool passes(struct plugin_registry *registry, const char *address)
{
    struct weir_session session = client(address);
    struct plugin_verdict own; /* several threads come here */
    plugin_connection_event(registry, &session, WEIR_PRE_AUTH, &own);
    return own.outcome == PLUGIN_ALLOWED;
}

/* Rules, and who passes and is refused with them: words, separated by spaces. */
struct rules_row {
    const char *rules, *pass, *refused;
};

static void check_rules(struct workshop *workshop, const struct rules_row *rows, size_t count,
                        bool (*passes_as)(struct plugin_registry *registry, char *word))
{
    struct error error;
    package(workshop);
    workshop_write(workshop, "out/ip_filter.conf", "");
    struct plugin_registry *registry = load(workshop, NULL, &error);
    assert_non_null(registry);
    for (size_t i = 0; i < count; i++) {
        workshop_write(workshop, "out/ip_filter.conf", rows[i].rules);
        assert_int_equal(plugin_flush(registry, NULL, "ip_filter", &error), 0);
        for (int refused = 0; refused < 2; refused++) {
            char *list = strdup(refused ? rows[i].refused : rows[i].pass), *rest;
            for (char *word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
                if (passes_as(registry, word) == refused)
                    fail_msg("rules %zu: %s", i, word);
            free(list);
        }
    }
    plugin_registry_shutdown(registry);
}

/* word: an address; '-': the Unix socket */
static bool passes_word(struct plugin_registry *registry, char *word)
{
    return passes(registry, strcmp(word, "-") == 0 ? "" : word);
}

static void addresses_pass_as_the_rules_say(void **state)
{
    struct workshop *workshop = *state;
    static const struct rules_row rows[] = {
        {"", "- 1.2.3.4 ::1", ""},
        {"deny 10.0.0.0/8\n", "- 9.255.255.255 11.0.0.0 a00::1", "10.0.0.0 10.255.255.255"},
        {"allow 10.0.0.0/8 # office\ndeny 10.0.0.66\n", "- 10.0.0.65 10.0.0.67",
         "10.0.0.66 11.0.0.1 ::1"},
        {"allow 0.0.0.0/0\n", "- 0.0.0.0 255.255.255.255", "::1 2001:db8::1"},
        {"allow ::/0\n", "- ::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1.2.3.4"},
        {"deny ::/0\n", "- 1.2.3.4", "::1"},
        {"allow 2001:db8::/32\nallow 127.0.0.1\ndeny 2001:db8:0:1::/64\n",
         "- 127.0.0.1 2001:db8::1 2001:db8:0:2::",
         "2001:db8:0:1::5 2001:db9:: 2001:db7:ffff:: 127.0.0.2"},
        {"deny ::ffff:10.0.0.0/104\n", "11.0.0.1", "10.1.2.3"},
        {"allow 10.0.0.0/9\nallow 10.128.0.0/9\nallow 10.1.0.0/16\r\n\n   # nothing\n",
         "10.0.0.0 10.127.255.255 10.128.0.0 10.255.255.255 10.1.2.3", "9.255.255.255 11.0.0.0"},
        {"allow 10.0.0.0/31\nallow 10.0.0.4/31", "10.0.0.1 10.0.0.4", "10.0.0.2 10.0.0.3 10.0.0.6"},
        {"deny 0.0.0.0/0\nallow 10.0.0.1\n", "-", "10.0.0.1"},
    };
    check_rules(workshop, rows, sizeof rows / sizeof *rows, passes_word);
}

/* word: user@address */
static bool visits_word(struct plugin_registry *registry, char *word)
{
    char *at = strchr(word, '@');
    *at = '\0';
    bool passed = visits(registry, word, at + 1);
    *at = '@';
    return passed;
}

static void rules_can_name_accounts(void **state)
{
    struct workshop *workshop = *state;
    static const struct rules_row rows[] = {
        /* words: user@address */
        {"allow app@10.0.0.0/8\n", "app@10.1.1.1 other@1.1.1.1", "app@11.1.1.1 app@::1"},
        {"allow 192.168.0.0/16\nallow app@10.0.0.0/8\n", "app@10.1.1.1 other@192.168.1.1",
         "app@192.168.1.1 other@10.1.1.1"},
        {"deny root@any\n", "app@1.1.1.1", "root@127.0.0.1 root@::1"},
        {"deny app*@10.0.0.1\n", "app1@10.0.0.2 xapp@10.0.0.1", "app1@10.0.0.1 app@10.0.0.1"},
        {"allow app@any\ndeny 10.0.0.66\n", "app@10.0.0.65", "app@10.0.0.66"},
        {"allow any during 00:00-24:00 on sun-sat\n", "a@1.1.1.1 a@::1", ""},
        {"deny any during 00:00-12:00\ndeny any during 12:00-24:00\n", "", "a@1.1.1.1"},
        {"deny any during 18:00-06:00 on sun-sat\ndeny any during 06:00-18:00\n", "", "a@1.1.1.1"},
    };
    check_rules(workshop, rows, sizeof rows / sizeof *rows, visits_word);
}

/* word: user@address, user@address+ with TLS, user@address+SUBJECT/ISSUER with a certificate. */
static bool shows_word(struct plugin_registry *registry, char *word)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", word);
    char *at = strchr(copy, '@'), *plus = strchr(copy, '+'), *slash = strchr(copy, '/');
    *at = '\0';
    if (plus)
        *plus = '\0';
    if (slash)
        *slash = '\0';
    struct weir_session session = user_at(copy, at + 1);
    if (plus)
        session.text[WEIR_TEXT_tls_version] = (weir_string){"TLSv1.3", 7};
    if (plus && slash) {
        session.text[WEIR_TEXT_client_cert_subject] = (weir_string){plus + 1, strlen(plus + 1)};
        session.text[WEIR_TEXT_client_cert_issuer] = (weir_string){slash + 1, strlen(slash + 1)};
    }
    bool passed = connection_event(registry, &session, WEIR_PRE_AUTH);
    connection_event(registry, &session, passed ? WEIR_DISCONNECT : WEIR_REJECT);
    return passed;
}

static void rules_can_ask_for_certificates(void **state)
{
    struct workshop *workshop = *state;
    static const struct rules_row rows[] = {
        {"deny any tls no\n", "a@1.1.1.1+ a@1.1.1.1+CN=a/CN=ca", "a@1.1.1.1"},
        {"allow pay@any tls yes\n", "pay@1.1.1.1+ other@1.1.1.1", "pay@1.1.1.1"},
        {"allow 10.0.0.0/8 tls yes\n", "a@10.0.0.1+", "a@10.0.0.1 a@11.0.0.1+"},
        {"allow pay@any subject CN=pay,O=E\n", "pay@1.1.1.1+CN=pay,O=E/CN=ca other@1.1.1.1",
         "pay@1.1.1.1 pay@1.1.1.1+ pay@1.1.1.1+CN=paying,O=E/CN=ca pay@1.1.1.1+cn=pay,O=E/CN=ca"},
        {"allow any tls yes subject \"CN=*,O=E\" issuer \"CN=ca\" on sun-sat\n",
         "a@1.1.1.1+CN=a,O=E/CN=ca",
         "a@1.1.1.1+CN=a,O=F/CN=ca a@1.1.1.1+CN=a,O=E/CN=cat a@1.1.1.1+ a@1.1.1.1"},
        {"allow 10.0.0.1\nallow any issuer CN=ca\n", "a@10.0.0.1 a@1.1.1.1+CN=a/CN=ca",
         "a@1.1.1.1+CN=a/CN=b a@10.0.0.2+"},
    };
    check_rules(workshop, rows, sizeof rows / sizeof *rows, shows_word);
}

/* word: an address, before its user is known. Whoever gets further is judged again. */
static bool knocks_word(struct plugin_registry *registry, char *word)
{
    struct weir_session session = client(strcmp(word, "-") == 0 ? "" : word);
    bool passed = connection_event(registry, &session, WEIR_PRE_CONNECT);
    connection_event(registry, &session, WEIR_REJECT);
    return passed;
}

static void an_address_is_refused_before_the_user_is_known_if_no_user_could_pass(void **state)
{
    struct workshop *workshop = *state;
    static const struct rules_row rows[] = {
        {"", "- 1.2.3.4 ::1", ""},
        {"deny 10.0.0.0/8\ndeny root@any\n", "- 1.2.3.4 ::1", "10.1.2.3"},
        {"allow 10.0.0.0/8\n", "- 10.1.2.3", "1.2.3.4 ::1"},
        {"allow app@10.0.0.0/8\n", "10.1.2.3 1.2.3.4", ""}, /* others may come from anywhere */
        {"allow 192.168.0.0/16\nallow app@10.0.0.0/8\n", "192.168.1.1 10.1.2.3", "1.2.3.4"},
        {"allow any\ndeny app@10.0.0.0/8\n", "10.1.2.3", ""},
        {"deny any during 00:00-24:00\nallow app@any\n", "", "10.1.2.3"},
        {"allow 192.0.2.1\nallow app@10.0.0.1\n", "10.0.0.1", "10.0.0.2"},
        {"deny any tls no\n", "1.2.3.4", ""}, /* it may begin TLS yet */
        {"allow 10.0.0.0/8 tls yes\n", "10.1.2.3", "1.2.3.4"},
    };
    check_rules(workshop, rows, sizeof rows / sizeof *rows, knocks_word);
}

static void a_refused_client_reads_why(void **state)
{
    struct workshop *workshop = *state;
    struct error error;
    package(workshop);
    workshop_write(workshop, "elsewhere.conf", "deny 10.0.0.0/8\n");
    struct plugin_registry *registry =
        load(workshop, workshop_path(workshop, "elsewhere.conf"), &error);
    assert_string_equal(error.message, "");
    struct weir_session session = client("10.1.2.3");
    assert_false(connection_event(registry, &session, WEIR_PRE_AUTH));
    assert_int_equal(verdict.refusal.code, 1130);
    assert_string_equal(verdict.refusal.sqlstate, "HY000");
    assert_string_equal(verdict.refusal.message,
                        "Host '10.1.2.3' is not allowed to connect to this server (ip_filter)");
    assert_string_equal(verdict.refusal.by, "ip_filter");
    assert_true(connection_event(registry, &session, WEIR_CONNECTED));
    plugin_registry_shutdown(registry);
}

static void a_wrong_file_keeps_the_old_lists_and_names_the_line(void **state)
{
    struct workshop *workshop = *state;
    static const struct {
        const char *rules, *problem;
    } rows[] = {
        {"deny 10.0.0.1\n\ndeny 10.0.0.256\n", ":3: \"10.0.0.256\" is no IP address"},
        {"permit 10.0.0.1\n",
         ":1: a rule is \"allow NETWORK\", \"deny NETWORK\" or \"limit USER NUMBER\""},
        {"allow\n", ":1: a rule is \"allow NETWORK\", \"deny NETWORK\" or \"limit USER NUMBER\""},
        {"allow 10.0.0.1 10.0.0.2\n", ":1: \"10.0.0.1\" is followed by a word without a value"},
        {"allow 10.0.0.1 for shop\n", ":1: \"10.0.0.1\" is followed by something else than to, "
                                      "during, on, tls, subject or issuer"},
        {"allow 10.0.0.1 tls maybe\n",
         ":1: \"10.0.0.1\" is followed by \"tls\" and something else than yes or no"},
        {"deny 10.0.0.1 subject CN=a\n",
         ":1: \"10.0.0.1\" is denied; \"subject\" and \"issuer\" say what certificate is allowed"},
        {"allow 10.0.0.1 subject \"CN=a\n",
         ":1: \"10.0.0.1\" is followed by a word without a value"},
        {"allow 10.0.0.1 subject \"CN=a\"b\n",
         ":1: \"10.0.0.1\" is followed by a word without a value"},
        {"allow 10.0.0.1 subject CN=a subject CN=b\n",
         ":1: \"10.0.0.1\" has \"subject\" or \"issuer\" twice"},
        {"allow 10.0.0.1 tls no issuer CN=a\n",
         ":1: \"10.0.0.1\" asks for a certificate without TLS"},
        {"allow app@10.0.0.0/33\n",
         ":1: \"app@10.0.0.0/33\" has a prefix that is no number from 0 to 32"},
        {"allow @10.0.0.1\n", ":1: \"@10.0.0.1\" names no account before its @"},
        {"allow any\nallow app@country:DE\n", ":2: the rule asks for the country, and "
                                              "ip_filter_country_file, which tells it, is not set"},
        {"deny country:Germany\n", ":1: \"country:Germany\" has a country that is no two capitals"},
        {"deny any during 8-18\n", ":1: \"any\" has times that are not like 08:00-18:00"},
        {"deny any on holidays\n", ":1: \"any\" has days that are not like mon-fri,sun"},
        {"deny a@any to shop\n", ":1: \"a@any\" is denied; \"to\" says what an account is allowed"},
        {"allow 10.0.0.0/33\n", ":1: \"10.0.0.0/33\" has a prefix that is no number from 0 to 32"},
        {"allow ::/129\n", ":1: \"::/129\" has a prefix that is no number from 0 to 128"},
        {"allow ::/x\n", ":1: \"::/x\" has no number behind its '/'"},
        {"allow ::/-1\n", ":1: \"::/-1\" has no number behind its '/'"},
        {"allow ::/1x\n", ":1: \"::/1x\" has a prefix that is no number from 0 to 128"},
        {"# office\nallow 10.0.0.1/8\n", ":2: \"10.0.0.1/8\" has bits set behind its prefix"},
        {"allow example.com\n", ":1: \"example.com\" is no IP address"},
    };
    struct error error;
    package(workshop);
    workshop_write(workshop, "out/ip_filter.conf", "allow 10.0.0.7\n");
    struct plugin_registry *registry = load(workshop, NULL, &error);
    assert_non_null(registry);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[512];
        workshop_write(workshop, "out/ip_filter.conf", rows[i].rules);
        snprintf(expected, sizeof expected, "plugin ip_filter: OnFlush failed: %s%s",
                 workshop_path(workshop, "out/ip_filter.conf"), rows[i].problem);
        assert_int_equal(plugin_flush(registry, NULL, "ip_filter", &error), -1);
        assert_string_equal(error.message, expected);
        assert_true(passes(registry, "10.0.0.7"));
        assert_false(passes(registry, "10.0.0.1"));
    }
    plugin_registry_shutdown(registry);
}

static void without_its_file_it_does_not_start(void **state)
{
    struct workshop *workshop = *state;
    struct error error;
    char expected[512];
    package(workshop);
    snprintf(expected, sizeof expected,
             "plugin ip_filter: OnInit failed: %s: No such file or directory",
             workshop_path(workshop, "out/lists/mine.conf"));
    assert_null(load(workshop, "lists/mine.conf", &error));
    assert_string_equal(error.message, expected);
}

/* ---- Load ---- */

#define CLIENTS 20000 /* lookups of each thread */

struct load_test {
    struct plugin_registry *registry;
    atomic_int running;
};

/* 10.0.0.7 passes and 10.0.0.8 does not, whichever of the two files has been read last. */
static void *look(void *argument)
{
    struct load_test *test = argument;
    for (int i = 0; i < CLIENTS; i++)
        if (!passes(test->registry, "10.0.0.7") || passes(test->registry, "10.0.0.8"))
            abort();
    atomic_fetch_sub(&test->running, 1);
    return NULL;
}

static void flushing_under_load_frees_nothing_that_is_looked_at(void **state)
{
    struct workshop *workshop = *state;
    struct load_test test = {.running = 2};
    struct error error;
    pthread_t threads[2];
    enum { MANY_BYTES = 200000 };
    char *many = malloc(MANY_BYTES);
    size_t size = 0;
    assert_non_null(many);
    for (int i = 0; i < 5000; i++)
        size += (size_t)snprintf(many + size, MANY_BYTES - size, "allow 172.%d.%d.%d\n",
                                 16 + i % 16, i / 16 % 256, 2 * (i % 100));
    snprintf(many + size, MANY_BYTES - size, "allow 10.0.0.7\n");
    package(workshop);
    workshop_write(workshop, "out/ip_filter.conf", many);
    test.registry = load(workshop, NULL, &error);
    assert_non_null(test.registry);
    assert_true(passes(test.registry, "172.16.0.0"));
    assert_false(passes(test.registry, "172.16.0.1"));
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, look, &test);
    for (int i = 0; atomic_load(&test.running); i++) {
        workshop_write(workshop, "next.conf", i % 2 ? many : "allow 10.0.0.7\n");
        rename(workshop_path(workshop, "next.conf"), workshop_path(workshop, "out/ip_filter.conf"));
        assert_int_equal(plugin_flush(test.registry, NULL, "ip_filter", &error), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    plugin_registry_shutdown(test.registry);
    free(many);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, workshop_open, workshop_close)
    const struct CMUnitTest tests[] = {
        TEST(addresses_pass_as_the_rules_say),
        TEST(rules_can_name_accounts),
        TEST(rules_can_ask_for_certificates),
        TEST(an_address_is_refused_before_the_user_is_known_if_no_user_could_pass),
        TEST(a_refused_client_reads_why),
        TEST(a_wrong_file_keeps_the_old_lists_and_names_the_line),
        TEST(without_its_file_it_does_not_start),
        TEST(flushing_under_load_frees_nothing_that_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
