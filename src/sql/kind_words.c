/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds, from the first words. Most verbs say it alone (the table `verbs`); CREATE, ALTER, DROP and
 * the like are told by the object they name (the table `objects`), searched in the words after
 * them and skipping the modifiers in between; the few others have a function each. */
#include "sql/cursor.h"

/* Verbs that say the kind alone, and for the others (0 here) see kind_at(). */
static const uint8_t verbs[SQL_WORDS] = {
    [SQL_WORD_SELECT] = SQL_KIND_SELECT,
    [SQL_WORD_VALUES] = SQL_KIND_VALUES,
    [SQL_WORD_TABLE] = SQL_KIND_TABLE,
    [SQL_WORD_INSERT] = SQL_KIND_INSERT,
    [SQL_WORD_REPLACE] = SQL_KIND_REPLACE,
    [SQL_WORD_UPDATE] = SQL_KIND_UPDATE,
    [SQL_WORD_DELETE] = SQL_KIND_DELETE,
    [SQL_WORD_HANDLER] = SQL_KIND_HANDLER,
    [SQL_WORD_DO] = SQL_KIND_DO,
    [SQL_WORD_CALL] = SQL_KIND_CALL,
    [SQL_WORD_BATCH] = SQL_KIND_BATCH,
    [SQL_WORD_SPLIT] = SQL_KIND_SPLIT_REGION,
    [SQL_WORD_FLASHBACK] = SQL_KIND_FLASHBACK,
    [SQL_WORD_RECOVER] = SQL_KIND_RECOVER_TABLE,
    [SQL_WORD_TRUNCATE] = SQL_KIND_TRUNCATE_TABLE,
    [SQL_WORD_USE] = SQL_KIND_USE,
    [SQL_WORD_COMMIT] = SQL_KIND_COMMIT,
    [SQL_WORD_ROLLBACK] = SQL_KIND_ROLLBACK,
    [SQL_WORD_SAVEPOINT] = SQL_KIND_SAVEPOINT,
    [SQL_WORD_RELEASE] = SQL_KIND_RELEASE_SAVEPOINT,
    [SQL_WORD_XA] = SQL_KIND_XA,
    [SQL_WORD_LOCK] = SQL_KIND_LOCK_TABLES,
    [SQL_WORD_UNLOCK] = SQL_KIND_UNLOCK_TABLES,
    [SQL_WORD_PREPARE] = SQL_KIND_PREPARE,
    [SQL_WORD_DEALLOCATE] = SQL_KIND_DEALLOCATE,
    [SQL_WORD_SIGNAL] = SQL_KIND_SIGNAL,
    [SQL_WORD_RESIGNAL] = SQL_KIND_SIGNAL,
    [SQL_WORD_GET] = SQL_KIND_GET_DIAGNOSTICS,
    [SQL_WORD_HELP] = SQL_KIND_HELP,
    [SQL_WORD_CHECK] = SQL_KIND_CHECK_TABLE,
    [SQL_WORD_CHECKSUM] = SQL_KIND_CHECKSUM_TABLE,
    [SQL_WORD_OPTIMIZE] = SQL_KIND_OPTIMIZE_TABLE,
    [SQL_WORD_REPAIR] = SQL_KIND_REPAIR_TABLE,
    [SQL_WORD_CACHE] = SQL_KIND_CACHE_INDEX,
    [SQL_WORD_KILL] = SQL_KIND_KILL,
    [SQL_WORD_SHUTDOWN] = SQL_KIND_SHUTDOWN,
    [SQL_WORD_RESTART] = SQL_KIND_RESTART,
    [SQL_WORD_RESET] = SQL_KIND_RESET,
    [SQL_WORD_PURGE] = SQL_KIND_PURGE,
    [SQL_WORD_BINLOG] = SQL_KIND_BINLOG,
    [SQL_WORD_CHANGE] = SQL_KIND_CHANGE_MASTER,
    [SQL_WORD_STOP] = SQL_KIND_STOP_REPLICA,
    [SQL_WORD_INSTALL] = SQL_KIND_INSTALL,
    [SQL_WORD_UNINSTALL] = SQL_KIND_UNINSTALL,
    [SQL_WORD_BACKUP] = SQL_KIND_BACKUP,
    [SQL_WORD_RESTORE] = SQL_KIND_RESTORE,
    [SQL_WORD_IF] = SQL_KIND_COMPOUND,
    [SQL_WORD_CASE] = SQL_KIND_COMPOUND,
    [SQL_WORD_LOOP] = SQL_KIND_COMPOUND,
    [SQL_WORD_WHILE] = SQL_KIND_COMPOUND,
    [SQL_WORD_REPEAT] = SQL_KIND_COMPOUND,
    [SQL_WORD_FOR] = SQL_KIND_COMPOUND,
    [SQL_WORD_DECLARE] = SQL_KIND_COMPOUND,
};

