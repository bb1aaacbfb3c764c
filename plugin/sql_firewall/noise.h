/* SPDX-License-Identifier: Apache-2.0
 *
 * What drivers and pools of connections send by themselves, whatever the application does: beginnings
 * and ends of transactions, SET NAMES, SHOW WARNINGS, SELECT 1, reading system variables. */
#ifndef SQL_FIREWALL_NOISE_H
#define SQL_FIREWALL_NOISE_H

#include <stdbool.h>

#include "statement.h"

/* Whether the statement is such a one as a whole, whatever its literals are. */
bool statement_is_noise(struct statement *statement);

/* The same of a normalised text. */
bool noise_is(weir_string normalized);

#endif
