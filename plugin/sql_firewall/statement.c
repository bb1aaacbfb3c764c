/* SPDX-License-Identifier: Apache-2.0
 *
 * A cache of facts about one statement. Each fact is asked of the host when a rule first needs it,
 * and remembered in a bit of `asked`; beginning a statement clears the bits and nothing else.
 *
 * A few parts and tables are kept as they are; those beyond are asked for again each time. The
 * names of kept tables are joined to "schema.name" once. The letters with which kinds and tables
 * begin are collected on the way, for the gists of rules.c; a name with a dot in it may match a
 * pattern at another place, and therefore counts as every letter. */
#include "statement.h"

#include <stdio.h>
#include <string.h>
#include <weir/pattern.h>
#include <weir/text.h>

#include "rules.h"

enum {
    ASKED_SQL = 1,
    ASKED_NORMALIZED = 2,
    ASKED_DIGEST = 4,
    ASKED_COMMAND = 8,
    ASKED_UNDERSTOOD = 16,
    ASKED_EXACT = 32,
    ASKED_PARTS = 64,
    ASKED_TABLES = 128,
    ASKED_READING = 256,
    ASKED_DATABASE = 512,
    ASKED_NAMES = 1024,
};

enum { /* commands that have, or execute, a text */
       COMMAND_QUERY = 0x03,
       COMMAND_PREPARE = 0x16,
       COMMAND_EXECUTE = 0x17,
       COMMAND_BULK_EXECUTE = 0xfa,
};

/* True for the first who asks for the fact, who then gets it. */
static bool is_new(struct statement *statement, uint32_t fact)
{
    bool asked = statement->asked & fact;
    statement->asked |= fact;
    return !asked;
}

void statement_begin(struct statement *statement, const weir_session *session)
{
    statement->session = session;
    statement->asked = 0;
    statement->is_counted = false;
    statement->limited = NULL;
    statement->unlimited = NULL;
    statement->trusted_routines = NULL;
    statement->session_position = 0;
    statement->account = weir_current_user(session);
    statement->has_known_account = statement->account.data != NULL;
    if (!statement->has_known_account) {
        int size =
            snprintf(statement->account_room, sizeof statement->account_room, "%.*s@%.*s",
                     WEIR_STRING_ARGS(weir_user(session)), WEIR_STRING_ARGS(weir_host(session)));
        size_t room = sizeof statement->account_room - 1;
        statement->account = (weir_string){statement->account_room,
                                           size >= 0 && (size_t)size < room ? (size_t)size : room};
    }
}

/* X(name, mask) */
#define TEXTS(X)                                                                                   \
    X(sql, ASKED_SQL)                                                                              \
    X(normalized, ASKED_NORMALIZED)                                                                \
    X(digest, ASKED_DIGEST)                                                                        \
    X(command, ASKED_COMMAND)                                                                      \
    X(database, ASKED_DATABASE)
#define X(name, mask)                                                                              \
    weir_string statement_##name(struct statement *statement)                                      \
    {                                                                                              \
        if (is_new(statement, mask))                                                               \
            statement->name = weir_##name(statement->session);                                     \
        return statement->name;                                                                    \
    }
TEXTS(X)
#undef X

void statement_set_database(struct statement *statement, weir_string database)
{
    statement->asked |= ASKED_DATABASE;
    statement->database = database;
}

bool statement_is_execution(const struct statement *statement)
{
    uint64_t code = weir_command_code(statement->session);
    return code == COMMAND_EXECUTE || code == COMMAND_BULK_EXECUTE;
}

/* A command that should have a text and has none is not read: what it executes was prepared unseen,
 * or there was no memory. */
static bool has_readable_text(struct statement *statement)
{
    if (statement_sql(statement).data)
        return weir_reading_known(statement->session) == 1;
    uint64_t code = weir_command_code(statement->session);
    return !statement_is_execution(statement) && code != COMMAND_QUERY && code != COMMAND_PREPARE;
}

bool statement_is_read(struct statement *statement)
{
    if (is_new(statement, ASKED_READING))
        statement->is_read = has_readable_text(statement);
    return statement->is_read;
}

static bool runs_text(const weir_part *part)
{
    return text_is(part->specific_kind, "Prepare") ||
           text_is(part->specific_kind, "ExecuteImmediate");
}

static uint32_t first_letter(weir_string text)
{
    return text.size ? letter_bit(text.data[0]) : UINT32_MAX; /* * fits it, too */
}

/* Most statements have no other parts, and need not be read for them. What it says of WHERE is asked
 * of UPDATE and DELETE alone. */
static bool is_simple(const weir_part *part)
{
    return text_is(part->specific_kind, "Select") || text_is(part->specific_kind, "Insert") ||
           text_is(part->specific_kind, "Replace");
}

static void add_part(struct statement *statement, const weir_part *part)
{
    statement->has_text = statement->has_text || runs_text(part);
    statement->letters.kinds |= first_letter(part->kind) | first_letter(part->specific_kind);
    if (statement->part_count < PARTS_KEPT)
        statement->parts[statement->part_count] = *part;
    statement->part_count++;
}

static void ask_parts(struct statement *statement)
{
    weir_part part = {weir_kind(statement->session), weir_specific_kind(statement->session), 0};
    statement->has_text = false;
    statement->letters.kinds = 0;
    statement->part_count = 0;
    if (is_simple(&part))
        add_part(statement, &part);
    else
        while (weir_statement_part(statement->session, statement->part_count, &part))
            add_part(statement, &part);
}

