/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of the filter language, as MySQL Enterprise Audit's manual has them: classes, events,
 * fields, variables, and the pseudo-constants of their values. A word is one row here; compiling
 * (filter_compile.c) and deciding (filter_run.c) go by it. */
#ifndef AUDIT_LOG_FILTER_LANGUAGE_H
#define AUDIT_LOG_FILTER_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(enumerator, name) */
#define FILTER_CLASSES(X)                                                                          \
    X(CLASS_CONNECTION, "connection")                                                              \
    X(CLASS_GENERAL, "general")                                                                    \
    X(CLASS_TABLE_ACCESS, "table_access")

/* X(enumerator, name, class, can_abort): an event can be aborted while it has not happened. */
#define FILTER_EVENTS(X)                                                                           \
    X(EVENT_CONNECT, "connect", CLASS_CONNECTION, true)                                            \
    X(EVENT_DISCONNECT, "disconnect", CLASS_CONNECTION, false)                                     \
    X(EVENT_CHANGE_USER, "change_user", CLASS_CONNECTION, false)                                   \
    X(EVENT_STATUS, "status", CLASS_GENERAL, true)                                                 \
    X(EVENT_READ, "read", CLASS_TABLE_ACCESS, true)                                                \
    X(EVENT_INSERT, "insert", CLASS_TABLE_ACCESS, true)                                            \
    X(EVENT_UPDATE, "update", CLASS_TABLE_ACCESS, true)                                            \
    X(EVENT_DELETE, "delete", CLASS_TABLE_ACCESS, true)

/* X(enumerator, name, classes, kind): what conditions can ask for. A TEXT field is NAME.str, and
 * its size in bytes NAME.length. What a gateway cannot know is empty. What belongs to the session
 * can be asked for in every class. */
#define FILTER_FIELDS(X)                                                                           \
    X(FIELD_USER, "user", ANY_CLASS, TEXT)                                                         \
    X(FIELD_PRIVILEGED_USER, "priv_user", ANY_CLASS, TEXT)                                         \
    X(FIELD_EXTERNAL_USER, "external_user", ANY_CLASS, TEXT)                                       \
    X(FIELD_PROXY_USER, "proxy_user", ANY_CLASS, TEXT)                                             \
    X(FIELD_HOST, "host", ANY_CLASS, TEXT)                                                         \
    X(FIELD_IP, "ip", ANY_CLASS, TEXT)                                                             \
    X(FIELD_DATABASE, "database", ANY_CLASS, TEXT)                                                 \
    X(FIELD_CONNECTION_ID, "connection_id", ANY_CLASS, NUMBER)                                     \
    X(FIELD_CONNECTION_TYPE, "connection_type", ANY_CLASS, NUMBER)                                 \
    X(FIELD_STATUS, "status", 1U << CLASS_CONNECTION, NUMBER)                                      \
    X(FIELD_GENERAL_ERROR_CODE, "general_error_code", 1U << CLASS_GENERAL, NUMBER)                 \
    X(FIELD_GENERAL_THREAD_ID, "general_thread_id", 1U << CLASS_GENERAL, NUMBER)                   \
    X(FIELD_GENERAL_USER, "general_user", 1U << CLASS_GENERAL, TEXT)                               \
    X(FIELD_GENERAL_COMMAND, "general_command", 1U << CLASS_GENERAL, TEXT)                         \
    X(FIELD_GENERAL_QUERY, "general_query", 1U << CLASS_GENERAL, TEXT)                             \
    X(FIELD_GENERAL_HOST, "general_host", 1U << CLASS_GENERAL, TEXT)                               \
    X(FIELD_GENERAL_SQL_COMMAND, "general_sql_command", 1U << CLASS_GENERAL, TEXT)                 \
    X(FIELD_GENERAL_EXTERNAL_USER, "general_external_user", 1U << CLASS_GENERAL, TEXT)             \
    X(FIELD_GENERAL_IP, "general_ip", 1U << CLASS_GENERAL, TEXT)                                   \
    X(FIELD_SQL_COMMAND_ID, "sql_command_id", 1U << CLASS_TABLE_ACCESS, NUMBER)                    \
    X(FIELD_QUERY, "query", 1U << CLASS_TABLE_ACCESS, TEXT)                                        \
    X(FIELD_TABLE_DATABASE, "table_database", 1U << CLASS_TABLE_ACCESS, TEXT)                      \
    X(FIELD_TABLE_NAME, "table_name", 1U << CLASS_TABLE_ACCESS, TEXT)

/* X(enumerator, name): system variables that conditions can ask for, as numbers. */
#define FILTER_VARIABLES(X)                                                                        \
    X(VARIABLE_CONNECTION_POLICY, "audit_log_connection_policy_value")                             \
    X(VARIABLE_POLICY, "audit_log_policy_value")                                                   \
    X(VARIABLE_STATEMENT_POLICY, "audit_log_statement_policy_value")

#define X(enumerator, ...) enumerator,
enum filter_class { FILTER_CLASSES(X) CLASS_END };
enum filter_event { FILTER_EVENTS(X) EVENT_END };
enum filter_field { FILTER_FIELDS(X) FIELD_END };
enum filter_variable { FILTER_VARIABLES(X) VARIABLE_END };
#undef X
#define ANY_CLASS ((1U << CLASS_END) - 1)

enum filter_kind { FILTER_TEXT, FILTER_NUMBER };

/* The row of a name; CLASS_END, EVENT_END, VARIABLE_END: there is none. */
enum filter_class filter_class_find(const char *name);
enum filter_event filter_event_find(const char *name);
enum filter_variable filter_variable_find(const char *name);

/* A field by its whole name ("user.str", "user.length", "status"), and what kind of value that
 * has. FIELD_END: there is none. */
enum filter_field filter_field_find(const char *name, enum filter_kind *kind);

const char *filter_class_name(enum filter_class class);
const char *filter_event_name(enum filter_event event);
enum filter_class filter_event_class(enum filter_event event);
bool filter_event_can_abort(enum filter_event event);
/* Bits 1 << class. */
unsigned filter_field_classes(enum filter_field field);

/* The numbers of "::tcp/ip" and the like. false: the field or variable has no such value. */
bool filter_field_constant(enum filter_field field, const char *name, uint64_t *number);
bool filter_variable_constant(enum filter_variable variable, const char *name, uint64_t *number);

#endif
