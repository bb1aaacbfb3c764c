/* SPDX-License-Identifier: Apache-2.0
 *
 * From a leg's handshake to the session: what was agreed, or why it failed. */
#include "gateway/connection_tls.h"

static void count(const struct connection *connection, enum metric metric, int64_t more)
{
    metric_add(&connection->worker->environment.metrics, metric, more);
}

/* A backend that has answered in plain says why it does not go on, like one that takes no PROXY header. */
static void secure_failed(struct connection *connection, enum session_side side, struct leg *leg)
{
    char reason[256];
    const uint8_t *plain = NULL;
    tls_describe_failure(leg, reason, sizeof reason);
    const size_t size = side == SESSION_BACKEND ? tls_plain_answer(leg, &plain) : 0;
    if (side == SESSION_BACKEND)
        count(connection, METRIC_BACKEND_TLS_FAILED, 1);
    if (size)
        session_receive(connection->session, SESSION_BACKEND, plain, size);
    session_secured(connection->session, side, NULL, reason);
}

void connection_go_on_securing(struct connection *connection, enum session_side side)
{
    struct leg *leg = side == SESSION_CLIENT ? connection->client_leg : connection->backend_leg;
    struct tls_facts facts;
    enum tls_progress progress = tls_handshake(leg);
    connection->securing[side].writes = progress == TLS_NEEDS_WRITE;
    if (progress != TLS_DONE && progress != TLS_FAILED)
        return;
    connection->securing[side].is_going_on = false;
    if (progress == TLS_FAILED) {
        secure_failed(connection, side, leg);
        return;
    }
    tls_read_facts(leg, &facts);
    const struct tls_agreement agreement = {facts.version, facts.cipher, facts.subject,
                                            facts.issuer, facts.serial};
    if (side == SESSION_BACKEND) {
        count(connection, METRIC_BACKEND_TLS, 1);
        count(connection, METRIC_BACKEND_TLS_RESUMED, facts.is_resumed);
    }
    session_secured(connection->session, side, &agreement, NULL);
}

bool connection_begin_securing(struct connection *connection, enum session_side side)
{
    if (connection->securing[side].is_going_on)
        return false;
    connection->securing[side].is_going_on = true;
    if (side == SESSION_CLIENT
            ? tls_accept(atomic_load(&connection->worker->gateway->tls), connection->client_leg)
            : tls_connect(upstream_tls(connection->upstream)->context, connection->backend_leg))
        connection_go_on_securing(connection, side);
    else
        session_close(connection->session, CLOSE_NO_MEMORY);
    return !connection->securing[side].is_going_on;
}
