/* SPDX-License-Identifier: Apache-2.0
 *
 * By libsystemd, which sends nothing where there is no manager. */
#include "gateway/service_manager.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define BEATS 2 /* in the manager's interval */

void service_is_ready(void)
{
    (void)sd_notify(0, "READY=1\nSTATUS=serving");
}

/* The time is what Type=notify-reload wants: systemd 253 and later. */
void service_reloads(void)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                     (unsigned long long)(clock_monotonic_ns() / 1000));
}

/* A second more, for what comes after the drain. */
void service_stops(const char *status, long seconds)
{
    (void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s\nEXTEND_TIMEOUT_USEC=%llu", status,
                     (unsigned long long)(seconds + 1) * 1000000);
}

/* Whether no worker is where it was at the beat before. */
static bool all_go_on(struct service_pulse *pulse)
{
    bool all = true;
    for (size_t i = 0; i < pulse->count; i++) {
        const uint_fast64_t turn =
            atomic_load_explicit(&pulse->activities[i]->turn, memory_order_relaxed);
        if (turn == pulse->turns[i] && turn % 2)
            all = false;
        pulse->turns[i] = turn;
    }
    return all;
}

static void beat(uv_timer_t *timer)
{
    if (all_go_on(timer->data))
        (void)sd_notify(0, "WATCHDOG=1");
}

int service_pulse_start(struct service_pulse *pulse, uv_loop_t *loop,
                        struct activity *const *activities, size_t count, struct error *error)
{
    uint64_t interval_us = 0;
    *pulse = (struct service_pulse){.activities = activities, .count = count};
    if (sd_watchdog_enabled(0, &interval_us) <= 0)
        return 0;
    pulse->turns = calloc(count, sizeof *pulse->turns);
    if (!pulse->turns)
        return error_set(error, "out of memory for the service manager's watchdog");
    uv_timer_init(loop, &pulse->timer);
    pulse->timer.data = pulse;
    pulse->is_open = true;
    const uint64_t period_ms = interval_us / 1000 / BEATS;
    uv_timer_start(&pulse->timer, beat, 0, period_ms ? period_ms : 1);
    uv_unref((uv_handle_t *)&pulse->timer);
    return 0;
}

void service_pulse_stop(struct service_pulse *pulse)
{
    if (pulse->is_open)
        uv_close((uv_handle_t *)&pulse->timer, NULL);
    pulse->is_open = false;
    free(pulse->turns);
    pulse->turns = NULL;
}

int service_listening_sockets(int *first, struct error *error)
{
    const int count = sd_listen_fds(1);
    *first = SD_LISTEN_FDS_START;
    if (count < 0)
        return error_set(error, "the service manager's sockets: %s", strerror(-count));
    for (int i = 0; i < count; i++)
        if (sd_is_socket(*first + i, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            return error_set(error,
                             "the service manager gives %d sockets, and number %d is no listening "
                             "stream socket; its unit must say ListenStream=",
                             count, i + 1);
    return count;
}
