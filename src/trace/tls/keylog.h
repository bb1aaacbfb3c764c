/* SPDX-License-Identifier: Apache-2.0
 *
 * Key logs: the file that TLS libraries append to when the variable SSLKEYLOGFILE names it. A line is
 *
 *     LABEL CLIENT_RANDOM SECRET
 *
 * the last two in hexadecimal. Other lines are ignored. A secret that is not there yet is looked for
 * once more in what was appended since, because a connection may be captured while it is made. */
#ifndef WEIR_TRACE_KEYLOG_H
#define WEIR_TRACE_KEYLOG_H

#include <stdint.h>

#include "base/base.h"

/* X(enumerator, label): the secrets that are used. */
#define KEYLOG_LABELS(X)                                                                           \
    X(KEYLOG_MASTER, "CLIENT_RANDOM") /* TLS 1.2 */                                                \
    X(KEYLOG_CLIENT_HANDSHAKE, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")                                  \
    X(KEYLOG_SERVER_HANDSHAKE, "SERVER_HANDSHAKE_TRAFFIC_SECRET")                                  \
    X(KEYLOG_CLIENT_DATA, "CLIENT_TRAFFIC_SECRET_0")                                               \
    X(KEYLOG_SERVER_DATA, "SERVER_TRAFFIC_SECRET_0")

enum keylog_label {
#define X(enumerator, label) enumerator,
    KEYLOG_LABELS(X)
#undef X
        KEYLOG_LABEL_COUNT
};

enum { KEYLOG_RANDOM_BYTES = 32, KEYLOG_SECRET_MOST = 48 };

struct keylog_secret {
    uint8_t bytes[KEYLOG_SECRET_MOST];
    size_t size; /* 32 or 48 */
};

struct keylog;

/* Opens a key log; the path is borrowed for the call. Returns owned; NULL and error. */
WEIR_MUST_CHECK struct keylog *keylog_open(const char *path, struct error *error);

/* Copies the secret with this label of the connection with this client random. Returns false if the
 * file has none. */
WEIR_MUST_CHECK bool keylog_find(struct keylog *keylog, enum keylog_label label,
                                 const uint8_t random[KEYLOG_RANDOM_BYTES],
                                 struct keylog_secret *secret);

/* Wipes the secrets. NULL is allowed. */
void keylog_close(struct keylog *keylog);

#endif
