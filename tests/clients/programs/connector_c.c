/* SPDX-License-Identifier: Apache-2.0
 *
 * Connector/C itself: logins, TLS, text, prepared with arrays (bulk), several results, local files, cancel, reconnect, ping. */
#include <mysql.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *variable(const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "WEIR_TEST_%s", name);
    return getenv(full);
}

static MYSQL *try_open(const char *user, const char *password, bool tls, bool reconnect)
{
    MYSQL *connection = mysql_init(NULL);
    my_bool on = 1;
    unsigned local = 1;
    mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &local);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (reconnect)
        mysql_options(connection, MYSQL_OPT_RECONNECT, &on);
    if (tls) {
        mysql_ssl_set(connection, NULL, NULL, variable("CA"), NULL, NULL);
        mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    }
    mysql_real_connect(connection, variable("HOST"), user, password, variable("DATABASE"),
                       (unsigned)atoi(variable("PORT")), NULL, CLIENT_MULTI_STATEMENTS);
    return connection;
}

static MYSQL *own(void)
{
    return try_open(variable("USER"), variable("PASSWORD"), false, false);
}

static void failed(MYSQL *connection)
{
    printf(" error %u %s %s", mysql_errno(connection), mysql_sqlstate(connection),
           mysql_error(connection));
}

// Runs a text and prints every result of it; returns the first value as a number.
static long query(const char *feature, MYSQL *connection, const char *text)
{
    long first = -1;
    if (feature)
        printf("%s: %.60s:", feature, text);
    int status = mysql_query(connection, text);
    while (status == 0) {
        MYSQL_RES *result = mysql_store_result(connection);
        if (result) {
            for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
                for (unsigned i = 0; i < mysql_num_fields(result); i++) {
                    first = first == -1 && row[i] ? atol(row[i]) : first;
                    if (feature)
                        printf(" %.80s|", row[i] ? row[i] : "NULL");
                }
            }
            mysql_free_result(result);
        } else if (feature && mysql_errno(connection) == 0) {
            printf(" rows %llu id %llu warnings %u %s",
                   (unsigned long long)mysql_affected_rows(connection),
                   (unsigned long long)mysql_insert_id(connection), mysql_warning_count(connection),
                   mysql_info(connection) ? mysql_info(connection) : "");
        }
        status = mysql_next_result(connection);
    }
    if (feature) {
        if (mysql_errno(connection))
            failed(connection);
        printf("\n");
        fflush(stdout);
    }
    return first;
}

static void login(const char *feature, const char *what, const char *user, const char *password,
                  bool tls)
{
    MYSQL *connection = try_open(user, password, tls, false);
    printf("%s: %s ", feature, what);
    if (mysql_errno(connection)) {
        failed(connection);
        printf("\n");
    } else {
        printf("TLS %d\n", mysql_get_ssl_cipher(connection) != NULL);
        query(feature, connection, "SELECT USER(), CURRENT_USER(), DATABASE()");
    }
    mysql_close(connection);
}

static void prepared(MYSQL *connection)
{
    MYSQL_STMT *insert = mysql_stmt_init(connection);
    const char *text = "INSERT INTO t (n, t, b) VALUES (?, ?, ?)";
    int number = 5;
    char string[] = "Grüße 🌍", blob[] = "0123456789";
    unsigned long length = sizeof string - 1;
    MYSQL_BIND bind[3] = {{.buffer_type = MYSQL_TYPE_LONG, .buffer = &number},
                          {.buffer_type = MYSQL_TYPE_STRING,
                           .buffer = string,
                           .buffer_length = length,
                           .length = &length},
                          {.buffer_type = MYSQL_TYPE_BLOB}};
    mysql_stmt_prepare(insert, text, strlen(text));
    mysql_stmt_bind_param(insert, bind);
    for (int i = 0; i < 3; i++) {
        for (int part = 0; part < i * 100; part++)
            mysql_stmt_send_long_data(insert, 2, blob, sizeof blob - 1);
        int status = mysql_stmt_execute(insert);
        printf("prepared: insert %d %llu %s\n", status,
               (unsigned long long)mysql_stmt_insert_id(insert), mysql_stmt_error(insert));
    }
    // An array of rows in one command.
    enum { ROWS = 3000 };
    static int numbers[ROWS];
    for (int i = 0; i < ROWS; i++)
        numbers[i] = i;
    unsigned rows = ROWS;
    text = "INSERT INTO t (n) VALUES (?)";
    MYSQL_STMT *bulk = mysql_stmt_init(connection);
    MYSQL_BIND column = {.buffer_type = MYSQL_TYPE_LONG, .buffer = numbers};
    mysql_stmt_prepare(bulk, text, strlen(text));
    mysql_stmt_attr_set(bulk, STMT_ATTR_ARRAY_SIZE, &rows);
    mysql_stmt_bind_param(bulk, &column);
    int status = mysql_stmt_execute(bulk);
    printf("bulk: array %d %llu %s\n", status, (unsigned long long)mysql_stmt_affected_rows(bulk),
           mysql_stmt_error(bulk));
    mysql_stmt_close(bulk);
    // A cursor.
    MYSQL_STMT *select = mysql_stmt_init(connection);
    unsigned long type = CURSOR_TYPE_READ_ONLY, fetch = 7;
    int n = 0, count = 0;
    MYSQL_BIND out = {.buffer_type = MYSQL_TYPE_LONG, .buffer = &n};
    text = "SELECT n FROM t";
    mysql_stmt_attr_set(select, STMT_ATTR_CURSOR_TYPE, &type);
    mysql_stmt_attr_set(select, STMT_ATTR_PREFETCH_ROWS, &fetch);
    mysql_stmt_prepare(select, text, strlen(text));
    status = mysql_stmt_execute(select);
    mysql_stmt_bind_result(select, &out);
    while (mysql_stmt_fetch(select) == 0)
        count++;
    printf("prepared: cursor %d %d %s\n", status, count, mysql_stmt_error(select));
    mysql_stmt_close(select);
    text = "SELECT ? FROM nowhere";
    status = mysql_stmt_prepare(insert, text, strlen(text));
    printf("prepared: an error %d %s\n", status, mysql_stmt_error(insert));
    mysql_stmt_close(insert);
}

