/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded backend: a private mariadbd under the data directory.
 *
 * It listens on a Unix socket in a directory that only this user may enter, and on no port. Its
 * data are initialised at first run; when it dies it is started again, with a pause that grows
 * while it keeps dying; it is stopped in order, also by the kernel when this process is killed. Clients' addresses reach it in PROXY headers, which
 * it takes from that socket only. Main thread. */
#ifndef WEIR_GATEWAY_UPSTREAM_EMBEDDED_H
#define WEIR_GATEWAY_UPSTREAM_EMBEDDED_H

#include <stdbool.h>
#include <uv.h>

#include "base/base.h"

struct embedded;

struct embedded_options {
    const char *data_directory;                 /* "./var" */
    const char *mariadbd;                       /* program, found on PATH or /usr/sbin */
    void (*on_state)(void *user, bool running); /* after each start and each death; from the loop */
    void *user;
};

/* Initialises the data directory if it is empty (blocking; the log says so), and spawns the server.
 * A server that cannot be spawned is tried again. Returns owned (embedded_free), or NULL and a
 * message. */
struct embedded *embedded_start(uv_loop_t *loop, const struct embedded_options *options,
                                struct error *error) WEIR_MUST_CHECK;

/* The absolute path of the socket. Borrowed; lives as long as the embedded. */
const char *embedded_socket(const struct embedded *embedded);

/* Asks the server to end (SIGTERM) and closes its handles once it has; the loop must go on running
 * until then. Idempotent. */
void embedded_stop(struct embedded *embedded);

/* After the loop has ended. */
void embedded_free(struct embedded *embedded);

#endif
