/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that takes wrappers apart. read_statement() adds a statement to the list and what
 * it runs, keeping the effects up to date as the server would; so a text is read in what the
 * effects are when it is met. It enters itself for texts only, SQL_RUNS_TEXTS_MAX deep: SET
 * STATEMENT is taken off in a loop, and blocks of any depth are one loop over their statements.
 *
 * The statements of a block may run in any order, often, or not at all. So whatever changes
 * somewhere in a block makes all texts in it unsure, and is unsure afterwards where the server does
 * not give it back. */
#include "sql/runs.h"

#include "sql/blocks.h"
#include "sql/dynamic.h"
#include "sql/effects.h"
#include "sql/reading.h"
#include "sql/runs_walk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void sql_runs_init(struct sql_runs *runs)
{
    *runs = (struct sql_runs){0};
}

static void free_texts(struct sql_runs *runs)
{
    while (runs->texts) {
        struct sql_runs_text *text = runs->texts;
        runs->texts = text->older;
        free(text);
    }
}

void sql_runs_release(struct sql_runs *runs)
{
    free_texts(runs);
    free(runs->items);
    sql_runs_init(runs);
}

/* ---- What is inside ---- */

static enum sql_results read_statement(struct walk *walk, struct sql_span text,
                                       const struct place *place);

/* What runs later changes nothing now: what is kept before it is read, and put back after. */
struct kept {
    struct walk walk;
    bool known, fails_as_whole;
    struct sql_naming naming;
};

static struct kept keep(const struct walk *walk)
{
    const struct sql_runs *runs = walk->runs;
    return (struct kept){*walk, runs->known, runs->fails_as_whole, runs->naming};
}

static void put_back(struct walk *walk, const struct kept *kept)
{
    *walk = kept->walk;
    walk->runs->known = kept->known;
    walk->runs->fails_as_whole = kept->fails_as_whole;
    walk->runs->naming = kept->naming;
}

/* A text that runs now, in the mode and the database of this moment. */
static enum sql_results read_text(struct walk *walk, const struct sql_cursor *cursor,
                                  const struct sql_token *token, const struct place *outside,
                                  struct sql_span *text)
{
    struct place place = {.mode = walk->now.mode,
                          .database = walk->database,
                          .texts = outside->texts + 1,
                          .is_text = true,
                          .later = outside->later};
    if (place.texts > SQL_RUNS_TEXTS_MAX || !sql_walk_keep_text(walk, cursor, token, text)) {
        sql_walk_lose_all(walk);
        walk->runs->texts_known = false;
        return SQL_RESULTS_UNKNOWN;
    }
    return read_statement(walk, *text, &place);
}

static enum sql_results execute_immediate(struct walk *walk, struct sql_cursor *cursor,
                                          const struct place *place)
{
    struct sql_dynamic dynamic;
    struct sql_span text;
    sql_dynamic_read(cursor, &dynamic);
    if (dynamic.has_text)
        return read_text(walk, cursor, &dynamic.text, place, &text);
    sql_walk_lose_all(walk);
    walk->runs->texts_known = false;
    return SQL_RESULTS_UNKNOWN;
}

static bool is_same_database(const struct sql_database *a, const struct sql_database *b)
{
    return a->known && b->known && sql_walk_same_name(a->name, b->name);
}

static enum sql_results execute(struct walk *walk, struct sql_cursor *cursor,
                                const struct place *outside)
{
    struct sql_dynamic dynamic;
    sql_dynamic_read(cursor, &dynamic);
    const struct sql_prepared *prepared =
        dynamic.has_name && !outside->in_block ? sql_named_find(walk->named, dynamic.name) : NULL;
    if (!prepared || outside->texts == SQL_RUNS_TEXTS_MAX) {
        sql_walk_lose_all(walk);
        return SQL_RESULTS_UNKNOWN;
    }
    struct place place = {.mode = prepared->mode,
                          .database = prepared->database,
                          .texts = outside->texts + 1,
                          .is_text = true,
                          .later = outside->later};
    const struct sql_database before = walk->database;
    enum sql_results results = read_statement(walk, prepared->text, &place);
    /* It runs in the database of its PREPARE. Where that is another one, the server goes back. */
    if (!is_same_database(&prepared->database, &before) &&
        !is_same_database(&walk->database, &before))
        sql_walk_lose_database(walk);
    return results;
}

