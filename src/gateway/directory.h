/* SPDX-License-Identifier: Apache-2.0
 *
 * Connection ids. Clients are told the gateway's id of their session, whose top bit is set so that
 * it cannot be taken for a backend's; KILL of such an id is translated with this directory. Any
 * thread. */
#ifndef WEIR_GATEWAY_DIRECTORY_H
#define WEIR_GATEWAY_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#define DIRECTORY_ID_BIT 0x80000000U

struct directory;

struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* An id that no living session has. */
uint32_t directory_next_id(struct directory *directory);

/* false: no memory. */
bool directory_add(struct directory *directory, uint32_t id, uint32_t backend_id);
void directory_remove(struct directory *directory, uint32_t id);

/* The backend's id of a session of this gateway; false when there is none. */
bool directory_find(struct directory *directory, uint32_t id, uint32_t *backend_id);

#endif