/* What CREATE, ALTER and DROP do to each kind of object. 0: nothing that is known. */
static const struct {
    uint16_t word;
    uint8_t create, alter, drop;
} objects[] = {
    {SQL_WORD_TABLE, SQL_KIND_CREATE_TABLE, SQL_KIND_ALTER_TABLE, SQL_KIND_DROP_TABLE},
    {SQL_WORD_TABLES, 0, 0, SQL_KIND_DROP_TABLE},
    {SQL_WORD_VIEW, SQL_KIND_CREATE_VIEW, SQL_KIND_ALTER_VIEW, SQL_KIND_DROP_VIEW},
    {SQL_WORD_INDEX, SQL_KIND_CREATE_INDEX, 0, SQL_KIND_DROP_INDEX},
    {SQL_WORD_DATABASE, SQL_KIND_CREATE_DATABASE, SQL_KIND_ALTER_DATABASE, SQL_KIND_DROP_DATABASE},
    {SQL_WORD_SCHEMA, SQL_KIND_CREATE_DATABASE, SQL_KIND_ALTER_DATABASE, SQL_KIND_DROP_DATABASE},
    {SQL_WORD_SEQUENCE, SQL_KIND_CREATE_SEQUENCE, SQL_KIND_ALTER_SEQUENCE, SQL_KIND_DROP_SEQUENCE},
    {SQL_WORD_TRIGGER, SQL_KIND_CREATE_TRIGGER, 0, SQL_KIND_DROP_TRIGGER},
    {SQL_WORD_PROCEDURE, SQL_KIND_CREATE_PROCEDURE, SQL_KIND_ALTER_PROCEDURE,
     SQL_KIND_DROP_PROCEDURE},
    {SQL_WORD_FUNCTION, SQL_KIND_CREATE_FUNCTION, SQL_KIND_ALTER_FUNCTION, SQL_KIND_DROP_FUNCTION},
    {SQL_WORD_PACKAGE, SQL_KIND_CREATE_PACKAGE, 0, SQL_KIND_DROP_PACKAGE},
    {SQL_WORD_EVENT, SQL_KIND_CREATE_EVENT, SQL_KIND_ALTER_EVENT, SQL_KIND_DROP_EVENT},
    {SQL_WORD_SERVER, SQL_KIND_CREATE_SERVER, SQL_KIND_ALTER_SERVER, SQL_KIND_DROP_SERVER},
    {SQL_WORD_USER, SQL_KIND_CREATE_USER, SQL_KIND_ALTER_USER, SQL_KIND_DROP_USER},
    {SQL_WORD_ROLE, SQL_KIND_CREATE_ROLE, 0, SQL_KIND_DROP_ROLE},
    {SQL_WORD_BINDING, SQL_KIND_CREATE_BINDING, 0, SQL_KIND_DROP_BINDING},
    {SQL_WORD_PREPARE, 0, 0, SQL_KIND_DEALLOCATE},
};