/* Prepared statements are followed where a statement at the top names one. */
static void name_prepared(struct walk *walk, const struct sql_naming *naming,
                          const struct place *place)
{
    bool followed = naming->name.size > 0 && !place->in_block && place->texts == 0;
    if (!place->later)
        walk->runs->naming = followed ? *naming : (struct sql_naming){.is = SQL_NAMING_UNSURE};
}

/* What stands in the text runs later: it has no effect now. */
static void prepare(struct walk *walk, struct sql_cursor *cursor, const struct place *outside)
{
    struct sql_dynamic dynamic;
    struct sql_naming naming = {.is = SQL_NAMING_DROPS};
    sql_dynamic_read(cursor, &dynamic);
    if (dynamic.has_name)
        naming.name = dynamic.name;
    if (dynamic.has_text) {
        struct kept now = keep(walk);
        struct place place = *outside;
        place.later = true;
        naming.is = SQL_NAMING_PREPARES;
        naming.prepared.mode = walk->now.mode;
        naming.prepared.database = walk->database;
        read_text(walk, cursor, &dynamic.text, &place, &naming.prepared.text);
        put_back(walk, &now);
    } else {
        walk->runs->texts_known = false;
    }
    name_prepared(walk, &naming, outside);
}

static void deallocate(struct walk *walk, struct sql_cursor *cursor, const struct place *place)
{
    struct sql_dynamic dynamic;
    sql_dynamic_read(cursor, &dynamic);
    struct sql_naming naming = {.is = SQL_NAMING_DROPS};
    if (dynamic.has_name)
        naming.name = dynamic.name;
    name_prepared(walk, &naming, place);
}

/* ---- Blocks ---- */

/* The statements of a compound one or of a body: each from its verb to the semicolon after it. */
static void read_block(struct walk *walk, struct sql_span text, const struct place *outside,
                       bool later)
{
    struct sql_blocks blocks;
    struct sql_cursor cursor;
    struct place place = *outside;
    size_t verb = 0;   /* 1 + where the statement at hand begins; 0: there is none */
    size_t before = 0; /* where the token before ended */
    place.in_block = true;
    place.is_text = false;
    place.later = place.later || later;
    struct place piece = place; /* where the statement at hand stands */
    sql_blocks_init(&blocks, &place.mode);
    sql_cursor_init(&cursor, text, &place.mode, SQL_READING_SERVER);
    bool outermost = true;
    for (bool more = true; more && !walk->runs->failed; sql_cursor_next(&cursor)) {
        size_t at = cursor.token.start;
        more = !sql_cursor_at_end(&cursor);
        bool ends = !more || sql_cursor_is(&cursor, ';');
        bool begins =
            !ends && sql_blocks_take(&blocks, &cursor.lexer, &cursor.token) == SQL_BLOCK_VERB;
        if ((ends || begins) && verb > 0)
            read_statement(walk, (struct sql_span){text.at + verb - 1, at - (verb - 1)}, &piece);
        if (ends || begins)
            verb = begins && !outermost ? sql_cursor_cut(&cursor, before, &piece.mode) + 1 : 0;
        before = cursor.lexer.at;
        if (ends)
            sql_blocks_semicolon(&blocks);
        outermost = outermost && !begins && blocks.first;
    }
    if (blocks.overflow) {
        sql_walk_add(walk, SQL_KIND_UNKNOWN, text, &place, false);
        sql_walk_lose_all(walk);
        walk->runs->texts_known = false;
    }
}

/* Texts of the block from item `first` on may run after anything that the block changes. */
static void distrust_texts(struct walk *walk, size_t first, const struct counts *before)
{
    struct sql_runs *runs = walk->runs;
    bool mode_moves = walk->counts.mode != before->mode || walk->counts.charset != before->charset;
    bool database_moves = walk->counts.database != before->database;
    for (size_t i = first; i < runs->count; i++) {
        struct sql_run *run = &runs->items[i];
        if (!run->in_text)
            continue;
        run->mode.unsure = run->mode.unsure || mode_moves;
        if (database_moves)
            run->database = (struct sql_database){0};
        if (run->is_text && !sql_reading_is_sure(run->text, &run->mode)) {
            sql_walk_lose_all(walk);
            runs->texts_known = false;
        }
    }
}

