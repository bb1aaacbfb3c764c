/* SPDX-License-Identifier: Apache-2.0
 *
 * What systemd, or another manager that speaks its protocol (sd_notify(3), sd_listen_fds(3)), is told and
 * gives: readiness, reloads, the end, a pulse, and sockets that it has opened. Without one all of
 * these do nothing.
 *
 * The pulse is the main loop's, and beats only while every worker goes on: a manager with WatchdogSec
 * starts a gateway again whose loop stands still. Main thread. */
#ifndef WEIR_GATEWAY_SERVICE_MANAGER_H
#define WEIR_GATEWAY_SERVICE_MANAGER_H

#include <stddef.h>
#include <uv.h>

#include "base/base.h"
#include "gateway/watchdog.h"

struct service_pulse {
    uv_timer_t timer;
    struct activity *const *activities; /* borrowed */
    uint_fast64_t *turns;               /* of each worker when it was last looked at */
    size_t count;
    bool is_open;
};

/* Sessions are served from now on. */
void service_is_ready(void);

/* The configuration is read again; service_is_ready() follows. */
void service_reloads(void);

/* It ends, in so many seconds at most; status: what it does until then. */
void service_stops(const char *status, long seconds);

/* Beats at half the manager's interval, where it wants a pulse. -1: out of memory. */
WEIR_MUST_CHECK int service_pulse_start(struct service_pulse *pulse, uv_loop_t *loop,
                                        struct activity *const *activities, size_t count,
                                        struct error *error);

/* Before the loop ends; also without a start. */
void service_pulse_stop(struct service_pulse *pulse);

/* How many listening sockets the manager has given; the first is *first, the others follow. -1 and
 * *error: it has given what is none. */
WEIR_MUST_CHECK int service_listening_sockets(int *first, struct error *error);

#endif
