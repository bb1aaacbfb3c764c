/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts that a plugin's handle shows. All of them are set here and nowhere else. Strings are
 * borrowed: each function says from whom. */
#ifndef WEIR_GATEWAY_STATEMENT_FACTS_H
#define WEIR_GATEWAY_STATEMENT_FACTS_H

#include "gateway/statement/observed.h"

/* ---- Of the connection: true until the session ends ---- */

void facts_connection(struct observed *observed, const struct client_address *address);
void facts_connection_id(struct observed *observed, uint32_t id);
void facts_tls(struct observed *observed, const char *version, const char *cipher);
void facts_user(struct observed *observed, size_t user_size, size_t attributes_size);
void facts_auth_method(struct observed *observed, struct wire_string plugin);
/* A plugin wants a backend with this name or role. owner: the observed. Returns 1, or 0: one is chosen already, or
 * there is no memory. */
int facts_want_backend(void *owner, weir_string name);
void facts_backend_chosen(struct observed *observed, const struct session_backend *backend);
void facts_backend(struct observed *observed, const struct wire_greeting *greeting);
void facts_database(struct observed *observed, const char *data, size_t size);
void facts_account(struct observed *observed);

void facts_release(struct observed *observed);

/* ---- Of the event at hand ---- */

/* Who refused, for the events that follow; NULL: nobody. */
void facts_refused_by(struct observed *observed, const char *plugin);

/* Why the connection ends; replaces what was there. reason NULL: absent. */
void facts_reject_reason(struct observed *observed, const char *reason);
bool facts_has_reject_reason(const struct observed *observed);
void facts_error_code(struct observed *observed, unsigned code);

/* ---- Of the command and of its current statement ---- */

void facts_command(struct observed *observed);
void facts_whole_text(struct observed *observed); /* PreParse */
void facts_statement(struct observed *observed);
void facts_prepared(struct observed *observed, uint32_t id);

/* How the statement ended: a result, or an error. Both replace what was there. The texts are
 * borrowed from the result until facts_clear_outcome(). */
void facts_result(struct observed *observed, const struct wire_result *result);
void facts_error(struct observed *observed, unsigned code, const char *sqlstate,
                 const char *message, size_t size);
void facts_duration(struct observed *observed);
void facts_clear_outcome(struct observed *observed);

/* A connection event is about no statement. */
void facts_clear_statement(struct observed *observed);

/* While a thread of its own works for the session, nothing may be computed for it: the memory
 * for that belongs to the worker's thread. */
void facts_computed_are_available(struct observed *observed, bool available);

#endif
