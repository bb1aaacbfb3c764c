/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions: statements that the gateway itself runs on the session's backend connection, as the
 * session's user, between two commands of the client. The client sees nothing of it. Results are
 * small: a row must fit the tracker's keep limit. */
#ifndef WEIR_GATEWAY_QUESTION_H
#define WEIR_GATEWAY_QUESTION_H

#include "gateway/session.h"

#define QUESTION_VALUES 8 /* columns that are handed over at most */

struct question_handlers {
    /* One row; values of NULL have data NULL. Borrowed. NULL: nobody wants rows. */
    void (*row)(struct session *session, const struct wire_string *values, size_t count);
    /* The end; the session is in the state it is to go on from. error_code 0: it went well. */
    void (*done)(struct session *session, unsigned error_code);
    /* Every packet of the answer, before the others are called; NULL: nobody wants them. */
    void (*packet)(struct session *session, const struct wire_packet *packet);
};

/* Sends the text and enters SESSION_ASKING. The tracker must be idle. false: no memory. */
bool question_ask(struct session *session, const char *text,
                  const struct question_handlers *handlers);

/* Bytes of the backend while ASKING. */
void question_receive(struct session *session, const uint8_t *bytes, size_t size);

void question_release(struct session *session);

#endif
