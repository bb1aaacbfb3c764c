/* SPDX-License-Identifier: Apache-2.0
 *
 * The country of an address, by a MaxMind DB file. */
#ifndef IP_FILTER_COUNTRY_H
#define IP_FILTER_COUNTRY_H

#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>

#include "networks.h"

struct countries;

/* Returns owned, or NULL and the problem. */
WEIR_MUST_CHECK struct countries *countries_open(const char *path, struct error *error);
void countries_close(struct countries *countries); /* may be NULL */

/* Writes the two capitals of ISO 3166, or "" when the file does not know. countries may be NULL. */
void countries_find(const struct countries *countries, const uint8_t *address, size_t size,
                    char country[3]);

#endif
