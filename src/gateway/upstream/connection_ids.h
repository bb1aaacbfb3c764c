/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection id map: from the gateway's id of a session to the server's id of its connection.
 *
 * Clients read the gateway's id, whose top bit is set so that it cannot be taken for a server's; KILL
 * of such an id is translated with this map. Any thread. */
#ifndef WEIR_GATEWAY_UPSTREAM_CONNECTION_IDS_H
#define WEIR_GATEWAY_UPSTREAM_CONNECTION_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define CONNECTION_ID_BIT 0x80000000U

struct connection_ids;

/* Returns owned (connection_ids_free), or NULL without memory. */
struct connection_ids *connection_ids_new(void) WEIR_MUST_CHECK;
void connection_ids_free(struct connection_ids *ids); /* ids may be NULL */

/* Returns an id that is not in the map, and that was not returned for the last 2^31 calls. */
uint32_t connection_ids_next(struct connection_ids *ids);

/* Maps id, which connection_ids_next() returned and which is not in the map. Returns false without
 * memory. */
bool connection_ids_add(struct connection_ids *ids, uint32_t id,
                        uint32_t server_id) WEIR_MUST_CHECK;

/* Does nothing if id is not in the map. */
void connection_ids_remove(struct connection_ids *ids, uint32_t id);

/* Fills *server_id. Returns false if id is not in the map. */
bool connection_ids_find(struct connection_ids *ids, uint32_t id,
                         uint32_t *server_id) WEIR_MUST_CHECK;

#endif
