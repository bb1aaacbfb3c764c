/* SPDX-License-Identifier: Apache-2.0
 *
 * Derives MySQL's table_access events from what weir knows of a table's use: read, write or DDL,
 * and the kind of the statement. A write is an insert unless the statement is an UPDATE or DELETE.
 * TRUNCATE counts as a delete; every other DDL is no table_access event. */
#include "table_event.h"

#include <stdbool.h>
#include <string.h>

static const char *const names[] = {
#define X(enumerator, name) name,
    TABLE_EVENTS(X)
#undef X
};

const char *table_event_name(enum table_event event)
{
    return names[event];
}

static bool begins_with(weir_string text, const char *words)
{
    return text.size >= strlen(words) && memcmp(text.data, words, strlen(words)) == 0;
}

unsigned table_events_of(weir_string kind, uint32_t access)
{
    unsigned events = access & WEIR_TABLE_READ ? 1U << TABLE_READ : 0;
    bool is_emptied = begins_with(kind, "Truncate") && access & WEIR_TABLE_DDL;
    if (access & WEIR_TABLE_WRITE && begins_with(kind, "Update"))
        events |= 1U << TABLE_UPDATE;
    else if (is_emptied || (access & WEIR_TABLE_WRITE && begins_with(kind, "Delete")))
        events |= 1U << TABLE_DELETE;
    else if (access & WEIR_TABLE_WRITE)
        events |= 1U << TABLE_INSERT;
    return events;
}
