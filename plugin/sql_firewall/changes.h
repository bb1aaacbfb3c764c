/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of the allow-lists: what was last said of each account and of each of its statements. Nodes of a cluster
 * tell them to each other, as text:
 *
 *     account app@%
 *     gone
 *     mode RECORDING
 *     database shop
 *     digest 4f0c...e1 select * from `t` where `a` = ?
 *     forget digest 77c2...d0
 *
 * in the lines of the file (allow_list.h), and besides them: "gone" (the account has no list any more: what was said of
 * it before counts for nothing), "mode DEFAULT" (it has a list, and no mode of its own), and "forget". Of a statement
 * that is known by its text only the digits are told: it may have literals in it.
 *
 * What is said later counts, so changes that are read in one order on all nodes end as the same lists. */
#ifndef SQL_FIREWALL_CHANGES_H
#define SQL_FIREWALL_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <weir/check.h>
#include <weir/strbuf.h>

#include "allow_list.h"
#include "lookup.h"

#define MODE_UNSAID (-2)

struct changed_key {
    struct changed_key *next; /* owned */
    bool is_said, allows;     /* allows: it is on the list; otherwise it is not any more */
    struct key key;           /* in text */
    char text[];
};

struct changed_account {
    struct changed_account *next;     /* owned */
    struct changed_key *first, *last; /* owned, in the order in which they were first named */
    struct lookup keys;
    bool is_gone; /* before all else that is said of it here */
    int mode;     /* or NO_MODE, or MODE_UNSAID */
    size_t name_size;
    char name[];
};

struct changes {
    struct changed_account *first, *last; /* owned */
    struct lookup accounts;
};

WEIR_MUST_CHECK struct changes *changes_new(void); /* returns owned; NULL: no memory */
void changes_free(struct changes *changes);        /* may be NULL */
bool changes_are_none(const struct changes *changes);

/* Say something. False: no memory. */
WEIR_MUST_CHECK bool changes_say_key(struct changes *changes, weir_string account,
                                     const struct key *key, bool allows);
WEIR_MUST_CHECK bool changes_say_mode(struct changes *changes, weir_string account, int mode);
WEIR_MUST_CHECK bool changes_say_gone(struct changes *changes, weir_string account);

/* Says all of `later` after what is there. False: no memory. */
WEIR_MUST_CHECK bool changes_add(struct changes *changes, const struct changes *later);

/* Whether the changes take the statement off its list, or with no key the account. */
bool changes_take_away(const struct changes *changes, weir_string account, const struct key *key);

/* Add to `changes` what makes lists `before` into `after`; and what lists have of which nothing is said. False: no
 * memory. */
WEIR_MUST_CHECK bool changes_between(struct changes *changes, const struct allow_lists *before,
                                     const struct allow_lists *after);
WEIR_MUST_CHECK bool changes_unsaid(struct changes *changes, const struct changes *said,
                                    const struct allow_lists *lists);

/* ---- As text: changes_text.c ---- */

/* Says what foreign text does, after what is there. Lines that make no sense are left out, and counted in *wrong.
 * False: no memory. */
WEIR_MUST_CHECK bool changes_read(struct changes *changes, weir_string text, size_t *wrong);

/* Prints them as texts of at most `most` bytes (one line more than fits in 4096), each of which is handed to each().
 * False: no memory. */
WEIR_MUST_CHECK bool changes_print(const struct changes *changes, size_t most,
                                   bool (*each)(void *user, weir_string text), void *user);

#endif
