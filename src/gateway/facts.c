/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/facts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/hold.h"
#include "gateway/prepared.h"
#include "gateway/statement.h"

#define PARAMETER_TEXT_BYTES                                                                       \
    512 /* memory for the text of one parameter that is kept between statements */

/* What has been computed of the current statement. */
struct computed_facts {
    bool has_kinds;
    struct sql_kinds kinds;
    struct strbuf parameter; /* text of the parameter asked for last */
};

static struct computed_facts *computed(struct session *session)
{
    if (!session->run.facts) {
        session->run.facts = calloc(1, sizeof *session->run.facts);
        if (session->run.facts)
            strbuf_init(&session->run.facts->parameter);
    }
    return session->run.facts;
}

void facts_forget(struct session *session)
{
    struct computed_facts *facts = session->run.facts;
    session->run.facts = NULL;
    if (!facts)
        return;
    strbuf_release(&facts->parameter);
    free(facts);
}

static weir_string text_of(const char *text)
{
    return (weir_string){text, strlen(text)};
}

static const struct sql_kinds *kinds_of(struct session *session)
{
    struct computed_facts *facts = computed(session);
    const struct statement *statement = statement_current(session);
    if (!facts || !statement->text)
        return NULL;
    if (!facts->has_kinds)
        facts->kinds = sql_statement_kind((struct sql_span){statement->text, statement->size},
                                          &statement->mode);
    facts->has_kinds = true;
    return &facts->kinds;
}

static weir_string text_fact(void *source_data, uint32_t fact)
{
    struct session *session = source_data;
    const struct sql_kinds *kinds = NULL;
    weir_string text = {NULL, 0};
    if (fact == WEIR_TEXT_kind || fact == WEIR_TEXT_specific_kind)
        kinds = kinds_of(session);
    if (kinds)
        text = text_of(fact == WEIR_TEXT_kind ? sql_label_name(kinds->label)
                                              : sql_kind_name(kinds->kind));
    return text;
}

static uint64_t number_fact(void *source_data, uint32_t fact)
{
    struct session *session = source_data;
    if (fact == WEIR_NUMBER_connection_duration)
        return clock_monotonic_ns() - session->accepted_ns;
    return WEIR_ABSENT;
}

static bool begin_parameters(const struct session *session, struct wire_parameters *parameters)
{
    const struct run *run = &session->run;
    const struct prepared *prepared = run->prepared;
    const uint8_t *payload = (const uint8_t *)run->arguments.data;
    if (!prepared || run->arguments.size == 0)
        return false;
    struct wire_string remembered = {prepared->types, prepared->types_size};
    bool fine = false;
    if (run->command == WIRE_COM_STMT_EXECUTE) {
        struct wire_execute execute;
        fine = wire_execute_begin(&execute, payload, run->arguments.size,
                                  session->tracker.client_capabilities, prepared->parameter_count,
                                  remembered, prepared->long_data);
        *parameters = execute.parameters;
    } else if (run->command == WIRE_COM_STMT_BULK_EXECUTE) {
        struct wire_bulk_execute execute;
        fine = wire_bulk_execute_begin(&execute, payload, run->arguments.size,
                                       prepared->parameter_count, remembered);
        *parameters = execute.parameters;
    }
    return fine;
}

/* Parameters lie one behind the other, so the index-th is found by walking: plugins ask for them in
 * order, and statements have few. */
static int parameter_fact(void *source_data, size_t index, weir_parameter *out)
{
    struct session *session = source_data;
    struct computed_facts *facts = computed(session);
    struct wire_parameters parameters;
    struct wire_parameter parameter = {0};
    if (!facts || !begin_parameters(session, &parameters))
        return 0;
    for (size_t i = 0; i <= index; i++)
        if (!wire_parameter_next(&parameters, &parameter))
            return 0;
    const struct wire_field_type_info *type = wire_field_type_info(parameter.type);
    *out = (weir_parameter){.type_code = parameter.type,
                            .is_null = parameter.is_null,
                            .is_unsigned = parameter.is_unsigned};
    out->type = text_of(type ? type->name : "UNKNOWN");
    if (parameter.is_null)
        return 1;
    strbuf_reset(&facts->parameter);
    if (!parameter.is_long_data && !wire_parameter_text(&parameter, &facts->parameter))
        return 0;
    out->value = (weir_string){facts->parameter.data, facts->parameter.size};
    return 1;
}

static int attribute_fact(void *source_data, size_t index, weir_string *name, weir_string *value)
{
    const struct session *session = source_data;
    struct wire_reader reader =
        wire_reader_of(session->facts.attributes, session->facts.attributes_size);
    struct wire_string key = {0}, text = {0};
    for (size_t i = 0; i <= index; i++)
        if (!wire_attribute_next(&reader, &key, &text))
            return 0;
    *name = (weir_string){key.data, key.size};
    *value = (weir_string){text.data, text.size};
    return 1;
}

static struct weir_hold *hold(void *source_data)
{
    return hold_begin(source_data);
}

static const struct plugin_facts_source source = {
    .text = text_fact,
    .number = number_fact,
    .parameter = parameter_fact,
    .attribute = attribute_fact,
    .hold = hold,
};

void facts_attach(struct session *session)
{
    session->facts.source = &source;
    session->facts.source_data = session;
}
