/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets. Main thread. */
#ifndef WEIR_GATEWAY_NET_LISTENER_H
#define WEIR_GATEWAY_NET_LISTENER_H

#include <sys/socket.h>

#include "gateway/net/watch.h"

/* A client that has connected. */
struct arrival {
    int fd; /* non-blocking */
    struct sockaddr_storage peer;
    socklen_t peer_size;
};

struct listener {
    struct watch watch; /* first */
    int fd;
    char unix_path[108]; /* removed at the end; empty: TCP */
    char text[300];      /* "127.0.0.1:4000" */
    void (*accepted)(void *user, const struct arrival *arrival);
    void *user;
    void (*closed)(struct listener *listener); /* or NULL; called from the loop */
};

/* The text of one that listens there. */
void listener_describe_tcp(const char *host, long port, char *text, size_t room);

/* host_option and port_option: what the address was given by, for errors: "-host", "-P". */
WEIR_MUST_CHECK int listener_open_tcp(struct listener *listener, const char *host, long port,
                                      const char *host_option, const char *port_option,
                                      struct error *error);
WEIR_MUST_CHECK int listener_open_unix(struct listener *listener, const char *path,
                                       struct error *error);

/* A socket that listens already, and that its owner removes: fd is taken. */
WEIR_MUST_CHECK int listener_adopt(struct listener *listener, int fd, struct error *error);

/* Begins to accept: accepted (which takes the socket) is called from the loop. */
WEIR_MUST_CHECK int listener_start(struct listener *listener, uv_loop_t *loop,
                                   void (*accepted)(void *user, const struct arrival *arrival),
                                   void *user, struct error *error);

/* Returns true if closed() will be called; false: it is closed. */
bool listener_close(struct listener *listener);

#endif
