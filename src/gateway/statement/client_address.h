/* SPDX-License-Identifier: Apache-2.0
 *
 * A client's address, as the facts of a session show it: text, bytes, ports. */
#ifndef WEIR_GATEWAY_STATEMENT_CLIENT_ADDRESS_H
#define WEIR_GATEWAY_STATEMENT_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define CLIENT_ADDRESS_TEXT 46 /* bytes of the longest IPv6 address, with its NUL */

struct client_address {
    bool is_unix;
    char client_ip[CLIENT_ADDRESS_TEXT], server_ip[CLIENT_ADDRESS_TEXT]; /* "" for a Unix socket */
    unsigned client_port, server_port;
    uint8_t bytes[16];
    uint8_t size; /* of bytes: 4, 16, or 0 for a Unix socket */
};

/* peer: the client's own address; local: the one that it has reached. An IPv4 address that is mapped into
 * IPv6 counts as IPv4. */
void client_address_set(struct client_address *out, const struct sockaddr_storage *peer,
                        const struct sockaddr_storage *local);

#endif
