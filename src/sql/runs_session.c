/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of what runs, and what single statements do to the session: the current database, the
 * mode, and whatever is lost sight of. */
#include "sql/effects.h"
#include "sql/runs_walk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- The list ---- */

void sql_walk_add(struct walk *walk, enum sql_kind kind, struct sql_span text,
                  const struct place *place, bool wraps)
{
    struct sql_runs *runs = walk->runs;
    if (runs->count == runs->capacity && runs->count < SQL_RUNS_MAX) {
        size_t capacity = runs->capacity ? 2 * runs->capacity : 4;
        struct sql_run *grown = realloc(runs->items, capacity * sizeof *grown);
        if (!grown) {
            runs->failed = true;
            return;
        }
        runs->items = grown;
        runs->capacity = capacity;
    }
    if (runs->count == SQL_RUNS_MAX) {
        runs->items[SQL_RUNS_MAX - 1].kind = SQL_KIND_UNKNOWN;
        runs->known = runs->texts_known = false;
        return;
    }
    runs->items[runs->count++] = (struct sql_run){.kind = kind,
                                                  .text = text,
                                                  .mode = place->mode,
                                                  .database = place->database,
                                                  .wraps = wraps,
                                                  .later = place->later,
                                                  .in_text = place->texts > 0,
                                                  .is_text = place->is_text};
}

/* A string token's characters, kept with the list; false: no memory. */
bool sql_walk_keep_text(struct walk *walk, const struct sql_cursor *cursor,
                        const struct sql_token *token, struct sql_span *text)
{
    size_t most = token->end - token->start;
    struct sql_runs_text *kept = malloc(sizeof *kept + most);
    if (!kept) {
        walk->runs->failed = true;
        return false;
    }
    kept->older = walk->runs->texts;
    walk->runs->texts = kept;
    size_t size = sql_token_text(&cursor->lexer, token, kept->bytes, most);
    *text = (struct sql_span){kept->bytes, size < most ? size : most};
    return true;
}

/* ---- Effects ---- */

static void set_database(struct walk *walk, struct sql_database database)
{
    sql_effects_set_database(&walk->now, database);
    walk->database = database;
    walk->counts.database++;
}

void sql_walk_lose_database(struct walk *walk)
{
    set_database(walk, (struct sql_database){0});
}

/* What runs is not known: it may do anything. */
void sql_walk_lose_all(struct walk *walk)
{
    sql_effects_lose_all(&walk->now);
    walk->database = (struct sql_database){0};
    walk->counts.mode++;
    walk->counts.charset++;
    walk->counts.database++;
    walk->counts.account++;
    walk->runs->known = walk->runs->fails_as_whole = false;
    walk->runs->naming = (struct sql_naming){.is = SQL_NAMING_UNSURE};
}

/* The name at the cursor, decoded, when the statement ends after it. */
static bool last_name(struct walk *walk, struct sql_cursor *cursor, struct sql_span *name)
{
    struct sql_token token = cursor->token;
    if (!sql_token_is_name(&token))
        return false;
    sql_cursor_next(cursor);
    sql_cursor_accept_byte(cursor, ';');
    return cursor->token.class == SQL_TOKEN_END && sql_walk_keep_text(walk, cursor, &token, name);
}

void sql_walk_use(struct walk *walk, struct sql_cursor *cursor)
{
    struct sql_database database = {.known = true};
    sql_cursor_next(cursor);
    database.known = last_name(walk, cursor, &database.name);
    set_database(walk, database);
}

static bool is_same(struct sql_span a, struct sql_span b)
{
    return a.size == b.size && (a.size == 0 || strncasecmp(a.at, b.at, a.size) == 0);
}

/* DROP DATABASE, CREATE OR REPLACE DATABASE: of the current one there is none afterwards. Whether
 * letter case matters is the server's. */
void sql_walk_drop_database(struct walk *walk, struct sql_cursor *cursor)
{
    struct sql_span name;
    while (!sql_cursor_at_end(cursor) && sql_cursor_word(cursor) != SQL_WORD_DATABASE &&
           sql_cursor_word(cursor) != SQL_WORD_SCHEMA)
        sql_cursor_next(cursor);
    sql_cursor_next(cursor);
    if (sql_cursor_accept(cursor, SQL_WORD_IF))
        sql_cursor_accept(cursor, SQL_WORD_EXISTS);
    struct sql_database *current = &walk->database;
    if (!last_name(walk, cursor, &name) || !current->known)
        sql_walk_lose_database(walk);
    else if (name.size > 0 && sql_walk_same_name(current->name, name))
        set_database(walk, (struct sql_database){.known = true});
    else if (is_same(current->name, name))
        sql_walk_lose_database(walk);
}

void sql_walk_create_database(struct walk *walk, struct sql_cursor *cursor)
{
    struct sql_cursor at = *cursor;
    sql_cursor_next(&at);
    if (sql_cursor_accept(&at, SQL_WORD_OR)) { /* the name is not the last word: take any for it */
        while (!sql_cursor_at_end(&at) && sql_cursor_word(&at) != SQL_WORD_DATABASE &&
               sql_cursor_word(&at) != SQL_WORD_SCHEMA)
            sql_cursor_next(&at);
        sql_cursor_next(&at);
        struct sql_span name = sql_cursor_inside(&at);
        bool is_other = sql_token_is_name(&at.token) && walk->database.known &&
                        !memchr(name.at, '`', name.size) && !is_same(name, walk->database.name);
        if (!is_other)
            sql_walk_lose_database(walk);
    }
}

void sql_walk_give_back_flags(struct walk *walk, const struct sql_effects *before)
{
    sql_mode_copy_flags(&walk->now.mode, &before->mode);
    sql_effects_set_flags(&walk->now, before->flags);
}

/* Counts what has become another. */
void sql_walk_count_changes(struct walk *walk, const struct sql_effects *before)
{
    const struct sql_effects *now = &walk->now;
    walk->counts.mode +=
        now->flags != SQL_UNCHANGED && (now->flags != before->flags || now->flags == SQL_CHANGED);
    walk->counts.charset += now->charset != SQL_UNCHANGED &&
                            (now->charset != before->charset || now->charset == SQL_CHANGED);
    walk->counts.account += now->account != before->account;
}

void sql_walk_set(struct walk *walk, struct sql_span text, const struct place *place,
                  enum sql_kind kind)
{
    struct sql_effects before = walk->now;
    struct sql_settings settings;
    if (kind == SQL_KIND_SET || kind == SQL_KIND_SET_GLOBAL) {
        sql_settings_init(&settings, text, &place->mode);
        size_t count = sql_effects_of_settings(&walk->now, &settings, place->in_block);
        walk->runs->fails_as_whole = walk->runs->fails_as_whole && count <= 1;
    } else {
        sql_effects_of_other_set(&walk->now, kind, text, &place->mode);
    }
    sql_walk_count_changes(walk, &before);
}
