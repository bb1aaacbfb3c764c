/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin/ask_service with a service that is a thread of this test: what the service answers becomes
 * the verdict, and no answer is a failure. */
#include "workshop.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SESSIONS 20

static struct {
    pthread_mutex_t lock;
    pthread_cond_t came_back;
    size_t back;
    int listener;
    const char *answer; /* to every question; NULL: the connection is closed */
    char question[512]; /* the last one */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .came_back = PTHREAD_COND_INITIALIZER};

/* ---- The session's side ---- */

static void release(struct weir_hold *hold)
{
    (void)hold;
    pthread_mutex_lock(&world.lock);
    world.back++;
    pthread_cond_signal(&world.came_back);
    pthread_mutex_unlock(&world.lock);
}

static struct weir_hold *source_hold(void *data, enum plugin_hold_kind kind)
{
    assert_int_equal(kind, PLUGIN_HOLD_VERDICT);
    struct weir_hold *hold = data;
    *hold = (struct weir_hold){.release = release};
    return hold;
}

static const struct plugin_facts_source source = {.hold = source_hold};

static void begin(struct weir_session *session, struct weir_hold *hold, const char *user)
{
    plugin_session_init(session);
    session->source = &source;
    session->source_data = hold;
    session->text[WEIR_TEXT_user] = (weir_string){user, strlen(user)};
    session->text[WEIR_TEXT_host] = (weir_string){"10.0.0.1", 8};
    session->text[WEIR_TEXT_sql] = (weir_string){"select 1", 8};
    session->text[WEIR_TEXT_digest] = (weir_string){"abc", 3};
    world.back = 0;
}

static void wait_until_back(size_t count)
{
    pthread_mutex_lock(&world.lock);
    while (world.back < count)
        pthread_cond_wait(&world.came_back, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

/* The outcome of one statement, in `verdict`. */
static enum plugin_outcome outcome_of(struct plugin_registry *registry, const char *user)
{
    struct weir_session session;
    struct weir_hold hold;
    begin(&session, &hold, user);
    plugin_general_event(registry, &session, WEIR_STARTING, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_PENDING);
    wait_until_back(1);
    plugin_verdict_merge(&verdict, &hold);
    plugin_verdict_settle(&verdict);
    return verdict.outcome;
}

/* ---- The service ---- */

static void *serve_one(void *argument)
{
    int client = (int)(intptr_t)argument;
    char line[sizeof world.question];
    ssize_t size;
    while ((size = read(client, line, sizeof line - 1)) > 0) {
        line[size] = '\0';
        pthread_mutex_lock(&world.lock);
        snprintf(world.question, sizeof world.question, "%s", line);
        const char *answer = world.answer;
        pthread_mutex_unlock(&world.lock);
        if (!answer || write(client, answer, strlen(answer)) < 0)
            break;
    }
    close(client);
    return NULL;
}

static void *serve(void *unused)
{
    int client;
    (void)unused;
    while ((client = accept(world.listener, NULL, NULL)) >= 0) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)client), 0);
        pthread_detach(thread);
    }
    return NULL;
}

static const char *setting(void *user, const char *plugin, const char *key)
{
    (void)plugin;
    if (strcmp(key, "address") == 0)
        return user;
    return strcmp(key, "timeout") == 0 ? "20s" : NULL;
}

static struct plugin_registry *load(struct workshop *workshop, const char *address,
                                    struct error *error)
{
    static char folder[128];
    snprintf(folder, sizeof folder, "%s", workshop_path(workshop, "out"));
    struct plugin_options options = {.directory = folder,
                                     .load = "ask_service-1",
                                     .settings.value = setting,
                                     .settings.user = (void *)address};
    return plugin_registry_load(&options, error);
}

static void package(const struct workshop *workshop)
{
    struct error error = {""};
    struct strbuf report = STRBUF_INIT;
    struct plugin_package_options options = {.folder = TEST_ASK_SERVICE,
                                             .output_folder = workshop_path(workshop, "out"),
                                             .include = TEST_INCLUDE};
    setenv("CFLAGS", "-Wall -Wextra -Werror", 1);
    assert_int_equal(plugin_package(&options, &report, &error), 0);
    unsetenv("CFLAGS");
    assert_string_equal(error.message, "");
    strbuf_release(&report);
}

