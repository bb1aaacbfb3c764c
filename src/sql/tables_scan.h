/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the state of the table scanner, shared by its parts:
 *
 *     tables_run.c        the loop, and the readings of a text
 *     tables.c            the list: names, duplicates, limits
 *     tables_routines.c   the list of routines, and which parentheses are calls
 *     tables_scan.c       the moves: tokens, frames, parentheses
 *     tables_query.c      the clauses of queries
 *     tables_define.c     the clauses of CREATE and ALTER
 *     tables_statement.c, tables_ddl.c, tables_admin.c
 *                         where each kind of statement has its tables
 *     tables_words.c      what these read with
 *
 * A frame is an open parenthesis (the first one is the statement itself), a clause what the tokens
 * in it mean just now. Nesting is in the array of frames, never in the C stack. What knows
 * statements uses the moves and the list; only the loop uses what knows statements. */
#ifndef WEIR_SQL_TABLES_SCAN_H
#define WEIR_SQL_TABLES_SCAN_H

#include "sql/blocks.h"
#include "sql/cursor.h"
#include "sql/session.h"
#include "sql/tables.h"

enum clause {
    CLAUSE_OTHER,      /* expressions and the like: only parentheses and set operations matter */
    CLAUSE_PAREN,      /* just after an opening parenthesis that may hold a query */
    CLAUSE_QUERY,      /* a query must begin here */
    CLAUSE_SELECT,     /* after SELECT: FROM opens the table references */
    CLAUSE_FACTOR,     /* a table, derived table or parenthesised join must stand here */
    CLAUSE_REFS,       /* after one: a comma or JOIN wants another */
    CLAUSE_WITH,       /* the name of a common table expression */
    CLAUSE_WITH_NEXT,  /* after one */
    CLAUSE_INSERT,     /* after the target of INSERT */
    CLAUSE_CREATE,     /* after the name of CREATE TABLE */
    CLAUSE_ALTER,      /* after the name of ALTER TABLE */
    CLAUSE_REFERENCES, /* in the definitions of a table: FOREIGN KEY ... REFERENCES */
    CLAUSE_TRIGGER,    /* CREATE TRIGGER, before ON table */
    CLAUSE_BINDING,    /* CREATE BINDING: FOR and USING are followed by statements */
    CLAUSE_SKIP,       /* nothing here matters, not even parentheses with queries */
};

struct frame {
    uint8_t clause; /* enum clause */
    uint8_t access; /* enum sql_access of its table references */
    uint8_t deeds;  /* ... and SQL_DEED_* */
    bool recursive; /* WITH RECURSIVE */
    bool foreign;   /* CLAUSE_REFERENCES: FOREIGN KEY was seen since the last comma */
    bool binding;   /* USING at this level begins a statement */
    bool insert;    /* ON DUPLICATE KEY at this level ends the scope of what the query defines */
    bool defines;   /* inside of a definition: names before parentheses are no functions */
    bool cte;       /* the body of the last common table expression below ctes */
    uint32_t ctes;  /* how many were in scope when it was opened */
};

#define SCAN_SEEN 8U /* tokens that are looked back at: db . package . name ( and what is before */

struct scan {
    struct sql_cursor cursor;
    struct sql_token seen[SCAN_SEEN]; /* those before the current one, in turn */
    unsigned seen_count;
    struct sql_tables *tables;
    struct sql_blocks blocks;
    struct frame frames[SQL_TABLES_DEPTH_MAX];
    unsigned depth;                    /* of the current frame; 0 is the statement */
    const struct sql_database *inside; /* of a text of PREPARE: where it runs; NULL: of none */
    bool compound;                     /* blocks is in use */
    bool verb; /* the current token is the first of a statement inside of a compound one */
    bool unknown;
    /* Places in the list: of what was added last, and of INSERT's or ALTER TABLE's own table. */
    size_t last, own;
    bool no_statement;            /* what it begins with is no statement: every server refuses it */
    struct sql_token targets[16]; /* DELETE's, when it names several: name tokens */
    unsigned target_count;
    bool targets_all; /* too many to keep: each table counts as one */
    bool wrapped;     /* at the statement after SET STATEMENT ... FOR, outside of a compound one */
};

struct sql_cte {
    size_t offset, size; /* its name in tables->names */
    bool visible;
    uint16_t head, older; /* its hash, and the next older one of that, + 1 */
};

static inline struct frame *sql_scan_frame(struct scan *scan)
{
    return &scan->frames[scan->depth];
}

/* tables.c */

/* Adds the table at the cursor (name, db.name, .name, *.name) and moves after it. deeds: SQL_DEED_*.
 * False, and the list is unknown: no name stands there. */
bool sql_scan_changed_table(struct scan *scan, enum sql_access access, uint8_t deeds,
                            bool may_be_cte);
/* The same for one of which the statement does not say what is done to it. */
static inline bool sql_scan_table(struct scan *scan, enum sql_access access, bool may_be_cte)
{
    return sql_scan_changed_table(scan, access, 0, may_be_cte);
}
/* The same for one that is read and written. */
bool sql_scan_used_table(struct scan *scan);
/* Adds the table at the cursor of a SHOW, and moves after t [FROM | IN db]; whether that database
 * is kept apart from the table's. */
