/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugins' files, read again on SIGHUP, and the accounts that these name then: there is no client that could be
 * warned of those that the servers do not have, so the log is told, as at the start. */
#ifndef WEIR_GATEWAY_FLUSHED_ACCOUNTS_H
#define WEIR_GATEWAY_FLUSHED_ACCOUNTS_H

#include "gateway/worker.h"

/* Flushes all plugins that can be. named: accounts that were asked for already, each with a NUL behind it; those that are new
 * are asked for with the account of -backend-check-user, if there is one, and added. Blocks; one thread at a time. */
void flush_plugins_and_ask(struct gateway *gateway, struct strbuf *named);

#endif