uint32_t statement_kind_letters(struct statement *statement)
{
    if (is_new(statement, ASKED_PARTS))
        ask_parts(statement);
    return statement->letters.kinds;
}

bool statement_part(struct statement *statement, size_t index, weir_part *part)
{
    if (is_new(statement, ASKED_PARTS))
        ask_parts(statement);
    if (index >= statement->part_count)
        return false;
    if (index >= PARTS_KEPT)
        return weir_statement_part(statement->session, index, part);
    *part = statement->parts[index];
    return true;
}

bool statement_has_known_parts(struct statement *statement)
{
    weir_part first;
    return statement_is_read(statement) && !statement_is_computed(statement) &&
           (statement_part(statement, 0, &first) || !statement_sql(statement).data);
}

static weir_string join(const weir_table *table, char *room, size_t size)
{
    int length = snprintf(room, size, "%.*s.%.*s", WEIR_STRING_ARGS(table->schema),
                          WEIR_STRING_ARGS(table->name));
    bool fits = length >= 0 && (size_t)length < size;
    return (weir_string){room, fits ? (size_t)length : size - 1};
}

static void keep(struct table_name *kept, const weir_table *table)
{
    kept->access = table->access;
    kept->name = (weir_string){NULL, 0};
    if (table->schema.size < TABLE_BYTES && table->name.size < TABLE_BYTES &&
        table->schema.size + table->name.size + 1 < TABLE_BYTES)
        kept->name = join(table, kept->text, sizeof kept->text);
}

static bool has_dot(weir_string name)
{
    return name.size && memchr(name.data, '.', name.size);
}

static void ask_tables(struct statement *statement)
{
    weir_table table;
    size_t count = 0;
    statement->letters.schemas = statement->letters.names = 0;
    for (; weir_statement_table(statement->session, count, &table); count++) {
        if (count < TABLES_KEPT)
            keep(&statement->tables[count], &table);
        bool is_split = !has_dot(table.schema) && !has_dot(table.name);
        statement->letters.schemas |= is_split ? first_letter(table.schema) : UINT32_MAX;
        statement->letters.names |= is_split ? first_letter(table.name) : UINT32_MAX;
    }
    statement->table_count = count;
}

struct letters statement_table_letters(struct statement *statement)
{
    if (is_new(statement, ASKED_TABLES))
        ask_tables(statement);
    return statement->letters;
}

bool statement_table(struct statement *statement, size_t index, weir_string *name, uint32_t *access)
{
    weir_table table;
    if (is_new(statement, ASKED_TABLES))
        ask_tables(statement);
    if (index < TABLES_KEPT && index < statement->table_count &&
        statement->tables[index].name.data) {
        *name = statement->tables[index].name;
        *access = statement->tables[index].access;
        return true;
    }
    if (index >= statement->table_count || !weir_statement_table(statement->session, index, &table))
        return false;
    *name = join(&table, statement->name, sizeof statement->name);
    *access = table.access;
    return true;
}

bool statement_routine(struct statement *statement, size_t index, weir_string *name)
{
    weir_routine routine;
    if (!weir_statement_routine(statement->session, index, &routine))
        return false;
    weir_table as_table = {routine.schema, routine.name, 0};
    *name = join(&as_table, statement->name, sizeof statement->name);
    return true;
}

bool statement_has_known_names(struct statement *statement)
{
    if (is_new(statement, ASKED_NAMES))
        statement->has_names =
            weir_names_known(statement->session) == 1 && statement_is_read(statement);
    return statement->has_names;
}

/* "a.b.c" could be of the schema a.b, or a package's in a: the former is trusted by no pattern. */
static bool trusts_routines(struct statement *statement)
{
    weir_routine routine;
    weir_string name;
    bool trusted = statement->trusted_routines != NULL;
    for (size_t i = 0; trusted && weir_statement_routine(statement->session, i, &routine); i++)
        trusted = !has_dot(routine.schema) && statement_routine(statement, i, &name) &&
                  text_list_matches(statement->trusted_routines, name, PATTERN_FOLDS);
    return trusted;
}

bool statement_is_understood(struct statement *statement)
{
    if (is_new(statement, ASKED_UNDERSTOOD))
        statement->is_understood =
            statement_has_known_names(statement) &&
            (weir_tables_known(statement->session) == 1 || trusts_routines(statement));
    return statement->is_understood;
}

bool statement_is_exact(struct statement *statement)
{
    if (is_new(statement, ASKED_EXACT))
        statement->is_exact =
            weir_digest_exact(statement->session) == 1 && statement_is_read(statement);
    return statement->is_exact;
}

bool statement_has_text(struct statement *statement)
{
    if (is_new(statement, ASKED_PARTS))
        ask_parts(statement);
    return statement->has_text;
}

bool statement_is_computed(struct statement *statement)
{
    return statement_has_text(statement) && !statement_has_known_names(statement);
}

bool statement_is_plain(struct statement *statement)
{
    weir_part part;
    bool plain = statement_is_exact(statement) && !statement_is_computed(statement);
    for (size_t i = 1;
         plain && statement_has_text(statement) && statement_part(statement, i, &part); i++)
        plain = !(part.flags & WEIR_PART_INEXACT);
    return plain;
}

bool statement_is_harmless(struct statement *statement)
{
    static const uint8_t codes[] = {0x01, 0x0e, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1f};
    /* Quit, Ping, Long Data, Close, Reset, Set Option and Fetch of what was executed, Reset
     * Connection */
    return !statement_sql(statement).data &&
           memchr(codes, (int)weir_command_code(statement->session), sizeof codes) != NULL;
}
