/* SPDX-License-Identifier: Apache-2.0
 *
 * struct upstream, for the files of this room and its tests. */
#ifndef WEIR_GATEWAY_UPSTREAM_STATE_H
#define WEIR_GATEWAY_UPSTREAM_STATE_H

#include <pthread.h>

#include "gateway/upstream/address.h"
#include "gateway/upstream/upstream.h"

struct upstream_watch;

typedef int upstream_look_up(const struct address_name *name, struct address_list *found,
                             struct error *error);

struct upstream {
    /* Constant from upstream_start() on. */
    struct upstream_options options;
    struct address_name name;
    bool is_embedded, sends_proxy_header;
    struct upstream_tls tls;
    upstream_look_up *look_up;    /* address_look_up(), but for tests */
    struct upstream_watch *watch; /* main thread only; NULL: not started */

    bool lookup_failed; /* said so already; of the thread that looks */
    bool header_failed; /* the same, of the PROXY header */
    bool tls_failed;    /* and of TLS */

    pthread_mutex_t lock;            /* of what follows */
    struct address address;          /* the one that a probe reached last */
    struct upstream_profile profile; /* what it said, or what a session has read since */
    bool has_profile;
    uint64_t confirmed_ns; /* monotonic; when a greeting last said so. 0: a probe is due */
};

/* One look at the server: looks its name up, and probes it where its address has changed or its
 * profile needs confirmation. Blocks at most connect_timeout_s for each address. Returns 0 if the
 * server answers as far as is known, or -1 and a message. Any thread, one at a time. */
int upstream_look(struct upstream *upstream, struct error *error) WEIR_MUST_CHECK;

/* Frees what upstream_start() made; after the loop has ended. */
void upstream_watch_free(struct upstream_watch *watch);

#endif
