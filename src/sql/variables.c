/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the tokens. A select item is measured when the first variable in it is met, with a
 * copy of the cursor; so each item is read twice at most. */
#include "sql/variables.h"

static size_t offset_of(const struct sql_cursor *cursor)
{
    return cursor->token.start;
}

void sql_variables_init(struct sql_variables *variables, struct sql_span statement,
                        const struct sql_mode *mode)
{
    *variables = (struct sql_variables){0};
    sql_cursor_init(&variables->cursor, statement, mode, SQL_READING_SERVER);
    variables->base = sql_cursor_skip_opening(&variables->cursor);
    variables->depth = variables->base;
}

/* SELECT DISTINCT and the like belong to no item. */
static void skip_options(struct sql_cursor *cursor)
{
    for (;;) {
        switch (sql_cursor_word(cursor)) {
        case SQL_WORD_ALL:
        case SQL_WORD_DISTINCT:
        case SQL_WORD_DISTINCTROW:
        case SQL_WORD_HIGH_PRIORITY:
        case SQL_WORD_STRAIGHT_JOIN:
        case SQL_WORD_SQL_SMALL_RESULT:
        case SQL_WORD_SQL_BIG_RESULT:
        case SQL_WORD_SQL_BUFFER_RESULT:
        case SQL_WORD_SQL_CACHE:
        case SQL_WORD_SQL_NO_CACHE:
        case SQL_WORD_SQL_CALC_FOUND_ROWS:
            sql_cursor_next(cursor);
            break;
        default:
            return;
        }
    }
}

static bool ends_list(const struct sql_cursor *cursor)
{
    switch (sql_cursor_word(cursor)) {
    case SQL_WORD_FROM:
    case SQL_WORD_INTO:
    case SQL_WORD_WHERE:
    case SQL_WORD_GROUP:
    case SQL_WORD_HAVING:
    case SQL_WORD_WINDOW:
    case SQL_WORD_ORDER:
    case SQL_WORD_LIMIT:
    case SQL_WORD_OFFSET:
    case SQL_WORD_FETCH:
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FOR:
    case SQL_WORD_LOCK:
    case SQL_WORD_UNION:
    case SQL_WORD_EXCEPT:
    case SQL_WORD_INTERSECT:
    case SQL_WORD_SELECT: /* no SQL, but then the list is over too */
        return true;
    default:
        return sql_cursor_at_end(cursor) || sql_cursor_is(cursor, ';');
    }
}

/* Whether an expression can end with this token, so that a name after it is an alias. */
static bool ends_operand(const struct sql_token *token)
{
    return token->class == SQL_TOKEN_NUMBER || token->class == SQL_TOKEN_SYSTEM ||
           token->class == SQL_TOKEN_VARIABLE || token->class == SQL_TOKEN_NAME ||
           token->class == SQL_TOKEN_STRING || sql_token_is(token, ')') ||
           (token->class == SQL_TOKEN_WORD &&
            (token->word == SQL_NO_WORD || token->word == SQL_WORD_END ||
             token->word == SQL_WORD_NULL || token->word == SQL_WORD_TRUE ||
             token->word == SQL_WORD_FALSE));
}

static bool may_be_alias(const struct sql_token *token)
{
    return token->class == SQL_TOKEN_NAME || token->class == SQL_TOKEN_STRING ||
           (token->class == SQL_TOKEN_WORD && token->word != SQL_WORD_END &&
            token->word != SQL_WORD_NULL && !token->after_dot);
}

