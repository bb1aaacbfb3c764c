/* SPDX-License-Identifier: Apache-2.0
 *
 * The same record in each format, and prefixes that are read back as they were written. */
#include "audit_test.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "format.h"

static const weir_table tables[] = {
    {{"shop", 4}, {"orders", 6}, WEIR_TABLE_READ},
    {{"shop", 4}, {"audit \"x\"", 9}, WEIR_TABLE_READ | WEIR_TABLE_WRITE},
};

static struct record statement(void)
{
    struct record record;
    record_init(&record, RECORD_COMPLETED, 1769903999123456000U);
    record.number[RECORD_NUMBER_connection_id] = 7;
    record.text[RECORD_TEXT_user] = text_of("app");
    record.text[RECORD_TEXT_host] = text_of("10.0.0.9");
    record.text[RECORD_TEXT_account] = text_of("app@10.%");
    record.text[RECORD_TEXT_client_ip] = text_of("10.0.0.9");
    record.text[RECORD_TEXT_connection_type] = text_of("TLS");
    record.text[RECORD_TEXT_command] = text_of("Query");
    record.text[RECORD_TEXT_kind] = text_of("InsertSelect");
    record.text[RECORD_TEXT_sql] = text_of("INSERT\nINTO");
    record.number[RECORD_NUMBER_rows] = 0;
    record.number[RECORD_NUMBER_bytes] = 11;
    record.number[RECORD_NUMBER_duration_us] = 1234567;
    record.tables = tables;
    record.table_count = 2;
    return record;
}

static void test_json_lines(void **state)
{
    (void)state;
    struct record record = statement();
    struct strbuf text = {0};
    format_json.write(&text, &record);
    assert_text(
        &text,
        "\"time\":\"2026-01-31T23:59:59.123456Z\",\"event\":\"Completed\",\"class\":\"general\","
        "\"connection_id\":7,\"user\":\"app\",\"host\":\"10.0.0.9\",\"account\":\"app@10.%\","
        "\"client_ip\":\"10.0.0.9\",\"connection_type\":\"TLS\",\"command\":\"Query\","
        "\"kind\":\"InsertSelect\",\"sql\":\"INSERT\\nINTO\",\"tables\":[{\"schema\":\"shop\","
        "\"name\":\"orders\",\"access\":[\"read\"]},{\"schema\":\"shop\",\"name\":\"audit "
        "\\\"x\\\"\",\"access\":[\"read\",\"write\"]}],\"rows\":0,\"bytes\":11,"
        "\"duration_us\":1234567}\n");
}

/* What a routine uses is in no list of tables; its name says where to look. */
static void test_routines(void **state)
{
    (void)state;
    static const weir_routine routines[] = {{{"shop", 4}, {"pay", 3}, WEIR_ROUTINE_CALL},
                                            {{"", 0}, {"x\"y", 3}, WEIR_ROUTINE_FUNCTION}};
    struct record record;
    struct strbuf text = {0};
    record_init(&record, RECORD_COMPLETED, 0);
    record.number[RECORD_NUMBER_tables_known] = 0;
    record.routines = routines;
    record.routine_count = 2;
    format_json.write(&text, &record);
    assert_non_null(strstr(text.data,
                           ",\"routines\":[{\"schema\":\"shop\",\"name\":\"pay\",\"how\":\"call\"},"
                           "{\"schema\":\"\",\"name\":\"x\\\"y\",\"how\":\"function\"}],"
                           "\"tables_known\":0"));
    strbuf_reset(&text);
    format_csv.write(&text, &record);
    assert_non_null(strstr(text.data, ",\"[{\"\"schema\"\":\"\"shop\"\",\"\"name\"\":\"\"pay"));
    strbuf_release(&text);
}

static void test_a_number_that_is_no_json_integer_is_a_string(void **state)
{
    (void)state;
    struct record record;
    struct strbuf text = {0};
    record_init(&record, RECORD_COMPLETED, 0);
    record.number[RECORD_NUMBER_affected_rows] = INT64_MAX;
    record.number[RECORD_NUMBER_last_insert_id] = UINT64_MAX - 1;
    format_json.write(&text, &record);
    assert_text(&text, "\"time\":\"1970-01-01T00:00:00.000000Z\",\"event\":\"Completed\",\"class\":"
                       "\"general\",\"affected_rows\":9223372036854775807,\"last_insert_id\":"
                       "\"18446744073709551614\"}\n");
}

