/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each kind of statement has its tables: what stands in fixed places is added here, at once;
 * the rest is left to the clause that is set for the first frame. A function a statement, in the
 * order of its grammar. */
#include "sql/tables_scan.h"

static void set_clause(struct scan *scan, enum clause clause)
{
    scan->frames[0].clause = (uint8_t)clause;
}

static uint16_t word_at(const struct scan *scan)
{
    return sql_cursor_word(&scan->cursor);
}

/* Skips any of up to four words, in any order. */
static void skip_words(struct scan *scan, uint16_t a, uint16_t b, uint16_t c, uint16_t d)
{
    while (word_at(scan) != SQL_NO_WORD &&
           (word_at(scan) == a || word_at(scan) == b || word_at(scan) == c || word_at(scan) == d)) {
        sql_scan_next(scan);
    }
}

static void skip_if_exists(struct scan *scan)
{
    if (sql_scan_accept(scan, SQL_WORD_IF)) {
        sql_scan_accept(scan, SQL_WORD_NOT);
        sql_scan_accept(scan, SQL_WORD_EXISTS);
    }
}

/* Moves on until one of the words stands at the cursor, outside of parentheses; false: none does.
 */
static bool find_word(struct scan *scan, uint16_t a, uint16_t b)
{
    while (!sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ';')) {
        if (word_at(scan) != SQL_NO_WORD && (word_at(scan) == a || word_at(scan) == b)) {
            return true;
        }
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        } else {
            sql_scan_next(scan);
        }
    }
    return false;
}

/* table [anything] [, table [anything]] ... */
static void table_list(struct scan *scan, enum sql_access access)
{
    do {
        sql_scan_table(scan, access, false);
        while (!sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ',') &&
               !sql_cursor_is(&scan->cursor, ';') && !scan->verb) {
            if (sql_cursor_is(&scan->cursor, '(')) {
                sql_scan_skip_parentheses(scan);
            } else {
                sql_scan_next(scan);
            }
        }
    } while (sql_scan_accept_byte(scan, ','));
    set_clause(scan, CLAUSE_SKIP);
}

/* The same where a list of other things, with commas, may follow the tables. */
static void plain_table_list(struct scan *scan, enum sql_access access)
{
    do {
        sql_scan_table(scan, access, false);
    } while (sql_scan_accept_byte(scan, ','));
    set_clause(scan, CLAUSE_SKIP);
}

static void insert(struct scan *scan)
{
    sql_scan_next(scan);
    skip_words(scan, SQL_WORD_LOW_PRIORITY, SQL_WORD_DELAYED, SQL_WORD_HIGH_PRIORITY,
               SQL_WORD_IGNORE);
    sql_scan_accept(scan, SQL_WORD_INTO);
    sql_scan_table(scan, SQL_ACCESS_WRITE, false);
    set_clause(scan, CLAUSE_INSERT);
    if (sql_scan_accept(scan, SQL_WORD_PARTITION) && sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_skip_parentheses(scan);
    }
}

static void update(struct scan *scan)
{
    sql_scan_next(scan);
    skip_words(scan, SQL_WORD_LOW_PRIORITY, SQL_WORD_HIGH_PRIORITY, SQL_WORD_DELAYED,
               SQL_WORD_IGNORE);
    scan->frames[0].access = SQL_ACCESS_WRITE;
    set_clause(scan, CLAUSE_FACTOR);
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
            if (sql_token_is_name(&scan->cursor.token)) {
                name = scan->cursor.token;
            }
            sql_scan_next(scan);
        }
        if (scan->target_count == most) {
            scan->targets_all = true;
        } else {
            scan->targets[scan->target_count++] = name;
        }
    } while (sql_scan_accept_byte(scan, ','));
}

