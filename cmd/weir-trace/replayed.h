/* SPDX-License-Identifier: Apache-2.0
 *
 * One conversation of a recording or a capture: its bytes into a trace session, through TLS where
 * the key log has its keys.
 *
 * The time is trace_output.now_ns, which the caller sets before each call. */
#ifndef WEIR_TRACE_REPLAYED_H
#define WEIR_TRACE_REPLAYED_H

#include "trace/protocol/trace_protocol.h"
#include "trace/tls/trace_tls.h"

struct replay_setup {
    struct st_mysql_client_plugin_TRACE *plugin;
    struct keylog *keylog; /* NULL: none */
};

struct replayed;

/* The setup is borrowed until the end; client, an address, for the call. number: from 1; 0: there is
 * one conversation only. is_whole: from the first byte on. Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct replayed *replayed_new(const struct replay_setup *setup, unsigned number,
                                              const char *client, uint16_t server_port,
                                              bool is_whole);

void replayed_bytes(struct replayed *replayed, enum wire_direction direction, const uint8_t *bytes,
                    size_t size);

/* "connection 7", for messages. Borrowed. */
const char *replayed_name(const struct replayed *replayed);

/* Ends the session and frees. NULL is allowed. */
void replayed_end(struct replayed *replayed);

#endif
