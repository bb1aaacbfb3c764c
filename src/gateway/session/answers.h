/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client reads: the gateway's own ERR, OK and text result sets, in the form that the
 * client's capabilities ask for. */
#ifndef WEIR_GATEWAY_SESSION_ANSWERS_H
#define WEIR_GATEWAY_SESSION_ANSWERS_H

#include "gateway/session/machine.h"

/* Everything that the client reads goes through these two. sequence is the number of the next
 * packet after the bytes. */
void client_write(struct session *session, const void *bytes, size_t size, uint8_t sequence);
void client_pass(struct session *session, const void *bytes, size_t size, uint8_t sequence,
                 bool is_mid_packet);

/* sqlstate NULL or "": the usual one of that error. */
void answer_error(struct session *session, unsigned code, const char *sqlstate,
                  const char *message);
void answer_ok(struct session *session);

/* Adds an OK of the backend's to out as the client is to read it: with the changes of the session that
 * it has asked to be reported, and no others. false: it is no OK, or there is no memory. */
WEIR_MUST_CHECK bool answer_add_reported_ok(const struct session *session, struct strbuf *out,
                                            const struct wire_packet *ok, uint8_t sequence);

/* A packet of the backend's, such as an OK. */
void answer_payload(struct session *session, const void *payload, size_t size);

/* An answer that is written before it is sent, because plugins are notified of its size first. */
struct written_answer {
    struct strbuf out;
    struct wire_writer writer;
};

/* A result set of text columns. Values: row by row; NULL pointers are NULL values. */
void answer_write_rows(const struct session *session, struct written_answer *answer,
                       const char *const *columns, size_t column_count, const char *const *values,
                       size_t row_count, uint16_t warnings);

/* Sends it and frees it. */
void answer_send(struct session *session, struct written_answer *answer);

#endif
