/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of filters as the text that their file has, and what becomes of two such texts that nodes of a cluster have made of one. */
#ifndef AUDIT_LOG_FILTER_TEXT_H
#define AUDIT_LOG_FILTER_TEXT_H

#include <jansson.h>
#include <weir/check.h>
#include <weir/plugin.h>

/* Returns owned, NUL-terminated, or NULL: no memory. */
WEIR_MUST_CHECK char *filters_print(const json_t *root);

/* `theirs`, with what is other in `mine` than in `base`: filters and accounts one by one. An account whose filter is gone has
 * none. Returns owned, NUL-terminated, or NULL: they are no sets of filters, or there is no memory. */
WEIR_MUST_CHECK char *filters_merge(weir_string base, weir_string mine, weir_string theirs);

#endif
