/* SPDX-License-Identifier: Apache-2.0
 *
 * The kind of a whole statement: what the first words say (kind_words.c), looked up after WITH and
 * parentheses, inside of EXPLAIN and the like, and told from set operations. */
#include "sql/kind.h"

#include "sql/block.h"
#include "sql/cursor.h"
#include "sql/settings.h"

static const char *const label_names[] = {
#define X(enumerator, text) text,
#include "sql/labels.def"
#undef X
};

static const struct {
    const char *name;
    enum sql_label label;
} kind_rows[] = {
#define X(enumerator, text, label) {text, SQL_LABEL_##label},
#include "sql/kinds.def"
#undef X
};

const char *sql_label_name(enum sql_label label)
{
    return (unsigned)label < SQL_LABEL_COUNT ? label_names[label] : label_names[SQL_LABEL_OTHER];
}

const char *sql_kind_name(enum sql_kind kind)
{
    return (unsigned)kind < SQL_KIND_COUNT ? kind_rows[kind].name
                                           : kind_rows[SQL_KIND_UNKNOWN].name;
}

const char *sql_kind_name_at(size_t index)
{
    if (index < SQL_LABEL_COUNT)
        return label_names[index];
    return index - SQL_LABEL_COUNT < SQL_KIND_COUNT ? kind_rows[index - SQL_LABEL_COUNT].name
                                                    : NULL;
}

enum sql_label sql_kind_label(enum sql_kind kind)
{
    return (unsigned)kind < SQL_KIND_COUNT ? kind_rows[kind].label : SQL_LABEL_OTHER;
}

/* Whether UNION, EXCEPT, INTERSECT or MINUS can stand in the text from `at` on: three letters of each
 * are looked for, in any case, many bytes at a time. */
static bool may_name_set_operation(const struct sql_lexer *lexer, size_t at)
{
    bool found = false;
    for (; at < lexer->size && !found; at += BLOCK_BYTES - 2) {
        unsigned __int128 number;
        block first = block_load_at(lexer->text, at, lexer->size) | 0x20;
        memcpy(&number, &first, sizeof number);
        block second = block_of(number >> 8);
        block third = block_of(number >> 16);
        block uni = block_is(first, 'u') & block_is(second, 'n') & block_is(third, 'i');
        block xce = block_is(first, 'x') & block_is(second, 'c') & block_is(third, 'e');
        block ers = block_is(first, 'e') & block_is(second, 'r') & block_is(third, 's');
        block inu = block_is(first, 'i') & block_is(second, 'n') & block_is(third, 'u');
        found = block_bits(uni | xce | ers | inu) != 0;
    }
    return found;
}

/* Whether a set operation joins what begins at the cursor, `opened` parentheses deep: UNION and the
 * like where every parenthesis that is open was opened before the first word. *ordered: ORDER BY or
 * LIMIT stands after a query in parentheses, which TiDB takes for a set operation of one. */
static bool is_set_operation(struct sql_cursor *cursor, size_t opened, bool *ordered)
{
    size_t depth = opened;
    size_t outermost = opened;
    if (opened == 0 && !may_name_set_operation(&cursor->lexer, cursor->token.start))
        return false;
    for (; !sql_cursor_at_end(cursor); sql_cursor_next(cursor)) {
        uint16_t word = sql_cursor_word(cursor);
        if (sql_cursor_is(cursor, '(')) {
            depth++;
        } else if (sql_cursor_is(cursor, ')')) {
            depth -= depth > 0;
            outermost = depth < outermost ? depth : outermost;
        } else if (depth < opened && depth == outermost &&
                   (word == SQL_WORD_ORDER || word == SQL_WORD_LIMIT)) {
            *ordered = true;
        } else if (depth == outermost && (word == SQL_WORD_UNION || word == SQL_WORD_EXCEPT ||
                                          word == SQL_WORD_INTERSECT ||
                                          (word == SQL_WORD_MINUS && cursor->lexer.mode.oracle))) {
            return true;
        }
    }
    return false;
}

