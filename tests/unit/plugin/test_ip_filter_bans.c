/* SPDX-License-Identifier: Apache-2.0
 *
 * ip_filter's bans in the store: two nodes that share one, and a store that is away. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filter_plugin.h"
#include "store/store.h"

/* Two nodes are two shared objects, each with variables of its own, and one store. */
struct nodes {
    struct store *store;
    struct plugin_storage *storages[2];
    struct plugin_registry *registries[2];
};

static void copy_plugin(struct workshop *workshop)
{
    char command[256];
    workshop_write(workshop, "out/ip_filter.conf", "");
    snprintf(command, sizeof command, "cp -r %s/out %s/out2", workshop->folder, workshop->folder);
    assert_int_equal(system(command), 0);
}

static void begin_nodes(struct workshop *workshop, struct nodes *nodes)
{
    struct error error = {""};
    package(workshop);
    copy_plugin(workshop);
    nodes->store = file_store_new(workshop_path(workshop, "store"), &error);
    assert_non_null(nodes->store);
    for (int i = 0; i < 2; i++) {
        ban_after = i == 0 ? "1" : NULL; /* the second one bans nobody itself */
        nodes->storages[i] = plugin_storage_new(nodes->store, "/weir", NULL);
        assert_non_null(nodes->storages[i]);
        nodes->registries[i] = load_from(workshop, i == 0 ? "out" : "out2", nodes->storages[i]);
    }
    ban_after = NULL;
}

static void end_nodes(struct nodes *nodes)
{
    for (int i = 0; i < 2; i++)
        plugin_registry_shutdown(nodes->registries[i]);
    store_free(nodes->store);
    for (int i = 0; i < 2; i++)
        plugin_storage_free(nodes->storages[i]);
}

/* A login with a wrong password. */
static void fails(struct plugin_registry *registry, const char *address)
{
    struct weir_session session = user_at("joe", address);
    assert_true(connection_event(registry, &session, WEIR_PRE_AUTH));
    session.number[WEIR_NUMBER_error_code] = 1045;
    connection_event(registry, &session, WEIR_REJECT);
}

/* The spread takes some milliseconds; ctest ends a test that waits for ever. */
static void wait_until(struct plugin_registry *registry, const char *address, bool is_in)
{
    while (visits(registry, "joe", address) != is_in)
        usleep(2000);
}

static void call_function(struct plugin_registry *registry, const char *name, const char *argument,
                          struct plugin_returned *returned)
{
    const struct plugin_callable *function = plugin_callable_find(registry, name, strlen(name));
    const weir_string arguments[] = {{argument, argument ? strlen(argument) : 0}};
    struct plugin_refusal refusal = {0};
    struct weir_session session;
    assert_non_null(function);
    plugin_session_init(&session);
    const bool ok =
        plugin_call(function, &session, arguments, argument ? 1 : 0, returned, &refusal);
    assert_string_equal(refusal.message, "");
    assert_true(ok);
}

static void unban(struct plugin_registry *registry, const char *address)
{
    struct plugin_returned returned = {.text = STRBUF_INIT};
    call_function(registry, "ip_filter_unban", address, &returned);
    strbuf_release(&returned.text);
}

static void who_is_banned_on_one_node_is_banned_on_the_other(void **state)
{
    static const char *const addresses[] = {"10.0.0.66", "2001:db8::1"};
    struct workshop *workshop = *state;
    struct nodes nodes;
    struct error error = {""};
    begin_nodes(workshop, &nodes);
    struct plugin_registry *one = nodes.registries[0], *two = nodes.registries[1];
    for (size_t i = 0; i < 2; i++) {
        fails(one, addresses[i]);
        assert_false(visits(one, "joe", addresses[i])); /* here it is at once */
        wait_until(two, addresses[i], false);
    }
    assert_false(visits(two, "joe", "2001:db8::2")); /* of the same /64 */
    assert_true(visits(two, "joe", "10.0.0.67"));
    unban(two, "10.0.0.66");
    wait_until(one, "10.0.0.66", true);
    assert_false(visits(two, "joe", "2001:db8::1"));
    fails(one, "10.0.0.66"); /* again */
    wait_until(two, "10.0.0.66", false);
    assert_int_equal(plugin_flush(two, NULL, "ip_filter", &error), 0);
    for (size_t i = 0; i < 2; i++)
        wait_until(one, addresses[i], true);
    assert_true(visits(two, "joe", "10.0.0.66"));
    end_nodes(&nodes);
}

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t bans;
};

