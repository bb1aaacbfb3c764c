/* SPDX-License-Identifier: Apache-2.0
 *
 * Computes the facts of a statement all at once, with the same functions of the room sql as the
 * server's memo does, and puts them into the tables of the fake host. A fact of a part is computed
 * when it is asked for, because most rules ask for none. */
#include "text_session.h"

#include <weir/text.h>

#include "wire/wire.h"

const char *text_session_known_name(uint32_t list, size_t index)
{
    if (list == WEIR_NAMES_COMMAND)
        return index <= UINT8_MAX ? wire_command_name((uint8_t)index) : NULL;
    return list == WEIR_NAMES_KIND ? sql_kind_name_at(index) : NULL;
}

void text_session_open(struct text_session *session)
{
    *session = (struct text_session){.digest = ""};
    fake_session_init(&session->session);
    sql_digester_init(&session->digester);
    sql_tables_init(&session->tables);
    sql_parts_init(&session->parts);
}

void text_session_close(struct text_session *session)
{
    sql_digester_release(&session->digester);
    sql_tables_release(&session->tables);
    sql_parts_release(&session->parts);
    strbuf_release(&session->normalized);
    strbuf_release(&session->table_memory);
    strbuf_release(&session->routine_memory);
    strbuf_release(&session->part_memory);
}

static weir_string of_span(struct sql_span span)
{
    return (weir_string){span.at, span.size};
}

static bool read_tables(struct text_session *session)
{
    static const uint32_t accesses[] = {[SQL_ACCESS_READ] = WEIR_TABLE_READ,
                                        [SQL_ACCESS_WRITE] = WEIR_TABLE_WRITE,
                                        [SQL_ACCESS_DDL] = WEIR_TABLE_DDL};
    strbuf_reset(&session->table_memory);
    for (size_t i = 0; i < session->tables.count; i++) {
        const struct sql_table *item = &session->tables.items[i];
        weir_table table = {.schema = of_span(sql_table_schema(item)),
                            .name = of_span(item->name),
                            .access = accesses[item->access]};
        strbuf_add(&session->table_memory, &table, sizeof table);
    }
    session->session.tables = (const weir_table *)(const void *)session->table_memory.data;
    session->session.table_count = session->tables.count;
    return !session->table_memory.failed;
}

static bool read_routines(struct text_session *session)
{
    strbuf_reset(&session->routine_memory);
    for (size_t i = 0; i < session->tables.routine_count; i++) {
        const struct sql_routine *item = &session->tables.routines[i];
        weir_routine routine = {.schema = of_span(item->database),
                                .name = of_span(item->name),
                                .how = item->is_call ? WEIR_ROUTINE_CALL : WEIR_ROUTINE_FUNCTION};
        strbuf_add(&session->routine_memory, &routine, sizeof routine);
    }
    session->session.routines = (const weir_routine *)(const void *)session->routine_memory.data;
    session->session.routine_count = session->tables.routine_count;
    return !session->routine_memory.failed;
}

/* What is named without a database is in an unknown one, if the current one is not known. */
static bool are_names_known(const struct text_session *session)
{
    bool known = session->tables.known;
    for (size_t i = 0; !session->database.at && i < session->tables.count; i++)
        known = known && sql_table_schema(&session->tables.items[i]).size > 0;
    for (size_t i = 0; !session->database.at && i < session->tables.routine_count; i++)
        known = known && session->tables.routines[i].database.size > 0;
    return known;
}

static bool read_parts(struct text_session *session)
{
    strbuf_reset(&session->part_memory);
    for (size_t i = 0; i < session->parts.count; i++) {
        const struct sql_part *item = &session->parts.items[i];
        bool is_inexact = item->in_text && !sql_digest_is_exact(item->text, &item->mode);
        weir_part part = {.kind = text_of(sql_label_name(sql_kind_label(item->kind))),
                          .specific_kind = text_of(sql_kind_name(item->kind)),
                          .flags = (item->has_where ? WEIR_PART_HAS_WHERE : 0) |
                                   (item->in_text ? WEIR_PART_IN_TEXT : 0) |
                                   (is_inexact ? WEIR_PART_INEXACT : 0)};
        strbuf_add(&session->part_memory, &part, sizeof part);
    }
    session->session.parts = (const weir_part *)(const void *)session->part_memory.data;
    session->session.part_count = session->parts.count;
    return !session->part_memory.failed;
}

/* Computes a fact of a part: valid until the next call. */
static weir_string part_text(const weir_session *asked, size_t index, uint32_t fact)
{
    struct text_session *session = (struct text_session *)asked; /* its first member */
    struct sql_span normalized;
    weir_string none = {NULL, 0};
    if (index >= session->parts.count)
        return none;
    struct sql_span text = session->parts.items[index].text;
    if (fact == WEIR_TEXT_sql)
        return of_span(text);
    if (!sql_normalize(&session->digester, text, &normalized))
        return none;
    if (fact == WEIR_TEXT_normalized)
        return of_span(normalized);
    return sql_digest(&session->digester, normalized, session->part_digest)
               ? text_of(session->part_digest)
               : none;
}

bool text_session_read(struct text_session *session, struct sql_span statement,
                       size_t statement_count)
{
    struct sql_span normalized;
    weir_string *text = session->session.text;
    uint64_t *number = session->session.number;
    strbuf_reset(&session->normalized);
    if (!sql_normalize(&session->digester, statement, &normalized) ||
        !sql_digest(&session->digester, normalized, session->digest))
        return false;
    strbuf_add(&session->normalized, normalized.at, normalized.size);
    if (session->normalized.failed ||
        !sql_tables_read(&session->tables, statement, &session->mode, session->database) ||
        !sql_parts_read(&session->parts, statement, &session->mode) || !read_tables(session) ||
        !read_routines(session) || !read_parts(session))
        return false;
    session->session.part_text = part_text;
    text[WEIR_TEXT_current_user] = of_span(session->account);
    text[WEIR_TEXT_database] = of_span(session->database);
    text[WEIR_TEXT_command] = text_of("Query");
    text[WEIR_TEXT_sql] = of_span(statement);
    text[WEIR_TEXT_kind] = session->session.parts[0].kind;
    text[WEIR_TEXT_specific_kind] = session->session.parts[0].specific_kind;
    text[WEIR_TEXT_normalized] = (weir_string){session->normalized.data, session->normalized.size};
    text[WEIR_TEXT_digest] = text_of(session->digest);
    number[WEIR_NUMBER_statement_count] = statement_count;
    number[WEIR_NUMBER_names_known] = are_names_known(session);
    number[WEIR_NUMBER_routine_count] = session->tables.routine_count;
    number[WEIR_NUMBER_tables_known] = are_names_known(session) && !session->tables.routine_count;
    number[WEIR_NUMBER_reading_known] = !session->mode.unsure;
    number[WEIR_NUMBER_digest_exact] = sql_digest_is_exact(statement, &session->mode);
    return true;
}