/* A session's part that was written before gives the same line. */
static void test_the_sessions_part_can_be_written_once(void **state)
{
    (void)state;
    static const struct format *const formats[] = {&format_json, &format_csv};
    for (size_t i = 0; i < 2; i++) {
        struct record record = statement();
        struct strbuf part = {0}, whole = {0}, again = {0};
        formats[i]->write(&whole, &record);
        formats[i]->write_session(&part, &record);
        record.session_part = (weir_string){part.data, part.size};
        record.text[RECORD_TEXT_user] = text_of("not looked at");
        formats[i]->write(&again, &record);
        assert_int_equal(whole.size, again.size);
        assert_memory_equal(whole.data, again.data, whole.size);
        strbuf_release(&part);
        strbuf_release(&whole);
        strbuf_release(&again);
    }
}

static void test_mysql_json(void **state)
{
    (void)state;
    struct record record = statement();
    struct strbuf text = {0};
    record.table_count = 1;
    format_mysql_json.write(&text, &record);
    assert_text(
        &text,
        "\"timestamp\":\"2026-01-31 23:59:59\",\"class\":\"table_access\",\"event\":\"read\","
        "\"connection_id\":7,\"account\":{\"user\":\"app\",\"host\":\"10.%\"},\"login\":{"
        "\"user\":\"app\",\"os\":\"\",\"ip\":\"10.0.0.9\",\"proxy\":\"\"},"
        "\"table_access_data\":{\"db\":\"shop\",\"table\":\"orders\",\"query\":\"INSERT\\nINTO\","
        "\"sql_command\":\"insert_select\"}}\n"
        "\"timestamp\":\"2026-01-31 23:59:59\",\"class\":\"general\",\"event\":\"status\","
        "\"connection_id\":7,\"account\":{\"user\":\"app\",\"host\":\"10.%\"},\"login\":{"
        "\"user\":\"app\",\"os\":\"\",\"ip\":\"10.0.0.9\",\"proxy\":\"\"},\"general_data\":{"
        "\"command\":\"Query\",\"sql_command\":\"insert_select\",\"query\":\"INSERT\\nINTO\","
        "\"status\":0},\"query_statistics\":{\"query_time\":1.234567,\"bytes_sent\":11,"
        "\"rows_sent\":0}}\n");
}

static void test_server_audit(void **state)
{
    (void)state;
    struct record record = statement();
    struct strbuf text = {0}, line = {0};
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    setenv("TZ", "UTC", 1);
    tzset();
    record.number[RECORD_NUMBER_statement_id] = 3;
    record.text[RECORD_TEXT_database] = text_of("shop");
    record.text[RECORD_TEXT_sql] = text_of("  INSERT\nINTO t VALUES ('it\\', \"\t\") ; ");
    record.table_count = 1;
    format_server_audit.write(&text, &record);
    strbuf_printf(&line,
                  "20260131 23:59:59,%s,app,10.0.0.9,7,3,READ,shop,orders,\n"
                  "20260131 23:59:59,%s,app,10.0.0.9,7,3,QUERY,shop,'INSERT\\nINTO t VALUES "
                  "(\\'it\\\\\\', \"\\t\")',0\n",
                  host, host);
    assert_text(&text, line.data);
    strbuf_reset(&line);
    record_init(&record, RECORD_REJECT, 1769903999123456000U);
    record.text[RECORD_TEXT_user] = text_of("eve\nil");
    record.number[RECORD_NUMBER_error_code] = 1045;
    format_server_audit.write(&text, &record);
    strbuf_printf(&line,
                  "20260131 23:59:59,%s,eve\\nil,,0,0,FAILED_CONNECT,,,1045\n"
                  "20260131 23:59:59,%s,eve\\nil,,0,0,DISCONNECT,,,0\n",
                  host, host);
    assert_text(&text, line.data);
    strbuf_release(&line);
}

static void test_percona_json_names_users_as_the_general_log(void **state)
{
    (void)state;
    struct record record = statement();
    struct strbuf text = {0};
    record.table_count = 0;
    record.number[RECORD_NUMBER_backend_connection_id] = 4711;
    format_percona_json.write(&text, &record);
    assert_text(
        &text,
        "\"timestamp\":\"2026-01-31 23:59:59\",\"class\":\"general\",\"event\":\"status\","
        "\"connection_id\":7,\"backend_connection_id\":4711,\"account\":{\"user\":\"app[app] @  "
        "[10.0.0.9]\",\"host\":\"10.%\"},\"login\":{\"user\":\"app[app] @  "
        "[10.0.0.9]\",\"os\":\"\",\"ip\":\"10.0.0.9\",\"proxy\":\"\"},\"general_data\":{"
        "\"command\":\"Query\",\"sql_command\":\"insert_select\",\"query\":\"INSERT\\nINTO\","
        "\"status\":0},\"query_statistics\":{\"query_time\":1.234567,\"bytes_sent\":11,"
        "\"rows_sent\":0}}\n");
}

