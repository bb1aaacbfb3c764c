/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS: the server's context, and the filter that speaks it on a leg.
 *
 * The context holds certificate and key; SIGHUP loads them again, and sessions that exist keep the
 * one that they began with. It may be read while another thread replaces it. */
#ifndef WEIR_GATEWAY_NET_TLS_H
#define WEIR_GATEWAY_NET_TLS_H

#include <stdbool.h>

#include "gateway/leg/leg.h"

struct tls_options {
    const char *certificate; /* PEM file with the chain; NULL or "": none */
    const char *key;         /* PEM file */
    const char *ca; /* PEM file: clients must show a certificate that it signs; NULL: need not */
    bool automatic; /* without a certificate: make one, signed by itself, that lives as long as the
                       process */
};

struct tls_context;

/* -1 and *error when something cannot be loaded. *context may be set to NULL: TLS is not
 * configured. */
WEIR_MUST_CHECK int tls_context_open(struct tls_context **context,
                                     const struct tls_options *options, struct error *error);

/* Loads the files again; on failure the old ones stay. Any thread. */
WEIR_MUST_CHECK int tls_context_reload(struct tls_context *context, struct error *error);

/* The certificate with its chain, and its key, as PEM. */
WEIR_MUST_CHECK int tls_context_export(struct tls_context *context, struct strbuf *chain,
                                       struct strbuf *key, struct error *error);

/* When the certificate expires, in seconds since 1970; INT64_MAX: its date cannot be read. */
int64_t tls_context_expiry(struct tls_context *context);

void tls_context_free(struct tls_context *context); /* context may be NULL */

/* Puts the filter on a leg, as a server; the handshake is due. false: no memory. */
WEIR_MUST_CHECK bool tls_accept(struct tls_context *context, struct leg *leg);

/* Goes on with the handshake of the filter on top of the leg, after the socket was ready. */
enum tls_progress { TLS_DONE, TLS_NEEDS_READ, TLS_NEEDS_WRITE, TLS_FAILED };
WEIR_MUST_CHECK enum tls_progress tls_handshake(struct leg *leg);

/* Names of what was agreed, and why a handshake failed; static or living as long as the leg. */
const char *tls_version(const struct leg *leg);
const char *tls_cipher(const struct leg *leg);
const char *tls_failure(void);

/* ---- Between the two files ---- */

struct ssl_st;
struct ssl_st *tls_context_connection(struct tls_context *context);

#endif
