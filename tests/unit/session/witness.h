/* SPDX-License-Identifier: Apache-2.0
 *
 * witness: follows what a client sends and reads, by a tracker of its own, and asserts that replies
 * answer the commands they follow: each command that has a reply has exactly one, in order, of its
 * shape and with its numbers, and none comes for others. An error that answers nothing is the last
 * packet, and the session ends.
 *
 * It sees the client's bytes as the session is fed them, and takes the next command when the one
 * before has its reply, as the session does. It looks away once the client's bytes are not the
 * protocol. */
#ifndef WEIR_TESTS_SESSION_WITNESS_H
#define WEIR_TESTS_SESSION_WITNESS_H

#include "wire/wire.h"

struct witness {
    struct wire_tracker tracker;
    struct strbuf unseen; /* of the client's bytes */
    bool looks_away;
    bool has_farewell; /* an error that answers nothing was the last packet */
};

void witness_begin(struct witness *witness, bool looks_away);
void witness_end(struct witness *witness);
void witness_client(struct witness *witness, const void *bytes, size_t size);
void witness_server(struct witness *witness, const void *bytes, size_t size);

/* Nothing goes on. is_open: the session has not ended; is_ready: it waits for a command, and has
 * sent all that it has. */
void witness_check(struct witness *witness, bool is_open, bool is_ready);

#endif
