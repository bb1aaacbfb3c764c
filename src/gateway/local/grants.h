/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may do what the gateway itself answers: the backend is asked for the session's grants, as the
 * session's user, so that roles count. */
#ifndef WEIR_GATEWAY_PERMISSION_H
#define WEIR_GATEWAY_PERMISSION_H

#include "gateway/session.h"

/* Asks whether the session's user has one of these privileges (names as in SHOW GRANTS; list ends
 * with NULL and lives on; an empty one is granted to everybody) on everything. known() is called at
 * once or later. false: no memory; known() is then not called. */
bool permission_ask(struct session *session, const char *const *privileges,
                    void (*known)(struct session *session, bool granted));

/* How the server says that none of them is granted: error 1227. */
void permission_denied_words(const char *const *privileges, char *words, size_t room);

void permission_release(struct session *session);

#endif
