/* SPDX-License-Identifier: Apache-2.0
 *
 * blocks: whole packets that both peers would send, numbered as the other side expects, so that a
 * fuzzer gets past the login and into the middle of conversations. Statements and OKs carry marks,
 * by which they are found again in what a peer has received. */
#ifndef WEIR_TESTS_FUZZ_SESSION_BLOCKS_H
#define WEIR_TESTS_FUZZ_SESSION_BLOCKS_H

#include "step.h"

/* X(enumerator): what it is; its argument. */
#define BLOCKS(X)                                                                                  \
    X(BLOCK_LOGIN)          /* until the session is ready, if the plugin lets it */                \
    X(BLOCK_STATEMENT)      /* which one (blocks.c) */                                             \
    X(BLOCK_COMMAND)        /* the client's payload, numbered 0 */                                 \
    X(BLOCK_CLIENT_PACKET)  /* a payload that goes on with an exchange */                          \
    X(BLOCK_REPLY)          /* bytes: which packets (blocks.c), one after the other */             \
    X(BLOCK_BACKEND_PACKET) /* a payload that goes on with a reply */

enum block_op {
    BLOCK_FIRST = STEP_COUNT - 1,
#define X(enumerator) enumerator,
    BLOCKS(X)
#undef X
        BLOCK_END
};

struct blocks {
    struct harness *harness;
    size_t scanned[2]; /* of what a peer has got */
    uint8_t next[2];   /* number of the packet that it sends next */
    unsigned statements, replies;
};

#define BLOCK_MARK_BYTES 8 /* of "q0000017" (a statement) and "r0000017" (an OK) */

void block_do(struct blocks *blocks, unsigned op, const uint8_t *argument, size_t size);

#endif
