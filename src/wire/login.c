/* SPDX-License-Identifier: Apache-2.0
 *
 * Codecs of the packets that open a session, or hand it to another user: greeting, handshake
 * response, SSL request, change of user, switch of the authentication method, connection
 * attributes.
 *
 * MariaDB's extended capabilities live in bytes that MySQL keeps zero, and count only when
 * CLIENT_MYSQL (bit 0) is clear; every function here goes by that. */
#include <assert.h>
#include <string.h>

#include "wire/packets.h"

enum {
    PROTOCOL_VERSION = 10,
    SCRAMBLE1_BYTES = 8,
    SCRAMBLE2_BYTES = 12,
    GREETING_RESERVED_BYTES = 6,  /* before MariaDB's four bytes of capabilities */
    RESPONSE_RESERVED_BYTES = 19, /* the same */
};

/* The upper capabilities of one packet: zero unless the lower ones say that they are meant. */
static uint64_t extended(uint64_t low, uint32_t high)
{
    return low & WIRE_CAP(CLIENT_MYSQL) ? low : low | (uint64_t)high << 32;
}

bool wire_decode_greeting(const uint8_t *payload, size_t size, struct wire_greeting *greeting)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *greeting = (struct wire_greeting){0};
    if (wire_read_u8(&r) != PROTOCOL_VERSION)
        return false;
    greeting->server_version = wire_read_nul_string(&r);
    greeting->connection_id = wire_read_u32(&r);
    greeting->scramble1 = wire_read_bytes(&r, SCRAMBLE1_BYTES);
    wire_skip(&r, 1);
    uint64_t low = wire_read_u16(&r);
    if (r.failed)
        return false;
    greeting->capabilities = low;
    if (wire_left(&r) == 0)
        return true; /* before 4.1 */
    greeting->charset = wire_read_u8(&r);
    greeting->status = wire_read_u16(&r);
    low |= (uint64_t)wire_read_u16(&r) << 16;
    uint8_t scramble_bytes = wire_read_u8(&r);
    wire_skip(&r, GREETING_RESERVED_BYTES);
    greeting->capabilities = extended(low, wire_read_u32(&r));
    if (low & WIRE_CAP(CLIENT_SECURE_CONNECTION) || scramble_bytes > SCRAMBLE1_BYTES) {
        /* At least 13 bytes, the last of which is a NUL; some servers send 0 as the length. */
        size_t rest = scramble_bytes > 21 ? (size_t)scramble_bytes - 8 : SCRAMBLE2_BYTES + 1;
        if (rest > wire_left(&r))
            rest = wire_left(&r);
        greeting->scramble2 = wire_read_bytes(&r, rest);
        size_t used = greeting->scramble2.size;
        if (used > 0 && greeting->scramble2.data[used - 1] == 0)
            greeting->scramble2.size--;
    }
    if (low & WIRE_CAP(CLIENT_PLUGIN_AUTH))
        greeting->plugin = wire_read_nul_string_or_rest(&r);
    return !r.failed;
}

void wire_encode_greeting(struct wire_writer *writer, const struct wire_greeting *greeting)
{
    uint64_t capabilities = greeting->capabilities;
    bool has_plugin = capabilities & WIRE_CAP(CLIENT_PLUGIN_AUTH);
    assert(greeting->scramble1.size == SCRAMBLE1_BYTES &&
           greeting->scramble2.size >= SCRAMBLE2_BYTES &&
           greeting->scramble2.size <= WIRE_SCRAMBLE_MAX - SCRAMBLE1_BYTES);
    wire_begin_packet(writer);
    wire_write_u8(writer, PROTOCOL_VERSION);
    wire_write_nul_string(writer, greeting->server_version);
    wire_write_u32(writer, greeting->connection_id);
    wire_write_bytes(writer, greeting->scramble1.data, SCRAMBLE1_BYTES);
    wire_write_u8(writer, 0);
    wire_write_u16(writer, (uint16_t)capabilities);
    wire_write_u8(writer, greeting->charset);
    wire_write_u16(writer, greeting->status);
    wire_write_u16(writer, (uint16_t)(capabilities >> 16));
    wire_write_u8(writer,
                  has_plugin ? (uint8_t)(SCRAMBLE1_BYTES + greeting->scramble2.size + 1) : 0);
    wire_write_zeros(writer, GREETING_RESERVED_BYTES);
    wire_write_u32(writer,
                   capabilities & WIRE_CAP(CLIENT_MYSQL) ? 0 : (uint32_t)(capabilities >> 32));
    wire_write_string(writer, greeting->scramble2);
    wire_write_u8(writer, 0);
    if (has_plugin)
        wire_write_nul_string(writer, greeting->plugin);
    wire_end_packet(writer);
}

