/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands made to be slow, with a plugin that asks for everything at each event: whatever a client
 * sends many of, the work for all of them grows as their number does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/statement/statement.h"
#include "plugin/host/plugin_variables.h"
#include "plugin/host/registry.h"
#include "steps.h"

static struct session_environment environment;
static struct plugin_registry registry;
static struct weir_plugin plugin;
static weir_manifest manifest;
static struct observed observed;

/* ---- A plugin that asks for everything ---- */

static uint64_t asked;

static void ask_texts(const weir_session *session)
{
    for (uint32_t fact = 0; fact < WEIR_TEXT_FACT_END_; fact++)
        asked += plugin_host.text(session, fact).size;
    for (uint32_t fact = 0; fact < WEIR_NUMBER_FACT_END_; fact++)
        asked += plugin_host.number(session, fact);
}

/* Adds up what was read, so that the same parameters give the same sum in whatever order. */
static void ask_parameter(const weir_session *session, size_t index, uint64_t *sum)
{
    weir_parameter parameter;
    weir_parameter_origin origin = {.struct_size = sizeof origin};
    asked += (size_t)plugin_host.parameter_origin(session, index, &origin);
    if (plugin_host.parameter(session, index, &parameter) && parameter.value.size)
        *sum += (index + 1) * (parameter.value.size + (unsigned char)parameter.value.data[0]);
}

static void ask_one(const weir_session *session, size_t index, uint64_t *sum)
{
    weir_string name, value;
    weir_table table;
    weir_part part;
    ask_parameter(session, index, sum);
    asked += (size_t)plugin_host.attribute(session, index, &name, &value);
    asked += (size_t)plugin_host.table(session, index, &table);
    asked += (size_t)plugin_host.part(session, index, &part);
}

/* In an order other than theirs: from the last to the first, and from both ends to the middle. */
static void ask_in_other_orders(const weir_session *session, size_t count, uint64_t sum)
{
    uint64_t backwards = 0, inwards = 0;
    for (size_t i = count; i-- > 0;)
        ask_one(session, i, &backwards);
    for (size_t i = 0; i < count; i++)
        ask_one(session, i % 2 ? count - 1 - i / 2 : i / 2, &inwards);
    assert_int_equal(backwards, sum);
    assert_int_equal(inwards, sum);
}

/* Twice: the second time what is remembered is there. */
static void ask_lists(const weir_session *session)
{
    weir_string name, value;
    weir_parameter parameter;
    weir_table table;
    weir_part part;
    size_t most = 0;
    uint64_t sum = 0;
    for (int time = 0; time < 2; time++) {
        sum = 0;
        size_t attributes = 0, parameters = 0, named = 0, parts = 0;
        for (; plugin_host.attribute(session, attributes, &name, &value); attributes++)
            asked += name.size + value.size;
        for (; plugin_host.parameter(session, parameters, &parameter); parameters++)
            ask_parameter(session, parameters, &sum);
        for (; plugin_host.table(session, named, &table); named++)
            asked += table.name.size;
        for (; plugin_host.part(session, parts, &part); parts++)
            asked += plugin_host.part_text(session, parts, WEIR_TEXT_digest).size;
        most = attributes > most ? attributes : most;
        most = parameters > most ? parameters : most;
        most = named > most ? named : most;
        most = parts > most ? parts : most;
    }
    ask_in_other_orders(session, most, sum);
}

static weir_verdict on_connection(weir_session *session, weir_connection_event event)
{
    (void)event;
    ask_texts(session);
    ask_lists(session);
    return WEIR_OK;
}

static weir_verdict on_general(weir_session *session, weir_general_event event, const char *command)
{
    (void)command;
    (void)event;
    ask_texts(session);
    ask_lists(session);
    return WEIR_OK;
}

static weir_verdict on_parse(weir_session *session, weir_parse_event event)
{
    (void)event;
    ask_texts(session);
    ask_lists(session);
    return WEIR_OK;
}

/* ---- A session ---- */

static void begin(void)
{
    static const struct client_address address = {
        .is_unix = true, .client_ip = "", .server_ip = ""};
    manifest = (weir_manifest){.api_version = WEIR_API_VERSION,
                               .name = "asks",
                               .on_connection_event = on_connection,
                               .on_general_event = on_general,
                               .on_parse_event = on_parse};
    plugin = (struct weir_plugin){.registry = &registry,
                                  .identity = {.name = "asks"},
                                  .manifest = &manifest,
                                  .state = PLUGIN_STATE_READY,
                                  .enabled = true};
    registry.subscribed =
        PLUGIN_SUBSCRIBES_CONNECTION | PLUGIN_SUBSCRIBES_GENERAL | PLUGIN_SUBSCRIBES_PARSE;
    registry.count = 1;
    registry.plugins[0] = &plugin;
    struct plugin_chain chain = {.count = 1, .plugins = {&plugin}};
    registry.connection = registry.general = registry.parse = chain;
    struct error error;
    assert_int_equal(plugin_variables_begin(&registry, &error), 0);
    session_environment_init(&environment);
    environment.registry = &registry;
    environment.has_plugins = true;
    environment.max_prepared_bytes = SIZE_MAX;
    memset(&observed, 0, sizeof observed);
    observed_init(&observed, &environment, 1, &address);
    observed.identity.multi_statements = true;
    observed.identity.mode =
        (struct sql_mode){.dialect = SQL_DIALECT_MARIADB, .server_version = 101100, .unsure = true};
}

