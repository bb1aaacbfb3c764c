/* SPDX-License-Identifier: Apache-2.0
 *
 * The name that somebody meant who wrote another one. */
#ifndef WEIR_AUDIT_NEAREST_H
#define WEIR_AUDIT_NEAREST_H

#include <stddef.h>

/* The one of `count` names that is the fewest changes away from the word, without regard to case;
 * NULL when none is near. */
const char *nearest_name(const char *word, const char *(*name)(size_t index), size_t count);

#endif
