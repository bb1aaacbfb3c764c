/* SPDX-License-Identifier: Apache-2.0
 *
 * The accounts that plugins' settings and files name, at the start and whenever SIGHUP has files read again, and which of them
 * each backend has been asked for: those that a server does not have are named in the log, since there is no client that could
 * be warned. A backend is asked for each account once, also one that a reload adds. */
#ifndef WEIR_GATEWAY_NAMED_ACCOUNTS_H
#define WEIR_GATEWAY_NAMED_ACCOUNTS_H

#include "gateway/worker.h"

/* With the accounts of the start. Returns owned, or NULL without memory. Main thread, as is all of this. */
struct named_accounts *named_accounts_new(struct gateway *gateway, uv_loop_t *loop);

/* Once the loop has ended. accounts may be NULL. */
void named_accounts_free(struct named_accounts *accounts);

/* Writes the statement whose rows are those of all accounts that a server lacks, for its first look; empty: there is none to
 * ask for. Returns how much of the list that is, for upstream_options. */
size_t named_accounts_question(struct named_accounts *accounts, struct strbuf *question);

/* Has plugins read their files again, on a thread that may block, and asks backends for the accounts that are new. */
void named_accounts_flush(struct named_accounts *accounts);

/* Asks backends for what they have not been asked for yet: a reload has added some. */
void named_accounts_ask(struct named_accounts *accounts);

#endif
