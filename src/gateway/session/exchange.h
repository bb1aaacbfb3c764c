/* SPDX-License-Identifier: Apache-2.0
 *
 * An authentication exchange, of a login or of a COM_CHANGE_USER: its packets go from leg to leg, and a
 * password is translated on the way where it must be (password_relay.h).
 *
 * Each leg numbers its own packets: with TLS on one side, or a password that is translated, the numbers
 * differ. So each has a tracker: the client's is that of the session, the backend's is here. */
#ifndef WEIR_GATEWAY_SESSION_EXCHANGE_H
#define WEIR_GATEWAY_SESSION_EXCHANGE_H

#include "gateway/session/machine.h"
#include "gateway/session/password_relay.h"

#define EXCHANGE_PACKET_BYTES 65536 /* most bytes of one packet of the backend's */

struct exchange {
    struct wire_tracker backend; /* of the conversation on the backend's leg */
    struct password_relay password;
    struct strbuf method; /* the authentication plugin that was named last; empty: none was */
};

/* Sets session->exchange, which is to start before the backend's greeting. false: no memory. */
WEIR_MUST_CHECK bool exchange_begin(struct session *session);

/* Wipes what it knows, and frees it; if there is one. */
void exchange_release(struct session *session);

/* The same backend, or another one, from its greeting on. */
void exchange_restart(struct session *session);

/* The method that is used from here on, as the backend has named it, with data that begin with its
 * scramble. Returns whether the exchange may go on; if not, the session has failed. */
WEIR_MUST_CHECK bool exchange_uses(struct session *session, struct wire_string method,
                                   struct wire_string scramble);

/* The backend asks something, or tells the client's plugin something: WIRE_AUTH_SWITCH or WIRE_AUTH_MORE. The session
 * may have failed. */
void exchange_from_backend(struct session *session, const struct wire_packet *packet);

/* The client answers: WIRE_AUTH_DATA. The session may have failed. */
void exchange_from_client(struct session *session, const struct wire_packet *packet);

/* ---- Packets of the gateway's own ---- */

/* Appends one packet with this payload. */
void exchange_frame(struct strbuf *out, uint8_t sequence, const void *payload, size_t size);

/* Shows packets to the tracker of that side, and sends them. Releases them. The backend's: the session is closed
 * without memory. The client's: false: no memory, or the tracker does not understand them. */
void exchange_send_backend(struct session *session, struct strbuf *framed);
WEIR_MUST_CHECK bool exchange_send_client(struct session *session, struct strbuf *framed);

/* The same with one packet of this payload. */
void exchange_write_backend(struct session *session, const uint8_t *payload, size_t size);
WEIR_MUST_CHECK bool exchange_write_client(struct session *session, const uint8_t *payload,
                                           size_t size);

#endif
