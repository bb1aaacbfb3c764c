/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-server -check: what is wrong with a configuration, or what it would put into force. */
#ifndef WEIR_SERVER_CHECK_H
#define WEIR_SERVER_CHECK_H

#include <stdio.h>

#include "configuration.h"

/* Looks at it, and prints it to out if nothing is wrong. Returns 0, or -1 and a message. */
WEIR_MUST_CHECK int configuration_check(struct configuration *configuration, FILE *out,
                                        struct error *error);

#endif