static void count_bans(void *user, const struct store_news *news)
{
    struct seen *seen = user;
    pthread_mutex_lock(&seen->lock);
    for (size_t i = 0; i < news->count; i++)
        seen->bans += !news->entries[i].is_deleted;
    pthread_cond_broadcast(&seen->more);
    pthread_mutex_unlock(&seen->lock);
}

static void wait_bans(struct seen *seen, size_t count)
{
    pthread_mutex_lock(&seen->lock);
    while (seen->bans < count)
        pthread_cond_wait(&seen->more, &seen->lock);
    pthread_mutex_unlock(&seen->lock);
}

static void note_status(void *user, weir_string name, weir_string value)
{
    if (name.size == 25 && memcmp(name.data, "Ip_filter_bans_not_stored", 25) == 0)
        *(long *)user = strtol(value.data, NULL, 10);
}

static off_t size_of(const struct workshop *workshop, const char *name)
{
    struct stat file;
    return stat(workshop_path(workshop, "%s", name), &file) == 0 ? file.st_size : 0;
}

static void a_storm_of_bans_while_the_store_is_away_is_bounded_and_stored_afterwards(void **state)
{
    enum { BANS = 3000, WAIT = 1024 }; /* WAIT: SHARED_BANS_MOST */
    struct workshop *workshop = *state;
    struct error error = {""};
    struct seen seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
    package(workshop);
    copy_plugin(workshop);
    /* Another process has the folder. */
    workshop_write(workshop, "data/x", "");
    struct store *owner = file_store_new(workshop_path(workshop, "data/plugin-store"), &error);
    assert_non_null(owner);
    assert_true(store_follow(owner, STORE_TEXT("/"), count_bans, &seen));
    const struct store_request put = {
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT("/weir/plugin/ip_filter/ban/no address"),
                    .value = STORE_TEXT("99999999999999999999")},
                   {.key = STORE_TEXT("/weir/plugin/ip_filter/ban/10.9.9.9"),
                    .value = STORE_TEXT("-1")},
                   {.key = STORE_TEXT("/weir/plugin/ip_filter/ban/10.9.9.8"),
                    .value = STORE_TEXT("1")}},
        .write_count = 3};
    assert_true(store_call(owner, &put));
    wait_bans(&seen, 3); /* none that anybody has put so holds */
    struct plugin_storage *storage =
        plugin_storage_new(NULL, "/weir", workshop_path(workshop, "data"));
    assert_non_null(storage);
    ban_after = "1";
    struct plugin_registry *registry = load_from(workshop, "out2", storage);
    ban_after = NULL;
    for (int i = 0; i < BANS; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.1.%d.%d", i / 200, i % 200);
        fails(registry, address);
        assert_false(visits(registry, "joe", address));
    }
    long missing = 0;
    struct weir_session session;
    plugin_session_init(&session);
    plugin_status(registry, &session, note_status, &missing);
    assert_int_equal(missing, BANS - WAIT);
    store_free(owner);
    while (size_of(workshop, "data/plugin-store/data") < WAIT * 90) /* bytes of a record: more */
        usleep(2000);
    plugin_registry_shutdown(registry);
    plugin_storage_free(storage);
    owner = file_store_new(workshop_path(workshop, "data/plugin-store"), &error);
    assert_non_null(owner);
    seen.bans = 0;
    assert_true(
        store_follow(owner, STORE_TEXT("/weir/plugin/ip_filter/ban/10.1."), count_bans, &seen));
    wait_bans(&seen, 1);
    assert_int_equal(seen.bans, WAIT); /* all of them, and in one piece */
    store_free(owner);
}

/* ---- Bans that are lifted while the store is away ---- */

#define BAN "/weir/plugin/ip_filter/ban/"

/* One node, over a store in memory whose time the test moves. */
struct away {
    struct memory_hub *hub;
    struct store *store, *other;
    struct plugin_storage *storage;
    struct plugin_registry *registry;
};

