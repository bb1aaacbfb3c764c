/* SPDX-License-Identifier: Apache-2.0
 *
 * There are few limits, and they are asked one after the other, once for each login. */
#include "limits.h"

#include <stdlib.h>
#include <string.h>
#include <weir/account.h>
#include <weir/pattern.h>

const char *limits_add(struct account_limits *limits, const char *user, const char *number)
{
    struct account_name name;
    char *end = NULL;
    const char *wrong = account_parse_named(text_of(user), &name);
    long connections = number ? strtol(number, &end, 10) : -1;
    if (wrong)
        return wrong;
    if (name.size != name.user_size + 2 || name.text[name.size - 1] != '%')
        return "has a host; limits are about user names";
    if (connections < 0 || connections > LIMIT_MOST || *end || *number == '+')
        return "is not followed by a number from 0 to 1000000";
    if (limits->count == limits->room) {
        size_t room = limits->room ? 2 * limits->room : 8;
        struct account_limit *items = realloc(limits->items, room * sizeof *items);
        if (!items)
            return "does not fit into memory";
        limits->items = items;
        limits->room = room;
    }
    char *copy = strndup(name.text, name.user_size);
    if (!copy)
        return "does not fit into memory";
    limits->items[limits->count++] = (struct account_limit){copy, connections};
    return NULL;
}

void limits_free(struct account_limits *limits)
{
    for (size_t i = 0; i < limits->count; i++)
        free(limits->items[i].user);
    free(limits->items);
}

int64_t limits_find(const struct account_limits *limits, weir_string user)
{
    for (size_t i = 0; i < limits->count; i++)
        if (pattern_matches(limits->items[i].user, user.data ? user.data : "", user.size, 0))
            return limits->items[i].connections;
    return -1;
}
