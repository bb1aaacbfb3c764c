/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in. The gateway greets the client in the backend's words; once the client has said who it
 * is, plugins are asked (PreAuth), and only then the backend is connected. The gateway's handshake
 * response names an authentication plugin that no account has, so that the backend itself asks with
 * an AuthSwitchRequest for the account's real plugin and a fresh scramble; that one goes to the
 * client, and the exchange goes on packet by packet until OK or ERR. The gateway never knows a
 * password.
 *
 * Each leg numbers its own packets: with TLS on the client's side the numbers differ. */
#ifndef WEIR_GATEWAY_LOGIN_H
#define WEIR_GATEWAY_LOGIN_H

#include "gateway/session.h"

/* Greets. */
void login_begin(struct session *session);

/* Client bytes while GREETED or AUTHENTICATING; returns how many were dealt with. */
size_t login_client_bytes(struct session *session, const uint8_t *bytes, size_t size);

/* Goes on with the TLS handshake. State SECURING. */
void login_secure(struct session *session);

/* How many bytes of the client may be read at once: what follows an SSL request belongs to TLS. */
size_t login_read_limit(const struct session *session);

/* The backend's socket has an answer to connect(). */
void login_backend_connected(struct session *session);

/* Backend bytes while INTRODUCING or AUTHENTICATING. */
void login_backend_bytes(struct session *session, const uint8_t *bytes, size_t size);

/* The backend closed or failed before the login was over. */
void login_backend_lost(struct session *session);

void login_timed_out(struct session *session);

void login_release(struct session *session);

/* The packet of COM_CHANGE_USER as it must reach the backend, which is made to ask again; appended
 * to out. */
void login_rewrite_change_user(const struct session *session, const struct wire_packet *command,
                               struct strbuf *out);

#endif
