/* SPDX-License-Identifier: Apache-2.0
 *
 * Codecs: bytes that are written out by hand, decoded; and what an encoder writes, read back. Every
 * decoder also gets every shorter version of its bytes, ending at the end of an allocation, so that
 * a sanitizer sees any step too far. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "conversation.h"

static void assert_text(struct wire_string string, const char *text)
{
    assert_int_equal(string.size, strlen(text));
    assert_memory_equal(string.data, text, string.size);
}

/* The payload of the one packet in `packet`. */
static struct wire_reader payload_of(const struct strbuf *packet)
{
    assert_false(packet->failed);
    struct wire_reader header = wire_reader_of(packet->data, packet->size);
    assert_int_equal(wire_read_u24(&header), packet->size - WIRE_HEADER_BYTES);
    wire_skip(&header, 1);
    return header;
}

static void length_encoded_integers(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,       1,        250,       251,       0xffff,
                                      0x10000, 0xffffff, 0x1000000, UINT64_MAX};
    static const size_t sizes[] = {1, 1, 1, 3, 3, 4, 4, 9, 9};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct strbuf bytes = STRBUF_INIT;
        struct wire_writer w = wire_writer_to(&bytes, 0);
        wire_write_lenenc(&w, values[i]);
        assert_int_equal(bytes.size, sizes[i]);
        struct wire_reader r = wire_reader_of(bytes.data, bytes.size);
        assert_true(wire_read_lenenc(&r) == values[i]);
        assert_false(r.failed);
        r = wire_reader_of(bytes.data, bytes.size - 1);
        assert_true(wire_read_lenenc(&r) == 0);
        assert_true(r.failed);
        strbuf_release(&bytes);
    }
    struct wire_reader r = wire_reader_of("\xfb", 1);
    wire_read_lenenc(&r);
    assert_true(r.failed);
}

static void strings_do_not_reach_past_the_end(void **state)
{
    (void)state;
    struct wire_reader r = wire_reader_of("\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
                                          "abc",
                                          12);
    assert_null(wire_read_lenenc_string(&r).data);
    assert_true(r.failed);
    assert_int_equal(wire_read_u8(&r), 0); /* failed for good */
    r = wire_reader_of("abc", 3);
    assert_null(wire_read_nul_string(&r).data);
    r = wire_reader_of("abc", 3);
    assert_text(wire_read_nul_string_or_rest(&r), "abc");
    r = wire_reader_of("abc\0d", 5);
    assert_text(wire_read_nul_string_or_rest(&r), "abc");
    assert_text(wire_read_rest(&r), "d");
    assert_false(r.failed);
}

static void a_writer_cuts_big_payloads_into_frames(void **state)
{
    (void)state;
    static const size_t sizes[] = {WIRE_FRAME_MAX - 1, WIRE_FRAME_MAX, WIRE_FRAME_MAX + 1,
                                   2 * (size_t)WIRE_FRAME_MAX + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct strbuf bytes = STRBUF_INIT;
        struct wire_writer w = wire_writer_to(&bytes, 254);
        char *payload = malloc(sizes[i]);
        assert_non_null(payload);
        for (size_t j = 0; j < sizes[i]; j++)
            payload[j] = (char)(j * 7 + j / 1000);
        strbuf_add_text(&bytes, "before");
        wire_begin_packet(&w);
        wire_write_bytes(&w, payload, sizes[i]);
        wire_end_packet(&w);
        struct wire_reader r = wire_reader_of(bytes.data + 6, bytes.size - 6);
        size_t seen = 0;
        uint8_t sequence = 254;
        uint32_t length;
        do {
            length = wire_read_u24(&r);
            assert_int_equal(wire_read_u8(&r), sequence++);
            struct wire_string part = wire_read_bytes(&r, length);
            assert_memory_equal(part.data, payload + seen, length);
            seen += length;
        } while (length == WIRE_FRAME_MAX);
        assert_false(r.failed);
        assert_int_equal(wire_left(&r), 0);
        assert_int_equal(seen, sizes[i]);
        assert_int_equal(w.sequence, sequence);
        free(payload);
        strbuf_release(&bytes);
    }
}

