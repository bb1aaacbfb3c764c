/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys by which nodes tell each other what becomes of the allow-lists, and in which order they count:
 *
 *     list/AUTHOR-NUMBER                              changes that a node has told; its numbers count up
 *     list/merged-UNTIL-AUTHOR-SERIAL-PART-PARTS      what all keys said that had been put until this revision
 *     list/tidying                                    who merges has put it last; says nothing
 *
 * A merged text is as old as the newest that it is made of: what was put later, also while it was being written, counts after it. It
 * counts when all its parts are there. It says all that those keys have said, so it is the same whether they are there
 * or not, and whichever of them: they are deleted one after the other once it is whole.
 *
 * A node that has lost the answer to a put makes it again, and does not know whether the key was merged, and deleted,
 * meanwhile. So a merged text says which numbers of each author are in it, and a key with such a number counts for nothing. */
#ifndef SQL_FIREWALL_TOLD_H
#define SQL_FIREWALL_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/store.h>

#include "changes.h"

#define TOLD_PREFIX     "list/"
#define TOLD_TIDYING    "tidying"
#define TOLD_NAME_BYTES 80
#define TOLD_TEXT_BYTES 65000 /* of a value; the store takes WEIR_STORE_VALUE_BYTES */

/* A key that the store has told of. */
struct told {
    int64_t revision;
    char name[TOLD_NAME_BYTES]; /* without the prefix; a longer one is cut */
    size_t size;
    char *text; /* owned, NUL-terminated */
};

struct told_list {
    struct told_list *next; /* owned by whoever has the list in a queue */
    bool is_everything;
    size_t count;
    struct told *told; /* owned */
};

/* Copies the entries that are there. Returns owned, or NULL: no memory. */
WEIR_MUST_CHECK struct told_list *told_copy(const weir_store_entry *entries, uint32_t entry_size,
                                            size_t count);
void told_free(struct told_list *list); /* may be NULL */

/* How far the numbers of each author are known. */
struct told_authors {
    struct told_author {
        uint64_t author;
        uint32_t number;
    } * items; /* owned */
    size_t count, room;
};
void told_authors_release(struct told_authors *authors);

/* Read, after what is there, what the keys say, in the order in which it counts: all that there are, or those that have come since.
 * `authors` is what was known before; it is known then what these say. Lines that make no sense are counted in *wrong.
 * False: no memory. */
WEIR_MUST_CHECK bool told_read(struct told_list *list, struct told_authors *authors,
                               struct changes *changes, size_t *wrong);

/* Merges all the keys that there are, into parts of at most `most` bytes. each() is given the name and the text of every part, until
 * it returns false. False: no memory, or each() has returned it, or some lines make no sense here, and would be lost. */
WEIR_MUST_CHECK bool told_merge(struct told_list *list, uint64_t author, uint32_t serial,
                                size_t most,
                                bool (*each)(void *user, const char *name, weir_string text),
                                void *user);

/* Whether the name is that of a part of a merged text. */
bool told_is_merged(const char *name);

/* Writes the name of an author's key. */
void told_name(uint64_t author, uint32_t number, char name[TOLD_NAME_BYTES]);

#endif
