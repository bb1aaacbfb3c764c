/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of a statement that the firewall needs: each is read from the host once, however many
 * rules there are, and only if a rule needs it: a digest costs more than all rules together. */
#ifndef SQL_FIREWALL_STATEMENT_H
#define SQL_FIREWALL_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/plugin.h>

#define PARTS_KEPT  16  /* further ones are read from the host each time */
#define TABLES_KEPT 8   /* likewise */
#define TABLE_BYTES 160 /* "schema.table"; longer names are put together each time */
#define NAME_BYTES  600 /* a table's two names have at most 64 characters each; longer: cut */

struct table_name {
    char text[TABLE_BYTES];
    weir_string name; /* in text, or absent: it did not fit */
    uint32_t access;
};

/* A bit for each letter, in either case; other bytes share them. */
struct letters {
    uint32_t kinds, schemas, names;
};
static inline uint32_t letter_bit(char byte)
{
    return UINT32_C(1) << (byte & 31);
}

struct rule;
struct text_list;
struct statement {
    const weir_session *session;
    weir_string account;    /* borrowed */
    bool has_known_account; /* false: it may be any account, and `account` is the name that the
                               client gave, for people */
    /* Called with each rule that limits its reply; NULL: nobody wants to know. */
    void (*limited)(struct statement *statement, const struct rule *rule);
    const struct rule *unlimited; /* for the callback: a rule whose limits could not be set */
    const struct text_list
        *trusted_routines; /* patterns of those whose tables need not be known; NULL: none */
    bool is_counted; /* it is about to run, and counts for the rates of rules; false at first */
    uint64_t
        session_position; /* of its session among those of its account (crowd.h); 0: not known */
    /* Private. */
    char account_room[256];
    uint32_t asked; /* which of the facts below are there */
    weir_string sql, normalized, digest, command, database;
    bool is_read, has_names, is_understood, is_exact, has_text;
    struct letters letters;
    size_t part_count, table_count; /* of all */
    weir_part parts[PARTS_KEPT];
    struct table_name tables[TABLES_KEPT];
    char name[NAME_BYTES];
};

/* The session's statement. For one callback. */
void statement_begin(struct statement *statement, const weir_session *session);

weir_string statement_sql(struct statement *statement); /* absent: a command without text */
weir_string statement_normalized(struct statement *statement);
weir_string statement_digest(struct statement *statement);
weir_string statement_command(struct statement *statement);

/* The database that its names are looked up in; absent: it is not known. That is the session's, if
 * the caller does not know better: a prepared statement's is the one that it was prepared in. */
weir_string statement_database(struct statement *statement);
void statement_set_database(struct statement *statement, weir_string database);

/* Whether it executes what was prepared by another command. */
bool statement_is_execution(const struct statement *statement);

/* Whether its text is there and is read as the server reads it. Otherwise kinds, parts, texts and
 * the number of statements are what it looks like, and nothing more. */
bool statement_is_read(struct statement *statement);

/* Whether the kinds of all its parts are known, but for a text that is computed. */
bool statement_has_known_parts(struct statement *statement);

/* The index-th part. False: there are no more. */
bool statement_part(struct statement *statement, size_t index, weir_part *part);

/* The index-th table, as "schema.table", valid until the next call. False: there are no more. */
bool statement_table(struct statement *statement, size_t index, weir_string *name,
                     uint32_t *access);

/* What the kinds of its parts, and its tables' schemas and names begin with: of several the union. A
 * table with a dot in a name has all bits: as "a.b.c" it could be of the schema a, or a.b. */
uint32_t statement_kind_letters(struct statement *statement);
struct letters statement_table_letters(struct statement *statement);

/* The index-th routine that it calls, likewise. */
bool statement_routine(struct statement *statement, size_t index, weir_string *name);

/* Whether all tables and routines that its text names are known, and the databases that they are in. */
bool statement_has_known_names(struct statement *statement);

/* Whether its tables are known, too: the routines that it calls, if any, are trusted ones. */
bool statement_is_understood(struct statement *statement);

/* Whether the digest identifies all that the text says. It shows a question mark for the text of a
 * PREPARE or EXECUTE IMMEDIATE: see statement_has_text(). */
bool statement_is_exact(struct statement *statement);

/* Whether it prepares or runs a text. */
bool statement_has_text(struct statement *statement);

/* Whether that text is unknown before it runs. */
bool statement_is_computed(struct statement *statement);

/* Whether the digests of the statement and of the texts in it identify all that it does. */
bool statement_is_plain(struct statement *statement);

/* Whether it is a command without a statement and without effects on data: it need not be on a list. */
bool statement_is_harmless(struct statement *statement);

#endif
