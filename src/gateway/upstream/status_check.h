/* SPDX-License-Identifier: Apache-2.0
 *
 * What a check asks by HTTP: TiDB's status port says there that a server is about to stop, which its MySQL port says to
 * nobody. */
#ifndef WEIR_GATEWAY_UPSTREAM_STATUS_CHECK_H
#define WEIR_GATEWAY_UPSTREAM_STATUS_CHECK_H

#include "gateway/upstream/address.h"

/* Asks http://ADDRESS:port/status. Blocks, for timeout_s at most. Returns 0 if it answers 200, or -1 and a message. A thread of the
 * loop's pool.
 * Source: TiDB's manual, "TiDB monitoring framework", and graceful-wait-before-shutdown. */
int status_check(const struct address *address, long port, long timeout_s,
                 struct error *error) WEIR_MUST_CHECK;

#endif
