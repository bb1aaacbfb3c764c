/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server that is told no client's address makes of its accounts: all clients have the gateway's host,
 * and match accounts of that host that were meant for few. The log names them. */
#ifndef WEIR_GATEWAY_UPSTREAM_ACCOUNT_NOTICE_H
#define WEIR_GATEWAY_UPSTREAM_ACCOUNT_NOTICE_H

#include "gateway/upstream/account_session.h"

/* Asks with the gateway's own account, and logs what it learns, also that the account may not know it. label names
 * the server in the log. Blocks. */
void account_notice(struct account_session *session, const char *label);

#endif
