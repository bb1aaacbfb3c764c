/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to etcd's JSON gateway (its version 3) as texts. */
#ifndef WEIR_CLUSTER_ETCD_REQUEST_H
#define WEIR_CLUSTER_ETCD_REQUEST_H

#include "store/store.h"

#define ETCD_WATCH_PATH        "/v3/watch"
#define ETCD_AUTHENTICATE_PATH "/v3/auth/authenticate"

/* The path of what a request wants. */
const char *etcd_request_path(enum store_action action);

/* Append the body. */
void etcd_request_write(struct strbuf *out, const struct store_request *request);
void etcd_request_watch(struct strbuf *out, struct store_bytes prefix, int64_t from_revision);
void etcd_request_authenticate(struct strbuf *out, const char *user, const char *password);

#endif
