/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the gateway listens: as the configuration says, or on the sockets that the service manager has opened, which
 * no reload touches. Sessions do not mind when the listener that they came by is closed. Main thread. */
#ifndef WEIR_GATEWAY_LISTENERS_H
#define WEIR_GATEWAY_LISTENERS_H

#include "gateway/gateway.h"
#include "gateway/net/net.h"

#define LISTENERS_MOST 16

struct listeners_entry;

struct listeners {
    struct listeners_entry *list[LISTENERS_MOST]; /* owned; NULL: free */
    bool are_adopted;
    uv_loop_t *loop;
    void (*accepted)(void *user, const struct arrival *arrival);
    void *user;
};

/* Opens them; nobody is accepted yet. listeners_close() is due in both cases. */
WEIR_MUST_CHECK int listeners_open(struct listeners *listeners,
                                   const struct gateway_options *options, struct error *error);

/* Begins to accept. */
WEIR_MUST_CHECK int listeners_start(struct listeners *listeners, uv_loop_t *loop,
                                    void (*accepted)(void *user, const struct arrival *arrival),
                                    void *user, struct error *error);

/* Opens those that are new in these options; commit or abandon is due on success. */
WEIR_MUST_CHECK int listeners_prepare(struct listeners *listeners,
                                      const struct gateway_options *options, struct error *error);

/* Closes those that are none of the options any more, and accepts on the new ones. */
void listeners_commit(struct listeners *listeners);
void listeners_abandon(struct listeners *listeners);

/* Closes all; idempotent. The loop goes on until they are. */
void listeners_close(struct listeners *listeners);

#endif
