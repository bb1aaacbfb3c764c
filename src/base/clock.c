/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the two clocks, and the text of a time. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S  1000000000ULL
#define NS_PER_US 1000ULL

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

void clock_rfc3339(uint64_t wall_ns, char out[CLOCK_RFC3339_BYTES])
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    unsigned microseconds = (unsigned)(wall_ns % NS_PER_S / NS_PER_US);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    snprintf(out, CLOCK_RFC3339_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
             ((unsigned)utc.tm_year + 1900U) % 10000U, (unsigned)(utc.tm_mon + 1) % 100U,
             (unsigned)utc.tm_mday % 100U, (unsigned)utc.tm_hour % 100U,
             (unsigned)utc.tm_min % 100U, (unsigned)utc.tm_sec % 100U, microseconds % 1000000U);
}
