/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules that say more than a network: an account, databases, countries, times. There are few of
 * them, and they are asked one after the other; the many plain networks are in networks.c. */
#ifndef IP_FILTER_SCOPES_H
#define IP_FILTER_SCOPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "networks.h"
#include "ranges.h"

struct scope;

struct scopes {
    struct scope *items; /* owned */
    size_t count, room;
};

/* Adds the rule of a line's words: the place and what follows it. NULL, or what is wrong. */
const char *scopes_add(struct scopes *scopes, bool is_allow, char *place, char *rest);
/* Whether the rule that was added last asks for the country. */
bool scopes_last_asks_country(const struct scopes *scopes);
void scopes_free(struct scopes *scopes);

/* What the rules say together about a client. */
struct scope_answer {
    bool denied;
    bool named;     /* allow rules name its account: those that name none do not count */
    bool allowed;   /* by one that counts */
    bool has_allow; /* there are allow rules without an account */
    bool allowed_unnamed;
    /* The user is not known, and some are allowed by their names or certificates. */
    bool allowed_for_some;
    char **databases; /* those of the rule that allows it, up to a NULL; NULL: any. Borrowed */
};
struct scope_answer scopes_ask(const struct scopes *scopes, const struct client *client);

/* Reads "ADDRESS" or "ADDRESS/PREFIX", which it cuts apart. NULL, or what is wrong. networks.c */
const char *parse_network(char *text, struct range *range, bool *is_ipv6);

#endif