static bool is_modifier(uint16_t word)
{
    switch (word) {
    case SQL_WORD_OR:
    case SQL_WORD_REPLACE:
    case SQL_WORD_TEMPORARY:
    case SQL_WORD_GLOBAL:
    case SQL_WORD_SESSION:
    case SQL_WORD_UNIQUE:
    case SQL_WORD_FULLTEXT:
    case SQL_WORD_SPATIAL:
    case SQL_WORD_VECTOR:
    case SQL_WORD_COLUMNAR:
    case SQL_WORD_HYPO:
    case SQL_WORD_AGGREGATE:
    case SQL_WORD_ONLINE:
    case SQL_WORD_IGNORE:
        return true;
    default:
        return false;
    }
}

/* DEFINER = name | 'name'@'host' | CURRENT_USER [()] */
static void skip_definer(struct sql_cursor *cursor)
{
    sql_cursor_next(cursor);
    sql_cursor_accept_byte(cursor, '=');
    sql_cursor_next(cursor);
    if (sql_cursor_is(cursor, '(')) {
        sql_cursor_skip_parentheses(cursor);
    } else if (cursor->token.class == SQL_TOKEN_VARIABLE) {
        bool lone = cursor->token.end - cursor->token.start == 1; /* 'name' @ 'host' */
        sql_cursor_next(cursor);
        if (lone)
            sql_cursor_next(cursor);
    }
}

void sql_cursor_skip_modifiers(struct sql_cursor *cursor)
{
    for (;;) {
        uint16_t word = sql_cursor_word(cursor);
        if (is_modifier(word)) {
            sql_cursor_next(cursor);
        } else if (word == SQL_WORD_DEFINER) {
            skip_definer(cursor);
        } else if (word == SQL_WORD_ALGORITHM) { /* = UNDEFINED */
            sql_cursor_next(cursor);
            sql_cursor_accept_byte(cursor, '=');
            sql_cursor_next(cursor);
        } else if (word == SQL_WORD_SQL) { /* SECURITY INVOKER */
            sql_cursor_next(cursor);
            sql_cursor_next(cursor);
            sql_cursor_next(cursor);
        } else {
            return;
        }
    }
}

/* ALTER TABLE t COMPACT and ANALYZE PARTITION have labels of their own. */
static enum sql_kind alter_table_kind(struct sql_cursor *cursor)
{
    sql_cursor_next(cursor);
    if (sql_cursor_accept(cursor, SQL_WORD_IF))
        sql_cursor_accept(cursor, SQL_WORD_EXISTS);
    do {
        sql_cursor_next(cursor);
    } while (sql_cursor_accept_byte(cursor, '.'));
    return sql_cursor_word(cursor) == SQL_WORD_COMPACT   ? SQL_KIND_COMPACT_TABLE
           : sql_cursor_word(cursor) == SQL_WORD_ANALYZE ? SQL_KIND_ANALYZE_TABLE
                                                         : SQL_KIND_ALTER_TABLE;
}

static enum sql_kind object_kind(struct sql_cursor *cursor, uint16_t verb)
{
    sql_cursor_next(cursor);
    sql_cursor_skip_modifiers(cursor);
    uint16_t word = sql_cursor_word(cursor);
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (objects[i].word == word) {
            uint8_t kind = verb == SQL_WORD_CREATE  ? objects[i].create
                           : verb == SQL_WORD_ALTER ? objects[i].alter
                                                    : objects[i].drop;
            return kind == SQL_KIND_ALTER_TABLE ? alter_table_kind(cursor) : (enum sql_kind)kind;
        }
    }
    return verb == SQL_WORD_CREATE  ? SQL_KIND_CREATE_OTHER
           : verb == SQL_WORD_ALTER ? SQL_KIND_ALTER_OTHER
                                    : SQL_KIND_DROP_OTHER;
}

