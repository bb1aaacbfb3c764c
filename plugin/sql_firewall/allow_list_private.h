/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the lists share: allow_list.c (the tables), allow_list_copy.c, allow_list_file.c (the file), and
 * changes.c, which has tables of its own. */
#ifndef SQL_FIREWALL_ALLOW_LIST_PRIVATE_H
#define SQL_FIREWALL_ALLOW_LIST_PRIVATE_H

#include <stdatomic.h>

#include "allow_list.h"
#include "lookup.h"

/* A reader that follows the lists from first to last sees complete entries only. */
struct entry {
    _Atomic(struct entry *) next; /* owned; learned after this one */
    enum key_sort sort;
    uint8_t bytes[KEY_BYTES];
    weir_string database; /* in text, or absent */
    uint16_t shown_size;
    char text[]; /* what is shown: one line, without its end; then the database's name */
};

struct account {
    _Atomic(struct account *) next; /* owned */
    _Atomic(struct entry *) first;  /* owned */
    struct entry *last;             /* the writer's */
    struct lookup entries;
    atomic_size_t count;
    atomic_bool has_unbound; /* statements that count in any database */
    atomic_int mode;
    size_t name_size;
    char name[]; /* NUL-terminated */
};

struct allow_lists {
    struct lookup accounts;
    _Atomic(struct account *) first; /* owned */
    struct account *last;            /* the writer's */
    atomic_size_t count;             /* statements of all accounts */
    atomic_size_t unbound;           /* those that count in any database */
};

/* For lookups. Letter case makes no difference to an account's: hosts are compared without it. */
uint64_t key_hash(const struct key *key);
bool key_is_same(const struct key *a,
                 const struct key *b); /* the same database, too, or none given */
uint64_t account_hash_of(weir_string name);

/* Whether the entry is the key, in the key's database or, if that is absent, in whichever. */
bool entry_is(const struct entry *entry, const struct key *key);

/* Copies the part for people as one line: control characters become spaces, and what is too long is
 * cut between characters. Returns its size. */
size_t shown_copy(weir_string text, char room[SHOWN_STATEMENT_SIZE]);

#endif
