/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of a statement that cost something: kind, digest, normalised text, tables, parameters.
 * Found out when a plugin first asks, once a statement. */
#ifndef WEIR_GATEWAY_FACTS_H
#define WEIR_GATEWAY_FACTS_H

#include "gateway/session.h"

/* Makes the session's facts complete with what is computed. */
void facts_attach(struct session *session);

void facts_release(struct session *session);

/* The statement of this number is current. What was computed stays where it is from its first event
 * to its last: plugins are given the same pointers again. */
void facts_of_statement(struct session *session, uint64_t number);

/* What was computed is of no use any more. */
void facts_forget(struct session *session);

#endif
