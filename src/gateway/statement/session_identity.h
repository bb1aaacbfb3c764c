/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the session is, and where: user, account, roles, database, and the mode in which its
 * statements are lexed.
 *
 * Each of these is known or not (enum identity_part). What the backend reports and what statements
 * say by themselves is followed (tracking.h); where neither tells, the part becomes unknown, and the
 * backend is asked before the next command that needs it and does not read what the command before
 * it has left. Until then plugins see it as absent, never as it was. All of it is skipped when no
 * plugin is loaded. */
#ifndef WEIR_GATEWAY_STATEMENT_SESSION_IDENTITY_H
#define WEIR_GATEWAY_STATEMENT_SESSION_IDENTITY_H

#include "gateway/statement/observed.h"

void identity_init(struct observed *observed);
void identity_release(struct observed *observed);

/* From a handshake response or a COM_CHANGE_USER (copies). false: no memory. */
WEIR_MUST_CHECK bool identity_set_user(struct observed *observed, struct wire_string user,
                                       struct wire_string database, struct wire_string attributes,
                                       unsigned collation);

/* The backend has agreed to the login; what init_connect has changed is yet to be asked. */
void identity_begin(struct observed *observed);

/* Keeps a COM_CHANGE_USER until the backend has answered. false: malformed, or no memory. */
WEIR_MUST_CHECK bool identity_prepare_change_user(struct observed *observed,
                                                  const struct wire_packet *packet);

/* The backend has agreed. false: no memory. */
WEIR_MUST_CHECK bool identity_change_user(struct observed *observed);

/* The database is this one. Copies. */
void identity_set_database(struct observed *observed, const char *name, size_t size);

/* These parts are not known any more. why: static, as weir_unknown() says it. */
void identity_forget(struct observed *observed, unsigned parts, const char *why);

/* A command other than a statement has succeeded. */
void identity_after_command(struct observed *observed, uint8_t command);

/* ---- Asking the backend ---- */

/* Whether some plugin needs what is not known. */
bool identity_is_wanted(const struct observed *observed);

/* The same before a command: whether it must wait until the backend was asked. A command that reads
 * what the one before it has left (ROW_COUNT(), SHOW WARNINGS ...) does not wait, since the question
 * would wipe that out: plugins are notified of it with what is known. */
bool identity_is_wanted_for(struct observed *observed, const uint8_t *payload, size_t size);

/* The question. It reads no table, gives one row whatever the client has set, and its values are
 * not converted; where the server can report all that changes, it has it do so from then on. */
const char *identity_question(const struct observed *observed);
#define IDENTITY_COLUMNS 8

/* The answer's only row. What is not of the right shape leaves everything unknown. */
void identity_answer(struct observed *observed, const struct wire_string *values, size_t count);

/* While the Starting events of a multi-statement text are given, nothing of it has run yet: the
 * database is the one that USE statements before the current one will have set. */
void identity_forecast(struct observed *observed, const struct statement *statement);
void identity_end_forecast(struct observed *observed);

#endif
