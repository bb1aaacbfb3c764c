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

/* Another statement is current: what was computed is of no use any more. */
void facts_forget(struct session *session);

#endif