/* DELETE FROM t ... | DELETE FROM t, u USING references | DELETE t, u FROM references */
static void delete (struct scan *scan)
{
    sql_scan_next(scan);
    while (word_at(scan) == SQL_WORD_HIGH_PRIORITY || word_at(scan) == SQL_WORD_DELAYED ||
           word_at(scan) == SQL_WORD_LOW_PRIORITY || word_at(scan) == SQL_WORD_QUICK ||
           word_at(scan) == SQL_WORD_IGNORE) {
        sql_scan_next(scan);
    }
    if (word_at(scan) == SQL_WORD_HISTORY) {
        sql_scan_next(scan); /* DELETE HISTORY FROM t BEFORE SYSTEM_TIME x */
    }
    scan->frames[0].access = SQL_ACCESS_WRITE;
    set_clause(scan, CLAUSE_FACTOR);
    if (!sql_scan_accept(scan, SQL_WORD_FROM)) {
        delete_targets(scan);
        scan->unknown = scan->unknown || !sql_scan_accept(scan, SQL_WORD_FROM);
        return;
    }
    struct sql_cursor ahead = scan->cursor;
    while (sql_token_is_name(&ahead.token) || sql_cursor_is(&ahead, '.') ||
           sql_cursor_is(&ahead, ',') || sql_cursor_is(&ahead, '*')) {
        if (sql_cursor_word(&ahead) == SQL_WORD_USING) {
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
    set_clause(scan, CLAUSE_SKIP);
    if (what == SQL_WORD_DATA || what == SQL_WORD_XML) {
        bool found = find_word(scan, SQL_WORD_TABLE, SQL_WORD_TABLE);
        sql_scan_next(scan);
        scan->unknown = scan->unknown || !found;
        sql_scan_table(scan, SQL_ACCESS_WRITE, false);
        set_clause(scan, CLAUSE_OTHER);
    } else if (what == SQL_WORD_INDEX) { /* INTO CACHE t ... */
        sql_scan_next(scan);
        sql_scan_next(scan);
        sql_scan_accept(scan, SQL_WORD_INTO);
        sql_scan_accept(scan, SQL_WORD_CACHE);
        table_list(scan, SQL_ACCESS_READ);
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
    sql_scan_table(scan, SQL_ACCESS_WRITE, false);
    if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_skip_parentheses(scan);
    }
    set_clause(scan, CLAUSE_OTHER);
    if (sql_scan_accept(scan, SQL_WORD_FROM) && scan->cursor.token.class != SQL_TOKEN_STRING) {
        set_clause(scan, CLAUSE_QUERY);
    }
}

static void rename_tables(struct scan *scan)
{
    sql_scan_next(scan);
    if (!sql_scan_accept(scan, SQL_WORD_TABLE) && !sql_scan_accept(scan, SQL_WORD_TABLES)) {
        scan->unknown = scan->unknown || word_at(scan) != SQL_WORD_USER;
        set_clause(scan, CLAUSE_SKIP);
        return;
    }
    skip_if_exists(scan);
    do {
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        bool found = find_word(scan, SQL_WORD_TO, SQL_WORD_TO); /* WAIT n in between */
        sql_scan_next(scan);
        scan->unknown = scan->unknown || !found;
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    } while (sql_scan_accept_byte(scan, ','));
    set_clause(scan, CLAUSE_SKIP);
}

/* t [[AS] alias] READ | WRITE ..., u ... */
static void lock_tables(struct scan *scan)
{
    sql_scan_next(scan);
    if (sql_scan_accept(scan, SQL_WORD_STATS)) {
        table_list(scan, SQL_ACCESS_READ);
        return;
    }
    if (!sql_scan_accept(scan, SQL_WORD_TABLE) && !sql_scan_accept(scan, SQL_WORD_TABLES)) {
        scan->unknown = true;
        return;
    }
    do {
        struct sql_cursor ahead = scan->cursor;
        enum sql_access access = SQL_ACCESS_READ;
        while (!sql_cursor_at_end(&ahead) && !sql_cursor_is(&ahead, ',') &&
               !sql_cursor_is(&ahead, ';')) {
            access = sql_cursor_word(&ahead) == SQL_WORD_WRITE ? SQL_ACCESS_WRITE : access;
            sql_cursor_next(&ahead);
        }
        sql_scan_table(scan, access, false);
        while (!sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ',') &&
               !sql_cursor_is(&scan->cursor, ';')) {
            sql_scan_next(scan);
        }
    } while (sql_scan_accept_byte(scan, ','));
    set_clause(scan, CLAUSE_SKIP);
}

static void create_routine(struct scan *scan, uint16_t object)
{
    set_clause(scan, object == SQL_WORD_TRIGGER ? CLAUSE_TRIGGER : CLAUSE_SKIP);
    sql_scan_next(scan);
}

/* CREATE and ALTER of what is not a table: ON t where there is one. */
static void on_table(struct scan *scan, uint16_t object, bool create)
{
    set_clause(scan, CLAUSE_SKIP);
    if (object == SQL_WORD_INDEX || object == SQL_WORD_STATISTICS || object == SQL_WORD_MASKING) {
        if (find_word(scan, SQL_WORD_ON, SQL_WORD_ON)) {
            sql_scan_next(scan);
            sql_scan_table(scan, SQL_ACCESS_DDL, false);
        } else {
            scan->unknown = scan->unknown || create;
        }
    }
}

static void create_or_alter(struct scan *scan, bool create)
{
    struct sql_cursor object_at = scan->cursor;
    sql_cursor_next(&object_at);
    sql_cursor_skip_modifiers(&object_at);
    while (scan->cursor.token.start < object_at.token.start) {
        sql_scan_next(scan);
    }
    uint16_t object = word_at(scan);
    switch (object) {
    case SQL_WORD_TABLE:
        sql_scan_next(scan);
        skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        set_clause(scan, create ? CLAUSE_CREATE : CLAUSE_ALTER);
        break;
    case SQL_WORD_VIEW:
        sql_scan_next(scan);
        skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        }
        scan->unknown = scan->unknown || !sql_scan_accept(scan, SQL_WORD_AS);
        set_clause(scan, CLAUSE_QUERY);
        break;
    case SQL_WORD_SEQUENCE:
        sql_scan_next(scan);
        skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        set_clause(scan, CLAUSE_OTHER);
        break;
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
    case SQL_WORD_TRIGGER:
    case SQL_WORD_EVENT:
    case SQL_WORD_PACKAGE:
        create_routine(scan, object);
        break;
    case SQL_WORD_BINDING:
        set_clause(scan, CLAUSE_BINDING);
        sql_scan_next(scan);
        break;
    default:
        scan->unknown = scan->unknown || sql_cursor_at_end(&scan->cursor);
        on_table(scan, object, create);
        break;
    }
}

