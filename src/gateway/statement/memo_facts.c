/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions by which the host of the plugins asks for what is in a memo.
 *
 * Plugins may ask for a fact as often as they like: has_X says that X is known and need not be
 * computed again for this statement, even if what is known is that there is none. */
#include <assert.h>
#include <string.h>

#include "gateway/statement/backend_choice.h"
#include "gateway/statement/command.h"
#include "gateway/statement/describe.h"
#include "gateway/statement/execute_parameters.h"
#include "gateway/statement/limits.h"
#include "gateway/statement/memo.h"
#include "gateway/statement/memo_private.h"
#include "gateway/statement/prepared.h"

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

static weir_string kind_fact(struct observed *observed, uint32_t fact)
{
    const struct statement *statement = statement_current(observed);
    struct memo *memo = statement->text ? memo_of(observed) : NULL;
    if (!memo)
        return (weir_string){NULL, 0};
    if (!memo->has_kinds)
        memo->kinds = sql_statement_kind(span_of(statement), &statement->mode);
    memo->has_kinds = true;
    return text_of(fact == WEIR_TEXT_kind ? sql_label_name(memo->kinds.label)
                                          : sql_kind_name(memo->kinds.kind));
}

/* Normalised text and digest come together. */
static bool compute_digest(struct observed *observed, struct memo *memo)
{
    struct sql_digester *digester = &observed->environment->digester;
    struct sql_span normalized;
    if (!sql_normalize(digester, span_of(statement_current(observed)), &normalized))
        return false;
    if (!memo->has_digest)
        memo->has_digest = sql_digest(digester, normalized, memo->digest);
    strbuf_reset(&memo->normalized);
    strbuf_add(&memo->normalized, normalized.at, normalized.size);
    memo->has_normalized = !memo->normalized.failed;
    return memo->has_digest && memo->has_normalized;
}

static weir_string digest_fact(struct observed *observed, uint32_t fact)
{
    const weir_string none = {NULL, 0};
    struct memo *memo = statement_current(observed)->text ? memo_of(observed) : NULL;
    if (!memo)
        return none;
    bool is_known = fact == WEIR_TEXT_digest ? memo->has_digest : memo->has_normalized;
    if (!is_known && !compute_digest(observed, memo))
        return none;
    if (fact == WEIR_TEXT_digest)
        return (weir_string){memo->digest, SQL_DIGEST_BYTES - 1};
    return (weir_string){memo->normalized.data, memo->normalized.size};
}

static weir_string expanded_fact(struct observed *observed)
{
    struct memo *memo = observed->command.prepared ? memo_of(observed) : NULL;
    if (!memo)
        return (weir_string){NULL, 0};
    if (!memo->has_expanded) {
        strbuf_reset(&memo->expanded);
        memo->is_expandable = parameters_expand(observed, &memo->expanded);
        memo->has_expanded = true;
    }
    return memo->is_expandable ? (weir_string){memo->expanded.data, memo->expanded.size}
                               : (weir_string){NULL, 0};
}

/* Whether the text as plugins see it holds passwords; memo->redacted is without them then. */
static bool redact(struct memo *memo, struct sql_span text)
{
    if (!memo->has_redacted) {
        strbuf_reset(&memo->redacted);
        memo->holds_secret = text.at && sql_redact(&memo->redacted, text);
        memo->has_redacted = true;
    }
    return memo->holds_secret;
}

/* The text as plugins see it, without its passwords: itself when it has none. */
static weir_string redacted_fact(struct observed *observed)
{
    weir_string sql = observed->handle.text[WEIR_TEXT_sql];
    struct sql_span text = {sql.data, sql.size};
    if (!sql.data || !sql_may_hold_secret(text))
        return sql;
    struct memo *memo = memo_of(observed);
    if (!memo)
        return (weir_string){NULL, 0};
    if (!redact(memo, text))
        return sql;
    return memo->redacted.failed ? (weir_string){NULL, 0}
                                 : (weir_string){memo->redacted.data, memo->redacted.size};
}

