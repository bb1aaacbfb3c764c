/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of a host that rules call; what they do not call is absent. */
#include "host.h"

#include <string.h>

void host_open(struct weir_session *session)
{
    sql_digester_init(&session->digester);
    sql_tables_init(&session->tables);
    sql_parts_init(&session->parts);
    strbuf_init(&session->normalized);
}

void host_close(struct weir_session *session)
{
    sql_digester_release(&session->digester);
    sql_tables_release(&session->tables);
    sql_parts_release(&session->parts);
    strbuf_release(&session->normalized);
}

bool host_read(struct weir_session *session, struct sql_span statement, size_t statement_count)
{
    struct sql_span normalized;
    session->statement = statement;
    session->statement_count = statement_count;
    strbuf_reset(&session->normalized);
    if (!sql_normalize(&session->digester, statement, &normalized))
        return false;
    strbuf_add(&session->normalized, normalized.at, normalized.size);
    return !session->normalized.failed &&
           sql_digest(&session->digester, normalized, session->digest) &&
           sql_tables_read(&session->tables, statement, &session->mode, session->database) &&
           sql_parts_read(&session->parts, statement, &session->mode);
}

static weir_string text_of(const char *text)
{
    return (weir_string){text, strlen(text)};
}

static weir_string text(const weir_session *session, uint32_t fact)
{
    switch (fact) {
    case WEIR_TEXT_current_user:
        return (weir_string){session->account.at, session->account.size};
    case WEIR_TEXT_command:
        return text_of("Query");
    case WEIR_TEXT_sql:
        return (weir_string){session->statement.at, session->statement.size};
    case WEIR_TEXT_kind:
        return text_of(sql_label_name(sql_kind_label(session->parts.items[0].kind)));
    case WEIR_TEXT_specific_kind:
        return text_of(sql_kind_name(session->parts.items[0].kind));
    case WEIR_TEXT_normalized:
        return (weir_string){session->normalized.data, session->normalized.size};
    case WEIR_TEXT_digest:
        return text_of(session->digest);
    default:
        return (weir_string){NULL, 0};
    }
}

static uint64_t number(const weir_session *session, uint32_t fact)
{
    switch (fact) {
    case WEIR_NUMBER_statement_count:
        return session->statement_count;
    case WEIR_NUMBER_tables_known:
        return session->tables.known;
    case WEIR_NUMBER_digest_exact:
        return sql_digest_is_exact(session->statement, &session->mode);
    default:
        return WEIR_ABSENT;
    }
}

static int table(const weir_session *session, size_t index, weir_table *answer)
{
    static const uint32_t accesses[] = {[SQL_ACCESS_READ] = WEIR_TABLE_READ,
                                        [SQL_ACCESS_WRITE] = WEIR_TABLE_WRITE,
                                        [SQL_ACCESS_DDL] = WEIR_TABLE_DDL};
    if (index >= session->tables.count)
        return 0;
    const struct sql_table *item = &session->tables.items[index];
    struct sql_span schema = sql_table_schema(item);
    *answer = (weir_table){.schema = {schema.at, schema.size},
                           .name = {item->name.at, item->name.size},
                           .access = accesses[item->access]};
    return 1;
}

static int part(const weir_session *session, size_t index, weir_part *answer)
{
    if (index >= session->parts.count)
        return 0;
    const struct sql_part *item = &session->parts.items[index];
    bool is_inexact = item->in_text && !sql_digest_is_exact(item->text, &session->mode);
    *answer = (weir_part){.kind = text_of(sql_label_name(sql_kind_label(item->kind))),
                          .specific_kind = text_of(sql_kind_name(item->kind)),
                          .flags = (item->has_where ? WEIR_PART_HAS_WHERE : 0) |
                                   (item->in_text ? WEIR_PART_IN_TEXT : 0) |
                                   (is_inexact ? WEIR_PART_INEXACT : 0)};
    return 1;
}

/* Asks for a fact of a part: until the next call. */
static weir_string part_text(const weir_session *asked, size_t index, uint32_t fact)
{
    struct weir_session *session = (struct weir_session *)asked; /* what is answered lies in it */
    struct sql_span normalized;
    weir_string none = {NULL, 0};
    if (index >= session->parts.count)
        return none;
    struct sql_span text = session->parts.items[index].text;
    if (fact == WEIR_TEXT_sql)
        return (weir_string){text.at, text.size};
    if (!sql_normalize(&session->digester, text, &normalized))
        return none;
    if (fact == WEIR_TEXT_normalized)
        return (weir_string){normalized.at, normalized.size};
    return sql_digest(&session->digester, normalized, session->part_digest)
               ? text_of(session->part_digest)
               : none;
}

static const weir_host_functions functions = {
    .api_version = WEIR_API_VERSION,
    .struct_size = sizeof(weir_host_functions),
    .text = text,
    .number = number,
    .table = table,
    .part = part,
    .part_text = part_text,
};

const weir_host_functions *weir_host_table = &functions;
