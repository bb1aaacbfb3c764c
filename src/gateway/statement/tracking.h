/* SPDX-License-Identifier: Apache-2.0
 *
 * Following a session: what the backend reports to have changed, and what statements say.
 *
 * On the backend's side the gateway always asks for session tracking, and, when it asks who the
 * session is, has the server (MariaDB) report every change of its own tracking variables, of
 * sql_mode, and that anything has changed at all. A report is exact, however the change came about:
 * USE in a dynamic statement, SET NAMES in a procedure. As long as nothing can have turned the
 * reporting off, the absence of a report proves that nothing has changed.
 *
 * It is in doubt once the server says that something has changed which it does not name, and the
 * statement may have run what its text does not show (a procedure, a function, a dynamic text). An
 * error reports nothing. Then only reports count, and the backend is asked again.
 *
 * Clients get the reports that they themselves have asked for. */
#ifndef WEIR_GATEWAY_STATEMENT_TRACKING_H
#define WEIR_GATEWAY_STATEMENT_TRACKING_H

#include "gateway/statement/observed.h"

/* The login is over: what the backend can report. */
void tracking_begin(struct observed *observed, uint64_t backend_capabilities);

/* A result has ended: its status, and the session-state block of its OK (NULL: it has none). */
void tracking_result(struct observed *observed, const struct wire_result *result);

/* A statement has succeeded, or failed with this error after it may have changed something. */
void tracking_after_statement(struct observed *observed, const struct statement *statement);
void tracking_after_failure(struct observed *observed, const struct statement *statement,
                            unsigned error_code);

/* Statements have run of which it is not known what they were answered with. */
void tracking_after_unknown(struct observed *observed);

/* How many results a statement has. */
enum sql_results tracking_results(struct observed *observed, const struct statement *statement);

/* What a statement that has not run yet will change, in that database. Borrowed until the next call
 * of this room. */
struct sql_effects tracking_forecast(struct observed *observed, const struct statement *statement,
                                     struct sql_database database);

/* The backend has been asked: the values of its tracking variables. */
struct tracking_variables {
    struct wire_string system_variables, schema, state_change;
};
void tracking_answer(struct observed *observed, const struct tracking_variables *variables);

/* What was asked for is gone: COM_CHANGE_USER, COM_RESET_CONNECTION. */
void tracking_reset(struct observed *observed);

/* Whether the client is to read something else than the OK that the backend has sent. */
bool tracking_reports_too_much(const struct observed *observed, uint64_t client_capabilities,
                               const struct wire_result *result);

/* For wire_encode_ok_reporting(); data is a struct observed. */
bool tracking_is_reported(const struct wire_session_state *state, const void *data);

#endif
