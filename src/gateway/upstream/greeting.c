/* SPDX-License-Identifier: Apache-2.0
 *
 * A probe's side of the login, packet by packet. */
#include "gateway/upstream/greeting.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define KEEP_BYTES 4096 /* of a greeting, which has some hundred bytes */

void greeting_init(struct greeting *greeting, bool wants_tls)
{
    *greeting = (struct greeting){.wants_tls = wants_tls};
    wire_tracker_init(&greeting->tracker, WIRE_WANT_ALL, KEEP_BYTES);
}

void greeting_release(struct greeting *greeting)
{
    wire_tracker_release(&greeting->tracker);
}

struct upstream_profile greeting_profile(const struct wire_greeting *greeting)
{
    struct upstream_profile profile = {.capabilities = greeting->capabilities,
                                       .charset = greeting->charset};
    size_t size = greeting->server_version.size;
    if (size > sizeof profile.version - 1)
        size = sizeof profile.version - 1;
    if (size)
        memcpy(profile.version, greeting->server_version.data, size);
    return profile;
}

/* The tracker follows both directions. false: it does not accept what the probe says, so it would
 * not understand the answer either. */
static bool say(struct greeting *greeting, struct strbuf *out, size_t start)
{
    struct wire_packet packet;
    struct wire_input input = {(const uint8_t *)out->data + start,
                               (const uint8_t *)out->data + out->size};
    return !out->failed &&
           wire_tracker_next(&greeting->tracker, WIRE_FROM_CLIENT, &input, &packet) == WIRE_PACKET;
}

/* A user that no server knows; more: a capability beside those that are needed. */
static struct wire_handshake_response stranger(const struct greeting *greeting, uint64_t more)
{
    return (struct wire_handshake_response){
        .capabilities = greeting->profile.capabilities &
                        (WIRE_CAP(CLIENT_MYSQL) | WIRE_CAP(CLIENT_PROTOCOL_41) |
                         WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_PLUGIN_AUTH) | more),
        .max_packet = 1 << 24,
        .charset = WIRE_CHARSET_UTF8MB4,
        .user = wire_text("weir-probe"),
        .auth_response = wire_text(""),
        .plugin = wire_text("mysql_native_password"),
    };
}

static enum greeting_step introduce(struct greeting *greeting, struct strbuf *out)
{
    size_t start = out->size;
    struct wire_writer writer = wire_writer_to(out, 1);
    const bool secures =
        greeting->wants_tls && greeting->profile.capabilities & WIRE_CAP(CLIENT_SSL);
    const struct wire_handshake_response hello =
        stranger(greeting, secures ? WIRE_CAP(CLIENT_SSL) : 0);
    if (secures)
        wire_encode_ssl_request(&writer, &hello);
    else
        wire_encode_handshake_response(&writer, &hello);
    if (!say(greeting, out, start))
        return GREETING_DONE;
    return secures ? GREETING_SECURE : GREETING_MORE;
}

enum greeting_step greeting_secured(struct greeting *greeting, struct strbuf *out)
{
    assert(greeting->has_profile && greeting->wants_tls);
    size_t start = out->size;
    struct wire_writer writer = wire_writer_to(out, greeting->tracker.sequence);
    const struct wire_handshake_response hello = stranger(greeting, WIRE_CAP(CLIENT_SSL));
    wire_encode_handshake_response(&writer, &hello);
    return say(greeting, out, start) ? GREETING_MORE : GREETING_DONE;
}

static enum greeting_step give_no_password(struct greeting *greeting, struct strbuf *out)
{
    size_t start = out->size;
    struct wire_writer writer = wire_writer_to(out, greeting->tracker.sequence);
    wire_begin_packet(&writer);
    wire_end_packet(&writer);
    return say(greeting, out, start) ? GREETING_MORE : GREETING_DONE;
}

static enum greeting_step fail_with_error(const struct wire_packet *packet, const char *address,
                                          struct error *error)
{
    struct wire_err err = {.message = wire_text("an error that is malformed")};
    (void)wire_decode_err(packet->payload, packet->payload_size, &err);
    error_set(error, "backend %s: it says: %s", address,
              log_foreign(err.message.data, err.message.size));
    return GREETING_FAILED;
}

static enum greeting_step fail(const char *address, struct error *error)
{
    error_set(error, "backend %s: it does not speak the MySQL protocol", address);
    return GREETING_FAILED;
}

/* An error that comes out of order too, which the tracker does not understand. */
static void note_header(struct greeting *greeting, const uint8_t *payload, size_t size)
{
    struct wire_string message;
    if (greeting->has_profile && wire_refuses_proxy_header(payload, size, &message))
        snprintf(greeting->header_refused, sizeof greeting->header_refused, "%.*s",
                 (int)message.size, message.data);
}

/* The frames of what the tracker does not understand. */
static void note_headers(struct greeting *greeting, const uint8_t *bytes, size_t size)
{
    while (size > WIRE_HEADER_BYTES) {
        const size_t length = wire_frame_length(bytes), left = size - WIRE_HEADER_BYTES;
        if (length > left)
            return;
        note_header(greeting, bytes + WIRE_HEADER_BYTES, length);
        bytes += WIRE_HEADER_BYTES + length;
        size = left - length;
    }
}

static enum greeting_step on_packet(struct greeting *greeting, const struct wire_packet *packet,
                                    struct strbuf *out, const char *address, struct error *error)
{
    struct wire_greeting said;
    note_header(greeting, packet->payload, packet->payload_size);
    switch (packet->kind) {
    case WIRE_GREETING:
        if (!wire_decode_greeting(packet->payload, packet->payload_size, &said))
            return fail(address, error);
        greeting->profile = greeting_profile(&said);
        greeting->has_profile = true;
        return introduce(greeting, out);
    case WIRE_AUTH_SWITCH:
        return give_no_password(greeting, out);
    case WIRE_ERR:
        return greeting->has_profile ? GREETING_DONE : fail_with_error(packet, address, error);
    default:
        return GREETING_DONE;
    }
}

enum greeting_step greeting_feed(struct greeting *greeting, const uint8_t *bytes, size_t size,
                                 struct strbuf *out, const char *address, struct error *error)
{
    assert(bytes || size == 0);
    struct wire_input input = {bytes, bytes + size};
    struct wire_packet packet;
    enum greeting_step step = GREETING_MORE;
    while (step == GREETING_MORE) {
        switch (wire_tracker_next(&greeting->tracker, WIRE_FROM_SERVER, &input, &packet)) {
        case WIRE_MORE:
            return GREETING_MORE;
        case WIRE_PACKET:
            step = on_packet(greeting, &packet, out, address, error);
            break;
        case WIRE_BROKEN:
            note_headers(greeting, bytes, size);
            step = greeting->has_profile ? GREETING_DONE : fail(address, error);
            break;
        }
    }
    assert(step != GREETING_DONE || greeting->has_profile);
    if (step == GREETING_SECURE && input.pos < input.end) { /* it does not wait for TLS */
        note_headers(greeting, input.pos, (size_t)(input.end - input.pos));
        step = GREETING_DONE;
    }
    return step;
}