static void begin_away(struct workshop *workshop, struct away *away)
{
    package(workshop);
    copy_plugin(workshop);
    *away = (struct away){.hub = memory_hub_new()};
    away->store = memory_store_new(away->hub);
    away->other = memory_store_new(away->hub);
    away->storage = plugin_storage_new(away->store, "/weir", NULL);
    ban_after = "1";
    away->registry = load_from(workshop, "out2", away->storage);
    ban_after = NULL;
    assert_non_null(away->registry);
    for (int i = 1; i <= 2; i++) {
        char address[16];
        snprintf(address, sizeof address, "10.0.0.%d", i);
        fails(away->registry, address);
        assert_false(visits(away->registry, "joe", address));
    }
    memory_hub_advance(away->hub, 1);
    memory_store_cut(away->store, true);
    memory_hub_advance(away->hub, 1);
}

static void end_away(struct away *away)
{
    plugin_registry_shutdown(away->registry);
    store_free(away->store);
    store_free(away->other);
    plugin_storage_free(away->storage);
    memory_hub_free(away->hub);
}

static void come_back(struct away *away)
{
    memory_hub_advance(away->hub, 1);
    memory_store_cut(away->store, false);
    for (int i = 0; i < 5; i++)
        memory_hub_advance(away->hub, 100);
}

static void add_key(void *user, const struct store_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        strbuf_printf(user, "%.*s ", (int)(answer->entries[i].key.size - strlen(BAN)),
                      answer->entries[i].key.data + strlen(BAN));
}

static void expect_bans(struct away *away, const char *expected)
{
    struct strbuf keys = STRBUF_INIT;
    const struct store_request list = {.action = STORE_READ,
                                       .key = STORE_TEXT(BAN),
                                       .is_prefix = true,
                                       .done = add_key,
                                       .user = &keys};
    assert_true(store_call(away->other, &list));
    memory_hub_advance(away->hub, 1);
    assert_string_equal(keys.data, expected);
    strbuf_release(&keys);
}

static void another_node_bans(struct away *away, const char *key)
{
    const struct store_request put = {
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = STORE_TEXT("9000000000000000000")}},
        .write_count = 1};
    assert_true(store_call(away->other, &put));
    memory_hub_advance(away->hub, 1);
}

static void a_ban_that_is_lifted_while_the_store_is_away_does_not_come_back(void **state)
{
    struct away away;
    begin_away(*state, &away);
    expect_bans(&away, "10.0.0.1 10.0.0.2 ");
    unban(away.registry, "10.0.0.1");
    memory_hub_advance(away.hub, 1);
    memory_hub_compact(away.hub); /* everything is read anew */
    come_back(&away);
    expect_bans(&away, "10.0.0.2 ");
    assert_true(visits(away.registry, "joe", "10.0.0.1"));
    assert_false(visits(away.registry, "joe", "10.0.0.2"));
    end_away(&away);
}

static void what_another_node_has_banned_since_stays_banned(void **state)
{
    struct away away;
    begin_away(*state, &away);
    unban(away.registry, "10.0.0.1");
    memory_hub_advance(away.hub, 1);
    another_node_bans(&away, BAN "10.0.0.1");
    come_back(&away);
    expect_bans(&away, "10.0.0.1 10.0.0.2 ");
    assert_false(visits(away.registry, "joe", "10.0.0.1"));
    end_away(&away);
}

static void all_bans_that_are_lifted_while_the_store_is_away_do_not_come_back(void **state)
{
    struct away away;
    struct error error = {""};
    begin_away(*state, &away);
    assert_int_equal(plugin_flush(away.registry, NULL, "ip_filter", &error), 0);
    memory_hub_advance(away.hub, 1);
    another_node_bans(&away, BAN "10.0.0.3");
    fails(away.registry, "10.0.0.2"); /* again */
    assert_false(visits(away.registry, "joe", "10.0.0.2"));
    memory_hub_compact(away.hub);
    come_back(&away);
    expect_bans(&away, "10.0.0.2 10.0.0.3 ");
    assert_true(visits(away.registry, "joe", "10.0.0.1"));
    assert_false(visits(away.registry, "joe", "10.0.0.2"));
    assert_false(visits(away.registry, "joe", "10.0.0.3"));
    end_away(&away);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, workshop_open, workshop_close)
    const struct CMUnitTest tests[] = {
        TEST(who_is_banned_on_one_node_is_banned_on_the_other),
        TEST(a_storm_of_bans_while_the_store_is_away_is_bounded_and_stored_afterwards),
        TEST(a_ban_that_is_lifted_while_the_store_is_away_does_not_come_back),
        TEST(what_another_node_has_banned_since_stays_banned),
        TEST(all_bans_that_are_lifted_while_the_store_is_away_do_not_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
