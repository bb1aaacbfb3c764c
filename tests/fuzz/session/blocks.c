/* SPDX-License-Identifier: Apache-2.0
 *
 * The packets. Numbers are found out from what the peer has received last. */
#include "blocks.h"

#include <stdio.h>
#include <string.h>

/* ---- Numbers ---- */

static void scan(struct blocks *blocks, enum session_side side)
{
    const struct strbuf *got = &blocks->harness->peers[side].got;
    size_t at = blocks->scanned[side];
    while (got->size - at >= WIRE_HEADER_BYTES) {
        const uint8_t *header = (const uint8_t *)got->data + at;
        size_t whole = WIRE_HEADER_BYTES + wire_frame_length(header);
        if (got->size - at < whole)
            break;
        blocks->next[side] = (uint8_t)(header[3] + 1);
        at += whole;
    }
    blocks->scanned[side] = at;
}

/* Numbers a packet that was written with the number 0, and adds it. */
static void add_numbered(struct blocks *blocks, enum session_side side, struct strbuf *packet,
                         struct strbuf *out)
{
    if (packet->size >= WIRE_HEADER_BYTES)
        packet->data[3] = (char)blocks->next[side]++;
    strbuf_add(out, packet->data, packet->size);
    strbuf_release(packet);
}

static void add_payload(struct blocks *blocks, enum session_side side, const void *payload,
                        size_t size, struct strbuf *out)
{
    struct strbuf packet = STRBUF_INIT;
    step_frame(0, payload, size, &packet);
    add_numbered(blocks, side, &packet, out);
}

static void send_bytes(struct blocks *blocks, enum session_side side, struct strbuf *bytes)
{
    harness_send(blocks->harness, side, bytes->data, bytes->size);
    strbuf_release(bytes);
}

/* ---- The backend ---- */

static uint64_t capabilities_of(const struct blocks *blocks)
{
    return blocks->harness->options.capabilities;
}

static void write_greeting(const struct blocks *blocks, struct wire_writer *writer)
{
    const struct harness_options *options = &blocks->harness->options;
    struct wire_greeting greeting = {.server_version = wire_text("8.0.11-backend"),
                                     .connection_id = 42,
                                     .capabilities = options->capabilities & ~options->missing,
                                     .charset = WIRE_CHARSET_UTF8MB4,
                                     .status = WIRE_SERVER_STATUS_AUTOCOMMIT,
                                     .scramble1 = {"12345678", 8},
                                     .scramble2 = {"123456789012", 12},
                                     .plugin = wire_text("mysql_native_password")};
    wire_encode_greeting(writer, &greeting);
}

static void write_row(uint8_t which, struct wire_writer *writer)
{
    struct wire_string account[] = {wire_text("root@%"),
                                    {NULL, 0},
                                    wire_text("test"),
                                    wire_text("ANSI_QUOTES"),
                                    wire_text("utf8mb4")};
    struct wire_string grant = wire_text("GRANT SUPER, RELOAD ON *.* TO `root`@`%`");
    if (which & 1)
        wire_encode_text_row(writer, account, 5);
    else
        wire_encode_text_row(writer, &grant, 1);
}

static void write_ok(struct blocks *blocks, uint16_t status, struct wire_writer *writer)
{
    char mark[16];
    snprintf(mark, sizeof mark, "r%07u", ++blocks->replies);
    struct wire_ok ok = {.status = status, .info = wire_text(mark)};
    wire_encode_ok(writer, capabilities_of(blocks), &ok);
}

/* One packet of a reply. */
static void write_reply(struct blocks *blocks, uint8_t which, struct wire_writer *writer)
{
    const uint64_t capabilities = capabilities_of(blocks);
    const uint16_t more = which & 16 ? WIRE_SERVER_MORE_RESULTS_EXISTS : 0;
    struct wire_column_definition column = {
        .name = wire_text("a"), .charset = 45, .length = 64, .type = WIRE_TYPE_VAR_STRING};
    struct wire_err err = {.code = 1064, .message = wire_text("bad")};
    struct wire_eof eof = {.status = more};
    struct wire_auth_switch request = {wire_text("mysql_native_password"), {"0123456789", 11}};
    static const uint8_t prepared[] = {0, 7, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0};
    switch (which % 16) {
    case 0:
    case 1:
        write_ok(blocks, more, writer);
        break;
    case 2:
        wire_encode_err(writer, capabilities, &err);
        break;
    case 3:
    case 4:
        wire_encode_column_count(writer, capabilities, which & 4 ? 1 : 5);
        break;
    case 5:
    case 6:
        wire_encode_column_definition(writer, capabilities, &column);
        break;
    case 7:
    case 8:
        write_row(which, writer);
        break;
    case 9:
        wire_encode_rows_end(writer, capabilities, &eof);
        break;
    case 10:
        wire_encode_eof(writer, capabilities, &eof);
        break;
    case 11:
        wire_encode_auth_switch(writer, &request);
        break;
    case 12:
        wire_begin_packet(writer);
        wire_write_bytes(writer, "\xfbname", 5);
        wire_end_packet(writer);
        break;
    case 13:
        wire_begin_packet(writer);
        wire_write_bytes(writer, prepared, sizeof prepared);
        wire_end_packet(writer);
        break;
    default:
        write_greeting(blocks, writer);
        break;
    }
}

