/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration in force: which one it is, and what follows from its texts. The main thread replaces it; workers
 * hold the one that they work with, and take the next one when they are woken. */
#ifndef WEIR_GATEWAY_CONFIGURATION_H
#define WEIR_GATEWAY_CONFIGURATION_H

#include "gateway/worker.h"

/* Reads what its texts say: networks, algorithms. Returns 0, or -1 and a message. */
WEIR_MUST_CHECK int configuration_prepare(struct gateway_configuration *configuration,
                                          struct error *error);

/* The one in force, for gateway_configuration_drop(). Any thread. */
WEIR_MUST_CHECK struct gateway_configuration *configuration_hold(struct gateway *gateway);

/* Puts a prepared one into force, and drops the one before. Main thread; workers are to be woken. */
void configuration_replace(struct gateway *gateway, struct gateway_configuration *fresh);

/* What there must be a certificate for; has_one: there is. Returns 0, or -1 and a message. */
WEIR_MUST_CHECK int configuration_check_tls(const struct gateway_options *options, bool has_one,
                                            struct error *error);

/* The certificate for clients as an option of this configuration. */
struct tls_options configuration_tls(const struct gateway_options *options);

#endif
