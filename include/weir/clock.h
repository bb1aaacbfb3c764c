/* SPDX-License-Identifier: Apache-2.0
 *
 * The two clocks, counted in nanoseconds; reading one is a vDSO call (no system call). And times as
 * text. */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>
#include <string.h>
#include <time.h>

#define CLOCK_NS_PER_S 1000000000ULL

static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* For durations: never jumps. */
static inline uint64_t clock_monotonic_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

/* For records: UTC since 1970-01-01. */
static inline uint64_t clock_wall_ns(void)
{
    return clock_read_ns(CLOCK_REALTIME);
}

/* The time that is `ns` from now on a clock: what pthread_cond_timedwait() takes. */
static inline struct timespec clock_deadline(clockid_t clock, uint64_t ns)
{
    uint64_t at = clock_read_ns(clock) + ns;
    struct timespec deadline;
    deadline.tv_sec = (time_t)(at / CLOCK_NS_PER_S);
    deadline.tv_nsec = (long)(at % CLOCK_NS_PER_S);
    return deadline;
}

/* Writes wall_ns as RFC 3339 in UTC with microseconds, "2026-01-31T23:59:59.123456Z" (27 bytes and
 * the NUL), into out. The date and time of day are kept for each thread and change once a second,
 * because a log has thousands of lines in one. Years after 9999 are not written right. */
#define CLOCK_RFC3339_BYTES 28
static inline void clock_rfc3339(uint64_t wall_ns, char out[CLOCK_RFC3339_BYTES])
    __attribute__((unused));
static inline void clock_rfc3339(uint64_t wall_ns, char out[CLOCK_RFC3339_BYTES])
{
    static const char pattern[] = "0000-00-00T00:00:00.";
    static __thread time_t kept_second = -1;
    static __thread char kept[sizeof pattern];
    time_t second = (time_t)(wall_ns / CLOCK_NS_PER_S);
    if (second != kept_second) {
        struct tm utc;
        gmtime_r(&second, &utc);
        utc.tm_year = (utc.tm_year + 1900) % 10000 - 1900; /* four digits */
        strftime(kept, sizeof kept, "%Y-%m-%dT%H:%M:%S.", &utc);
        kept_second = second;
    }
    memcpy(out, kept, sizeof kept - 1);
    out += sizeof kept - 1;
    uint32_t microseconds = (uint32_t)(wall_ns % CLOCK_NS_PER_S / 1000);
    for (int i = 5; i >= 0; i--, microseconds /= 10)
        out[i] = (char)('0' + microseconds % 10);
    out[6] = 'Z';
    out[7] = '\0';
}

#endif
