/* SPDX-License-Identifier: Apache-2.0
 *
 * Assignments end at a comma outside of parentheses; a value is only judged when it is one token.
 */
#include "sql/settings.h"

#include "sql/charset.h"

#include <string.h>

static bool scope_of_word(uint16_t word, enum sql_scope *scope)
{
    switch (word) {
    case SQL_WORD_GLOBAL:
        *scope = SQL_SCOPE_GLOBAL;
        return true;
    case SQL_WORD_PERSIST:
        *scope = SQL_SCOPE_PERSIST;
        return true;
    case SQL_WORD_PERSIST_ONLY:
        *scope = SQL_SCOPE_PERSIST_ONLY;
        return true;
    case SQL_WORD_SESSION:
    case SQL_WORD_LOCAL:
        *scope = SQL_SCOPE_SESSION;
        return true;
    default:
        return false;
    }
}

void sql_settings_init(struct sql_settings *settings, struct sql_span statement,
                       const struct sql_mode *mode)
{
    sql_cursor_init(&settings->cursor, statement, mode, SQL_READING_SERVER);
    settings->scope = SQL_SCOPE_SESSION;
    sql_cursor_skip_opening(&settings->cursor);
    settings->done = !sql_cursor_accept(&settings->cursor, SQL_WORD_SET);
    if (settings->done)
        return;
    if (sql_cursor_accept(&settings->cursor, SQL_WORD_STATEMENT))
        settings->scope = SQL_SCOPE_STATEMENT;
}

/* Names as @@global.x, @@x and @x carry their scope; strips it off, and back quotes. */
struct sql_span sql_variable_name(struct sql_span name, enum sql_scope *scope)
{
    static const struct {
        const char *prefix;
        enum sql_scope scope;
    } prefixes[] = {
        {"global.", SQL_SCOPE_GLOBAL},
        {"session.", SQL_SCOPE_SESSION},
        {"local.", SQL_SCOPE_SESSION},
        {"persist.", SQL_SCOPE_PERSIST},
        {"persist_only.", SQL_SCOPE_PERSIST_ONLY},
    };
    bool system = name.size >= 2 && name.at[0] == '@' && name.at[1] == '@';
    size_t at_signs = system ? 2 : name.size >= 1 && name.at[0] == '@' ? 1 : 0;
    name.at += at_signs;
    name.size -= at_signs;
    if (at_signs == 1) {
        *scope = SQL_SCOPE_USER;
    } else if (system) {
        *scope = SQL_SCOPE_SESSION;
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
            size_t size = strlen(prefixes[i].prefix);
            if (name.size > size &&
                sql_span_is((struct sql_span){name.at, size}, prefixes[i].prefix)) {
                *scope = prefixes[i].scope;
                name.at += size;
                name.size -= size;
                break;
            }
        }
    }
    bool quoted = name.size >= 2 && (name.at[0] == '`' || name.at[0] == '"' || name.at[0] == '\'');
    if (quoted) {
        name.at++;
        name.size -= 2;
    }
    return name;
}

/* From the current token to a comma, FOR (of SET STATEMENT) or the end. */
static void take_value(struct sql_settings *settings, struct sql_setting *setting)
{
    struct sql_cursor *cursor = &settings->cursor;
    size_t start = cursor->token.start;
    size_t end = start;
    size_t tokens = 0;
    struct sql_token first = cursor->token;
    while (!sql_cursor_at_end(cursor) && !sql_cursor_is(cursor, ',') &&
           !sql_cursor_is(cursor, ';')) {
        if (settings->scope == SQL_SCOPE_STATEMENT && sql_cursor_word(cursor) == SQL_WORD_FOR) {
            settings->done = true;
            break;
        }
        end = cursor->token.end;
        tokens++;
        if (sql_cursor_is(cursor, '(')) {
            size_t open = 0;
            do {
                open += sql_cursor_is(cursor, '(');
                open -= sql_cursor_is(cursor, ')');
                end = cursor->token.end;
                sql_cursor_next(cursor);
            } while (open > 0 && !sql_cursor_at_end(cursor));
            tokens++;
        } else {
            sql_cursor_next(cursor);
        }
    }
    setting->value = (struct sql_span){(const char *)cursor->lexer.text + start, end - start};
    setting->is_literal =
        tokens == 1 && (first.class == SQL_TOKEN_WORD || first.class == SQL_TOKEN_NAME ||
                        first.class == SQL_TOKEN_STRING || first.class == SQL_TOKEN_NUMBER);
    if (setting->is_literal)
        setting->literal = sql_token_inside(&cursor->lexer, &first);
}