static void *sleeping(void *connection)
{
    query("cancel", connection, "SELECT SLEEP(30)");
    query("cancel", connection, "SELECT 1");
    return NULL;
}

static void cancel(MYSQL *watcher, bool driver_id)
{
    MYSQL *victim = own();
    unsigned long id = driver_id ? mysql_thread_id(victim)
                                 : (unsigned long)query(NULL, victim, "SELECT CONNECTION_ID()");
    printf("ids: agree %d\n",
           mysql_thread_id(victim) == (unsigned long)query(NULL, victim, "SELECT CONNECTION_ID()"));
    pthread_t thread;
    pthread_create(&thread, NULL, sleeping, victim);
    while (query(NULL, watcher,
                 "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT "
                 "SLEEP(30)'") == 0) {
    }
    char kill[64];
    snprintf(kill, sizeof kill, "KILL QUERY %lu", id);
    long status = query(NULL, watcher, kill);
    pthread_join(thread, NULL);
    printf("cancel: %s %ld %s\n", driver_id ? "mysql_thread_id" : "CONNECTION_ID()", status,
           mysql_error(watcher));
    mysql_close(victim);
}

static MYSQL *idle(MYSQL *watcher, bool reconnect)
{
    MYSQL *connection = try_open(variable("USER"), variable("PASSWORD"), false, reconnect);
    query(NULL, connection, "SET SESSION wait_timeout = 1");
    query(NULL, connection, "SELECT GET_LOCK('idle', 0)");
    query(NULL, watcher, "SELECT GET_LOCK('idle', 60)");
    query(NULL, watcher, "SELECT RELEASE_LOCK('idle')");
    usleep(300000);
    return connection;
}

static void lost(MYSQL *watcher)
{
    MYSQL *gone = idle(watcher, false);
    query("reconnect", gone, "SELECT 1");
    query("reconnect", gone, "SELECT 1");
    mysql_close(gone);
    gone = idle(watcher, true);
    query("reconnect", gone, "SELECT 'by itself'");
    mysql_close(gone);
    gone = idle(watcher, false);
    int status = mysql_ping(gone);
    printf("pool: mysql_ping %d %s\n", status, mysql_error(gone));
    mysql_close(gone);
    gone = idle(watcher, true);
    status = mysql_ping(gone);
    printf("pool: mysql_ping that reconnects %d %s\n", status, mysql_error(gone));
    query("pool", gone, "SELECT 1");
    mysql_close(gone);
}

static void large(MYSQL *connection)
{
    enum { LENGTH = 17000000 };
    char *text = malloc(LENGTH + 64);
    int head = snprintf(text, 64, "SELECT LENGTH('");
    memset(text + head, 'x', LENGTH);
    snprintf(text + head + LENGTH, 3, "')");
    query("large", connection, text + head + LENGTH - 60);
    printf("large: sent %ld\n", query(NULL, connection, text));
    free(text);
    mysql_query(connection, "SELECT REPEAT('y', 17000000)");
    MYSQL_RES *result = mysql_use_result(connection);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    printf("large: read %zu\n", row ? strlen(row[0]) : 0);
    mysql_free_result(result);
}

int main(void)
{
    login("login", "native", variable("USER"), variable("PASSWORD"), false);
    login("login", "no password", "nopassword", "", false);
    login("login", "ed25519", "ed", "ed-secret", false);
    login("login", "wrong password", variable("USER"), "wrong", false);
    login("tls", "verified", variable("USER"), variable("PASSWORD"), true);
    login("tls", "ed25519", "ed", "ed-secret", true);
    MYSQL *connection = own();
    query("text", connection,
          "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t VARCHAR(100), b LONGBLOB)");
    query("text", connection, "INSERT INTO t (n, t) VALUES (1, 'Grüße 🌍'), (2, NULL)");
    query("text", connection, "SELECT * FROM t");
    query("text", connection, "UPDATE t SET n = n + 1");
    prepared(connection);
    query("multi", connection, "SELECT 1; UPDATE t SET n = 1 WHERE id < 3; SELECT 2, 3");
    query("multi", connection, "SELECT 1; SELEC; SELECT 3");
    query("multi", connection, "CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END");
    query("multi", connection, "CALL p(5)");
    query("infile", connection, "CREATE TABLE loaded (a INT, b VARCHAR(20))");
    char load[1024];
    snprintf(load, sizeof load, "LOAD DATA LOCAL INFILE '%s' INTO TABLE loaded", variable("FILE"));
    query(NULL, connection, load);
    query("infile", connection, "SELECT COUNT(*), SUM(a) FROM loaded");
    query("infile", connection, "LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE loaded");
    query("errors", connection, "SELEC 1");
    query("errors", connection, "SELECT * FROM nowhere");
    query("errors", connection, "INSERT INTO t (id) VALUES (1)");
    query("errors", connection, "SELECT 1");
    large(connection);
    MYSQL *watcher = own();
    cancel(watcher, true);
    cancel(watcher, false);
    lost(watcher);
    mysql_close(watcher);
    mysql_close(connection);
    return 0;
}
