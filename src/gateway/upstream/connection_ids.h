/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection id map: from the gateway's id of a session to its server, and that server's id of its
 * connection: connections of two servers may have the same.
 *
 * Clients whose session was greeted before its backend was connected read an id of the gateway's own, and KILL of such an
 * id is translated with this map. Both sorts of ids are plain numbers, so they are kept apart by where they
 * lie: servers count up from 1, and the gateway counts down from the largest number that a driver
 * which reads ids as signed can take.
 *
 *     1 ──► the server's              the gateway's ◄── 2^31 - 1 | a spare block ◄── 2^32 - 1
 *
 * In a cluster each node has a part of its own of both blocks, so that an id says whose it is: node << 20 and a
 * counter, where nodes are numbered from 1025 to 2047; the spare one has 2^21 for each. What a node hands out
 * while it has no number is of the first part, 1024, which nobody else knows; there it begins at random.
 *
 * Ids are given out above all ids that the server was seen to use. One that the server has reached
 * since may be somebody else's there: it is translated to CONNECTION_ID_OF_NOBODY. Any thread. */
#ifndef WEIR_GATEWAY_UPSTREAM_CONNECTION_IDS_H
#define WEIR_GATEWAY_UPSTREAM_CONNECTION_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define CONNECTION_ID_OF_NOBODY 0 /* no server has a connection 0 */

struct connection_ids;

/* Where a session's connection is. */
struct connection_place {
    unsigned server;    /* the number of its server */
    uint32_t server_id; /* there */
    bool is_same_user;  /* as who asks */
};

/* Returns owned (connection_ids_free), or NULL without memory. */
struct connection_ids *connection_ids_new(void) WEIR_MUST_CHECK;
void connection_ids_free(struct connection_ids *ids); /* ids may be NULL */

#define CONNECTION_IDS_ALONE      0    /* the gateway is in no cluster */
#define CONNECTION_IDS_NUMBERLESS 1024 /* it is in one, and has no number now */
#define CONNECTION_IDS_FIRST_NODE 1025
#define CONNECTION_IDS_LAST_NODE  2047

/* Returns an id of the node that is not in the map, that the server was not seen to use, and that was not
 * returned for the last 2^21 calls; in a cluster, 2^20. */
uint32_t connection_ids_next(struct connection_ids *ids, unsigned node);

/* The node that hands out an id in a cluster; CONNECTION_IDS_ALONE: none does. */
unsigned connection_ids_node(uint32_t id);

/* The server has given this id to a connection. */
void connection_ids_saw(struct connection_ids *ids, uint32_t server_id);

/* Maps id, which connection_ids_next() returned. If it is in the map already, it is another user's from
 * now on. user: whose session it is (copied); NULL: nobody asks. Returns false without memory. */
bool connection_ids_add(struct connection_ids *ids, uint32_t id, unsigned server,
                        uint32_t server_id, const char *user) WEIR_MUST_CHECK;

/* Does nothing if id is not in the map. */
void connection_ids_remove(struct connection_ids *ids, uint32_t id);

/* Fills *place for user, who asks. Returns false if id is not in the map. */
bool connection_ids_find(struct connection_ids *ids, uint32_t id, const char *user,
                         struct connection_place *place) WEIR_MUST_CHECK;

#endif
