/* SPDX-License-Identifier: Apache-2.0
 *
 *     limit app 20
 *     limit batch* 5
 *
 * How many connections an account may have open: the first line that its user name matches counts,
 * and before the variable that is for all. 0 is any number. */
#ifndef IP_FILTER_LIMITS_H
#define IP_FILTER_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include <weir/plugin.h>

#define LIMIT_MOST 1000000 /* as of the variables */

struct account_limit {
    char *user; /* owned; * is any characters */
    int64_t connections;
};

struct account_limits {
    struct account_limit *items; /* owned */
    size_t count, room;
};

/* Adds a line's words. NULL, or what is wrong. */
const char *limits_add(struct account_limits *limits, const char *user, const char *number);
void limits_free(struct account_limits *limits);

/* What the user name may have open; -1: no line is about it. */
int64_t limits_find(const struct account_limits *limits, weir_string user);

#endif
