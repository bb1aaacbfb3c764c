/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of a file: lists of networks that answer in logarithmic time, and rules that say more
 * (scopes.h). */
#ifndef IP_FILTER_NETWORKS_H
#define IP_FILTER_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <weir/check.h>
#include <weir/error.h>
#include <weir/plugin.h>

struct networks;

/* Who wants to come in. */
struct client {
    uint8_t address[16]; /* network order */
    size_t size;         /* 4 or 16 */
    const char *user;    /* not NUL-terminated; NULL: not known yet */
    size_t user_size;
    char country[3]; /* "DE"; empty: not known */
    /* Not known before the user is: */
    bool has_tls;
    weir_string subject, issuer; /* of its certificate; absent: it has shown none */
    struct tm now;               /* local time */
};

/* Reads a file of rules. Returns owned (networks_free), or NULL and "FILE:LINE: what is wrong". */
WEIR_MUST_CHECK struct networks *networks_read(const char *path, struct error *error);
/* The same from memory; name stands for the file. */
WEIR_MUST_CHECK struct networks *networks_parse(weir_string text, const char *name,
                                                struct error *error);
void networks_free(struct networks *networks);

/* Whether the client may pass; if its user is not known, whether some user may. *databases: the only ones that it may use, up to a NULL; NULL: any.
 * Borrowed from the networks. Any thread. */
bool networks_pass(const struct networks *networks, const struct client *client, char ***databases);

/* How many connections the user name may have open; -1: no rule says. Any thread. */
int64_t networks_limit(const struct networks *networks, weir_string user);

/* The index-th user name that has such a rule; NULL: there are no more. Borrowed from the networks. */
const char *networks_limited_user(const struct networks *networks, size_t index);

/* Whether some rule asks for the country or the time. */
bool networks_need_more(const struct networks *networks);

/* The line of the first rule that asks for the country; 0: none does. */
unsigned networks_country_line(const struct networks *networks);

/* How many rules were read. */
size_t networks_count(const struct networks *networks);

#endif
