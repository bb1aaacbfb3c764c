/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's four ways to use a table, told from a statement's kind and the access that weir knows. */
#ifndef AUDIT_LOG_TABLE_EVENT_H
#define AUDIT_LOG_TABLE_EVENT_H

#include <weir/plugin.h>

#define TABLE_EVENTS(X)                                                                            \
    X(TABLE_READ, "read")                                                                          \
    X(TABLE_INSERT, "insert")                                                                      \
    X(TABLE_UPDATE, "update")                                                                      \
    X(TABLE_DELETE, "delete")

#define X(enumerator, name) enumerator,
enum table_event { TABLE_EVENTS(X) TABLE_EVENT_END };
#undef X

/* access: WEIR_TABLE_READ or WEIR_TABLE_WRITE. */
enum table_event table_event_of(weir_string kind, uint32_t access);
const char *table_event_name(enum table_event event);

#endif
