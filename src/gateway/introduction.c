/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session is told of its client, read from the socket and from what is known of the backend. */
#include "gateway/introduction.h"

#include <openssl/rand.h>
#include <string.h>

#include "gateway/cluster_link.h"

static void make_scramble(char scramble[WIRE_SCRAMBLE_BYTES])
{
    RAND_bytes((unsigned char *)scramble, WIRE_SCRAMBLE_BYTES);
    for (size_t i = 0; i < WIRE_SCRAMBLE_BYTES; i++) /* old clients end at NUL, and want 7 bits */
        scramble[i] = (char)((unsigned char)scramble[i] % 94 + 33);
}

void introduce(struct introduction *introduction, const struct worker *worker,
               const struct arrival *arrival)
{
    struct gateway *gateway = worker->gateway;
    const struct gateway_configuration *configuration = worker->configuration;
    struct session_arrival *begin = &introduction->arrival;
    socklen_t size = sizeof begin->local;
    *begin = (struct session_arrival){
        .id =
            atomic_load(&gateway->ids_are_backends)
                ? 0
                : connection_ids_next(gateway->connection_ids, cluster_link_node(gateway->cluster)),
        .peer = arrival->peer,
        .takes_proxy_header = networks_have(configuration->proxies, &arrival->peer),
        .backend_first = configuration->options.backend_first ||
                         networks_have(configuration->first, &arrival->peer),
        .is_stopping = atomic_load(&gateway->stopping),
        .too_many = atomic_load(&gateway->connections) > configuration->options.max_connections,
    };
    getsockname(arrival->fd, (struct sockaddr *)&begin->local, &size);
    client_address_set(&begin->address, &begin->peer, &begin->local);
    make_scramble(begin->scramble);
    if (upstream_set_profile(gateway->upstreams, &introduction->profile)) {
        begin->version = introduction->profile.version;
        begin->capabilities = introduction->profile.capabilities;
        begin->charset = introduction->profile.charset;
    }
}
