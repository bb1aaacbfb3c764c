/* SPDX-License-Identifier: Apache-2.0
 *
 * A session between two peers in memory: what src/gateway/connection.c does with sockets. */
#ifndef WEIR_REPLAY_PAIR_H
#define WEIR_REPLAY_PAIR_H

#include <pthread.h>

#include "gateway/session/session.h"

struct peer {
    struct filter filter; /* first */
    struct strbuf got;    /* what the session has sent */
    struct strbuf unread; /* what the peer has sent and the session has not read */
    bool has_ended;       /* sends nothing more */
};

struct pair {
    struct session_environment environment;
    _Atomic(struct trace_host *) trace; /* none */
    struct session *session;
    struct peer peers[2]; /* by enum session_side */
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct session_hold *holds; /* on their way back; guarded by lock */
    bool is_over;
    enum close_reason reason;
};

/* Returns -1: no memory. registry and client are borrowed until the end. */
WEIR_MUST_CHECK int pair_begin(struct pair *pair, struct plugin_registry *registry,
                               const char *client);

/* A peer sends bytes. Nothing happens before pair_run(). */
void pair_send(struct pair *pair, enum session_side side, const void *bytes, size_t size);

/* Goes on until nothing happens any more. */
void pair_run(struct pair *pair);

/* Waits until a plugin gives back what it holds, and goes on. Returns false if nothing is held, or
 * not given back in time. */
WEIR_MUST_CHECK bool pair_wait(struct pair *pair);

/* The client closes its connection; the session ends. */
void pair_end(struct pair *pair);

#endif
