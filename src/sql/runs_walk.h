/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the state in which what runs is read, shared by runs.c, which takes wrappers
 * apart, and runs_session.c, which knows what single statements do to the session. */
#ifndef WEIR_SQL_RUNS_WALK_H
#define WEIR_SQL_RUNS_WALK_H

#include "sql/cursor.h"
#include "sql/runs.h"

#include <string.h>

/* A list, newest first. */
struct sql_runs_text {
    struct sql_runs_text *older;
    char bytes[];
};

/* How often each was set: what differs before and after a block was set in it. */
struct counts {
    unsigned mode, charset, database, account;
};

struct walk {
    struct sql_runs *runs;
    const struct sql_named *named;
    struct sql_effects now;
    struct sql_database database; /* the current one at this moment */
    struct counts counts;
};

/* Where a statement stands. */
struct place {
    struct sql_mode mode;         /* that its text is read in */
    struct sql_database database; /* in which its names are looked up */
    unsigned texts;               /* how deep in texts */
    bool is_text;                 /* it is the whole text */
    bool in_block;
    bool later;
};

/* Whether two names of databases are the same to every server. */
static inline bool sql_walk_same_name(struct sql_span a, struct sql_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* Adds a statement to the list. */
void sql_walk_add(struct walk *walk, enum sql_kind kind, struct sql_span text,
                  const struct place *place, bool wraps);
/* Keeps a string token's characters with the list; false: no memory. */
bool sql_walk_keep_text(struct walk *walk, const struct sql_cursor *cursor,
                        const struct sql_token *token, struct sql_span *text);

void sql_walk_lose_database(struct walk *walk);
/* What runs is not known: it may do anything. */
void sql_walk_lose_all(struct walk *walk);
/* Makes the flags of sql_mode what they were. */
void sql_walk_give_back_flags(struct walk *walk, const struct sql_effects *before);
/* Counts what has become another since. */
void sql_walk_count_changes(struct walk *walk, const struct sql_effects *before);

/* What these statements do. The cursor stands at the first word. */
void sql_walk_use(struct walk *walk, struct sql_cursor *cursor);
void sql_walk_drop_database(struct walk *walk, struct sql_cursor *cursor);
void sql_walk_create_database(struct walk *walk, struct sql_cursor *cursor);
void sql_walk_set(struct walk *walk, struct sql_span text, const struct place *place,
                  enum sql_kind kind);

#endif
