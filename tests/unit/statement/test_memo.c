/* SPDX-License-Identifier: Apache-2.0
 *
 * The memo of a statement: what costs something is computed when it is first asked for, once a
 * statement, and never shown for another. The costly functions are counted by the linker's --wrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gateway/statement/execute_parameters.h"
#include "gateway/statement/memo.h"
#include "gateway/statement/statement.h"

/* ---- Counting ---- */

static int computed; /* calls of any of the functions below */

#define COUNTED(result, name, parameters, arguments)                                               \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        computed++;                                                                                \
        return __real_##name arguments;                                                            \
    }

COUNTED(bool, parameters_expand, (const struct observed *observed, struct strbuf *out),
        (observed, out))
COUNTED(bool, sql_digest_is_exact, (struct sql_span text, const struct sql_mode *mode),
        (text, mode))
COUNTED(bool, sql_normalize,
        (struct sql_digester * digester, struct sql_span text, struct sql_span *normalized),
        (digester, text, normalized))
COUNTED(bool, sql_redact, (struct strbuf * out, struct sql_span text), (out, text))
COUNTED(struct sql_kinds, sql_statement_kind, (struct sql_span text, const struct sql_mode *mode),
        (text, mode))
COUNTED(bool, sql_tables_read,
        (struct sql_tables * tables, struct sql_span text, const struct sql_mode *mode,
         struct sql_span database),
        (tables, text, mode, database))

/* ---- A session that is observed ---- */

static struct session_environment environment;
static struct observed observed;

static int begin(void **state)
{
    (void)state;
    static const struct client_address address = {
        .is_unix = true, .client_ip = "", .server_ip = ""};
    session_environment_init(&environment);
    environment.registry = plugin_registry_load(&(struct plugin_options){0}, NULL);
    environment.has_plugins = true;
    environment.max_prepared_bytes = 1 << 20;
    memset(&observed, 0, sizeof observed);
    observed_init(&observed, &environment, 1, &address);
    return environment.registry ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    observed_release(&observed);
    plugin_registry_shutdown(environment.registry);
    session_environment_release(&environment);
    return 0;
}

static void begin_command(enum wire_command code, const void *argument, size_t size)
{
    uint8_t payload[256] = {(uint8_t)code};
    assert_true(size < sizeof payload);
    memcpy(payload + 1, argument, size);
    struct wire_packet packet = {
        .command = (uint8_t)code, .payload = payload, .payload_size = size + 1};
    events_begin(&observed, &packet);
    facts_command(&observed);
    facts_statement(&observed);
    computed = 0;
}

static void query(const char *text)
{
    begin_command(WIRE_COM_QUERY, text, strlen(text));
}

static void prepare(const char *text, uint32_t id, uint16_t parameters)
{
    begin_command(WIRE_COM_STMT_PREPARE, text, strlen(text));
    observed.command.prepared = prepared_add(&observed, id, parameters);
    assert_non_null(observed.command.prepared);
    events_end(&observed);
}

/* Executes statement 1 with one string. */
static void execute(const char *value)
{
    uint8_t argument[64] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, WIRE_TYPE_VAR_STRING, 0};
    size_t size = strlen(value);
    argument[13] = (uint8_t)size;
    memcpy(argument + 14, value, size);
    begin_command(WIRE_COM_STMT_EXECUTE, argument, 14 + size);
}

/* ---- Asking ---- */

static weir_string text(uint32_t fact)
{
    return memo_source.text(&observed, fact);
}

static uint64_t number(uint32_t fact)
{
    return memo_source.number(&observed, fact);
}

static void expect_text(uint32_t fact, const char *expected)
{
    weir_string found = text(fact);
    assert_int_equal(found.size, strlen(expected));
    assert_memory_equal(found.data, expected, found.size);
}

static const uint32_t texts[] = {WEIR_TEXT_kind,         WEIR_TEXT_specific_kind,
                                 WEIR_TEXT_digest,       WEIR_TEXT_normalized,
                                 WEIR_TEXT_expanded_sql, WEIR_TEXT_redacted_sql};
static const uint32_t numbers[] = {WEIR_NUMBER_table_count, WEIR_NUMBER_tables_known,
                                   WEIR_NUMBER_digest_exact};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Asks for everything `times` times; the strings of a statement stay where they are. */
