/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session needs until it has logged in, and what the two parts of the login have in common.
 */
#ifndef WEIR_GATEWAY_LOGIN_STATE_H
#define WEIR_GATEWAY_LOGIN_STATE_H

#include "gateway/login.h"

struct login {
    uint64_t offered;       /* capabilities of the greeting */
    struct strbuf response; /* payload of the handshake response; what is decoded points into it */
    struct wire_handshake_response hello;
    struct strbuf backend_input;
    size_t client_bytes;      /* read so far */
    uint8_t backend_sequence; /* of the last packet of either side, on the backend's leg */
};

/* Appends one packet with this payload. */
void login_frame(struct strbuf *out, uint8_t sequence, const void *payload, size_t size);

/* Sends one framed packet to the client, which is freed, and shows it to the tracker as part of the
 * client's conversation. false: no memory, or the tracker does not understand it. */
bool login_send_to_client(struct session *session, struct strbuf *framed);

/* Sends one packet with this payload to the backend, with the next number of that leg. */
void login_send_to_backend(struct session *session, const uint8_t *payload, size_t size);

/* PreAuth has passed: the backend is connected, and the login goes on when it answers. */
void login_connect_backend(struct session *session);

#endif
