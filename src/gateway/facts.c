/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/facts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/hold.h"
#include "gateway/parameters.h"
#include "gateway/prepared.h"
#include "gateway/statement.h"

#define KEPT_BYTES 1024 /* most memory of each buffer that an idle session keeps */

/* The tables of a prepared statement are kept with it when they are few, and its text short. */
#define KEPT_TABLES      32
#define KEPT_TABLES_TEXT 4096 /* bytes */

/* What has been computed of the current statement. The struct stays with the session; its buffers
 * only while they are small. */
struct computed_facts {
    uint64_t statement_number; /* of the statement that they belong to */
    bool has_kinds, has_digest, has_parts;
    struct sql_kinds kinds;
    char digest[SQL_DIGEST_BYTES];
    struct strbuf normalized;
    struct sql_parts parts;
    struct strbuf parameter; /* text of the parameter asked for last */
    struct strbuf expanded;  /* the text with its parameters */
    struct strbuf part;      /* text of the part asked for last */
};

static struct computed_facts *computed(struct session *session)
{
    if (!session->run.facts) {
        session->run.facts = calloc(1, sizeof *session->run.facts);
        if (session->run.facts) {
            session->run.facts->statement_number =
                session->facts.number[WEIR_NUMBER_statement_number];
            strbuf_init(&session->run.facts->normalized);
            strbuf_init(&session->run.facts->parameter);
            strbuf_init(&session->run.facts->expanded);
            strbuf_init(&session->run.facts->part);
            sql_parts_init(&session->run.facts->parts);
        }
    }
    return session->run.facts;
}

static void empty(struct strbuf *buffer)
{
    if (buffer->capacity > KEPT_BYTES)
        strbuf_release(buffer);
    else
        strbuf_reset(buffer);
}

void facts_forget(struct session *session)
{
    struct computed_facts *facts = session->run.facts;
    if (!facts)
        return;
    facts->has_kinds = facts->has_digest = facts->has_parts = false;
    empty(&facts->normalized);
    empty(&facts->parameter);
    empty(&facts->expanded);
    empty(&facts->part);
}

void facts_of_statement(struct session *session, uint64_t number)
{
    if (session->run.facts && session->run.facts->statement_number != number)
        facts_forget(session);
    if (session->run.facts)
        session->run.facts->statement_number = number;
}

void facts_release(struct session *session)
{
    struct computed_facts *facts = session->run.facts;
    session->run.facts = NULL;
    if (!facts)
        return;
    strbuf_release(&facts->normalized);
    strbuf_release(&facts->parameter);
    strbuf_release(&facts->expanded);
    strbuf_release(&facts->part);
    sql_parts_release(&facts->parts);
    free(facts);
}

static weir_string text_of(const char *text)
{
    return (weir_string){text, strlen(text)};
}

/* at is NULL when there is no text. */
static struct sql_span span_of(const struct statement *statement)
{
    return (struct sql_span){statement->text, statement->size};
}

/* ---- Texts ---- */

static weir_string kind_fact(struct session *session, uint32_t fact)
{
    struct computed_facts *facts = computed(session);
    const struct statement *statement = statement_current(session);
    if (!facts || !statement->text)
        return (weir_string){NULL, 0};
    struct prepared *prepared = session->run.prepared;
    if (prepared && prepared->computed.has_kinds)
        facts->kinds = prepared->computed.kinds;
    else if (!facts->has_kinds)
        facts->kinds = sql_statement_kind(span_of(statement), &statement->mode);
    facts->has_kinds = true;
    if (prepared) {
        prepared->computed.kinds = facts->kinds;
        prepared->computed.has_kinds = true;
    }
    return text_of(fact == WEIR_TEXT_kind ? sql_label_name(facts->kinds.label)
                                          : sql_kind_name(facts->kinds.kind));
}

/* Normalised text and digest come together. */
static bool compute_digest(struct session *session, struct computed_facts *facts)
{
    struct sql_digester *digester = &session->worker->digester;
    struct sql_span normalized;
    if (!sql_normalize(digester, span_of(statement_current(session)), &normalized) ||
        !sql_digest(digester, normalized, facts->digest))
        return false;
    strbuf_add(&facts->normalized, normalized.at, normalized.size);
    facts->has_digest = !facts->normalized.failed;
    struct prepared *prepared = session->run.prepared;
    if (prepared && facts->has_digest) {
        memcpy(prepared->computed.digest, facts->digest, sizeof facts->digest);
        prepared->computed.has_digest = true;
    }
    return facts->has_digest;
}