/* The server gives sql_mode back when a compound statement ends, and nothing else. */
static void compound(struct walk *walk, struct sql_span text, const struct place *place)
{
    struct sql_effects before = walk->now;
    struct counts counts = walk->counts;
    size_t first = walk->runs->count;
    walk->runs->fails_as_whole = false;
    read_block(walk, text, place, false);
    distrust_texts(walk, first, &counts);
    bool charset_moves = walk->counts.charset != counts.charset;
    sql_walk_give_back_flags(walk, &before);
    if (charset_moves)
        sql_effects_set_charset(&walk->now, SQL_UNSURE);
    if (walk->counts.database != counts.database)
        sql_walk_lose_database(walk);
    if (walk->counts.account != counts.account)
        walk->now.account = SQL_UNSURE;
}

/* From CREATE (current): whether what is created is named with its database. */
static bool is_qualified(const struct sql_cursor *create)
{
    struct sql_cursor cursor = *create;
    sql_cursor_next(&cursor);
    sql_cursor_skip_modifiers(&cursor);
    sql_cursor_next(&cursor); /* PROCEDURE ... */
    if (sql_cursor_accept(&cursor, SQL_WORD_IF) && sql_cursor_accept(&cursor, SQL_WORD_NOT))
        sql_cursor_accept(&cursor, SQL_WORD_EXISTS);
    return !sql_token_is_name(&cursor.token) || sql_cursor_second_is(&cursor, '.');
}

/* The body of a routine, which runs later: in the mode of its creation, and in its own database. */
static void body(struct walk *walk, const struct sql_cursor *cursor, struct sql_span text,
                 const struct place *place)
{
    struct kept now = keep(walk);
    size_t first = walk->runs->count;
    if (is_qualified(cursor))
        walk->database = (struct sql_database){0};
    read_block(walk, text, place, true);
    distrust_texts(walk, first, &now.walk.counts);
    put_back(walk, &now);
}

/* ---- A statement ---- */

/* What a block holds besides statements changes nothing of the session. */
static bool is_of_a_block(uint16_t word)
{
    switch (word) {
    case SQL_WORD_OPEN:
    case SQL_WORD_FETCH:
    case SQL_WORD_CLOSE:
    case SQL_WORD_LEAVE:
    case SQL_WORD_ITERATE:
        return true;
    default:
        return false;
    }
}

static bool has_body(enum sql_kind kind)
{
    return kind == SQL_KIND_CREATE_PROCEDURE || kind == SQL_KIND_CREATE_FUNCTION ||
           kind == SQL_KIND_CREATE_TRIGGER || kind == SQL_KIND_CREATE_EVENT ||
           kind == SQL_KIND_ALTER_EVENT || kind == SQL_KIND_CREATE_PACKAGE;
}

bool sql_kind_is_plain(enum sql_kind kind)
{
    switch (kind) {
    case SQL_KIND_UNKNOWN:
    case SQL_KIND_CALL:
    case SQL_KIND_BATCH:
    case SQL_KIND_COMPOUND:
    case SQL_KIND_CREATE_DATABASE:
    case SQL_KIND_ALTER_DATABASE:
    case SQL_KIND_DROP_DATABASE:
    case SQL_KIND_USE:
    case SQL_KIND_SET:
    case SQL_KIND_SET_GLOBAL:
    case SQL_KIND_SET_PASSWORD:
    case SQL_KIND_SET_ROLE:
    case SQL_KIND_SET_DEFAULT_ROLE:
    case SQL_KIND_SET_STATEMENT:
    case SQL_KIND_SET_TRANSACTION:
    case SQL_KIND_SET_OTHER:
    case SQL_KIND_PREPARE:
    case SQL_KIND_EXECUTE:
    case SQL_KIND_EXECUTE_IMMEDIATE:
    case SQL_KIND_DEALLOCATE:
    case SQL_KIND_EXPLAIN_ANALYZE:
    case SQL_KIND_TRACE:
    case SQL_KIND_BINLOG:
        return false;
    default:
        return !has_body(kind);
    }
}

/* What runs is no text: CALL, and what is not understood. A procedure runs in a mode of its own. */
static enum sql_results call(struct walk *walk)
{
    walk->runs->known = walk->runs->fails_as_whole = false;
    walk->runs->naming = (struct sql_naming){.is = SQL_NAMING_UNSURE};
    walk->now.account = SQL_UNSURE;
    walk->counts.account++;
    sql_walk_lose_database(walk);
    return SQL_RESULTS_UNTIL_OK;
}

