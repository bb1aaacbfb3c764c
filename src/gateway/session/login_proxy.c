/* SPDX-License-Identifier: Apache-2.0
 *
 * The PROXY header that a balancer sends before the client's first packet.
 *
 * Who may send one need not: the first four bytes tell. A client is greeted at once all the same, as by
 * MariaDB, because one without a header says nothing before that; nothing of the login is judged before
 * its first packet, and with that the address is known. Only what comes before the greeting waits for
 * the header (PreConnect, and the errors in place of a greeting), for HEADER_SECONDS at most. So does the
 * greeting itself while the gateway is about to stop: balancers' checks read that in its place.
 *
 * A balancer that speaks for itself (LOCAL) is a session like any other once it logs in. Before that it
 * looks whether anybody answers, and no event is given of it. */
#include "gateway/session/login.h"
#include "gateway/session/tracing.h"

#define HEADER_SECONDS 1 /* balancers send it with their connection; clients without one wait */

/* The header is what the session ends with. */
static void refuse(struct session *session, unsigned code, const char *message, const char *detail)
{
    session_fail(session, CLOSE_CLIENT_PROTOCOL, code, NULL, "%s%s", message, detail);
}

static void refuse_sender(struct session *session)
{
    const char *sender = session->observed.client_ip;
    log_warn("session",
             "a PROXY header from an address that -proxy-protocol-networks does not list; it is "
             "refused connection=%u client=%s",
             session->observed.id, sender[0] ? sender : "socket");
    refuse(session, WIRE_ER_HOST_NOT_PRIVILEGED, "Proxy header is not accepted from ",
           sender[0] ? sender : "localhost");
}

/* The address in it is the client's from now on. */
static void believe(struct session *session, const struct wire_proxy_header *header)
{
    struct login *login = session->login;
    struct client_address address;
    if (header->has_address) {
        login->peer = header->source;
        login->local = header->destination;
        client_address_set(&address, &login->peer, &login->local);
    }
    session->is_check = header->is_local;
    if (!facts_proxied(&session->observed, header->has_address ? &address : NULL, header->tlvs))
        session_close(session, CLOSE_NO_MEMORY);
    session_follow_trace(session);
}

bool login_read_header(struct session *session)
{
    struct login *login = session->login;
    struct leg *leg = &session->client;
    struct wire_proxy_header header;
    enum wire_proxy_step step = wire_decode_proxy_header(leg->pos, leg_input_size(leg), &header);
    const bool begins = leg_input_size(leg) >= WIRE_PROXY_TELLING_BYTES && step != WIRE_PROXY_NONE;
    login->header_least = step == WIRE_PROXY_MORE ? header.least : 0;
    if (begins && !login->takes_header)
        refuse_sender(session);
    else if (begins && login->header_is_late)
        refuse(session, WIRE_ER_HANDSHAKE_ERROR, "Bad handshake: ",
               "the PROXY header has come too late: it must follow the connection within a second");
    else if (step == WIRE_PROXY_BROKEN)
        refuse(session, WIRE_ER_UNKNOWN_ERROR, "Failed to parse proxy header: ", header.broken);
    else if (step == WIRE_PROXY_MORE)
        return false;
    else if (step == WIRE_PROXY_WHOLE)
        believe(session, &header);
    login->looks_for_header = false;
    if (step == WIRE_PROXY_WHOLE && session_is_open(session))
        leg_take(leg, header.size);
    return true;
}

bool login_header_is_awaited(const struct session *session)
{
    const struct login *login = session->login;
    const struct leg *leg = &session->client;
    return session_is_open(session) && login && login->takes_header && login->looks_for_header &&
           !leg->failed && !leg->ended;
}

/* ---- Before the greeting ---- */

void login_await_header(struct session *session)
{
    session_enter(session, SESSION_AWAITING_HEADER);
    session_set_deadline(session, HEADER_SECONDS);
}

bool login_header_bytes(struct session *session)
{
    struct login *login = session->login;
    const bool was_expected = login->header_least > 0;
    if (login_read_header(session)) {
        if (session_is_open(session))
            login_begin_late(session);
        return true;
    }
    if (!was_expected) /* the rest has the time of a login */
        session_set_deadline(session, environment_of(session)->handshake_timeout_s);
    return false;
}

void login_header_timed_out(struct session *session)
{
    struct login *login = session->login;
    if (login->header_least) {
        login_timed_out(session);
        return;
    }
    login->header_is_late = login->greeting.size == 0; /* nothing was judged without it */
    login_begin_late(session);
}