static void drop(struct scan *scan)
{
    sql_scan_next(scan);
    skip_words(scan, SQL_WORD_TEMPORARY, SQL_WORD_GLOBAL, SQL_WORD_SESSION, SQL_WORD_HYPO);
    uint16_t object = word_at(scan);
    sql_scan_next(scan);
    skip_if_exists(scan);
    switch (object) {
    case SQL_WORD_TABLE:
    case SQL_WORD_TABLES:
    case SQL_WORD_VIEW:
    case SQL_WORD_SEQUENCE:
        plain_table_list(scan, SQL_ACCESS_DDL);
        break;
    case SQL_WORD_STATS:
        plain_table_list(scan, SQL_ACCESS_WRITE);
        break;
    case SQL_WORD_INDEX:
        on_table(scan, SQL_WORD_INDEX, true);
        break;
    case SQL_WORD_BINDING:
        set_clause(scan, CLAUSE_BINDING);
        break;
    default:
        set_clause(scan, CLAUSE_SKIP);
        scan->unknown = scan->unknown || sql_cursor_at_end(&scan->cursor);
        break;
    }
}

/* PERSISTENT FOR ALL | COLUMNS ALL | (a) INDEXES ALL | (i): the only option of ANALYZE TABLE that
 * another table can follow. */
static void skip_persistent(struct scan *scan)
{
    while (sql_token_is_name(&scan->cursor.token)) {
        sql_scan_next(scan);
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        }
    }
}

/* [NO_WRITE_TO_BINLOG | LOCAL] TABLE[S] t, u ... */
static void maintain(struct scan *scan, enum sql_access access)
{
    sql_scan_next(scan);
    skip_words(scan, SQL_WORD_NO_WRITE_TO_BINLOG, SQL_WORD_LOCAL, SQL_WORD_INCREMENTAL,
               SQL_NO_WORD);
    set_clause(scan, CLAUSE_SKIP);
    bool object = sql_scan_accept(scan, SQL_WORD_TABLE) || sql_scan_accept(scan, SQL_WORD_TABLES) ||
                  sql_scan_accept(scan, SQL_WORD_VIEW);
    scan->unknown = scan->unknown || !object;
    do {
        sql_scan_table(scan, access, false);
        if (word_at(scan) == SQL_WORD_PERSISTENT) {
            skip_persistent(scan);
        }
    } while (sql_scan_accept_byte(scan, ','));
}

static void flush(struct scan *scan)
{
    sql_scan_next(scan);
    skip_words(scan, SQL_WORD_NO_WRITE_TO_BINLOG, SQL_WORD_LOCAL, SQL_NO_WORD, SQL_NO_WORD);
    set_clause(scan, CLAUSE_SKIP);
    if ((sql_scan_accept(scan, SQL_WORD_TABLE) || sql_scan_accept(scan, SQL_WORD_TABLES)) &&
        (scan->cursor.token.class == SQL_TOKEN_NAME ||
         (scan->cursor.token.class == SQL_TOKEN_WORD && word_at(scan) != SQL_WORD_WITH &&
          word_at(scan) != SQL_WORD_FOR))) {
        plain_table_list(scan, SQL_ACCESS_READ);
    }
}

