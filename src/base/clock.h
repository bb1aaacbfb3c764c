/* SPDX-License-Identifier: Apache-2.0
 *
 * The two clocks. Both count nanoseconds; both are vDSO calls (no system call). */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* For durations: never jumps. */
uint64_t clock_monotonic_ns(void);

/* For records: UTC since 1970-01-01. */
uint64_t clock_wall_ns(void);

/* Writes wall_ns as RFC 3339 in UTC with microseconds, "2026-01-31T23:59:59.123456Z" (27 bytes and
 * the NUL), into out, which must hold CLOCK_RFC3339_BYTES. */
#define CLOCK_RFC3339_BYTES 28
void clock_rfc3339(uint64_t wall_ns, char out[CLOCK_RFC3339_BYTES]);

#endif
