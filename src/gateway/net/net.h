/* SPDX-License-Identifier: Apache-2.0
 *
 * net: sockets and TLS: what legs are opened on, and what listens.
 *
 *   watch.h       a socket that the loop watches; the only place that knows uv_poll
 *   net_socket.h  the filter that reads and writes one
 *   tls.h         certificates, and the filter that speaks TLS over another
 *   password_key.h  RSA for passwords
 *   compression_filter.h  the filter that compresses over another
 *   listener.h    listening sockets
 *   networks.h    a list of networks, and who is in it */
#ifndef WEIR_GATEWAY_NET_NET_H
#define WEIR_GATEWAY_NET_NET_H

#include "gateway/net/compression_filter.h"
#include "gateway/net/listener.h"
#include "gateway/net/net_socket.h"
#include "gateway/net/networks.h"
#include "gateway/net/password_key.h"
#include "gateway/net/tls.h"
#include "gateway/net/watch.h"

#endif
