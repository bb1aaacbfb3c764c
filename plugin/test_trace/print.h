/* SPDX-License-Identifier: Apache-2.0
 *
 * What test_trace prints, in the words and the form of MySQL's test plugin. */
#ifndef TEST_TRACE_PRINT_H
#define TEST_TRACE_PRINT_H

#include <mysql.h>
#include <mysql/plugin_trace.h>

enum command {
    QUIT = 1,
    QUERY = 3,
    FIELD_LIST = 4,
    STATISTICS = 9,
    PROCESS_INFO = 10,
    CHANGE_USER = 17,
    BINLOG_DUMP = 18,
    TABLE_DUMP = 19,
    STMT_PREPARE = 22,
    STMT_EXECUTE = 23,
    STMT_SEND_LONG_DATA = 24,
    STMT_CLOSE = 25,
    STMT_RESET = 26,
    STMT_FETCH = 28,
    BINLOG_DUMP_GTID = 30,
    REGISTER_SLAVE = 21,
};

extern int test_trace_is_printing;

/* Of the formats of weir-trace: a password that a method sends as it is is not printed. */
extern int test_trace_is_masking;

/* One message to standard error, cut at 1022 characters; handle may be NULL. */
void test_trace_print(const MYSQL *handle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What an event's arguments hold. */
void test_trace_print_details(MYSQL *handle, enum trace_event event,
                              const struct st_trace_event_args *args);

/* Of a packet, nothing is taken for granted: what is not there is 0. */
static inline unsigned long byte_at(const struct st_trace_event_args *args, size_t at)
{
    return at < args->pkt_len && args->pkt ? args->pkt[at] : 0;
}

static inline unsigned long short_at(const struct st_trace_event_args *args, size_t at)
{
    return byte_at(args, at) | byte_at(args, at + 1) << 8;
}

#endif
