/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each kind of statement has its tables: what stands in fixed places is added here, at once;
 * the rest is left to the clause that is set for the first frame. A function a statement, in the
 * order of its grammar. */
#include "sql/dynamic.h"
#include "sql/tables_scan.h"

static void insert(struct scan *scan)
{
    bool replaces = sql_cursor_word(&scan->cursor) == SQL_WORD_REPLACE;
    uint8_t deeds = SQL_DEED_INSERT | (replaces ? SQL_DEED_DELETE : 0);
    sql_scan_next(scan);
    sql_scan_skip_words(scan, SQL_WORD_LOW_PRIORITY, SQL_WORD_DELAYED, SQL_WORD_HIGH_PRIORITY,
                        SQL_WORD_IGNORE);
    sql_scan_accept(scan, SQL_WORD_INTO);
    sql_scan_changed_table(scan, SQL_ACCESS_WRITE, deeds, false);
    scan->own = scan->last;
    sql_scan_set_clause(scan, CLAUSE_INSERT);
    sql_scan_frame(scan)->insert = true;
    sql_scan_frame(scan)->ctes = (uint32_t)scan->tables->cte_count;
    if (sql_scan_accept(scan, SQL_WORD_PARTITION) && sql_cursor_is(&scan->cursor, '('))
        sql_scan_skip_parentheses(scan);
}

static void update(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_skip_words(scan, SQL_WORD_LOW_PRIORITY, SQL_WORD_HIGH_PRIORITY, SQL_WORD_DELAYED,
                        SQL_WORD_IGNORE);
    scan->frames[0].access = SQL_ACCESS_WRITE;
    scan->frames[0].deeds = SQL_DEED_UPDATE;
    sql_scan_set_clause(scan, CLAUSE_FACTOR);
}

/* name [. name] [. *] [, ...]: the names of the tables, kept. */
static void delete_targets(struct scan *scan)
{
    const unsigned most = sizeof scan->targets / sizeof scan->targets[0];
    do {
        struct sql_token name = scan->cursor.token;
        if (!sql_token_is_name(&name)) {
            scan->unknown = true;
            return;
        }
        sql_scan_next(scan);
        while (sql_scan_accept_byte(scan, '.')) {
            if (sql_token_is_name(&scan->cursor.token))
                name = scan->cursor.token;
            sql_scan_next(scan);
        }
        if (scan->target_count == most)
            scan->targets_all = true;
        else
            scan->targets[scan->target_count++] = name;
    } while (sql_scan_accept_byte(scan, ','));
}

/* DELETE FROM t ... | DELETE FROM t, u USING references | DELETE t, u FROM references */
static void delete (struct scan *scan)
{
    sql_scan_next(scan);
    while (sql_cursor_word(&scan->cursor) == SQL_WORD_HIGH_PRIORITY ||
           sql_cursor_word(&scan->cursor) == SQL_WORD_DELAYED ||
           sql_cursor_word(&scan->cursor) == SQL_WORD_LOW_PRIORITY ||
           sql_cursor_word(&scan->cursor) == SQL_WORD_QUICK ||
           sql_cursor_word(&scan->cursor) == SQL_WORD_IGNORE)
        sql_scan_next(scan);
    if (sql_cursor_word(&scan->cursor) == SQL_WORD_HISTORY)
        sql_scan_next(scan); /* DELETE HISTORY FROM t BEFORE SYSTEM_TIME x */
    scan->frames[0].access = SQL_ACCESS_WRITE;
    scan->frames[0].deeds = SQL_DEED_DELETE;
    sql_scan_set_clause(scan, CLAUSE_FACTOR);
    if (!sql_scan_accept(scan, SQL_WORD_FROM)) {
        delete_targets(scan);
        scan->unknown = scan->unknown || !sql_scan_accept(scan, SQL_WORD_FROM);
        return;
    }
    struct sql_cursor ahead = scan->cursor;
    while (sql_token_is_name(&ahead.token) || sql_cursor_is(&ahead, '.') ||
           sql_cursor_is(&ahead, ',') || sql_cursor_is(&ahead, '*')) {
        if (sql_cursor_word(&ahead) == SQL_WORD_USING) {
            uint16_t second = sql_cursor_second_word(&ahead);
            if (second == SQL_WORD_DELETE || second == SQL_WORD_WITH)
                return; /* of CREATE BINDING FOR DELETE FROM t USING DELETE FROM t */
            delete_targets(scan);
            scan->unknown = scan->unknown || !sql_scan_accept(scan, SQL_WORD_USING);
            return;
        }
        sql_cursor_next(&ahead);
    }
}

