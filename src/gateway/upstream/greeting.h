/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversation of a probe, without its socket: bytes of the server in, bytes for the server out.
 *
 *     server                        probe
 *     greeting             ──►      a profile
 *                          ◄──      SSL request, where TLS is wanted and offered; then TLS
 *                          ◄──      handshake response of a user that no server knows
 *     auth switch request  ──►
 *                          ◄──      an empty password
 *     ERR                  ──►      the end
 *
 * A server counts hosts that close the connection during the handshake and blocks them in the end
 * (max_connect_errors), but not those that it denies: so the probe ends as an unknown user.
 * The bytes are cut into packets by the tracker of src/wire. One thread at a time. */
#ifndef WEIR_GATEWAY_UPSTREAM_GREETING_H
#define WEIR_GATEWAY_UPSTREAM_GREETING_H

#include "gateway/upstream/upstream.h"
#include "wire/wire.h"

enum greeting_step {
    GREETING_MORE,   /* send what is in `out`, then feed what the server answers */
    GREETING_SECURE, /* send what is in `out`, begin TLS, then greeting_secured() */
    GREETING_DONE,   /* the profile is known, and nothing more is due */
    GREETING_FAILED, /* there is no profile; the error says why */
};

/* Must stay where it was initialised. */
struct greeting {
    struct wire_tracker tracker;
    struct upstream_profile profile;
    bool wants_tls;           /* where it is offered */
    bool has_profile;         /* from here on nothing can fail */
    char header_refused[160]; /* what it says of the PROXY header; "": nothing. Foreign text */
};

void greeting_init(struct greeting *greeting, bool wants_tls);
void greeting_release(struct greeting *greeting);

/* Takes bytes of the server (borrowed for the call) and appends what the server is to read to out.
 * `address` names the server in errors. */
enum greeting_step greeting_feed(struct greeting *greeting, const uint8_t *bytes, size_t size,
                                 struct strbuf *out, const char *address,
                                 struct error *error) WEIR_MUST_CHECK;

/* Goes on after GREETING_SECURE: appends what the server is to read over TLS. */
enum greeting_step greeting_secured(struct greeting *greeting, struct strbuf *out) WEIR_MUST_CHECK;

/* What a greeting says. A version that does not fit is cut. */
struct upstream_profile greeting_profile(const struct wire_greeting *greeting);

#endif
