/* SPDX-License-Identifier: Apache-2.0
 *
 * step: one thing that happens to a session, as a few bytes. Written conversations are turned into
 * steps, and the fuzzer makes up its own: so each of the one is a seed of the other.
 *
 *     options: 3 bytes (step_options())    then steps:  op  size (2 bytes)  argument ... */
#ifndef WEIR_TESTS_SESSION_STEP_H
#define WEIR_TESTS_SESSION_STEP_H

#include "harness.h"

/* X(enumerator): what it is; its argument. */
#define STEPS(X)                                                                                   \
    X(STEP_CLIENT_FRAME)  /* sequence, payload */                                                  \
    X(STEP_BACKEND_FRAME) /* the same */                                                           \
    X(STEP_CLIENT_BYTES)  /* bytes */                                                              \
    X(STEP_BACKEND_BYTES) /* bytes */                                                              \
    X(STEP_ACT)           /* event, PUPPET_* */                                                    \
    X(STEP_GIVE)          /* bits: failed, elsewhere */                                            \
    X(STEP_DECIDE)        /* verdict, elsewhere */                                                 \
    X(STEP_END)           /* side */                                                               \
    X(STEP_LOSE)          /* side */                                                               \
    X(STEP_TAKE)          /* side, two bytes: how much it takes from now on; none: all */          \
    X(STEP_FAIL)          /* side: its next send fails */                                          \
    X(STEP_CONNECTED)     /* nothing, or an error */                                               \
    X(STEP_SECURED)       /* nothing, or an error */                                               \
    X(STEP_WORK)          /* 0: all of it, 1: cancelled, 2: it begins, 3: it is done */            \
    X(STEP_DEADLINE)      /* nothing: the session's; a byte: that of holds that are out */         \
    X(STEP_DRAIN)                                                                                  \
    X(STEP_CLOSE)

enum step_op {
#define X(enumerator) enumerator,
    STEPS(X)
#undef X
        STEP_COUNT
};

/* X(bit, option) */
#define STEP_OPTION_BITS(X)                                                                        \
    X(0, without_plugins)                                                                          \
    X(1, lenient)                                                                                  \
    X(2, needs_account)                                                                            \
    X(3, offers_tls)                                                                               \
    X(4, requires_tls)                                                                             \
    X(5, has_no_profile)                                                                           \
    X(6, too_many)                                                                                 \
    X(7, connects_later)                                                                           \
    X(8, connect_fails)                                                                            \
    X(9, secures_later)                                                                            \
    X(10, secure_fails)                                                                            \
    X(11, works_later)                                                                             \
    X(12, declares)                                                                                \
    X(13, backend_first)                                                                           \
    X(14, address_refused)                                                                         \
    X(15, address_judged_late)                                                                     \
    X(16, several)                                                                                 \
    X(17, backend_tls)                                                                             \
    X(18, backend_tls_required)                                                                    \
    X(19, takes_header)                                                                            \
    X(20, is_stopping)

#define STEP_OPTION_BYTES 3

/* Options as bytes, and back; max_command_bytes and the like keep their defaults. */
void step_options_write(const struct harness_options *options, struct strbuf *out);
void step_options_read(const uint8_t bytes[STEP_OPTION_BYTES], struct harness_options *options);

void step_write(enum step_op op, const void *argument, size_t size, struct strbuf *out);

/* Takes the next step off the bytes. false: there is none. */
bool step_read(const uint8_t **bytes, const uint8_t *end, enum step_op *op,
               const uint8_t **argument, size_t *size);

/* Appends a frame. */
void step_frame(uint8_t sequence, const void *payload, size_t size, struct strbuf *out);

void step_do(struct harness *harness, enum step_op op, const uint8_t *argument, size_t size);

/* What both peers of the tests can do. */
#define STEP_CLASSIC                                                                               \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_PLUGIN_AUTH) |                                 \
     WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_MULTI_RESULTS) |                         \
     WIRE_CAP(CLIENT_MULTI_STATEMENTS) | WIRE_CAP(CLIENT_LOCAL_FILES) |                            \
     WIRE_CAP(CLIENT_CONNECT_WITH_DB) | WIRE_CAP(CLIENT_TRANSACTIONS))
#define STEP_MODERN                                                                                \
    (STEP_CLASSIC | WIRE_CAP(CLIENT_DEPRECATE_EOF) | WIRE_CAP(CLIENT_SESSION_TRACK) |              \
     WIRE_CAP(CLIENT_CONNECT_ATTRS))

#endif