/* [FROM | IN] t [FROM | IN db] */
static void show_of_table(struct scan *scan)
{
    if (!sql_scan_accept(scan, SQL_WORD_FROM) && !sql_scan_accept(scan, SQL_WORD_IN)) {
        scan->unknown = true;
        return;
    }
    sql_scan_table(scan, SQL_ACCESS_READ, false);
    if (sql_scan_accept(scan, SQL_WORD_FROM) || sql_scan_accept(scan, SQL_WORD_IN)) {
        sql_scan_set_database(scan);
    }
    set_clause(scan, CLAUSE_OTHER);
}

static void show(struct scan *scan)
{
    sql_scan_next(scan);
    skip_words(scan, SQL_WORD_FULL, SQL_WORD_EXTENDED, SQL_WORD_GLOBAL, SQL_WORD_SESSION);
    uint16_t what = word_at(scan);
    sql_scan_next(scan);
    set_clause(scan, CLAUSE_OTHER);
    switch (what) {
    case SQL_WORD_COLUMNS:
    case SQL_WORD_FIELDS:
    case SQL_WORD_INDEX:
    case SQL_WORD_INDEXES:
    case SQL_WORD_KEYS:
        show_of_table(scan);
        break;
    case SQL_WORD_CREATE: {
        uint16_t object = word_at(scan);
        sql_scan_next(scan);
        if (object == SQL_WORD_TABLE || object == SQL_WORD_VIEW || object == SQL_WORD_SEQUENCE) {
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        }
        break;
    }
    case SQL_WORD_TABLE: /* t [PARTITION (p)] [INDEX i] REGIONS; TABLE STATUS has none */
        if (word_at(scan) != SQL_WORD_STATUS) {
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        }
        break;
    case SQL_WORD_PLACEMENT: /* FOR TABLE t [PARTITION p] */
        if (sql_scan_accept(scan, SQL_WORD_FOR) && sql_scan_accept(scan, SQL_WORD_TABLE)) {
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        }
        break;
    case SQL_WORD_MASKING: /* POLICIES FOR t */
        sql_scan_next(scan);
        if (sql_scan_accept(scan, SQL_WORD_FOR)) {
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        }
        break;
    default:
        break;
    }
}

/* GRANT ... ON [TABLE] t TO ..., and REVOKE: names but no wildcards. */
static void grant(struct scan *scan)
{
    set_clause(scan, CLAUSE_SKIP);
    while (!sql_cursor_at_end(&scan->cursor) && word_at(scan) != SQL_WORD_ON &&
           word_at(scan) != SQL_WORD_TO && word_at(scan) != SQL_WORD_FROM) {
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        } else if (word_at(scan) == SQL_WORD_PROXY) {
            return;
        } else {
            sql_scan_next(scan);
        }
    }
    if (!sql_scan_accept(scan, SQL_WORD_ON)) {
        return;
    }
    sql_scan_accept(scan, SQL_WORD_TABLE);
    if (word_at(scan) == SQL_WORD_FUNCTION || word_at(scan) == SQL_WORD_PROCEDURE ||
        word_at(scan) == SQL_WORD_PACKAGE) {
        return;
    }
    struct sql_cursor ahead = scan->cursor;
    bool wild = sql_cursor_is(&ahead, '*');
    sql_cursor_next(&ahead);
    if (sql_cursor_is(&ahead, '.')) {
        sql_cursor_next(&ahead);
        wild = wild || sql_cursor_is(&ahead, '*');
    }
    if (!wild) {
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    }
}

/* PREPARE name FROM text, EXECUTE IMMEDIATE text: only a single string can be read. */
static void prepared_text(struct scan *scan)
{
    struct sql_token string = scan->cursor.token;
    set_clause(scan, CLAUSE_OTHER);
    struct sql_cursor ahead = scan->cursor;
    sql_cursor_next(&ahead);
    bool alone = ahead.token.class == SQL_TOKEN_END || sql_cursor_is(&ahead, ';') ||
                 sql_cursor_word(&ahead) == SQL_WORD_USING;
    if (string.class == SQL_TOKEN_STRING && alone) {
        sql_scan_text(scan, &string);
    } else {
        scan->unknown = true;
    }
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
    set_clause(scan, CLAUSE_OTHER);
    if (sql_scan_accept(scan, SQL_WORD_IMMEDIATE)) {
        prepared_text(scan);
    }
}

