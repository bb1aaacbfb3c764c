/* SPDX-License-Identifier: Apache-2.0
 *
 * What allow_list.c (the tables) and allow_list_file.c (the file) share. */
#ifndef SQL_FIREWALL_ALLOW_LIST_PRIVATE_H
#define SQL_FIREWALL_ALLOW_LIST_PRIVATE_H

#include "allow_list.h"

struct entry {
    enum key_sort sort;
    uint8_t bytes[KEY_BYTES];
    char *shown; /* owned; one line */
};

struct account {
    char *name; /* owned */
    struct entry *entries;
    size_t count, capacity;
    uint32_t *slots;   /* index + 1; 0: empty */
    size_t slot_count; /* a power of two */
};

struct allow_lists {
    struct account *accounts;
    size_t count;
};

/* 64 lower-case hex digits; false: others. */
bool key_from_hex(const char *hex, uint8_t bytes[KEY_BYTES]);

/* The account, made when it is not there; NULL: no memory. Valid until the next one is made. */
struct account *allow_lists_account(struct allow_lists *lists, weir_string name);
enum learned account_add(struct account *account, const struct key *key);

#endif