/* The item at the cursor's place (which is in the middle of it); empty when it has an alias. */
static struct sql_span measure_item(const struct sql_variables *variables)
{
    struct sql_cursor ahead = variables->cursor;
    struct sql_token before = {0}, last = ahead.token;
    size_t depth = variables->depth, end = ahead.token.end;
    bool has_as = false;
    while (!sql_cursor_at_end(&ahead)) {
        if (depth == variables->base &&
            (ends_list(&ahead) || sql_cursor_is(&ahead, ',') || sql_cursor_is(&ahead, ')')))
            break;
        depth += sql_cursor_is(&ahead, '(');
        depth -= sql_cursor_is(&ahead, ')');
        has_as = has_as || (depth == variables->base && sql_cursor_word(&ahead) == SQL_WORD_AS);
        before = last;
        last = ahead.token;
        end = last.end;
        sql_cursor_next(&ahead);
    }
    bool is_named = has_as || (before.end && before.end <= last.start && ends_operand(&before) &&
                               may_be_alias(&last));
    struct sql_span item = {0};
    if (!is_named) {
        item.at = (const char *)ahead.lexer.text + variables->item_start;
        item.size = end - variables->item_start;
    }
    return item;
}

static void fill(struct sql_variables *variables, struct sql_variable_use *use)
{
    const struct sql_cursor *cursor = &variables->cursor;
    const char *text = (const char *)cursor->lexer.text;
    *use = (struct sql_variable_use){.written = sql_cursor_span(cursor)};
    use->name = sql_variable_name(use->written, &use->scope);
    for (size_t i = 2; i < use->written.size && !use->is_scoped; i++)
        use->is_scoped = use->written.at[i] == '.' && use->written.at + i < use->name.at;
    if (!variables->in_list)
        return;
    if (variables->item.at != text + variables->item_start)
        variables->item = measure_item(variables);
    use->item = variables->item;
}

bool sql_variables_next(struct sql_variables *variables, struct sql_variable_use *use)
{
    struct sql_cursor *cursor = &variables->cursor;
    while (!sql_cursor_at_end(cursor)) {
        bool is_top = variables->depth == variables->base;
        if (cursor->token.class == SQL_TOKEN_SYSTEM) {
            fill(variables, use);
            sql_cursor_next(cursor);
            return true;
        }
        if (is_top && sql_cursor_word(cursor) == SQL_WORD_SELECT) {
            sql_cursor_next(cursor);
            skip_options(cursor);
            variables->in_list = true;
            variables->item_start = offset_of(cursor);
            continue;
        }
        if (is_top && (ends_list(cursor) || sql_cursor_is(cursor, ')')))
            variables->in_list = false;
        variables->depth += sql_cursor_is(cursor, '(');
        variables->depth -= sql_cursor_is(cursor, ')') && variables->depth > 0;
        bool is_comma = is_top && sql_cursor_is(cursor, ',');
        sql_cursor_next(cursor);
        if (is_comma)
            variables->item_start = offset_of(cursor);
    }
    return false;
}

bool sql_show_variables(struct sql_span statement, const struct sql_mode *mode,
                        struct sql_show_variables *show)
{
    struct sql_cursor cursor;
    *show = (struct sql_show_variables){0};
    sql_cursor_init(&cursor, statement, mode, SQL_READING_SERVER);
    sql_cursor_skip_opening(&cursor);
    if (!sql_cursor_accept(&cursor, SQL_WORD_SHOW))
        return false;
    show->is_global = sql_cursor_accept(&cursor, SQL_WORD_GLOBAL);
    if (!show->is_global && !sql_cursor_accept(&cursor, SQL_WORD_SESSION))
        sql_cursor_accept(&cursor, SQL_WORD_LOCAL);
    show->is_status = sql_cursor_accept(&cursor, SQL_WORD_STATUS);
    if (!show->is_status && !sql_cursor_accept(&cursor, SQL_WORD_VARIABLES))
        return false;
    show->is_like = sql_cursor_accept(&cursor, SQL_WORD_LIKE);
    bool is_filtered = show->is_like || sql_cursor_accept(&cursor, SQL_WORD_WHERE);
    size_t start = cursor.token.start, end = start;
    while (is_filtered && !sql_cursor_at_end(&cursor) && !sql_cursor_is(&cursor, ';')) {
        end = cursor.token.end;
        sql_cursor_next(&cursor);
    }
    show->filter = (struct sql_span){(const char *)cursor.lexer.text + start, end - start};
    sql_cursor_accept_byte(&cursor, ';');
    return cursor.token.class == SQL_TOKEN_END && (!is_filtered || end > start);
}
