/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: what a command kills, and which session that is. */
#ifndef WEIR_GATEWAY_LOCAL_KILL_TARGET_H
#define WEIR_GATEWAY_LOCAL_KILL_TARGET_H

#include "gateway/local/local.h"

/* Returns false if no session of the gateway has that id, nor another node of its cluster may have one. */
WEIR_MUST_CHECK bool kill_find_place(const struct observed *observed, uint64_t id,
                                     struct session_place *place);

/* Whether the session of that place is connected to another backend than the one that asks, or at another node. */
bool kill_is_elsewhere(const struct observed *observed, const struct session_place *place);

/* Whether a KILL may be in the text of a COM_QUERY or COM_STMT_PREPARE: a quick look. */
bool kill_may_be_in(const struct observed *observed, const struct wire_packet *packet);

/* Adds that text with the ids that the map says to out. Returns whether there was any to replace. */
WEIR_MUST_CHECK bool kill_rewrite(const struct observed *observed, const struct wire_packet *packet,
                                  sql_kill_map *map, struct strbuf *out);

/* What the text of a COM_QUERY or COM_STMT_PREPARE kills, if that is all that it does. */
WEIR_MUST_CHECK bool kill_is_alone(const struct observed *observed,
                                   const struct wire_packet *packet, struct sql_kill *kill);

/* The statement that an Execute runs, if a KILL of a session is all that it does; NULL: it is another. */
struct prepared *kill_find_prepared(const struct observed *observed,
                                    const struct wire_packet *packet, struct sql_kill *kill);

/* The value that an Execute of a KILL ? has. */
struct kill_value {
    struct wire_execute execute;
    struct wire_parameter parameter;
    uint64_t number;
    bool is_known; /* or else it is no number, or came as long data */
};

/* Reads it from the payload, which it points into. */
void kill_read_value(const struct observed *observed, const struct prepared *prepared,
                     const uint8_t *payload, size_t size, struct kill_value *value);

#endif