static void test_mysql_json_connections(void **state)
{
    (void)state;
    struct record record;
    struct strbuf text = {0};
    static const struct record_attribute attributes[] = {{{"_os", 3}, {"linux", 5}}};
    record_init(&record, RECORD_REJECT, 0);
    record.number[RECORD_NUMBER_connection_id] = 8;
    record.number[RECORD_NUMBER_error_code] = 1045;
    record.text[RECORD_TEXT_user] = text_of("eve");
    record.text[RECORD_TEXT_host] = text_of("h");
    record.attributes = attributes;
    record.attribute_count = 1;
    format_mysql_json.write(&text, &record);
    assert_text(&text,
                "\"timestamp\":\"1970-01-01 00:00:00\",\"class\":\"connection\",\"event\":"
                "\"connect\",\"connection_id\":8,\"account\":{\"user\":\"eve\",\"host\":\"h\"},"
                "\"login\":{\"user\":\"eve\",\"os\":\"\",\"ip\":\"\",\"proxy\":\"\"},"
                "\"connection_data\":{\"connection_type\":\"tcp/ip\",\"status\":1045,\"db\":\"\","
                "\"connection_attributes\":{\"_os\":\"linux\"}}}\n");
    record_init(&record, RECORD_STARTING, 0);
    format_mysql_json.write(&text, &record);
    assert_int_equal(text.size, 0);
    strbuf_release(&text);
}

static size_t columns_of(const char *line)
{
    size_t count = 1;
    bool quoted = false;
    for (; *line && *line != '\n'; line++) {
        quoted = *line == '"' ? !quoted : quoted;
        count += *line == ',' && !quoted;
    }
    return count;
}

static void test_csv_has_as_many_columns_as_names(void **state)
{
    (void)state;
    struct record record = statement();
    struct strbuf text = {0};
    format_csv.write_prefix(&text, 12, chain_beginning);
    format_csv.write(&text, &record);
    strbuf_add(&text, "", 1);
    assert_int_equal(columns_of(text.data), columns_of(format_csv.opening));
    assert_non_null(strstr(text.data, "\"INSERT\\nINTO\""));
    strbuf_release(&text);
}

static void test_prefixes_are_read_back(void **state)
{
    (void)state;
    static const struct format *const formats[] = {&format_json, &format_mysql_json, &format_csv};
    for (size_t i = 0; i < 3; i++) {
        for (int with_chain = 0; with_chain < 2; with_chain++) {
            struct record record = statement();
            struct strbuf text = {0};
            char link[CHAIN_TEXT_BYTES], chain[CHAIN_TEXT_BYTES];
            uint64_t sequence;
            chain_of("x", 1, link);
            formats[i]->write_prefix(&text, 18446744073709551615U, with_chain ? link : NULL);
            formats[i]->write(&text, &record);
            size_t size = (size_t)((char *)memchr(text.data, '\n', text.size) - text.data);
            assert_true(formats[i]->read_prefix(text.data, size, &sequence, chain));
            assert_true(sequence == UINT64_MAX);
            assert_string_equal(chain, with_chain ? link : "");
            /* Nothing that is cut short is a record, and nothing is read beyond its end. */
            for (size_t cut = 0; i < 2 && cut < size; cut++) {
                struct strbuf copy = {0};
                strbuf_add(&copy, text.data, cut);
                if (cut && copy.data[cut - 1] != '}')
                    assert_false(formats[i]->read_prefix(copy.data, cut, &sequence, chain));
                strbuf_release(&copy);
            }
            strbuf_release(&text);
        }
    }
}

static void test_formats_are_told_by_their_first_line(void **state)
{
    (void)state;
    assert_ptr_equal(format_of_line("[", 1), &format_mysql_json);
    assert_ptr_equal(format_of_line("[ ", 2), &format_percona_json);
    assert_ptr_equal(format_of_line("20260131 23:59:59,h,,,0,0,START,,'1',0", 37),
                     &format_server_audit);
    assert_ptr_equal(format_of_line(format_csv.opening, strlen(format_csv.opening) - 1),
                     &format_csv);
    assert_ptr_equal(format_of_line("{\"seq\":1,\"x\":2}", 15), &format_json);
    assert_null(format_of_line("root:x:0:0", 10));
    assert_ptr_equal(format_find("MySQL_JSON", 10), &format_mysql_json);
    assert_null(format_find("js", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_routines),
        cmocka_unit_test(test_a_number_that_is_no_json_integer_is_a_string),
        cmocka_unit_test(test_the_sessions_part_can_be_written_once),
        cmocka_unit_test(test_mysql_json),
        cmocka_unit_test(test_server_audit),
        cmocka_unit_test(test_percona_json_names_users_as_the_general_log),
        cmocka_unit_test(test_mysql_json_connections),
        cmocka_unit_test(test_csv_has_as_many_columns_as_names),
        cmocka_unit_test(test_prefixes_are_read_back),
        cmocka_unit_test(test_formats_are_told_by_their_first_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