/* From SET STATEMENT or BATCH to the statement inside: after FOR, or at the first verb of DML. */
static void go_to_inner(struct sql_cursor *cursor, enum sql_kind kind)
{
    while (!sql_cursor_at_end(cursor)) {
        uint16_t word = sql_cursor_word(cursor);
        if (kind == SQL_KIND_SET_STATEMENT && word == SQL_WORD_FOR) {
            sql_cursor_next(cursor);
            return;
        }
        if (kind == SQL_KIND_BATCH &&
            (word == SQL_WORD_INSERT || word == SQL_WORD_REPLACE || word == SQL_WORD_UPDATE ||
             word == SQL_WORD_DELETE || word == SQL_WORD_WITH))
            return;
        if (sql_cursor_is(cursor, '('))
            sql_cursor_skip_parentheses(cursor);
        else
            sql_cursor_next(cursor);
    }
}

/* The kind of the statement at the cursor, looking after WITH and at set operations. */
static enum sql_kind plain_kind(struct sql_cursor *cursor, bool quick, bool *holds_statement,
                                bool *ordered)
{
    size_t opened = sql_cursor_skip_opening(cursor);
    size_t start = cursor->token.start;
    while (sql_cursor_word(cursor) == SQL_WORD_WITH) {
        sql_cursor_skip_with(cursor);
        opened += sql_cursor_skip_opening(cursor);
    }
    bool begun = opened > 0 || cursor->token.start > start;
    enum sql_kind kind = sql_cursor_kind(cursor, holds_statement);
    if (kind == SQL_KIND_EMPTY && begun)
        return SQL_KIND_UNKNOWN; /* a parenthesis, or WITH, and nothing after it */
    bool query = kind == SQL_KIND_SELECT || kind == SQL_KIND_VALUES || kind == SQL_KIND_TABLE;
    return query && !quick && is_set_operation(cursor, opened, ordered) ? SQL_KIND_SET_OPERATION
                                                                        : kind;
}

static struct sql_kinds read_kind(struct sql_cursor *cursor, bool quick)
{
    bool holds_statement = false;
    bool ordered = false;
    enum sql_kind kind = plain_kind(cursor, quick, &holds_statement, &ordered);
    enum sql_kind inner = kind;
    enum sql_label label = ordered ? SQL_LABEL_OTHER : sql_kind_label(kind);
    bool wraps = holds_statement || kind == SQL_KIND_SET_STATEMENT || kind == SQL_KIND_BATCH;
    /* EXPLAIN SET STATEMENT ... FOR EXPLAIN ...: each turn moves on by a token at least. */
    while (wraps && !sql_cursor_at_end(cursor)) {
        if (!holds_statement)
            go_to_inner(cursor, inner);
        holds_statement = false;
        inner = plain_kind(cursor, quick, &holds_statement, &ordered);
        wraps = holds_statement || inner == SQL_KIND_SET_STATEMENT;
    }
    return (struct sql_kinds){.label = label, .kind = kind, .inner = inner};
}

static struct sql_kinds statement_kind(struct sql_span statement, const struct sql_mode *mode,
                                       bool quick)
{
    struct sql_cursor cursor;
    sql_cursor_init(&cursor, statement, mode, SQL_READING_SERVER);
    struct sql_kinds kinds = read_kind(&cursor, quick);
    if (kinds.kind == SQL_KIND_EMPTY && cursor.lexer.conditional) {
        sql_cursor_init(&cursor, statement, mode, SQL_READING_CODE);
        kinds = read_kind(&cursor, quick);
    }
    if (kinds.kind == SQL_KIND_SET && sql_sets_global(statement, mode))
        kinds.kind = kinds.inner = SQL_KIND_SET_GLOBAL;
    return kinds;
}

struct sql_kinds sql_statement_kind(struct sql_span statement, const struct sql_mode *mode)
{
    return statement_kind(statement, mode, false);
}

struct sql_kinds sql_statement_quick_kind(struct sql_span statement, const struct sql_mode *mode)
{
    return statement_kind(statement, mode, true);
}
