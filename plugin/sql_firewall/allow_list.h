/* SPDX-License-Identifier: Apache-2.0
 *
 * The allow-lists: for each account the statements that it may run, and the mode that it was given.
 * A statement is known by its digest where the digest identifies all that it does, otherwise by its
 * text, byte for byte; a command without text by its name. A PREPARE or EXECUTE IMMEDIATE of a plain
 * text is known by several keys: its own digest and those of the statements in the text.
 *
 * What a statement does depends on the database that its names are looked up in, so that is a part of
 * its keys. Only a command without text has none.
 *
 *     account app@%
 *     mode PROTECTING
 *     command 77c2...d0 Binlog Dump
 *     database shop
 *     digest 4f0c...e1 select * from `t` where `a` = ?
 *     text 9a1b...07 select "a"
 *     database
 *     digest 8d2e...3a set names `utf8mb4`
 *
 * In the file the last part of a line is for people; the 64 hex digits count. A database holds for
 * the lines that follow, up to the next database or account; without a name it is that there is
 * none. A statement that stands before the first database of its account counts in every one: lists
 * of versions that did not know of databases are like that.
 *
 * An account can stand in several places, and the last mode counts: because what is learned is
 * appended. Lists are read by any thread, without a lock, while one writer adds to them. */
#ifndef SQL_FIREWALL_ALLOW_LIST_H
#define SQL_FIREWALL_ALLOW_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/plugin.h>

#include "rules.h"

#define KEY_BYTES            32
#define STATEMENTS_MAX       100000 /* of one account */
#define SHOWN_STATEMENT_SIZE 1000   /* bytes of the part for people */
#define NO_MODE              (-1)   /* of its own */

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
    weir_string shown;        /* borrowed, until the next key is asked for */
    weir_string database;     /* likewise; empty: there is none; absent: any */
};

enum key_answer {
    KEY_FOUND,
    KEY_NO_MORE,
    KEY_UNKNOWABLE /* it runs a text that is computed at run time, or its database or the mode that
                      it is read in is not known, or there is an error: it can be on no list */
};

struct statement;

/* The index-th thing that the statement is known by. */
enum key_answer key_of(struct statement *statement, size_t index, struct key *key);

/* Reads 64 lower-case hex digits; false: others. */
WEIR_MUST_CHECK bool key_from_hex(const char *hex, uint8_t bytes[KEY_BYTES]);

struct allow_lists;
struct account;

WEIR_MUST_CHECK struct allow_lists *allow_lists_new(void); /* returns owned; NULL: no memory */
void allow_lists_free(struct allow_lists *lists);

/* The account's list; NULL: it has none. Valid until the lists are freed. */
struct account *allow_lists_find(const struct allow_lists *lists, weir_string name);
/* Exactly this key; and this key, in its database or in any. */
bool account_has(const struct account *account, const struct key *key);
bool account_allows(const struct account *account, const struct key *key);
/* The same, in the key's database, or if that is absent in whichever. Looks at all entries. */
bool account_names(const struct account *account, const struct key *key);
size_t account_count(const struct account *account);
int account_mode(const struct account *account); /* enum firewall_mode, or NO_MODE */

/* For one writer at a time. */
enum learned {
    LEARNED_NOTHING,
    LEARNED_NEW,
    LEARNED_FULL /* STATEMENTS_MAX, or no memory, or the database's name cannot stand in a line */
};
enum learned account_learn(struct allow_lists *lists, struct account *account,
                           const struct key *key);
void account_set_mode(struct account *account, int mode);

/* The account's list, made when there is none. NULL: no memory, or the name cannot stand in a line. */
struct account *allow_lists_make(struct allow_lists *lists, weir_string name);

size_t allow_lists_count(const struct allow_lists *lists);   /* statements of all accounts */
size_t allow_lists_unbound(const struct allow_lists *lists); /* those that count in any database */

/* The strictest mode that an account has of its own, or NO_MODE. */
int allow_lists_strictest_mode(const struct allow_lists *lists);
bool allow_lists_are_empty(const struct allow_lists *lists); /* there is no account */

/* ---- All of it: allow_list_copy.c ---- */

/* Calls each() for every account, with its mode and no key, and after it for each of its statements. Any thread, while
 * the lists are there. */
void allow_lists_each(const struct allow_lists *lists,
                      void (*each)(void *user, weir_string account, int mode,
                                   const struct key *key),
                      void *user);

/* A copy without the accounts (key NULL) and statements of which leaves_out() says so. Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct allow_lists *
allow_lists_copy(const struct allow_lists *lists,
                 bool (*leaves_out)(void *user, weir_string account, const struct key *key),
                 void *user);

/* ---- The file: allow_list_file.c ---- */

#define DATABASE_BYTES 512 /* a database's name has at most 64 characters */

/* Whose statements follow; all zeros at first. */
struct allow_heading {
    struct account *account;
    weir_string database; /* in room, or absent: any */
    char room[DATABASE_BYTES];
};

/* The rest of a line that begins with the word, in *rest; it may be empty. */
bool line_is(const char *line, const char *word, weir_string *rest);
/* Reads "SORT HEX SHOWN"; key->shown borrows it. NULL, or what is wrong with the line. */
const char *key_read(const char *line, struct key *key);
int mode_read(const char *name); /* NO_MODE: it is none */

/* Adds what a line says, which is changed. NULL, or what is wrong with the line. */
const char *allow_lists_read_line(struct allow_lists *lists, char *line,
                                  struct allow_heading *heading);

/* Reads the file into empty lists: none when there is no such file. A last line that was cut off is
 * left out: *is_torn. Returns owned, or NULL and the problem ("FILE:LINE: ..."). */
WEIR_MUST_CHECK struct allow_lists *allow_lists_read(const char *path, bool *is_torn,
                                                     struct error *error);

/* What allow_lists_write() leaves out. */
struct left_out {
    weir_string account;
    const struct key *key; /* of that account; without a database in all of them. NULL: all keys,
                              and the account itself */
};

/* Writes a file of mode 0600: a temporary one, synced, renamed. left_out may be NULL. False and the
 * problem. */
WEIR_MUST_CHECK bool allow_lists_write(const struct allow_lists *lists, const char *path,
                                       const struct left_out *left_out, struct error *error);

/* Appends lines to the file, and syncs it. False and the problem: the file is as it was. */
WEIR_MUST_CHECK bool allow_lists_append(const char *path, const char *lines, size_t size,
                                        struct error *error);

/* Prints what stands before the first key of an account and database. */
struct strbuf;
void heading_print(weir_string account, weir_string database, struct strbuf *out);

/* Prints a key as a line with its end, not NUL-terminated; returns its size. */
#define KEY_LINE_BYTES (SHOWN_STATEMENT_SIZE + 2 * KEY_BYTES + 16)
size_t key_print(const struct key *key, char line[KEY_LINE_BYTES]);

#endif
