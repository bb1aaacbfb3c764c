/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that log in, run a few statements and log in again, until standard input ends; each login and each statement
 * becomes a line with its times, so that a test can say who was disturbed, and for how long.
 *
 *     steady_load THREADS STATEMENTS FORMAT
 *
 * FORMAT is the statement; %s in it becomes a marker that no other statement has. Lines are
 *
 *     login|statement BEGIN END ERROR MARKER MESSAGE
 *
 * with seconds of the monotonic clock and error 0 for success. A marker is mTHREADxNUMBERxPROCESS; a login's has number 0.
 * The lines of a thread are in order, so a statement belongs to the login of its thread before it. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define MARKER_BYTES    48
#define STATEMENT_BYTES 512
#define TIMEOUT_S       60u /* far beyond what a test allows: a longer wait is seen, and ends */

static atomic_bool is_over;
static int statements_each;
static const char *format;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(const char *what, double begin, MYSQL *mysql, const char *marker)
{
    printf("%s %.6f %.6f %u %s %s\n", what, begin, now_s(), mysql_errno(mysql), marker,
           mysql_error(mysql));
}

static bool run(MYSQL *mysql, const char *marker)
{
    char text[STATEMENT_BYTES];
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, format, marker);
    const double begin = now_s();
    bool success = mysql_real_query(mysql, text, strlen(text)) == 0;
    MYSQL_RES *result = success ? mysql_store_result(mysql) : NULL;
    success = success && mysql_errno(mysql) == 0;
    mysql_free_result(result);
    report("statement", begin, mysql, marker);
    return success;
}

static void make_marker(char marker[MARKER_BYTES], long thread, unsigned long number)
{
    snprintf(marker, MARKER_BYTES, "m%ldx%lux%d", thread, number, (int)getpid());
}

static MYSQL *log_in(long thread)
{
    char marker[MARKER_BYTES];
    const unsigned tcp = MYSQL_PROTOCOL_TCP, timeout = TIMEOUT_S;
    MYSQL *mysql = mysql_init(NULL);
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &timeout);
    const double begin = now_s();
    const bool success =
        mysql_real_connect(mysql, setting("WEIR_TEST_HOST"), setting("WEIR_TEST_USER"),
                           setting("WEIR_TEST_PASSWORD"), NULL,
                           (unsigned)atoi(setting("WEIR_TEST_PORT")), NULL, 0) != NULL;
    make_marker(marker, thread, 0);
    report("login", begin, mysql, marker);
    if (success)
        return mysql;
    mysql_close(mysql);
    return NULL;
}

static void *serve(void *argument)
{
    const long thread = (long)argument;
    unsigned long number = 0;
    mysql_thread_init();
    while (!atomic_load(&is_over)) {
        MYSQL *mysql = log_in(thread);
        bool success = mysql != NULL;
        for (int i = 0; success && i < statements_each && !atomic_load(&is_over); i++) {
            char marker[MARKER_BYTES];
            make_marker(marker, thread, ++number);
            success = run(mysql, marker);
        }
        if (mysql)
            mysql_close(mysql);
        if (!success)
            usleep(20000); /* a client that fails does not spin */
    }
    mysql_thread_end();
    return NULL;
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: steady_load THREADS STATEMENTS FORMAT\n");
        return 2;
    }
    const long threads = atol(arguments[1]);
    pthread_t list[256];
    if (threads < 1 || threads > (long)(sizeof list / sizeof *list))
        return 2;
    statements_each = atoi(arguments[2]);
    format = arguments[3];
    setvbuf(stdout, NULL, _IOLBF, 0);
    mysql_library_init(0, NULL, NULL);
    for (long i = 0; i < threads; i++)
        if (pthread_create(&list[i], NULL, serve, (void *)i))
            return 2;
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    atomic_store(&is_over, true);
    for (long i = 0; i < threads; i++)
        pthread_join(list[i], NULL);
    return 0;
}