static void end(void)
{
    observed_release(&observed);
    session_environment_release(&environment);
    plugin_variables_end(&registry);
}

/* Runs a command whose every statement succeeds. */
static void run(enum wire_command code, const struct strbuf *payload)
{
    struct wire_packet packet = {.command = (uint8_t)code,
                                 .payload = (const uint8_t *)payload->data,
                                 .payload_size = payload->size};
    struct plugin_verdict verdict;
    struct wire_result result = {.status = 2};
    events_begin(&observed, &packet);
    events_judge(&observed, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
    observed.command.is_sent = true;
    size_t count = observed.command.count;
    for (size_t i = 0; i < count; i++)
        events_result(&observed, &result, i + 1 == count, &verdict);
    if (code == WIRE_COM_STMT_PREPARE)
        prepared_add(&observed, (uint32_t)observed.statements, 3);
    events_end(&observed);
}

static void add_number(struct strbuf *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        strbuf_add_byte(out, (char)(number >> 8 * i));
}

/* ---- The cases ---- */

/* A text: before, then n times what. */
struct text {
    const char *before, *piece;
};

/* The piece with a number in place of #. */
static void add_piece(struct strbuf *out, const char *piece, size_t number)
{
    const char *mark = strchr(piece, '#');
    strbuf_add(out, piece, mark ? (size_t)(mark - piece) : strlen(piece));
    if (mark)
        strbuf_printf(out, "%zu%s", number, mark + 1);
}

static void query(const void *what, size_t n)
{
    const struct text *text = what;
    struct strbuf payload = STRBUF_INIT;
    begin();
    strbuf_add_byte(&payload, WIRE_COM_QUERY);
    strbuf_add_text(&payload, text->before);
    for (size_t i = 0; i < n; i++)
        add_piece(&payload, text->piece, i);
    run(WIRE_COM_QUERY, &payload);
    strbuf_release(&payload);
    end();
}

/* n commands of their own. */
static void queries(const void *what, size_t n)
{
    const struct text *text = what;
    struct strbuf payload = STRBUF_INIT;
    begin();
    for (size_t i = 0; i < n; i++) {
        strbuf_reset(&payload);
        strbuf_add_byte(&payload, WIRE_COM_QUERY);
        add_piece(&payload, text->piece, i);
        run(WIRE_COM_QUERY, &payload);
    }
    strbuf_release(&payload);
    end();
}

static void add_execute(struct strbuf *payload, enum wire_command code)
{
    strbuf_reset(payload);
    strbuf_add_byte(payload, (char)code);
    add_number(payload, 1, 4);
}

static void add_types(struct strbuf *payload, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_number(payload, WIRE_TYPE_VAR_STRING, 2);
}

static void prepare(size_t n)
{
    struct strbuf payload = STRBUF_INIT;
    strbuf_add_byte(&payload, WIRE_COM_STMT_PREPARE);
    strbuf_add_text(&payload, "insert into t values (?");
    for (size_t i = 1; i < n; i++)
        strbuf_add_text(&payload, ", ?");
    strbuf_add_text(&payload, ")");
    struct wire_packet packet = {.command = WIRE_COM_STMT_PREPARE,
                                 .payload = (const uint8_t *)payload.data,
                                 .payload_size = payload.size};
    events_begin(&observed, &packet);
    assert_non_null(prepared_add(&observed, 1, (uint16_t)n));
    events_end(&observed);
    strbuf_release(&payload);
}

static void execute(const void *unused, size_t n)
{
    struct strbuf payload = STRBUF_INIT;
    (void)unused;
    begin();
    prepare(n);
    add_execute(&payload, WIRE_COM_STMT_EXECUTE);
    add_number(&payload, 0x100, 5);
    for (size_t i = 0; i < (n + 7) / 8; i++)
        strbuf_add_byte(&payload, 0);
    strbuf_add_byte(&payload, 1);
    add_types(&payload, n);
    for (size_t i = 0; i < n; i++)
        strbuf_add_text(&payload, i % 3 ? "\2yz" : "\1x");
    run(WIRE_COM_STMT_EXECUTE, &payload);
    strbuf_release(&payload);
    end();
}

static void bulk(const void *unused, size_t n)
{
    struct strbuf payload = STRBUF_INIT;
    (void)unused;
    begin();
    prepare(3);
    add_execute(&payload, WIRE_COM_STMT_BULK_EXECUTE);
    add_number(&payload, WIRE_BULK_SEND_TYPES, 2);
    add_types(&payload, 3);
    for (size_t i = 0; i < 3 * n; i++)
        strbuf_add(&payload, i % 2 ? "\0\2yz" : "\0\1x", i % 2 ? 4 : 3);
    run(WIRE_COM_STMT_BULK_EXECUTE, &payload);
    strbuf_release(&payload);
    end();
}

/* Long data for one parameter in n pieces, or for n parameters. */
static void long_data(const void *what, size_t n)
{
    const bool *to_one = what;
    struct strbuf payload = STRBUF_INIT;
    begin();
    prepare(n);
    for (size_t i = 0; i < n; i++)
        prepared_add_long_data(&observed, prepared_find(&observed, 1), *to_one ? 0 : (unsigned)i,
                               (const uint8_t *)"piece", 5);
    add_execute(&payload, WIRE_COM_STMT_EXECUTE);
    add_number(&payload, 0x100, 5);
    for (size_t i = 0; i < (n + 7) / 8; i++)
        strbuf_add_byte(&payload, (char)0xff);
    strbuf_add_byte(&payload, 1);
    add_types(&payload, n);
    run(WIRE_COM_STMT_EXECUTE, &payload);
    strbuf_release(&payload);
    end();
}

static void many_prepared(const void *unused, size_t n)
{
    struct strbuf payload = STRBUF_INIT;
    (void)unused;
    begin();
    for (size_t i = 0; i < n; i++) {
        strbuf_reset(&payload);
        strbuf_printf(&payload, "%cselect %zu, ?, ?, ?", WIRE_COM_STMT_PREPARE, i);
        run(WIRE_COM_STMT_PREPARE, &payload);
    }
    assert_non_null(prepared_find(&observed, (uint32_t)n));
    for (size_t i = 0; i < n; i++)
        prepared_remove(&observed, (uint32_t)i + 1);
    strbuf_release(&payload);
    end();
}

static void attributes(const void *unused, size_t n)
{
    struct strbuf block = STRBUF_INIT;
    struct plugin_verdict verdict;
    (void)unused;
    begin();
    for (size_t i = 0; i < n; i++)
        strbuf_add_text(&block, "\1a\1b");
    plugin_session_attributes(&observed.handle, (const uint8_t *)block.data, block.size);
    events_connection(&observed, WEIR_CONNECTED, &verdict);
    strbuf_release(&block);
    end();
}

/* ---- The tests ---- */

static void texts_of_many_statements(void **state)
{
    (void)state;
    static const struct text texts[] = {
        {"", "select #; "},
        {"", "select # from t; "},
        {"", "set @a = #; "},
        {"", "set sql_mode = '#'; "},
        {"", "set names latin1; select #; "},
        {"", "use d#; select 1 from t; "},
        {"", "execute immediate 'select #'; "},
        {"", "prepare s# from 'select 1'; "},
        {"", "prepare s from 'select #'; execute s; "},
        {"", "begin not atomic select #; end; "},
        {"", "call p#(); "},
        {"", "begin; commit; "},
        {"", "insert into t values (#); "},
        {"", "set password = '#'; "},
        {"", "-- #\n; "},
    };
    unsigned before = growth_failures();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_linear(texts[i].piece, 200, query, &texts[i]);
    assert_int_equal(growth_failures(), before);
}

static void texts_of_one_statement(void **state)
{
    (void)state;
    static const struct text texts[] = {
        {"select 1 from t", ", t#"},
        {"select 1 from t", " join d.t# on 1"},
        {"select 1", " union select #"},
        {"select ", "(# + "},
        {"begin not atomic select 1", "; select #"},
        {"insert into t values (1)", ", (#)"},
        {"set @a = 1", ", @a# = 1"},
        {"drop table t", ", t#"},
        {"create user u identified by 'x'", ", u# identified by 'x'"},
        {"execute immediate '", "select #; "},
        {"select 1 ", "/* # */ "},
        {"with a as (select 1)", ", a# as (select 1 from b)"},
    };
    unsigned before = growth_failures();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_linear(texts[i].piece, 400, query, &texts[i]);
    assert_int_equal(growth_failures(), before);
}

static void many_commands(void **state)
{
    (void)state;
    static const struct text texts[] = {
        {"", "select #"},
        {"", "execute immediate 'select #'"},
        {"", "prepare s# from 'select 1'"},
        {"", "set @a# = 1"},
    };
    unsigned before = growth_failures();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_linear(texts[i].piece, 200, queries, &texts[i]);
    assert_linear("prepared statements", 400, many_prepared, NULL);
    assert_int_equal(growth_failures(), before);
}

static void parameters_and_attributes(void **state)
{
    (void)state;
    static const bool to_one = true, to_each = false;
    unsigned before = growth_failures();
    assert_linear("parameters", 200, execute, NULL);
    assert_linear("bulk rows", 200, bulk, NULL);
    assert_linear("pieces of long data", 200, long_data, &to_one);
    assert_linear("parameters with long data", 200, long_data, &to_each);
    assert_linear("connection attributes", 200, attributes, NULL);
    assert_int_equal(growth_failures(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_many_statements),
        cmocka_unit_test(texts_of_one_statement),
        cmocka_unit_test(many_commands),
        cmocka_unit_test(parameters_and_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
