/* SPDX-License-Identifier: Apache-2.0
 *
 * The etcd client before scripted servers: fail-over, what may not be sent twice, tokens, watches that are split,
 * compacted, without a leader, or silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "asking.h"
#include "scripted_etcd.h"

#define DONE       "{\"header\":{\"revision\":\"6\"},\"succeeded\":true}"
#define FOO        "{\"key\":\"Zm9v\",\"mod_revision\":\"5\",\"value\":\"YmFy\"}"
#define EVERYTHING "{\"header\":{\"revision\":\"6\"},\"kvs\":[" FOO "]}"
#define CREATED    "{\"result\":{\"header\":{\"revision\":\"6\"},\"created\":true}}\n"

static struct store *connect_to(const char *endpoints, const char *user, long timeout_ms)
{
    const struct etcd_options options = {
        .endpoints = endpoints, .user = user, .password = "secret", .timeout_ms = timeout_ms};
    struct error error = {""};
    struct store *store = etcd_new(&options, &error);
    assert_string_equal(error.message, "");
    assert_non_null(store);
    return store;
}

static const char *both(const struct scripted_etcd *one, const struct scripted_etcd *two)
{
    static char text[160];
    snprintf(text, sizeof text, "%s,%s/", one->url, two->url);
    return text;
}

static struct store_request write_foo(void)
{
    return (struct store_request){
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT("foo"), .value = STORE_TEXT("bar")}},
        .write_count = 1};
}

static struct store_request read_foo(void)
{
    return (struct store_request){.action = STORE_READ, .key = STORE_TEXT("foo")};
}

static bool is_watch(const struct scripted_request *request)
{
    return strcmp(request->path, "/v3/watch") == 0;
}

static void answers_all(struct scripted_request *request)
{
    scripted_say(request, 200, strstr(request->path, "range") ? EVERYTHING : DONE);
}

/* ---- Requests ---- */

static void a_request_is_answered(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, answers_all, NULL, NULL);
    struct store *store = connect_to(etcd.url, NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_DONE);
    assert_int_equal(asked.revision, 6);
    assert_int_equal(ask(store, &asked, read_foo()), STORE_DONE);
    assert_int_equal(asked.count, 1);
    store_free(store);
    scripted_stop(&etcd);
}

static void hangs_up(struct scripted_request *request)
{
    (void)request;
}

/* The port of a server that has gone. */
static void a_write_goes_to_the_next_where_nobody_listens(void **state)
{
    struct scripted_etcd gone, etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&gone, answers_all, NULL, NULL);
    scripted_stop(&gone);
    scripted_start(&etcd, answers_all, NULL, NULL);
    struct store *store = connect_to(both(&gone, &etcd), NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_DONE);
    assert_int_equal(etcd.requests, 1);
    store_free(store);
    scripted_stop(&etcd);
    store = connect_to(both(&gone, &etcd), NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_FAILED);
    assert_non_null(strstr(asked.message, etcd.url));
    store_free(store);
}

static void a_write_without_an_answer_is_unknown_and_not_sent_again(void **state)
{
    struct scripted_etcd one, two;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&one, hangs_up, NULL, NULL);
    scripted_start(&two, answers_all, NULL, NULL);
    struct store *store = connect_to(both(&one, &two), NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_UNKNOWN);
    assert_int_equal(one.requests, 1);
    assert_int_equal(two.requests, 0);
    assert_int_equal(ask(store, &asked, write_foo()),
                     STORE_DONE); /* there is another endpoint now */
    assert_int_equal(one.requests, 1);
    store_free(store);
    scripted_stop(&one);
    scripted_stop(&two);
}

static void a_read_without_an_answer_goes_to_the_next(void **state)
{
    struct scripted_etcd one, two;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&one, hangs_up, NULL, NULL);
    scripted_start(&two, answers_all, NULL, NULL);
    struct store *store = connect_to(both(&one, &two), NULL, 5000);
    assert_int_equal(ask(store, &asked, read_foo()), STORE_DONE);
    assert_int_equal(two.requests, 1);
    store_free(store);
    scripted_stop(&one);
    scripted_stop(&two);
}

static void has_no_leader(struct scripted_request *request)
{
    scripted_say(request, 503, "{\"error\":\"etcdserver: no leader\",\"code\":14}");
}

static void has_a_new_leader(struct scripted_request *request)
{
    scripted_say(request, 503, "{\"error\":\"etcdserver: leader changed\",\"code\":14}");
}