/* GRANT and REVOKE: privileges have an ON, roles have not. */
static enum sql_kind grant_kind(struct sql_cursor *cursor, bool grant)
{
    sql_cursor_next(cursor);
    if (!grant && sql_cursor_word(cursor) == SQL_WORD_ALL)
        return SQL_KIND_REVOKE; /* REVOKE ALL PRIVILEGES, GRANT OPTION FROM user */
    while (!sql_cursor_at_end(cursor)) {
        if (sql_cursor_is(cursor, '(')) {
            sql_cursor_skip_parentheses(cursor);
            continue;
        }
        uint16_t word = sql_cursor_word(cursor);
        if (word == SQL_WORD_PROXY)
            return grant ? SQL_KIND_GRANT_PROXY : SQL_KIND_REVOKE_PROXY;
        if (word == SQL_WORD_ON)
            return grant ? SQL_KIND_GRANT : SQL_KIND_REVOKE;
        if (word == SQL_WORD_TO || word == SQL_WORD_FROM)
            break;
        sql_cursor_next(cursor);
    }
    return grant ? SQL_KIND_GRANT_ROLE : SQL_KIND_REVOKE_ROLE;
}

/* With the cursor at the word after EXPLAIN, DESCRIBE or TRACE: does a statement stand there? Words
 * that are no reserved ones may be the name of a table to describe. */
static bool explains_statement(const struct sql_cursor *cursor, bool trace)
{
    switch (sql_cursor_word(cursor)) {
    case SQL_WORD_SELECT:
    case SQL_WORD_WITH:
    case SQL_WORD_INSERT:
    case SQL_WORD_REPLACE:
    case SQL_WORD_UPDATE:
    case SQL_WORD_DELETE:
    case SQL_WORD_TABLE:
    case SQL_WORD_VALUES:
    case SQL_WORD_ALTER:
    case SQL_WORD_LOAD:
    case SQL_WORD_SET:
        return true;
    case SQL_WORD_IMPORT:
        return sql_cursor_second_word(cursor) == SQL_WORD_INTO;
    case SQL_WORD_EXECUTE:
    case SQL_WORD_COMMIT:
    case SQL_WORD_BEGIN:
    case SQL_WORD_START:
    case SQL_WORD_ROLLBACK:
    case SQL_WORD_SAVEPOINT:
    case SQL_WORD_RELEASE:
    case SQL_WORD_ANALYZE:
        return trace;
    default:
        return sql_cursor_is(cursor, '(');
    }
}

/* FORMAT = word | 'text' */
static void skip_format(struct sql_cursor *cursor)
{
    if (sql_cursor_word(cursor) == SQL_WORD_FORMAT) {
        sql_cursor_next(cursor);
        sql_cursor_accept_byte(cursor, '=');
        sql_cursor_next(cursor);
    }
}

/* EXPLORE [ANALYZE] [REPLAYER] 'text' | statement, PLAN [TARGET = 'x']: TiDB's. False: the word is a name. */
static bool skip_explore(struct sql_cursor *cursor)
{
    struct sql_cursor ahead = *cursor;
    sql_cursor_next(&ahead);
    sql_cursor_accept(&ahead, SQL_WORD_ANALYZE);
    if (sql_cursor_word(&ahead) != SQL_WORD_REPLAYER && ahead.token.class != SQL_TOKEN_STRING &&
        !explains_statement(&ahead, false))
        return false;
    sql_cursor_accept(&ahead, SQL_WORD_REPLAYER);
    *cursor = ahead;
    return true;
}

static void skip_plan_target(struct sql_cursor *cursor)
{
    sql_cursor_next(cursor);
    if (sql_cursor_accept(cursor, SQL_WORD_TARGET)) {
        sql_cursor_accept_byte(cursor, '=');
        sql_cursor_next(cursor);
    }
}

/* EXPLAIN 'digest' and EXPLAIN EXPLORE 'text' are TiDB's; to others what stands before the string is a
 * table's name, whatever word it is, and the string a pattern of columns. */
static bool is_explained_text(const struct sql_cursor *cursor, const struct sql_cursor *before)
{
    enum sql_dialect dialect = cursor->lexer.mode.dialect;
    bool is_first = cursor->token.start == before->token.start;
    return cursor->token.class == SQL_TOKEN_STRING &&
           (is_first || dialect == SQL_DIALECT_TIDB || dialect == SQL_DIALECT_UNKNOWN);
}