static weir_string digest_fact(struct session *session, uint32_t fact)
{
    struct computed_facts *facts = computed(session);
    const struct prepared *prepared = session->run.prepared;
    if (fact == WEIR_TEXT_digest && prepared && prepared->computed.has_digest)
        return (weir_string){prepared->computed.digest, SQL_DIGEST_BYTES - 1};
    if (!facts || !statement_current(session)->text ||
        (!facts->has_digest && !compute_digest(session, facts)))
        return (weir_string){NULL, 0};
    if (fact == WEIR_TEXT_digest)
        return (weir_string){facts->digest, SQL_DIGEST_BYTES - 1};
    return (weir_string){facts->normalized.data, facts->normalized.size};
}

static weir_string expanded_fact(struct session *session)
{
    struct computed_facts *facts = computed(session);
    if (!facts || !session->run.prepared)
        return (weir_string){NULL, 0};
    strbuf_reset(&facts->expanded);
    if (!parameters_expand(session, &facts->expanded))
        return (weir_string){NULL, 0};
    return (weir_string){facts->expanded.data, facts->expanded.size};
}

static weir_string text_fact(void *source_data, uint32_t fact)
{
    struct session *session = source_data;
    weir_string text = {NULL, 0};
    switch (fact) {
    case WEIR_TEXT_kind:
    case WEIR_TEXT_specific_kind:
        text = kind_fact(session, fact);
        break;
    case WEIR_TEXT_digest:
    case WEIR_TEXT_normalized:
        text = digest_fact(session, fact);
        break;
    case WEIR_TEXT_expanded_sql:
        text = expanded_fact(session);
        break;
    default:
        break;
    }
    return text;
}

/* ---- Tables and numbers ---- */

/* The database in which names are looked up: for a prepared statement that of its Prepare. */
static struct sql_span name_space(const struct session *session)
{
    const weir_string *database = &session->facts.text[WEIR_TEXT_database];
    const struct prepared *prepared = session->run.prepared;
    if (prepared)
        return (struct sql_span){prepared->database, strlen(prepared->database)};
    return (struct sql_span){database->data, database->size};
}

/* The tables of the prepared statement that runs, read when first asked for. NULL: none runs, they
 * are not to be kept, or there was no memory. */
static const struct sql_tables *tables_of_prepared(struct session *session)
{
    struct prepared *prepared = session->run.prepared;
    const struct statement *statement = statement_current(session);
    if (!prepared || statement->size > KEPT_TABLES_TEXT || prepared->computed.has_many_tables)
        return NULL;
    struct sql_tables *tables = &prepared->computed.tables;
    if (prepared->computed.has_tables)
        return tables;
    prepared->computed.has_tables =
        sql_tables_read(tables, span_of(statement), &statement->mode, name_space(session)) &&
        tables->count <= KEPT_TABLES;
    if (prepared->computed.has_tables)
        return tables;
    prepared->computed.has_many_tables = true;
    sql_tables_release(tables);
    return NULL;
}

/* The worker's table reader, holding the current statement's tables. The worker's sessions share
 * it: what it gives lives as long as the callback that asked. NULL: no statement, or no memory. */
static const struct sql_tables *tables_of(struct session *session)
{
    struct worker *worker = session->worker;
    const struct statement *statement = statement_current(session);
    uint64_t number = session->facts.number[WEIR_NUMBER_statement_number];
    if (!statement->text)
        return NULL;
    const struct sql_tables *kept = tables_of_prepared(session);
    if (kept)
        return kept;
    if (worker->tables_session != session->id || worker->tables_statement != number) {
        worker->tables_session = 0;
        if (!sql_tables_read(&worker->tables, span_of(statement), &statement->mode,
                             name_space(session)))
            return NULL;
        worker->tables_session = session->id;
        worker->tables_statement = number;
    }
    return &worker->tables;
}

/* Of a command without text: 1. */
static bool is_exact(const struct statement *statement)
{
    return !statement->text || sql_digest_is_exact(span_of(statement), &statement->mode);
}

