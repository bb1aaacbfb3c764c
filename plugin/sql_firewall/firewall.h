/* SPDX-License-Identifier: Apache-2.0
 *
 * What sql_firewall.c (events) and functions.c (what clients call) share. */
#ifndef SQL_FIREWALL_FIREWALL_H
#define SQL_FIREWALL_FIREWALL_H

#include "keeper.h"
#include "rules.h"

/* The mode of an account: its own, that of the rules, or that of the variable. list: the account's,
 * or NULL. Between readers_enter() and readers_leave() alone. */
enum firewall_mode firewall_mode_of(weir_string account, const struct account *list);

/* Reads rules and lists again. For OnFlush and OnFunction. */
weir_verdict firewall_flush(void);

#endif