enum sql_kind sql_cursor_explain(struct sql_cursor *cursor, bool *holds_statement)
{
    uint16_t verb = sql_cursor_word(cursor);
    bool analyze = verb == SQL_WORD_ANALYZE;
    sql_cursor_next(cursor);
    const struct sql_cursor before = *cursor;
    skip_format(cursor);
    if (sql_cursor_word(cursor) == SQL_WORD_ANALYZE && verb != SQL_WORD_TRACE) {
        analyze = true;
        sql_cursor_next(cursor);
    }
    uint16_t word = sql_cursor_word(cursor);
    if (word == SQL_WORD_EXTENDED || word == SQL_WORD_PARTITIONS || word == SQL_WORD_VERBOSE)
        sql_cursor_next(cursor);
    else if (word == SQL_WORD_PLAN && verb == SQL_WORD_TRACE)
        skip_plan_target(cursor);
    else if (word == SQL_WORD_EXPLORE)
        skip_explore(cursor);
    skip_format(cursor);
    *holds_statement = explains_statement(cursor, verb == SQL_WORD_TRACE);
    if (verb == SQL_WORD_TRACE)
        return SQL_KIND_TRACE;
    if (*holds_statement || is_explained_text(cursor, &before))
        return analyze ? SQL_KIND_EXPLAIN_ANALYZE : SQL_KIND_EXPLAIN;
    if (sql_cursor_word(cursor) == SQL_WORD_FOR)
        return SQL_KIND_EXPLAIN_CONNECTION;
    *cursor = before; /* the words were a table's name */
    return verb == SQL_WORD_ANALYZE ? SQL_KIND_ANALYZE_TABLE : SQL_KIND_DESCRIBE;
}

static enum sql_kind set_kind(struct sql_cursor *cursor)
{
    sql_cursor_next(cursor);
    uint16_t word = sql_cursor_word(cursor);
    struct sql_cursor second = *cursor;
    sql_cursor_next(&second);
    bool assigned = sql_cursor_is(&second, '=') || sql_token_is(&second.token, 0);
    switch (word) {
    case SQL_WORD_ROLE:
        return assigned ? SQL_KIND_SET : SQL_KIND_SET_ROLE;
    case SQL_WORD_DEFAULT:
        return sql_cursor_word(&second) == SQL_WORD_ROLE ? SQL_KIND_SET_DEFAULT_ROLE : SQL_KIND_SET;
    case SQL_WORD_PASSWORD:
        return SQL_KIND_SET_PASSWORD;
    case SQL_WORD_TRANSACTION:
        return assigned ? SQL_KIND_SET : SQL_KIND_SET_TRANSACTION;
    case SQL_WORD_GLOBAL:
    case SQL_WORD_SESSION:
    case SQL_WORD_LOCAL:
        if (sql_cursor_word(&second) == SQL_WORD_TRANSACTION)
            return SQL_KIND_SET_TRANSACTION;
        return sql_cursor_word(&second) == SQL_WORD_BINDING ? SQL_KIND_SET_OTHER : SQL_KIND_SET;
    case SQL_WORD_BINDING:
    case SQL_WORD_CONFIG:
    case SQL_WORD_RESOURCE:
    case SQL_WORD_SESSION_STATES:
        return assigned ? SQL_KIND_SET : SQL_KIND_SET_OTHER;
    default:
        return SQL_KIND_SET;
    }
}

static enum sql_kind load_kind(uint16_t second)
{
    return second == SQL_WORD_DATA    ? SQL_KIND_LOAD_DATA
           : second == SQL_WORD_XML   ? SQL_KIND_LOAD_XML
           : second == SQL_WORD_INDEX ? SQL_KIND_LOAD_INDEX
                                      : SQL_KIND_UNKNOWN;
}

static bool starts_replica(uint16_t second)
{
    return second == SQL_WORD_SLAVE || second == SQL_WORD_REPLICA || second == SQL_WORD_ALL;
}

