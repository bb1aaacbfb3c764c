/* SPDX-License-Identifier: Apache-2.0
 *
 * From recordings and captures (trace/capture) to trace sessions (trace/protocol). */
#ifndef WEIR_TRACE_REPLAY_H
#define WEIR_TRACE_REPLAY_H

#include "replayed.h"
#include "trace/capture/trace_capture.h"

/* Traces a recording. Returns -1 and error. */
WEIR_MUST_CHECK int replay_wire_file(const struct replay_setup *setup, const char *path,
                                     struct error *error);

struct replay_source {
    const char *path;      /* a file, if interface is NULL */
    const char *interface; /* until *stop is other than 0 */
    unsigned port;         /* of the server; 0: any */
    const volatile int *stop;
};

/* Traces a capture, and prints on standard error what was in it. Returns -1 and error, also if it
 * held no conversation. */
WEIR_MUST_CHECK int replay_capture(const struct replay_setup *setup,
                                   const struct replay_source *source, struct error *error);

#endif
