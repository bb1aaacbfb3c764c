/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS of one upstream: its settings, in MySQL's own words, and the context that follows from them. */
#ifndef WEIR_GATEWAY_UPSTREAM_TLS_H
#define WEIR_GATEWAY_UPSTREAM_TLS_H

#include <stdbool.h>

#include "base/base.h"

/* X(enumerator, name, what): MySQL's --ssl-mode. */
#define UPSTREAM_TLS_MODES(X)                                                                      \
    X(UPSTREAM_TLS_OFF, "off", "never")                                                            \
    X(UPSTREAM_TLS_PREFERRED, "preferred", "where the server offers it")                           \
    X(UPSTREAM_TLS_REQUIRED, "required", "always, whoever the server is")                          \
    X(UPSTREAM_TLS_VERIFY_CA, "verify-ca", "always, with a certificate that the CA has signed")    \
    X(UPSTREAM_TLS_VERIFY_IDENTITY, "verify-identity", "... and that is for the server's name")

enum upstream_tls_mode {
#define X(enumerator, name, what) enumerator,
    UPSTREAM_TLS_MODES(X)
#undef X
};

/* Texts are borrowed: they must live as long as the upstream. NULL or "": not given. */
struct upstream_tls_options {
    const char *mode;        /* a name of UPSTREAM_TLS_MODES; not given: see upstream_tls_open() */
    const char *ca;          /* PEM files */
    const char *certificate; /* that the server is shown */
    const char *key;
    const char *version; /* "TLSv1.2,TLSv1.3" */
    const char *cipher;
    const char *name; /* of the server's certificate; not given: the host of its address */
};

#define UPSTREAM_FINGERPRINT_BYTES 41 /* TLS_FINGERPRINT_BYTES of net/tls.h */

struct tls_context;

struct upstream_tls {
    enum upstream_tls_mode mode;
    struct upstream_tls_options options;
    struct tls_context *context; /* NULL: off */
};

const char *upstream_tls_mode_name(enum upstream_tls_mode mode);

/* Decides the mode and loads the files. host: of the server's address; "": a Unix socket. Where no mode is
 * given it is "preferred" on TCP, "verify-ca" with a CA, and "off" on a Unix socket. Returns 0, or -1
 * and a message that names the option and the remedy. */
int upstream_tls_open(struct upstream_tls *tls, const struct upstream_tls_options *options,
                      const char *host, struct error *error) WEIR_MUST_CHECK;

void upstream_tls_close(struct upstream_tls *tls);

#endif
