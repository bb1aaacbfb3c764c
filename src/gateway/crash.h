/* SPDX-License-Identifier: Apache-2.0
 *
 * A crash says in the log where it was: in which plugin and callback, of which connection, and the
 * calls that led there. Then the process ends as it would have, with its core file. */
#ifndef WEIR_GATEWAY_CRASH_H
#define WEIR_GATEWAY_CRASH_H

#include "gateway/watchdog.h"

/* The calling thread serves connections, and marks what it is doing in activity, which outlives it.
 * Its crash is also reported when it has used up its stack. crash_forget_thread() before it ends. */
void crash_know_thread(const struct activity *activity);
void crash_forget_thread(void);

#endif