static uint64_t number_fact(void *source_data, uint32_t fact)
{
    struct session *session = source_data;
    const struct sql_tables *tables = NULL;
    uint64_t number = WEIR_ABSENT;
    switch (fact) {
    case WEIR_NUMBER_connection_duration:
        number = clock_monotonic_ns() - session->accepted_ns;
        break;
    case WEIR_NUMBER_table_count:
        tables = tables_of(session);
        number = tables ? tables->count : 0;
        break;
    case WEIR_NUMBER_tables_known:
        tables = tables_of(session);
        number = tables ? tables->known : !statement_current(session)->text;
        break;
    case WEIR_NUMBER_digest_exact:
        number = is_exact(statement_current(session));
        break;
    default:
        break;
    }
    return number;
}

static int table_fact(void *source_data, size_t index, weir_table *out)
{
    static const uint32_t accesses[] = {[SQL_ACCESS_READ] = WEIR_TABLE_READ,
                                        [SQL_ACCESS_WRITE] = WEIR_TABLE_WRITE,
                                        [SQL_ACCESS_DDL] = WEIR_TABLE_DDL};
    const struct sql_tables *tables = tables_of(source_data);
    if (!tables || index >= tables->count)
        return 0;
    const struct sql_table *table = &tables->items[index];
    struct sql_span schema = sql_table_schema(table);
    *out = (weir_table){.schema = {schema.at, schema.size},
                        .name = {table->name.at, table->name.size},
                        .access = accesses[table->access]};
    return 1;
}

static const struct sql_part *part_at(struct session *session, size_t index)
{
    struct computed_facts *facts = computed(session);
    const struct statement *statement = statement_current(session);
    if (!facts || !statement->text)
        return NULL;
    if (!facts->has_parts)
        facts->has_parts = sql_parts_read(&facts->parts, span_of(statement), &statement->mode);
    return facts->has_parts && index < facts->parts.count ? &facts->parts.items[index] : NULL;
}

static int part_fact(void *source_data, size_t index, weir_part *out)
{
    const struct sql_part *part = part_at(source_data, index);
    if (!part)
        return 0;
    const struct sql_mode *mode = &statement_current(source_data)->mode;
    bool is_inexact = part->in_text && !sql_digest_is_exact(part->text, mode);
    *out = (weir_part){.kind = text_of(sql_label_name(sql_kind_label(part->kind))),
                       .specific_kind = text_of(sql_kind_name(part->kind)),
                       .flags = (part->has_where ? WEIR_PART_HAS_WHERE : 0) |
                                (part->in_text ? WEIR_PART_IN_TEXT : 0) |
                                (is_inexact ? WEIR_PART_INEXACT : 0)};
    return 1;
}

static weir_string part_text_fact(void *source_data, size_t index, uint32_t fact)
{
    struct session *session = source_data;
    struct sql_digester *digester = &session->worker->digester;
    const struct sql_part *part = part_at(session, index);
    struct sql_span normalized;
    char digest[SQL_DIGEST_BYTES];
    weir_string none = {NULL, 0};
    if (!part || (fact != WEIR_TEXT_sql && !sql_normalize(digester, part->text, &normalized)))
        return none;
    if (fact == WEIR_TEXT_digest && !sql_digest(digester, normalized, digest))
        return none;
    struct strbuf *out = &session->run.facts->part;
    strbuf_reset(out);
    switch (fact) {
    case WEIR_TEXT_sql:
        strbuf_add(out, part->text.at, part->text.size);
        break;
    case WEIR_TEXT_normalized:
        strbuf_add(out, normalized.at, normalized.size);
        break;
    case WEIR_TEXT_digest:
        strbuf_add_text(out, digest);
        break;
    default:
        return none;
    }
    return out->failed ? none : (weir_string){out->data ? out->data : "", out->size};
}

static int parameter_fact(void *source_data, size_t index, weir_parameter *out)
{
    struct computed_facts *facts = computed(source_data);
    return facts && parameters_get(source_data, index, &facts->parameter, out);
}

static struct weir_hold *hold(void *source_data, enum plugin_hold_kind kind)
{
    return kind == PLUGIN_HOLD_REPLY ? hold_begin(source_data) : NULL;
}

static const struct plugin_facts_source source = {
    .text = text_fact,
    .number = number_fact,
    .parameter = parameter_fact,
    .table = table_fact,
    .part = part_fact,
    .part_text = part_text_fact,
    .hold = hold,
};

void facts_attach(struct session *session)
{
    session->facts.source = &source;
    session->facts.source_data = session;
}
