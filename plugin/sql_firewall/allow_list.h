/* SPDX-License-Identifier: Apache-2.0
 *
 * The allow-lists: for each account the statements that it may run. A statement is known by its
 * digest where the digest tells all that it does, otherwise by its text, byte for byte; a command
 * without text by its name.
 *
 *     account app@%
 *     digest 4f0c...e1 select * from `t` where `a` = ?
 *     text 9a1b...07 execute immediate 'select 1'
 *     command 77c2...d0 Binlog Dump
 *
 * In the file the last part of a line is for people; the 64 hex digits count. No locks in here. */
#ifndef SQL_FIREWALL_ALLOW_LIST_H
#define SQL_FIREWALL_ALLOW_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/plugin.h>

#include "rules.h"

#define KEY_BYTES            32
#define STATEMENTS_MAX       100000 /* of one account */
#define SHOWN_STATEMENT_SIZE 1000   /* bytes of the part for people */

/* X(enumerator, word) */
#define KEY_SORTS(X) X(KEY_DIGEST, "digest") X(KEY_TEXT, "text") X(KEY_COMMAND, "command")
enum key_sort {
#define X(enumerator, word) enumerator,
    KEY_SORTS(X) KEY_SORT_COUNT
#undef X
};

struct key {
    enum key_sort sort;
    uint8_t bytes[KEY_BYTES]; /* SHA-256 */
    weir_string shown;        /* borrowed from the session */
};

/* What the session's statement is known by. False: nothing, because it runs a text that is computed
 * at run time, or because of an error: it can be on no list. */
bool key_of(const weir_session *session, struct key *key);

struct allow_lists;

/* Returns owned: those of the file, or empty ones when there is no such file; NULL and the problem
 * ("FILE:LINE: ..."). */
struct allow_lists *allow_lists_read(const char *path, char problem[PROBLEM_BYTES]);
void allow_lists_free(struct allow_lists *lists);

/* Writes a file of mode 0600: a temporary one, synced, renamed. False and the problem. */
bool allow_lists_write(const struct allow_lists *lists, const char *path,
                       char problem[PROBLEM_BYTES]);

bool allow_lists_has_account(const struct allow_lists *lists, weir_string account);
bool allow_lists_has(const struct allow_lists *lists, weir_string account, const struct key *key);

enum learned { LEARNED_NOTHING, LEARNED_NEW, LEARNED_FULL /* STATEMENTS_MAX, or no memory */ };
enum learned allow_lists_learn(struct allow_lists *lists, weir_string account,
                               const struct key *key);

size_t allow_lists_count(const struct allow_lists *lists); /* statements of all accounts */

#endif