void sql_scan_shown_table(struct scan *scan, bool apart);
/* Adds the name at the cursor to the common table expressions. */
void sql_scan_add_cte(struct scan *scan, bool visible);
/* Takes all but the first `count` of them out of scope. */
void sql_scan_drop_ctes(struct sql_tables *tables, size_t count);
/* Empties the list before a statement is read. */
void sql_tables_clear(struct sql_tables *tables);
/* Completes the list: tables without a database get the current one, and spans become pointers.
 * False: there was no memory, and the list is empty. */
bool sql_tables_finish(struct sql_tables *tables, struct sql_span current_database);

/* Memory for another `needed`-th item. False: there is none, and the list has failed. */
bool sql_tables_grow(struct sql_tables *tables, void **items, size_t *capacity, size_t needed,
                     size_t item_bytes);
/* Keeps a name, decoded. While the list grows a span holds the offset of its bytes instead of their
 * address. False: no memory. */
bool sql_scan_keep_name(struct scan *scan, const struct sql_token *token, struct sql_span *name);
/* Keeps a point after the name that was kept last. False: no memory. */
bool sql_scan_keep_point(struct scan *scan);
/* The database of a name in the text of a PREPARE or EXECUTE IMMEDIATE that has none: where it runs. */
void sql_scan_add_inside(struct scan *scan, struct sql_span *database);
bool sql_tables_same_span(const struct sql_tables *tables, struct sql_span a, struct sql_span b);

/* tables_routines.c */

/* At CALL: adds the routine that stands after it, and moves there. */
void sql_scan_call(struct scan *scan);
/* At an opening parenthesis: adds what stands before it when that can be a stored function. */
void sql_scan_note_call(struct scan *scan);
/* At what a statement in a block begins with: in sql_mode=ORACLE that can be a procedure's name, which is
 * added and moved past, as that of CALL. */
bool sql_scan_procedure(struct scan *scan);

/* tables_scan.c */

/* To the next token. */
void sql_scan_next(struct scan *scan);
/* Moves on when the word is the current token. Inline, because most of them are not. */
static inline bool sql_scan_accept(struct scan *scan, uint16_t word)
{
    if (sql_cursor_word(&scan->cursor) != word)
        return false;
    sql_scan_next(scan);
    return true;
}

static inline bool sql_scan_accept_byte(struct scan *scan, unsigned char byte)
{
    if (!sql_cursor_is(&scan->cursor, byte))
        return false;
    sql_scan_next(scan);
    return true;
}

/* From an opening parenthesis (current) to after its closing one. */
void sql_scan_skip_parentheses(struct scan *scan);
/* Opens a frame at a parenthesis; the current frame goes on with `after` when it closes. */
void sql_scan_open_frame(struct scan *scan, enum clause inside, enum clause after);
/* What every clause does with a token it has no use for. */
void sql_scan_pass(struct scan *scan);

/* tables_query.c */

/* At a word that can begin a query: takes it, or false. */
bool sql_scan_begin_query(struct scan *scan);
/* One step in a clause of queries; false: the frame's clause is none. */
bool sql_scan_query_step(struct scan *scan);

/* tables_define.c */

/* One step in a clause of CREATE and ALTER; false: the frame's clause is none. */
bool sql_scan_define_step(struct scan *scan);

/* The clause of the current frame. */
static inline void sql_scan_set_clause(struct scan *scan, enum clause clause)
{
    sql_scan_frame(scan)->clause = (uint8_t)clause;
}

/* tables_words.c */

/* Skips any of up to four words (SQL_NO_WORD: fewer), in any order. */
void sql_scan_skip_words(struct scan *scan, uint16_t a, uint16_t b, uint16_t c, uint16_t d);
/* Skips IF [NOT] EXISTS. */
void sql_scan_skip_if_exists(struct scan *scan);
/* Moves on until one of the words stands at the cursor, outside of parentheses. False: none does.
 */
bool sql_scan_find_word(struct scan *scan, uint16_t a, uint16_t b);
/* table [anything] [, table [anything]] ..., and nothing else of interest after. */
void sql_scan_table_list(struct scan *scan, enum sql_access access);
/* table [, table] ..., and nothing else of interest after. */
void sql_scan_plain_table_list(struct scan *scan, enum sql_access access);
/* Whether ON DUPLICATE KEY stands at the cursor. */
bool sql_scan_at_duplicate_key(const struct scan *scan);

/* tables_statement.c, tables_ddl.c, tables_admin.c: each is called with the statement's first word
 * at the cursor, adds the tables that stand in fixed places and sets the first frame's clause for
 * the rest. */

void sql_scan_statement(struct scan *scan);
void sql_scan_explain(struct scan *scan);

void sql_scan_create_or_alter(struct scan *scan, bool create);
void sql_scan_drop(struct scan *scan);
void sql_scan_rename(struct scan *scan);
void sql_scan_truncate(struct scan *scan);

void sql_scan_lock(struct scan *scan);
void sql_scan_maintain(struct scan *scan, enum sql_access access);
void sql_scan_flush(struct scan *scan);
void sql_scan_show(struct scan *scan);
void sql_scan_grant(struct scan *scan);
void sql_scan_admin(struct scan *scan);
void sql_scan_split_region(struct scan *scan);
void sql_scan_recover(struct scan *scan);
void sql_scan_backup(struct scan *scan);
void sql_scan_plan_replayer(struct scan *scan);

#endif
