/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of TLS share: the context, its loading, and the tickets of a client. */
#ifndef WEIR_GATEWAY_NET_TLS_CONTEXT_H
#define WEIR_GATEWAY_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "gateway/net/tls.h"

#define TLS_TICKETS 8 /* that are kept for the next connections; one of TLS 1.3 is used once */

struct tls_context {
    struct tls_options options;
    pthread_mutex_t lock; /* of what follows */
    SSL_CTX *current;
    SSL_SESSION *tickets[TLS_TICKETS]; /* the latest is the last; all are of `current` */
    size_t ticket_count;
};

static inline bool tls_is_given(const char *text)
{
    return text && *text;
}

/* Returns the text of OpenSSL's last error in this thread. Static. */
const char *tls_failure(void);

/* ---- tls_load.c ---- */

/* Returns owned (SSL_CTX_free), or NULL and a message that names the option. */
SSL_CTX *tls_load(const struct tls_options *options, struct error *error) WEIR_MUST_CHECK;

/* ---- tls_automatic.c ---- */

/* Has the server show a certificate that it signs itself. Returns 0, or -1 and a message. */
int tls_use_automatic(SSL_CTX *context, struct error *error) WEIR_MUST_CHECK;

/* ---- tls_context.c ---- */

/* Returns owned (SSL_free), or NULL without memory. */
SSL *tls_context_connection(struct tls_context *context) WEIR_MUST_CHECK;

/* ---- tls_tickets.c ---- */

/* Has a fresh SSL_CTX of a client hand the tickets that it is given to this context. */
void tls_tickets_collect(struct tls_context *context, SSL_CTX *fresh);

/* Has the connection offer the latest ticket, if there is one. Under the context's lock. */
void tls_tickets_offer(struct tls_context *context, SSL *connection);

/* Frees all. Under the context's lock. */
void tls_tickets_drop(struct tls_context *context);

#endif
