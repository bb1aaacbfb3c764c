/* SPDX-License-Identifier: Apache-2.0
 *
 * weir.toml(5): the man page of the configuration file, in roff. */
#ifndef WEIR_SERVER_CONFIG_MANUAL_H
#define WEIR_SERVER_CONFIG_MANUAL_H

#include <stdio.h>

void config_manual_print(FILE *out);

#endif
