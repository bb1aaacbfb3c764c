/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of the scanner, and how often a text is run through it.
 *
 * run() calls what knows statements and clauses, and nothing that it calls enters it again. The
 * string of a PREPARE or EXECUTE IMMEDIATE is a statement inside of a statement, read in a mode and a
 * database of its own: who finds one says so (scan->has_text), and all of them are then read, each
 * with a scan of its own, from the list of what runs (runs.h).
 *
 * A text whose meaning depends on the server (executable comments) is read in each way that
 * matters; the list then has the tables of all readings. */
#include "sql/tables.h"

#include "sql/reading.h"
#include "sql/runs.h"
#include "sql/split.h"
#include "sql/tables_scan.h"

#include <stdlib.h>
#include <string.h>

/* One step looks at the current token in the current clause, and moves on by at least a token. */
static void step(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    if (frame->binding && sql_cursor_word(&scan->cursor) == SQL_WORD_USING) {
        struct sql_cursor ahead = scan->cursor;
        sql_cursor_next(&ahead);
        bool columns = sql_cursor_is(&ahead, '('); /* of JOIN ... USING (columns) */
        sql_cursor_skip_opening(&ahead);
        if (!columns || sql_cursor_word(&ahead) == SQL_WORD_SELECT ||
            sql_cursor_word(&ahead) == SQL_WORD_WITH) {
            sql_scan_drop_ctes(scan->tables, 0);
            sql_scan_set_clause(scan, CLAUSE_BINDING);
        }
    }
    if (frame->insert && sql_cursor_word(&scan->cursor) == SQL_WORD_ON &&
        sql_scan_at_duplicate_key(scan)) {
        sql_scan_drop_ctes(scan->tables, frame->ctes);
        if (scan->own < scan->tables->count)
            scan->tables->items[scan->own].deeds |= SQL_DEED_UPDATE;
    }
    if (frame->clause == CLAUSE_SKIP)
        sql_scan_next(scan);
    else if (frame->clause == CLAUSE_OTHER ||
             (!sql_scan_query_step(scan) && !sql_scan_define_step(scan)))
        sql_scan_pass(scan);
}

/* A statement has ended, or is about to begin: nothing may be left open. */
static void end_statement(struct scan *scan)
{
    const struct frame *frame = sql_scan_frame(scan);
    if (scan->depth > 0 || frame->clause == CLAUSE_FACTOR || frame->clause == CLAUSE_QUERY ||
        frame->clause == CLAUSE_WITH || frame->clause == CLAUSE_WITH_NEXT)
        scan->unknown = true;
    scan->depth = 0;
    scan->frames[0] = (struct frame){0};
    sql_scan_drop_ctes(scan->tables, 0);
    scan->target_count = 0;
    scan->targets_all = false;
}

static void begin_statement(struct scan *scan)
{
    end_statement(scan);
    sql_scan_statement(scan);
}

/* Whether the statement at the cursor has other statements inside: a compound one, or the creation
 * of something with a body. */
static bool is_compound(const struct scan *scan)
{
    switch (sql_cursor_word(&scan->cursor)) {
    case SQL_WORD_SELECT:
    case SQL_WORD_INSERT:
    case SQL_WORD_UPDATE:
    case SQL_WORD_DELETE:
    case SQL_WORD_SET:
    case SQL_WORD_DROP:
        return false;
    default:
        break;
    }
    struct sql_cursor ahead = scan->cursor;
    bool holds_statement = false;
    enum sql_kind kind = sql_cursor_kind(&ahead, &holds_statement);
    return kind == SQL_KIND_COMPOUND || kind == SQL_KIND_CREATE_PROCEDURE ||
           kind == SQL_KIND_CREATE_FUNCTION || kind == SQL_KIND_CREATE_TRIGGER ||
           kind == SQL_KIND_CREATE_EVENT || kind == SQL_KIND_ALTER_EVENT ||
           kind == SQL_KIND_CREATE_PACKAGE;
}

/* A statement begins at the cursor, where the text does or after SET STATEMENT ... FOR. */
static void begin_outermost(struct scan *scan)
{
    scan->verb = true;
    if (is_compound(scan)) {
        scan->compound = true;
        sql_blocks_init(&scan->blocks, &scan->cursor.lexer.mode);
        scan->verb = sql_blocks_take(&scan->blocks, &scan->cursor.lexer, &scan->cursor.token) ==
                     SQL_BLOCK_VERB;
    }
}

