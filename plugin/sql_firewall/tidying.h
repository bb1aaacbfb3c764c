/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the keys of the allow-lists few (told.h): where there are many, one node writes what they all say together, and deletes
 * those that it has read.
 *
 *     many ──► claim ──► list ──► merge ──► put each part ──► delete each key
 *               │ another node's      any failure: given up, until there are many again
 *               └──► nothing
 *
 * The claim spares nodes that all see the same the same work; nothing depends on it. A node that is killed anywhere leaves keys
 * that say the same as before, and parts that are not whole, which the next one deletes. */
#ifndef SQL_FIREWALL_TIDYING_H
#define SQL_FIREWALL_TIDYING_H

#include <stdbool.h>
#include <weir/store.h>

#define TIDYING_KEYS 64 /* more keys than that are many, if they are more than merged parts, too */

/* Begins; `wake` is called when there is something to merge. */
void tidying_begin(unsigned long long author, void (*wake)(void));

/* Notes what the store says of its keys. On the store's thread. */
void tidying_note(const weir_store_news *news);

/* This node has put something: asks whether it shall tidy up, if that is needed. Any thread. */
void tidying_try(void);

/* Whether tidying_merge() has something to do, which takes its time. */
bool tidying_has_work(void);
void tidying_merge(void);

/* No callback runs or will run. */
void tidying_end(void);

#endif