static void load(struct scan *scan)
{
    uint16_t what = sql_cursor_second_word(&scan->cursor);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (what == SQL_WORD_DATA || what == SQL_WORD_XML) {
        struct sql_cursor replace = scan->cursor;
        bool found = sql_scan_find_word(scan, SQL_WORD_TABLE, SQL_WORD_TABLE);
        uint8_t deeds = SQL_DEED_INSERT;
        for (; replace.token.start < scan->cursor.token.start; sql_cursor_next(&replace))
            if (sql_cursor_word(&replace) == SQL_WORD_REPLACE)
                deeds |= SQL_DEED_DELETE;
        sql_scan_next(scan);
        scan->unknown = scan->unknown || !found;
        sql_scan_changed_table(scan, SQL_ACCESS_WRITE, deeds, false);
        sql_scan_set_clause(scan, CLAUSE_OTHER);
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan); /* columns, which are no function's arguments */
    } else if (what == SQL_WORD_INDEX) {     /* INTO CACHE t ... */
        sql_scan_next(scan);
        sql_scan_next(scan);
        sql_scan_accept(scan, SQL_WORD_INTO);
        sql_scan_accept(scan, SQL_WORD_CACHE);
        sql_scan_table_list(scan, SQL_ACCESS_READ);
    } else if (what != SQL_WORD_STATS) {
        scan->unknown = true;
    }
}

static void import(struct scan *scan)
{
    sql_scan_next(scan);
    if (!sql_scan_accept(scan, SQL_WORD_INTO)) {
        scan->unknown = true;
        return;
    }
    sql_scan_changed_table(scan, SQL_ACCESS_WRITE, SQL_DEED_INSERT, false);
    if (sql_cursor_is(&scan->cursor, '('))
        sql_scan_skip_parentheses(scan);
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    if (sql_scan_accept(scan, SQL_WORD_FROM) && scan->cursor.token.class != SQL_TOKEN_STRING)
        sql_scan_set_clause(scan, CLAUSE_QUERY);
}

/* PREPARE name FROM text, EXECUTE IMMEDIATE text: only a single string can be read. */
static void prepared_text(struct scan *scan)
{
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    if (sql_dynamic_text_is_literal(&scan->cursor))
        scan->tables->has_text = true;
    else
        scan->unknown = true;
}

static void prepare(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_next(scan);
    scan->unknown = scan->unknown || !sql_scan_accept(scan, SQL_WORD_FROM);
    prepared_text(scan);
}

static void execute(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    if (sql_scan_accept(scan, SQL_WORD_IMMEDIATE))
        prepared_text(scan);
}

/* EXPLAIN, DESCRIBE, ANALYZE, TRACE: a statement, a table, or neither. */
void sql_scan_explain(struct scan *scan)
{
    struct sql_cursor inside = scan->cursor;
    bool holds_statement = false;
    enum sql_kind kind = sql_cursor_explain(&inside, &holds_statement);
    while (scan->cursor.token.start < inside.token.start)
        sql_scan_next(scan);
    if (holds_statement) {
        sql_scan_statement(scan);
        return;
    }
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (kind == SQL_KIND_DESCRIBE)
        sql_scan_table(scan, SQL_ACCESS_READ, false);
    else if (kind == SQL_KIND_TRACE || kind == SQL_KIND_ANALYZE_TABLE)
        scan->unknown = true;
}

static void handler(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_table(scan, SQL_ACCESS_READ, false);
    sql_scan_set_clause(scan, CLAUSE_OTHER);
}