static bool takes_assignment(struct sql_settings *settings, struct sql_setting *setting)
{
    struct sql_cursor *cursor = &settings->cursor;
    enum sql_scope scope = settings->scope;
    uint16_t word = sql_cursor_word(cursor);
    if (word == SQL_WORD_NAMES || word == SQL_WORD_CHARACTER || word == SQL_WORD_CHARSET ||
        word == SQL_WORD_CHAR) {
        uint16_t second = sql_cursor_second_word(cursor);
        setting->name = sql_cursor_span(cursor);
        setting->scope = SQL_SCOPE_NAMES;
        sql_cursor_next(cursor);
        if (second == SQL_WORD_SET)
            sql_cursor_next(cursor);
        take_value(settings, setting);
        const char *last = setting->value.at + setting->value.size;
        setting->whole = (struct sql_span){setting->name.at, (size_t)(last - setting->name.at)};
        return true;
    }
    if (scope_of_word(word, &scope)) {
        setting->is_scoped = true;
        sql_cursor_next(cursor);
        settings->scope = settings->scope == SQL_SCOPE_STATEMENT ? SQL_SCOPE_STATEMENT : scope;
    }
    scope = settings->scope;
    const char *first = sql_cursor_span(cursor).at;
    setting->is_scoped = setting->is_scoped || cursor->token.class == SQL_TOKEN_SYSTEM;
    setting->name = sql_variable_name(sql_cursor_span(cursor), &scope);
    bool named = sql_token_is_name(&cursor->token) || cursor->token.class == SQL_TOKEN_VARIABLE ||
                 cursor->token.class == SQL_TOKEN_SYSTEM;
    if (!named)
        return false;
    sql_cursor_next(cursor);
    while (sql_cursor_is(cursor, '.')) { /* key_cache.key_buffer_size */
        sql_cursor_next(cursor);
        const char *end = (const char *)cursor->lexer.text + cursor->token.end;
        setting->name.size = (size_t)(end - setting->name.at);
        sql_cursor_next(cursor);
    }
    setting->scope = scope;
    if (!sql_cursor_is(cursor, '=') &&
        !(cursor->token.class == SQL_TOKEN_PUNCTUATION && cursor->token.byte == 0))
        return false;
    sql_cursor_next(cursor);
    take_value(settings, setting);
    const char *end = setting->value.at + setting->value.size;
    setting->whole = (struct sql_span){first, (size_t)(end - first)};
    return true;
}

bool sql_settings_next(struct sql_settings *settings, struct sql_setting *setting)
{
    *setting = (struct sql_setting){.scope = settings->scope};
    if (settings->done)
        return false;
    bool taken = takes_assignment(settings, setting);
    if (!taken || !sql_cursor_accept_byte(&settings->cursor, ','))
        settings->done = true;
    return taken;
}

bool sql_settings_at_end(const struct sql_settings *settings)
{
    struct sql_cursor cursor = settings->cursor;
    sql_cursor_accept_byte(&cursor, ';');
    return cursor.token.class == SQL_TOKEN_END;
}

struct sql_span sql_settings_rest(const struct sql_settings *settings)
{
    const struct sql_lexer *lexer = &settings->cursor.lexer;
    size_t start = settings->cursor.token.start;
    return (struct sql_span){(const char *)lexer->text + start, lexer->size - start};
}

bool sql_sets_global(struct sql_span statement, const struct sql_mode *mode)
{
    struct sql_settings settings;
    struct sql_setting setting;
    sql_settings_init(&settings, statement, mode);
    while (sql_settings_next(&settings, &setting))
        if (setting.scope == SQL_SCOPE_GLOBAL || setting.scope == SQL_SCOPE_PERSIST ||
            setting.scope == SQL_SCOPE_PERSIST_ONLY)
            return true;
    return false;
}
