/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way on which authentication packets pass between the legs. */
#include "gateway/session/exchange.h"

#include <stdlib.h>

#include "gateway/session/answers.h"

static void follow_backend(struct exchange *exchange)
{
    wire_tracker_init(&exchange->backend, WIRE_WANT_ALL, EXCHANGE_PACKET_BYTES);
}

bool exchange_begin(struct session *session)
{
    assert(!session->exchange);
    struct exchange *exchange = session->exchange = calloc(1, sizeof *session->exchange);
    if (!exchange)
        return false;
    strbuf_init(&exchange->password.password);
    strbuf_init(&exchange->method);
    follow_backend(exchange);
    return true;
}

void exchange_release(struct session *session)
{
    struct exchange *exchange = session->exchange;
    session->exchange = NULL;
    if (!exchange)
        return;
    password_relay_release(&exchange->password);
    strbuf_release(&exchange->method);
    wire_tracker_release(&exchange->backend);
    free(exchange);
}

void exchange_restart(struct session *session)
{
    wire_tracker_release(&session->exchange->backend);
    follow_backend(session->exchange);
}

/* ---- Packets of the gateway's own ---- */

void exchange_frame(struct strbuf *out, uint8_t sequence, const void *payload, size_t size)
{
    struct wire_writer writer = wire_writer_to(out, sequence);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, payload, size);
    wire_end_packet(&writer);
}

void exchange_send_backend(struct session *session, struct strbuf *framed)
{
    struct wire_tracker *tracker = &session->exchange->backend;
    struct wire_input input = {(uint8_t *)framed->data, (uint8_t *)framed->data + framed->size};
    struct wire_packet packet;
    if (!framed->failed &&
        wire_tracker_next(tracker, WIRE_FROM_CLIENT, &input, &packet) == WIRE_PACKET)
        leg_write(&session->backend, framed->data, framed->size, tracker->sequence);
    else
        session_close(session, CLOSE_NO_MEMORY);
    strbuf_release(framed);
}

bool exchange_send_client(struct session *session, struct strbuf *framed)
{
    struct wire_input input = {(uint8_t *)framed->data, (uint8_t *)framed->data + framed->size};
    struct wire_packet packet;
    bool understood = !framed->failed && wire_tracker_next(&session->tracker, WIRE_FROM_SERVER,
                                                           &input, &packet) == WIRE_PACKET;
    if (!framed->failed) /* or else it is a part of a packet */
        client_write(session, framed->data, framed->size, session->tracker.sequence);
    strbuf_release(framed);
    return understood;
}

void exchange_write_backend(struct session *session, const uint8_t *payload, size_t size)
{
    struct strbuf framed = STRBUF_INIT;
    exchange_frame(&framed, session->backend.sequence, payload, size);
    exchange_send_backend(session, &framed);
}

bool exchange_write_client(struct session *session, const uint8_t *payload, size_t size)
{
    struct strbuf framed = STRBUF_INIT;
    exchange_frame(&framed, session->client.sequence, payload, size);
    return exchange_send_client(session, &framed);
}

/* ---- What passes ---- */

bool exchange_uses(struct session *session, struct wire_string method, struct wire_string scramble)
{
    struct exchange *exchange = session->exchange;
    strbuf_reset(&exchange->method);
    strbuf_add(&exchange->method, method.data, method.size);
    if (exchange->method.failed) {
        session_close(session, CLOSE_NO_MEMORY);
        return false;
    }
    return password_relay_begin(session, method, scramble);
}

void exchange_from_backend(struct session *session, const struct wire_packet *packet)
{
    struct wire_auth_switch request;
    if (packet->kind == WIRE_AUTH_SWITCH &&
        wire_decode_auth_switch(packet->payload, packet->payload_size, &request)) {
        if (!exchange_uses(session, request.plugin, request.data))
            return;
    } else if (packet->kind == WIRE_AUTH_MORE &&
               password_relay_from_backend(session, packet->payload, packet->payload_size)) {
        return;
    }
    if (!exchange_write_client(session, packet->payload, packet->payload_size))
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
}

void exchange_from_client(struct session *session, const struct wire_packet *packet)
{
    if (!password_relay_from_client(session, packet->payload, packet->payload_size))
        exchange_write_backend(session, packet->payload, packet->payload_size);
}
