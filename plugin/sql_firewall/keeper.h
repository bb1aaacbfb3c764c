/* SPDX-License-Identifier: Apache-2.0
 *
 * The allow-lists of the running plugin, and their file. What is learned counts at once, and is
 * appended to the file by a thread of the keeper's own; a session's reply can be kept back until
 * that has been synced. So what a client has read the result of, while it was recorded, is in the
 * file, also after a kill -9 or a power cut. What cannot be written is tried again every second;
 * no reply is held back meanwhile. What changes here is handed to sharing.h, which tells other nodes. */
#ifndef SQL_FIREWALL_KEEPER_H
#define SQL_FIREWALL_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <weir/check.h>
#include <weir/plugin.h>
#include <weir/readers.h>

#include "allow_list.h"

/* A reader of the lists enters here. */
extern struct readers keeper_readers;

/* Reads the file, and starts the thread. False and the problem. */
WEIR_MUST_CHECK bool keeper_open(const char *path, struct error *error);

/* Saves what there is, ends the thread, frees the lists. Nobody may be reading. */
void keeper_close(void);

/* The lists as they are now: between readers_enter() and readers_leave() alone. */
const struct allow_lists *keeper_lists(void);

/* Adds to the account's list. Any thread, outside of readers_enter(). */
enum learned keeper_learn(weir_string account, const struct key *key);

/* Saves what was learned. False and the problem: it is tried again every second. Not for threads that serve
 * sessions. */
WEIR_MUST_CHECK bool keeper_save(struct error *error);

/* Releases the hold when all that was learned before has been saved, or could not be. Takes it. */
void keeper_release_when_saved(weir_hold *hold);

/* Reads the file again, after it has saved what was learned. False and the problem: the lists are
 * as they were. This and the following are not for threads that serve sessions, except in OnFlush:
 * they wait for the disk. */
WEIR_MUST_CHECK bool keeper_reload(struct error *error);

/* Gives the account a mode of its own; NO_MODE: it has that of the rules or of the variable. */
WEIR_MUST_CHECK bool keeper_set_mode(weir_string account, int mode, struct error *error);

/* Forgets a statement of the account, or with no key all of them and its mode. */
WEIR_MUST_CHECK bool keeper_remove(weir_string account, const struct key *key, struct error *error);

/* Applies what other nodes have done, and saves it. False: no memory, or a list is full. */
struct changes;
WEIR_MUST_CHECK bool keeper_apply(const struct changes *changes);

/* Statements that are learned and not saved. */
size_t keeper_unsaved(void);

#endif