/* The form before 4.1: two bytes of capabilities, three of packet size, and no charset. */
static bool decode_old_response(struct wire_reader *r, struct wire_handshake_response *response)
{
    response->capabilities = wire_read_u16(r);
    response->max_packet = wire_read_u24(r);
    if (wire_left(r) == 0 && response->capabilities & WIRE_CAP(CLIENT_SSL)) {
        response->is_ssl_request = true;
        return !r->failed;
    }
    response->user = wire_read_nul_string(r);
    response->auth_response = wire_read_nul_string_or_rest(r);
    if (response->capabilities & WIRE_CAP(CLIENT_CONNECT_WITH_DB))
        response->database = wire_read_nul_string_or_rest(r);
    return !r->failed;
}

static struct wire_string read_auth_response(struct wire_reader *r, uint64_t capabilities)
{
    if (capabilities & WIRE_CAP(CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA))
        return wire_read_lenenc_string(r);
    if (capabilities & WIRE_CAP(CLIENT_SECURE_CONNECTION))
        return wire_read_bytes(r, wire_read_u8(r));
    return wire_read_nul_string(r);
}

bool wire_decode_handshake_response(const uint8_t *payload, size_t size,
                                    struct wire_handshake_response *response)
{
    struct wire_reader r = wire_reader_of(payload, size);
    struct wire_reader peek = r;
    *response = (struct wire_handshake_response){0};
    uint64_t low = wire_read_u16(&peek);
    if (!(low & WIRE_CAP(CLIENT_PROTOCOL_41)))
        return decode_old_response(&r, response);

    low = wire_read_u32(&r);
    response->max_packet = wire_read_u32(&r);
    response->charset = wire_read_u8(&r);
    wire_skip(&r, RESPONSE_RESERVED_BYTES);
    response->capabilities = extended(low, wire_read_u32(&r));
    if (low & WIRE_CAP(CLIENT_SSL) && wire_left(&r) == 0) {
        response->is_ssl_request = true;
        return !r.failed;
    }
    response->user = wire_read_nul_string(&r);
    response->auth_response = read_auth_response(&r, low);
    /* Some clients leave out what would be empty at the end. */
    if (low & WIRE_CAP(CLIENT_CONNECT_WITH_DB) && wire_left(&r) > 0)
        response->database = wire_read_nul_string_or_rest(&r);
    if (low & WIRE_CAP(CLIENT_PLUGIN_AUTH) && wire_left(&r) > 0)
        response->plugin = wire_read_nul_string_or_rest(&r);
    if (low & WIRE_CAP(CLIENT_CONNECT_ATTRS) && wire_left(&r) > 0)
        response->attributes = wire_read_lenenc_string(&r);
    if (low & WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM) && wire_left(&r) > 0)
        response->zstd_level = wire_read_u8(&r);
    return !r.failed;
}

static void put_response_start(struct wire_writer *writer,
                               const struct wire_handshake_response *response)
{
    uint64_t capabilities = response->capabilities;
    wire_write_u32(writer, (uint32_t)capabilities);
    wire_write_u32(writer, response->max_packet);
    wire_write_u8(writer, response->charset);
    wire_write_zeros(writer, RESPONSE_RESERVED_BYTES);
    wire_write_u32(writer,
                   capabilities & WIRE_CAP(CLIENT_MYSQL) ? 0 : (uint32_t)(capabilities >> 32));
}

static void put_auth_response(struct wire_writer *writer, uint64_t capabilities,
                              struct wire_string data)
{
    if (capabilities & WIRE_CAP(CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)) {
        wire_write_lenenc_string(writer, data);
    } else if (capabilities & WIRE_CAP(CLIENT_SECURE_CONNECTION)) {
        struct wire_string cut = {data.data, data.size > 255 ? 255 : data.size};
        wire_write_u8(writer, (uint8_t)cut.size);
        wire_write_string(writer, cut);
    } else {
        wire_write_nul_string(writer, data);
    }
}

