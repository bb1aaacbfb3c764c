/* SPDX-License-Identifier: Apache-2.0
 *
 * A probe: one short connection that learns what a server says of itself (greeting.h says what is
 * exchanged). It costs the server a connection and a login that it denies. */
#ifndef WEIR_GATEWAY_UPSTREAM_PROBE_H
#define WEIR_GATEWAY_UPSTREAM_PROBE_H

#include "gateway/upstream/address.h"
#include "gateway/upstream/upstream.h"

struct probe_target {
    const struct address *address;
    const char *text; /* names the server in errors */
    bool sends_proxy_header;
    long timeout_s; /* for the whole of it */
};

/* Connects, reads the greeting into *profile, and ends as a user that is denied. Blocks at most
 * timeout_s. Returns 0, or -1 and a message. *header_refused: what the server says of the PROXY
 * header; "" where it takes it. Any thread. */
int probe_server(const struct probe_target *target, struct upstream_profile *profile,
                 struct error *header_refused, struct error *error) WEIR_MUST_CHECK;

#endif