static void without_a_leader_nothing_is_done(void **state)
{
    struct scripted_etcd one, two;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&one, has_no_leader, NULL, NULL);
    scripted_start(&two, answers_all, NULL, NULL);
    struct store *store = connect_to(both(&one, &two), NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_DONE);
    store_free(store);
    scripted_stop(&two);
    scripted_start(&two, has_a_new_leader, NULL, NULL);
    store = connect_to(both(&two, &one), NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_UNKNOWN);
    store_free(store);
    scripted_stop(&one);
    scripted_stop(&two);
}

static void says_odd_things(struct scripted_request *request)
{
    if (strstr(request->path, "keepalive"))
        scripted_say(request, 200, "{\"result\":{\"ID\":\"77\"}}\n");
    else if (strstr(request->path, "grant"))
        scripted_say(request, 404, "Not Found");
    else
        scripted_say(request, 200, "{\"header\":{\"revision\":\"6\"}}");
}

static void refusals_say_what_they_are(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, says_odd_things, NULL, NULL);
    struct store *store = connect_to(etcd.url, NULL, 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_DIFFERS);
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_KEEP, .lease = 77}),
                     STORE_GONE);
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 5}),
                     STORE_UNKNOWN);
    assert_non_null(strstr(asked.message, "HTTP status 404"));
    store_free(store);
    scripted_stop(&etcd);
}

static void hangs(struct scripted_request *request)
{
    scripted_hang(request);
}

static void what_is_not_answered_when_the_store_ends_fails(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    struct store_request request = write_foo();
    (void)state;
    request.done = asked_done;
    request.user = &asked;
    scripted_start(&etcd, hangs, NULL, NULL);
    struct store *store = connect_to(etcd.url, NULL, 60000);
    for (int i = 0; i < 3; i++)
        assert_true(store_call(store, &request));
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    store_free(store);
    assert_int_equal(asked.answers, 3);
    assert_null(asked.news.data);
    scripted_stop(&etcd);
}

/* ---- Tokens ---- */

/* Tokens are "t1", "t2" ...; each is good for two requests. */
struct tokens {
    atomic_int given, used;
};

static void wants_tokens(struct scripted_request *request)
{
    struct tokens *tokens = request->user;
    char text[160];
    if (strstr(request->path, "authenticate")) {
        assert_non_null(strstr(request->body, "\"password\":\"secret\""));
        atomic_store(&tokens->used, 0);
        snprintf(text, sizeof text, "{\"header\":{},\"token\":\"t%d\"}",
                 atomic_fetch_add(&tokens->given, 1) + 1);
        scripted_say(request, 200, text);
        return;
    }
    snprintf(text, sizeof text, "t%d", atomic_load(&tokens->given));
    if (strcmp(request->token, text) || atomic_fetch_add(&tokens->used, 1) >= 2)
        scripted_say(request, 401, "{\"error\":\"etcdserver: invalid auth token\",\"code\":16}");
    else
        answers_all(request);
}

static void a_token_that_has_expired_is_renewed(void **state)
{
    struct scripted_etcd etcd;
    struct tokens tokens = {0, 0};
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, wants_tokens, &tokens, NULL);
    struct store *store = connect_to(etcd.url, "weir", 5000);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(store, &asked, write_foo()), STORE_DONE);
    assert_int_equal(tokens.given, 3);
    store_free(store);
    scripted_stop(&etcd);
}

static void knows_nobody(struct scripted_request *request)
{
    scripted_say(request, 400,
                 "{\"error\":\"etcdserver: authentication failed, invalid user ID or "
                 "password\",\"code\":3}");
}

static void gives_useless_tokens(struct scripted_request *request)
{
    if (strstr(request->path, "authenticate"))
        scripted_say(request, 200, "{\"token\":\"x\"}");
    else
        scripted_say(request, 401, "{\"error\":\"etcdserver: invalid auth token\",\"code\":16}");
}

static void a_login_that_fails_is_said(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, knows_nobody, NULL, NULL);
    struct store *store = connect_to(etcd.url, "weir", 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_FAILED);
    assert_non_null(strstr(asked.message, "weir cannot log in to etcd"));
    assert_null(strstr(asked.message, "secret"));
    store_free(store);
    scripted_stop(&etcd);
    scripted_start(&etcd, gives_useless_tokens, NULL, NULL);
    store = connect_to(etcd.url, "weir", 5000);
    assert_int_equal(ask(store, &asked, write_foo()), STORE_FAILED); /* and not for ever */
    store_free(store);
    scripted_stop(&etcd);
}

