/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's four ways to use a table, derived from a statement's kind and the access that weir knows. */
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

/* Bits 1 << enum table_event. access: WEIR_TABLE_*. Emptying a table is a definition to weir, and a
 * delete to MySQL; other definitions are no event. */
unsigned table_events_of(weir_string kind, uint32_t access);
const char *table_event_name(enum table_event event);

#endif