/* SET [STATEMENT ... FOR statement] */
static void set(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    if (sql_cursor_word(&scan->cursor) == SQL_WORD_BINDING &&
        !sql_cursor_second_is(&scan->cursor, '=')) {
        sql_scan_set_clause(scan, CLAUSE_BINDING);
    } else if (sql_cursor_word(&scan->cursor) == SQL_WORD_ROLE &&
               !sql_cursor_second_is(&scan->cursor, '=')) {
        sql_scan_set_clause(scan, CLAUSE_SKIP); /* ALL EXCEPT r */
    } else if (sql_scan_accept(scan, SQL_WORD_STATEMENT)) {
        bool found = sql_scan_find_word(scan, SQL_WORD_FOR, SQL_WORD_FOR);
        sql_scan_next(scan);
        /* Begun by the machine, not from here: these nest without a limit. */
        scan->verb = scan->wrapped =
            found && !sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ';');
        scan->unknown = scan->unknown || !scan->verb;
    }
}

/* BATCH [ON column] LIMIT n [DRY RUN [QUERY]] statement */
static void batch(struct scan *scan)
{
    while (!sql_cursor_at_end(&scan->cursor)) {
        sql_scan_next(scan);
        uint16_t word = sql_cursor_word(&scan->cursor);
        if (word == SQL_WORD_INSERT || word == SQL_WORD_REPLACE || word == SQL_WORD_UPDATE ||
            word == SQL_WORD_DELETE || word == SQL_WORD_WITH) {
            sql_scan_statement(scan);
            return;
        }
    }
    scan->unknown = true;
}

static void query(struct scan *scan)
{
    sql_scan_set_clause(scan, CLAUSE_QUERY);
}

static void other_statement(struct scan *scan, uint16_t word);

void sql_scan_statement(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    switch (word) {
    case SQL_WORD_SELECT:
    case SQL_WORD_VALUES:
    case SQL_WORD_TABLE:
    case SQL_WORD_WITH:
        query(scan);
        return;
    case SQL_WORD_INSERT:
    case SQL_WORD_REPLACE:
        insert(scan);
        return;
    case SQL_WORD_UPDATE:
        update(scan);
        return;
    case SQL_WORD_DELETE:
        delete (scan);
        return;
    case SQL_WORD_CREATE:
    case SQL_WORD_ALTER:
        sql_scan_create_or_alter(scan, word == SQL_WORD_CREATE);
        return;
    case SQL_WORD_DROP:
        sql_scan_drop(scan);
        return;
    case SQL_WORD_SET:
        set(scan);
        return;
    case SQL_WORD_SHOW:
        sql_scan_show(scan);
        return;
    default:
        other_statement(scan, word);
    }
}

/* Statements that name no table, but may have queries in their expressions. */
static bool names_no_table(uint16_t word)
{
    switch (word) {
    case SQL_WORD_DO:
    case SQL_WORD_USE:
    case SQL_WORD_BEGIN:
    case SQL_WORD_START:
    case SQL_WORD_STOP:
    case SQL_WORD_COMMIT:
    case SQL_WORD_ROLLBACK:
    case SQL_WORD_SAVEPOINT:
    case SQL_WORD_RELEASE:
    case SQL_WORD_XA:
    case SQL_WORD_DEALLOCATE:
    case SQL_WORD_SIGNAL:
    case SQL_WORD_RESIGNAL:
    case SQL_WORD_GET:
    case SQL_WORD_HELP:
    case SQL_WORD_KILL:
    case SQL_WORD_SHUTDOWN:
    case SQL_WORD_RESTART:
    case SQL_WORD_RESET:
    case SQL_WORD_PURGE:
    case SQL_WORD_BINLOG:
    case SQL_WORD_CHANGE:
    case SQL_WORD_INSTALL:
    case SQL_WORD_UNINSTALL:
    case SQL_WORD_RETURN:
    case SQL_WORD_LEAVE:
    case SQL_WORD_ITERATE:
    case SQL_WORD_EXIT:
    case SQL_WORD_CONTINUE:
    case SQL_WORD_OPEN:
    case SQL_WORD_FETCH:
    case SQL_WORD_CLOSE:
    case SQL_WORD_QUERY:
    case SQL_WORD_CALIBRATE:
    case SQL_WORD_CANCEL:
    case SQL_WORD_TRAFFIC:
    case SQL_WORD_RECOMMEND:
    case SQL_WORD_REFRESH:
    case SQL_WORD_PAUSE:
    case SQL_WORD_RESUME:
        return true;
    default:
        return false;
    }
}

