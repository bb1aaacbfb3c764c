/* SPDX-License-Identifier: Apache-2.0
 *
 * What both parts of the login share: its packets, its time, its end. */
#include <stdlib.h>
#include <string.h>

#include "gateway/hold.h"
#include "gateway/login_state.h"

/* Appends one packet with this payload. */
void login_frame(struct strbuf *out, uint8_t sequence, const void *payload, size_t size)
{
    struct wire_writer writer = wire_writer_to(out, sequence);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, payload, size);
    wire_end_packet(&writer);
}

/* Sends one packet to the client, and shows it to the tracker as part of the client's conversation.
 */
bool login_send_to_client(struct session *session, struct strbuf *framed)
{
    struct wire_input input = {(uint8_t *)framed->data, (uint8_t *)framed->data + framed->size};
    struct wire_packet packet;
    bool understood = !framed->failed && wire_tracker_next(&session->tracker, WIRE_FROM_SERVER,
                                                           &input, &packet) == WIRE_PACKET;
    session->reply_sequence++;
    client_send(session, framed->data, framed->size);
    strbuf_release(framed);
    return understood;
}

void login_send_to_backend(struct session *session, const uint8_t *payload, size_t size)
{
    struct strbuf framed = STRBUF_INIT;
    login_frame(&framed, ++session->login->backend_sequence, payload, size);
    stream_write(&session->backend, framed.data, framed.size);
    strbuf_release(&framed);
}

void login_timed_out(struct session *session)
{
    if (session->state == SESSION_CONNECTING || session->state == SESSION_INTRODUCING)
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: the backend %s did not answer in %ld s",
                     upstream_address(session->worker->gateway->upstream),
                     session->worker->gateway->options->connect_timeout_s);
    else
        session_fail(session, CLOSE_HANDSHAKE_TIMEOUT, 1159, "08S01",
                     "Got timeout reading communication packets");
}

void login_release(struct session *session)
{
    struct login *login = session->login;
    session->login = NULL;
    if (!login)
        return;
    strbuf_release(&login->response);
    strbuf_release(&login->backend_input);
    free(login);
}
