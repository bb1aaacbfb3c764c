/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal queries: statements that the gateway itself runs on the session's backend connection, as
 * the session's user, between two commands of the client. The client sees nothing of them. Results
 * are small: a row must fit the tracker's keep limit. */
#ifndef WEIR_GATEWAY_SESSION_QUERY_H
#define WEIR_GATEWAY_SESSION_QUERY_H

#include "gateway/session/machine.h"

#define QUERY_COLUMNS 8 /* columns that are handed over at most */

/* Called once when a query is complete. error_code is 0 on success. Enters the next state. */
typedef void query_completed(struct session *session, unsigned error_code);

struct query_handlers {
    /* One row; values of NULL have data NULL. Borrowed. NULL: rows are not wanted. */
    void (*row)(struct session *session, const struct wire_string *values, size_t count);
    query_completed *done;
    /* Every packet of the answer, before the others are called; NULL: they are not wanted. */
    void (*packet)(struct session *session, const struct wire_packet *packet);
};

/* Sends the text and enters QUERYING; without memory the session is closed. The tracker must be
 * idle. handlers live on. */
void query_begin(struct session *session, const char *text, const struct query_handlers *handlers);

/* Asks the backend who the session is and how it lexes, as a query. What it does not say stays
 * unknown. Where the server answers that it will have none of this session (init_connect has
 * failed), last_words has its error. */
void query_identity(struct session *session, query_completed *done);

bool query_bytes(struct session *session);
void query_release(struct session *session);

#endif