static void unlock(struct scan *scan)
{
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    sql_scan_next(scan);
    if (sql_scan_accept(scan, SQL_WORD_STATS))
        sql_scan_table_list(scan, SQL_ACCESS_READ);
}

/* ANALYZE TABLE t, or ANALYZE [FORMAT = JSON] statement. */
static void analyze(struct scan *scan)
{
    uint16_t second = sql_cursor_second_word(&scan->cursor);
    if (second == SQL_WORD_TABLE || second == SQL_WORD_TABLES || second == SQL_WORD_LOCAL ||
        second == SQL_WORD_NO_WRITE_TO_BINLOG || second == SQL_WORD_INCREMENTAL)
        sql_scan_maintain(scan, SQL_ACCESS_READ);
    else
        sql_scan_explain(scan);
}

static void cache_index(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_accept(scan, SQL_WORD_INDEX);
    sql_scan_table_list(scan, SQL_ACCESS_READ);
}

/* A statement in parentheses, one that names no table, or none that is known. */
static void unlisted(struct scan *scan, uint16_t word)
{
    if (sql_cursor_is(&scan->cursor, '(')) {
        query(scan);
        return;
    }
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    bool advises =
        word == SQL_WORD_INDEX && sql_cursor_second_word(&scan->cursor) == SQL_WORD_ADVISE;
    if (scan->compound && sql_scan_procedure(scan))
        return;
    /* Inside of blocks a statement can also be the name of a variable, to be assigned to. */
    if (!names_no_table(word) && !advises && !scan->compound)
        scan->unknown = scan->no_statement = true;
    sql_scan_next(scan);
}

static void other_statement(struct scan *scan, uint16_t word)
{
    switch (word) {
    case SQL_WORD_CALL:
        sql_scan_call(scan);
        return;
    case SQL_WORD_LOAD:
        load(scan);
        return;
    case SQL_WORD_IMPORT:
        import(scan);
        return;
    case SQL_WORD_RENAME:
        sql_scan_rename(scan);
        return;
    case SQL_WORD_LOCK:
        sql_scan_lock(scan);
        return;
    case SQL_WORD_UNLOCK:
        unlock(scan);
        return;
    case SQL_WORD_EXPLAIN:
    case SQL_WORD_DESCRIBE:
    case SQL_WORD_DESC:
    case SQL_WORD_TRACE:
        sql_scan_explain(scan);
        return;
    case SQL_WORD_ANALYZE:
        analyze(scan);
        return;
    case SQL_WORD_CHECK:
    case SQL_WORD_CHECKSUM:
        sql_scan_maintain(scan, SQL_ACCESS_READ);
        return;
    case SQL_WORD_OPTIMIZE:
    case SQL_WORD_REPAIR:
        sql_scan_maintain(scan, SQL_ACCESS_WRITE);
        return;
    case SQL_WORD_CACHE:
        cache_index(scan);
        return;
    case SQL_WORD_FLUSH:
        sql_scan_flush(scan);
        return;
    case SQL_WORD_GRANT:
    case SQL_WORD_REVOKE:
        sql_scan_grant(scan);
        return;
    case SQL_WORD_PREPARE:
        prepare(scan);
        return;
    case SQL_WORD_EXECUTE:
        execute(scan);
        return;
    case SQL_WORD_HANDLER:
        handler(scan);
        return;
    case SQL_WORD_TRUNCATE:
        sql_scan_truncate(scan);
        return;
    case SQL_WORD_BATCH:
        batch(scan);
        return;
    case SQL_WORD_ADMIN:
        sql_scan_admin(scan);
        return;
    case SQL_WORD_SPLIT:
    case SQL_WORD_DISTRIBUTE:
        sql_scan_split_region(scan);
        return;
    case SQL_WORD_FLASHBACK:
    case SQL_WORD_RECOVER:
        sql_scan_recover(scan);
        return;
    case SQL_WORD_BACKUP:
    case SQL_WORD_RESTORE:
        sql_scan_backup(scan);
        return;
    case SQL_WORD_PLAN:
        sql_scan_plan_replayer(scan);
        return;
    default:
        unlisted(scan, word);
        return;
    }
}
