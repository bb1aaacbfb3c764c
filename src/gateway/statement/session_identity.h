/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the session is, and where: user, account, roles, database, and the mode in which its
 * statements are lexed.
 *
 * The database is followed by the backend's session tracking where the client has asked for it, and
 * by the statements themselves (USE, DROP DATABASE, COM_INIT_DB ...) otherwise. Anything that cannot
 * be followed is marked as needing a refresh and re-read from the server before the next event that
 * needs it: account and roles (only if a loaded plugin needs them; after login, SET ROLE,
 * COM_CHANGE_USER, COM_RESET_CONNECTION), sql_mode and character set (after a SET whose value is an
 * expression, and after a reset). A refresh comes only where a statement's side effects
 * (ROW_COUNT(), FOUND_ROWS()) are not lost by it. All of it is skipped when no plugin is loaded. */
#ifndef WEIR_GATEWAY_STATEMENT_SESSION_IDENTITY_H
#define WEIR_GATEWAY_STATEMENT_SESSION_IDENTITY_H

#include "gateway/statement/observed.h"

void identity_init(struct observed *observed);
void identity_release(struct observed *observed);

/* From a handshake response or a COM_CHANGE_USER (copies). false: no memory. */
WEIR_MUST_CHECK bool identity_set_user(struct observed *observed, struct wire_string user,
                                       struct wire_string database, struct wire_string attributes,
                                       unsigned collation);

/* Keeps a COM_CHANGE_USER until the backend has answered. false: malformed, or no memory. */
WEIR_MUST_CHECK bool identity_prepare_change_user(struct observed *observed,
                                                  const struct wire_packet *packet);

/* The backend has agreed. false: no memory. */
WEIR_MUST_CHECK bool identity_change_user(struct observed *observed);

/* A statement has succeeded: what it changes. */
void identity_after_statement(struct observed *observed, const struct statement *statement);

/* A statement has failed: it may have changed something before it did. */
void identity_after_failure(struct observed *observed, const struct statement *statement);

/* How many results the backend answers the statement with. */
enum sql_results statement_results(const struct observed *observed,
                                   const struct statement *statement);

/* A command other than a statement has succeeded. */
void identity_after_command(struct observed *observed, uint8_t command);

/* What the backend itself says has changed, from an OK packet. */
void identity_after_session_state(struct observed *observed, const uint8_t *state, size_t size);

/* Whether something must be re-read from the backend before the next event; the query; its row. */
bool identity_needs_refresh(const struct observed *observed);
#define IDENTITY_QUERY                                                                             \
    "SELECT CURRENT_USER(), CURRENT_ROLE(), DATABASE(), @@sql_mode, @@character_set_client"
#define IDENTITY_COLUMNS 5
void identity_refresh_row(struct observed *observed, const struct wire_string *values,
                          size_t count);

/* Whether a command reads what the statement before it has left (ROW_COUNT(), SHOW WARNINGS ...),
 * which a query in between would wipe out. Plugins are then notified of it with what is known,
 * marked as unsure, and the refresh comes before the next command. */
bool identity_refresh_must_wait(struct observed *observed, const uint8_t *payload, size_t size);

/* While the Starting events of a multi-statement text are given, nothing of it has run yet: the
 * database is the one that USE statements before the current one will have set. */
void identity_forecast(struct observed *observed, const struct statement *statement);
void identity_end_forecast(struct observed *observed);

#endif
