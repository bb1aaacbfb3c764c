/* SPDX-License-Identifier: Apache-2.0
 *
 * What the options of compression say, as capabilities. */
#ifndef WEIR_GATEWAY_COMPRESSION_NAMES_H
#define WEIR_GATEWAY_COMPRESSION_NAMES_H

#include <stdint.h>

#include "gateway/gateway.h"

/* "off" or "": none; "on": all; or names of algorithms with commas between them. option: its name, for
 * the error. */
WEIR_MUST_CHECK int compression_capabilities(const char *option, const char *text, uint64_t *out,
                                             struct error *error);

/* Inflated bytes that one frame of a peer may have: a client's no more than a command may have, and some
 * for others beside it. */
size_t compression_most_bytes(bool is_client, const struct gateway_options *options);

#endif
