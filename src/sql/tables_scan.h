/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the state of the table scanner, shared by its parts:
 *
 *     tables.c            the list: names, duplicates, limits, readings
 *     tables_scan.c       the machine: frames and clauses
 *     tables_statement.c  where each kind of statement has its tables
 *
 * A frame is an open parenthesis (the first one is the statement itself), a clause what the tokens
 * in it mean just now. Nesting is in the array of frames, never in the C stack. */
#ifndef WEIR_SQL_TABLES_SCAN_H
#define WEIR_SQL_TABLES_SCAN_H

#include "sql/blocks.h"
#include "sql/cursor.h"
#include "sql/tables.h"

enum clause {
    CLAUSE_OTHER,      /* expressions and the like: only parentheses and set operations matter */
    CLAUSE_PAREN,      /* just behind an opening parenthesis that may hold a query */
    CLAUSE_QUERY,      /* a query must begin here */
    CLAUSE_SELECT,     /* behind SELECT: FROM opens the table references */
    CLAUSE_FACTOR,     /* a table, derived table or parenthesised join must stand here */
    CLAUSE_REFS,       /* behind one: a comma or JOIN wants another */
    CLAUSE_WITH,       /* the name of a common table expression */
    CLAUSE_WITH_NEXT,  /* behind one */
    CLAUSE_INSERT,     /* behind the target of INSERT */
    CLAUSE_CREATE,     /* behind the name of CREATE TABLE */
    CLAUSE_ALTER,      /* behind the name of ALTER TABLE */
    CLAUSE_REFERENCES, /* in the definitions of a table: FOREIGN KEY ... REFERENCES */
    CLAUSE_TRIGGER,    /* CREATE TRIGGER, before ON table */
    CLAUSE_BINDING,    /* CREATE BINDING: FOR and USING are followed by statements */
    CLAUSE_SKIP,       /* nothing here matters, not even parentheses with queries */
};

struct frame {
    uint8_t clause; /* enum clause */
    uint8_t access; /* enum sql_access of its table references */
    bool recursive; /* WITH RECURSIVE */
    bool foreign;   /* CLAUSE_REFERENCES: FOREIGN KEY was seen since the last comma */
    bool binding;   /* USING at this level begins a statement */
    bool cte;       /* the body of the last common table expression below ctes */
    uint32_t ctes;  /* how many were in scope when it was opened */
};

struct scan {
    struct sql_cursor cursor;
    struct sql_tables *tables;
    struct sql_blocks blocks;
    struct frame frames[SQL_TABLES_DEPTH_MAX];
    unsigned depth; /* of the current frame; 0 is the statement */
    unsigned texts; /* how deep in texts of PREPARE */
    bool compound;  /* blocks is in use */
    bool verb;      /* the current token is the first of a statement inside of a compound one */
    bool unknown;
    bool no_statement;            /* what it begins with is no statement: every server refuses it */
    struct sql_token targets[16]; /* DELETE's, when it names several: name tokens */
    unsigned target_count;
    bool targets_all; /* too many to keep: each table counts as one */
};

struct sql_cte {
    size_t offset, size; /* its name in tables->names */
    bool visible;
};

static inline struct frame *sql_scan_frame(struct scan *scan)
{
    return &scan->frames[scan->depth];
}

/* tables.c */

/* Adds the table at the cursor (name, db.name, .name, *.name) and moves behind it. False, and the
 * list is unknown: no name stands there. */
bool sql_scan_table(struct scan *scan, enum sql_access access, bool may_be_cte);
/* The name at the cursor is the database of the table added last: SHOW COLUMNS FROM t FROM db. */
void sql_scan_set_database(struct scan *scan);
/* Adds the name at the cursor to the common table expressions. */
void sql_scan_add_cte(struct scan *scan, bool visible);
/* Reads the text of a string token like a statement. */
void sql_scan_text(struct scan *scan, const struct sql_token *string);

/* tables_scan.c */

/* To the next token. */
void sql_scan_next(struct scan *scan);
/* Moves on when the word is the current token. */
bool sql_scan_accept(struct scan *scan, uint16_t word);
bool sql_scan_accept_byte(struct scan *scan, unsigned char byte);
/* From an opening parenthesis (current) to behind its closing one. */
void sql_scan_skip_parentheses(struct scan *scan);
/* Reads tokens up to the end of the text. */
void sql_scan_run(struct scan *scan);
/* From WITH to its first name. */
void sql_scan_with(struct scan *scan);

/* tables_statement.c */

/* A statement begins at the cursor: sets the first frame's clause, adds the tables that stand in
 * fixed places. */
void sql_scan_statement(struct scan *scan);

#endif