static void a_greeting_reads_back(void **state)
{
    (void)state;
    static const uint64_t cases[] = {
        CLASSIC | WIRE_CAP(CLIENT_MYSQL),
        CLASSIC | WIRE_CAP(MARIADB_CLIENT_STMT_BULK_OPERATIONS),
    };
    for (size_t i = 0; i < 2; i++) {
        struct strbuf bytes = STRBUF_INIT;
        struct wire_writer w = wire_writer_to(&bytes, 0);
        struct wire_greeting in = {.server_version = wire_text("8.0-weir"),
                                   .connection_id = 0x80000001,
                                   .capabilities = cases[i],
                                   .charset = 45,
                                   .status = 2,
                                   .scramble1 = wire_text("12345678"),
                                   .scramble2 = wire_text("abcdefghijkl"),
                                   .plugin = wire_text("mysql_native_password")};
        struct wire_greeting out;
        wire_encode_greeting(&w, &in);
        struct wire_reader r = payload_of(&bytes);
        assert_true(wire_decode_greeting(r.pos, wire_left(&r), &out));
        assert_text(out.server_version, "8.0-weir");
        assert_int_equal(out.connection_id, 0x80000001);
        assert_true(out.capabilities == cases[i]);
        assert_int_equal(out.charset, 45);
        assert_int_equal(out.status, 2);
        assert_text(out.scramble1, "12345678");
        assert_text(out.scramble2, "abcdefghijkl");
        assert_text(out.plugin, "mysql_native_password");
        strbuf_release(&bytes);
    }
}

static void a_handshake_response_reads_back(void **state)
{
    (void)state;
    uint64_t base = CLASSIC | WIRE_CAP(CLIENT_CONNECT_WITH_DB) | WIRE_CAP(CLIENT_CONNECT_ATTRS) |
                    WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM);
    const uint64_t cases[] = {base, base | WIRE_CAP(CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA),
                              base | WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA),
                              base | WIRE_CAP(CLIENT_MYSQL)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct strbuf bytes = STRBUF_INIT;
        struct wire_writer w = wire_writer_to(&bytes, 1);
        struct wire_handshake_response in = {
            .capabilities = cases[i],
            .max_packet = 1 << 24,
            .charset = 33,
            .user = wire_text("bob"),
            .auth_response = {"\0secret", 7},
            .database = wire_text(""),
            .plugin = wire_text("client_ed25519"),
            .attributes = {"\4_pid\0017\5empty\0", 14},
            .zstd_level = 3,
        };
        struct wire_handshake_response out;
        wire_encode_handshake_response(&w, &in);
        struct wire_reader r = payload_of(&bytes);
        assert_true(wire_decode_handshake_response(r.pos, wire_left(&r), &out));
        assert_true(out.capabilities == cases[i]);
        assert_int_equal(out.max_packet, 1 << 24);
        assert_text(out.user, "bob");
        assert_int_equal(out.auth_response.size, 7);
        assert_non_null(out.database.data);
        assert_int_equal(out.database.size, 0);
        assert_text(out.plugin, "client_ed25519");
        assert_int_equal(out.zstd_level, 3);
        struct wire_reader attributes = wire_reader_of(out.attributes.data, out.attributes.size);
        struct wire_string name, value;
        assert_true(wire_attribute_next(&attributes, &name, &value));
        assert_text(name, "_pid");
        assert_text(value, "7");
        assert_true(wire_attribute_next(&attributes, &name, &value));
        assert_text(name, "empty");
        assert_int_equal(value.size, 0);
        assert_false(wire_attribute_next(&attributes, &name, &value));
        assert_false(attributes.failed);
        strbuf_release(&bytes);
    }
}

