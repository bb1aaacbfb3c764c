/* SPDX-License-Identifier: Apache-2.0
 *
 * Two hundred nodes in memory, and what they ask of one etcd: for a flush, for a storm of bans, for limits that all of them
 * count together, and when all of them start again. Prints the figures that docs/cluster.md has, and fails beyond twice of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/cluster.h"

#define NODES      200
#define LEASE_MS   10000
#define PREFIX     "/weir/test/"
#define BANS       PREFIX "plugin/ip_filter/ban/"
#define COUNTS     PREFIX "plugin/ip_filter/count/"
#define BAN_RATE   1000 /* a second, of all nodes together */
#define STORM_S    10
#define BAN_TTL_S  3600
#define FLUSH_NAME "ip_filter"

struct node {
    struct store *store;
    struct membership *membership;
    struct plugin_keys *keys;
    struct node_requests *requests;
    unsigned flushes;
    int64_t ban_lease;
    size_t bans; /* that it knows */
    int64_t count_lease;
    size_t counts; /* changes that it has been notified of */
};

static struct memory_hub *hub;
static struct node nodes[NODES];

/* What a node says of itself when it has flushed, as cluster_plugins.c does. */
static void say(const struct node *node)
{
    struct strbuf text = STRBUF_INIT;
    const struct node_record record = {.address = "gateway.example:4000",
                                       .version = "1",
                                       .since_s = 1,
                                       .plugins = {{.name = FLUSH_NAME,
                                                    .version = "1",
                                                    .state = "Ready-enable",
                                                    .flush = node->flushes ? "OK" : ""}},
                                       .plugin_count = 1};
    node_record_write(&text, &record);
    membership_publish(node->membership, text.data, text.size);
    strbuf_release(&text);
}

static void on_order(void *user, const struct plugin_order *order)
{
    struct node *node = user;
    node->flushes += order->flushes;
    if (order->flushes)
        say(node);
}

static void on_asked(void *user, const struct node_request *request)
{
    (void)user, (void)request;
}

static void on_bans(void *user, const struct store_news *news)
{
    struct node *node = user;
    node->bans += news->count;
}

static void on_counts(void *user, const struct store_news *news)
{
    struct node *node = user;
    node->counts += news->count;
}

static void begin(struct node *node)
{
    *node = (struct node){.store = memory_store_new(hub)};
    const struct membership_options options = {.prefix = PREFIX "nodes/",
                                               .used_prefix = PREFIX "numbers/",
                                               .first = 1025,
                                               .last = 2047,
                                               .lease_s = LEASE_MS / 1000};
    const struct plugin_keys_options keys = {.prefix = PREFIX, .order = on_order, .user = node};
    assert_non_null(node->store);
    node->membership = membership_new(node->store, &options);
    node->keys = plugin_keys_new(node->store, &keys);
    assert_true(node->membership && node->keys);
    const struct node_requests_options requests = {
        .prefix = PREFIX "requests/", .membership = node->membership, .asked = on_asked};
    node->requests = node_requests_new(node->store, &requests);
    assert_non_null(node->requests);
    assert_true(store_follow(node->store, STORE_TEXT(BANS), on_bans, node));
    assert_true(store_follow(node->store, STORE_TEXT(COUNTS), on_counts, node));
    say(node);
}

/* As if the process were killed. */
static void end(struct node *node)
{
    store_free(node->store);
    node_requests_free(node->requests);
    plugin_keys_free(node->keys);
    membership_free(node->membership);
}

static void begin_all(void)
{
    for (size_t i = 0; i < NODES; i++)
        begin(&nodes[i]);
}

static void end_all(void)
{
    for (size_t i = 0; i < NODES; i++)
        end(&nodes[i]);
}