static weir_string redacted_message_fact(struct observed *observed)
{
    weir_string message = observed->handle.text[WEIR_TEXT_message];
    weir_string sql = observed->handle.text[WEIR_TEXT_sql];
    struct memo *memo = message.size ? memo_of(observed) : NULL;
    if (!message.size)
        return message;
    if (!memo)
        return (weir_string){NULL, 0};
    struct sql_span statement = {sql.data, sql.size}, said = {message.data, message.size};
    bool of_secret = redact(memo, statement) || sql_message_quotes_other(said, statement);
    strbuf_reset(&memo->message);
    if (!sql_redact_message(&memo->message, said, of_secret))
        return message;
    return memo->message.failed ? (weir_string){NULL, 0}
                                : (weir_string){memo->message.data, memo->message.size};
}

static weir_string unknown_fact(struct observed *observed)
{
    struct memo *memo = observed->identity.unknown ? memo_of(observed) : NULL;
    if (!memo)
        return (weir_string){NULL, 0};
    strbuf_reset(&memo->unknown);
    describe_unknown(&observed->identity, &memo->unknown);
    return (weir_string){memo->unknown.data, memo->unknown.size};
}

/* Of the current statement; of a command without one, of the next. Absent when it is not known. */
static weir_string mode_fact(struct observed *observed, uint32_t fact)
{
    const struct statement *statement = statement_current(observed);
    const struct sql_mode *mode = statement->text ? &statement->mode : &observed->identity.mode;
    struct memo *memo = memo_of(observed);
    if (mode->unsure || !observed->is_connected || !memo)
        return (weir_string){NULL, 0};
    return fact == WEIR_TEXT_sql_mode ? describe_sql_mode(mode, &memo->sql_mode)
                                      : describe_character_set(mode);
}

static weir_string text_fact(void *source_data, uint32_t fact)
{
    struct observed *observed = source_data;
    switch (fact) {
    case WEIR_TEXT_kind:
    case WEIR_TEXT_specific_kind:
        return kind_fact(observed, fact);
    case WEIR_TEXT_digest:
    case WEIR_TEXT_normalized:
        return digest_fact(observed, fact);
    case WEIR_TEXT_expanded_sql:
        return expanded_fact(observed);
    case WEIR_TEXT_redacted_sql:
        return redacted_fact(observed);
    case WEIR_TEXT_redacted_message:
        return redacted_message_fact(observed);
    case WEIR_TEXT_unknown:
        return unknown_fact(observed);
    case WEIR_TEXT_character_set:
    case WEIR_TEXT_sql_mode:
        return mode_fact(observed, fact);
    default:
        return (weir_string){NULL, 0};
    }
}

/* ---- Tables and numbers ---- */

/* The database in which names are looked up: for a prepared statement that of its Prepare. */
static struct sql_database name_space(const struct observed *observed)
{
    const weir_string *now = &observed->handle.text[WEIR_TEXT_database];
    const struct prepared *prepared = observed->command.prepared;
    if (!prepared)
        return (struct sql_database){now->data != NULL, {now->data, now->size}};
    const char *name = prepared->database;
    return (struct sql_database){name != NULL, {name, name ? strlen(name) : 0}};
}

/* The current statement's tables. NULL: no statement, or no memory. */
static const struct sql_tables *tables_of(struct observed *observed)
{
    const struct statement *statement = statement_current(observed);
    struct memo *memo = statement->text ? memo_of(observed) : NULL;
    if (!memo)
        return NULL;
    if (!memo->has_tables)
        memo->has_tables = sql_tables_read(&memo->tables, span_of(statement), &statement->mode,
                                           name_space(observed).name);
    return memo->has_tables ? &memo->tables : NULL;
}

/* Whether all tables and routines are known by schema and name. */
static bool are_named(const struct observed *observed, const struct sql_tables *tables)
{
    return tables->known && (name_space(observed).known || sql_tables_have_databases(tables));
}

