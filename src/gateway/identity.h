/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the session is, and where: user, account, roles, database, and the mode in which its
 * statements are lexed.
 *
 * The database is kept right from the backend's session tracking where the client has asked for it,
 * and from the statements themselves (USE, DROP DATABASE, COM_INIT_DB ...) otherwise. What these do
 * not tell is marked stale and asked of the backend before the next event that needs it: account
 * and roles (only when a loaded plugin needs them; after login, SET ROLE, COM_CHANGE_USER,
 * COM_RESET_CONNECTION), sql_mode and character set (after a SET whose value is an expression, and
 * after a reset). Asking comes only where a statement's side effects (ROW_COUNT(), FOUND_ROWS())
 * are not lost by it. All of it is skipped when no plugin is loaded. */
#ifndef WEIR_GATEWAY_IDENTITY_H
#define WEIR_GATEWAY_IDENTITY_H

#include "gateway/session.h"

/* From a handshake response or a COM_CHANGE_USER (copies). false: no memory. */
bool identity_set_user(struct session *session, struct wire_string user,
                       struct wire_string database, struct wire_string attributes,
                       unsigned collation);

void identity_set_database(struct session *session, const char *name, size_t size);

/* Keeps a COM_CHANGE_USER until the backend has answered. false: malformed, or no memory. */
bool identity_prepare_change_user(struct session *session, const struct wire_packet *command);

/* The backend has agreed. false: no memory. */
bool identity_change_user(struct session *session);

/* A statement has succeeded: what it changes. */
void identity_after_statement(struct session *session, const struct statement *statement);

/* A statement has failed: it may have changed something before it did. */
void identity_after_failure(struct session *session, const struct statement *statement);

/* A command other than a statement has succeeded. */
void identity_after_command(struct session *session, uint8_t command);

/* The backend's own word on what changed, from an OK packet. */
void identity_after_session_state(struct session *session, const uint8_t *state, size_t size);

/* Whether a command reads what the statement before it has left (ROW_COUNT(), SHOW WARNINGS ...),
 * which a question in between would wipe out. It is then told with what is known, marked as unsure,
 * and the question comes in front of the next one. */
bool identity_must_wait(struct session *session, const uint8_t *payload, size_t size);

/* Whether something stale must be asked for before the next event; the question; its answer, one
 * row. */
bool identity_must_ask(const struct session *session);
#define IDENTITY_QUESTION                                                                          \
    "SELECT CURRENT_USER(), CURRENT_ROLE(), DATABASE(), @@sql_mode, @@character_set_client"
#define IDENTITY_ANSWERS 5
void identity_answered(struct session *session, const struct wire_string *values, size_t count);

/* While the Starting events of a multi-statement text are given, nothing of it has run yet: the
 * database is the one that USE statements in front will have set. */
struct identity_forecast {
    struct strbuf database;
};
void identity_forecast_begin(struct identity_forecast *forecast);
void identity_forecast_statement(struct session *session, struct identity_forecast *forecast,
                                 const struct statement *statement);
void identity_forecast_end(struct session *session, struct identity_forecast *forecast);

void identity_init(struct session *session);
void identity_release(struct session *session);

#endif