/* ---- Follows ---- */

static void tells_byte_by_byte(struct scripted_request *request)
{
    static const char events[] =
        CREATED "{\"result\":{\"header\":{\"revision\":\"7\"},\"events\":[{\"kv\":{\"key\":"
                "\"Zm9v\",\"mod_revision\":\"7\","
                "\"value\":\"MQ==\"}}]}}\n{\"result\":{\"header\":{\"revision\":\"9\"},\"events\":["
                "{\"type\":\"DELETE\",\"kv\":{"
                "\"key\":\"Zm9v\",\"mod_revision\":\"8\"}}]}}\n";
    if (!is_watch(request)) {
        answers_all(request);
        return;
    }
    assert_non_null(strstr(request->body, "\"start_revision\":\"7\""));
    scripted_begin(request);
    for (size_t i = 0; i < sizeof events - 1; i++)
        scripted_piece(request, events + i, 1);
    scripted_hang(request);
}

static void a_watch_is_read_in_any_pieces(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, tells_byte_by_byte, NULL, NULL);
    struct store *store = connect_to(etcd.url, NULL, 5000);
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    asked_wait_news(&asked, "gone");
    assert_string_equal(asked.news.data,
                        "everything@6 foo=bar; changes@7 foo=1; changes@8 foo gone; ");
    store_free(store);
    asked_release(&asked);
    scripted_stop(&etcd);
}

static void has_compacted(struct scripted_request *request)
{
    static const char compacted[] = CREATED "{\"result\":{\"header\":{\"raft_term\":\"2\"},"
                                            "\"canceled\":true,\"compact_revision\":\"20\"}}\n";
    if (!is_watch(request)) {
        scripted_say(request, 200,
                     request->number == 1 ? EVERYTHING : "{\"header\":{\"revision\":\"30\"}}");
        return;
    }
    scripted_begin(request);
    if (strstr(request->body, "\"start_revision\":\"7\""))
        scripted_piece(request, compacted, sizeof compacted - 1);
    else
        scripted_hang(request);
}

static void after_a_compaction_everything_is_read_anew(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, has_compacted, NULL, NULL);
    struct store *store = connect_to(etcd.url, NULL, 5000);
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    asked_wait_news(&asked, "everything@30; ");
    assert_string_equal(asked.news.data, "everything@6 foo=bar; everything@30; ");
    store_free(store);
    asked_release(&asked);
    scripted_stop(&etcd);
}

static void loses_its_leader(struct scripted_request *request)
{
    static const char lost[] =
        CREATED "{\"error\":{\"grpc_code\":14,\"message\":\"etcdserver: no leader\"}}\n";
    if (!is_watch(request)) {
        answers_all(request);
        return;
    }
    scripted_begin(request);
    scripted_piece(request, lost, sizeof lost - 1);
}

static void tells_one(struct scripted_request *request)
{
    static const char event[] = "{\"result\":{\"header\":{\"revision\":\"7\"},\"created\":true}}\n"
                                "{\"result\":{\"header\":{\"revision\":\"7\"},\"events\":[{\"kv\":{"
                                "\"key\":\"Zm9v\",\"mod_revision\":\"7\",\"value\":\"MQ==\"}}]}}\n";
    if (!is_watch(request)) {
        answers_all(request);
        return;
    }
    assert_non_null(strstr(request->body, "\"start_revision\":\"7\""));
    scripted_begin(request);
    scripted_piece(request, event, sizeof event - 1);
    scripted_hang(request);
}

static void a_watch_without_a_leader_goes_on_elsewhere_where_it_was(void **state)
{
    struct scripted_etcd one, two;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&one, loses_its_leader, NULL, NULL);
    scripted_start(&two, tells_one, NULL, NULL);
    struct store *store = connect_to(both(&one, &two), NULL, 5000);
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    asked_wait_news(&asked, "foo=1");
    assert_string_equal(asked.news.data,
                        "everything@6 foo=bar; lost; changes@6; changes@7 foo=1; ");
    store_free(store);
    asked_release(&asked);
    scripted_stop(&one);
    scripted_stop(&two);
}

static void stops_for_good(struct scripted_request *request)
{
    if (request->number == 1) {
        answers_all(request);
        return;
    }
    if (is_watch(request)) {
        scripted_begin(request);
        scripted_piece(request, CREATED, sizeof CREATED - 1);
    }
    scripted_hang(request);
}

