/* SPDX-License-Identifier: Apache-2.0
 *
 * How the gateway ends a statement that it deals with itself: plugins are told first, then the
 * client is answered, then the session goes on. */
#ifndef WEIR_GATEWAY_OUTCOME_H
#define WEIR_GATEWAY_OUTCOME_H

#include "gateway/session.h"

/* The statement ends as Error, and the client reads it. sqlstate NULL: the usual one. */
void outcome_error(struct session *session, unsigned code, const char *sqlstate,
                   const char *message);

/* The statement ends as Completed. true: the answer may go to the client; false: a plugin has
 * failed, and the session is ended. */
bool outcome_complete(struct session *session, const struct wire_result *result);

/* The statement ends as Completed with this result set (answer_write_rows()), and the client reads
 * it; unless a plugin has failed: then the session is ended. */
void outcome_rows(struct session *session, const char *const *columns, size_t column_count,
                  const char *const *values, size_t row_count);

/* The session is READY again, and goes on with what waits. */
void outcome_go_on(struct session *session);

#endif
