/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS: a context for each side, and the filter that speaks it on a leg.
 *
 * A context holds certificate, key and what is trusted; a reload brings other ones, and sessions that exist
 * keep those that they began with. The context of a client keeps the tickets that its servers give, so
 * that most connections cost no full handshake. A context may be read while another thread replaces
 * what it holds. */
#ifndef WEIR_GATEWAY_NET_TLS_H
#define WEIR_GATEWAY_NET_TLS_H

#include <stdbool.h>

#include "gateway/leg/leg.h"

/* What a client demands of the server's certificate. */
enum tls_check {
    TLS_CHECKS_NOTHING,
    TLS_CHECKS_CA,  /* one of `ca` has signed it */
    TLS_CHECKS_NAME /* ... and it is for `name` */
};

/* Texts are borrowed: they must live as long as the context, or, of a server, until it is open. NULL or "": none. */
struct tls_options {
    bool is_client;
    const char *prefix;      /* of the options' names in errors: "-", "-backend-" */
    const char *certificate; /* PEM file with the chain */
    const char *key;         /* PEM file */
    const char *ca;      /* PEM file. Of a server: clients must show a certificate that it signs */
    const char *version; /* "TLSv1.2,TLSv1.3"; none: both */
    const char *cipher;  /* names of both versions' ciphers with colons; none: OpenSSL's own */
    bool automatic; /* of a server without a certificate: make one, signed by itself, that lives as
                       long as the process */
    enum tls_check check; /* of a client */
    const char *name;     /* of a client: sent as SNI unless it is an address, and checked */
};

struct tls_context;

/* -1 and *error when something cannot be loaded. *context may be set to NULL: a server without a
 * certificate, for which TLS is not configured. */
WEIR_MUST_CHECK int tls_context_open(struct tls_context **context,
                                     const struct tls_options *options, struct error *error);

/* What a client's was opened with. Borrowed. */
const struct tls_options *tls_context_options(const struct tls_context *context);

/* The next connections are made with what the fresh one, which is taken, has loaded; those that exist keep
 * theirs. Both are of the same side, and of a client opened with the same options. Any thread. */
void tls_context_adopt(struct tls_context *context, struct tls_context *fresh);

/* The certificate with its chain, and its key, as PEM. */
WEIR_MUST_CHECK int tls_context_export(struct tls_context *context, struct strbuf *chain,
                                       struct strbuf *key, struct error *error);

/* When the certificate expires, in seconds since 1970; INT64_MAX: its date cannot be read. */
int64_t tls_context_expiry(struct tls_context *context);

void tls_context_free(struct tls_context *context); /* context may be NULL */

/* Puts the filter on a leg, as a server or as a client; the handshake is due. false: no memory. */
WEIR_MUST_CHECK bool tls_accept(struct tls_context *context, struct leg *leg);
WEIR_MUST_CHECK bool tls_connect(struct tls_context *context, struct leg *leg);

/* Goes on with the handshake of the filter on top of the leg, after the socket was ready. */
enum tls_progress { TLS_DONE, TLS_NEEDS_READ, TLS_NEEDS_WRITE, TLS_FAILED };
WEIR_MUST_CHECK enum tls_progress tls_handshake(struct leg *leg);

/* Why the handshake has just failed, in OpenSSL's words. */
void tls_describe_failure(const struct leg *leg, char *text, size_t size);

/* What a server has answered in place of its part of the handshake, when that has failed: bytes that
 * are not TLS. Borrowed from the filter. Returns how many there are. */
size_t tls_plain_answer(struct leg *leg, const uint8_t **bytes);

/* SHA-1 of a certificate in hexadecimal digits, as Connector/C compares it, and a NUL. */
#define TLS_FINGERPRINT_BYTES 41

/* What was agreed. The names are static; the texts of the peer's certificate are empty where it has
 * shown none, cut where they are long, and foreign. */
struct tls_facts {
    const char *version, *cipher;
    bool is_resumed;
    char subject[256], issuer[256]; /* "CN=client,O=weir", as RFC 2253 writes names */
    char serial[64];                /* hexadecimal digits */
    char fingerprint[TLS_FINGERPRINT_BYTES];
};
void tls_read_facts(const struct leg *leg, struct tls_facts *facts);

#endif
