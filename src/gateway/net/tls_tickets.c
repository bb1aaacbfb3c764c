/* SPDX-License-Identifier: Apache-2.0
 *
 * The tickets of a client: a server gives some on each connection, and the next one that shows one costs
 * neither side a signature nor a check of certificates. The latest is used first. One of TLS 1.3 is used
 * once, so that nobody can tell two connections to be of one client; one of TLS 1.2 stays until it is
 * replaced. */
#include "gateway/net/tls_context.h"

void tls_tickets_drop(struct tls_context *context)
{
    while (context->ticket_count)
        SSL_SESSION_free(context->tickets[--context->ticket_count]);
}

/* The oldest makes room. */
static void keep(struct tls_context *context, SSL_SESSION *ticket)
{
    if (context->ticket_count == TLS_TICKETS) {
        SSL_SESSION_free(context->tickets[0]);
        context->ticket_count--;
        for (size_t i = 0; i < context->ticket_count; i++)
            context->tickets[i] = context->tickets[i + 1];
    }
    context->tickets[context->ticket_count++] = ticket;
}

/* Returns 1: the ticket is ours. */
static int on_ticket(SSL *connection, SSL_SESSION *ticket)
{
    SSL_CTX *origin = SSL_get_SSL_CTX(connection);
    struct tls_context *context = SSL_CTX_get_app_data(origin);
    pthread_mutex_lock(&context->lock);
    const bool is_current = origin == context->current && SSL_SESSION_is_resumable(ticket);
    if (is_current)
        keep(context, ticket);
    pthread_mutex_unlock(&context->lock);
    return is_current;
}

void tls_tickets_collect(struct tls_context *context, SSL_CTX *fresh)
{
    SSL_CTX_set_app_data(fresh, context);
    SSL_CTX_set_session_cache_mode(fresh, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(fresh, on_ticket);
}

void tls_tickets_offer(struct tls_context *context, SSL *connection)
{
    if (context->ticket_count == 0)
        return;
    SSL_SESSION *ticket = context->tickets[context->ticket_count - 1];
    SSL_set_session(connection, ticket); /* takes a reference of its own */
    if (SSL_SESSION_get_protocol_version(ticket) < TLS1_3_VERSION)
        return;
    context->ticket_count--;
    SSL_SESSION_free(ticket);
}
