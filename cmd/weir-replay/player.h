/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays a recorded conversation through a session of the gateway, with the plugins of a registry, and
 * prints what its client reads. No socket, no server: the recording is both peers. */
#ifndef WEIR_REPLAY_PLAYER_H
#define WEIR_REPLAY_PLAYER_H

#include <stdio.h>

#include "plugin/host/plugin_host.h"
#include "recording.h"

/* client: its address, as text. Returns -1 and error if the conversation can't be played to its
 * end; that a plugin ends it is no error. */
WEIR_MUST_CHECK int play(struct recording *recording, struct plugin_registry *registry,
                         const char *client, FILE *out, struct error *error);

#endif
