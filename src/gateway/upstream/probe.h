/* SPDX-License-Identifier: Apache-2.0
 *
 * A probe: one short connection that learns what a server says of itself (greeting.h says what is
 * exchanged). It costs the server a connection and a login that it denies. */
#ifndef WEIR_GATEWAY_UPSTREAM_PROBE_H
#define WEIR_GATEWAY_UPSTREAM_PROBE_H

#include "gateway/upstream/address.h"
#include "gateway/upstream/upstream.h"
#include "gateway/upstream/upstream_tls.h"

struct probe_target {
    const struct address *address;
    const char *text; /* names the server in errors */
    bool sends_proxy_header;
    const struct upstream_tls *tls;
    long timeout_s; /* for the whole of it */
};

/* What keeps clients of a server that answers from logging in ("": nothing), and whom TLS was spoken with. */
struct probe_findings {
    struct error header_refused; /* what it says of the PROXY header. Foreign text */
    struct error tls_failed;     /* why, in OpenSSL's words or ours */
    const char *tls_version;     /* that was agreed on: static text; NULL: no TLS */
    bool has_answered;           /* with anything, an error too: also where the probe fails */
    char fingerprint
        [UPSTREAM_FINGERPRINT_BYTES]; /* of the certificate that was accepted; "": no TLS */
};

/* Connects, reads the greeting into *profile, speaks TLS as sessions do, and ends as a user that is
 * denied. Blocks at most timeout_s. Returns 0, or -1 and a message. Any thread. */
int probe_server(const struct probe_target *target, struct upstream_profile *profile,
                 struct probe_findings *findings, struct error *error) WEIR_MUST_CHECK;

#endif
