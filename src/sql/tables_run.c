/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of the scanner, and how often a text is run through it.
 *
 * run() calls what knows statements and clauses, and nothing that it calls enters it again. The
 * string of a PREPARE or EXECUTE IMMEDIATE is a statement inside of a statement: who finds one
 * leaves it in scan->text, and the loop reads it with a scan of its own, SQL_TABLES_TEXTS_MAX deep
 * at most.
 *
 * A text whose meaning depends on the server (executable comments) is read in each way that
 * matters; the list then has the tables of all readings. */
#include "sql/tables.h"

#include "sql/tables_scan.h"

#include <stdlib.h>
#include <string.h>

static void read_text(struct scan *scan);

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
            scan->tables->cte_count = 0;
            sql_scan_set_clause(scan, CLAUSE_BINDING);
        }
    }
    if (frame->insert && sql_cursor_word(&scan->cursor) == SQL_WORD_ON &&
        sql_scan_at_duplicate_key(scan))
        scan->tables->cte_count = frame->ctes;
    if (frame->clause == CLAUSE_SKIP)
        sql_scan_next(scan);
    else if (frame->clause == CLAUSE_OTHER ||
             (!sql_scan_query_step(scan) && !sql_scan_define_step(scan)))
        sql_scan_pass(scan);
    else if (scan->has_text)
        read_text(scan);
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
    scan->tables->cte_count = 0;
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

static void run(struct scan *scan)
{
    while (sql_scan_accept_byte(scan, ';')) {
    }
    scan->verb = true;
    if (is_compound(scan)) {
        scan->compound = true;
        sql_blocks_init(&scan->blocks, &scan->cursor.lexer.mode);
        scan->verb = sql_blocks_take(&scan->blocks, &scan->cursor.lexer, &scan->cursor.token) ==
                     SQL_BLOCK_VERB;
    }
    while (!sql_cursor_at_end(&scan->cursor) && !scan->tables->failed) {
        if (scan->verb && !sql_cursor_is(&scan->cursor, ';')) {
            scan->verb = false;
            begin_statement(scan);
            if (scan->has_text)
                read_text(scan);
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

/* One reading of one text. Returns whether it held anything that could be a statement. */
static bool scan_text(struct sql_tables *tables, struct sql_span text, const struct sql_mode *mode,
                      enum sql_reading reading, unsigned texts, bool *known, bool *conditional)
{
    struct scan scan;
    scan.tables = tables;
    scan.depth = 0;
    scan.texts = texts;
    scan.compound = scan.verb = scan.unknown = scan.no_statement = scan.targets_all = false;
    scan.has_text = false;
    scan.target_count = 0;
    scan.frames[0] = (struct frame){0};
    tables->cte_count = 0;
    sql_cursor_init(&scan.cursor, text, mode, reading);
    bool empty = scan.cursor.token.class == SQL_TOKEN_END;
    run(&scan);
    *known = !scan.unknown;
    *conditional = scan.cursor.lexer.conditional;
    return !empty && !scan.no_statement;
}

/* All readings of a text that matter. */
static bool scan_readings(struct sql_tables *tables, struct sql_span text,
                          const struct sql_mode *mode, unsigned texts)
{
    bool known = false;
    bool conditional = false;
    bool held = scan_text(tables, text, mode, SQL_READING_SERVER, texts, &known, &conditional);
    if (!conditional)
        return known;
    bool server_known = mode->server_version != 0 || mode->dialect == SQL_DIALECT_TIDB;
    bool other_known = false;
    bool other_held =
        scan_text(tables, text, mode, server_known ? SQL_READING_CODE : SQL_READING_SKIP, texts,
                  &other_known, &conditional);
    if (server_known)
        return held ? known : other_known; /* what is not run can add to the list, no more */
    return known && (other_known || !other_held);
}

/* Reads the text that a PREPARE or EXECUTE IMMEDIATE has left in scan->text, like a statement. */
static void read_text(struct scan *scan)
{
    const struct sql_token *string = &scan->text;
    scan->has_text = false;
    if (scan->texts == SQL_TABLES_TEXTS_MAX) {
        scan->unknown = true;
        return;
    }
    struct sql_lexer *lexer = &scan->cursor.lexer;
    size_t most = string->end - string->start;
    char *decoded = NULL;
    struct sql_span text = sql_token_inside(lexer, string);
    bool plain = memchr(text.at, '\\', text.size) == NULL &&
                 memchr(text.at, '\'', text.size) == NULL &&
                 memchr(text.at, '"', text.size) == NULL;
    if (!plain) {
        decoded = malloc(most);
        if (decoded == NULL) {
            scan->tables->failed = true;
            return;
        }
        text = (struct sql_span){decoded, sql_token_text(lexer, string, decoded, most)};
    }
    size_t ctes = scan->tables->cte_count;
    if (!scan_readings(scan->tables, text, &lexer->mode, scan->texts + 1))
        scan->unknown = true;
    scan->tables->cte_count = ctes;
    free(decoded);
}

bool sql_tables_read(struct sql_tables *tables, struct sql_span statement,
                     const struct sql_mode *mode, struct sql_span current_database)
{
    tables->count = tables->names_size = 0;
    tables->failed = false;
    tables->known = scan_readings(tables, statement, mode, 0) && !mode->unsure;
    return sql_tables_finish(tables, current_database);
}