/* What a statement that wraps none does to the session. */
static enum sql_results run(struct walk *walk, struct sql_cursor *cursor, struct sql_span text,
                            const struct place *place, enum sql_kind kind)
{
    enum sql_results results = SQL_RESULTS_ONE;
    switch (kind) {
    case SQL_KIND_USE:
        sql_walk_use(walk, cursor);
        break;
    case SQL_KIND_DROP_DATABASE:
        walk->runs->fails_as_whole = false; /* some of its files are gone, or all */
        sql_walk_drop_database(walk, cursor);
        break;
    case SQL_KIND_CREATE_DATABASE:
        walk->runs->fails_as_whole = false;
        sql_walk_create_database(walk, cursor);
        break;
    case SQL_KIND_ALTER_DATABASE: /* UPGRADE DATA DIRECTORY NAME: the current one is renamed */
        sql_walk_lose_database(walk);
        break;
    case SQL_KIND_CALL:
        return call(walk);
    case SQL_KIND_SET:
    case SQL_KIND_SET_GLOBAL:
    case SQL_KIND_SET_ROLE:
    case SQL_KIND_SET_DEFAULT_ROLE:
    case SQL_KIND_SET_PASSWORD:
    case SQL_KIND_SET_TRANSACTION:
    case SQL_KIND_SET_OTHER:
        sql_walk_set(walk, text, place, kind);
        break;
    case SQL_KIND_PREPARE:
        prepare(walk, cursor, place);
        break;
    case SQL_KIND_DEALLOCATE:
        deallocate(walk, cursor, place);
        break;
    case SQL_KIND_EXECUTE_IMMEDIATE:
        return execute_immediate(walk, cursor, place);
    case SQL_KIND_EXECUTE:
        return execute(walk, cursor, place);
    case SQL_KIND_COMPOUND:
        compound(walk, text, place);
        return SQL_RESULTS_UNTIL_OK;
    case SQL_KIND_UNKNOWN:
        if (place->in_block && is_of_a_block(sql_cursor_word(cursor)))
            break;
        results = SQL_RESULTS_UNKNOWN;
        sql_walk_lose_all(walk);
        break;
    case SQL_KIND_BINLOG: /* events of any kind */
        sql_walk_lose_all(walk);
        break;
    default:
        if (has_body(kind))
            body(walk, cursor, text, place);
        break;
    }
    return results;
}

/* Begins at the first word. Only the outermost SET STATEMENT is looked at: these nest without a
 * limit, and are taken off one by one. */
static struct sql_kinds begin(struct sql_cursor *cursor, struct sql_span text,
                              const struct sql_mode *mode)
{
    bool holds_statement = false;
    sql_cursor_begin(cursor, text, mode);
    if (sql_cursor_at_end(cursor)) {
        sql_cursor_init(cursor, text, mode, SQL_READING_CODE);
        sql_cursor_skip_opening(cursor);
    }
    struct sql_cursor at = *cursor;
    if (sql_cursor_kind(&at, &holds_statement) == SQL_KIND_SET_STATEMENT)
        return (struct sql_kinds){.kind = SQL_KIND_SET_STATEMENT};
    return sql_statement_kind(text, mode);
}

/* Takes SET STATEMENT off: applies its settings, and makes *text what stands after FOR. False: there
 * is no FOR. */
static bool take_off(struct walk *walk, struct sql_span *text, struct place *place)
{
    struct sql_settings settings;
    struct sql_effects before = walk->now;
    sql_settings_init(&settings, *text, &place->mode);
    sql_effects_of_settings(&walk->now, &settings, place->in_block);
    sql_walk_count_changes(walk, &before);
    struct sql_cursor *cursor = &settings.cursor;
    size_t for_end = cursor->lexer.at;
    if (!sql_cursor_accept(cursor, SQL_WORD_FOR))
        return false;
    size_t start = sql_cursor_cut(cursor, for_end, &place->mode);
    text->at += start;
    text->size -= start;
    return true;
}

static enum sql_results read_unwrapped(struct walk *walk, struct sql_span text,
                                       const struct place *place, struct sql_kinds kinds,
                                       struct sql_cursor *cursor)
{
    bool runs_inner = kinds.inner != kinds.kind && kinds.kind != SQL_KIND_EXPLAIN;
    bool wraps = runs_inner || kinds.kind == SQL_KIND_EXECUTE ||
                 kinds.kind == SQL_KIND_EXECUTE_IMMEDIATE || kinds.kind == SQL_KIND_COMPOUND;
    sql_walk_add(walk, kinds.kind, text, place, wraps);
    if (!runs_inner)
        return run(walk, cursor, text, place, kinds.kind);
    sql_walk_add(walk, kinds.inner, text, place, false);
    if (!sql_kind_is_plain(kinds.inner)) {
        sql_walk_lose_all(walk);
        walk->runs->texts_known = false;
    }
    return SQL_RESULTS_ONE;
}

