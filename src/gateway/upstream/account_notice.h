/* SPDX-License-Identifier: Apache-2.0
 *
 * What is to be said of a server's accounts. What a server that is told no client's address makes of its accounts: all clients have the gateway's host,
 * and match accounts of that host that were meant for few. The log names them, and those that settings name and that it does not have. */
#ifndef WEIR_GATEWAY_UPSTREAM_ACCOUNT_NOTICE_H
#define WEIR_GATEWAY_UPSTREAM_ACCOUNT_NOTICE_H

#include "gateway/upstream/account_session.h"

/* Asks with the gateway's own account, and logs what it learns, also that the account may not know it. label names
 * the server in the log. Blocks. */
void account_notice(struct account_session *session, const char *label);

/* The same of accounts that the gateway was configured with and that the server lacks, as the question's rows say. */
void account_notice_missing(struct account_session *session, const char *rows_question,
                            const char *label);

#endif