static void run(struct scan *scan)
{
    while (sql_scan_accept_byte(scan, ';')) {
    }
    begin_outermost(scan);
    while (!sql_cursor_at_end(&scan->cursor) && !scan->tables->failed) {
        if (scan->wrapped && !scan->compound) {
            scan->wrapped = false;
            end_statement(scan);
            begin_outermost(scan);
        } else if (scan->verb && !sql_cursor_is(&scan->cursor, ';')) {
            scan->verb = false;
            begin_statement(scan);
        } else if (sql_cursor_is(&scan->cursor, ';')) {
            end_statement(scan);
            sql_scan_next(scan);
            scan->verb = scan->verb || !scan->compound;
        } else {
            step(scan);
        }
    }
    end_statement(scan);
    scan->unknown = scan->unknown || scan->cursor.token.class == SQL_TOKEN_INVALID ||
                    scan->cursor.lexer.ambiguous || scan->cursor.lexer.doubtful ||
                    (scan->compound && scan->blocks.overflow);
}

/* One reading of one text. */
struct reading {
    bool held; /* anything that could be a statement */
    bool known, conditional;
};

/* inside: of the text of a PREPARE or EXECUTE IMMEDIATE, where it runs; NULL: the statement. */
static struct reading scan_text(struct sql_tables *tables, struct sql_span text,
                                const struct sql_mode *mode, enum sql_reading reading,
                                const struct sql_database *inside)
{
    struct scan scan;
    scan.tables = tables;
    scan.depth = 0;
    scan.inside = inside;
    scan.compound = scan.verb = scan.unknown = scan.no_statement = scan.targets_all = false;
    scan.wrapped = false;
    scan.target_count = scan.seen_count = 0;
    scan.frames[0] = (struct frame){0};
    sql_scan_drop_ctes(tables, 0);
    sql_cursor_init(&scan.cursor, text, mode, reading);
    bool empty = scan.cursor.token.class == SQL_TOKEN_END;
    run(&scan);
    return (struct reading){.held = !empty && !scan.no_statement,
                            .known = !scan.unknown,
                            .conditional = scan.cursor.lexer.conditional};
}

/* All readings of a text that matter. Returns whether the list is known. */
static bool scan_readings(struct sql_tables *tables, struct sql_span text,
                          const struct sql_mode *mode, const struct sql_database *inside)
{
    struct reading server = scan_text(tables, text, mode, SQL_READING_SERVER, inside);
    if (!server.conditional)
        return server.known;
    bool server_known = mode->server_version != 0 || mode->dialect == SQL_DIALECT_TIDB;
    struct reading other =
        scan_text(tables, text, mode, server_known ? SQL_READING_CODE : SQL_READING_SKIP, inside);
    if (server_known) /* what is not run can add to the list, no more */
        return server.held ? server.known : other.known;
    return server.known && (other.known || !other.held);
}

/* The texts of the statements of a text, each in the mode and the database in which it runs. Returns
 * whether all are known. */
static bool scan_texts(struct sql_tables *tables, struct sql_span text, const struct sql_mode *mode,
                       struct sql_span database)
{
    struct sql_session session = {.mode = *mode, .database = {.known = true, .name = database}};
    struct sql_splitter splitter;
    struct sql_span statement;
    struct sql_runs runs;
    bool known = true;
    sql_runs_init(&runs);
    sql_splitter_init(&splitter, text, mode);
    while (!tables->failed && sql_splitter_next(&splitter, &statement)) {
        tables->failed = !sql_runs_read(&runs, statement, &session);
        known = known && runs.texts_known;
        for (size_t i = 0; i < runs.count && !tables->failed; i++) {
            const struct sql_run *run = &runs.items[i];
            if (run->is_text && !scan_readings(tables, run->text, &run->mode, &run->database))
                known = false;
        }
        /* The next one's mode is the next one's business, as everywhere in this room; that this
         * one may have changed it is not. */
        known = known && (runs.after.database == SQL_UNCHANGED || splitter.rest.size == 0);
    }
    sql_runs_release(&runs);
    return known;
}

bool sql_tables_read(struct sql_tables *tables, struct sql_span statement,
                     const struct sql_mode *mode, struct sql_span current_database)
{
    sql_tables_clear(tables);
    tables->failed = tables->has_text = false;
    bool known = scan_readings(tables, statement, mode, NULL);
    if (tables->has_text)
        known = scan_texts(tables, statement, mode, current_database) && known;
    tables->known = known && sql_reading_is_sure(statement, mode);
    return sql_tables_finish(tables, current_database);
}
