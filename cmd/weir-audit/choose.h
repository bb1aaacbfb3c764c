/* SPDX-License-Identifier: Apache-2.0
 *
 * Which records are wanted: every condition that is given must hold. */
#ifndef WEIR_AUDIT_CHOOSE_H
#define WEIR_AUDIT_CHOOSE_H

#include "entry.h"

struct conditions {
    char *user, *address, *since, *until, *digest, *table, *kind, *event, *text, *database, *slow;
    long connection;
    bool errors;

    /* What choose_prepare() makes of them. */
    uint64_t since_ns, until_ns; /* both included; 0 and UINT64_MAX: no bound */
    uint64_t slow_us;            /* 0: none */
    uint32_t events;             /* bit of enum record_event */
    uint8_t network[16];
    unsigned prefix; /* bits of the network; 0 with no address */
    int family;
};

/* Checks what has a grammar (address, since, until, slow), and that kind and event name something.
 * now_ns: since 1970. */
int choose_prepare(struct conditions *conditions, uint64_t now_ns,
                   struct error *error) WEIR_MUST_CHECK;
bool choose(const struct conditions *conditions, const struct entry *entry);

/* Whether an address as text is in the network of the condition. */
bool choose_address(const struct conditions *conditions, weir_string address);

#endif
