/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP server that says what a test wants an etcd to say: each request is given to a function, which writes the
 * answer in the pieces that it likes, or none. A thread for each connection. */
#ifndef WEIR_TESTS_SCRIPTED_ETCD_H
#define WEIR_TESTS_SCRIPTED_ETCD_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

struct scripted_etcd;
struct scripted_connection;

struct scripted_request {
    struct scripted_etcd *etcd;
    struct scripted_connection *connection;
    int number; /* of all requests, from 1 */
    char path[64];
    char token[64]; /* "": none */
    char body[2048];
    void *user;
};

typedef void scripted_answer(struct scripted_request *request);

#define SCRIPTED_CONNECTIONS 256

struct scripted_etcd {
    scripted_answer *answer;
    void *user;
    void *tls; /* SSL_CTX; NULL: plain */
    int listener, port;
    char url[64];
    atomic_int requests;
    atomic_bool stopping;
    pthread_t thread;
    struct scripted_connection *connections[SCRIPTED_CONNECTIONS];
    size_t connection_count;
};

void scripted_start(struct scripted_etcd *etcd, scripted_answer *answer, void *user, void *tls);
void scripted_stop(struct scripted_etcd *etcd);

/* An answer that ends with the connection. */
void scripted_say(struct scripted_request *request, int status, const char *body);
/* The head of a stream, and what comes in it. */
void scripted_begin(struct scripted_request *request);
void scripted_piece(struct scripted_request *request, const void *bytes, size_t size);
/* Returns once the client has gone, or the server is stopped. */
void scripted_hang(struct scripted_request *request);

#endif
