/* SPDX-License-Identifier: Apache-2.0
 *
 * How a banned address is written: 192.0.2.1, or of IPv6 the /64 that counts as one, 2001:db8::/64. */
#ifndef IP_FILTER_BAN_NAMES_H
#define IP_FILTER_BAN_NAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <weir/plugin.h>

#include "tally.h"

#define BAN_NAME_BYTES (INET6_ADDRSTRLEN + 4) /* with "/64" and the NUL */

void ban_name_write(const struct tally_key *key, char name[BAN_NAME_BYTES]);

/* An address or a /64 of IPv6; any address of a /64 is that. False: it is none. */
bool ban_name_read(weir_string name, struct tally_key *key);

#endif
