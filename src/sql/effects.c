/* SPDX-License-Identifier: Apache-2.0
 *
 * A value is known when it is one literal of which all servers say the same (literal.h). Everything
 * else about sql_mode or the character set makes it unsure: an expression, DEFAULT, a number of a
 * character set, a name with blanks in it (@@session . sql_mode), what is left when the reading of
 * a SET ends before the statement does (SET x = 1, ROLE r). */
#include "sql/effects.h"

#include "sql/charset.h"
#include "sql/literal.h"

#include <string.h>

static void update_unsure(struct sql_effects *effects)
{
    effects->mode.unsure = effects->flags == SQL_UNSURE || effects->charset == SQL_UNSURE;
}

void sql_effects_set_flags(struct sql_effects *effects, enum sql_change change)
{
    effects->flags = change;
    update_unsure(effects);
}

void sql_effects_set_charset(struct sql_effects *effects, enum sql_change change)
{
    effects->charset = change;
    update_unsure(effects);
}

void sql_effects_set_database(struct sql_effects *effects, struct sql_database database)
{
    effects->database = database.known ? SQL_CHANGED : SQL_UNSURE;
    effects->name = database.known ? database.name : (struct sql_span){NULL, 0};
}

void sql_effects_lose_mode(struct sql_effects *effects)
{
    sql_effects_set_flags(effects, SQL_UNSURE);
    sql_effects_set_charset(effects, SQL_UNSURE);
}

void sql_effects_lose_all(struct sql_effects *effects)
{
    sql_effects_lose_mode(effects);
    sql_effects_set_database(effects, (struct sql_database){0});
    effects->account = SQL_UNSURE;
}

static void set_sql_mode(struct sql_effects *effects, const struct sql_setting *setting,
                         const struct sql_mode *mode, bool in_block)
{
    struct sql_span value = {NULL, 0};
    enum sql_literal_kind kind = sql_literal_read(setting->value, mode, &value);
    bool empty = setting->value.size == 2 && (memcmp(setting->value.at, "''", 2) == 0 ||
                                              memcmp(setting->value.at, "\"\"", 2) == 0);
    bool known = !in_block && (empty || kind == SQL_LITERAL_TEXT || kind == SQL_LITERAL_INTEGER);
    if (known)
        sql_mode_set_flags(&effects->mode, empty ? (struct sql_span){"", 0} : value);
    sql_effects_set_flags(effects, known ? SQL_CHANGED : SQL_UNSURE);
}

/* The name of a character set, for SET NAMES with or without COLLATE. */
static void set_charset(struct sql_effects *effects, const struct sql_setting *setting,
                        const struct sql_mode *mode, bool in_block)
{
    struct sql_cursor cursor;
    struct sql_span value = {NULL, 0};
    sql_cursor_init(&cursor, setting->value, mode, SQL_READING_SERVER);
    struct sql_span first = sql_cursor_span(&cursor);
    sql_cursor_next(&cursor);
    bool ends = cursor.token.class == SQL_TOKEN_END ||
                (setting->scope == SQL_SCOPE_NAMES && sql_cursor_word(&cursor) == SQL_WORD_COLLATE);
    bool known = !in_block && ends && first.size > 0 &&
                 sql_literal_read(first, mode, &value) == SQL_LITERAL_TEXT;
    if (known)
        effects->mode.charset = sql_charset_from_name(value);
    sql_effects_set_charset(effects, known ? SQL_CHANGED : SQL_UNSURE);
}

/* key_cache.key_buffer_size, and @@session . sql_mode. */
static bool is_compound_name(struct sql_span name)
{
    bool compound = false;
    for (size_t i = 0; i < name.size && !compound; i++)
        compound = !sql_byte_is((unsigned char)name.at[i], SQL_BYTE_WORD);
    return compound;
}

static void follow_setting(struct sql_effects *effects, const struct sql_setting *setting,
                           const struct sql_mode *mode, bool in_block)
{
    bool of_session = setting->scope == SQL_SCOPE_SESSION || setting->scope == SQL_SCOPE_STATEMENT;
    if (setting->scope == SQL_SCOPE_NAMES)
        set_charset(effects, setting, mode, in_block);
    else if (of_session && sql_span_is(setting->name, "character_set_client"))
        set_charset(effects, setting, mode, in_block);
    else if (of_session && sql_span_is(setting->name, "sql_mode"))
        set_sql_mode(effects, setting, mode, in_block);
    else if (of_session && is_compound_name(setting->name))
        sql_effects_lose_mode(effects);
}

size_t sql_effects_of_settings(struct sql_effects *effects, struct sql_settings *settings,
                               bool in_block)
{
    struct sql_setting setting;
    size_t count = 0;
    bool is_statement = settings->scope == SQL_SCOPE_STATEMENT;
    const struct sql_mode mode = settings->cursor.lexer.mode;
    for (; sql_settings_next(settings, &setting); count++)
        follow_setting(effects, &setting, &mode, in_block);
    bool at_end = is_statement ? sql_cursor_word(&settings->cursor) == SQL_WORD_FOR
                               : sql_settings_at_end(settings);
    if (!at_end) {
        sql_effects_lose_mode(effects);
        effects->account = SQL_UNSURE;
    }
    return count;
}

void sql_effects_of_other_set(struct sql_effects *effects, enum sql_kind kind,
                              struct sql_span statement, const struct sql_mode *mode)
{
    struct sql_cursor cursor;
    bool more = kind == SQL_KIND_SET_OTHER; /* SET SESSION_STATES */
    for (sql_cursor_begin(&cursor, statement, mode); !sql_cursor_at_end(&cursor);
         sql_cursor_next(&cursor))
        more = more || sql_cursor_is(&cursor, ',');
    if (more)
        sql_effects_lose_mode(effects);
    if (more || kind == SQL_KIND_SET_ROLE)
        effects->account = SQL_UNSURE;
}
