/* SPDX-License-Identifier: Apache-2.0
 *
 * struct networks: a list of networks in MariaDB's syntax of proxy_protocol_networks: addresses with or
 * without the bits of their mask (10.0.0.0/8, 2001:db8::/32, 10.0.0.7), with commas or spaces between
 * them; localhost, which is every client of a Unix socket; or * alone, which is everybody.
 *
 * Never changes; any thread. */
#ifndef WEIR_GATEWAY_NET_NETWORKS_H
#define WEIR_GATEWAY_NET_NETWORKS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/base.h"

struct networks;

/* Reads the list. option: whose it is, for errors. *out (owned) is NULL where the text names none. -1 and *error: it is
 * no list. */
WEIR_MUST_CHECK int networks_parse(const char *option, const char *text, struct networks **out,
                                   struct error *error);

void networks_free(struct networks *networks); /* NULL is allowed */

/* Whether an address is in one of them; networks NULL: it is not. IPv4 that is mapped into IPv6 counts
 * as IPv4. */
bool networks_have(const struct networks *networks, const struct sockaddr_storage *address);

#endif