/* Of a command without text: 1. */
static bool is_exact(struct observed *observed)
{
    const struct statement *statement = statement_current(observed);
    struct memo *memo = statement->text ? memo_of(observed) : NULL;
    if (!statement->text)
        return true;
    if (!memo)
        return false;
    if (!memo->has_exact)
        memo->digest_is_exact = sql_digest_is_exact(span_of(statement), &statement->mode);
    memo->has_exact = true;
    return memo->digest_is_exact;
}

/* Whether all modes read the command's whole text alike: where a statement of it ends depends on that,
 * too. Found out once, since a text can have any number of statements. */
static bool is_text_fixed(struct command *command, struct sql_span text)
{
    if (!command->has_fixed)
        command->is_fixed = sql_reading_is_fixed(text);
    command->has_fixed = true;
    return command->is_fixed;
}

/* Of a command without text: true. */
static bool is_reading_known(struct observed *observed)
{
    const struct statement *statement = statement_current(observed);
    struct command *command = &observed->command;
    struct sql_span whole = {command->text.data, command->text.size};
    if (command->prepared)
        whole = span_of(statement);
    if (!statement->text || sql_mode_is_sure(&statement->mode))
        return true;
    return !statement->mode.in_code && is_text_fixed(command, whole);
}

static uint64_t number_fact(void *source_data, uint32_t fact)
{
    struct observed *observed = source_data;
    const struct sql_tables *tables = NULL;
    uint64_t number = WEIR_ABSENT;
    switch (fact) {
    case WEIR_NUMBER_connection_duration:
        number = clock_monotonic_ns() - observed->accepted_ns;
        break;
    case WEIR_NUMBER_wire_received:
        number = observed->wire_received ? *observed->wire_received : WEIR_ABSENT;
        break;
    case WEIR_NUMBER_wire_sent:
        number = observed->wire_sent ? *observed->wire_sent : WEIR_ABSENT;
        break;
    case WEIR_NUMBER_table_count:
    case WEIR_NUMBER_routine_count:
        tables = tables_of(observed);
        if (fact == WEIR_NUMBER_table_count)
            number = tables ? tables->count : 0;
        else
            number = tables ? tables->routine_count : 0;
        break;
    case WEIR_NUMBER_tables_known:
    case WEIR_NUMBER_names_known:
        tables = tables_of(observed);
        number = tables ? are_named(observed, tables) &&
                              (fact == WEIR_NUMBER_names_known || tables->routine_count == 0)
                        : !statement_current(observed)->text;
        break;
    case WEIR_NUMBER_digest_exact:
        number = is_exact(observed);
        break;
    case WEIR_NUMBER_reading_known:
        number = is_reading_known(observed);
        break;
    default:
        break;
    }
    return number;
}

/* The deeds are the bits above. */
static_assert(SQL_DEED_INSERT * WEIR_TABLE_INSERT == WEIR_TABLE_INSERT, "");
static_assert(SQL_DEED_UPDATE * WEIR_TABLE_INSERT == WEIR_TABLE_UPDATE, "");
static_assert(SQL_DEED_DELETE * WEIR_TABLE_INSERT == WEIR_TABLE_DELETE, "");
static_assert(SQL_DEED_RENAME_FROM * WEIR_TABLE_INSERT == WEIR_TABLE_RENAME_FROM, "");
static_assert(SQL_DEED_RENAME_TO * WEIR_TABLE_INSERT == WEIR_TABLE_RENAME_TO, "");

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
    uint32_t access = accesses[table->access] | (uint32_t)table->deeds * WEIR_TABLE_INSERT;
    *out = (weir_table){.schema = {schema.at, schema.size},
                        .name = {table->name.at, table->name.size},
                        .access = access};
    return 1;
}

static int routine_fact(void *source_data, size_t index, weir_routine *out)
{
    const struct sql_tables *tables = tables_of(source_data);
    if (!tables || index >= tables->routine_count)
        return 0;
    const struct sql_routine *routine = &tables->routines[index];
    *out = (weir_routine){.schema = {routine->database.at, routine->database.size},
                          .name = {routine->name.at, routine->name.size},
                          .how = routine->is_call ? WEIR_ROUTINE_CALL : WEIR_ROUTINE_FUNCTION};
    return 1;
}

