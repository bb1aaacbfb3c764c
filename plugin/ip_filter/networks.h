/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of IP networks, read from a file, that answer in logarithmic time whether an address may
 * pass. */
#ifndef IP_FILTER_NETWORKS_H
#define IP_FILTER_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBLEM_BYTES 400

struct networks;

/* Reads a file of rules. Returns owned (networks_free), or NULL and "FILE:LINE: what is wrong". */
struct networks *networks_read(const char *path, char problem[PROBLEM_BYTES]);
void networks_free(struct networks *networks);

/* Whether an address of 4 (IPv4) or 16 (IPv6) bytes in network order may pass. Any thread. */
bool networks_pass(const struct networks *networks, const uint8_t *address, size_t size);

/* How many rules were read. */
size_t networks_count(const struct networks *networks);

#endif
