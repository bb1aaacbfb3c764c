/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells apart what weir's kinds do not, and MySQL's names do, by the words of the text: where the
 * rows of an INSERT come from, whether an UPDATE or DELETE names several tables, what a SHOW shows.
 *
 * The words are read without the session's sql_mode, and executable comments as if they ran. That is
 * good enough to name a statement in a log, and nothing else may depend on it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sql_finer.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <weir/text.h>

struct words {
    const char *at, *end;
    weir_string word; /* letters as they are; a name in quotes or a string is "`"; else one byte */
    int depth;        /* of parentheses, before the word */
    int next_depth;
};

static bool begins(const struct words *words, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(words->end - words->at) >= size && memcmp(words->at, text, size) == 0;
}

static void skip_to(struct words *words, const char *text)
{
    size_t size = strlen(text);
    const char *found = memmem(words->at, (size_t)(words->end - words->at), text, size);
    words->at = found ? found + size : words->end;
}

/* Skips blanks and comments. What an executable comment holds is read, without its number. */
static void skip_space(struct words *words)
{
    while (words->at < words->end) {
        if (isspace((unsigned char)*words->at)) {
            words->at++;
        } else if (*words->at == '#' || begins(words, "-- ") || begins(words, "--\n")) {
            skip_to(words, "\n");
        } else if (begins(words, "/*!") || begins(words, "/*M!")) {
            skip_to(words, "!");
            while (words->at < words->end && isdigit((unsigned char)*words->at))
                words->at++;
        } else if (begins(words, "/*")) {
            words->at += 2;
            skip_to(words, "*/");
        } else if (begins(words, "*/")) {
            words->at += 2;
        } else {
            return;
        }
    }
}

/* A doubled quote ends one text and begins another, which is the same here. */
static void skip_quoted(struct words *words)
{
    char quote = *words->at++;
    while (words->at < words->end && *words->at != quote)
        words->at += *words->at == '\\' && quote != '`' && words->end - words->at > 1 ? 2 : 1;
    if (words->at < words->end)
        words->at++;
}

static bool is_letter(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' ||
           (unsigned char)byte >= 0x80;
}

static bool next(struct words *words)
{
    skip_space(words);
    words->depth = words->next_depth;
    if (words->at >= words->end)
        return false;
    const char *begin = words->at;
    if (*begin == '\'' || *begin == '"' || *begin == '`') {
        skip_quoted(words);
        words->word = text_of("`");
        return true;
    }
    while (words->at < words->end && is_letter(*words->at))
        words->at++;
    if (words->at == begin)
        words->at++;
    words->word = (weir_string){begin, (size_t)(words->at - begin)};
    words->next_depth += *begin == '(' ? 1 : *begin == ')' ? -1 : 0;
    return true;
}

static bool is(const struct words *words, const char *word)
{
    return text_is_word(words->word, word);
}

static bool is_one_of(const struct words *words, const char *const *list)
{
    while (*list && !is(words, *list))
        list++;
    return *list != NULL;
}

static const char *const modifiers[] = {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE",
                                        "QUICK",        "INTO",          NULL};

/* Goes to the first word of `list` outside of parentheses. */
static bool find(struct words *words, const char *const *list)
{
    while (next(words))
        if (words->depth == 0 && is_one_of(words, list))
            return true;
    return false;
}

static const char *insert(struct words *words, const char *from_query)
{
    static const char *const sources[] = {"VALUES", "VALUE", "SET", "SELECT",
                                          "WITH",   "TABLE", NULL};
    static const char *const queries[] = {"SELECT", "WITH", "TABLE", NULL};
    bool is_after_parenthesis = false;
    while (next(words) && is_one_of(words, modifiers)) /* then the table's name */
        ;
    while (next(words)) {
        if (words->depth == 0 && is_one_of(words, sources))
            return is_one_of(words, queries) ? from_query : NULL;
        if (is_after_parenthesis && words->depth > 0 && is_one_of(words, queries))
            return from_query;
        is_after_parenthesis = is(words, "(");
    }
    return NULL;
}

static const char *update(struct words *words)
{
    static const char *const several[] = {",", "JOIN", "STRAIGHT_JOIN", "SET", NULL};
    return find(words, several) && !is(words, "SET") ? "update_multi" : NULL;
}

static const char *delete (struct words *words)
{
    static const char *const ends[] = {"USING", "WHERE", "ORDER", "LIMIT", "RETURNING", NULL};
    while (next(words) && is_one_of(words, modifiers))
        ;
    if (!is(words, "FROM"))
        return "delete_multi"; /* DELETE a FROM a JOIN b */
    return find(words, ends) && is(words, "USING") ? "delete_multi" : NULL;
}