/* ---- Parts ---- */

static const struct sql_part *part_at(struct observed *observed, size_t index)
{
    const struct statement *statement = statement_current(observed);
    struct memo *memo = statement->text ? memo_of(observed) : NULL;
    if (!memo)
        return NULL;
    if (!memo->has_parts)
        memo->has_parts = sql_parts_read(&memo->parts, span_of(statement), &statement->mode);
    return memo->has_parts && index < memo->parts.count ? &memo->parts.items[index] : NULL;
}

static int part_fact(void *source_data, size_t index, weir_part *out)
{
    const struct sql_part *part = part_at(source_data, index);
    if (!part)
        return 0;
    bool is_piece = part->in_text || part->mode.in_code; /* one that the statement's may not tell */
    bool is_inexact = is_piece && !sql_digest_is_exact(part->text, &part->mode);
    *out = (weir_part){.kind = text_of(sql_label_name(sql_kind_label(part->kind))),
                       .specific_kind = text_of(sql_kind_name(part->kind)),
                       .flags = (part->has_where ? WEIR_PART_HAS_WHERE : 0) |
                                (part->in_text ? WEIR_PART_IN_TEXT : 0) |
                                (is_inexact ? WEIR_PART_INEXACT : 0)};
    return 1;
}

static weir_string part_text_fact(void *source_data, size_t index, uint32_t fact)
{
    struct observed *observed = source_data;
    struct sql_digester *digester = &observed->environment->digester;
    const struct sql_part *part = part_at(observed, index);
    struct sql_span normalized;
    char digest[SQL_DIGEST_BYTES];
    weir_string none = {NULL, 0};
    bool needs_normalized = fact == WEIR_TEXT_normalized || fact == WEIR_TEXT_digest;
    if (!part || (needs_normalized && !sql_normalize(digester, part->text, &normalized)))
        return none;
    struct strbuf *out = &observed->command.memo->part;
    strbuf_reset(out);
    switch (fact) {
    case WEIR_TEXT_sql:
        strbuf_add(out, part->text.at, part->text.size);
        break;
    case WEIR_TEXT_redacted_sql:
        if (!sql_redact(out, part->text))
            strbuf_add(out, part->text.at, part->text.size);
        break;
    case WEIR_TEXT_normalized:
        strbuf_add(out, normalized.at, normalized.size);
        break;
    case WEIR_TEXT_digest:
        if (!sql_digest(digester, normalized, digest))
            return none;
        strbuf_add_text(out, digest);
        break;
    default:
        return none;
    }
    return out->failed ? none : (weir_string){out->data, out->size};
}

static int parameter_fact(void *source_data, size_t index, weir_parameter *out)
{
    struct observed *observed = source_data;
    struct memo *memo = observed->command.prepared ? memo_of(observed) : NULL;
    return memo && parameters_get(observed, &memo->parameters, index, &memo->parameter, out);
}

static int parameter_origin_fact(void *source_data, size_t index, weir_parameter_origin *out)
{
    struct observed *observed = source_data;
    struct memo *memo = observed->command.prepared ? memo_of(observed) : NULL;
    return memo && parameters_origin(observed, &memo->parameters, index, out);
}

static struct weir_hold *hold(void *source_data, enum plugin_hold_kind kind)
{
    struct observed *observed = source_data;
    return observed->hold(observed->session, kind);
}

const struct plugin_facts_source memo_source = {
    .text = text_fact,
    .number = number_fact,
    .parameter = parameter_fact,
    .parameter_origin = parameter_origin_fact,
    .table = table_fact,
    .routine = routine_fact,
    .part = part_fact,
    .part_text = part_text_fact,
    .hold = hold,
    .limit = limits_add,
    .choose_backend = backend_choice_set,
};
