/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening sockets. Accepted ones are given to the worker that has the fewest sessions. Main
 * thread. */
#ifndef WEIR_GATEWAY_LISTENER_H
#define WEIR_GATEWAY_LISTENER_H

#include "gateway/worker.h"

struct listener {
    uv_poll_t poll;
    int fd;
    bool watched;
    char unix_path[108]; /* removed at the end; empty: TCP */
    char text[300];      /* "127.0.0.1:4000" */
    struct worker *workers;
    size_t worker_count;
};

int listener_open_tcp(struct listener *listener, const char *host, long port, struct error *error);
int listener_open_unix(struct listener *listener, const char *path, struct error *error);

/* Begins to accept. */
int listener_start(struct listener *listener, uv_loop_t *loop, struct worker *workers,
                   size_t worker_count, struct error *error);

void listener_close(struct listener *listener);

#endif