static void an_ssl_request_is_told_from_a_response(void **state)
{
    (void)state;
    struct strbuf bytes = STRBUF_INIT;
    struct wire_writer w = wire_writer_to(&bytes, 1);
    struct wire_handshake_response in = {.capabilities = CLASSIC | WIRE_CAP(CLIENT_SSL)}, out;
    wire_encode_ssl_request(&w, &in);
    assert_int_equal(bytes.size, WIRE_HEADER_BYTES + WIRE_SSL_REQUEST_BYTES);
    assert_true(wire_decode_handshake_response((uint8_t *)bytes.data + 4, bytes.size - 4, &out));
    assert_true(out.is_ssl_request);
    strbuf_release(&bytes);
}

static void a_change_of_user_reads_back(void **state)
{
    (void)state;
    uint64_t capabilities =
        CLASSIC | WIRE_CAP(CLIENT_CONNECT_ATTRS) | WIRE_CAP(CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA);
    struct strbuf bytes = STRBUF_INIT;
    struct wire_writer w = wire_writer_to(&bytes, 0);
    struct wire_change_user in = {.user = wire_text("eve"),
                                  .auth_response = {"\1\2\3", 3},
                                  .database = wire_text("db"),
                                  .charset = 300,
                                  .plugin = wire_text("p"),
                                  .attributes = {"\1a\1b", 4}};
    struct wire_change_user out;
    wire_encode_change_user(&w, capabilities, &in);
    struct wire_reader r = payload_of(&bytes);
    assert_int_equal(*r.pos, WIRE_COM_CHANGE_USER);
    assert_true(wire_decode_change_user(r.pos, wire_left(&r), capabilities, &out));
    assert_text(out.user, "eve");
    assert_int_equal(out.auth_response.size, 3);
    assert_text(out.database, "db");
    assert_int_equal(out.charset, 300);
    assert_text(out.plugin, "p");
    assert_int_equal(out.attributes.size, 4);
    strbuf_release(&bytes);
}

static void an_auth_switch_reads_back(void **state)
{
    (void)state;
    struct strbuf bytes = STRBUF_INIT;
    struct wire_writer w = wire_writer_to(&bytes, 2);
    struct wire_auth_switch in = {wire_text("plugin"), {"scramble", 9}}, out;
    wire_encode_auth_switch(&w, &in);
    struct wire_reader r = payload_of(&bytes);
    assert_true(wire_decode_auth_switch(r.pos, wire_left(&r), &out));
    assert_text(out.plugin, "plugin");
    assert_int_equal(out.data.size, 9);
    assert_true(wire_decode_auth_switch((const uint8_t *)"\xfe", 1, &out));
    assert_text(out.plugin, "mysql_old_password");
    strbuf_release(&bytes);
}

static void ok_err_and_eof_read_back(void **state)
{
    (void)state;
    struct strbuf bytes = STRBUF_INIT;
    struct wire_writer w = wire_writer_to(&bytes, 1);
    struct wire_ok ok = {.affected_rows = 70000,
                         .last_insert_id = 251,
                         .status = WIRE_SERVER_SESSION_STATE_CHANGED,
                         .warnings = 2,
                         .info = wire_text("info"),
                         .session_state = {"\1\3\2db", 5}};
    struct wire_ok ok_out;
    wire_encode_ok(&w, MODERN, &ok);
    struct wire_reader r = payload_of(&bytes);
    assert_true(wire_decode_ok(r.pos, wire_left(&r), MODERN, &ok_out));
    assert_int_equal(ok_out.affected_rows, 70000);
    assert_int_equal(ok_out.last_insert_id, 251);
    assert_int_equal(ok_out.warnings, 2);
    assert_text(ok_out.info, "info");
    assert_int_equal(ok_out.session_state.size, 5);
    strbuf_reset(&bytes);
    struct wire_err err = {.code = WIRE_ER_ACCESS_DENIED_ERROR, .message = wire_text("no")},
                    err_out;
    wire_encode_err(&w, CLASSIC, &err);
    r = payload_of(&bytes);
    assert_true(wire_decode_err(r.pos, wire_left(&r), &err_out));
    assert_int_equal(err_out.code, 1045);
    assert_string_equal(err_out.sqlstate, "28000");
    assert_text(err_out.message, "no");
    strbuf_reset(&bytes);
    struct wire_eof eof = {.warnings = 3, .status = 34}, eof_out;
    wire_encode_rows_end(&w, CLASSIC, &eof);
    r = payload_of(&bytes);
    assert_int_equal(wire_left(&r), 5);
    assert_true(wire_decode_eof(r.pos, wire_left(&r), &eof_out));
    assert_int_equal(eof_out.warnings, 3);
    assert_int_equal(eof_out.status, 34);
    strbuf_reset(&bytes);
    wire_encode_rows_end(&w, MODERN, &eof);
    r = payload_of(&bytes);
    assert_true(wire_decode_ok(r.pos, wire_left(&r), MODERN, &ok_out));
    assert_int_equal(ok_out.header, 0xfe);
    assert_int_equal(ok_out.status, 34);
    strbuf_release(&bytes);
}