static void ask_for_everything(int times)
{
    weir_string first[COUNT(texts)];
    for (int i = 0; i < times; i++) {
        for (size_t j = 0; j < COUNT(texts); j++) {
            weir_string found = text(texts[j]);
            if (i == 0)
                first[j] = found;
            assert_ptr_equal(found.data, first[j].data);
            assert_int_equal(found.size, first[j].size);
        }
        for (size_t j = 0; j < COUNT(numbers); j++)
            (void)number(numbers[j]);
    }
}

/* ---- Tests ---- */

static void each_fact_is_computed_once_a_statement(void **state)
{
    (void)state;
    query("SET PASSWORD = 'secret'");
    assert_int_equal(computed, 0);
    ask_for_everything(3);
    assert_int_equal(computed, 5); /* kind, normalized, redacted, tables, exact */
    expect_text(WEIR_TEXT_redacted_sql, "SET PASSWORD = '***'");
    assert_null(text(WEIR_TEXT_expanded_sql).data);
    events_end(&observed);
}

static void that_there_is_no_secret_is_remembered_too(void **state)
{
    (void)state;
    query("SELECT password FROM t");
    expect_text(WEIR_TEXT_redacted_sql, "SELECT password FROM t");
    expect_text(WEIR_TEXT_redacted_sql, "SELECT password FROM t");
    assert_int_equal(computed, 1);
    events_end(&observed);
}

static void another_statement_has_facts_of_its_own(void **state)
{
    (void)state;
    query("SELECT 1 FROM a, b");
    expect_text(WEIR_TEXT_normalized, "select ? from `a` , `b`");
    assert_int_equal(number(WEIR_NUMBER_table_count), 2);
    assert_int_equal(number(WEIR_NUMBER_digest_exact), 1);
    events_end(&observed);
    query("DELETE FROM c");
    expect_text(WEIR_TEXT_normalized, "delete from `c`");
    expect_text(WEIR_TEXT_kind, "Delete");
    assert_int_equal(number(WEIR_NUMBER_table_count), 1);
    events_end(&observed);
    begin_command(WIRE_COM_PING, "", 0);
    assert_null(text(WEIR_TEXT_kind).data);
    assert_null(text(WEIR_TEXT_digest).data);
    assert_int_equal(number(WEIR_NUMBER_table_count), 0);
    assert_int_equal(number(WEIR_NUMBER_tables_known), 1);
    assert_int_equal(number(WEIR_NUMBER_digest_exact), 1);
    events_end(&observed);
}

static void a_prepared_statement_keeps_what_executions_share(void **state)
{
    (void)state;
    prepare("SELECT * FROM t WHERE a = ?", 1, 1);
    execute("one");
    ask_for_everything(3);
    assert_int_equal(computed, 5); /* kind, normalized, expanded, tables, exact */
    expect_text(WEIR_TEXT_expanded_sql, "SELECT * FROM t WHERE a = 'one'");
    events_end(&observed);

    execute("two");
    ask_for_everything(3);
    expect_text(WEIR_TEXT_expanded_sql, "SELECT * FROM t WHERE a = 'two'");
    assert_int_equal(computed, 2); /* normalized, which would be long to keep, and expanded */
    events_end(&observed);
}

static void time_goes_on_within_a_statement(void **state)
{
    (void)state;
    query("SELECT 1");
    uint64_t first = number(WEIR_NUMBER_connection_duration);
    while (number(WEIR_NUMBER_connection_duration) == first)
        ;
    assert_true(number(WEIR_NUMBER_connection_duration) > first);
    assert_int_equal(computed, 0);
    events_end(&observed);
}

static void facts_that_are_not_its_own_are_absent(void **state)
{
    (void)state;
    query("SELECT 1");
    assert_null(text(WEIR_TEXT_user).data);
    assert_null(text(WEIR_TEXT_FACT_END_).data);
    assert_true(number(WEIR_NUMBER_rows) == WEIR_ABSENT);
    events_end(&observed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_fact_is_computed_once_a_statement, begin, end),
        cmocka_unit_test_setup_teardown(that_there_is_no_secret_is_remembered_too, begin, end),
        cmocka_unit_test_setup_teardown(another_statement_has_facts_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(a_prepared_statement_keeps_what_executions_share, begin,
                                        end),
        cmocka_unit_test_setup_teardown(time_goes_on_within_a_statement, begin, end),
        cmocka_unit_test_setup_teardown(facts_that_are_not_its_own_are_absent, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
