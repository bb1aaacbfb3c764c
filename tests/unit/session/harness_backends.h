/* SPDX-License-Identifier: Apache-2.0
 *
 * The backends of a harness, and what the environment does with them; owner is the harness, which counts
 * the sessions of each. */
#ifndef WEIR_TESTS_SESSION_HARNESS_BACKENDS_H
#define WEIR_TESTS_SESSION_HARNESS_BACKENDS_H

#include "harness.h"

/* But for their TLS, which the harness adds. */
extern const struct session_backend harness_backends[HARNESS_BACKENDS];

bool harness_backend_choose(void *owner, const char *wanted, uint32_t tried,
                            struct session_choice *choice, struct error *error);
void harness_backend_leave(void *owner, const struct session_backend *backend);
bool harness_backend_failed(void *owner, const struct session_choice *choice, const char *why);

#endif
