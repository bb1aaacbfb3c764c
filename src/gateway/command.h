/* SPDX-License-Identifier: Apache-2.0
 *
 * One command of the client. command.c reads what it says: its text, the statements in it, the
 * prepared statement that it runs. Fills session->run, which keeps copies: the command's own bytes
 * are gone when its result comes. */
#ifndef WEIR_GATEWAY_COMMAND_H
#define WEIR_GATEWAY_COMMAND_H

#include "gateway/session.h"

/* The text of a COM_QUERY or COM_STMT_PREPARE, from its payload (command byte included, size > 0).
 * Borrowed. */
struct wire_string command_text(const struct session *session, const uint8_t *payload, size_t size);

/* Reads a command into session->run, which must be empty. run.out_of_memory: it could not be kept.
 */
void command_read(struct session *session, const struct wire_packet *command);

/* The same without plugins: only the kind of the statement, no copies. */
void command_read_kind(struct session *session, const struct wire_packet *command);

/* Runs one command: plugins judge it, the gateway answers it, or it goes on to the backend as it
 * came (bytes, headers included). The tracker has just shown it. */
void command_run(struct session *session, const struct wire_packet *command, const uint8_t *bytes,
                 size_t size);

/* Empties run for a next command. */
void command_forget(struct run *run, uint8_t command);

#endif
