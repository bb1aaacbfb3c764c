/* SPDX-License-Identifier: Apache-2.0 */
#include "table_event.h"

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

static int begins_with(weir_string text, const char *words)
{
    return text.size >= strlen(words) && memcmp(text.data, words, strlen(words)) == 0;
}

enum table_event table_event_of(weir_string kind, uint32_t access)
{
    if (access == WEIR_TABLE_READ)
        return TABLE_READ;
    if (begins_with(kind, "Update"))
        return TABLE_UPDATE;
    return begins_with(kind, "Delete") || begins_with(kind, "Truncate") ? TABLE_DELETE
                                                                        : TABLE_INSERT;
}
