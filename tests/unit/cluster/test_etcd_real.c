/* SPDX-License-Identifier: Apache-2.0
 *
 * The etcd client and a real etcd, which etcdctl talks to as well: what is written, compared, leased and followed, a
 * user's password, and an etcd that is killed and comes back. Skipped where there is no etcd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asking.h"

static struct {
    pid_t process;
    char folder[64], client[64], peer[64];
} etcd;

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    close(probe);
    return ntohs(address.sin_port);
}

/* Runs a program without output but what it writes into `out`; -1: there is none. */
static int run(char *const *arguments, char *out, size_t room)
{
    int pipes[2], status = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t process = fork();
    if (process == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        setenv("ETCDCTL_API", "3", 1);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    close(pipes[1]);
    size_t size = 0;
    ssize_t got;
    while (size < room - 1 && (got = read(pipes[0], out + size, room - 1 - size)) > 0)
        size += (size_t)got;
    out[size] = 0;
    close(pipes[0]);
    assert_int_equal(waitpid(process, &status, 0), process);
    return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

#define ETCDCTL(...)                                                                               \
    run((char *[]){"etcdctl", "--endpoints", etcd.client, __VA_ARGS__, NULL}, output, sizeof output)

static void start_etcd(void)
{
    char cluster[80];
    snprintf(cluster, sizeof cluster, "it=%s", etcd.peer);
    etcd.process = fork();
    if (etcd.process)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    execlp("etcd", "etcd", "--name", "it", "--data-dir", etcd.folder, "--listen-client-urls",
           etcd.client, "--advertise-client-urls", etcd.client, "--listen-peer-urls", etcd.peer,
           "--initial-advertise-peer-urls", etcd.peer, "--initial-cluster", cluster,
           "--unsafe-no-fsync", (char *)NULL);
    _exit(127);
}

static void kill_etcd(void)
{
    kill(etcd.process, SIGKILL);
    waitpid(etcd.process, NULL, 0);
}

static struct store *connect_as(const char *user, const char *password)
{
    struct error error = {""};
    const struct etcd_options options = {
        .endpoints = etcd.client, .user = user, .password = password, .timeout_ms = 5000};
    struct store *store = etcd_new(&options, &error);
    assert_non_null(store);
    return store;
}

static struct store_request write_one(const char *key, const char *value, int64_t lease)
{
    return (struct store_request){
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = STORE_TEXT(value), .lease = lease}},
        .write_count = 1};
}

static bool has_etcd(void)
{
    char output[256];
    return run((char *[]){"etcd", "--version", NULL}, output, sizeof output) == 0 &&
           run((char *[]){"etcdctl", "version", NULL}, output, sizeof output) == 0;
}

static int begin(void **state)
{
    (void)state;
    if (!has_etcd())
        return 0;
    snprintf(etcd.folder, sizeof etcd.folder, "/tmp/weir-etcd-XXXXXX");
    if (!mkdtemp(etcd.folder))
        return -1;
    snprintf(etcd.client, sizeof etcd.client, "http://127.0.0.1:%d", free_port());
    snprintf(etcd.peer, sizeof etcd.peer, "http://127.0.0.1:%d", free_port());
    start_etcd();
    /* until it answers */
    struct asked asked = ASKED_INIT;
    struct store *store = connect_as(NULL, NULL);
    while (ask(store, &asked, write_one("ready", "", 0)) != STORE_DONE)
        usleep(20000);
    store_free(store);
    return 0;
}

static int end(void **state)
{
    char output[64];
    (void)state;
    if (!etcd.process)
        return 0;
    kill_etcd();
    return run((char *[]){"rm", "-r", etcd.folder, NULL}, output, sizeof output);
}

static void values_are_written_and_compared(void **state)
{
    char output[256];
    struct asked asked = ASKED_INIT;
    (void)state;
    if (!etcd.process)
        skip();
    struct store *store = connect_as(NULL, NULL);
    assert_int_equal(ask(store, &asked, write_one("/tidb/plugins/audit_log", "1", 0)), STORE_DONE);
    const int64_t revision = asked.revision;
    assert_int_equal(ETCDCTL("get", "--print-value-only", "/tidb/plugins/audit_log"), 0);
    assert_string_equal(output, "1\n");
    struct store_request request = write_one("/tidb/plugins/audit_log", "0", 0);
    request.compares[0] =
        (struct store_compare){.key = request.writes[0].key, .revision = revision + 1};
    request.compare_count = 1;
    assert_int_equal(ask(store, &asked, request), STORE_DIFFERS);
    request.compares[0].revision = revision;
    assert_int_equal(ask(store, &asked, request), STORE_DONE);
    assert_int_equal(ask(store, &asked,
                         (struct store_request){.action = STORE_READ,
                                                .key = STORE_TEXT("/tidb/plugins/"),
                                                .is_prefix = true}),
                     STORE_DONE);
    assert_int_equal(asked.count, 1);
    store_free(store);
}