static int setup(void **state)
{
    (void)state;
    hub = memory_hub_new();
    begin_all();
    memory_hub_advance(hub, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end_all();
    memory_hub_free(hub);
    return 0;
}

/* ---- Figures ---- */

static struct memory_counts since(struct memory_counts before)
{
    struct memory_counts now = memory_hub_counts(hub);
    return (struct memory_counts){.reads = now.reads - before.reads,
                                  .changes = now.changes - before.changes,
                                  .told = now.told - before.told};
}

/* Prints a row, and fails where more was asked of etcd than its most. */
static void judge(const char *what, struct memory_counts counts, struct memory_counts most)
{
    printf("| %s | %llu | %llu | %llu |\n", what, (unsigned long long)counts.reads,
           (unsigned long long)counts.changes, (unsigned long long)counts.told);
    assert_in_range(counts.reads, 0, most.reads);
    assert_in_range(counts.changes, 0, most.changes);
    assert_in_range(counts.told, 0, most.told);
}

/* ---- Cases ---- */

static void assert_members(void)
{
    static bool taken[2048];
    memset(taken, 0, sizeof taken);
    for (size_t i = 0; i < NODES; i++) {
        const unsigned number = membership_number(nodes[i].membership);
        assert_in_range(number, 1025, 2047);
        assert_false(taken[number]);
        taken[number] = true;
    }
}

static void a_minute_in_which_nothing_happens(void **state)
{
    (void)state;
    const struct memory_counts before = memory_hub_counts(hub);
    memory_hub_advance(hub, 60000);
    judge("a minute in which nothing happens", since(before),
          (struct memory_counts){.reads = 0, .changes = 2 * 3600, .told = 0});
}

static void a_flush(void **state)
{
    (void)state;
    const struct plugin_change change = {.is_done = true};
    const struct memory_counts before = memory_hub_counts(hub);
    assert_true(plugin_keys_begin(nodes[0].keys, FLUSH_NAME));
    plugin_keys_end(nodes[0].keys, FLUSH_NAME, &change);
    memory_hub_advance(hub, 100);
    judge("a flush", since(before),
          (struct memory_counts){.reads = 0, .changes = 2 * 200, .told = 2 * 40000});
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(nodes[i].flushes, i != 0);
}

static void on_lease(void *user, const struct store_answer *answer)
{
    struct node *node = user;
    assert_int_equal(answer->status, STORE_DONE);
    node->ban_lease = answer->lease;
}

/* As shared_bans.c does: one lease for many bans. */
static void ban(struct node *node, unsigned number)
{
    char key[128];
    snprintf(key, sizeof key, BANS "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255,
             number & 255);
    const struct store_request request = {.action = STORE_WRITE,
                                          .writes = {{.key = STORE_TEXT(key),
                                                      .value = STORE_TEXT("1900000000000000000"),
                                                      .lease = node->ban_lease}},
                                          .write_count = 1};
    assert_true(store_call(node->store, &request));
}

static void a_storm_of_bans(void **state)
{
    (void)state;
    const struct memory_counts before = memory_hub_counts(hub);
    for (size_t i = 0; i < NODES; i++) {
        const struct store_request request = {
            .action = STORE_GRANT, .ttl_s = BAN_TTL_S, .done = on_lease, .user = &nodes[i]};
        assert_true(store_call(nodes[i].store, &request));
    }
    memory_hub_advance(hub, 0);
    for (unsigned i = 0; i < BAN_RATE * STORM_S; i++) {
        ban(&nodes[i % NODES], i);
        if (i % 100 == 99)
            memory_hub_advance(hub, 100 * 1000 / BAN_RATE);
    }
    struct memory_counts counts = since(before);
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(nodes[i].bans, BAN_RATE * STORM_S);
    counts.changes /= STORM_S;
    counts.told /= STORM_S;
    judge("a second of 1,000 bans", counts,
          (struct memory_counts){.reads = 0, .changes = 2 * 1080, .told = 2 * 200000});
}

/* ---- Limits, as shared_counts.c counts them ---- */

static void on_count_lease(void *user, const struct store_answer *answer)
{
    struct node *node = user;
    assert_int_equal(answer->status, STORE_DONE);
    node->count_lease = answer->lease;
}

/* Puts a node's key of so many addresses or accounts. */
static void put_counts(struct node *node, size_t number)
{
    char key[128], value[256] = "";
    snprintf(key, sizeof key, COUNTS "%016zx/0", number);
    const struct store_request request = {.action = STORE_WRITE,
                                          .writes = {{.key = STORE_TEXT(key),
                                                      .value = {value, sizeof value},
                                                      .lease = node->count_lease}},
                                          .write_count = 1};
    assert_true(store_call(node->store, &request));
}

static void keep_counts(const struct node *node)
{
    const struct store_request request = {.action = STORE_KEEP, .lease = node->count_lease};
    assert_true(store_call(node->store, &request));
}

/* All nodes have connections of an account with a limit, and logins all the time: each puts as often as it may. */
static void a_second_of_logins_everywhere(void **state)
{
    enum { SECONDS = 10, KEEP_EVERY = 3333, WRITES = 200 /* SHARED_COUNTS_WRITES */ };
    (void)state;
    for (size_t i = 0; i < NODES; i++) {
        const struct store_request request = {.action = STORE_GRANT,
                                              .ttl_s = LEASE_MS / 1000,
                                              .done = on_count_lease,
                                              .user = &nodes[i]};
        assert_true(store_call(nodes[i].store, &request));
    }
    memory_hub_advance(hub, 0);
    const struct memory_counts before = memory_hub_counts(hub);
    for (unsigned ms = 0, kept = 0; ms < SECONDS * 1000; ms += 1000 / WRITES) {
        const size_t node = ms / (1000 / WRITES) % NODES;
        put_counts(&nodes[node], node);
        for (; kept < (uint64_t)ms * NODES / KEEP_EVERY; kept++)
            keep_counts(&nodes[kept % NODES]);
        memory_hub_advance(hub, 1000 / WRITES);
    }
    struct memory_counts counts = since(before);
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(nodes[i].counts, SECONDS * WRITES);
    counts.changes /= SECONDS;
    counts.told /= SECONDS;
    judge("a second of logins on all nodes, with limits of ip_filter", counts,
          (struct memory_counts){.reads = 0, .changes = 2 * 320, .told = 2 * 40000});
}

static void all_start_again(void **state)
{
    (void)state;
    end_all();
    const struct memory_counts before = memory_hub_counts(hub);
    begin_all();
    memory_hub_advance(hub, 2000);
    const struct memory_counts counts = since(before);
    assert_members();
    /* Each reads what there is of nodes, plugins, requests, bans; whoever began before is told of it. */
    judge("all 200 start at once", counts,
          (struct memory_counts){.reads = 2 * 400, .changes = 2 * 600, .told = 2 * 120000});
    memory_hub_advance(hub, 3 * LEASE_MS); /* the leases of before end */
    assert_members();
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_minute_in_which_nothing_happens), CASE(a_flush),         CASE(a_storm_of_bans),
        CASE(a_second_of_logins_everywhere),     CASE(all_start_again),
    };
    printf("| 200 nodes | reads | writes | notifications |\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
