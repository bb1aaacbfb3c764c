/* SPDX-License-Identifier: Apache-2.0
 *
 * What the small client programs share: connecting where the environment says, and printing what
 * the library knows in a form that two runs can be compared by. */
#ifndef WEIR_TEST_CLIENT_H
#define WEIR_TEST_CLIENT_H

#include <errmsg.h>
#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "the environment lacks %s\n", name);
        exit(2);
    }
    return value;
}

static inline void die(const char *what, unsigned code, const char *state, const char *message)
{
    printf("%s: error %u (%s): %s\n", what, code, state, message);
    exit(1);
}

static inline void die_connection(MYSQL *mysql, const char *what)
{
    die(what, mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql));
}

static inline void die_statement(MYSQL_STMT *statement, const char *what)
{
    die(what, mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
        mysql_stmt_error(statement));
}

/* Connects the handle that mysql_init() gave and that the caller has set options on. */
static inline void connect_handle(MYSQL *mysql)
{
    if (!mysql_real_connect(mysql, setting("WEIR_TEST_HOST"), setting("WEIR_TEST_USER"),
                            setting("WEIR_TEST_PASSWORD"), setting("WEIR_TEST_DATABASE"),
                            (unsigned)atoi(setting("WEIR_TEST_PORT")), NULL,
                            CLIENT_MULTI_STATEMENTS | CLIENT_MULTI_RESULTS))
        die_connection(mysql, "connect");
}

static inline MYSQL *connect_client(void)
{
    MYSQL *mysql = mysql_init(NULL);
    unsigned tcp = MYSQL_PROTOCOL_TCP;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    connect_handle(mysql);
    return mysql;
}

static inline void print_bytes(const char *data, unsigned long size)
{
    for (unsigned long i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\')
            putchar(c);
        else
            printf("\\x%02x", c);
    }
}

static inline void print_ok(MYSQL *mysql, const char *what)
{
    const char *info = mysql_info(mysql);
    printf("%s: ok, affected %lld, insert id %llu, warnings %u, status %u, info %s\n", what,
           (long long)mysql_affected_rows(mysql), (unsigned long long)mysql_insert_id(mysql),
           mysql_warning_count(mysql), mysql->server_status, info ? info : "-");
}

/* Prints the error or "ok" of a call that returned `failed`. */
static inline void print_outcome(MYSQL *mysql, const char *what, int failed)
{
    if (failed) {
        printf("%s: error %u (%s): %s\n", what, mysql_errno(mysql), mysql_sqlstate(mysql),
               mysql_error(mysql));
    } else {
        print_ok(mysql, what);
    }
}

/* Runs text and prints every result of it. */
static inline void print_query(MYSQL *mysql, const char *sql)
{
    printf("-- %s\n", sql);
    int status = mysql_query(mysql, sql);
    while (true) {
        if (status > 0) {
            print_outcome(mysql, "query", 1);
            return;
        }
        MYSQL_RES *result = mysql_store_result(mysql);
        if (result) {
            for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
                unsigned long *lengths = mysql_fetch_lengths(result);
                for (unsigned i = 0; i < mysql_num_fields(result); i++) {
                    printf("%s", i ? " | " : "");
                    if (row[i])
                        print_bytes(row[i], lengths[i]);
                    else
                        printf("NULL");
                }
                printf("\n");
            }
            mysql_free_result(result);
        } else {
            print_outcome(mysql, "query", mysql_errno(mysql) != 0);
        }
        status = mysql_next_result(mysql);
        if (status < 0)
            return;
    }
}

#endif