/* What a stopped process does: its connections stay, and say nothing. */
static void a_silent_endpoint_is_left_by_its_watches_once_a_request_is_late(void **state)
{
    struct scripted_etcd one, two;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&one, stops_for_good, NULL, NULL);
    scripted_start(&two, tells_one, NULL, NULL);
    struct store *store = connect_to(both(&one, &two), NULL, 300);
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    asked_wait_news(&asked, "everything@6");
    while (one.requests < 2)
        assert_int_equal(usleep(1000), 0);
    assert_int_equal(ask(store, &asked, read_foo()), STORE_DONE);
    asked_wait_news(&asked, "foo=1");
    store_free(store);
    asked_release(&asked);
    scripted_stop(&one);
    scripted_stop(&two);
}

static void was_restored(struct scripted_request *request)
{
    static const char created[] =
        "{\"result\":{\"header\":{\"revision\":\"3\"},\"created\":true}}\n";
    if (!is_watch(request)) {
        scripted_say(request, 200,
                     request->number == 1 ? EVERYTHING : "{\"header\":{\"revision\":\"3\"}}");
        return;
    }
    scripted_begin(request);
    scripted_piece(request, created, sizeof created - 1);
    scripted_hang(request);
}

static void a_revision_that_has_gone_back_is_a_restored_backup(void **state)
{
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, was_restored, NULL, NULL);
    struct store *store = connect_to(etcd.url, NULL, 5000);
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    asked_wait_news(&asked, "everything@3; ");
    store_free(store);
    asked_release(&asked);
    scripted_stop(&etcd);
}

static void watches_with_tokens(struct scripted_request *request)
{
    struct tokens *tokens = request->user;
    char token[16];
    snprintf(token, sizeof token, "t%d", atomic_load(&tokens->given));
    if (!is_watch(request) || strcmp(request->token, token) || atomic_load(&tokens->given) == 1) {
        if (is_watch(request)) /* the first one is refused in the stream */
            scripted_say(
                request, 200,
                "{\"error\":{\"grpc_code\":16,\"message\":\"etcdserver: invalid auth token\"}}");
        else
            wants_tokens(request);
        return;
    }
    tells_one(request);
}

static void a_watch_whose_token_has_expired_logs_in_again(void **state)
{
    struct scripted_etcd etcd;
    struct tokens tokens = {0, 0};
    struct asked asked = ASKED_INIT;
    (void)state;
    scripted_start(&etcd, watches_with_tokens, &tokens, NULL);
    struct store *store = connect_to(etcd.url, "weir", 5000);
    assert_true(store_follow(store, STORE_TEXT("f"), asked_news, &asked));
    asked_wait_news(&asked, "foo=1");
    assert_int_equal(tokens.given, 2);
    store_free(store);
    asked_release(&asked);
    scripted_stop(&etcd);
}

/* ---- Options ---- */

static void endpoints_that_are_none_are_refused(void **state)
{
    static const char *const cases[] = {"",
                                        ",",
                                        "http://",
                                        "http://u:p@host:1",
                                        "ftp://a:1/x",
                                        "a:1/path",
                                        "a b@c",
                                        "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {""};
        assert_null(
            etcd_new(&(struct etcd_options){.endpoints = cases[i], .timeout_ms = 1}, &error));
        assert_non_null(strstr(error.message, "endpoint"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(a_write_goes_to_the_next_where_nobody_listens),
        cmocka_unit_test(a_write_without_an_answer_is_unknown_and_not_sent_again),
        cmocka_unit_test(a_read_without_an_answer_goes_to_the_next),
        cmocka_unit_test(without_a_leader_nothing_is_done),
        cmocka_unit_test(refusals_say_what_they_are),
        cmocka_unit_test(what_is_not_answered_when_the_store_ends_fails),
        cmocka_unit_test(a_token_that_has_expired_is_renewed),
        cmocka_unit_test(a_login_that_fails_is_said),
        cmocka_unit_test(a_watch_is_read_in_any_pieces),
        cmocka_unit_test(after_a_compaction_everything_is_read_anew),
        cmocka_unit_test(a_watch_without_a_leader_goes_on_elsewhere_where_it_was),
        cmocka_unit_test(a_silent_endpoint_is_left_by_its_watches_once_a_request_is_late),
        cmocka_unit_test(a_revision_that_has_gone_back_is_a_restored_backup),
        cmocka_unit_test(a_watch_whose_token_has_expired_logs_in_again),
        cmocka_unit_test(endpoints_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
