/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain: each line of the log carries the SHA-256 of the line before it. Whoever changes,
 * removes or reorders a line breaks the next one's link. The hash is over the line's bytes as they
 * stand in the file, without separator and newline, so that anything that can hash can check it.
 *
 * The first line of all carries 64 zeros. Shared by the plugin and weir-audit. */
#ifndef AUDIT_LOG_CHAIN_H
#define AUDIT_LOG_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#define CHAIN_TEXT_BYTES 65 /* 64 hexadecimal digits and the NUL */

extern const char chain_beginning[CHAIN_TEXT_BYTES];

/* Sets link to the hash of one line. false: no memory in the library. One thread at a time. */
bool chain_of(const void *line, size_t size, char link[CHAIN_TEXT_BYTES]);

#endif
