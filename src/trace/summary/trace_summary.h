/* SPDX-License-Identifier: Apache-2.0
 *
 * trace/summary: which statements ran, how often, for how long and for whom.
 *
 * Promises: statements go in one by one, with what became of them; a table by digest and one by
 * client come out, as text or as JSON. Memory is bounded: digests and clients beyond a limit are
 * counted together, and times are kept in a histogram.
 *
 *   summary.h    what goes in and comes out
 *   histogram.h  times, for percentiles
 *
 * Uses sql, wire and base. One thread at a time for each object. */
#ifndef WEIR_TRACE_TRACE_SUMMARY_H
#define WEIR_TRACE_TRACE_SUMMARY_H

#include "trace/summary/summary.h"

#endif
