/* SPDX-License-Identifier: Apache-2.0
 *
 * Derives MySQL's table_access events from what weir knows of a table's use: read, write or DDL,
 * and the kind of the statement. A write is what the statement is: REPLACE and ON DUPLICATE KEY UPDATE are
 * inserts, as MySQL has them. Of other statements (blocks, EXECUTE IMMEDIATE) it is what is done to the
 * table. TRUNCATE counts as a delete; every other DDL is no table_access event. */
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

/* The event of a statement of its own; TABLE_EVENT_END: it may be any. */
static enum table_event event_of_kind(weir_string kind)
{
    if (begins_with(kind, "Update"))
        return TABLE_UPDATE;
    if (begins_with(kind, "Delete"))
        return TABLE_DELETE;
    if (begins_with(kind, "Insert") || begins_with(kind, "Replace") || begins_with(kind, "Load"))
        return TABLE_INSERT;
    return TABLE_EVENT_END;
}

static unsigned events_of_write(weir_string kind, uint32_t access)
{
    const unsigned deeds = (access & WEIR_TABLE_INSERT ? 1U << TABLE_INSERT : 0) |
                           (access & WEIR_TABLE_UPDATE ? 1U << TABLE_UPDATE : 0) |
                           (access & WEIR_TABLE_DELETE ? 1U << TABLE_DELETE : 0);
    const enum table_event event = event_of_kind(kind);
    if (event != TABLE_EVENT_END)
        return deeds ? deeds & 1U << event : 1U << event;
    return deeds ? deeds : 1U << TABLE_INSERT;
}

unsigned table_events_of(weir_string kind, uint32_t access)
{
    unsigned events = access & WEIR_TABLE_READ ? 1U << TABLE_READ : 0;
    if (access & WEIR_TABLE_WRITE)
        events |= events_of_write(kind, access);
    if (access & WEIR_TABLE_DDL && begins_with(kind, "Truncate"))
        events |= 1U << TABLE_DELETE;
    return events;
}