static void the_text_of_an_ok_with_and_without_its_length(void **state)
{
    (void)state;
    struct wire_ok ok;
    assert_true(wire_decode_ok((const uint8_t *)"\0\0\0\2\0\0\0\2hi", 10, CLASSIC, &ok));
    assert_text(ok.info, "hi");
    assert_true(wire_decode_ok((const uint8_t *)"\0\0\0\2\0\0\0hi", 9, CLASSIC, &ok));
    assert_text(ok.info, "hi");
}

static void session_state_is_walked_one_change_at_a_time(void **state)
{
    (void)state;
    static const char block[] = "\0\11\1a\0011\1b\2on" /* two variables in one change */
                                "\1\3\2db"
                                "\2\2\0011"
                                "\3\3\0\1g"
                                "\5\11\10TR______"
                                "\100\2zz";
    struct wire_session_states states;
    struct wire_session_state change;
    wire_session_states_begin(&states, (const uint8_t *)block, sizeof block - 1);
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, WIRE_SESSION_SYSTEM_VARIABLES);
    assert_text(change.name, "a");
    assert_text(change.value, "1");
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, WIRE_SESSION_SYSTEM_VARIABLES);
    assert_text(change.name, "b");
    assert_text(change.value, "on");
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, WIRE_SESSION_SCHEMA);
    assert_text(change.value, "db");
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, WIRE_SESSION_STATE_CHANGE);
    assert_text(change.value, "1");
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, WIRE_SESSION_GTIDS);
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, WIRE_SESSION_TRANSACTION_STATE);
    assert_text(change.value, "TR______");
    assert_true(wire_session_state_next(&states, &change));
    assert_int_equal(change.type, 0x40);
    assert_text(change.value, "zz");
    assert_false(wire_session_state_next(&states, &change));
    assert_false(states.block.failed);
}

static void a_column_definition_reads_back(void **state)
{
    (void)state;
    static const uint64_t cases[] = {CLASSIC, CLASSIC | WIRE_CAP(MARIADB_CLIENT_EXTENDED_METADATA)};
    for (size_t i = 0; i < 2; i++) {
        struct strbuf bytes = STRBUF_INIT;
        struct wire_writer w = wire_writer_to(&bytes, 2);
        struct wire_column_definition in = {.schema = wire_text("s"),
                                            .table = wire_text("t"),
                                            .org_table = wire_text("ot"),
                                            .name = wire_text("n"),
                                            .org_name = wire_text("on"),
                                            .extended = wire_text("\1\4json"),
                                            .charset = 45,
                                            .length = 1024,
                                            .type = WIRE_TYPE_VAR_STRING,
                                            .flags = 1,
                                            .decimals = 31};
        struct wire_column_definition out;
        wire_encode_column_definition(&w, cases[i], &in);
        struct wire_reader r = payload_of(&bytes);
        assert_true(wire_decode_column_definition(r.pos, wire_left(&r), cases[i], &out));
        assert_text(out.schema, "s");
        assert_text(out.org_table, "ot");
        assert_text(out.org_name, "on");
        assert_int_equal(out.extended.size, i == 0 ? 0 : 6);
        assert_int_equal(out.charset, 45);
        assert_int_equal(out.length, 1024);
        assert_int_equal(out.type, WIRE_TYPE_VAR_STRING);
        assert_int_equal(out.decimals, 31);
        strbuf_release(&bytes);
    }
}