/* Takes off all SET STATEMENTs around *text, and reads the kind of what is left. Returns how many;
 * *taken is false where there is no telling what is left. */
static size_t take_all_off(struct walk *walk, struct sql_span *text, struct place *place,
                           struct sql_kinds *kinds, struct sql_cursor *cursor, bool *taken)
{
    size_t count = 0;
    *taken = true;
    *kinds = begin(cursor, *text, &place->mode);
    if (kinds->kind == SQL_KIND_SET_STATEMENT) /* one for all that are nested */
        sql_walk_add(walk, kinds->kind, *text, place, true);
    for (; *taken && kinds->kind == SQL_KIND_SET_STATEMENT; count++) {
        place->is_text = false;
        *taken = take_off(walk, text, place);
        if (*taken)
            *kinds = begin(cursor, *text, &place->mode);
    }
    return count;
}

/* What SET STATEMENT sets it also gives back. Of several that are nested, MariaDB forgets some. */
static enum sql_results read_wrapped(struct walk *walk, struct sql_span text,
                                     const struct place *outside)
{
    struct sql_cursor cursor;
    struct sql_kinds kinds;
    struct place place = *outside;
    const struct sql_effects before = walk->now;
    unsigned mode_count = walk->counts.mode;
    bool taken = false;
    size_t count = take_all_off(walk, &text, &place, &kinds, &cursor, &taken);
    bool sets_mode = walk->counts.mode != mode_count;
    if (count > 1 && sets_mode)
        sql_effects_set_flags(&walk->now, SQL_UNSURE);
    /* Where a block begins after FOR inside of a block was not seen by the one around it. */
    if (!taken)
        sql_walk_add(walk, SQL_KIND_UNKNOWN, text, &place, false);
    if (!taken || (count > 0 && place.in_block && kinds.kind == SQL_KIND_COMPOUND)) {
        sql_walk_lose_all(walk);
        walk->runs->texts_known = false;
        return SQL_RESULTS_UNKNOWN;
    }
    enum sql_results results = read_unwrapped(walk, text, &place, kinds, &cursor);
    if (count > 1 && sets_mode)
        sql_effects_set_flags(&walk->now, SQL_UNSURE);
    else if (sets_mode)
        sql_walk_give_back_flags(walk, &before);
    return results;
}

/* Enters itself for texts in texts, SQL_RUNS_TEXTS_MAX deep, and for the statements of a block. */
static enum sql_results read_statement(struct walk *walk, struct sql_span text,
                                       const struct place *place)
{
    if (sql_reading_is_sure(text, &place->mode))
        return read_wrapped(walk, text, place);
    sql_walk_add(walk, sql_statement_quick_kind(text, &place->mode).kind, text, place, false);
    sql_walk_lose_all(walk);
    walk->runs->texts_known = false;
    return SQL_RESULTS_UNKNOWN;
}

bool sql_runs_read(struct sql_runs *runs, struct sql_span statement,
                   const struct sql_session *session)
{
    assert(statement.at || statement.size == 0);
    struct walk walk = {.runs = runs,
                        .named = session->named,
                        .now = {.mode = session->mode, .name = session->database.name},
                        .database = session->database};
    struct place place = {.mode = session->mode, .database = session->database};
    if (session->mode.unsure)
        sql_effects_lose_mode(&walk.now);
    if (!session->database.known)
        sql_effects_set_database(&walk.now, session->database);
    free_texts(runs);
    runs->count = 0;
    runs->failed = false;
    runs->known = runs->texts_known = runs->fails_as_whole = true;
    runs->naming = (struct sql_naming){.is = SQL_NAMING_NOTHING};
    runs->results = read_statement(&walk, statement, &place);
    runs->after = walk.now;
    return !runs->failed;
}

void sql_mode_follow(struct sql_mode *mode, struct sql_span statement)
{
    struct sql_session session = {.mode = *mode};
    struct sql_runs runs;
    if (!mode->unsure && sql_kind_is_plain(sql_statement_quick_kind(statement, mode).kind))
        return;
    sql_runs_init(&runs);
    if (sql_runs_read(&runs, statement, &session))
        *mode = runs.after.mode;
    else
        mode->unsure = true;
    sql_runs_release(&runs);
}