/* EXPLAIN, DESCRIBE, ANALYZE, TRACE: a statement, a table, or neither. */
static void explain(struct scan *scan)
{
    struct sql_cursor inside = scan->cursor;
    bool holds_statement = false;
    enum sql_kind kind = sql_cursor_explain(&inside, &holds_statement);
    while (scan->cursor.token.start < inside.token.start) {
        sql_scan_next(scan);
    }
    if (holds_statement) {
        sql_scan_statement(scan);
        return;
    }
    set_clause(scan, CLAUSE_SKIP);
    if (kind == SQL_KIND_DESCRIBE) {
        sql_scan_table(scan, SQL_ACCESS_READ, false);
    } else if (kind == SQL_KIND_TRACE || kind == SQL_KIND_ANALYZE_TABLE) {
        scan->unknown = true;
    }
}

static void handler(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_table(scan, SQL_ACCESS_READ, false);
    set_clause(scan, CLAUSE_OTHER);
}

static void truncate(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_accept(scan, SQL_WORD_TABLE);
    sql_scan_table(scan, SQL_ACCESS_DDL, false);
    set_clause(scan, CLAUSE_SKIP);
}

/* SET [STATEMENT ... FOR statement] */
static void set(struct scan *scan)
{
    sql_scan_next(scan);
    set_clause(scan, CLAUSE_OTHER);
    if (word_at(scan) == SQL_WORD_BINDING) {
        set_clause(scan, CLAUSE_BINDING);
    } else if (sql_scan_accept(scan, SQL_WORD_STATEMENT)) {
        bool found = find_word(scan, SQL_WORD_FOR, SQL_WORD_FOR);
        sql_scan_next(scan);
        if (found) {
            sql_scan_statement(scan);
        } else {
            scan->unknown = true;
        }
    }
}

/* BATCH [ON column] LIMIT n [DRY RUN [QUERY]] statement */
static void batch(struct scan *scan)
{
    while (!sql_cursor_at_end(&scan->cursor)) {
        sql_scan_next(scan);
        uint16_t word = word_at(scan);
        if (word == SQL_WORD_INSERT || word == SQL_WORD_REPLACE || word == SQL_WORD_UPDATE ||
            word == SQL_WORD_DELETE || word == SQL_WORD_WITH) {
            sql_scan_statement(scan);
            return;
        }
    }
    scan->unknown = true;
}

/* TiDB's statements about one table or a list of them, behind TABLE (or INDEX, for ADMIN ...
 * INDEX). */
static void admin(struct scan *scan)
{
    sql_scan_next(scan);
    uint16_t action = word_at(scan);
    set_clause(scan, CLAUSE_SKIP);
    sql_scan_next(scan);
    uint16_t object = word_at(scan);
    if (action == SQL_WORD_SHOW && object != SQL_WORD_DDL && object != SQL_WORD_SLOW &&
        object != SQL_WORD_BDR) {
        sql_scan_table(scan, SQL_ACCESS_READ, false);
        return;
    }
    if (object == SQL_WORD_INDEX) {
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, false);
        return;
    }
    if (object != SQL_WORD_TABLE) {
        return;
    }
    sql_scan_next(scan);
    sql_scan_accept(scan, SQL_WORD_LOCK);
    plain_table_list(scan, action == SQL_WORD_REPAIR ? SQL_ACCESS_DDL : SQL_ACCESS_READ);
}

static void split_region(struct scan *scan)
{
    set_clause(scan, CLAUSE_SKIP);
    if (!find_word(scan, SQL_WORD_TABLE, SQL_WORD_TABLE)) {
        scan->unknown = true;
        return;
    }
    sql_scan_next(scan);
    sql_scan_table(scan, SQL_ACCESS_DDL, false);
}

/* FLASHBACK TABLE t [TO u], RECOVER TABLE t | BY JOB n, FLASHBACK DATABASE | CLUSTER */
static void recover(struct scan *scan)
{
    sql_scan_next(scan);
    set_clause(scan, CLAUSE_SKIP);
    if (sql_scan_accept(scan, SQL_WORD_TABLE) && word_at(scan) != SQL_WORD_BY) {
        plain_table_list(scan, SQL_ACCESS_DDL);
    }
}