void wire_encode_handshake_response(struct wire_writer *writer,
                                    const struct wire_handshake_response *response)
{
    uint64_t capabilities = response->capabilities;
    wire_begin_packet(writer);
    put_response_start(writer, response);
    wire_write_nul_string(writer, response->user);
    put_auth_response(writer, capabilities, response->auth_response);
    if (capabilities & WIRE_CAP(CLIENT_CONNECT_WITH_DB))
        wire_write_nul_string(writer, response->database);
    if (capabilities & WIRE_CAP(CLIENT_PLUGIN_AUTH))
        wire_write_nul_string(writer, response->plugin);
    if (capabilities & WIRE_CAP(CLIENT_CONNECT_ATTRS))
        wire_write_lenenc_string(writer, response->attributes);
    if (capabilities & WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM))
        wire_write_u8(writer, response->zstd_level);
    wire_end_packet(writer);
}

void wire_encode_ssl_request(struct wire_writer *writer,
                             const struct wire_handshake_response *response)
{
    wire_begin_packet(writer);
    put_response_start(writer, response);
    wire_end_packet(writer);
}

bool wire_decode_change_user(const uint8_t *payload, size_t size, uint64_t capabilities,
                             struct wire_change_user *change)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *change = (struct wire_change_user){0};
    wire_skip(&r, 1);
    change->user = wire_read_nul_string(&r);
    if (capabilities & WIRE_CAP(CLIENT_SECURE_CONNECTION))
        change->auth_response = wire_read_bytes(&r, wire_read_u8(&r));
    else
        change->auth_response = wire_read_nul_string(&r);
    change->database = wire_read_nul_string_or_rest(&r);
    if (wire_left(&r) > 0)
        change->charset = wire_read_u16(&r);
    if (capabilities & WIRE_CAP(CLIENT_PLUGIN_AUTH) && wire_left(&r) > 0)
        change->plugin = wire_read_nul_string_or_rest(&r);
    if (capabilities & WIRE_CAP(CLIENT_CONNECT_ATTRS) && wire_left(&r) > 0)
        change->attributes = wire_read_lenenc_string(&r);
    return !r.failed;
}

void wire_encode_change_user(struct wire_writer *writer, uint64_t capabilities,
                             const struct wire_change_user *change)
{
    wire_begin_packet(writer);
    wire_write_u8(writer, WIRE_COM_CHANGE_USER);
    wire_write_nul_string(writer, change->user);
    put_auth_response(writer, capabilities & ~WIRE_CAP(CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA),
                      change->auth_response);
    wire_write_nul_string(writer, change->database);
    wire_write_u16(writer, change->charset);
    if (capabilities & WIRE_CAP(CLIENT_PLUGIN_AUTH))
        wire_write_nul_string(writer, change->plugin);
    if (capabilities & WIRE_CAP(CLIENT_CONNECT_ATTRS))
        wire_write_lenenc_string(writer, change->attributes);
    wire_end_packet(writer);
}

bool wire_attribute_next(struct wire_reader *reader, struct wire_string *name,
                         struct wire_string *value)
{
    if (reader->failed || wire_left(reader) == 0)
        return false;
    *name = wire_read_lenenc_string(reader);
    *value = wire_read_lenenc_string(reader);
    return !reader->failed;
}

bool wire_decode_auth_switch(const uint8_t *payload, size_t size, struct wire_auth_switch *request)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *request = (struct wire_auth_switch){0};
    if (wire_read_u8(&r) != 0xfe)
        return false;
    if (wire_left(&r) == 0) {
        request->plugin = wire_text("mysql_old_password");
    } else {
        request->plugin = wire_read_nul_string_or_rest(&r);
        request->data = wire_read_rest(&r);
    }
    return !r.failed;
}

void wire_encode_auth_switch(struct wire_writer *writer, const struct wire_auth_switch *request)
{
    wire_begin_packet(writer);
    wire_write_u8(writer, 0xfe);
    wire_write_nul_string(writer, request->plugin);
    wire_write_string(writer, request->data);
    wire_end_packet(writer);
}