static void a_text_row_reads_back(void **state)
{
    (void)state;
    struct strbuf bytes = STRBUF_INIT;
    struct wire_writer w = wire_writer_to(&bytes, 3);
    const struct wire_string fields[] = {wire_text("a"), {NULL, 0}, wire_text("")};
    struct wire_string field;
    wire_encode_text_row(&w, fields, 3);
    struct wire_reader r = payload_of(&bytes);
    assert_true(wire_text_field_next(&r, &field));
    assert_text(field, "a");
    assert_true(wire_text_field_next(&r, &field));
    assert_null(field.data);
    assert_true(wire_text_field_next(&r, &field));
    assert_non_null(field.data);
    assert_int_equal(field.size, 0);
    assert_false(wire_text_field_next(&r, &field));
    assert_false(r.failed);
    strbuf_release(&bytes);
}

static void errors_are_a_servers(void **state)
{
    static const unsigned numbers[] = {
#define X(number, enumerator, sqlstate, when) number,
        WIRE_ERRORS(X)
#undef X
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_false(wire_error_is_clients(numbers[i]));
    assert_true(wire_error_is_clients(2000) && wire_error_is_clients(2999));
    assert_true(wire_error_is_clients(5000) && wire_error_is_clients(5999));
    assert_false(wire_error_is_clients(1999) || wire_error_is_clients(3000));
    assert_string_equal(wire_error_sqlstate(WIRE_ER_CONNECTION_KILLED), "08S01");
}

static void what_cannot_be_left_out_is_named(void **state)
{
    const char *remedy = NULL;
    const uint64_t both = WIRE_CAP(CLIENT_COMPRESS) | WIRE_CAP(CLIENT_SSL);
    (void)state;
    assert_string_equal(wire_capability_insisted_on(both, 0, &remedy), "CLIENT_COMPRESS");
    assert_non_null(strstr(remedy, "MYSQLI_CLIENT_COMPRESS"));
    assert_string_equal(wire_capability_insisted_on(both, WIRE_CAP(CLIENT_COMPRESS), &remedy),
                        "CLIENT_SSL");
    assert_null(wire_capability_insisted_on(both, both, &remedy));
    assert_null(wire_capability_insisted_on(WIRE_CAP(CLIENT_DEPRECATE_EOF), 0, &remedy));
}

static void an_answer_follows_the_last_frame(void **state)
{
    static uint8_t bytes[WIRE_HEADER_BYTES + WIRE_FRAME_MAX + WIRE_HEADER_BYTES] = {0xff, 0xff,
                                                                                    0xff};
    (void)state;
    bytes[WIRE_HEADER_BYTES + WIRE_FRAME_MAX + 3] = 1;
    assert_int_equal(wire_packet_number(bytes, sizeof bytes), 1);
    assert_int_equal(wire_packet_number(bytes, sizeof bytes - 1), 0);
}

static void lists_name_their_members(void **state)
{
    (void)state;
    assert_string_equal(wire_command_name(WIRE_COM_QUERY), "Query");
    assert_string_equal(wire_command_name(WIRE_COM_RESET_CONNECTION), "Reset connect");
    assert_string_equal(wire_command_name(0xfa), "Bulk Execute");
    assert_string_equal(wire_command_name(0x99), "Unknown");
    assert_string_equal(wire_capability_name(24), "CLIENT_DEPRECATE_EOF");
    assert_null(wire_capability_name(63));
    assert_null(wire_capability_name(64));
    assert_string_equal(wire_field_type_info(WIRE_TYPE_LONGLONG)->name, "LONGLONG");
    assert_null(wire_field_type_info(0x80));
    assert_string_equal(wire_error_sqlstate(WIRE_ER_SERVER_SHUTDOWN), "08S01");
    assert_string_equal(wire_session_state_name(1), "schema");
    assert_false(wire_relayed_capabilities() & WIRE_CAP(CLIENT_SSL));
    assert_false(wire_relayed_capabilities() & WIRE_CAP(CLIENT_COMPRESS));
    assert_true(wire_relayed_capabilities() & WIRE_CAP(MARIADB_CLIENT_STMT_BULK_OPERATIONS));
}

static void put_address(struct sockaddr_storage *out, int family, const char *ip, uint16_t port)
{
    memset(out, 0, sizeof *out);
    if (family == AF_INET) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
        assert_int_equal(inet_pton(AF_INET, ip, &v4.sin_addr), 1);
        memcpy(out, &v4, sizeof v4);
    } else {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        assert_int_equal(inet_pton(AF_INET6, ip, &v6.sin6_addr), 1);
        memcpy(out, &v6, sizeof v6);
    }
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static void proxy_headers(void **state)
{
    (void)state;
    static const struct {
        int family[2];
        const char *from, *to;
        const char *header;
        size_t size;
    } cases[] = {
        {{AF_INET, AF_INET},
         "10.0.0.7",
         "10.0.0.1",
         SIGNATURE "\x21\x11\0\x0c\x0a\0\0\x07\x0a\0\0\x01\x12\x34\x0f\xa0",
         28},
        {{AF_INET6, AF_INET6},
         "::ffff:10.0.0.7",
         "::ffff:10.0.0.1",
         SIGNATURE "\x21\x11\0\x0c\x0a\0\0\x07\x0a\0\0\x01\x12\x34\x0f\xa0",
         28},
        {{AF_INET6, AF_INET6},
         "::1",
         "::2",
         SIGNATURE "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x34\x0f\xa0",
         52},
        {{AF_INET6, AF_INET}, "::1", "10.0.0.1", SIGNATURE "\x20\0\0\0", 16},
    };
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_storage from, to;
        put_address(&from, cases[i].family[0], cases[i].from, 0x1234);
        put_address(&to, cases[i].family[1], cases[i].to, 4000);
        strbuf_reset(&out);
        wire_encode_proxy_header(&out, (struct sockaddr *)&from, (struct sockaddr *)&to);
        assert_int_equal(out.size, cases[i].size);
        assert_memory_equal(out.data, cases[i].header, out.size);
    }
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    strbuf_reset(&out);
    wire_encode_proxy_header(&out, (struct sockaddr *)&local, (struct sockaddr *)&local);
    assert_int_equal(out.size, 16);
    strbuf_reset(&out);
    wire_encode_proxy_header(&out, NULL, NULL);
    assert_memory_equal(out.data + 12, "\x20\0\0\0", 4);
    strbuf_release(&out);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(length_encoded_integers),
        TEST(strings_do_not_reach_past_the_end),
        TEST(a_writer_cuts_big_payloads_into_frames),
        TEST(a_greeting_reads_back),
        TEST(a_handshake_response_reads_back),
        TEST(an_ssl_request_is_told_from_a_response),
        TEST(a_change_of_user_reads_back),
        TEST(an_auth_switch_reads_back),
        TEST(ok_err_and_eof_read_back),
        TEST(the_text_of_an_ok_with_and_without_its_length),
        TEST(session_state_is_walked_one_change_at_a_time),
        TEST(a_column_definition_reads_back),
        TEST(a_text_row_reads_back),
        TEST(errors_are_a_servers),
        TEST(what_cannot_be_left_out_is_named),
        TEST(an_answer_follows_the_last_frame),
        TEST(lists_name_their_members),
        TEST(proxy_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
