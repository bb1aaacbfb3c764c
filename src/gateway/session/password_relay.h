/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords between two connections that are not equally safe. docs/logins.md has the table.
 *
 * Most methods prove that the client knows its password, and their packets are relayed as they are. Some
 * send the password itself: as it is on a connection that is safe, and under the server's RSA key on one
 * that is not, where the method can do that. Client and server each go by their own connection, so that
 * between a safe one and another one the gateway translates: it plays the client that asks for a key, or
 * the server that gives one. Where the method has no such exchange the login is refused: a password never
 * goes as it is over plain TCP to the backend, when the client had trusted it to a connection that is
 * safe. */
#ifndef WEIR_GATEWAY_SESSION_PASSWORD_RELAY_H
#define WEIR_GATEWAY_SESSION_PASSWORD_RELAY_H

#include "gateway/session/machine.h"

struct password_method;

enum password_step {
    PASSWORD_PASSES,    /* packets go on as they are */
    PASSWORD_ENCRYPTED, /* the client has the backend's own key */
    PASSWORD_KEY_GIVEN, /* the client has the gateway's key, and owes its password */
    PASSWORD_KEY_ASKED  /* the backend owes its key */
};

struct password_relay {
    const struct password_method *method; /* NULL: none yet */
    uint8_t scramble[WIRE_SCRAMBLE_BYTES];
    bool is_due; /* the next packet of the client's is the password, or asks for a key */
    enum password_step step;
    struct strbuf password; /* with its NUL, while the backend owes its key; wiped */
};

void password_relay_release(struct password_relay *relay);

/* Whether the client's first answer to this method may go on before the backend has asked for it: it is
 * a proof. */
bool password_is_proof(struct wire_string plugin);

/* Whether nothing that follows the first answer depends on a scramble that the gateway has to know: there
 * is a proof, and never a password. */
bool password_is_only_proof(struct wire_string plugin);

/* The method that is used from here on. The backend has named it, with data that begin with its
 * scramble. Returns whether the exchange may go on; if not, the session has failed. */
WEIR_MUST_CHECK bool password_relay_begin(struct session *session, struct wire_string plugin,
                                          struct wire_string scramble);

/* A packet of the exchange. Returns whether it was dealt with; if not, it is relayed. */
WEIR_MUST_CHECK bool password_relay_from_client(struct session *session, const uint8_t *payload,
                                                size_t size);
WEIR_MUST_CHECK bool password_relay_from_backend(struct session *session, const uint8_t *payload,
                                                 size_t size);

#endif
