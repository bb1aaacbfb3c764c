/* SPDX-License-Identifier: Apache-2.0
 *
 * The events around a command: PreParse and Starting before it goes to the backend, Completed or
 * Error for each of its statements as the results come by.
 *
 *     statement_begin() ──► forwarded ──► statement_result() for each result ──► statement_end()
 *           │                    └──► statement_lost(): the session ends first
 *           └ false: refused; statement_refused() after the client has been told
 *
 * A multi-statement text is one command with several statements. The server answers with one result
 * for each, but for CALL and its like, whose results go on until an OK; when a statement fails, the
 * rest is never run. All of it is skipped when no plugin is loaded. */
#ifndef WEIR_GATEWAY_STATEMENT_H
#define WEIR_GATEWAY_STATEMENT_H

#include "gateway/session.h"

/* The commands's text, statements and first events. false: refused, facts.refusal_* say why. */
bool statement_begin(struct session *session, const struct wire_packet *command);

/* Gives Error for each Starting of a refused command. */
void statement_refused(struct session *session);

/* A result has been seen whole (tracker.result). false: a plugin with on_failure = "refuse" has
 * failed. */
bool statement_result(struct session *session, const struct wire_packet *packet);

/* A command that has no reply has been sent on; or the gateway answers it with OK. */
bool statement_done(struct session *session);

/* The gateway answers the command with this result. */
bool statement_answered(struct session *session, const struct wire_result *result);

/* The current statement has succeeded: what it changes of the session is noted, and plugins hear of
 * its global variables. Comes before its Completed. */
void statement_took_effect(struct session *session);

/* The gateway has answered the command with this error. */
void statement_failed(struct session *session, unsigned code, const char *sqlstate,
                      const char *message);

/* Nothing more is due for the command. */
void statement_end(struct session *session);

/* The session ends: outstanding statements end as Error 2013 with these words. */
void statement_lost(struct session *session, const char *words);

/* Clears the facts of statements: a connection event is about none. */
void statement_forget_facts(struct session *session);

void statement_init(struct session *session);
void statement_release(struct session *session);

/* The statement that is being run. Never NULL; its text may be. */
const struct statement *statement_current(const struct session *session);

#endif