/* ---- Tests ---- */

static void answer_with(const char *answer)
{
    pthread_mutex_lock(&world.lock);
    world.answer = answer;
    pthread_mutex_unlock(&world.lock);
}

static void many_at_once(struct plugin_registry *registry)
{
    static struct weir_session sessions[SESSIONS];
    static struct weir_hold holds[SESSIONS];
    static struct plugin_verdict verdicts[SESSIONS];
    for (size_t i = 0; i < SESSIONS; i++)
        begin(&sessions[i], &holds[i], "u");
    for (size_t i = 0; i < SESSIONS; i++)
        plugin_general_event(registry, &sessions[i], WEIR_STARTING, &verdicts[i]);
    wait_until_back(SESSIONS);
    for (size_t i = 0; i < SESSIONS; i++) {
        plugin_verdict_merge(&verdicts[i], &holds[i]);
        plugin_verdict_settle(&verdicts[i]);
        assert_int_equal(verdicts[i].outcome, PLUGIN_ALLOWED);
    }
}

static void the_services_answer_is_the_verdict(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char url[160];
    pthread_t thread;
    package(workshop);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", workshop_path(workshop, "socket"));
    snprintf(url, sizeof url, "unix://%s", address.sun_path);
    world.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(world.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(world.listener, 64), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    struct plugin_registry *registry = load(workshop, url, &error);
    assert_string_equal(error.message, "");

    answer_with("allow\n");
    assert_int_equal(outcome_of(registry, "joe\n x"), PLUGIN_ALLOWED);
    assert_string_equal(world.question, "joe??x 10.0.0.1 abc\n");
    many_at_once(registry);
    answer_with("deny not on Fridays\n");
    assert_int_equal(outcome_of(registry, "joe"), PLUGIN_REFUSED);
    assert_string_equal(verdict.refusal.message, "Statement denied: not on Fridays");
    assert_int_equal(verdict.refusal.code, 1045);
    answer_with("perhaps\n");
    assert_int_equal(outcome_of(registry, "joe"), PLUGIN_REFUSED);
    assert_int_equal(verdict.refusal.code, 1105); /* on_failure = refuse */
    answer_with(NULL);
    assert_int_equal(outcome_of(registry, "joe"), PLUGIN_REFUSED);
    assert_int_equal(verdict.refusal.code, 1105);
    answer_with("allow\n"); /* it is back: so are its answers */
    assert_int_equal(outcome_of(registry, ""), PLUGIN_ALLOWED);
    assert_string_equal(world.question, "- 10.0.0.1 abc\n");
    shutdown(world.listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(world.listener);
    unlink(address.sun_path);
    plugin_registry_shutdown(registry);
}

static void without_a_service_statements_are_refused(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    char url[160];
    package(workshop);
    snprintf(url, sizeof url, "unix://%s", workshop_path(workshop, "nobody"));
    struct plugin_registry *registry = load(workshop, url, &error);
    assert_string_equal(error.message, "");
    assert_int_equal(outcome_of(registry, "joe"), PLUGIN_REFUSED);
    assert_int_equal(verdict.refusal.code, 1105);
    plugin_registry_shutdown(registry);
}

static void a_wrong_address_ends_the_start(void **state)
{
    struct workshop *workshop = *state;
    static const char *const wrong[] = {"", "here", "unix://relative", "tcp://", "tcp://host"};
    package(workshop);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {""};
        assert_null(load(workshop, wrong[i], &error));
        assert_non_null(strstr(error.message, "set address in [plugin.ask_service]"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workshop_open, workshop_close)
    const struct CMUnitTest tests[] = {
        TEST(the_services_answer_is_the_verdict),
        TEST(without_a_service_statements_are_refused),
        TEST(a_wrong_address_ends_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