static void backup(struct scan *scan)
{
    sql_scan_next(scan);
    set_clause(scan, CLAUSE_SKIP);
    if (sql_scan_accept(scan, SQL_WORD_TABLE)) {
        plain_table_list(scan, SQL_ACCESS_READ);
    }
}

static void query(struct scan *scan)
{
    set_clause(scan, CLAUSE_QUERY);
}

static void plan_replayer(struct scan *scan)
{
    set_clause(scan, CLAUSE_SKIP);
    if (find_word(scan, SQL_WORD_EXPLAIN, SQL_WORD_EXPLAIN)) {
        struct sql_cursor inside = scan->cursor;
        bool holds_statement = false;
        sql_cursor_explain(&inside, &holds_statement);
        if (holds_statement && !sql_cursor_is(&inside, '(')) {
            explain(scan);
        }
    }
}

static void other_statement(struct scan *scan, uint16_t word);

void sql_scan_statement(struct scan *scan)
{
    uint16_t word = word_at(scan);
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
        create_or_alter(scan, word == SQL_WORD_CREATE);
        return;
    case SQL_WORD_DROP:
        drop(scan);
        return;
    case SQL_WORD_SET:
        set(scan);
        return;
    case SQL_WORD_SHOW:
        show(scan);
        return;
    default:
        other_statement(scan, word);
    }
}

/* Statements that name no table, but may have queries in their expressions. */
static bool names_no_table(uint16_t word)
{
    switch (word) {
    case SQL_WORD_CALL:
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

static void other_statement(struct scan *scan, uint16_t word)
{
    switch (word) {
    case SQL_WORD_LOAD:
        load(scan);
        return;
    case SQL_WORD_IMPORT:
        import(scan);
        return;
    case SQL_WORD_RENAME:
        rename_tables(scan);
        return;
    case SQL_WORD_LOCK:
        lock_tables(scan);
        return;
    case SQL_WORD_UNLOCK:
        set_clause(scan, CLAUSE_SKIP);
        sql_scan_next(scan);
        if (sql_scan_accept(scan, SQL_WORD_STATS)) {
            table_list(scan, SQL_ACCESS_READ);
        }
        return;
    case SQL_WORD_EXPLAIN:
    case SQL_WORD_DESCRIBE:
    case SQL_WORD_DESC:
    case SQL_WORD_TRACE:
        explain(scan);
        return;
    case SQL_WORD_ANALYZE: {
        uint16_t second = sql_cursor_second_word(&scan->cursor);
        if (second == SQL_WORD_TABLE || second == SQL_WORD_TABLES || second == SQL_WORD_LOCAL ||
            second == SQL_WORD_NO_WRITE_TO_BINLOG || second == SQL_WORD_INCREMENTAL) {
            maintain(scan, SQL_ACCESS_READ);
        } else {
            explain(scan);
        }
        return;
    }
    case SQL_WORD_CHECK:
    case SQL_WORD_CHECKSUM:
        maintain(scan, SQL_ACCESS_READ);
        return;
    case SQL_WORD_OPTIMIZE:
    case SQL_WORD_REPAIR:
        maintain(scan, SQL_ACCESS_WRITE);
        return;
    case SQL_WORD_CACHE:
        sql_scan_next(scan);
        sql_scan_accept(scan, SQL_WORD_INDEX);
        table_list(scan, SQL_ACCESS_READ);
        return;
    case SQL_WORD_FLUSH:
        flush(scan);
        return;
    case SQL_WORD_GRANT:
    case SQL_WORD_REVOKE:
        grant(scan);
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
        truncate(scan);
        return;
    case SQL_WORD_BATCH:
        batch(scan);
        return;
    case SQL_WORD_ADMIN:
        admin(scan);
        return;
    case SQL_WORD_SPLIT:
    case SQL_WORD_DISTRIBUTE:
        split_region(scan);
        return;
    case SQL_WORD_FLASHBACK:
    case SQL_WORD_RECOVER:
        recover(scan);
        return;
    case SQL_WORD_BACKUP:
    case SQL_WORD_RESTORE:
        backup(scan);
        return;
    case SQL_WORD_PLAN:
        plan_replayer(scan);
        return;
    default:
        if (sql_cursor_is(&scan->cursor, '(')) {
            query(scan);
        } else {
            set_clause(scan, CLAUSE_OTHER);
            /* Inside of blocks a statement can also be the name of a variable, to be assigned to.
             */
            if (!names_no_table(word) && !scan->compound) {
                scan->unknown = scan->no_statement = true;
            }
            sql_scan_next(scan);
        }
        return;
    }
}
