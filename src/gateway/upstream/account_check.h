/* SPDX-License-Identifier: Apache-2.0
 *
 * What a check asks with the gateway's own account, once the server has greeted: whether it is fit to be
 * used, and which role it has. */
#ifndef WEIR_GATEWAY_UPSTREAM_ACCOUNT_CHECK_H
#define WEIR_GATEWAY_UPSTREAM_ACCOUNT_CHECK_H

#include "gateway/upstream/account_session.h"
#include "gateway/upstream/address.h"
#include "gateway/upstream/upstream.h"

#define ROLE_AUTOMATIC                                                                             \
    "auto" /* as role of a configuration: "standby" while read_only is set, or "primary" */

/* Logs in as the target says and asks what the checks of the upstream's options say. role: "" unless it is to be found out; of
 * UPSTREAM_NAME_BYTES. notices: logs, too, what is to be said of the server's accounts. Blocks. Returns 0 if it is fit, or -1 and a message. */
int account_check(const struct upstream_options *options, const struct account_target *target,
                  bool notices, char role[UPSTREAM_NAME_BYTES],
                  struct error *error) WEIR_MUST_CHECK;

#endif
