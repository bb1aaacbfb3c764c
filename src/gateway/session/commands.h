/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of the relay: bytes to commands, and the data that passes without being one.
 *
 * A command is held back until it is whole and plugins have judged it; then its bytes go on as they
 * came. Pipelined commands wait until the one before them has its reply: only then is it known in
 * which database they run and whether they may. Data of LOAD DATA LOCAL and a replica's
 * acknowledgements pass without delay. */
#ifndef WEIR_GATEWAY_SESSION_COMMANDS_H
#define WEIR_GATEWAY_SESSION_COMMANDS_H

#include "gateway/session/machine.h"

/* Bytes of the packet at the start of the client's input that are still to come, as far as its
 * headers are there; 0: it is whole. */
size_t command_bytes_missing(const struct session *session);

/* Whether the backend is to be notified that the client has sent its last byte. */
bool client_end_is_due(const struct session *session);

/* Whether a statement runs that is waited for although its client takes nothing any more. */
bool outcome_is_awaited(const struct session *session);

/* ---- Handlers of the step table ---- */

bool command_bytes(struct session *session);
bool command_data(struct session *session);
bool command_judged(struct session *session);
bool pass_to_backend(struct session *session);
bool client_gone(struct session *session);
bool client_gone_while_running(struct session *session);

#endif