static void a_lease_takes_its_keys_along(void **state)
{
    char output[256];
    struct asked asked = ASKED_INIT;
    (void)state;
    if (!etcd.process)
        skip();
    struct store *store = connect_as(NULL, NULL);
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 30}),
                     STORE_DONE);
    const int64_t lease = asked.lease;
    assert_int_equal(ask(store, &asked, write_one("leased", "1", lease)), STORE_DONE);
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_KEEP, .lease = lease}),
        STORE_DONE);
    assert_int_equal(asked.ttl_s, 30);
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_REVOKE, .lease = lease}),
        STORE_DONE);
    assert_int_equal(ETCDCTL("get", "leased"), 0);
    assert_string_equal(output, "");
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_KEEP, .lease = lease}),
        STORE_GONE);
    assert_int_equal(ask(store, &asked, write_one("leased", "1", lease)), STORE_GONE);
    store_free(store);
}

static void news_come_also_after_etcd_was_killed(void **state)
{
    char output[256];
    struct asked asked = ASKED_INIT;
    (void)state;
    if (!etcd.process)
        skip();
    struct store *store = connect_as(NULL, NULL);
    assert_true(store_follow(store, STORE_TEXT("/f/"), asked_news, &asked));
    asked_wait_news(&asked, "everything@");
    assert_int_equal(ETCDCTL("put", "/f/a", "1"), 0);
    asked_wait_news(&asked, " /f/a=1; ");
    kill_etcd();
    asked_wait_news(&asked, "lost; ");
    start_etcd();
    while (ETCDCTL("put", "/f/a", "2") != 0)
        continue;
    assert_int_equal(ETCDCTL("del", "/f/a"), 0);
    asked_wait_news(&asked, " /f/a=2");
    asked_wait_news(&asked, " /f/a gone");
    store_free(store);
    asked_release(&asked);
}

/* The watch that failed first kept the others from failing, which went on as if nothing were missing. */
static void each_of_several_prefixes_is_lost(void **state)
{
    char output[256];
    struct asked asked[3] = {ASKED_INIT, ASKED_INIT, ASKED_INIT};
    (void)state;
    if (!etcd.process)
        skip();
    struct store *store = connect_as(NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_true(store_follow(store, STORE_TEXT("/g/"), asked_news, &asked[i]));
        asked_wait_news(&asked[i], "everything@");
    }
    kill_etcd();
    for (size_t i = 0; i < 3; i++)
        asked_wait_news(&asked[i], "lost; ");
    start_etcd();
    while (ETCDCTL("put", "/g/a", "2") != 0)
        continue;
    for (size_t i = 0; i < 3; i++)
        asked_wait_news(&asked[i], " /g/a=2");
    store_free(store);
    for (size_t i = 0; i < 3; i++)
        asked_release(&asked[i]);
}

static void a_user_logs_in_with_a_password(void **state)
{
    char output[256];
    struct asked asked = ASKED_INIT;
    (void)state;
    if (!etcd.process)
        skip();
    assert_int_equal(ETCDCTL("user", "add", "root:secret"), 0);
    assert_int_equal(ETCDCTL("user", "grant-role", "root", "root"), 0);
    assert_int_equal(ETCDCTL("auth", "enable"), 0);
    struct store *store = connect_as("root", "secret");
    assert_int_equal(ask(store, &asked, write_one("of root", "1", 0)), STORE_DONE);
    assert_true(store_follow(store, STORE_TEXT("of"), asked_news, &asked));
    asked_wait_news(&asked, "of root=1");
    /* etcd forgets its simple tokens when it is started again */
    kill_etcd();
    start_etcd();
    while (ask(store, &asked, write_one("of root", "2", 0)) != STORE_DONE)
        usleep(20000);
    asked_wait_news(&asked, "of root=2");
    store_free(store);
    asked_release(&asked);
    store = connect_as("root", "wrong");
    assert_int_equal(ask(store, &asked, write_one("of root", "3", 0)), STORE_FAILED);
    store_free(store);
    assert_int_equal(ETCDCTL("--user", "root:secret", "auth", "disable"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_and_compared),
        cmocka_unit_test(a_lease_takes_its_keys_along),
        cmocka_unit_test(news_come_also_after_etcd_was_killed),
        cmocka_unit_test(each_of_several_prefixes_is_lost),
        cmocka_unit_test(a_user_logs_in_with_a_password),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
