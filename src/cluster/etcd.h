/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that is etcd (3.4 or newer), by its JSON gateway, in a thread of its own. */
#ifndef WEIR_CLUSTER_ETCD_H
#define WEIR_CLUSTER_ETCD_H

#include "store/store.h"

#define ETCD_ENDPOINTS_MOST 16

struct etcd_options {
    const char
        *endpoints; /* "https://a:2379,https://b:2379"; without a scheme: http, or https with ca */
    const char *ca; /* authorities of etcd's certificates, PEM; NULL or "": the system's */
    const char *certificate, *key; /* that etcd is shown, PEM; NULL or "": none */
    const char *user, *password;   /* NULL or "": nobody logs in */
    long timeout_ms;               /* of an attempt at an endpoint */
};

/* Starts the thread; nothing is reached yet. options are copied. Returns owned (store_free()), or NULL
 * and *error. */
struct store *etcd_new(const struct etcd_options *options, struct error *error) WEIR_MUST_CHECK;

#endif
