/* SPDX-License-Identifier: Apache-2.0
 *
 * Which records are wanted: every condition that is given must hold. */
#ifndef WEIR_AUDIT_CHOOSE_H
#define WEIR_AUDIT_CHOOSE_H

#include "entry.h"

struct conditions {
    char *user, *address, *since, *until, *digest, *table, *kind, *event, *text, *database;
    long connection;
    bool errors;
    uint8_t network[16];
    unsigned prefix; /* bits of the network; 0 with no address */
    int family;
};

/* Checks what has a grammar: address, since, until. */
int choose_prepare(struct conditions *conditions, struct error *error);
bool choose(const struct conditions *conditions, const struct entry *entry);

#endif
