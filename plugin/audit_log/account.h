/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts as "user@host": taking them apart, and matching a client that the backend has not
 * matched yet. A user name may have an '@' in it; a host has none. */
#ifndef AUDIT_LOG_ACCOUNT_H
#define AUDIT_LOG_ACCOUNT_H

#include <stdbool.h>
#include <weir/plugin.h>

/* Splits at the last '@'. false: there is none. */
bool account_split(weir_string account, weir_string *user, weir_string *host);

/* Whether the account `pattern`, whose host may have % and _, is that of a client. */
bool account_matches(weir_string pattern, weir_string user, weir_string host);

/* Whether a list such as "app@10.%, 'root'@'localhost'" has an account that is `account` itself, or
 * matches it as a client's. */
bool account_in_list(weir_string list, weir_string account);

#endif
