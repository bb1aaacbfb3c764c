/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the gateway's own: ERR, OK and text result sets, written to the client in the form
 * that its capabilities ask for, numbered from session->reply_sequence. */
#ifndef WEIR_GATEWAY_ANSWER_H
#define WEIR_GATEWAY_ANSWER_H

#include "gateway/session.h"

/* sqlstate NULL: the usual one of that error. */
void answer_error(struct session *session, unsigned code, const char *sqlstate,
                  const char *message);

void answer_ok(struct session *session);

/* A packet of the backend's own words, such as an OK. */
void answer_payload(struct session *session, const void *payload, size_t size);

/* An answer that is written before it is sent, because plugins are told its size first. */
struct answer {
    struct strbuf out;
    struct wire_writer writer;
};

/* A result set of at most ANSWER_COLUMNS text columns. Values: row by row; NULL pointers are NULL
 * values. */
#define ANSWER_COLUMNS 8
void answer_write_rows(struct session *session, struct answer *answer, const char *const *columns,
                       size_t column_count, const char *const *values, size_t row_count);

/* Sends it and frees it. */
void answer_send(struct session *session, struct answer *answer);

#endif
