/* SPDX-License-Identifier: Apache-2.0
 *
 * Written conversations of a session: what happens, and what must come of it.
 *
 *     C0 03 'select 1'     the client sends a frame: its sequence number, its payload
 *     S1 $ok               the backend sends one. Payloads: hex bytes, 'text', N*xx, $name (script.c)
 *     C! 05 00             bytes without a header
 *     ! Starting refuse    what the plugin does at the next event of that name: refuse, fail, limit
 *                          (the reply), choose (a backend), hold (it), verdict (holds it), decided (and decides at once)
 *     give ok | failed     the plugin gives a held reply back;  ... elsewhere: on another thread
 *     decide ok | refuse | fail     it decides a held verdict
 *     client|backend ends | lost | fails | takes N | takes all
 *     connected [fails], secured [fails], work [cancelled | begins], worked, deadline, drain, close,
 *     holds expire
 *
 *     c 1 ok               what the client must have received: a line a packet, its sequence number
 *     b 0 Query select 1   what the backend must have received; b end, b reset: the end, at last
 *     e Starting Query select 1     the events
 *     = ready              the session's state here
 *     over QUIT            it has ended here, for this reason
 *
 * c, b and e are compared at the end, each by its own: how bytes are cut changes in which order they
 * happen. Each conversation is fed whole, byte by byte, and cut at random places. */
#ifndef WEIR_TESTS_SESSION_SCRIPT_H
#define WEIR_TESTS_SESSION_SCRIPT_H

#include "step.h"

struct script_options {
    struct harness_options harness; /* capabilities 0: STEP_MODERN */
    bool unchecked;  /* what came is not compared; the rules of the harness hold all the same */
    bool whole_only; /* how bytes are cut matters to this one: it is fed whole */
};

/* The same with one allocation after the other that fails; what came is not compared. */
void script_starve(const char *name, const char *lines, const struct script_options *options);

/* Fails the test when anything else comes of it. name: of its seed. */
void script_run(const char *name, const char *lines, const struct script_options *options);

#endif
