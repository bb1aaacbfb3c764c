/* SPDX-License-Identifier: Apache-2.0
 *
 * A short session of the gateway's own account: for checks that ask more than a greeting says, and for a
 * KILL at a server that is not the asking session's.
 *
 * It is the client library's (MariaDB Connector/C), which has all methods of authentication. The server is
 * not trusted with more than the login: it is given no file, and a method that shows it the password is
 * refused.
 *
 * Of TLS it knows less than the gateway, which verifies certificates by names and authorities that Connector/C
 * cannot be told. So the probe before it decides: the session accepts the certificate that the probe has
 * accepted, and none but that. Blocks; any thread, one at a time for each. */
#ifndef WEIR_GATEWAY_UPSTREAM_ACCOUNT_SESSION_H
#define WEIR_GATEWAY_UPSTREAM_ACCOUNT_SESSION_H

#include "gateway/upstream/address.h"
#include "gateway/upstream/upstream_tls.h"

struct account_session;

struct account_target {
    const struct address *address;
    const char *label; /* names the server in errors */
    const char *user, *password;
    bool sends_proxy_header;
    const struct upstream_tls *tls;
    /* ... and the certificate that a probe has accepted: no other one is. "": TLS is not spoken. */
    const char *fingerprint;
    long timeout_s; /* of the login, and of each statement */
};

/* Once a process, before the first session. */
void account_session_init_library(void);

/* Logs in. Returns owned (account_session_close), or NULL and a message. */
struct account_session *account_session_open(const struct account_target *target,
                                             struct error *error) WEIR_MUST_CHECK;
void account_session_close(struct account_session *session); /* NULL is allowed */

/* The address that it comes from, as text in room (of INET6_ADDRSTRLEN); "localhost" for one by a Unix socket. */
void account_session_own_host(const struct account_session *session, char *room);

/* Runs a statement. value gets the last column of the first row as text, cut to room; "" if there is
 * none, or it is NULL. Returns 0, or -1 and a message. */
int account_session_ask(struct account_session *session, const char *statement, char *value,
                        size_t room, struct error *error) WEIR_MUST_CHECK;

#endif