/* Verbs that need the word after them. */
static enum sql_kind second_word_kind(struct sql_cursor *cursor, uint16_t word)
{
    uint16_t second = sql_cursor_second_word(cursor);
    switch (word) {
    case SQL_WORD_BEGIN:
        return second == SQL_WORD_NOT || (cursor->lexer.mode.oracle && second != SQL_WORD_WORK)
                   ? SQL_KIND_COMPOUND
                   : SQL_KIND_BEGIN;
    case SQL_WORD_START:
        return starts_replica(second) ? SQL_KIND_START_REPLICA : SQL_KIND_BEGIN;
    case SQL_WORD_SHOW:
        return second == SQL_WORD_PLUGINS ? SQL_KIND_SHOW_PLUGINS
               : second == SQL_WORD_BR || second == SQL_WORD_BACKUP || second == SQL_WORD_TRAFFIC
                   ? SQL_KIND_SHOW_JOBS
                   : SQL_KIND_SHOW;
    case SQL_WORD_ADMIN:
        return second == SQL_WORD_PLUGINS ? SQL_KIND_ADMIN_PLUGINS : SQL_KIND_ADMIN;
    case SQL_WORD_EXECUTE:
        return second == SQL_WORD_IMMEDIATE ? SQL_KIND_EXECUTE_IMMEDIATE : SQL_KIND_EXECUTE;
    case SQL_WORD_IMPORT:
        return second == SQL_WORD_INTO ? SQL_KIND_IMPORT_INTO : SQL_KIND_UNKNOWN;
    case SQL_WORD_RENAME:
        return second == SQL_WORD_USER ? SQL_KIND_RENAME_USER : SQL_KIND_RENAME_TABLE;
    case SQL_WORD_LOAD:
        return load_kind(second);
    case SQL_WORD_FLUSH: {
        struct sql_cursor ahead = *cursor;
        sql_cursor_next(&ahead);
        sql_cursor_accept(&ahead, SQL_WORD_TIDB);
        return sql_cursor_word(&ahead) == SQL_WORD_PLUGINS ? SQL_KIND_FLUSH_PLUGINS
                                                           : SQL_KIND_FLUSH;
    }
    default:
        return SQL_KIND_UNKNOWN;
    }
}

static enum sql_kind label_kind(const struct sql_cursor *cursor)
{
    struct sql_cursor ahead = *cursor;
    sql_cursor_next(&ahead);
    bool label = sql_token_is_name(&cursor->token) && sql_cursor_is(&ahead, ':');
    bool oracle_label = sql_cursor_is(cursor, '<') && sql_cursor_is(&ahead, '<');
    return label || oracle_label ? SQL_KIND_COMPOUND : SQL_KIND_UNKNOWN;
}

/* The kind of what begins at the cursor, which stays there or moves on within the statement. */
enum sql_kind sql_cursor_kind(struct sql_cursor *cursor, bool *holds_statement)
{
    uint16_t word = sql_cursor_word(cursor);
    *holds_statement = false;
    if (verbs[word] != 0)
        return (enum sql_kind)verbs[word];
    switch (word) {
    case SQL_NO_WORD:
        return cursor->token.class == SQL_TOKEN_END ? SQL_KIND_EMPTY : label_kind(cursor);
    case SQL_WORD_CREATE:
    case SQL_WORD_ALTER:
    case SQL_WORD_DROP:
        return object_kind(cursor, word);
    case SQL_WORD_EXPLAIN:
    case SQL_WORD_DESCRIBE:
    case SQL_WORD_DESC:
    case SQL_WORD_TRACE:
        return sql_cursor_explain(cursor, holds_statement);
    case SQL_WORD_ANALYZE:
        if (sql_cursor_second_word(cursor) == SQL_WORD_TABLE)
            return SQL_KIND_ANALYZE_TABLE;
        return sql_cursor_explain(cursor, holds_statement);
    case SQL_WORD_GRANT:
    case SQL_WORD_REVOKE:
        return grant_kind(cursor, word == SQL_WORD_GRANT);
    case SQL_WORD_SET:
        if (sql_cursor_second_word(cursor) == SQL_WORD_STATEMENT)
            return SQL_KIND_SET_STATEMENT;
        return set_kind(cursor);
    default: {
        enum sql_kind kind = second_word_kind(cursor, word);
        return kind != SQL_KIND_UNKNOWN ? kind : label_kind(cursor);
    }
    }
}
