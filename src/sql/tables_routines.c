/* SPDX-License-Identifier: Apache-2.0
 *
 * The routines that a statement calls: what they use is not in its text.
 *
 * CALL names one. In an expression a call is a name before a parenthesis, and so are a table before its
 * columns, an index, a type. Which it is follows from the clause and from the tokens before: those
 * that have been passed are kept, in turn (scan->seen). What remains is a function of the server
 * (builtin.h) or is taken for a stored one: the text does not tell it from a loaded one, or from none. */
#include "sql/builtin.h"
#include "sql/tables_scan.h"

/* The n-th token before the current one, from 1. One of END: there is none. */
static struct sql_token before(const struct scan *scan, unsigned n)
{
    if (n > scan->seen_count || n > SCAN_SEEN)
        return (struct sql_token){.class = SQL_TOKEN_END};
    return scan->seen[(scan->seen_count - n) % SCAN_SEEN];
}

static bool is_listed(const struct sql_tables *tables, const struct sql_routine *routine)
{
    bool found = false;
    for (size_t i = 0; i < tables->routine_count && !found; i++)
        found = tables->routines[i].is_call == routine->is_call &&
                sql_tables_same_span(tables, tables->routines[i].name, routine->name) &&
                sql_tables_same_span(tables, tables->routines[i].database, routine->database);
    return found;
}

/* names: the last is the routine's, the one before that of its database or package. */
static void add(struct scan *scan, const struct sql_token *names, unsigned count, bool is_call)
{
    struct sql_tables *tables = scan->tables;
    struct sql_routine routine = {.is_call = is_call};
    size_t names_size = tables->names_size;
    bool kept = true;
    if (count > 1)
        kept = sql_scan_keep_name(scan, &names[0], &routine.database);
    kept = kept && sql_scan_keep_name(scan, &names[count > 1], &routine.name);
    if (count > 2) { /* package.routine: the names lie side by side */
        struct sql_span last = {NULL, 0};
        kept = kept && sql_scan_keep_point(scan) && sql_scan_keep_name(scan, &names[2], &last);
        routine.name.size += 1 + last.size;
    }
    if (!kept) {
        scan->unknown = true;
        return;
    }
    if (count == 1)
        sql_scan_add_inside(scan, &routine.database);
    if (tables->failed)
        return;
    if (is_listed(tables, &routine))
        tables->names_size = names_size;
    else if (tables->routine_count == SQL_ROUTINES_MAX)
        scan->unknown = true;
    else if (sql_tables_grow(tables, (void **)&tables->routines, &tables->routine_capacity,
                             tables->routine_count + 1, sizeof *tables->routines))
        tables->routines[tables->routine_count++] = routine;
}

/* name [. name [. name]] from the cursor on, which moves after it. Returns how many names. */
static unsigned take_names(struct sql_cursor *cursor, struct sql_token names[3])
{
    unsigned count = 0;
    while (count < 3 && sql_token_is_name(&cursor->token)) {
        names[count++] = cursor->token;
        sql_cursor_next(cursor);
        if (count == 3 || !sql_cursor_is(cursor, '.'))
            break;
        sql_cursor_next(cursor);
    }
    return count;
}

/* Adds what `names` say, and moves past them, up to `after`, and into the arguments, whose parenthesis
 * is no function's. */
static void take_call(struct scan *scan, const struct sql_token *names, unsigned count,
                      size_t after)
{
    add(scan, names, count, true);
    while (scan->cursor.token.start < after && !sql_cursor_at_end(&scan->cursor))
        sql_scan_next(scan);
    if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_open_frame(scan, CLAUSE_PAREN, CLAUSE_OTHER);
        sql_scan_next(scan);
    }
}

void sql_scan_call(struct scan *scan)
{
    struct sql_token names[3];
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    sql_scan_next(scan);
    struct sql_cursor ahead = scan->cursor;
    unsigned count = take_names(&ahead, names);
    if (count > 0)
        take_call(scan, names, count, ahead.token.start);
    else
        scan->unknown = true;
}

bool sql_scan_procedure(struct scan *scan)
{
    struct sql_token names[3];
    struct sql_cursor ahead = scan->cursor;
    if (!scan->cursor.lexer.mode.oracle)
        return false;
    unsigned count = take_names(&ahead, names);
    bool alone = sql_cursor_is(&ahead, ';') || sql_cursor_at_end(&ahead);
    bool is_word = count == 1 && names[0].word != SQL_NO_WORD; /* COMMIT; NULL; */
    if (count == 0 || (!sql_cursor_is(&ahead, '(') && (!alone || is_word)))
        return false;
    take_call(scan, names, count, ahead.token.start);
    return true;
}

/* Whether a table's columns, an index's or a type's numbers stand in such parentheses. */
static bool is_no_expression(const struct frame *frame)
{
    switch ((enum clause)frame->clause) {
    case CLAUSE_INSERT:
    case CLAUSE_CREATE:
    case CLAUSE_ALTER:
    case CLAUSE_REFERENCES:
    case CLAUSE_TRIGGER:
    case CLAUSE_SKIP:
        return true;
    default:
        return frame->defines;
    }
}

/* After these a name begins no call: an operand has ended, so that it is an alias or a word between
 * operands, or it is named for another purpose. */
static bool ends_operand(const struct sql_token *token)
{
    switch ((enum sql_token_class)token->class) {
    case SQL_TOKEN_STRING:
    case SQL_TOKEN_NUMBER:
    case SQL_TOKEN_NAME:
        return true;
    case SQL_TOKEN_WORD:
        return token->word == SQL_WORD_AS || token->word == SQL_WORD_SET ||
               token->word == SQL_WORD_OPEN || token->word == SQL_WORD_MEMBER;
    default:
        return sql_token_is(token, ')');
    }
}

/* UNTIL (x), ELSIF (x): words of blocks alone, and so no words of all statements. */
static bool is_word_of_block(const struct scan *scan, const struct sql_token *name)
{
    return scan->compound && (name->word == SQL_WORD_UNTIL ||
                              (name->word == SQL_WORD_ELSIF && scan->cursor.lexer.mode.oracle));
}

void sql_scan_note_call(struct scan *scan)
{
    const struct sql_token last = before(scan, 1);
    struct sql_token names[3] = {last};
    unsigned count = 1;
    if (!sql_token_is_name(&last) || is_no_expression(sql_scan_frame(scan)) ||
        scan->cursor.lexer.mode.dialect == SQL_DIALECT_TIDB)
        return;
    for (unsigned n = 2; count < 3; n += 2, count++) {
        struct sql_token dot = before(scan, n), name = before(scan, n + 1);
        if (!sql_token_is(&dot, '.') || !sql_token_is_name(&name))
            break;
        names[2] = names[1];
        names[1] = names[0];
        names[0] = name;
    }
    struct sql_token leading = before(scan, 2 * count);
    bool adjacent = last.end == scan->cursor.token.start;
    if (ends_operand(&leading) || is_word_of_block(scan, &last))
        return;
    if (count > 1 || !sql_is_builtin(&scan->cursor.lexer, &last, adjacent))
        add(scan, names, count, false);
}
