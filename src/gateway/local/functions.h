/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of plugins in the statements of clients: a SELECT of nothing but calls of them, which
 * the gateway answers with one row.
 *
 *     grants ──► arguments ──► calls ──► answer
 *     (question) (question a   (pool)
 *                 call)
 *
 * The backend evaluates the arguments, in the session, so that they can be any expressions. A
 * function that is called anywhere else goes to the backend, which does not know it and says so.
 * Prepared statements cannot call one: SET and the administrative statements cannot be prepared
 * either. */
#ifndef WEIR_GATEWAY_FUNCTIONS_H
#define WEIR_GATEWAY_FUNCTIONS_H

#include "gateway/session.h"

/* Whether the command that has begun (session->run) is such a SELECT, to be run or prepared. */
bool functions_take(const struct session *session, const struct wire_packet *command);

/* Answers it, now or later. The command has been withdrawn from the tracker. */
void functions_begin(struct session *session, const struct wire_packet *command);

void functions_release(struct session *session);

#endif
