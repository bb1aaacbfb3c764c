/* SPDX-License-Identifier: Apache-2.0
 *
 * A server for tests: it greets whoever connects with a version, reads the answer, and denies it. */
#ifndef WEIR_TESTS_FAKE_SERVER_H
#define WEIR_TESTS_FAKE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/upstream/upstream_state.h"
#include "wire/wire.h"

struct fake_server {
    struct address address; /* 127.0.0.1 and a free port */
    const char *version;    /* borrowed; constant while it serves */
    atomic_bool hurries;    /* denies and resets the connection before it has read anything */
    atomic_bool is_full;    /* greets with "Too many connections" */
    atomic_int connections; /* that have been greeted so far */
    int listener;
    pthread_t thread;
};

void fake_server_start(struct fake_server *server, const char *version);
void fake_server_stop(struct fake_server *server);

/* The greeting of such a server. Its texts are borrowed. */
struct wire_greeting fake_greeting(const char *version);

#endif
