/* SPDX-License-Identifier: Apache-2.0
 *
 * The events around a command: PreParse and Starting before it goes to the backend, Completed or
 * Error for each of its statements as the results arrive.
 *
 *     events_begin() ─► events_judge() ─► forwarded ─► events_result() for each result ─► events_end()
 *                         │    ▲  │           └─► events_lost(): the session ends first
 *                         │    │  └ REFUSED: events_refused(), after the client was answered
 *                         └ PENDING: events_judge_again() once the plugins have decided
 *
 * A multi-statement text is one command with several statements. The server answers with one result
 * for each, except for CALL and its like, whose results go on until an OK; if a statement fails, the
 * rest is never run. All of it is skipped when no plugin is loaded. */
#ifndef WEIR_GATEWAY_STATEMENT_EVENTS_H
#define WEIR_GATEWAY_STATEMENT_EVENTS_H

#include "gateway/statement/observed.h"

/* Notifies plugins of a connection event. verdict: refused, pending, or a plugin failed. */
void events_connection(struct observed *observed, weir_connection_event event,
                       struct plugin_verdict *verdict);

/* Reads a command that has come. Its payload may go once this has returned. */
void events_begin(struct observed *observed, const struct wire_packet *packet);

/* Gives the events before the command, until one is refused or pending. */
void events_judge(struct observed *observed, struct plugin_verdict *verdict);

/* The same after a pending event was decided; verdict: in, how; out, as of events_judge(). */
void events_judge_again(struct observed *observed, struct plugin_verdict *verdict);

/* Gives Error for each Starting of a refused command. */
void events_refused(struct observed *observed, const struct plugin_refusal *refusal);

/* A result has been seen whole. ends_reply: nothing more is due for the command. */
void events_result(struct observed *observed, const struct wire_result *result, bool ends_reply,
                   struct plugin_verdict *verdict);

/* A command that has no reply has been sent on, or the gateway answers it with this result: every
 * statement that is outstanding has completed. */
void events_completed(struct observed *observed, const struct wire_result *result,
                      struct plugin_verdict *verdict);

/* The current statement has succeeded: notes what it changes of the session, and notifies plugins
 * of its global variables. Comes before its Completed. */
void events_took_effect(struct observed *observed);

/* The gateway has answered the command with this error. */
void events_failed(struct observed *observed, unsigned code, const char *sqlstate,
                   const char *message);

/* Nothing more is due for the command. */
void events_end(struct observed *observed);

/* The session ends: outstanding statements end as Error 1927 with this message. What follows is
 * about no statement. */
void events_lost(struct observed *observed, const char *message);

#endif