static void add_reply(struct blocks *blocks, uint8_t which, struct strbuf *out)
{
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 0);
    write_reply(blocks, which, &writer);
    add_numbered(blocks, SESSION_BACKEND, &packet, out);
}

/* Bit 7 of a byte: all that was written so far is sent, and what follows is numbered anew. */
static void reply(struct blocks *blocks, const uint8_t *which, size_t size)
{
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < size; i++) {
        if (which[i] & 128) {
            send_bytes(blocks, SESSION_BACKEND, &out);
            scan(blocks, SESSION_BACKEND);
        }
        add_reply(blocks, which[i] & 127, &out);
    }
    send_bytes(blocks, SESSION_BACKEND, &out);
}

/* ---- The client ---- */

static void statement(struct blocks *blocks, uint8_t which)
{
    static const char *const texts[] = {
        "select '%s'",
        "select '%s'; select 2; select 3",
        "call p('%s')",
        "load data local infile '%s'",
        "set @a = '%s'",
        "set session sql_mode = concat('%s')",
        "use `%s`",
        "flush tidb plugins puppet, %s",
        "flush tidb plugins puppet",
        "show plugins",
        "admin plugins disable puppet, %s",
        "kill 2147483638 /* %s */",
        "show variables like '%s'",
        "set global max_connections = '%s'",
        "select row_count(), '%s'",
        "create user u identified by '%s'; drop database test; select 1",
        "select @@puppet_level, '%s'",
        "set puppet_level = 6, puppet_name = '%s'",
        "set global puppet_level = 6, global puppet_name = '%s'",
        "select puppet_echo('%s')",
        "show status",
        "show variables where variable_name = '%s'",
        "admin plugins enable puppet, %s",
        "execute s using @a",
    };
    char mark[16], text[128];
    struct strbuf payload = STRBUF_INIT, out = STRBUF_INIT;
    snprintf(mark, sizeof mark, "q%07u", ++blocks->statements);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, texts[which % (sizeof texts / sizeof *texts)], mark);
#pragma GCC diagnostic pop
    strbuf_add_byte(&payload, which & 32 ? WIRE_COM_STMT_PREPARE : WIRE_COM_QUERY);
    strbuf_add_text(&payload, text);
    blocks->next[SESSION_CLIENT] = 0;
    add_payload(blocks, SESSION_CLIENT, payload.data, payload.size, &out);
    strbuf_release(&payload);
    send_bytes(blocks, SESSION_CLIENT, &out);
}

static void respond(struct blocks *blocks)
{
    const struct harness_options *options = &blocks->harness->options;
    struct wire_handshake_response response = {.capabilities = options->capabilities,
                                               .max_packet = 1 << 24,
                                               .charset = WIRE_CHARSET_UTF8MB4,
                                               .user = wire_text("root"),
                                               .auth_response = {"01234567890123456789", 20},
                                               .database = wire_text("test"),
                                               .plugin = wire_text("mysql_native_password"),
                                               .attributes = {"\x04_pid\x02"
                                                              "12",
                                                              8}};
    struct strbuf packet = STRBUF_INIT, out = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 0);
    wire_encode_handshake_response(&writer, &response);
    scan(blocks, SESSION_CLIENT);
    add_numbered(blocks, SESSION_CLIENT, &packet, &out);
    send_bytes(blocks, SESSION_CLIENT, &out);
}

static void login(struct blocks *blocks)
{
    static const uint8_t greeting[] = {14}, ok[] = {128 | 0},
                         account[] = {128 | 3, 5, 5, 5, 5, 5, 7, 9};
    bool greets_first = blocks->harness->options.backend_first;
    if (!greets_first)
        respond(blocks);
    blocks->next[SESSION_BACKEND] = 0;
    reply(blocks, greeting, sizeof greeting);
    if (greets_first)
        respond(blocks);
    reply(blocks, ok, sizeof ok);
    if (!blocks->harness->options.without_plugins)
        reply(blocks, account, sizeof account);
}

/* ---- Blocks ---- */

static void one_packet(struct blocks *blocks, enum session_side side, const uint8_t *argument,
                       size_t size)
{
    struct strbuf out = STRBUF_INIT;
    add_payload(blocks, side, argument, size, &out);
    send_bytes(blocks, side, &out);
}

void block_do(struct blocks *blocks, unsigned op, const uint8_t *argument, size_t size)
{
    switch (op) {
    case BLOCK_LOGIN:
        login(blocks);
        break;
    case BLOCK_STATEMENT:
        statement(blocks, size ? argument[0] : 0);
        break;
    case BLOCK_COMMAND:
        blocks->next[SESSION_CLIENT] = 0;
        one_packet(blocks, SESSION_CLIENT, argument, size);
        break;
    case BLOCK_CLIENT_PACKET:
        scan(blocks, SESSION_CLIENT);
        one_packet(blocks, SESSION_CLIENT, argument, size);
        break;
    case BLOCK_REPLY:
        scan(blocks, SESSION_BACKEND);
        reply(blocks, argument, size);
        break;
    case BLOCK_BACKEND_PACKET:
        scan(blocks, SESSION_BACKEND);
        one_packet(blocks, SESSION_BACKEND, argument, size);
        break;
    default:
        break;
    }
}