/* What comes after SHOW, and FULL and its like; an empty second word: any. Longer rows first. */
static const struct {
    const char *first, *second, *name;
} shows[] = {
    {"TABLE", "STATUS", "show_table_status"},
    {"TABLE", "TYPES", "show_storage_engines"},
    {"OPEN", "TABLES", "show_open_tables"},
    {"STORAGE", "ENGINES", "show_storage_engines"},
    {"CREATE", "DATABASE", "show_create_db"},
    {"CREATE", "SCHEMA", "show_create_db"},
    {"CREATE", "PROCEDURE", "show_create_proc"},
    {"CREATE", "FUNCTION", "show_create_func"},
    {"CREATE", "TRIGGER", "show_create_trigger"},
    {"CREATE", "EVENT", "show_create_event"},
    {"CREATE", "USER", "show_create_user"},
    {"CREATE", "", "show_create_table"}, /* and views */
    {"PROCEDURE", "STATUS", "show_procedure_status"},
    {"PROCEDURE", "CODE", "show_procedure_code"},
    {"FUNCTION", "STATUS", "show_function_status"},
    {"FUNCTION", "CODE", "show_function_code"},
    {"BINLOG", "EVENTS", "show_binlog_events"},
    {"BINLOG", "STATUS", "show_master_status"},
    {"RELAYLOG", "EVENTS", "show_relaylog_events"},
    {"BINARY", "LOGS", "show_binlogs"},
    {"BINARY", "LOG", "show_master_status"},
    {"MASTER", "LOGS", "show_binlogs"},
    {"MASTER", "STATUS", "show_master_status"},
    {"SLAVE", "HOSTS", "show_slave_hosts"},
    {"REPLICA", "HOSTS", "show_slave_hosts"},
    {"SLAVE", "", "show_slave_status"},
    {"REPLICA", "", "show_slave_status"},
    {"REPLICAS", "", "show_slave_hosts"},
    {"ALL", "SLAVES", "show_slave_status"},
    {"ALL", "REPLICAS", "show_slave_status"},
    {"CHARACTER", "SET", "show_charsets"},
    {"CHARSET", "", "show_charsets"},
    {"COLLATION", "", "show_collations"},
    {"DATABASES", "", "show_databases"},
    {"SCHEMAS", "", "show_databases"},
    {"TABLES", "", "show_tables"},
    {"TRIGGERS", "", "show_triggers"},
    {"EVENTS", "", "show_events"},
    {"COLUMNS", "", "show_fields"},
    {"FIELDS", "", "show_fields"},
    {"INDEX", "", "show_keys"},
    {"INDEXES", "", "show_keys"},
    {"KEYS", "", "show_keys"},
    {"VARIABLES", "", "show_variables"},
    {"STATUS", "", "show_status"},
    {"WARNINGS", "", "show_warnings"},
    {"ERRORS", "", "show_errors"},
    {"PROCESSLIST", "", "show_processlist"},
    {"GRANTS", "", "show_grants"},
    {"ENGINES", "", "show_storage_engines"},
    {"PLUGINS", "", "show_plugins"},
    {"PRIVILEGES", "", "show_privileges"},
    {"PROFILES", "", "show_profiles"},
    {"PROFILE", "", "show_profile"},
};

static const char *show(struct words *words)
{
    static const char *const more[] = {"FULL", "EXTENDED", "GLOBAL", "SESSION", "LOCAL", NULL};
    weir_string first, second = {NULL, 0};
    while (next(words) && is_one_of(words, more))
        ;
    if (is(words, "COUNT")) { /* SHOW COUNT(*) WARNINGS */
        static const char *const lists[] = {"WARNINGS", "ERRORS", NULL};
        if (!find(words, lists))
            return NULL;
    }
    first = words->word;
    if (text_is_word(first, "ENGINE")) { /* SHOW ENGINE name STATUS */
        static const char *const lists[] = {"STATUS", "LOGS", "MUTEX", NULL};
        if (!find(words, lists))
            return NULL;
        return is(words, "STATUS") ? "show_engine_status"
               : is(words, "LOGS") ? "show_engine_logs"
                                   : "show_engine_mutex";
    }
    if (next(words))
        second = words->word;
    for (size_t i = 0; i < sizeof shows / sizeof *shows; i++)
        if (text_is_word(first, shows[i].first) &&
            (!*shows[i].second || text_is_word(second, shows[i].second)))
            return shows[i].name;
    return NULL;
}

/* The second word decides; NULL ends. */
static const struct {
    const char *kind, *second, *name;
} seconds[] = {
    {"Xa", "START", "xa_start"},
    {"Xa", "BEGIN", "xa_start"},
    {"Xa", "END", "xa_end"},
    {"Xa", "PREPARE", "xa_prepare"},
    {"Xa", "COMMIT", "xa_commit"},
    {"Xa", "ROLLBACK", "xa_rollback"},
    {"Xa", "RECOVER", "xa_recover"},
    {"Revoke", "ALL", "revoke_all"},
    {"Rollback", "TO", "rollback_to_savepoint"},
};

static const char *by_second_word(const char *kind, struct words *words)
{
    if (!next(words))
        return NULL;
    if (strcmp(kind, "Rollback") == 0 && is(words, "WORK") && !next(words))
        return NULL;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (strcmp(kind, seconds[i].kind) == 0 && is(words, seconds[i].second))
            return seconds[i].name;
    return NULL;
}

static const char *handler(struct words *words)
{
    static const char *const actions[] = {"OPEN", "CLOSE", "READ", NULL};
    if (!next(words) || !find(words, actions))
        return NULL;
    return is(words, "OPEN") ? "ha_open" : is(words, "CLOSE") ? "ha_close" : "ha_read";
}

const char *sql_finer(weir_string kind, weir_string sql)
{
    struct words words = {.at = sql.data, .end = sql.data ? sql.data + sql.size : NULL};
    if (!sql.data || !next(&words)) /* the statement's own word */
        return NULL;
    while (is(&words, "(") && next(&words))
        ;
    if (text_is(kind, "Insert"))
        return insert(&words, "insert_select");
    if (text_is(kind, "Replace"))
        return insert(&words, "replace_select");
    if (text_is(kind, "Update"))
        return update(&words);
    if (text_is(kind, "Delete"))
        return delete (&words);
    if (text_is(kind, "Show"))
        return show(&words);
    if (text_is(kind, "Handler"))
        return handler(&words);
    if (text_is(kind, "Signal") && is(&words, "RESIGNAL"))
        return "resignal";
    const char *const others[] = {"Xa", "Revoke", "Rollback"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_is(kind, others[i]))
            return by_second_word(others[i], &words);
    return NULL;
}
